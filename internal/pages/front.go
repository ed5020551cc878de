package pages

import (
	"html/template"
	"slices"
	"time"
	"unsafe"

	"github.com/statusbridge/statusbridge/internal/status"
)

// How far the front page looks back.
const (
	barDays     = 90
	barDaysSlim = 30 // on phones; the stylesheet hides the others
	pastDays    = 14
	itemsShown  = 20 // of a day of the past
	// Of a long issue the front page shows the newest updates, and says how
	// many more its own page has.
	updatesShown = 4
)

type frontPage struct {
	shell
	Headline   string
	Detail     string // the component that is hit, when it is one
	Updated    *moment
	Active     []issueCard
	Running    []workCard
	Upcoming   []workCard
	Sections   []section
	Legend     []look
	UptimeNote string
	Charts     []chart
	Past       []pastDay
	Month      string    // path of this month's history
	DaysAgo    [2]string // where the bars begin, and where they do on phones
}

// An issueCard is one issue in full.
type issueCard struct {
	ID       string
	Path     string
	Title    string
	Look     look   // impact while open, resolved afterwards
	Phase    string // Investigating, ...
	Impact   string
	Open     bool
	Started  moment
	Ended    *moment
	Lasted   string
	Affected *hits       // nil: none that is public
	Updates  []statement // newest first
	More     int         // updates left out
	// Postmortem is not among the updates.
	Postmortem *statement
	Drawn      template.HTML // as it stands on the front page; "" when it is not drawn yet
}

// A statement is one update as people read it.
type statement struct {
	ID      string
	Class   string
	Phase   string
	Body    template.HTML
	At      moment
	Edited  *moment
	Changes []affectedChange
	Folded  []affectedChange // beyond those that are shown at once
}

type affectedChange struct {
	Name     string
	Old, New look
}

// A workCard is one maintenance.
type workCard struct {
	ID       string
	Path     string
	Title    string
	Look     look
	From     moment
	Until    moment
	Lasts    string // how long it is planned to take
	Calendar string // path of its calendar entry, while it lies ahead
	Overrun  bool   // it runs past its planned end
	Affected *hits
	Body     template.HTML // what will be done
	Updates  []statement   // newest first
	Latest   *statement    // the newest that says more than Body
	Started  *moment
	Ended    *moment
	Repeats  *repeats // nil: it does not, or it is not told here
}

func (p *press) front(e *edition) frontPage {
	f := frontPage{
		shell:    p.shell(e, "/", e.headline(), e.description()),
		Headline: e.headline(),
		Detail:   oneLine(e.head.Component),
		Month:    e.path(monthPath(e.now, p.cfg.TimeZone)),
		DaysAgo:  e.daysAgo(),
	}
	f.Live = true
	p.tellState(e, &f.shell)
	if t := e.changed(); !t.IsZero() {
		at := e.moment(t)
		f.Updated = &at
	}
	for _, i := range e.sum.Active {
		f.Active = append(f.Active, e.activeCard(i))
	}
	for _, m := range e.sum.Running {
		f.Running = append(f.Running, e.workCard(m))
	}
	for _, m := range folded(slices.All(e.sum.Upcoming)) {
		c := e.workCard(m)
		c.Repeats = e.repeats(m)
		f.Upcoming = append(f.Upcoming, c)
	}
	f.Sections = e.sections(p.cfg.TimeZone, p.cfg.Weights)
	for _, s := range status.ComponentStatuses {
		f.Legend = append(f.Legend, e.lang.status(s))
	}
	f.Legend = append(f.Legend, look{classNone, e.lang.say("no_data")})
	f.UptimeNote = e.lang.say("weights.days", "n", barDays) + " " + e.lang.weights(p.cfg.Weights)
	f.Charts = p.charts(e, true)
	f.Past = e.past(p.cfg.TimeZone)
	return f
}

// daysAgo says where the bars begin, and where they do on phones.
func (e *edition) daysAgo() [2]string {
	return [2]string{e.lang.say("days_ago", "n", barDays), e.lang.say("days_ago", "n", barDaysSlim)}
}

