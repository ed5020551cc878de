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

func TestPruningTakesAlertsAndGroupsThatAreLongOver(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		over, lately := noon.Add(-100*time.Hour), noon.Add(-60*time.Hour) // a board holds what ended in the last 49 hours
		group := func(name string) status.TrackKey { return status.TrackKey{Rule: "r", Group: name} }
		c := status.Changes{
			Issues:  issuesOf(issue("open", "r", "open")),
			Signals: map[status.SignalKey]status.Signal{}, Tracks: map[status.TrackKey]status.Track{},
			Timers: map[status.TimerKey]time.Time{{Kind: status.TimerHold, Subject: group("timed").String()}: noon.Add(time.Hour)},
		}
		for name, tr := range map[string]status.Track{
			"over": {QuietSince: over, LastIssue: "x", LastEndedAt: over}, "never": {},
			"lately": {QuietSince: lately}, "fires": {Firing: 1, Since: over}, "open": {IssueID: "open", QuietSince: over},
			"attached": {AttachedTo: "m", QuietSince: over}, "settled": {Settled: true, QuietSince: over}, "timed": {QuietSince: over},
		} {
			tr.Key = group(name)
			c.Tracks[tr.Key] = tr
		}
		for name, sig := range map[string]status.Signal{
			"over": {SeenAt: over, Tracks: []status.TrackKey{group("over")}}, "unmatched": {SeenAt: over},
			"lately": {SeenAt: lately}, "fires": {Firing: true, SeenAt: over},
			"of an open issue": {SeenAt: over, Tracks: []status.TrackKey{group("x"), group("open")}},
		} {
			sig.Key, sig.Impact = status.SignalKey{Source: "am", Fingerprint: name}, status.ImpactNone
			c.Signals[sig.Key] = sig
		}
		apply(t, s, c)

		n, err := s.Prune(t.Context(), noon.Add(-24*time.Hour))
		if err != nil || n != 4 {
			t.Errorf("%d rows went, want two groups and two alerts: %v", n, err)
		}
		for query, want := range map[string][]string{
			"SELECT group_key FROM tracks ORDER BY group_key":      {"attached", "fires", "lately", "open", "settled", "timed"},
			"SELECT fingerprint FROM signals ORDER BY fingerprint": {"fires", "lately", "of an open issue"},
		} {
			got, err := s.Texts(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			same(t, query, got, want)
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
