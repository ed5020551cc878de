package status_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/statusbridge/statusbridge/internal/status"
)

// longView has so many issues of 90 days, spread over components.
func longView(components, issues int, end time.Time) status.View {
	v := status.View{}
	for n := range components {
		v.Components = append(v.Components, status.Component{ID: fmt.Sprint("c", n)})
	}
	apart := 90 * 24 * time.Hour / time.Duration(issues+1)
	for n := range issues {
		v.Issues = append(v.Issues, longIssue(fmt.Sprint("i", n), fmt.Sprint("c", n%components), end.Add(-time.Duration(n+1)*apart), n))
	}
	return v
}

func longIssue(id, component string, began time.Time, n int) *status.Issue {
	ended := began.Add(time.Duration(5+n%40) * time.Minute)
	hit := status.ComponentStatuses[2+n%3]
	return &status.Issue{
		ID: id, Stage: status.Published, State: status.Resolved, StartedAt: began, ResolvedAt: ended,
		Updates: []status.Update{
			{DisplayAt: began, Changes: []status.Change{{ComponentID: component, Old: status.Operational, New: hit}}},
			{DisplayAt: ended, Changes: []status.Change{{ComponentID: component, Old: hit, New: status.Operational}}},
		},
	}
}

// A ledger that follows views one after the other knows what a fresh look at the
// last one tells.
func TestALedgerKnowsWhatAFreshLookTells(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	now := epoch.AddDate(0, 0, 90)
	v := longView(5, 40, now)
	var l status.Ledger
	for step := range 300 {
		v.Issues, v.Maintenances, v.Corrections = slices.Clone(v.Issues), slices.Clone(v.Maintenances), slices.Clone(v.Corrections)
		k := r.IntN(len(v.Issues))
		component := fmt.Sprint("c", r.IntN(5))
		switch r.IntN(9) {
		case 0: // one begins
			i := longIssue(fmt.Sprint("new", step), component, now.Add(-time.Minute), step)
			i.State, i.ResolvedAt, i.Updates = status.Investigating, time.Time{}, i.Updates[:1]
			v.Issues = append(v.Issues, i)
		case 1: // one ends
			i := *v.Issues[k]
			i.ResolvedAt, v.Issues[k] = now, &i
		case 2: // one is told otherwise
			i := *v.Issues[k]
			i.Updates, v.Issues[k] = slices.Clone(i.Updates), &i
			i.Updates[0].Changes = []status.Change{{ComponentID: component, New: status.MajorOutage}}
		case 3: // one is too old
			v.Issues = slices.Delete(v.Issues, k, k+1)
		case 4:
			v.Maintenances = append(v.Maintenances, status.Maintenance{ID: fmt.Sprint("m", step), StartedAt: now, Components: []string{component}})
		case 5:
			from := now.Add(-time.Duration(r.IntN(5000)) * time.Minute)
			v.Corrections = append(v.Corrections, status.Correction{
				ID: fmt.Sprint("k", step), ComponentID: component, From: from, To: from.Add(time.Hour), Status: status.ComponentStatuses[r.IntN(5)], CreatedAt: now,
			})
		case 6: // one was called off long ago
			if n := len(v.Maintenances); n > 0 {
				at := r.IntN(n)
				v.Maintenances = slices.Delete(v.Maintenances, at, at+1)
			}
		case 7: // one is somewhere else in the list
			moved := v.Issues[k]
			v.Issues = append(slices.Delete(v.Issues, k, k+1), moved)
		case 8: // nothing but time
		}
		now = now.Add(time.Duration(r.IntN(3)) * time.Minute)
		if diff := cmp.Diff(v.OutagesByComponent(now), l.Follow(v, now)); diff != "" {
			t.Fatalf("step %d: fresh look (-) and ledger (+) differ:\n%s", step, diff)
		}
	}
}

func TestListsOfIssuesThatFollowEachOtherArePaired(t *testing.T) {
	now := epoch.AddDate(0, 0, 90)
	list := longView(3, 40, now).Issues
	slices.SortFunc(list, func(a, b *status.Issue) int { return b.StartedAt.Compare(a.StartedAt) })
	next := slices.Concat(
		[]*status.Issue{longIssue("new1", "c1", now, 1), longIssue("new2", "c1", now.Add(-time.Second), 2)}, // two began
		list[:5], list[6:10], list[12:]) // one is gone, and two next to each other
	written, ended := *next[20], *next[30]
	ended.ResolvedAt = now
	next[20], next[30] = &written, &ended
	alone := map[string]bool{"new1": true, "new2": true, next[20].ID: true, next[30].ID: true}
	status.Pair(next, list, func(n, was int) {
		if (was < 0) != alone[next[n].ID] || was >= 0 && list[was].ID != next[n].ID {
			t.Errorf("issue %d, %s, is paired with %d", n, next[n].ID, was)
		}
	})
}

func BenchmarkUptimeOfAll(b *testing.B) {
	now := epoch.AddDate(0, 0, 90)
	v := longView(100, 10_000, now)
	outages := v.OutagesByComponent(now)
	w := status.Window{From: epoch, To: now}
	b.ReportAllocs()
	for b.Loop() {
		for _, c := range v.Components {
			status.Uptime(outages[c.ID], w, status.DefaultWeights)
		}
	}
}

func BenchmarkUptimeOfOne(b *testing.B) {
	now := epoch.AddDate(0, 0, 90)
	v := longView(100, 10_000, now)
	outages := v.OutagesByComponent(now)["c7"]
	w := status.Window{From: epoch, To: now}
	b.ReportAllocs()
	for b.Loop() {
		status.Uptime(outages, w, status.DefaultWeights)
	}
}

// BenchmarkUptimeLedger is one more issue on top of 10,000.
func BenchmarkUptimeLedger(b *testing.B) {
	now := epoch.AddDate(0, 0, 90)
	v := longView(100, 10_000, now)
	var l status.Ledger
	l.Follow(v, now)
	n := 0
	for b.Loop() {
		n++
		next := v
		next.Issues = append(v.Issues[:len(v.Issues):len(v.Issues)], longIssue(fmt.Sprint("new", n), "c7", now.Add(-time.Hour), n))
		l.Follow(next, now)
	}
}