// description is the state in a sentence, for search engines and previews.
func (e *edition) description() string {
	switch n := len(e.sum.Active); {
	case n == 1:
		return e.lang.pair(e.headline(), oneLine(e.sum.Active[0].Title))
	case n > 1:
		return e.lang.say("front.many", "headline", e.headline(), "n", n)
	case len(e.sum.Running) > 0:
		return e.lang.pair(e.headline(), oneLine(e.sum.Running[0].Title))
	}
	return e.headline()
}

// activeCard is an issue as the front page shows it.
func (e *edition) activeCard(i status.Issue) issueCard {
	return e.cards.get(e.keyOf(&i), func() issueCard {
		c := e.issueCard(i)
		if c.More = len(c.Updates) - updatesShown; c.More > 0 {
			c.Updates = c.Updates[:updatesShown]
		}
		c.Drawn = e.drawn("active", c)
		return c
	})
}

func (e *edition) issueCard(i status.Issue) issueCard {
	c := issueCard{
		ID: i.ID, Path: e.path("/issues/" + i.ID), Title: oneLine(i.Title), Look: e.lang.lookOfIssue(i),
		Phase: e.lang.lookOfIssue(i).Word, Impact: e.lang.impact(i.Impact), Open: i.Open(),
		Started: e.moment(i.StartedAt),
	}
	if !i.ResolvedAt.IsZero() {
		at := e.until(i.StartedAt, i.ResolvedAt)
		c.Ended, c.Lasted = &at, e.lang.span(i.ResolvedAt.Sub(i.StartedAt))
	}
	var hit []affected
	for _, a := range e.worstFirst(i) {
		if name, public := e.names[a.ComponentID]; public {
			hit = append(hit, affected{name, e.lang.status(a.Status)})
		}
	}
	c.Affected = hitsOf(i.ID, hit)
	for _, u := range slices.Backward(i.Updates) {
		s := e.statement(u, classOfUpdate(i, u), e.lang.issue(status.IssueState(u.State)))
		if u.State == status.StatePostmortem {
			c.Postmortem = &s
		} else {
			c.Updates = append(c.Updates, s)
		}
	}
	return c
}

// classOfUpdate is the look of a statement: what the issue does, until it says
// that it is over, or goes on elsewhere.
func classOfUpdate(i status.Issue, u status.Update) string {
	switch u.State {
	case string(status.Resolved), status.StatePostmortem:
		return classOK
	case status.StateMerged:
		return classNone
	}
	return impactLooks[i.Impact].Class
}

func (e *edition) statement(u status.Update, class, phase string) statement {
	s := statement{ID: u.ID, Class: class, Phase: phase, Body: e.said(u), At: e.moment(u.DisplayAt)}
	if !u.EditedAt.IsZero() {
		at := e.moment(u.EditedAt)
		s.Edited = &at
	}
	for _, c := range u.Changes {
		if name, public := e.names[c.ComponentID]; public {
			s.Changes = append(s.Changes, affectedChange{name, e.lang.status(c.Old), e.lang.status(c.New)})
		}
	}
	s.Changes, s.Folded = fold(s.Changes, hitsShown)
	return s
}

func (e *edition) workCard(m status.Maintenance) workCard {
	c := workCard{
		ID: m.ID, Path: e.path("/maintenance/" + m.ID), Title: oneLine(m.Title), Look: e.lang.work(m.State),
		From:    e.moment(m.ScheduledFor),
		Until:   e.until(m.ScheduledFor, m.ScheduledUntil),
		Lasts:   e.lang.span(m.ScheduledUntil.Sub(m.ScheduledFor)),
		Overrun: m.Running() && e.now.After(m.ScheduledUntil),
		Body:    e.rich(m.Body),
	}
	if m.State == status.Scheduled {
		c.Calendar = "/maintenance/" + m.ID + ".ics"
	}
	var hit []affected
	for _, name := range e.publicNames(m.Components) {
		hit = append(hit, affected{Name: name})
	}
	c.Affected = hitsOf(m.ID, hit)
	if !m.StartedAt.IsZero() {
		at := e.moment(m.StartedAt)
		c.Started = &at
	}
	if !m.EndedAt.IsZero() {
		at := e.moment(m.EndedAt)
		c.Ended = &at
	}
	for _, u := range slices.Backward(m.Updates) {
		l := e.lang.work(status.MaintenanceState(u.State))
		if u.Body == m.Body {
			u.Body = "" // the announcement: it stands above already
		}
		c.Updates = append(c.Updates, e.statement(u, l.Class, l.Word))
	}
	if len(c.Updates) > 0 && c.Updates[0].Body != "" {
		c.Latest = &c.Updates[0]
	}
	return c
}

