package store_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
	"github.com/statusbridge/statusbridge/internal/store/pgtest"
)

// soonEnough is how long a call may take on a database that went silent: the
// patience of a connection and some for a busy machine.
const soonEnough = 2500 * time.Millisecond

// silent listens and never answers.
func silent(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
		for _, c := range conns {
			c.Close()
		}
	})
	return l.Addr().String()
}

// tap passes bytes between a store and its database until it is turned off;
// then it swallows them, and nobody hears of it.
type tap struct {
	address string
	off     atomic.Bool
}

func newTap(t *testing.T, target string) *tap {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{address: l.Addr().String()}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	pass := func(to, from net.Conn) {
		buf := make([]byte, 32<<10)
		for {
			n, err := from.Read(buf)
			if err != nil {
				to.Close()
				return
			}
			if !p.off.Load() {
				if _, err := to.Write(buf[:n]); err != nil {
					return
				}
			}
		}
	}
	wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", target)
			if err != nil {
				in.Close()
				continue
			}
			context.AfterFunc(ctx, func() { in.Close(); out.Close() })
			wg.Go(func() { pass(out, in) })
			wg.Go(func() { pass(in, out) })
		}
	})
	t.Cleanup(func() { l.Close(); stop(); wg.Wait() })
	return p
}

// within fails the test when fn takes too long, or succeeds.
func within(t *testing.T, what string, limit time.Duration, fn func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	err := fn()
	if ctx.Err() != nil {
		t.Errorf("%s took longer than %v", what, limit)
	}
	if err == nil {
		t.Errorf("%s succeeded", what)
	}
}

func nothing(status.Board) (status.Changes, error) { return status.Changes{}, nil }

func TestASilentDatabaseIsAnErrorSoon(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), "postgres://u:p@"+silent(t)+"/db?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := context.Background() // no help from the caller
	var wg sync.WaitGroup
	for range 5 { // who waits in line behind the first must not wait twice
		wg.Go(func() {
			within(t, "SaveWebhook", soonEnough, func() error { return s.SaveWebhook(ctx, webhook("w", kept)) })
		})
		wg.Go(func() {
			within(t, "Apply", soonEnough, func() error { _, err := s.Apply(ctx, noon, nothing); return err })
		})
	}
	wg.Wait()
}

func TestADatabaseThatFallsSilentIsAnErrorSoonAndRecovers(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	p := newTap(t, server.Address())
	direct := postgres(t)
	s := open(t, strings.Replace(direct, server.Address(), p.address, 1))
	save(t, s, webhook("before", kept))
	apply(t, s, status.Changes{Issues: issuesOf(issue("before", "r", "1"))})

	p.off.Store(true)
	ctx := context.Background()
	within(t, "SaveWebhook", soonEnough, func() error { return s.SaveWebhook(ctx, webhook("during", kept)) })
	within(t, "Apply", soonEnough, func() error { _, err := s.Apply(ctx, noon, opens("during")); return err })
	hurried, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	within(t, "SaveWebhook in a hurry", time.Second, func() error { return s.SaveWebhook(hurried, webhook("during", kept)) })

	p.off.Store(false)
	eventually(t, "SaveWebhook works again", func() error { return s.SaveWebhook(ctx, webhook("after", kept)) })
	eventually(t, "Apply works again", func() error { _, err := s.Apply(ctx, noon, opens("after")); return err })
	same(t, "the board", boardOf(t, s, noon), boardOf(t, open(t, direct), noon))
}

// eventually tries until it works; the connections that broke are found one by
// one.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	var err error
	for range 10 {
		if err = try(); err == nil {
			return
		}
	}
	t.Errorf("%s: %v", what, err)
}

func TestACrashOfTheDatabaseLosesNothingThatWasSaved(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t)
	dsn := server.NewDatabase(t)
	s := open(t, dsn)
	wake, stop := s.Changed()
	defer stop()
	saved := map[string]bool{}
	for n := range 3 {
		for i := range 5 {
			id := string(rune('a'+n)) + string(rune('0'+i))
			if s.SaveWebhook(t.Context(), webhook(id, kept)) == nil {
				saved[id] = true
			}
			if _, err := s.Apply(t.Context(), noon, opens(id)); err == nil {
				saved["issue "+id] = true
			}
		}
		server.Kill(t)
		if err := s.SaveWebhook(t.Context(), webhook("down", kept)); err == nil {
			t.Error("saved into a dead database")
		}
		if err := s.Ping(t.Context()); err == nil {
			t.Error("a dead database answers")
		}
		server.Resume(t)
		eventually(t, "the database is back", func() error { return s.Ping(t.Context()) })
		eventually(t, "and writable", func() error { _, err := s.Apply(t.Context(), noon, nothing); return err })
	}
	pending, err := s.PendingWebhooks(t.Context(), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range pending {
		delete(saved, w.ID)
	}
	for id := range boardOf(t, s, noon).Issues {
		delete(saved, "issue "+id)
	}
	if len(saved) > 0 {
		t.Errorf("lost: %v", saved)
	}
	drain(wake) // of what we saved ourselves; from now on only the listener wakes, when it is back or hears the other
	wokenByAnother(t, dsn, wake)
}

func drain(c <-chan struct{}) {
	select {
	case <-c:
	default:
	}
}
