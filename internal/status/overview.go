package status

import (
	"slices"
	"strings"
	"time"
)

// Overview sums up the present: the status of each component, what is going
// on, and the headline over it all.
func Overview(v View, now time.Time) Summary {
	s := Summary{Components: map[string]ComponentStatus{}, Groups: map[string]ComponentStatus{}}
	for _, c := range v.Components {
		s.Components[c.ID] = c.Status.Worse(Operational)
	}
	worsen := func(id string, to ComponentStatus) {
		if from, ok := s.Components[id]; ok {
			s.Components[id] = from.Worse(to)
		}
	}
	for _, i := range v.Issues {
		if !i.Open() || !i.Public() {
			continue
		}
		s.Active = append(s.Active, *i)
		for _, a := range i.Components {
			worsen(a.ComponentID, a.Status)
		}
	}
	for _, m := range v.Maintenances {
		switch {
		case m.Running():
			s.Running = append(s.Running, m)
			for _, id := range m.Components {
				worsen(id, UnderMaintenance)
			}
		case m.State == Scheduled:
			s.Upcoming = append(s.Upcoming, m)
		}
	}
	slices.SortStableFunc(s.Active, func(a, b Issue) int { return b.StartedAt.Compare(a.StartedAt) })
	slices.SortStableFunc(s.Running, func(a, b Maintenance) int { return a.ScheduledUntil.Compare(b.ScheduledUntil) })
	slices.SortStableFunc(s.Upcoming, func(a, b Maintenance) int { return a.ScheduledFor.Compare(b.ScheduledFor) })
	for _, g := range v.Groups {
		s.Groups[g.ID] = Operational
	}
	for _, c := range v.Components {
		if worst, ok := s.Groups[c.GroupID]; ok {
			s.Groups[c.GroupID] = worst.Worse(s.Components[c.ID])
		}
	}
	s.Headline = headline(v.Components, s)
	return s
}

// headline says in one line how the whole is. While an issue with an impact is
// open it never says that all is well, whatever the components say.
func headline(components []Component, s Summary) Headline {
	count := map[ComponentStatus]int{}
	var hit []string
	for _, c := range components {
		st := s.Components[c.ID]
		count[st]++
		if st.Rank() > UnderMaintenance.Rank() {
			hit = append(hit, c.Name)
		}
	}
	h := headlineOfCounts(count, len(components))
	if floor := headlineOfIssues(s.Active); floor.rank() > h.rank() && h.rank() <= headlines[IndicatorMaintenance] {
		h = floor
	}
	if h.rank() == headlines[IndicatorNone] && len(s.Running) > 0 {
		h = Headline{Indicator: IndicatorMaintenance, Description: "Service Under Maintenance"}
	}
	if len(hit) == 1 {
		h.Component = hit[0]
	}
	return h
}

func headlineOfCounts(count map[ComponentStatus]int, total int) Headline {
	major, partial, degraded := count[MajorOutage], count[PartialOutage], count[DegradedPerformance]
	switch {
	case total > 0 && major == total:
		return Headline{Indicator: IndicatorCritical, Description: "Major System Outage"}
	case major > 0 || partial > 0 && partial == total:
		return Headline{Indicator: IndicatorMajor, Description: "Partial System Outage"}
	case partial > 0:
		return Headline{Indicator: IndicatorMinor, Description: "Minor Service Outage"}
	case degraded > 0 && degraded == total:
		return Headline{Indicator: IndicatorMinor, Description: "Degraded System Service"}
	case degraded > 0:
		return Headline{Indicator: IndicatorMinor, Description: "Partially Degraded Service"}
	case count[UnderMaintenance] > 0:
		return Headline{Indicator: IndicatorMaintenance, Description: "Service Under Maintenance"}
	}
	return Headline{Indicator: IndicatorNone, Description: "All Systems Operational"}
}

// headlineOfIssues is the least that open issues allow to be said.
func headlineOfIssues(active []Issue) Headline {
	worst := ImpactNone
	for _, i := range active {
		if i.Impact.Rank() > worst.Rank() {
			worst = i.Impact
		}
	}
	switch worst {
	case ImpactCritical:
		return Headline{Indicator: IndicatorCritical, Description: "Major System Outage"}
	case ImpactMajor:
		return Headline{Indicator: IndicatorMajor, Description: "Partial System Outage"}
	case ImpactMinor:
		return Headline{Indicator: IndicatorMinor, Description: "Minor Service Outage"}
	}
	return Headline{Indicator: IndicatorNone, Description: "All Systems Operational"}
}

var headlines = map[Indicator]int{
	IndicatorNone: 0, IndicatorMaintenance: 1, IndicatorMinor: 2, IndicatorMajor: 3, IndicatorCritical: 4,
}

func (h Headline) rank() int { return headlines[h.Indicator] }

// Order sorts groups by position and name, and components as people read them:
// those that stand alone first, then group by group, by position and name. What
// is equal stays in its order.
func Order(components []Component, groups []Group) {
	at := map[string]int{} // 0 is no group, or one that is gone
	slices.SortStableFunc(groups, func(a, b Group) int {
		if a.Position != b.Position {
			return a.Position - b.Position
		}
		return strings.Compare(a.Name, b.Name)
	})
	for n, g := range groups {
		at[g.ID] = n + 1
	}
	slices.SortStableFunc(components, func(a, b Component) int {
		switch {
		case at[a.GroupID] != at[b.GroupID]:
			return at[a.GroupID] - at[b.GroupID]
		case a.Position != b.Position:
			return a.Position - b.Position
		}
		return strings.Compare(a.Name, b.Name)
	})
}
