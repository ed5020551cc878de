package status_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestASlugLeavesOutWhatLinksCannotHold(t *testing.T) {
	for name, want := range map[string]string{
		"Checkout API": "checkout-api", "Zürich": "zurich", "Straße & Café": "strasse-cafe", "Łódź 2": "lodz-2", "決済": "", "الدفع": "", "API サーバー": "api",
	} {
		if got := status.Slug(name); got != want {
			t.Errorf("%s became %q, want %q", name, got, want)
		}
	}
}

func TestEveryNameCanBeTheNameOfAComponent(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	eu := w.revise(status.SaveGroup{Group: status.Group{Name: "EU"}})
	slugs := map[string]string{"api": "API "} // of the world
	for _, c := range []status.Component{{Name: "決済"}, {Name: "الدفع"}, {Name: "API サーバー"}, {Name: "API", GroupID: eu}, {Name: "決済", GroupID: eu}} {
		id := w.revise(status.SaveComponent{Component: c})
		slug := w.board.Components[id].Slug
		if other, taken := slugs[slug]; taken || slug == "" {
			t.Errorf("%s has the slug %q of %q", c.Name, slug, other)
		}
		slugs[slug] = c.Name + " " + c.GroupID
	}
	if slugs["eu-api"] != "API "+eu {
		t.Errorf("the slugs are %v", slugs)
	}
	_, err := status.Revise(w.board, w.rules, status.SaveComponent{Component: status.Component{Name: "api"}}, "ada@example.test", w.now)
	if bad := (status.Invalid{}); !errors.As(err, &bad) || !strings.Contains(bad.Error(), "API has it already") {
		t.Errorf("a second API in the same place: %v", err)
	}
}

func TestALabelMeansTheComponentWithThatNameToo(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) {
		r.GroupBy = []string{"service"}
		r.Open.Components = []status.RuleComponent{{Label: "service", Status: status.PartialOutage}}
	}))
	id := w.revise(status.SaveComponent{Component: status.Component{Name: "決済"}})
	f := w.firing("a")
	f.Labels["service"] = "決済"
	w.receive(f)
	if got := w.only().Components; len(got) != 1 || got[0].ComponentID != id {
		t.Errorf("the issue affects %v, want %s", got, id)
	}
}
