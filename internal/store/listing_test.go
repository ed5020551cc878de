package store_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

func TestPagesOfIssuesHoldEachOnceThoughMoreComeAndMomentsAreShared(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		open := func(title string, at time.Time) {
			t.Helper()
			_, err := s.Apply(t.Context(), at, func(b status.Board) (status.Changes, error) {
				return status.Revise(b, &status.Rules{}, status.OpenIssue{Title: title}, "jo@x", at)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for n := range 7 {
			open(strconv.Itoa(n), noon) // all in one millisecond
		}
		seen := map[string]int{}
		var place store.Place
		for page := 0; ; page++ {
			list, err := s.IssuesAfter(t.Context(), "", status.Draft, true, place, 3)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 0 {
				break
			}
			for _, i := range list {
				seen[i.Title]++
				place = store.Place{At: i.CreatedAt, ID: i.ID}
			}
			open("later "+strconv.Itoa(page), noon.Add(time.Minute))
		}
		for n := range 7 {
			if seen[strconv.Itoa(n)] != 1 {
				t.Errorf("issue %d was listed %d times", n, seen[strconv.Itoa(n)])
			}
		}
		if len(seen) != 7 {
			t.Errorf("listed %v", seen)
		}
		if none, err := s.IssuesAfter(t.Context(), status.Resolved, "", false, store.Place{}, 3); err != nil || len(none) > 0 {
			t.Errorf("resolved: %v (%v)", none, err)
		}
	})
}

func TestAnIdempotencyKeyIsClaimedOnceAndForgottenAfterItsTime(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		p := store.Promise{Name: "bot k", Request: "h", CreatedAt: noon}
		var won atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, claimed, err := s.Promise(ctx, p, time.Hour); err != nil {
					t.Error(err)
				} else if claimed {
					won.Add(1)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d of 8 claimed the key", won.Load())
		}
		p.Code, p.Header, p.Body = 201, "{}", `{"a":1}`
		if err := s.KeepPromise(ctx, p); err != nil {
			t.Fatal(err)
		}
		again := p
		again.CreatedAt = noon.Add(time.Hour)
		first, claimed, err := s.Promise(ctx, again, time.Hour)
		if err != nil || claimed {
			t.Fatalf("claimed %v (%v)", claimed, err)
		}
		want := p
		want.CreatedAt = kept
		same(t, "the first answer", first, want)
		again.CreatedAt = noon.Add(time.Hour + time.Second)
		if _, claimed, err := s.Promise(ctx, again, time.Hour); err != nil || !claimed {
			t.Errorf("after its time: claimed %v (%v)", claimed, err)
		}
		if err := s.BreakPromise(ctx, p.Name); err != nil {
			t.Fatal(err)
		}
		if _, claimed, err := s.Promise(ctx, again, time.Hour); err != nil || !claimed {
			t.Errorf("given back: claimed %v (%v)", claimed, err)
		}
	})
}
