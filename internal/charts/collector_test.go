package charts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/bubble"
	"github.com/statusbridge/statusbridge/internal/status"
)

// realTime is the clock of a synctest bubble.
type realTime struct{}

func (realTime) Now() time.Time { return time.Now().UTC() }

func (realTime) Wait(ctx context.Context, d time.Duration, _ <-chan struct{}) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// shelf keeps samples in memory.
type shelf struct {
	mu   sync.Mutex
	have map[string]map[time.Time]float64
	down bool
}

func (s *shelf) Apply(_ context.Context, _ time.Time, fn func(status.Board) (status.Changes, error), _ ...string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return 0, errors.New("the database is down")
	}
	c, err := fn(status.NewBoard(""))
	for _, v := range c.Samples {
		if s.have[v.Chart] == nil {
			s.have[v.Chart] = map[time.Time]float64{}
		}
		s.have[v.Chart][v.At] = v.Mean
	}
	return 1, err
}

func (s *shelf) SamplesUntil(context.Context) (map[string]time.Time, error) { return nil, nil }

func (s *shelf) count(chart string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.have[chart])
}

// bench is a collector whose sources are functions.
type bench struct {
	*shelf
	log      strings.Builder
	counting sync.Mutex
	asks     map[string]int
}

// run measures charts of the names until stop is called.
func (b *bench) run(t *testing.T, ask func(ctx context.Context, c Config, from, to time.Time) ([]status.Sample, error), names ...string) (stop func()) {
	t.Helper()
	b.shelf, b.asks = &shelf{have: map[string]map[time.Time]float64{}}, map[string]int{}
	var list []Config
	for _, n := range names {
		list = append(list, Config{Name: n})
	}
	c := New(list, b.shelf, realTime{}, slog.New(slog.NewTextHandler(&b.log, nil)))
	c.ask = func(ctx context.Context, cfg Config, from, to time.Time) ([]status.Sample, error) {
		b.counting.Lock()
		b.asks[cfg.Name]++
		b.counting.Unlock()
		if n := to.Sub(from) / time.Minute; n < 1 || n > 366 {
			t.Errorf("%d minutes in one question", n)
		}
		return ask(ctx, cfg, from, to)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { _ = c.Run(ctx); close(done) }()
	return func() { cancel(); <-done }
}

// asked is how often a chart was asked for.
func (b *bench) asked(name string) int {
	b.counting.Lock()
	defer b.counting.Unlock()
	return b.asks[name]
}

func all(c Config, from, to time.Time) (list []status.Sample) {
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		list = append(list, minute(c, at, 1))
	}
	return list
}

func TestADayOfThePastIsFetchedAndThenEachMinute(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var b bench
		stop := b.run(t, func(_ context.Context, c Config, from, to time.Time) ([]status.Sample, error) {
			return all(c, from, to), nil
		}, "load")
		time.Sleep(10 * time.Second)
		if n := b.count("load"); n != 24*60 {
			t.Errorf("%d minutes of the past, want a day", n)
		}
		asked := b.asked("load")
		time.Sleep(10 * time.Minute)
		if n := b.count("load"); n != 24*60+10 {
			t.Errorf("%d minutes ten minutes later", n)
		}
		if n := b.asked("load") - asked; n != 10 {
			t.Errorf("asked %d times in ten minutes", n)
		}
		stop()
	})
}

func TestASourceThatHangsOrFailsKeepsNoOtherWaiting(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var b bench
		stop := b.run(t, func(ctx context.Context, c Config, from, to time.Time) ([]status.Sample, error) {
			switch c.Name {
			case "hangs":
				<-ctx.Done()
				return nil, ctx.Err()
			case "fails":
				return nil, errors.New("it fails")
			}
			return all(c, from, to), nil
		}, "hangs", "fails", "works")
		time.Sleep(2*time.Hour + 10*time.Second)
		if n := b.count("works"); n != 24*60+2*60 {
			t.Errorf("%d minutes", n)
		}
		if n := b.asked("fails"); n < 8 || n > 14 {
			t.Errorf("a source that fails is asked %d times in two hours", n)
		}
		stop()
		if n := strings.Count(b.log.String(), "it fails"); n != 1 {
			t.Errorf("%d lines in the log about one failure:\n%s", n, b.log.String())
		}
	})
}

func TestWhatWasMissedInAnOutageIsFetchedLater(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var b bench
		stop := b.run(t, func(_ context.Context, c Config, from, to time.Time) ([]status.Sample, error) {
			return all(c, from, to), nil
		}, "load")
		time.Sleep(time.Minute)
		b.mu.Lock()
		b.down = true
		b.mu.Unlock()
		time.Sleep(time.Hour)
		before := b.count("load")
		b.mu.Lock()
		b.down = false
		b.mu.Unlock()
		time.Sleep(20 * time.Minute)
		if n := b.count("load"); n < before+75 {
			t.Errorf("%d minutes, %d before", n, before)
		}
		stop()
	})
}

func TestWhatIsNoNumberIsNotKept(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var b bench
		stop := b.run(t, func(_ context.Context, c Config, from, to time.Time) ([]status.Sample, error) {
			list := all(c, from, to)
			for n := range list {
				var v float64
				_, _ = fmt.Sscan([]string{"NaN", "+Inf", "1"}[n%3], &v)
				list[n].Mean = v
			}
			return append(list, minute(c, to.Add(time.Hour), 1)), nil
		}, "load")
		time.Sleep(10 * time.Second)
		stop()
		if len(b.have["load"]) == 0 {
			t.Error("nothing is kept")
		}
		for at, v := range b.have["load"] {
			if v != 1 || at.After(time.Now()) {
				t.Errorf("%s: %v", at, v)
			}
		}
	})
}