// A pastDay is a day on which something ended or went on, or a run of days
// without.
type pastDay struct {
	Day   string
	Items []pastItem
	Refs  []pastItem // what was going on that day and is told elsewhere
	Quiet bool
	More  int    // left out
	Path  string // of the month, which has all
}

// A pastItem is an issue or a maintenance in the list of a day.
type pastItem struct {
	Path     string
	Title    string
	Look     look
	Note     string // impact, or "Maintenance"
	From     moment
	Until    *moment
	Lasted   string
	Affected []string
	Last     template.HTML // the newest statement
	More     string        // path of the post-mortem, "" without one
	Drawn    template.HTML // the whole as it stands on a page; "" when it is not drawn yet
	ended    time.Time
}

// past lists the last days up to today, each with what ended on it and with a
// pointer to issues that went on: no day with an issue is called quiet.
func (e *edition) past(zone *time.Location) []pastDay {
	starts := lastDays(e.now, zone, pastDays)
	days := make([]pastDay, pastDays)
	for n := range days {
		days[n].Day = e.lang.day(starts[n])
	}
	on := func(t time.Time) int { // the day of t, -1 when it is not among them
		n, _ := slices.BinarySearchFunc(starts, t, func(start, t time.Time) int {
			if start.After(t) {
				return 1
			}
			return -1
		})
		return min(n-1, pastDays-1) // a clock elsewhere may be ahead of ours
	}
	for _, m := range e.view.Maintenances {
		if n := on(m.EndedAt); m.Over() && n >= 0 {
			days[n].Items = append(days[n].Items, e.pastWork(m))
		}
	}
	ended := make([][]*status.Issue, pastDays)
	today := on(e.now)
	begin := instantOf(starts[0])
	for n, d := range e.ends().issues {
		if d.ended != 0 && d.ended < begin {
			continue
		}
		i := e.view.Issues[n]
		last, note := today, "ongoing"
		if i.State == status.Resolved {
			if i.ResolvedAt.Before(starts[0]) {
				continue
			}
			last = on(i.ResolvedAt)
			ended[last] = append(ended[last], i)
			last, note = last-1, "continued"
		}
		for n := max(0, on(i.StartedAt)); n <= last; n++ {
			if len(days[n].Refs) == itemsShown {
				days[n].More++
				continue
			}
			ref := e.pastIssue(i)
			ref.Drawn = ""
			ref.Note = e.lang.say(note)
			days[n].Refs = append(days[n].Refs, ref)
		}
	}
	for n, list := range ended {
		slices.SortStableFunc(list, func(a, b *status.Issue) int { return b.ResolvedAt.Compare(a.ResolvedAt) })
		shown := min(len(list), itemsShown)
		for _, i := range list[:shown] {
			days[n].Items = append(days[n].Items, e.pastIssue(i))
		}
		days[n].More += len(list) - shown
		days[n].Path = e.path(monthPath(starts[n], zone))
	}
	for _, c := range e.view.Corrections {
		name, public := e.names[c.ComponentID]
		if !public || c.Status.Rank() <= status.UnderMaintenance.Rank() {
			continue
		}
		l := e.lang.status(c.Status)
		item := pastItem{Path: e.path("/uptime#correction-" + c.ID), Title: e.lang.pair(name, l.Word), Look: l, Note: e.lang.say("corrections.note")}
		for n := max(0, on(c.From)); n <= on(c.To.Add(-1)); n++ {
			days[n].Refs = append(days[n].Refs, item)
		}
	}
	// Before there was anything to watch no day was quiet, only unknown.
	first := max(0, on(e.beginning()))
	if len(e.view.Components)+len(e.view.Issues)+len(e.view.Maintenances) == 0 {
		return nil
	}
	return e.lang.condensed(days[first:], starts[first:])
}

