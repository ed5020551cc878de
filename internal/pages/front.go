package pages

import (
	"fmt"
	"html/template"
	"slices"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// How far the front page looks back.
const (
	barDays  = 90
	pastDays = 14
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
	Past       []pastDay
	Month      string // path of this month's history
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
	Affected []affected
	Updates  []statement // newest first
	More     int         // updates left out
}

// affected is a component as an issue touches it.
type affected struct {
	Name string
	Look look
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
	Overrun  bool   // it runs past its planned end
	Affected []string
	Body     template.HTML // what will be done
	Updates  []statement   // newest first
	Latest   *statement    // the newest that says more than Body
	Started  *moment
	Ended    *moment
}

func (p *press) front(e *edition) frontPage {
	f := frontPage{
		shell:    p.shell(e, "/", e.head.Text, e.description()),
		Headline: e.head.Text,
		Detail:   oneLine(e.head.Component),
		Month:    monthPath(e.now, p.cfg.TimeZone),
	}
	f.Live = true
	if t := e.changed(); !t.IsZero() {
		at := momentAt(t, e.now)
		f.Updated = &at
	}
	for _, i := range e.sum.Active {
		c := e.issueCard(i)
		if c.More = len(c.Updates) - updatesShown; c.More > 0 {
			c.Updates = c.Updates[:updatesShown]
		}
		f.Active = append(f.Active, c)
	}
	for _, m := range e.sum.Running {
		f.Running = append(f.Running, e.workCard(m))
	}
	for _, m := range e.sum.Upcoming {
		f.Upcoming = append(f.Upcoming, e.workCard(m))
	}
	f.Sections = e.sections(p.cfg.TimeZone, p.cfg.Weights)
	for _, s := range status.ComponentStatuses {
		f.Legend = append(f.Legend, statusLooks[s])
	}
	f.Legend = append(f.Legend, look{classNone, "No data"})
	f.UptimeNote = uptimeNote(p.cfg.Weights)
	f.Past = e.past(p.cfg.TimeZone)
	return f
}

// description is the state in a sentence, for search engines and previews.
func (e *edition) description() string {
	switch n := len(e.sum.Active); {
	case n == 1:
		return e.head.Text + ": " + oneLine(e.sum.Active[0].Title)
	case n > 1:
		return fmt.Sprintf("%s: %d active issues", e.head.Text, n)
	case len(e.sum.Running) > 0:
		return e.head.Text + ": " + oneLine(e.sum.Running[0].Title)
	}
	return e.head.Text
}

func (e *edition) issueCard(i status.Issue) issueCard {
	c := issueCard{
		ID: i.ID, Path: "/issues/" + i.ID, Title: oneLine(i.Title), Look: lookOfIssue(i),
		Phase: issueWords[i.State], Impact: impactLooks[i.Impact].Word, Open: i.Open(),
		Started: momentAt(i.StartedAt, e.now),
	}
	if !i.ResolvedAt.IsZero() {
		at := momentUntil(i.StartedAt, i.ResolvedAt, e.now)
		c.Ended, c.Lasted = &at, span(i.ResolvedAt.Sub(i.StartedAt))
	}
	for _, a := range e.worst(i) {
		if name, public := e.names[a.ComponentID]; public {
			c.Affected = append(c.Affected, affected{name, statusLooks[a.Status]})
		}
	}
	for _, u := range slices.Backward(i.Updates) {
		class := impactLooks[i.Impact].Class
		if u.State == string(status.Resolved) {
			class = classOK
		}
		c.Updates = append(c.Updates, e.statement(u, class, issueWords[status.IssueState(u.State)]))
	}
	return c
}

// worst is what the issue did to its components: while it is open as they are
// now, afterwards the worst each went through, for then all are well again.
func (e *edition) worst(i status.Issue) []status.Affected {
	if i.Open() {
		return i.Components
	}
	out := slices.Clone(i.Components)
	for _, u := range i.Updates {
		for _, c := range u.Changes {
			n := slices.IndexFunc(out, func(a status.Affected) bool { return a.ComponentID == c.ComponentID })
			if n < 0 {
				out = append(out, status.Affected{ComponentID: c.ComponentID, Status: c.New})
			} else {
				out[n].Status = out[n].Status.Worse(c.New)
			}
		}
	}
	return out
}

func (e *edition) statement(u status.Update, class, phase string) statement {
	s := statement{ID: u.ID, Class: class, Phase: phase, Body: e.rich(u.Body), At: momentAt(u.DisplayAt, e.now)}
	if !u.EditedAt.IsZero() {
		at := momentAt(u.EditedAt, e.now)
		s.Edited = &at
	}
	for _, c := range u.Changes {
		if name, public := e.names[c.ComponentID]; public {
			s.Changes = append(s.Changes, affectedChange{name, statusLooks[c.Old], statusLooks[c.New]})
		}
	}
	return s
}

func (e *edition) workCard(m status.Maintenance) workCard {
	c := workCard{
		ID: m.ID, Path: "/maintenance/" + m.ID, Title: oneLine(m.Title), Look: workLooks[m.State],
		From:    momentAt(m.ScheduledFor, e.now),
		Until:   momentUntil(m.ScheduledFor, m.ScheduledUntil, e.now),
		Lasts:   span(m.ScheduledUntil.Sub(m.ScheduledFor)),
		Overrun: m.Running() && e.now.After(m.ScheduledUntil),
		Body:    e.rich(m.Body),
	}
	for _, id := range m.Components {
		if name, public := e.names[id]; public {
			c.Affected = append(c.Affected, name)
		}
	}
	if !m.StartedAt.IsZero() {
		at := momentAt(m.StartedAt, e.now)
		c.Started = &at
	}
	if !m.EndedAt.IsZero() {
		at := momentAt(m.EndedAt, e.now)
		c.Ended = &at
	}
	for _, u := range slices.Backward(m.Updates) {
		l := workLooks[status.MaintenanceState(u.State)]
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
	ended    time.Time
}

// past lists the last days up to today, each with what ended on it and with a
// pointer to issues that went on: no day with an issue is called quiet.
func (e *edition) past(zone *time.Location) []pastDay {
	starts := lastDays(e.now, zone, pastDays)
	days := make([]pastDay, pastDays)
	for n := range days {
		days[n].Day = dayName(starts[n])
	}
	on := func(t time.Time) int { // the day of t, -1 when it is not among them
		n, _ := slices.BinarySearchFunc(starts, t, func(start, t time.Time) int {
			if start.After(t) {
				return 1
			}
			return -1
		})
		return min(n-1, pastDays)
	}
	for _, i := range e.view.Issues {
		item, last := e.pastIssue(i), on(e.now)
		if i.State == status.Resolved {
			if last = on(i.ResolvedAt); last < 0 {
				continue
			}
			days[last].Items = append(days[last].Items, item)
			item.Note = "Continued"
			last--
		} else {
			item.Note = "Ongoing"
		}
		for n := max(0, on(i.StartedAt)); n <= last; n++ {
			days[n].Refs = append(days[n].Refs, item)
		}
	}
	for _, m := range e.view.Maintenances {
		if n := on(m.EndedAt); m.Over() && n >= 0 {
			days[n].Items = append(days[n].Items, e.pastWork(m))
		}
	}
	// Before there was anything to watch no day was quiet, only unknown.
	first := max(0, on(e.beginning()))
	if len(e.view.Components)+len(e.view.Issues)+len(e.view.Maintenances) == 0 {
		return nil
	}
	return condensed(days[first:], starts[first:])
}

// condensed turns days, oldest first, to newest first, with each run of quiet
// days as one.
func condensed(days []pastDay, starts []time.Time) []pastDay {
	var out []pastDay
	newest := -1 // of a run
	for n := len(days) - 1; n >= -1; n-- {
		if n >= 0 && len(days[n].Items)+len(days[n].Refs) == 0 {
			newest = max(newest, n)
			continue
		}
		if newest >= 0 {
			out = append(out, pastDay{Day: dayRange(starts[n+1], starts[newest]), Quiet: true})
			newest = -1
		}
		if n >= 0 {
			slices.SortStableFunc(days[n].Items, func(a, b pastItem) int { return b.ended.Compare(a.ended) })
			out = append(out, days[n])
		}
	}
	return out
}

func dayName(day time.Time) string { return day.Format("2 Jan 2006") }

// dayRange names days from first to last.
func dayRange(first, last time.Time) string {
	switch {
	case first.Equal(last):
		return dayName(last)
	case first.Year() != last.Year():
		return dayName(first) + " – " + dayName(last)
	case first.Month() != last.Month():
		return first.Format("2 Jan") + " – " + dayName(last)
	}
	return first.Format("2") + " – " + dayName(last)
}

func (e *edition) pastIssue(i status.Issue) pastItem {
	c := e.issueCard(i)
	item := pastItem{
		Path: c.Path, Title: c.Title, Look: c.Look, Note: c.Impact, From: c.Started, Until: c.Ended,
		Lasted: c.Lasted, ended: i.ResolvedAt,
	}
	for _, a := range c.Affected {
		item.Affected = append(item.Affected, a.Name)
	}
	if len(c.Updates) > 0 {
		item.Last = c.Updates[0].Body
	}
	return item
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
	end := momentUntil(from, until, e.now)
	item := pastItem{
		Path: c.Path, Title: c.Title, Look: c.Look, Note: "Maintenance", From: momentAt(from, e.now), Until: &end,
		Lasted: span(until.Sub(from)), Affected: c.Affected, ended: m.EndedAt,
	}
	if len(c.Updates) > 0 {
		item.Last = c.Updates[0].Body
	}
	return item
}
