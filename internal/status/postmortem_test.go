package status_test

import (
	"errors"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// resolved is a public issue that is over.
func resolved(t *testing.T) (*world, string) {
	w := newWorld(t)
	id := w.revise(status.OpenIssue{Title: "Slow", Body: "We look.", Publish: true})
	w.after(time.Hour)
	w.revise(status.PostUpdate{ID: id, State: ptr(status.Resolved), Body: "Done."})
	w.told = nil
	return w, id
}

func TestAPostmortemIsPublicOnlyOnceItIsPublished(t *testing.T) {
	w, id := resolved(t)
	before := w.board.Issues[id]
	w.revise(status.WritePostmortem{ID: id, Body: " We think it was DNS. "})
	i := w.board.Issues[id]
	if _, is := i.Postmortem(); is || len(i.Updates) != len(before.Updates) || i.PostmortemDraft != "We think it was DNS." {
		t.Fatalf("a draft: %+v", i)
	}
	w.after(24 * time.Hour)
	w.revise(status.WritePostmortem{ID: id, Body: "It was DNS.", Publish: true, Notify: true})
	i = w.board.Issues[id]
	u, is := i.Postmortem()
	if !is || u.Body != "It was DNS." || u.Silent || i.PostmortemDraft != "" {
		t.Fatalf("published: %+v", i)
	}
	if i.State != status.Resolved || !i.ResolvedAt.Equal(before.ResolvedAt) {
		t.Errorf("it moved the issue: %s, %s", i.State, i.ResolvedAt)
	}
	if len(w.told) != 1 || w.told[0].UpdateID != u.ID || w.told[0].Event != status.EventUpdate {
		t.Errorf("told %+v", w.told)
	}
	w.revise(status.WritePostmortem{ID: id, Body: "It was DNS, again.", Publish: true, Notify: true})
	again, _ := w.board.Issues[id].Postmortem()
	if again.ID != u.ID || again.EditedAt.IsZero() || len(w.told) != 1 {
		t.Errorf("reworded: %+v, told %d times", again, len(w.told))
	}
	w.revise(status.WithdrawPostmortem{ID: id})
	i = w.board.Issues[id]
	if _, is := i.Postmortem(); is || i.PostmortemDraft != "It was DNS, again." {
		t.Errorf("withdrawn: %+v", i)
	}
}

func TestAPostmortemOfWhatGoesOnIsNotPublished(t *testing.T) {
	w, done := resolved(t)
	open := w.revise(status.OpenIssue{Title: "Slow", Body: "We look.", Publish: true})
	draft := w.revise(status.OpenIssue{Title: "Slow", Body: "We look."})
	for _, e := range []status.WritePostmortem{{ID: open, Body: "b", Publish: true}, {ID: draft, Body: "b", Publish: true}, {ID: done, Body: " ", Publish: true}} {
		_, err := status.Revise(w.board, w.rules, e, "ada", w.now)
		if invalid, ok := errors.AsType[status.Invalid](err); !ok || invalid.Field != "postmortem" {
			t.Errorf("%+v: %v", e, err)
		}
	}
	w.revise(status.WritePostmortem{ID: open, Body: "Notes while it goes on."})
}

func TestTheWordsThatEndedAnIssueAreKeptUnderItsPostmortem(t *testing.T) {
	w, id := resolved(t)
	w.revise(status.WritePostmortem{ID: id, Body: "It was DNS.", Publish: true})
	i := w.board.Issues[id]
	w.revise(status.DeleteUpdate{ID: id, UpdateID: i.Updates[1].ID})
	if i = w.board.Issues[id]; len(i.Updates) != 3 || i.Updates[1].State != "resolved" || i.Updates[1].Body != "" {
		t.Errorf("what ended it is gone: %+v", i.Updates)
	}
	w.revise(status.CorrectTimes{ID: id, ResolvedAt: i.ResolvedAt.Add(-time.Minute)})
	if i = w.board.Issues[id]; !i.Updates[1].DisplayAt.Equal(i.ResolvedAt) {
		t.Error("the time of what ended it was not corrected")
	}
}
