package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// everyOutlet is a set-up with all there is.
var everyOutlet = []status.Outlet{
	{Channel: status.ChannelEmail, Join: time.Minute},
	{Channel: status.ChannelTwitter},
	{Channel: status.ChannelWebhooks, Kind: "webhook"},
	{Channel: "community", Kind: "discord"},
	{Channel: "tickets", Kind: "webhook"},
	{Channel: "sky", Kind: "bluesky"},
	{Channel: "oncall", Kind: "slack", Join: time.Minute, Readers: status.Operators},
	{Channel: status.ChannelOperators, Join: time.Minute, Readers: status.Operators, Recipients: []string{"ada@x", "bob@x"}},
}

// callAt is the order to tell operators about an issue.
func callAt(event status.Event, issue string, now time.Time) status.Announcement {
	id := fmt.Sprintf("%s-%s-%d", issue, event, now.Unix())
	return status.Announcement{ID: "a-" + id, Event: event, SubjectID: issue, UpdateID: id, CreatedAt: now, DueAt: now}
}

func TestDraftsAreQueuedForOperatorsAndNobodyElse(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "a@x")
		program(t, s, "https://hooks.example/x", true)
		now := noon
		for n, e := range status.OperatorEvents {
			for _, channels := range [][]string{nil, {status.ChannelEmail, status.ChannelTwitter, "webhook", "community", "slack", status.ChannelOperators}} {
				now = now.Add(2 * time.Minute)
				a := callAt(e, fmt.Sprint("i", n), now)
				a.Channels = channels
				announce(t, s, a)
				fanOutTo(t, s, now, everyOutlet)
			}
		}
		told, err := s.Deliveries(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		to := map[string]int{}
		for _, d := range told {
			if d.DispatchID != "" {
				to[d.Channel+" "+d.Recipient]++
			}
		}
		same(t, "told", to, map[string]int{"oncall oncall": 6, "operators ada@x": 6, "operators bob@x": 6})

		now = now.Add(time.Hour)
		announce(t, s, updateAt("u1", now, func(a *status.Announcement) { a.Event = status.EventOpen }))
		if n := fanOutTo(t, s, now, everyOutlet); n != 6 {
			t.Errorf("%d messages of what is public, want one on each public channel", n)
		}
		for _, name := range []string{"oncall", status.ChannelOperators} {
			if ds := claim(t, s, name, now); slices.ContainsFunc(ds, func(d status.Delivery) bool { return d.UpdateID == "u1" }) {
				t.Errorf("%s is told what is public", name)
			}
		}
	})
}

func TestAStormOfDraftsIsTwoMessagesForOperators(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		oncall := everyOutlet[6:7]
		announce(t, s, callAt(status.EventDraft, "i0", noon), callAt(status.EventDraft, "i1", noon), callAt(status.EventDraft, "i2", noon))
		if n := fanOutTo(t, s, noon, oncall); n != 1 {
			t.Errorf("%d messages of drafts that open together, want one", n)
		}
		for n := range 20 {
			now := noon.Add(time.Duration(n+1) * time.Second)
			announce(t, s, callAt(status.EventDraft, fmt.Sprint("j", n), now))
			fanOutTo(t, s, now, oncall)
		}
		if n := fanOutTo(t, s, noon.Add(time.Minute), oncall); n != 1 {
			t.Errorf("%d messages after the minute, want one", n)
		}
		ds := claim(t, s, "oncall", noon.Add(time.Minute))
		if len(ds) != 2 || len(ds[0].Joined) != 2 || len(ds[1].Joined) != 19 {
			t.Errorf("%+v", ds)
		}
	})
}

func TestTwoReplicasCallOperatorsOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		announce(t, s, callAt(status.EventDraft, "i1", noon))
		var replicas sync.WaitGroup
		for range 4 {
			replicas.Go(func() {
				for more := true; more; {
					var err error
					if _, more, err = s.FanOut(t.Context(), noon, everyOutlet); err != nil {
						t.Error(err)
					}
				}
			})
		}
		replicas.Wait()
		ds := append(claim(t, s, "oncall", noon), claim(t, s, status.ChannelOperators, noon)...)
		if len(ds) != 3 {
			t.Errorf("%d messages, want one in the chat and two mails", len(ds))
		}
		for _, d := range ds {
			if len(d.Joined) > 0 {
				t.Errorf("%s tells of %s again: %v", d.ID, d.UpdateID, d.Joined)
			}
		}
	})
}

func TestACallToOperatorsIsNoReasonNotToTakeAPublicationBack(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		announce(t, s, callAt(status.EventDraft, "issue", noon))
		fanOutTo(t, s, noon, everyOutlet)
		later := noon.Add(time.Minute)
		open := updateAt("u1", later, func(a *status.Announcement) { a.DueAt = later.Add(status.UndoWindow) })
		end := callAt(status.EventDraftDone, "issue", later)
		end.DueAt = open.DueAt
		announce(t, s, open, end)
		if err := takeBack(t, s, "issue"); err != nil {
			t.Fatal(err)
		}
		if n := fanOutTo(t, s, later.Add(time.Hour), everyOutlet); n != 0 {
			t.Errorf("%d messages about what was taken back", n)
		}
	})
}
