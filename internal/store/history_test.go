package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

func TestWebhooksAreVisitedInTheOrderTheyCameEachOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		const many = 1203 // more than two pages, most of them at the same moments
		done := make(chan error, many)
		for n := range many {
			go func() {
				done <- s.SaveWebhook(ctx, webhook(fmt.Sprintf("w%04d", n), noon.Add(time.Duration(n/400)*time.Minute)))
			}()
		}
		for range many {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		for _, heads := range []bool{false, true} {
			n := 0
			err := s.EachWebhook(ctx, noon, noon.Add(time.Hour), heads, func(w status.Webhook) error {
				if want := fmt.Sprintf("w%04d", n); w.ID != want || heads != (w.Body == nil) {
					return fmt.Errorf("%s instead of %s, with %d bytes", w.ID, want, len(w.Body))
				}
				n++
				return nil
			})
			if err != nil || n != many {
				t.Errorf("heads only %v: %d visited: %v", heads, n, err)
			}
		}
		if n, err := s.CountWebhooks(ctx, noon.Add(time.Minute), noon.Add(2*time.Minute)); n != 400 || err != nil {
			t.Errorf("%d in the second minute: %v", n, err)
		}
		enough := errors.New("enough")
		if err := s.EachWebhook(ctx, noon, noon.Add(time.Hour), true, func(status.Webhook) error { return enough }); !errors.Is(err, enough) {
			t.Errorf("stopped with %v", err)
		}
	})
}

func TestAVerdictKeepsWhatEachAlertDid(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		save(t, s, webhook("w", noon))
		outcomes := []status.Outcome{
			{Alerts: 3, Did: status.DidBegin, Tracks: []status.TrackKey{{Rule: "r", Group: `{a="\"x"}`}, {Rule: "s", Group: "{}"}}},
			{Alerts: 1, Did: status.DidNothing},
		}
		apply(t, s, status.Changes{Verdicts: []status.Verdict{{WebhookID: "w", State: status.WebhookProcessed, Events: 4, Outcomes: outcomes}}})
		got, err := s.Webhooks(t.Context(), "", 0)
		if err != nil || len(got) != 1 {
			t.Fatalf("%d webhooks: %v", len(got), err)
		}
		same(t, "outcomes", got[0].Outcomes, outcomes)
	})
}

func TestIssuesBetweenAreThoseThatWereOpenThen(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		made := func(id string, created, ended time.Duration) status.Issue {
			i := issue(id, "rule "+id, "g")
			i.CreatedAt, i.UpdatedAt = noon.Add(created), noon.Add(created)
			if ended > 0 {
				i.State, i.ResolvedAt, i.UpdatedAt = status.Resolved, noon.Add(ended), noon.Add(ended)
			}
			return i
		}
		dismissed := made("dismissed", -time.Hour, 0)
		dismissed.Stage, dismissed.PublishedAt, dismissed.UpdatedAt = status.Dismissed, time.Time{}, noon.Add(time.Minute)
		manual := made("manual", time.Minute, 0)
		manual.Origin = status.Manual
		apply(t, s, status.Changes{Issues: issuesOf(
			made("before", -2*time.Hour, time.Second), made("over", -2*time.Hour, time.Minute), made("open", -3*time.Hour, 0),
			made("within", time.Minute, 2*time.Minute), made("later", 2*time.Hour, 0), dismissed, manual)})
		got, err := s.IssuesBetween(t.Context(), noon.Add(30*time.Second), noon.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, i := range got {
			ids = append(ids, i.ID)
		}
		same(t, "issues", ids, []string{"open", "over", "dismissed", "within"})
	})
}

func TestTheWebhooksOfATimelineAreThoseInWhichAnAlertTurned(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		key := status.TrackKey{Rule: "r", Group: `{a="50%\"_"}`}
		for n, outcomes := range [][]status.Outcome{
			{{Alerts: 1, Did: status.DidBegin, Tracks: []status.TrackKey{key}}},
			{{Alerts: 1, Did: status.DidNothing, Tracks: []status.TrackKey{key}}},
			{{Alerts: 1, Did: status.DidBegin, Tracks: []status.TrackKey{{Rule: "r", Group: "{}"}}}, {Alerts: 2, Did: status.DidBegin}},
			{{Alerts: 2, Did: status.DidDetails}, {Alerts: 1, Did: status.DidStop, Tracks: []status.TrackKey{{Rule: "s"}, key}}},
			nil,
		} {
			id := fmt.Sprintf("w%d", n)
			save(t, s, webhook(id, noon.Add(time.Duration(n)*time.Minute)))
			apply(t, s, status.Changes{Verdicts: []status.Verdict{{WebhookID: id, State: status.WebhookProcessed, Outcomes: outcomes}}})
		}
		for _, c := range []struct {
			keys  []status.TrackKey
			limit int
			want  []string
		}{
			{[]status.TrackKey{key}, 0, []string{"w3", "w0"}},
			{[]status.TrackKey{key}, 1, []string{"w3"}},
			{[]status.TrackKey{{Rule: "s"}, {Rule: "r", Group: "{}"}}, 0, []string{"w3", "w2"}},
			{nil, 0, nil},
		} {
			got, err := s.TurningWebhooks(t.Context(), c.keys, noon, noon.Add(time.Hour), c.limit)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, w := range got {
				ids = append(ids, w.ID)
			}
			same(t, fmt.Sprint(c.keys), ids, c.want)
		}
	})
}

func TestTheLastWebhookOfASourceIsFound(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		other := webhook("c", kept.Add(time.Hour))
		other.Source = "other"
		save(t, s, webhook("a", kept), webhook("b", kept.Add(time.Minute)), other)
		for source, want := range map[string]time.Time{"main": kept.Add(time.Minute), "other": kept.Add(time.Hour), "silent": {}} {
			if got, err := s.LastWebhook(t.Context(), source); err != nil || !got.Equal(want) {
				t.Errorf("%s: %v (%v), want %v", source, got, err, want)
			}
		}
	})
}
