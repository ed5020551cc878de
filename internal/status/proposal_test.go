package status_test

import (
	"reflect"
	"testing"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestAProposalIsWhatPublishingMakesOfTheDraft(t *testing.T) {
	w := newWorld(t, checkoutDown(t, func(r *status.Rule) { r.For = 0 }))
	w.receive(w.firing("a"))
	draft := w.only()
	edits := status.PublishIssue{EditIssue: status.EditIssue{
		Title: ptr("Payments fail"), Body: ptr("Cards are refused."), Impact: ptr(status.ImpactCritical), State: ptr(status.Identified),
		Components: ptr([]status.Affected{{ComponentID: w.componentID("api"), Status: status.MajorOutage}}),
	}}
	var components []status.Component
	for _, c := range w.board.Components {
		components = append(components, c)
	}
	for _, silent := range []bool{false, true} {
		edits.Silent = silent
		before := w.only()
		got, told, err := status.Proposed(draft, components, w.rules, edits, "ada@example.test", w.now)
		if err != nil || !reflect.DeepEqual(w.only(), before) {
			t.Fatalf("the draft changed, or: %v", err)
		}
		now := edits
		now.ID = draft.ID
		c, err := status.Revise(w.board, w.rules, now, "ada@example.test", w.now)
		if err != nil {
			t.Fatal(err)
		}
		if want := c.Issues[draft.ID]; !reflect.DeepEqual(got, want) {
			t.Errorf("proposed %+v\npublished %+v", got, want)
		}
		if len(told) != len(c.Announcements) || len(told) == 1 && !reflect.DeepEqual(told[0].Components, c.Announcements[0].Components) {
			t.Errorf("silent %v: proposed to tell %+v, told %+v", silent, told, c.Announcements)
		}
	}
}

func TestAProposalFailsAsPublishingWould(t *testing.T) {
	i := status.Issue{
		ID: "i", Title: "Down", State: status.Investigating, Impact: status.ImpactMinor, Stage: status.Draft, Origin: status.Manual,
		Components: []status.Affected{{ComponentID: "gone", Status: status.MajorOutage}}, Updates: []status.Update{{ID: "u", Body: "We look."}},
	}
	if _, _, err := status.Proposed(i, nil, nil, status.PublishIssue{}, "ada", epoch); err != nil {
		t.Errorf("a component that has left the page: %v", err)
	}
	for field, e := range map[string]status.EditIssue{
		"title":      {Title: ptr(" ")},
		"components": {Components: ptr([]status.Affected{{ComponentID: "nothing", Status: status.MajorOutage}})},
		"state":      {State: ptr(status.Resolved)},
	} {
		_, _, err := status.Proposed(i, nil, nil, status.PublishIssue{EditIssue: e}, "ada", epoch)
		if invalid, ok := err.(status.Invalid); !ok || invalid.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
