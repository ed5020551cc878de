package engine_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/broadcast"
)

// feed is a channel with one recipient that counts what it is told.
type feed struct {
	mu    sync.Mutex
	told  []string // events
	heard chan struct{}
}

func (f *feed) Channel() string { return "twitter" }

func (f *feed) Send(_ context.Context, m broadcast.Message) (string, error) {
	f.mu.Lock()
	f.told = append(f.told, string(m.Event))
	f.mu.Unlock()
	f.heard <- struct{}{}
	return "1", nil
}

// standing is the time of the site for those who only wait to be woken.
type standing struct{ *clock }

func (standing) Wait(ctx context.Context, _ time.Duration, wake <-chan struct{}) error {
	select {
	case <-wake:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// broadcast runs the broadcaster until the channel has heard n messages more,
// and then until it has marked them.
func (s *site) broadcast(f *feed, n int, others ...broadcast.Sender) {
	s.t.Helper()
	b := broadcast.New(broadcast.Config{}, s.store, s.store, append(others, f), standing{s.clock}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = b.Run(ctx, nil) }()
	for range n {
		select {
		case <-f.heard:
		case <-time.After(30 * time.Second):
			s.t.Error("nothing is told")
		}
	}
	cancel()
	<-done
}

func TestS26ACrashBetweenOpeningAndTellingTellsOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s := newSite(t, dsn, atOnce)
		s.fires("a")
		s.restart(time.Minute) // opened and published; nobody was told
		f := &feed{heard: make(chan struct{}, 100)}
		s.broadcast(f, 1)
		s.restart(time.Minute)
		s.clock.now = s.clock.now.Add(time.Hour) // any lease is over
		s.fires("b")
		s.clears("a")
		s.clears("b")
		s.after(6 * time.Minute)
		s.broadcast(f, 1)
		if len(f.told) != 2 || f.told[0] != "open" || f.told[1] != "resolve" {
			t.Errorf("told %q, want its opening once and its end once", f.told)
		}
	})
}
