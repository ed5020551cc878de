package charts

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/status"
)

// Store keeps what is measured.
type Store interface {
	Apply(ctx context.Context, now time.Time, fn func(status.Board) (status.Changes, error), subjects ...string) (int64, error)
	// SamplesUntil is up to when each chart has been measured, by its id.
	SamplesUntil(ctx context.Context) (map[string]time.Time, error)
}

// Clock tells the time and waits.
type Clock interface {
	Now() time.Time
	Wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error
}

const (
	// askTimeout bounds one question.
	askTimeout = 15 * time.Second
	// every is how often a source is asked, just after a minute is over.
	every = time.Minute
	after = 5 * time.Second
	// window bounds the minutes of one question: New Relic gives 366.
	window = 6 * time.Hour
	// lookBack is how much of the past is fetched at first, or after we were down.
	lookBack = 24 * time.Hour
	// overlap is asked for again: the newest minutes come in late.
	overlap = 3 * time.Minute
	// rest is between questions while the past is fetched.
	rest = time.Second
	// longestPause bounds how long a source that fails is left alone.
	longestPause = 15 * time.Minute
)

// Collector measures charts in the background.
type Collector struct {
	charts []Config
	store  Store
	clock  Clock
	log    *slog.Logger
	ask    func(ctx context.Context, c Config, from, to time.Time) ([]status.Sample, error)
}

// New makes a collector; Run starts it.
func New(charts []Config, store Store, clock Clock, log *slog.Logger) *Collector {
	return &Collector{charts: charts, store: store, clock: clock, log: log, ask: ask}
}

func ask(ctx context.Context, c Config, from, to time.Time) ([]status.Sample, error) {
	if c.Type == NewRelic {
		return askNewRelic(ctx, c, from, to)
	}
	return askPrometheus(ctx, c, from, to)
}

// Run measures until ctx is done, each chart by itself.
func (c *Collector) Run(ctx context.Context) error {
	if len(c.charts) == 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	until, err := c.store.SamplesUntil(ctx)
	for ; err != nil; until, err = c.store.SamplesUntil(ctx) {
		// Without a database there is nothing to measure for.
		if err := c.clock.Wait(ctx, every, nil); err != nil {
			return err
		}
	}
	var all sync.WaitGroup
	for _, chart := range c.charts {
		all.Go(func() { c.follow(ctx, chart, until[status.Slug(chart.Name)]) })
	}
	all.Wait()
	return ctx.Err()
}

// progress is how far the measuring of one chart has come.
type progress struct {
	until    time.Time // the minutes before it are measured
	failures int       // in a row
}

// follow measures one chart until ctx is done.
func (c *Collector) follow(ctx context.Context, chart Config, until time.Time) {
	p := progress{until: until}
	for {
		next, pause := c.measure(ctx, chart, p)
		p = next
		if c.clock.Wait(ctx, pause, nil) != nil {
			return
		}
	}
}

// measure asks once, and says how long to wait until the next time.
func (c *Collector) measure(ctx context.Context, chart Config, p progress) (progress, time.Duration) {
	now := c.clock.Now()
	from, to := p.window(now)
	err := c.fetch(ctx, chart, from, to)
	switch {
	case err != nil && ctx.Err() == nil:
		p.failures++
		if p.failures == 1 {
			c.log.Warn("chart not measured, will try again", "chart", chart.Name, "err", err)
		}
		return p, p.pause(now, err)
	case p.failures > 0:
		c.log.Info("chart is measured again", "chart", chart.Name, "after_failures", p.failures)
	}
	p.failures, p.until = 0, to
	return p, p.pause(now, nil)
}

// window is what to ask for next: whole minutes that are over.
func (p progress) window(now time.Time) (from, to time.Time) {
	to = now.Truncate(time.Minute)
	from = p.until.Add(-overlap)
	if first := to.Add(-lookBack); from.Before(first) {
		from = first
	}
	if most := from.Add(window); to.After(most) {
		to = most
	}
	return from, to
}

// pause is how long to wait after a question.
func (p progress) pause(now time.Time, err error) time.Duration {
	if err != nil {
		wait := longestPause
		if p.failures < 10 {
			wait = min(every<<(p.failures-1), longestPause)
		}
		return max(wait, alerts.RetryAfter(err))
	}
	if p.until.Before(now.Truncate(time.Minute)) {
		return rest // there is more of the past
	}
	return now.Truncate(every).Add(every + after).Sub(now)
}

// fetch asks for a stretch of time and keeps the answer.
func (c *Collector) fetch(ctx context.Context, chart Config, from, to time.Time) error {
	limit, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	list, err := c.ask(limit, chart, from, to)
	if err != nil {
		return err
	}
	var samples []status.Sample
	for _, s := range list {
		if finite(s.Mean) && !s.At.Before(from) && s.At.Before(to) {
			samples = append(samples, s)
		}
	}
	if len(samples) == 0 {
		return nil
	}
	_, err = c.store.Apply(ctx, c.clock.Now(), func(status.Board) (status.Changes, error) { return status.Measured(samples), nil })
	if err != nil {
		return fmt.Errorf("not saved: %w", err)
	}
	return nil
}
