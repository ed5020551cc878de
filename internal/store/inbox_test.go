package store_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

func webhook(id string, at time.Time) status.Webhook {
	return status.Webhook{
		ID: id, Kind: "alertmanager", Source: "main", Body: bytes.Repeat([]byte("\x00{\"a\": 1}\xff"), 50),
		ReceivedAt: at, State: status.WebhookPending,
	}
}

func save(t *testing.T, s *store.Store, ws ...status.Webhook) {
	t.Helper()
	for _, w := range ws {
		if err := s.SaveWebhook(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
}

func TestASavedWebhookComesBackWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		w := webhook("w", kept)
		w.State, w.Verdict, w.Events = status.WebhookDead, "no JSON", 3
		save(t, s, w, status.Webhook{ID: "bare", ReceivedAt: kept.Add(-1)})
		got, err := s.Webhooks(t.Context(), "", 0)
		if err != nil {
			t.Fatal(err)
		}
		bare := status.Webhook{ID: "bare", ReceivedAt: kept.Add(-time.Millisecond), State: status.WebhookPending, Body: []byte{}}
		same(t, "webhooks", got, []status.Webhook{w, bare})
	})
}

func TestSavingAWebhookAgainChangesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		save(t, s, webhook("w", kept))
		apply(t, s, status.Changes{Verdicts: []status.Verdict{{WebhookID: "w", State: status.WebhookProcessed, Text: "done", Events: 2}}})
		save(t, s, webhook("w", kept.Add(time.Hour)))
		got, err := s.Webhooks(t.Context(), "", 0)
		want := webhook("w", kept)
		want.State, want.Verdict, want.Events = status.WebhookProcessed, "done", 2
		if err != nil {
			t.Fatal(err)
		}
		same(t, "webhooks", got, []status.Webhook{want})
	})
}

func TestPendingWebhooksAreListedOldestFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		save(t, s, webhook("c", kept), webhook("a", kept.Add(time.Second)), webhook("b", kept))
		ids := func(list []status.Webhook, err error) (out []string) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range list {
				out = append(out, w.ID)
			}
			return out
		}
		same(t, "pending", ids(s.PendingWebhooks(t.Context(), 10, nil)), []string{"b", "c", "a"})
		same(t, "two pending", ids(s.PendingWebhooks(t.Context(), 2, nil)), []string{"b", "c"})
		same(t, "newest", ids(s.Webhooks(t.Context(), "", 2)), []string{"a", "c"})
		same(t, "dead", ids(s.Webhooks(t.Context(), status.WebhookDead, 2)), []string(nil))
	})
}

func TestBodiesThatAreKnownAreNotReadAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		a, b := webhook("a", kept), webhook("b", kept.Add(time.Second))
		save(t, s, a, b)
		got, err := s.PendingWebhooks(t.Context(), 10, func(id string) bool { return id == "a" })
		if err != nil {
			t.Fatal(err)
		}
		a.Body = nil
		same(t, "pending", got, []status.Webhook{a, b})
	})
}

func TestAVerdictIsSavedWithItsEffectsOrNotAtAll(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		save(t, s, webhook("w", kept), webhook("other", kept))
		verdict := []status.Verdict{{WebhookID: "w", State: status.WebhookProcessed, Text: "2 alerts", Events: 2}}
		broken := issue("i", "r", "g")
		broken.Impact = "huge"
		_, err := s.Apply(t.Context(), noon, func(status.Board) (status.Changes, error) {
			return status.Changes{Issues: issuesOf(broken), Verdicts: verdict}, nil
		})
		if err == nil {
			t.Fatal("a broken issue was saved")
		}
		if got, err := s.PendingWebhooks(t.Context(), 10, nil); len(got) != 2 || err != nil {
			t.Errorf("%d pending after a failure (%v)", len(got), err)
		}
		apply(t, s, status.Changes{Issues: issuesOf(issue("i", "r", "g")), Verdicts: verdict})
		got, err := s.PendingWebhooks(t.Context(), 10, nil)
		if err != nil || len(got) != 1 || got[0].ID != "other" {
			t.Errorf("pending %v (%v)", got, err)
		}
		done, err := s.Webhooks(t.Context(), status.WebhookProcessed, 10)
		if err != nil || len(done) != 1 || done[0].Verdict != "2 alerts" || done[0].Events != 2 {
			t.Errorf("processed %+v (%v)", done, err)
		}
	})
}

func TestWebhooksThatComeTogetherAreSavedTogether(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		statements := s.CountStatements()
		release := s.HoldWebhooks()
		var wg sync.WaitGroup
		for n := range 100 {
			wg.Go(func() {
				// Each comes twice, as a retry does.
				if err := s.SaveWebhook(t.Context(), webhook(fmt.Sprint("w", n/2), kept)); err != nil {
					t.Error(err)
				}
			})
		}
		release(100)
		wg.Wait()
		if n := statements.Load(); n != 1 {
			t.Errorf("%d statements for 100 webhooks", n)
		}
		if got, err := s.PendingWebhooks(t.Context(), 0, nil); len(got) != 50 || err != nil {
			t.Errorf("%d webhooks (%v)", len(got), err)
		}
	})
}
