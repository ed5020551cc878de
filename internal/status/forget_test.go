package status_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestABoardForgetsWhatIsOverAndKeepsWhatCanStillMove(t *testing.T) {
	w := newWorld(t, status.Rule{
		Name: "rule", GroupBy: []string{"instance"}, Open: status.Open{Publish: status.PublishAuto},
		Resolve: status.Resolve{Mode: status.ResolveAuto, After: time.Minute},
	})
	w.receive(w.firing("stays"))
	for n := range 20 {
		name := fmt.Sprint(n)
		began := w.now
		w.receive(w.firing(name))
		w.after(time.Minute)
		w.receive(w.cleared(name, began))
		w.after(time.Hour)
	}
	w.board.Forget(w.now.Add(-90 * time.Minute))
	if len(w.board.Signals) != 2 || len(w.board.Tracks) != 2 || len(w.board.Issues) != 2 {
		t.Errorf("%d signals, %d tracks, %d issues; want the one that fires and the last", len(w.board.Signals), len(w.board.Tracks), len(w.board.Issues))
	}
	// What was forgotten may come again, and what was kept goes on.
	w.receive(w.firing("0"), w.cleared("stays", epoch))
	w.after(2 * time.Minute)
	open := 0
	for _, i := range w.issues() {
		if i.Open() {
			open++
		}
	}
	if open != 1 || len(w.board.Issues) != 3 {
		t.Errorf("%d open of %d", open, len(w.board.Issues))
	}
}
