package pages

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

type componentPage struct {
	shell
	Row         row
	Group       string
	DaysAgo     [2]string
	Uptimes     []uptimeCell
	Weights     string
	Corrections []correctionNote
	Calm        string
	Days        []pastDay
}

type uptimePage struct {
	shell
	Columns     []uptimeColumn
	Sections    []uptimeSection
	Weights     string
	Corrections []correctionNote
	Previous    *monthLink
	Next        *monthLink
}

type uptimeColumn struct {
	Name string
	Note string // "so far"
}

// uptimeSection is a group, whose first line is its own, or those that stand
// alone.
type uptimeSection struct {
	Group *uptimeLine
	Lines []uptimeLine
}

type uptimeLine struct {
	Name  string
	Path  string // "" for a group
	Cells []uptimeCell
}

// An uptimeCell is the uptime of a stretch of time; without data it says so.
type uptimeCell struct {
	Name  string // of the stretch
	Share string // "" without data
	Since string // set when data begins within the stretch
}

// A correctionNote is a correction as visitors read it.
type correctionNote struct {
	ID        string
	Component string
	From      moment
	To        moment
	Status    look
	Was       string
	Reason    string
	Made      moment
}

// measured is what uptime is worked out from: a component, or a group.
type measured struct {
	since   time.Time
	outages []status.Outage
}

// uptime is the share of a stretch that is over or under way.
func (e *edition) uptimeOf(m measured, w status.Window, weights status.Weights) uptimeCell {
	var cell uptimeCell
	from, to := latest(w.From, m.since), w.To
	if to.After(e.now) {
		to = e.now
	}
	share, ok := status.Uptime(m.outages, status.Window{From: from, To: to}, weights)
	if !ok {
		return cell
	}
	cell.Share = e.lang.percent(share)
	if from.After(w.From) {
		cell.Since = e.lang.say("table.since", "day", e.lang.dayMonth(from))
	}
	return cell
}

// together is a group as one: it is down while any of its parts is.
func together(parts []measured) measured {
	var whole measured
	for _, p := range parts {
		if whole.since.IsZero() || p.since.Before(whole.since) {
			whole.since = p.since
		}
		for _, o := range p.outages {
			if o.From = latest(o.From, p.since); o.To.After(o.From) {
				whole.outages = append(whole.outages, o)
			}
		}
	}
	return whole
}

// component is the page of the component with a slug.
func (p *press) component(e *edition, slug string) (componentPage, error) {
	n := slices.IndexFunc(e.view.Components, func(c status.Component) bool { return c.Slug == slug })
	if n < 0 {
		return componentPage{}, fmt.Errorf("component %s: %w", slug, status.ErrNotFound)
	}
	c, zone, name := e.view.Components[n], p.cfg.TimeZone, oneLine(e.view.Components[n].Name)
	days := lastDays(e.now, zone, barDays)
	page := componentPage{
		shell:   p.shell(e, "/components/"+c.Slug, e.lang.pair(name, e.lang.status(e.sum.Components[c.ID]).Word), e.lang.say("component.about", "name", name)),
		Row:     e.row(c, e.outages()[c.ID], days, p.cfg.Weights),
		DaysAgo: e.daysAgo(),
		Weights: e.lang.weights(p.cfg.Weights),
		Calm:    e.lang.say("component.calm", "n", barDays),
	}
	page.Live = true
	page.Feeds = p.feedLinks(e, componentPath(c)+"/history", name)
	for _, g := range e.view.Groups {
		if g.ID == c.GroupID {
			page.Group = oneLine(g.Name)
		}
	}
	of := measured{c.Since(), e.outages()[c.ID]}
	day := e.uptimeOf(of, status.Window{From: e.now.Add(-24 * time.Hour), To: e.now}, p.cfg.Weights)
	day.Name = e.lang.say("period.hours", "n", 24)
	page.Uptimes = append(page.Uptimes, day)
	for _, length := range []int{7, 30, barDays} {
		cell := e.uptimeOf(of, status.Window{From: days[barDays-length], To: e.now}, p.cfg.Weights)
		cell.Name = e.lang.say("period.days", "n", length)
		page.Uptimes = append(page.Uptimes, cell)
	}
	issues, works := e.touching(c.ID)
	page.Days = e.byDay(zone, issues, works)
	page.Corrections = e.corrections(e.view.Corrections, func(of status.Correction) bool {
		return of.ComponentID == c.ID && of.To.After(days[0])
	})
	return page, nil
}

// touching picks what concerned a component.
func (e *edition) touching(component string) (issues []*status.Issue, works []status.Maintenance) {
	for _, i := range e.view.Issues {
		if slices.ContainsFunc(e.worst(*i), func(a status.Affected) bool { return a.ComponentID == component }) {
			issues = append(issues, i)
		}
	}
	for _, m := range e.view.Maintenances {
		if slices.Contains(m.Components, component) {
			works = append(works, m)
		}
	}
	return issues, works
}

