package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// seed fills a database with components and with past issues of the last 90
// days, three updates each, and a few that are open.
func seed(t testing.TB, s *store.Store, components, issues int) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	began := now.AddDate(-1, 0, 0)
	c := status.Changes{Components: map[string]status.Component{}, Groups: map[string]status.Group{}, Issues: map[string]status.Issue{}}
	for n := range max(1, components/10) {
		id := fmt.Sprintf("group-%d", n)
		c.Groups[id] = status.Group{ID: id, Name: fmt.Sprintf("Group %d", n), Position: n}
	}
	for n := range components {
		id := fmt.Sprintf("component-%d", n)
		c.Components[id] = status.Component{
			ID: id, GroupID: fmt.Sprintf("group-%d", n/10), Slug: id, Name: fmt.Sprintf("Component %d", n), Position: n % 10,
			Status: status.Operational, StartDate: began, CreatedAt: began, UpdatedAt: began,
		}
	}
	apply(t, s, now, c)
	c = status.Changes{Issues: map[string]status.Issue{}}
	apart := (90 * 24 * time.Hour / time.Duration(issues+2)).Truncate(time.Millisecond)
	for n := range issues {
		started := now.Add(-time.Duration(n+1) * apart)
		i := pastIssue(n, components, started)
		if n < min(3, issues/10) {
			i.State, i.ResolvedAt, i.Updates = status.Identified, time.Time{}, i.Updates[:2]
		}
		c.Issues[i.ID] = i
		if len(c.Issues) == 500 || n == issues-1 {
			apply(t, s, now, c)
			c = status.Changes{Issues: map[string]status.Issue{}}
		}
	}
}

func pastIssue(n, components int, started time.Time) status.Issue {
	id := fmt.Sprintf("component-%d", n%components)
	statuses := []status.ComponentStatus{status.DegradedPerformance, status.PartialOutage, status.MajorOutage}
	was := statuses[n%3]
	ended := started.Add(time.Duration(5+n%40) * time.Minute)
	update := func(k int, state, body string, at time.Time, from, to status.ComponentStatus) status.Update {
		return status.Update{
			ID: fmt.Sprintf("update-%d-%d", n, k), State: state, Body: body, CreatedAt: at, DisplayAt: at, By: status.Automation,
			Changes: []status.Change{{ComponentID: id, Old: from, New: to}},
		}
	}
	return status.Issue{
		ID: fmt.Sprintf("issue-%d", n), Version: 3, Title: fmt.Sprintf("Requests to component %d fail", n%components),
		State: status.Resolved, Impact: status.ImpactMinor, Stage: status.Published, Origin: status.FromAlert, Rule: "seeded", Group: id + "/" + started.Format(time.RFC3339Nano), Confirmed: true,
		Components: []status.Affected{{ComponentID: id, Status: was}},
		Updates: []status.Update{
			update(0, "investigating", "We see more errors than usual and look into it.", started, status.Operational, was),
			update(1, "identified", "The cause is **known**; a fix is on its way.", started.Add(2*time.Minute), was, was),
			update(2, "resolved", "The fix works. Everything is back to normal.", ended, was, status.Operational),
		},
		StartedAt: started, CreatedAt: started, PublishedAt: started, ResolvedAt: ended, UpdatedAt: ended,
	}
}

func apply(t testing.TB, s *store.Store, now time.Time, c status.Changes) {
	t.Helper()
	if _, err := s.Apply(t.Context(), now, func(status.Board) (status.Changes, error) { return c, nil }); err != nil {
		t.Fatal(err)
	}
}
