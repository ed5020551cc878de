package status_test

import (
	"testing"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestReorderingChangesOnlyWhatStandsElsewhereAfterwards(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	ids := map[string]string{}
	for n, name := range []string{"Cart", "Search", "Gone"} {
		ids[name] = w.revise(status.SaveComponent{Component: status.Component{Name: name, Position: n}})
	}
	group := w.revise(status.SaveGroup{Group: status.Group{Name: "EU"}})
	other := w.revise(status.SaveGroup{Group: status.Group{Name: "US", Position: 1}})
	w.revise(status.ArchiveComponent{ID: ids["Gone"]})
	before := w.board.Components[ids["Gone"]].Version
	w.revise(status.Reorder{Components: []string{ids["Gone"], ids["Search"], ids["Cart"], "unknown"}, Groups: []string{group, other}})
	cart, search, gone := w.board.Components[ids["Cart"]], w.board.Components[ids["Search"]], w.board.Components[ids["Gone"]]
	if cart.Position != 2 || cart.Version != 2 {
		t.Errorf("Cart moved from 0 to %d, version %d", cart.Position, cart.Version)
	}
	if search.Position != 1 || search.Version != 1 || gone.Version != before {
		t.Errorf("Search, which stands where it stood, and what was removed have versions %d and %d", search.Version, gone.Version)
	}
	w.revise(status.Reorder{Groups: []string{other, group}})
	if g := w.board.Groups[group]; g.Position != 1 || g.Version != 2 || w.board.Groups[other].Position != 0 {
		t.Errorf("the groups are %+v", w.board.Groups)
	}
}
