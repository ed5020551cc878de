package pages

import (
	"slices"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

type issuePage struct {
	shell
	Issue    issueCard
	Events   []event // before the first update, newest first
	Course   *course // nil when it was over at once
	Resolved *moment
	// Merged leads to the issue that goes on in its place, and Parts to those
	// that it goes on for.
	Merged *subjectLink
	Parts  []subjectLink
	// Corrections of what the issue says of its components.
	Corrections []correctionNote
}

// subjectLink leads to another issue.
type subjectLink struct{ Path, Title string }

type workPage struct {
	shell
	Work workCard
}

type historyPage struct {
	shell
	Month    string
	Previous *monthLink
	Next     *monthLink
	Days     []pastDay
}

type monthLink struct {
	Path string
	Name string
}

func (p *press) issue(e *edition, i status.Issue) issuePage {
	c := e.issueCard(i)
	page := issuePage{
		shell: p.shell(e, "/issues/"+i.ID, e.lang.pair(c.Phase, c.Title), e.lang.pair(c.Phase, c.Title)),
		Issue: c,
	}
	page.Live = true
	if !i.ResolvedAt.IsZero() {
		at := e.moment(i.ResolvedAt)
		page.Resolved = &at
	}
	page.Events, page.Course = e.events(i), e.course(i)
	link := func(o *status.Issue) subjectLink { return subjectLink{e.path("/issues/" + o.ID), oneLine(o.Title)} }
	if i.MergedInto != "" {
		if n := slices.IndexFunc(e.view.Issues, func(o *status.Issue) bool { return o.ID == i.MergedInto }); n >= 0 {
			to := link(e.view.Issues[n])
			page.Merged = &to
		}
	}
	for _, n := range e.ends().parts[i.ID] {
		page.Parts = append(page.Parts, link(e.view.Issues[n]))
	}
	hurt := e.worst(i)
	page.Corrections = e.corrections(e.view.Corrections, func(c status.Correction) bool {
		return c.To.After(i.StartedAt) && (i.Open() || c.From.Before(i.ResolvedAt)) &&
			slices.ContainsFunc(hurt, func(a status.Affected) bool { return a.ComponentID == c.ComponentID })
	})
	return page
}

func (p *press) work(e *edition, m status.Maintenance) workPage {
	c := e.workCard(m)
	page := workPage{shell: p.shell(e, "/maintenance/"+m.ID, e.lang.pair(c.Look.Word, c.Title), e.lang.pair(e.lang.say("maintenance"), c.Title)), Work: c}
	page.Live, page.Work.Repeats = true, e.repeats(m)
	return page
}

// month is a month's history: what began or was planned in it, newest first.
func (p *press) month(e *edition, w status.Window, issues []*status.Issue, works []status.Maintenance) historyPage {
	zone := p.cfg.TimeZone
	name := e.lang.month(w.From.In(zone))
	page := historyPage{
		shell: p.shell(e, monthPath(w.From, zone), e.lang.say("history.title", "month", name), e.lang.say("history.about", "month", name)),
		Month: name,
	}
	if prev := w.From.AddDate(0, -1, 0); !monthOf(prev, zone).To.Before(e.beginning()) && len(e.view.Components) > 0 {
		page.Previous = &monthLink{e.path(monthPath(prev, zone)), e.lang.month(prev.In(zone))}
	}
	if !w.To.After(e.now) {
		page.Next = &monthLink{e.path(monthPath(w.To, zone)), e.lang.month(w.To.In(zone))}
	}
	page.Days = e.byDay(zone, issues, works)
	return page
}

// byDay lists issues and maintenance by the day on which they began or were
// planned, newest first.
func (e *edition) byDay(zone *time.Location, issues []*status.Issue, works []status.Maintenance) []pastDay {
	type entry struct {
		at   time.Time
		item pastItem
	}
	var entries []entry
	for _, i := range issues {
		entries = append(entries, entry{i.StartedAt, e.pastIssue(i)})
	}
	for _, m := range works {
		entries = append(entries, entry{m.ScheduledFor, e.pastWork(m)})
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return b.at.Compare(a.at) })
	var days []pastDay
	for _, en := range entries {
		day := e.lang.day(en.at.In(zone))
		if n := len(days); n == 0 || days[n-1].Day != day {
			days = append(days, pastDay{Day: day})
		}
		last := &days[len(days)-1]
		last.Items = append(last.Items, en.item)
	}
	return days
}

