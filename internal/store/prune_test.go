package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

func TestPruningTakesWhatIsOldAndDoneAndNothingElse(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		old, young := noon.Add(-48*time.Hour), noon
		save(t, s, webhook("old-done", old), webhook("old-pending", old), webhook("young-done", young))
		apply(t, s, status.Changes{Verdicts: []status.Verdict{
			{WebhookID: "old-done", State: status.WebhookProcessed}, {WebhookID: "young-done", State: status.WebhookDead},
		}})
		create(t, s, account("1", "a@x"))
		for id, expires := range map[string]time.Time{"gone": old, "here": young.Add(time.Hour)} {
			if err := s.CreateSession(ctx, status.Session{IDHash: id, AccountID: "1", CreatedAt: old, SeenAt: old, ExpiresAt: expires}); err != nil {
				t.Fatal(err)
			}
		}
		used := issue("i", "r", "g")
		used.RulesHash = "used"
		apply(t, s, status.Changes{Issues: issuesOf(used)})
		for _, hash := range []string{"used", "idle"} {
			if err := s.KeepRules(ctx, &status.Rules{Hash: hash}, old); err != nil {
				t.Fatal(err)
			}
		}

		n, err := s.Prune(ctx, noon.Add(-24*time.Hour))
		if err != nil || n != 3 {
			t.Errorf("%d rows went, want the old webhook, session and rules: %v", n, err)
		}
		left, err := s.Webhooks(ctx, "", 0)
		if err != nil || len(left) != 2 {
			t.Errorf("%d webhooks are left, %v", len(left), err)
		}
		if _, _, err := s.Session(ctx, "gone"); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("the expired session: %v", err)
		}
		if _, _, err := s.Session(ctx, "here"); err != nil {
			t.Errorf("the live session: %v", err)
		}
		if rules, err := s.RulesInUse(ctx); err != nil || len(rules) != 1 {
			t.Errorf("rules in use: %v, %v", rules, err)
		}
	})
}

func TestPruningManyRowsGoesOnUntilAllAreGone(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		const many = 2500 // more than one statement takes
		var verdicts []status.Verdict
		done := make(chan error, many)
		for n := range many {
			id := fmt.Sprint(n)
			verdicts = append(verdicts, status.Verdict{WebhookID: id, State: status.WebhookProcessed})
			go func() { done <- s.SaveWebhook(t.Context(), webhook(id, noon)) }()
		}
		for range many {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		apply(t, s, status.Changes{Verdicts: verdicts})
		if n, err := s.Prune(t.Context(), noon.Add(time.Hour)); err != nil || n != many {
			t.Errorf("%d rows went: %v", n, err)
		}
	})
}
