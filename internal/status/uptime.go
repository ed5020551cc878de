package status

import (
	"slices"
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
	s := sweep{at: w.From.UnixNano(), weights: weights.byRank()}
	end, last := w.To.UnixNano(), s.at
	for n := range outages {
		o := &outages[n]
		from, to := o.From.UnixNano(), min(o.To.UnixNano(), end)
		if n > 0 && from < last {
			return Uptime(slices.SortedFunc(slices.Values(outages), inOrder), w, weights)
		}
		last = from
		rank := o.Status.Rank()
		if rank < 0 || s.weights[rank] <= 0 || to <= s.at || to <= from {
			continue
		}
		s.advance(min(from, end))
		if s.at >= s.last && (n+1 == len(outages) || outages[n+1].From.UnixNano() >= to) {
			s.down += s.weights[rank] * float64(to-s.at) // it is alone, as most are
			s.at = to
			continue
		}
		s.until[rank], s.last = max(s.until[rank], to), max(s.last, to)
	}
	s.advance(end)
	return 1 - s.down/float64(total), true
}

// A sweep goes along a window from one beginning of an outage to the next.
// Several outages of one status are one for it, until the last of them ends.
type sweep struct {
	at      int64 // in nanoseconds, as all here
	until   [5]int64
	last    int64 // of them
	weights [5]float64
	down    float64
}

// advance counts the time up to a moment.
func (s *sweep) advance(to int64) {
	for s.at < to {
		if s.at >= s.last {
			s.at = to
			return
		}
		next, weight := to, 0.0
		for rank, until := range s.until {
			if until > s.at {
				next, weight = min(next, until), max(weight, s.weights[rank])
			}
		}
		s.down += weight * float64(next-s.at)
		s.at = next
	}
}

// byRank lists the weights in the order of ComponentStatuses.
func (w Weights) byRank() (list [5]float64) {
	for n, s := range ComponentStatuses {
		list[n] = w[s]
	}
	return list
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
		slices.SortFunc(list, inOrder)
	}
	return by
}
