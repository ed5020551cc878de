package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// A view that follows others is the view that a store tells that was just opened.
func TestAViewThatFollowsOthersIsAFreshOne(t *testing.T) {
	onBothDSN(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		now := noon
		save := func(c status.Changes) {
			t.Helper()
			now = now.Add(time.Minute)
			if _, err := s.Apply(t.Context(), now, func(status.Board) (status.Changes, error) { return c, nil }); err != nil {
				t.Fatal(err)
			}
			fresh, err := store.Open(t.Context(), dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer fresh.Close()
			since := noon.AddDate(0, 0, -7)
			want, err := fresh.View(t.Context(), since)
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.View(t.Context(), since)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("fresh (-) and following (+) differ:\n%s", diff)
			}
		}
		one := func(i status.Issue) status.Changes {
			return status.Changes{Issues: map[string]status.Issue{i.ID: i}}
		}
		hit := status.Component{ID: "api", Slug: "api", Name: "API", Status: status.Operational, CreatedAt: noon, UpdatedAt: noon}
		save(status.Changes{Components: map[string]status.Component{hit.ID: hit}})
		made := func(n int, stage status.Stage) status.Issue {
			return status.Issue{
				ID: fmt.Sprint("i", n), Title: "T", State: status.Investigating, Impact: status.ImpactMinor, Stage: stage, Origin: status.Manual,
				Components: []status.Affected{{ComponentID: "api", Status: status.MajorOutage}},
				StartedAt:  noon.Add(-time.Duration(n) * 48 * time.Hour), CreatedAt: noon, UpdatedAt: noon,
				Updates: []status.Update{{ID: fmt.Sprint("u", n), State: "investigating", DisplayAt: noon, CreatedAt: noon, By: "jo@example.com", Changes: []status.Change{{ComponentID: "api", New: status.MajorOutage}}}},
			}
		}
		many := map[string]status.Issue{}
		for n := range 70 {
			i := made(0, status.Published)
			i.ID, i.StartedAt, i.PublishedAt = fmt.Sprint("many", n), noon.Add(-time.Duration(n)*time.Hour), noon
			many[i.ID] = i
		}
		save(status.Changes{Issues: many})
		for n := range 5 { // the last are older than the history
			i := made(n, status.Published)
			i.PublishedAt = noon
			save(one(i))
		}
		draft := made(9, status.Draft)
		save(one(draft))
		draft.Stage, draft.PublishedAt = status.Published, noon
		save(one(draft))
		old := made(4, status.Published)
		old.PublishedAt, old.State, old.ResolvedAt = noon, status.Resolved, noon.AddDate(0, 0, -8)
		save(one(old))
		moved := made(1, status.Published)
		moved.PublishedAt, moved.StartedAt, moved.Title = noon, noon.Add(time.Hour), "Moved"
		save(one(moved))
		hit.Hidden = true
		save(status.Changes{Components: map[string]status.Component{hit.ID: hit}})
		hit.Hidden = false
		save(status.Changes{Components: map[string]status.Component{hit.ID: hit}})
		another := made(0, status.Published)
		another.PublishedAt, another.Title = noon, "While nothing else changed"
		save(one(another))
		work := status.Maintenance{
			ID: "m", Title: "M", State: status.Scheduled, ScheduledFor: noon.Add(time.Hour), ScheduledUntil: noon.Add(2 * time.Hour),
			Components: []string{"api"}, CreatedAt: noon, CreatedBy: "jo@example.com",
		}
		save(status.Changes{Maintenances: map[string]status.Maintenance{work.ID: work}})
		save(one(moved))
		work.State, work.StartedAt = status.InProgress, noon.Add(time.Hour)
		save(status.Changes{Maintenances: map[string]status.Maintenance{work.ID: work}})
		weekly := status.MaintenanceSeries{ID: "s", Version: 1, Title: "M", Recurrence: status.Recurrence{Rule: "FREQ=WEEKLY"}, Begins: noon, Length: time.Hour, Planned: noon, PlanAt: noon.Add(time.Hour), CreatedAt: noon}
		save(status.Changes{Series: map[string]status.MaintenanceSeries{weekly.ID: weekly}}) // its next date has passed: no maintenance with it
		save(status.Changes{Groups: map[string]status.Group{"g": {ID: "g", Name: "G", CreatedAt: noon}}})
		right := status.Correction{ID: "c", ComponentID: "api", Status: status.Operational, From: noon, To: noon.Add(time.Minute), Reason: "R", By: "jo@example.com", CreatedAt: noon}
		save(status.Changes{Corrections: map[string]status.Correction{right.ID: right}})
		right.WithdrawnAt = noon.Add(time.Hour)
		save(status.Changes{Corrections: map[string]status.Correction{right.ID: right}})
		hit.Archived = true
		save(status.Changes{Components: map[string]status.Component{hit.ID: hit}})
	})
}