// beginning is how far back history can hold anything, as far as the view
// tells: the links to earlier months end there.
func (e *edition) beginning() time.Time { return e.ends().first }

// ends are when history begins, and when anything last changed.
type ends struct {
	first, changed time.Time
	issues         []dates          // of each issue of the view
	parts          map[string][]int // which issues of the view were merged into one, by its id
}

// dates are what is looked up of each issue of a long history at each rendering: side
// by side, since to follow ten thousand pointers takes a while, and as numbers,
// which nobody has to look through for pointers.
type dates struct {
	began, ended, changed instant // ended: never while it goes on
	merged                bool    // into another
}

// instant is a time in microseconds since 1970, finer than the database keeps it; 0 is
// never.
type instant int64

func instantOf(t time.Time) instant {
	if t.IsZero() {
		return 0
	}
	return instant(t.UnixMicro())
}

func (i instant) time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(i)).UTC()
}

func datesOf(i *status.Issue) dates {
	d := dates{began: instantOf(i.StartedAt), changed: instantOf(issueChanged(i)), merged: i.MergedInto != ""}
	if i.State == status.Resolved {
		d.ended = instantOf(i.ResolvedAt)
	}
	return d
}

// findEnds takes of the edition before, unless nil, what it knows of issues that are
// as they were: nearly all of a long history.
func (e *edition) findEnds(old *edition) ends {
	found := ends{issues: make([]dates, len(e.view.Issues)), parts: map[string][]int{}}
	soon := instantOf(e.now.Add(time.Minute))
	first, last := instantOf(e.now), instant(0)
	sooner := func(t instant) {
		if t != 0 && t < first {
			first = t
		}
	}
	see := func(t instant) {
		if t <= soon {
			last = max(last, t)
		}
	}
	var before []*status.Issue
	var known []dates
	if old != nil {
		before, known = old.view.Issues, old.ends().issues
	}
	status.Pair(e.view.Issues, before, func(n, was int) {
		d := &found.issues[n]
		if was >= 0 {
			*d = known[was]
		} else {
			*d = datesOf(e.view.Issues[n])
		}
		see(d.changed)
		sooner(d.began)
		if d.merged {
			into := e.view.Issues[n].MergedInto
			found.parts[into] = append(found.parts[into], n)
		}
	})
	for _, m := range e.view.Maintenances {
		sooner(instantOf(m.ScheduledFor))
		see(instantOf(workChanged(m)))
	}
	for _, c := range e.view.Components {
		sooner(instantOf(c.Since()))
		sooner(instantOf(c.CreatedAt))
		see(instantOf(c.UpdatedAt))
	}
	for _, c := range e.view.Corrections {
		see(instantOf(c.CreatedAt))
	}
	found.first, found.changed = first.time(), last.time()
	return found
}

// monthOf is the month of t in the zone.
func monthOf(t time.Time, zone *time.Location) status.Window {
	y, m, _ := t.In(zone).Date()
	return status.Window{From: time.Date(y, m, 1, 0, 0, 0, 0, zone), To: time.Date(y, m+1, 1, 0, 0, 0, 0, zone)}
}

func monthPath(t time.Time, zone *time.Location) string {
	return "/history/" + t.In(zone).Format("2006-01")
}

// within picks from the view what a month's page shows.
func (e *edition) within(w status.Window) (issues []*status.Issue, works []status.Maintenance) {
	in := func(t time.Time) bool { return !t.Before(w.From) && t.Before(w.To) }
	for _, i := range e.view.Issues {
		if in(i.StartedAt) {
			issues = append(issues, i)
		}
	}
	for _, m := range e.view.Maintenances {
		if in(m.ScheduledFor) {
			works = append(works, m)
		}
	}
	return issues, works
}
