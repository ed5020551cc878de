package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// room is a feed that operators read.
type room struct{ *feed }

func (room) Channel() string         { return "oncall" }
func (room) Readers() status.Readers { return status.Operators }
func (room) Join() time.Duration     { return time.Minute }

func TestOperatorsHearOfADraftOnceThroughCrashesAndThePublicDoesNot(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s := newSite(t, dsn, strings.Replace(atOnce, "publish: auto", "publish: confirm", 1))
		s.rules.Drafts = status.Drafts{Tell: true, RemindAfter: 10 * time.Minute}
		ops, public := &feed{heard: make(chan struct{}, 100)}, &feed{heard: make(chan struct{}, 100)}
		hear := func(n int) {
			t.Helper()
			public.heard = ops.heard // whoever is told counts
			s.broadcast(public, n, room{ops})
		}
		s.fires("a")
		s.after(2 * time.Minute)
		s.restart(time.Minute) // the draft is open; nobody was told
		hear(1)
		s.restart(time.Minute)
		s.fires("b")
		s.after(9 * time.Minute)
		hear(1)
		s.after(time.Hour)
		s.clears("a")
		s.clears("b")
		s.after(6 * time.Minute)
		s.restart(time.Minute)
		hear(1)
		if want := []string{"draft", "draft_waiting", "draft_done"}; !slices.Equal(ops.told, want) || len(public.told) > 0 {
			t.Errorf("operators heard %q, the public %q", ops.told, public.told)
		}
	})
}
