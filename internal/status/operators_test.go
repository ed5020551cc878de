package status_test

import (
	"slices"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// onCall is a world whose operators are told of drafts, and again after ten
// minutes.
func onCall(t *testing.T, change ...func(*status.Rule)) *world {
	w := newWorld(t, checkoutDown(t, change...))
	w.rules.Drafts = status.Drafts{Tell: true, RemindAfter: 10 * time.Minute}
	return w
}

// told fails unless exactly these events were announced.
func told(t *testing.T, w *world, want ...status.Event) {
	t.Helper()
	var got []status.Event
	for _, a := range w.told {
		got = append(got, a.Event)
	}
	if !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
}

func TestADraftIsToldToOperatorsWhenItsHoldIsOver(t *testing.T) {
	w := onCall(t)
	w.receive(w.firing("a"))
	w.after(2*time.Minute - time.Second)
	told(t, w)
	w.after(time.Second)
	told(t, w, status.EventDraft)
	a := w.told[0]
	if c, ok := status.ParseCall(a.UpdateID); !ok || c != (status.Call{IssueID: w.only().ID, Event: status.EventDraft}) || !a.DueAt.Equal(w.now) {
		t.Errorf("%+v is %+v, %v", a, c, ok)
	}
	w.receive(w.firing("b"), w.firing("c"))
	w.after(5 * time.Minute)
	told(t, w, status.EventDraft)
}

func TestADraftThatWaitsTooLongIsCalledToMindOnce(t *testing.T) {
	w := onCall(t)
	w.receive(w.firing("a"))
	w.after(2*time.Minute + 10*time.Minute - time.Second)
	told(t, w, status.EventDraft)
	w.after(time.Second)
	told(t, w, status.EventDraft, status.EventDraftWaits)
	w.after(6 * time.Hour)
	told(t, w, status.EventDraft, status.EventDraftWaits)
}

func TestWhoeverDealsWithADraftEndsTheCall(t *testing.T) {
	for name, deal := range map[string]func(w *world, id string){
		"publishes": func(w *world, id string) { w.revise(status.PublishIssue{EditIssue: status.EditIssue{ID: id}}) },
		"dismisses": func(w *world, id string) { w.revise(status.DismissIssue{ID: id}) },
		"resolves": func(w *world, id string) {
			w.revise(status.EditIssue{ID: id, State: ptr(status.Resolved)})
		},
		"waits": func(w *world, id string) { w.receive(w.cleared("a", epoch)); w.after(5 * time.Minute) },
	} {
		w := onCall(t)
		w.receive(w.firing("a"))
		w.after(3 * time.Minute)
		deal(w, w.only().ID)
		w.after(time.Hour)
		last := w.told[len(w.told)-1]
		ends := slices.DeleteFunc(slices.Clone(w.told), func(a status.Announcement) bool { return a.Event != status.EventDraftDone })
		if len(ends) != 1 || slices.ContainsFunc(w.told, func(a status.Announcement) bool { return a.Event == status.EventDraftWaits }) {
			t.Errorf("%s: told %s, the last %+v", name, w.events(), last)
		}
		if name == "publishes" && ends[0].DueAt.Sub(ends[0].CreatedAt) != status.UndoWindow {
			t.Errorf("told while it can be taken back: %+v", ends[0])
		}
	}
}

func TestWhatIsTakenBackFromThePageIsCalledToMindLater(t *testing.T) {
	w := onCall(t)
	w.receive(w.firing("a"))
	w.after(2 * time.Minute)
	id := w.only().ID
	w.revise(status.PublishIssue{EditIssue: status.EditIssue{ID: id}})
	w.after(5 * time.Second)
	w.told = nil
	w.revise(status.UndoPublish{ID: id})
	told(t, w)
	w.after(10 * time.Minute)
	told(t, w, status.EventDraftWaits)
}

func TestADraftThatIsPutOffIsCalledToMindThen(t *testing.T) {
	w := onCall(t)
	w.receive(w.firing("a"))
	w.after(3 * time.Minute)
	w.revise(status.SnoozeIssue{ID: w.only().ID, Until: w.now.Add(time.Hour)})
	w.after(time.Hour - time.Second)
	told(t, w, status.EventDraft)
	w.after(time.Second)
	told(t, w, status.EventDraft, status.EventDraftWaits)
}

func TestADraftThatSomebodyLooksAfterIsLeftToThem(t *testing.T) {
	w := onCall(t)
	w.receive(w.firing("a"))
	w.after(3 * time.Minute)
	id := w.only().ID
	w.revise(status.ClaimIssue{ID: id})
	w.after(time.Hour)
	told(t, w, status.EventDraft)
	w.revise(status.ClaimIssue{ID: id, Release: true})
	w.after(10 * time.Minute)
	told(t, w, status.EventDraft, status.EventDraftWaits)
}

func TestADraftThatComesAndGoesIsToldOnlyIfItStays(t *testing.T) {
	w := onCall(t, func(r *status.Rule) {
		r.For, r.Resolve.After = 0, 0
		r.Flap = status.Flap{Changes: 3, Window: time.Hour, Settle: 5 * time.Minute}
	})
	for range 3 { // each is a draft of its own, the third one flaps
		start := w.now
		w.receive(w.firing("a"))
		w.after(time.Minute)
		w.receive(w.cleared("a", start))
		w.after(time.Minute)
	}
	told(t, w, status.EventDraft, status.EventDraftDone)
	w.after(time.Hour)
	told(t, w, status.EventDraft, status.EventDraftDone)
	w.receive(w.firing("a"))
	w.after(10 * time.Minute)
	told(t, w, status.EventDraft, status.EventDraftDone, status.EventDraft, status.EventDraftWaits)
}

func TestNobodyIsCalledForWhatNeedsNobody(t *testing.T) {
	byHand := func(w *world) {
		w.revise(status.OpenIssue{Title: "Mails are late", Body: "Stuck."})
	}
	alert := func(w *world) { w.receive(w.firing("a")); w.after(3 * time.Minute) }
	for name, w := range map[string]*world{
		"published by itself": onCall(t, publishedAtOnce),
		"internal":            onCall(t, func(r *status.Rule) { r.Open.Publish = status.PublishNever }),
		"no channel":          newWorld(t, checkoutDown(t)),
	} {
		alert(w)
		for _, a := range w.told {
			if a.Event.Readers() == status.Operators {
				t.Errorf("%s: %+v", name, a)
			}
		}
		if due, armed := w.board.Timers[status.TimerKey{Kind: status.TimerNudge, Subject: w.only().ID}]; armed {
			t.Errorf("%s: a reminder at %s", name, due)
		}
	}
	w := onCall(t)
	byHand(w)
	w.after(time.Hour)
	told(t, w)
}

func TestTheReviewCountsNobodyWhoIsCalled(t *testing.T) {
	w := onCall(t)
	w.receive(w.firing("a"))
	w.after(2 * time.Minute)
	_, orders, err := status.Proposed(w.only(), nil, w.rules, status.PublishIssue{}, "ada", w.now)
	if err != nil || len(orders) != 1 || orders[0].Event != status.EventOpen {
		t.Errorf("%+v, %v", orders, err)
	}
}

func TestACallIsNoUpdate(t *testing.T) {
	for _, id := range []string{"", "u1", "u1-open-x", "i1-draft", "i1-draft-", "i1-resolve-a"} {
		if c, ok := status.ParseCall(id); ok {
			t.Errorf("%q is read as %+v", id, c)
		}
	}
}

// TestNoOutletTakesWhatIsMeantForTheOtherReaders is the fence between drafts and
// the public: every event on every kind of channel, whatever the rule says.
func TestNoOutletTakesWhatIsMeantForTheOtherReaders(t *testing.T) {
	events := []status.Event{
		status.EventOpen, status.EventUpdate, status.EventResolve, status.EventMaintenanceScheduled, status.EventMaintenanceStarted,
		status.EventMaintenanceEnded, status.EventMaintenanceCancelled, status.EventMaintenanceMoved, status.EventMaintenanceReminder,
		status.EventConfirm, status.EventSubscribed, status.EventStopped, status.EventTest, "", "made up",
	}
	kinds := []string{"", "slack", "teams", "discord", "mastodon", "bluesky", "webhook"}
	names := []string{status.ChannelEmail, status.ChannelTwitter, status.ChannelWebhooks, status.ChannelOperators, "ops"}
	for _, kind := range kinds {
		for _, name := range names {
			public := status.Outlet{Channel: name, Kind: kind}
			operators := status.Outlet{Channel: name, Kind: kind, Readers: status.Operators}
			for _, channels := range [][]string{nil, {name}, {kind}, {name, kind, "operators"}} {
				for _, e := range status.OperatorEvents {
					if a := (status.Announcement{Event: e, Channels: channels}); public.Takes(a) || channels == nil && !operators.Takes(a) {
						t.Errorf("%s on %s (%s), allowed %v: public %v, operators %v", e, name, kind, channels, public.Takes(a), operators.Takes(a))
					}
				}
				for _, e := range events {
					if operators.Takes(status.Announcement{Event: e, Channels: channels}) {
						t.Errorf("operators are told of %s on %s (%s)", e, name, kind)
					}
				}
			}
		}
	}
}
