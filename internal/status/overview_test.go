package status_test

import (
	"math"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestTheHeadlineSaysTheWorst(t *testing.T) {
	const (
		ok   = status.Operational
		deg  = status.DegradedPerformance
		part = status.PartialOutage
		maj  = status.MajorOutage
		mnt  = status.UnderMaintenance
	)
	for _, c := range []struct {
		components []status.ComponentStatus
		impact     status.Impact // of an open issue, "" for none
		want       string
		indicator  status.Indicator
	}{
		{[]status.ComponentStatus{ok, ok}, "", "All Systems Operational", status.IndicatorNone},
		{[]status.ComponentStatus{maj, maj}, "", "Major System Outage", status.IndicatorCritical},
		{[]status.ComponentStatus{maj, ok}, "", "Partial System Outage", status.IndicatorMajor},
		{[]status.ComponentStatus{part, part}, "", "Partial System Outage", status.IndicatorMajor},
		{[]status.ComponentStatus{part, ok}, "", "Minor Service Outage", status.IndicatorMinor},
		{[]status.ComponentStatus{deg, deg}, "", "Degraded System Service", status.IndicatorMinor},
		{[]status.ComponentStatus{deg, ok}, "", "Partially Degraded Service", status.IndicatorMinor},
		{[]status.ComponentStatus{mnt, ok}, "", "Service Under Maintenance", status.IndicatorMaintenance},
		{[]status.ComponentStatus{mnt, deg}, "", "Partially Degraded Service", status.IndicatorMinor},
		{[]status.ComponentStatus{ok, ok}, status.ImpactMinor, "Minor Service Outage", status.IndicatorMinor},
		{[]status.ComponentStatus{ok, ok}, status.ImpactMajor, "Partial System Outage", status.IndicatorMajor},
		{[]status.ComponentStatus{mnt, ok}, status.ImpactCritical, "Major System Outage", status.IndicatorCritical},
		{[]status.ComponentStatus{ok, ok}, status.ImpactNone, "All Systems Operational", status.IndicatorNone},
		{nil, status.ImpactMajor, "Partial System Outage", status.IndicatorMajor},
	} {
		var v status.View
		for i, st := range c.components {
			v.Components = append(v.Components, status.Component{ID: string(rune('a' + i)), Name: "C", Status: st})
		}
		if c.impact != "" {
			v.Issues = []*status.Issue{{Impact: c.impact, State: status.Investigating, Stage: status.Published}}
		}
		if got := status.Overview(v, epoch).Headline; got.Description != c.want || got.Indicator != c.indicator {
			t.Errorf("%v with impact %q: got %q %s, want %q %s", c.components, c.impact, got.Description, got.Indicator, c.want, c.indicator)
		}
	}
}

func TestTheHeadlineNamesTheOnlyComponentThatIsHit(t *testing.T) {
	v := status.View{Components: []status.Component{{ID: "a", Name: "Checkout"}, {ID: "b", Name: "API"}}}
	v.Issues = []*status.Issue{{
		Impact: status.ImpactMajor, State: status.Investigating, Stage: status.Published,
		Components: []status.Affected{{ComponentID: "a", Status: status.MajorOutage}},
	}}
	if got := status.Overview(v, epoch).Headline.Component; got != "Checkout" {
		t.Errorf("got %q", got)
	}
	v.Issues[0].Components = append(v.Issues[0].Components, status.Affected{ComponentID: "b", Status: status.PartialOutage})
	if got := status.Overview(v, epoch).Headline.Component; got != "" {
		t.Errorf("two are hit, but it names %q", got)
	}
}

func TestAComponentIsAsBadAsTheWorstOfItsIssues(t *testing.T) {
	hit := func(s status.ComponentStatus) *status.Issue {
		return &status.Issue{State: status.Identified, Stage: status.Published, Components: []status.Affected{{ComponentID: "a", Status: s}}}
	}
	v := status.View{
		Components: []status.Component{{ID: "a", GroupID: "g", Status: status.DegradedPerformance}},
		Groups:     []status.Group{{ID: "g"}},
		Issues:     []*status.Issue{hit(status.PartialOutage), hit(status.MajorOutage), hit(status.DegradedPerformance)},
	}
	s := status.Overview(v, epoch)
	if s.Components["a"] != status.MajorOutage || s.Groups["g"] != status.MajorOutage {
		t.Errorf("component %s, group %s", s.Components["a"], s.Groups["g"])
	}
}

func TestUptimeCountsOverlapsOnceAndWeighsThem(t *testing.T) {
	day := status.Window{From: epoch, To: epoch.Add(24 * time.Hour)}
	outage := func(s status.ComponentStatus, from, to time.Duration) status.Outage {
		return status.Outage{Status: s, From: epoch.Add(from), To: epoch.Add(to)}
	}
	for _, c := range []struct {
		name    string
		outages []status.Outage
		down    time.Duration
	}{
		{"nothing", nil, 0},
		{"one major", []status.Outage{outage(status.MajorOutage, time.Hour, 3*time.Hour)}, 2 * time.Hour},
		{"a partial counts 0.3", []status.Outage{outage(status.PartialOutage, 0, 10*time.Hour)}, 3 * time.Hour},
		{"degraded and maintenance count nothing", []status.Outage{outage(status.DegradedPerformance, 0, time.Hour), outage(status.UnderMaintenance, 0, time.Hour)}, 0},
		{"overlapping majors count once", []status.Outage{outage(status.MajorOutage, 0, 2*time.Hour), outage(status.MajorOutage, time.Hour, 3*time.Hour)}, 3 * time.Hour},
		{"the heavier of two wins", []status.Outage{outage(status.PartialOutage, 0, 10*time.Hour), outage(status.MajorOutage, 0, time.Hour)}, time.Hour + 162*time.Minute},
		{"clipped to the window", []status.Outage{outage(status.MajorOutage, -5*time.Hour, time.Hour), outage(status.MajorOutage, 23*time.Hour, 50*time.Hour)}, 2 * time.Hour},
	} {
		got, ok := status.Uptime(c.outages, day, status.DefaultWeights)
		want := 1 - c.down.Hours()/24
		if !ok || math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: got %v %v, want %v", c.name, got, ok, want)
		}
	}
	if _, ok := status.Uptime(nil, status.Window{From: epoch, To: epoch}, status.DefaultWeights); ok {
		t.Error("an empty window has an uptime")
	}
}

func TestAnIssuesOutagesFollowItsUpdates(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	w.receive(w.firing("a"))
	w.after(3 * time.Minute)
	i := w.only()
	if got := i.Outages(w.now); len(got) != 0 {
		t.Fatalf("a draft counts as an outage: %v", got)
	}
	w.revise(status.PublishIssue{EditIssue: status.EditIssue{ID: i.ID}})
	w.after(7 * time.Minute)
	checkout := w.componentID("checkout")
	w.revise(status.PostUpdate{ID: i.ID, Body: "Worse.", Components: &[]status.Affected{{ComponentID: checkout, Status: status.MajorOutage}}})
	w.after(10 * time.Minute)
	w.revise(status.PostUpdate{ID: i.ID, Body: "Done.", State: ptr(status.Resolved)})
	w.after(time.Hour)
	got := w.only().Outages(w.now)
	want := []status.Outage{
		{ComponentID: checkout, Status: status.PartialOutage, From: epoch, To: epoch.Add(10 * time.Minute), SubjectID: i.ID},
		{ComponentID: checkout, Status: status.MajorOutage, From: epoch.Add(10 * time.Minute), To: epoch.Add(20 * time.Minute), SubjectID: i.ID},
	}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
