package status_test

import (
	"errors"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// inRegion moves an alert, so that it opens an issue of its own.
func inRegion(f status.Fact, region string) status.Fact {
	labels := map[string]string{}
	for k, v := range f.Labels {
		labels[k] = v
	}
	labels["region"] = region
	f.Labels = labels
	return f
}

// twoIssues are both public, of two regions.
func twoIssues(t *testing.T, rules ...func(*status.Rule)) (w *world, from, into status.Issue) {
	w = newWorld(t, checkoutDown(t, append([]func(*status.Rule){publishedAtOnce}, rules...)...))
	w.receive(w.firing("a"))
	w.after(time.Minute)
	w.receive(inRegion(w.firing("b"), "us"))
	list := w.issues()
	if len(list) != 2 {
		t.Fatalf("%d issues", len(list))
	}
	w.told, w.log = nil, nil
	return w, list[1], list[0]
}

func TestAMergedIssuePointsWhereItGoesOnAndItsAlertsOpenNothing(t *testing.T) {
	w, from, into := twoIssues(t)
	api := w.componentID("api")
	w.revise(status.EditIssue{ID: from.ID, Version: from.Version, Impact: ptr(status.ImpactCritical), Components: &[]status.Affected{{ComponentID: api, Status: status.MajorOutage}}})
	from = w.board.Issues[from.ID]
	w.after(10 * time.Minute)
	w.revise(status.MergeIssue{ID: from.ID, Version: from.Version, Into: into.ID, IntoVersion: into.Version, Components: true})
	from, into = w.board.Issues[from.ID], w.board.Issues[into.ID]

	last := from.Updates[len(from.Updates)-1]
	if from.MergedInto != into.ID || from.Open() || !from.Public() || last.State != status.StateMerged || len(last.Changes) != 0 {
		t.Errorf("the one that ends: %+v", from)
	}
	if into.Impact != status.ImpactCritical || len(into.Components) != 2 || !into.Holds(status.FieldState) {
		t.Errorf("the one that goes on: %+v", into)
	}
	if len(w.told) != 1 || w.told[0].SubjectID != from.ID || w.told[0].UpdateID != last.ID || w.told[0].Event != status.EventResolve {
		t.Errorf("told %+v, want its followers once", w.told)
	}
	v := w.view()
	if got := status.Overview(v, w.now).Components[api]; got != status.MajorOutage {
		t.Errorf("the component is %s the moment after", got)
	}
	outages := v.OutagesByComponent(w.now.Add(time.Hour))[api]
	if len(outages) != 2 || !outages[1].From.Equal(outages[0].To) {
		t.Errorf("uptime has a gap or counts twice: %+v", outages)
	}

	w.receive(inRegion(w.firing("b"), "us"), inRegion(w.firing("c"), "us"))
	w.after(time.Hour)
	if n := len(w.issues()); n != 2 {
		t.Errorf("its alerts opened another: %d issues", n)
	}
	w.receive(w.cleared("a", epoch)) // those of the other one still fire
	w.after(time.Hour)
	if i := w.board.Issues[into.ID]; !i.Open() {
		t.Error("automation resolved what alerts still tell of")
	}
}

func TestWhatIsMergedCanBePartedAgain(t *testing.T) {
	w, from, into := twoIssues(t)
	w.revise(status.MergeIssue{ID: from.ID, Version: from.Version, Into: into.ID, Silent: true})
	if len(w.told) != 0 {
		t.Errorf("told of a silent merge: %+v", w.told)
	}
	from = w.board.Issues[from.ID]
	w.revise(status.PostUpdate{ID: from.ID, Version: from.Version, State: ptr(status.Identified), Body: "It is another matter."})
	from = w.board.Issues[from.ID]
	if from.MergedInto != "" || !from.Open() {
		t.Errorf("%+v", from)
	}
	key := status.TrackKey{Rule: from.Rule, Group: from.Group}
	if tr := w.board.Tracks[key]; tr.IssueID != from.ID || tr.AttachedTo != "" {
		t.Errorf("its alerts stay elsewhere: %+v", tr)
	}
}

func TestADraftIsMergedUnseen(t *testing.T) {
	w, _, into := twoIssues(t)
	w.rules.Rules[0].Open.Publish = status.PublishConfirm
	w.after(time.Minute)
	w.receive(inRegion(w.firing("c"), "asia"))
	draft := w.issues()[2]
	w.revise(status.EditIssue{ID: draft.ID, Version: draft.Version, Components: &[]status.Affected{{ComponentID: w.componentID("api"), Status: status.MajorOutage}}})
	draft = w.board.Issues[draft.ID]
	w.told = nil
	w.revise(status.MergeIssue{ID: draft.ID, Version: draft.Version, Into: into.ID, Components: true})
	if i := w.board.Issues[draft.ID]; i.Stage != status.Dismissed || i.MergedInto != into.ID || i.Public() {
		t.Errorf("the draft: %+v", i)
	}
	if len(w.told) != 1 || w.told[0].SubjectID != into.ID || w.told[0].Event != status.EventUpdate {
		t.Errorf("told %+v, want the news of the issue that is public", w.told)
	}
	w.after(time.Hour)
	if n := len(w.issues()); n != 3 {
		t.Errorf("%d issues", n)
	}
}

func TestAMergeThatMakesNoSenseIsRefused(t *testing.T) {
	w, from, into := twoIssues(t)
	done := w.revise(status.OpenIssue{Title: "Old", Body: "b", Publish: true, State: status.Resolved})
	draft := w.revise(status.OpenIssue{Title: "Draft", Body: "b"})
	for name, e := range map[string]status.MergeIssue{
		"into itself":      {ID: from.ID, Into: from.ID},
		"into nothing":     {ID: from.ID, Into: "nothing"},
		"of what is over":  {ID: done, Into: into.ID},
		"into one over":    {ID: from.ID, Into: done},
		"into a draft":     {ID: from.ID, Into: draft},
		"of a stale one":   {ID: from.ID, Version: from.Version + 1, Into: into.ID},
		"into a stale one": {ID: from.ID, Version: from.Version, Into: into.ID, IntoVersion: into.Version + 1},
	} {
		_, err := status.Revise(w.board, w.rules, e, "ada", w.now)
		_, invalid := errors.AsType[status.Invalid](err)
		if !invalid && !errors.Is(err, status.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnIssueIsNotOverWhileTheAlertsOfOneMergedIntoItFire(t *testing.T) {
	w, from, into := twoIssues(t)
	w.revise(status.MergeIssue{ID: from.ID, Version: from.Version, Into: into.ID, IntoVersion: into.Version})
	w.revise(status.HandBack{ID: into.ID, Fields: []status.Field{status.FieldState}})
	w.receive(w.cleared("a", epoch))
	w.after(time.Hour)
	if i := w.board.Issues[into.ID]; !i.Open() || len(w.issues()) != 2 {
		t.Fatalf("%s, %d issues: the alerts of the other one still fire", i.State, len(w.issues()))
	}
	w.receive(inRegion(w.cleared("b", epoch.Add(time.Minute)), "us"))
	w.after(15 * time.Minute)
	if i := w.board.Issues[into.ID]; i.State != status.Resolved || len(w.issues()) != 2 {
		t.Errorf("%s, %d issues after all was quiet", i.State, len(w.issues()))
	}
}
