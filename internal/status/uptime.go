package status

import (
	"slices"
	"strings"
	"time"
)

// Outages lists the stretches in which a published issue hurt a component, as
// its updates tell. Each ends when the issue resolved, or at now.
func (i Issue) Outages(now time.Time) []Outage {
	if !i.Public() {
		return nil
	}
	end := now
	if !i.ResolvedAt.IsZero() {
		end = earlier(i.ResolvedAt, now)
	}
	open := map[string]Outage{}
	var out []Outage
	for n, u := range i.Updates {
		at := u.DisplayAt
		if n == 0 {
			at = i.StartedAt // it hurt before anybody wrote about it
		}
		if at.After(end) {
			break
		}
		for _, c := range u.Changes {
			if o, ok := open[c.ComponentID]; ok {
				out = appendOutage(out, o, at)
				delete(open, c.ComponentID)
			}
			if c.New != Operational {
				open[c.ComponentID] = Outage{ComponentID: c.ComponentID, Status: c.New, From: at, SubjectID: i.ID}
			}
		}
	}
	for _, id := range sortedKeys(open) {
		out = appendOutage(out, open[id], end)
	}
	return out
}

// Outages lists the maintenance as stretches under_maintenance.
func (m Maintenance) Outages(now time.Time) []Outage {
	if m.StartedAt.IsZero() {
		return nil
	}
	end := now
	if !m.EndedAt.IsZero() {
		end = earlier(m.EndedAt, now)
	}
	var out []Outage
	for _, id := range m.Components {
		out = appendOutage(out, Outage{ComponentID: id, Status: UnderMaintenance, From: m.StartedAt, SubjectID: m.ID}, end)
	}
	return out
}

func appendOutage(list []Outage, o Outage, to time.Time) []Outage {
	if !to.After(o.From) {
		return list
	}
	o.To = to
	return append(list, o)
}

// Uptime is the share of the window, 0 to 1, in which the component worked;
// false when the window holds no time at all. Outages that overlap count once,
// with the heaviest weight of the moment. Times under maintenance count as
// up unless an outage overlaps them.
func Uptime(outages []Outage, w Window, weights Weights) (float64, bool) {
	total := w.To.Sub(w.From)
	if total <= 0 {
		return 0, false
	}
	type edge struct {
		at    time.Time
		o     int
		start bool
	}
	var edges []edge
	var clipped []Outage
	for _, o := range outages {
		o.From, o.To = later(o.From, w.From), earlier(o.To, w.To)
		if weights[o.Status] <= 0 || !o.To.After(o.From) {
			continue
		}
		clipped = append(clipped, o)
		edges = append(edges, edge{o.From, len(clipped) - 1, true}, edge{o.To, len(clipped) - 1, false})
	}
	slices.SortFunc(edges, func(a, b edge) int { return a.at.Compare(b.at) })
	running := map[ComponentStatus]int{}
	var down float64
	var last time.Time
	for _, e := range edges {
		down += heaviest(running, weights) * e.at.Sub(last).Seconds()
		last = e.at
		if e.start {
			running[clipped[e.o].Status]++
		} else {
			running[clipped[e.o].Status]--
		}
	}
	return 1 - down/total.Seconds(), true
}

func heaviest(running map[ComponentStatus]int, weights Weights) float64 {
	var w float64
	for s, n := range running {
		if n > 0 {
			w = max(w, weights[s])
		}
	}
	return w
}

// OutagesByComponent gathers the outages of a view, each component's in order.
func (v View) OutagesByComponent(now time.Time) map[string][]Outage {
	by := map[string][]Outage{}
	add := func(list []Outage) {
		for _, o := range list {
			by[o.ComponentID] = append(by[o.ComponentID], o)
		}
	}
	for _, i := range v.Issues {
		add(i.Outages(now))
	}
	for _, m := range v.Maintenances {
		add(m.Outages(now))
	}
	for id, list := range byComponent(v.Corrections) {
		by[id] = corrected(by[id], list)
	}
	for _, list := range by {
		slices.SortFunc(list, func(a, b Outage) int {
			if c := a.From.Compare(b.From); c != 0 {
				return c
			}
			return strings.Compare(a.SubjectID, b.SubjectID)
		})
	}
	return by
}
