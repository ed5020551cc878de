package status_test

import (
	"errors"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// byHand publishes an issue by hand, and returns it with what was announced.
func byHand(t *testing.T, w *world) (status.Issue, []status.Announcement) {
	t.Helper()
	c, err := status.Revise(w.board, w.rules, status.OpenIssue{Title: "Mails are late", Body: "A queue is stuck.", Publish: true}, "ada", w.now)
	if err != nil {
		t.Fatal(err)
	}
	w.merge(c)
	return w.board.Issues[c.Result], c.Announcements
}

// edited does what a person decides, and returns the issue.
func edited(t *testing.T, w *world, e status.Edit) status.Issue {
	t.Helper()
	c, err := status.Revise(w.board, w.rules, e, "ada", w.now)
	if err != nil {
		t.Fatalf("%T: %v", e, err)
	}
	w.merge(c)
	return w.board.Issues[c.Result]
}

func refused(t *testing.T, w *world, e status.Edit, field string) {
	t.Helper()
	c, err := status.Revise(w.board, w.rules, e, "ada", w.now)
	var invalid status.Invalid
	if !errors.As(err, &invalid) || invalid.Field != field || !c.Empty() {
		t.Errorf("%+v: %v, %+v: want it refused for %s", e, err, c, field)
	}
}

func TestWhatAPersonPublishesIsToldAfterTheUndoWindow(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	i, told := byHand(t, w)
	if len(told) != 1 || !told[0].DueAt.Equal(w.now.Add(status.UndoWindow)) {
		t.Fatalf("announced %+v at %s", told, w.now)
	}
	w.now = w.now.Add(4 * time.Second)
	c, err := status.Revise(w.board, w.rules, status.PostUpdate{ID: i.ID, Body: "More."}, "ada", w.now)
	if err != nil || !c.Announcements[0].DueAt.Equal(told[0].DueAt) {
		t.Errorf("an update within the window is told %+v, before the opening: %v", c.Announcements, err)
	}
}

func TestAPublicationIsTakenBackWhileNothingLeft(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	i, _ := byHand(t, w)
	w.now = w.now.Add(status.UndoWindow - time.Millisecond)
	c, err := status.Revise(w.board, w.rules, status.UndoPublish{ID: i.ID}, "bob", w.now)
	if err != nil || len(c.Withdrawn) != 1 || c.Withdrawn[0] != i.ID {
		t.Fatalf("withdrawn %v, %v", c.Withdrawn, err)
	}
	w.merge(c)
	if back := w.board.Issues[i.ID]; back.Stage != status.Draft || !back.PublishedAt.IsZero() || back.Version != i.Version+1 {
		t.Errorf("after taking it back: %+v", back)
	}
	if c.Entries[0].Actor != "bob" || c.Entries[0].Reason != status.ReasonPerson {
		t.Errorf("the log says %+v", c.Entries)
	}
	if again, err := status.Revise(w.board, w.rules, status.UndoPublish{ID: i.ID}, "bob", w.now); err != nil || !again.Empty() {
		t.Errorf("pressed twice: %+v, %v", again, err)
	}
}

func TestAPublicationStandsOnceItMayHaveBeenTold(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	i, _ := byHand(t, w)
	w.now = w.now.Add(status.UndoWindow)
	refused(t, w, status.UndoPublish{ID: i.ID}, "undo")

	i, _ = byHand(t, w)
	w.now = w.now.Add(time.Second)
	edited(t, w, status.PostUpdate{ID: i.ID, Body: "More."})
	refused(t, w, status.UndoPublish{ID: i.ID}, "undo") // somebody has built on it
}

func TestASnoozeEndsWhenTheMatterChanges(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	c, err := status.Revise(w.board, w.rules, status.OpenIssue{Title: "Mails are late", Body: "Stuck."}, "ada", w.now)
	if err != nil {
		t.Fatal(err)
	}
	w.merge(c)
	id := c.Result
	i := edited(t, w, status.SnoozeIssue{ID: id, Until: w.now.Add(time.Hour)})
	if !i.Snoozed(w.now) || i.Snoozed(w.now.Add(time.Hour)) || i.SnoozedBy != "ada" || i.Version != 1 {
		t.Fatalf("%+v", i)
	}
	if i = edited(t, w, status.EditIssue{ID: id, Title: ptr("Mails are very late")}); !i.Snoozed(w.now) {
		t.Error("a new title woke it")
	}
	if i = edited(t, w, status.EditIssue{ID: id, Impact: ptr(status.ImpactCritical)}); i.Snoozed(w.now) {
		t.Error("it sleeps although it became critical")
	}
	refused(t, w, status.SnoozeIssue{ID: id, Until: w.now}, "until")
	refused(t, w, status.SnoozeIssue{ID: id, Until: w.now.Add(25 * time.Hour)}, "until")
	edited(t, w, status.PublishIssue{EditIssue: status.EditIssue{ID: id}})
	refused(t, w, status.SnoozeIssue{ID: id, Until: w.now.Add(time.Hour)}, "until")
}

func TestAClaimLeavesTheVersionAlone(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	i, _ := byHand(t, w)
	claimed := edited(t, w, status.ClaimIssue{ID: i.ID})
	if claimed.ClaimedBy != "ada" || !claimed.ClaimedAt.Equal(w.now) || claimed.Version != i.Version {
		t.Errorf("%+v", claimed)
	}
	if free := edited(t, w, status.ClaimIssue{ID: i.ID, Release: true}); free.ClaimedBy != "" {
		t.Errorf("%+v", free)
	}
}

func TestAnUpdateIsRewordedAndDeleted(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	i, _ := byHand(t, w)
	w.now = w.now.Add(time.Minute)
	i = edited(t, w, status.PostUpdate{ID: i.ID, Body: "It is the disk."})
	u := i.Updates[1]
	w.now = w.now.Add(time.Minute)
	i = edited(t, w, status.EditUpdate{ID: i.ID, UpdateID: u.ID, Body: "It is the network."})
	if got := i.Updates[1]; got.Body != "It is the network." || !got.EditedAt.Equal(w.now) || !got.DisplayAt.Equal(u.DisplayAt) {
		t.Errorf("%+v", got)
	}
	refused(t, w, status.EditUpdate{ID: i.ID, UpdateID: u.ID, Body: " "}, "body")
	refused(t, w, status.DeleteUpdate{ID: i.ID, UpdateID: i.Updates[0].ID}, "update")
	if _, err := status.Revise(w.board, w.rules, status.DeleteUpdate{ID: i.ID, Version: i.Version - 1, UpdateID: u.ID}, "ada", w.now); !errors.Is(err, status.ErrConflict) {
		t.Errorf("a stale deletion: %v", err)
	}
	if i = edited(t, w, status.DeleteUpdate{ID: i.ID, UpdateID: u.ID}); len(i.Updates) != 1 {
		t.Errorf("%+v", i.Updates)
	}
}

func TestADeletedUpdateLeavesUptimeAsItIs(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	i, _ := byHand(t, w)
	w.now = w.now.Add(time.Minute)
	api := []status.Affected{{ComponentID: w.componentID("api"), Status: status.MajorOutage}}
	i = edited(t, w, status.PostUpdate{ID: i.ID, Body: "The API is down.", Components: &api})
	w.now = w.now.Add(time.Minute)
	i = edited(t, w, status.PostUpdate{ID: i.ID, Body: "Over.", State: ptr(status.Resolved)})
	before := i.Outages(w.now)
	i = edited(t, w, status.DeleteUpdate{ID: i.ID, UpdateID: i.Updates[1].ID})
	i = edited(t, w, status.DeleteUpdate{ID: i.ID, UpdateID: i.Updates[2].ID})
	if after := i.Outages(w.now); len(before) != 1 || len(after) != 1 || before[0] != after[0] {
		t.Errorf("outages %v, then %v", before, after)
	}
	if i.Updates[1].Body != "" || i.Updates[2].Body != "" {
		t.Errorf("%+v", i.Updates)
	}
}

func TestCorrectedTimesMoveUptime(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	api := []status.Affected{{ComponentID: w.componentID("api"), Status: status.MajorOutage}}
	c, err := status.Revise(w.board, w.rules, status.OpenIssue{Title: "API down", Body: "We look.", Components: api, Publish: true}, "ada", w.now)
	if err != nil {
		t.Fatal(err)
	}
	w.merge(c)
	w.now = w.now.Add(time.Hour)
	i := edited(t, w, status.PostUpdate{ID: c.Result, State: ptr(status.Resolved)})
	from, to := i.StartedAt.Add(-10*time.Minute), i.ResolvedAt.Add(-20*time.Minute)
	i = edited(t, w, status.CorrectTimes{ID: i.ID, Version: i.Version, StartedAt: from, ResolvedAt: to})
	if got := i.Outages(w.now); len(got) != 1 || !got[0].From.Equal(from) || !got[0].To.Equal(to) {
		t.Errorf("%+v: want %s to %s", got, from, to)
	}
	refused(t, w, status.CorrectTimes{ID: i.ID, ResolvedAt: w.now.Add(time.Hour)}, "resolved_at")
	refused(t, w, status.CorrectTimes{ID: i.ID, ResolvedAt: from.Add(-time.Hour)}, "resolved_at")
}