// condensed turns days, oldest first, to newest first, with each run of quiet
// days as one.
func (l *language) condensed(days []pastDay, starts []time.Time) []pastDay {
	var out []pastDay
	newest := -1 // of a run
	for n := len(days) - 1; n >= -1; n-- {
		if n >= 0 && len(days[n].Items)+len(days[n].Refs) == 0 {
			newest = max(newest, n)
			continue
		}
		if newest >= 0 {
			out = append(out, pastDay{Day: l.days(starts[n+1], starts[newest]), Quiet: true})
			newest = -1
		}
		if n >= 0 {
			slices.SortStableFunc(days[n].Items, func(a, b pastItem) int { return b.ended.Compare(a.ended) })
			out = append(out, days[n])
		}
	}
	return out
}

// An issueKey is what the card of an issue, and an issue in the list of a day, depend
// on besides the names of components. As in a ledger, updates and lists at the same
// place in memory are the same.
type issueKey struct {
	id, title      string
	merged         string
	state          status.IssueState
	impact         status.Impact
	began, ended   time.Time
	updates        *status.Update
	components     *status.Affected
	nUpdates, nHit int
	year           int // of the present: dates of another one tell it
	lang           *language
}

func (e *edition) keyOf(i *status.Issue) issueKey {
	return issueKey{
		id: i.ID, title: i.Title, merged: i.MergedInto, state: i.State, impact: i.Impact, began: i.StartedAt, ended: i.ResolvedAt,
		updates: unsafe.SliceData(i.Updates), components: unsafe.SliceData(i.Components), nUpdates: len(i.Updates), nHit: len(i.Components),
		year: e.now.UTC().Year(), lang: e.lang,
	}
}

func (e *edition) pastIssue(i *status.Issue) pastItem {
	return e.items.get(e.keyOf(i), func() pastItem {
		item := pastItem{
			Path: e.path("/issues/" + i.ID), Title: oneLine(i.Title), Look: e.lang.lookOfIssue(*i), Note: e.lang.impact(i.Impact),
			From: e.moment(i.StartedAt), ended: i.ResolvedAt,
		}
		if !i.ResolvedAt.IsZero() {
			at := e.until(i.StartedAt, i.ResolvedAt)
			item.Until, item.Lasted = &at, e.lang.span(i.ResolvedAt.Sub(i.StartedAt))
		}
		for _, a := range e.worstFirst(*i) {
			if name, public := e.names[a.ComponentID]; public {
				item.Affected = append(item.Affected, name)
			}
		}
		for _, u := range slices.Backward(i.Updates) {
			if u.State != status.StatePostmortem {
				item.Last = e.rich(u.Body)
				break
			}
			item.More = item.Path + "#update-" + u.ID
		}
		item.Drawn = e.drawn("item", item)
		return item
	})
}

func (e *edition) pastWork(m status.Maintenance) pastItem {
	c := e.workCard(m)
	from, until := m.ScheduledFor, m.ScheduledUntil
	if !m.StartedAt.IsZero() {
		from = m.StartedAt
		if !m.EndedAt.IsZero() {
			until = m.EndedAt
		}
	}
	end := e.until(from, until)
	item := pastItem{
		Path: c.Path, Title: c.Title, Look: c.Look, Note: e.lang.say("maintenance"), From: e.moment(from), Until: &end,
		Lasted: e.lang.span(until.Sub(from)), Affected: e.publicNames(m.Components), ended: m.EndedAt,
	}
	if len(c.Updates) > 0 {
		item.Last = c.Updates[0].Body
	}
	return item
}