// uptimeMonths is how many months stand side by side.
const uptimeMonths = 3

// lastMonths are the months up to the one of t, oldest first.
func lastMonths(t time.Time, zone *time.Location) []status.Window {
	y, m, _ := t.In(zone).Date()
	list := make([]status.Window, uptimeMonths)
	for n := range list {
		list[n] = monthOf(time.Date(y, m-time.Month(uptimeMonths-1-n), 1, 0, 0, 0, 0, zone), zone)
	}
	return list
}

// uptimeWindow is all that the page of a month needs to know of.
func (p *press) uptimeWindow(last status.Window) status.Window {
	return status.Window{From: lastMonths(last.From, p.cfg.TimeZone)[0].From, To: last.To}
}

// uptime is the table of a month and those before it, worked out from a view
// that holds these months. With the present month it also shows the last days
// as the front page does.
func (p *press) uptime(e *edition, last status.Window, v status.View) uptimePage {
	zone, months := p.cfg.TimeZone, lastMonths(last.From, p.cfg.TimeZone)
	present := last.To.After(e.now)
	path, title := "/uptime", e.lang.say("table.title")
	if !present {
		path = uptimePath(last.From, zone)
		title += ", " + e.lang.month(last.From.In(zone))
	}
	page := uptimePage{shell: p.shell(e, path, title, e.lang.say("table.about")), Weights: e.lang.weights(p.cfg.Weights)}
	page.Live = present
	windows := months
	if present {
		page.Columns = append(page.Columns, uptimeColumn{Name: e.lang.say("period.days", "n", barDays)})
		windows = append([]status.Window{{From: lastDays(e.now, zone, barDays)[0], To: e.now}}, months...)
	}
	for _, w := range months {
		column := uptimeColumn{Name: e.lang.date("date.month_short", w.From.In(zone))}
		if w.To.After(e.now) {
			column.Note = e.lang.say("table.so_far")
		}
		page.Columns = append(page.Columns, column)
	}
	outages := v.OutagesByComponent(e.now)
	if present {
		outages = e.outages()
	}
	page.Sections = e.uptimeSections(outages, windows, p.cfg.Weights)
	page.Corrections = e.corrections(v.Corrections, func(c status.Correction) bool {
		return c.From.Before(last.To) && c.To.After(windows[0].From)
	})
	if before := months[0].From; before.After(e.beginning()) {
		prev := monthOf(before.AddDate(0, 0, -1), zone)
		page.Previous = &monthLink{e.path(uptimePath(prev.From, zone)), e.lang.month(prev.From.In(zone))}
	}
	if !present {
		next := monthOf(last.From.In(zone).AddDate(0, uptimeMonths, 0), zone)
		page.Next = &monthLink{e.path(uptimePath(next.From, zone)), e.lang.month(next.From.In(zone))}
		if next.To.After(e.now) {
			page.Next = &monthLink{e.path("/uptime"), e.lang.month(e.now.In(zone))}
		}
	}
	return page
}

func uptimePath(t time.Time, zone *time.Location) string {
	return strings.Replace(monthPath(t, zone), "/history/", "/uptime/", 1)
}

func (e *edition) uptimeSections(outages map[string][]status.Outage, windows []status.Window, weights status.Weights) []uptimeSection {
	cells := func(m measured) []uptimeCell {
		var list []uptimeCell
		for _, w := range windows {
			list = append(list, e.uptimeOf(m, w, weights))
		}
		return list
	}
	names := map[string]string{}
	for _, g := range e.view.Groups {
		names[g.ID] = oneLine(g.Name)
	}
	var sections []uptimeSection
	var parts []measured
	for n, c := range e.view.Components {
		if n == 0 || c.GroupID != e.view.Components[n-1].GroupID {
			sections, parts = append(sections, uptimeSection{}), nil
		}
		s := &sections[len(sections)-1]
		m := measured{c.Since(), outages[c.ID]}
		parts = append(parts, m)
		s.Lines = append(s.Lines, uptimeLine{oneLine(c.Name), e.path("/components/" + c.Slug), cells(m)})
		if c.GroupID != "" {
			s.Group = &uptimeLine{Name: names[c.GroupID], Cells: cells(together(parts))}
		}
	}
	return sections
}

// corrections words those that are wanted.
func (e *edition) corrections(list []status.Correction, wanted func(status.Correction) bool) []correctionNote {
	var notes []correctionNote
	for _, c := range list {
		name, public := e.names[c.ComponentID]
		if !public || !wanted(c) {
			continue
		}
		note := correctionNote{
			ID: c.ID, Component: name, From: e.moment(c.From), To: e.until(c.From, c.To), Status: e.lang.status(c.Status),
			Was: e.lang.say("corrections.calm"), Reason: oneLine(c.Reason), Made: e.moment(c.CreatedAt),
		}
		if c.Status != status.Operational {
			note.Was = e.lang.say("corrections.was", "status", e.lang.say("inline."+string(c.Status)))
		}
		notes = append(notes, note)
	}
	return notes
}
