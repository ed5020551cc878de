package alerts

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// PollerConfig is what a Poller works with.
type PollerConfig struct {
	Rules   func() *status.Rules // in force
	Applier Applier
	// Accept takes in what a webhook should have brought, like a webhook.
	Accept func(ctx context.Context, kind, source string, body []byte) (Receipt, error)
	Clock  Clock
	Log    *slog.Logger
	// Every is how often each source is asked. 0 is a minute.
	Every time.Duration
	// HTTP is for tests; nil is a client with a time-out.
	HTTP *http.Client
	// Getenv reads the keys that the rules name by environment variable; nil
	// finds none.
	Getenv func(string) string
}

// Poller asks the sources what they have, to find what webhooks lost: alerts
// that fire and were never delivered, and alerts that ended while silenced,
// inhibited, or while nobody answered.
type Poller struct {
	cfg      PollerConfig
	patience time.Duration // with New Relic
	wake     chan struct{}
	mu       sync.Mutex
	nudged   map[string]bool
	asked    map[string]time.Time
	rest     map[string]time.Time // not to be asked before
}

// Limits of polling.
const (
	askTimeout = 10 * time.Second
	// pollStep is the longest sleep between two looks at who is due.
	pollStep = 5 * time.Second
	// gap is how long we may have been stopped before every source is asked at
	// once.
	gap = 30 * time.Second
	// minUptime is how long a peer must be up before absence means anything:
	// after a restart it has forgotten its alerts.
	minUptime = 5 * time.Minute
)

// NewPoller makes a poller; Run starts it.
func NewPoller(cfg PollerConfig) *Poller {
	if cfg.Every <= 0 {
		cfg.Every = time.Minute
	}
	if cfg.HTTP == nil {
		cfg.HTTP = &http.Client{Timeout: askTimeout}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Getenv == nil {
		cfg.Getenv = func(string) string { return "" }
	}
	return &Poller{
		cfg: cfg, patience: newRelicPatience, wake: make(chan struct{}, 1),
		nudged: map[string]bool{}, asked: map[string]time.Time{}, rest: map[string]time.Time{},
	}
}

// Nudge asks a source at the next chance: one of its messages was cut short,
// or said that all is over.
func (p *Poller) Nudge(source string) {
	p.mu.Lock()
	p.nudged[source] = true
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Run asks every polled source, at once and then every so often, until the
// context is done.
func (p *Poller) Run(ctx context.Context) error {
	last := p.cfg.Clock.Now()
	for {
		if p.cfg.Clock.Now().Sub(last) > gap {
			p.forget()
		}
		p.pollDue(ctx)
		last = p.cfg.Clock.Now()
		if err := p.cfg.Clock.Wait(ctx, p.step(), p.wake); err != nil {
			return err
		}
	}
}

// step is how long to sleep until somebody may be due.
func (p *Poller) step() time.Duration {
	step := pollStep
	if rules := p.cfg.Rules(); rules != nil {
		for _, src := range rules.Sources {
			step = min(step, p.every(src))
		}
	}
	return step
}

// every is how often a source is asked.
func (p *Poller) every(src status.Source) time.Duration { return cmp.Or(src.PollEvery, p.cfg.Every) }

// forget makes every source due.
func (p *Poller) forget() {
	p.mu.Lock()
	clear(p.asked)
	p.mu.Unlock()
}

func (p *Poller) pollDue(ctx context.Context) {
	rules := p.cfg.Rules()
	if rules == nil {
		return
	}
	var all sync.WaitGroup
	for _, src := range rules.Sources {
		if src.Polled() && p.due(src) {
			all.Go(func() { p.Poll(ctx, rules, src) })
		}
	}
	all.Wait()
}

func (p *Poller) due(src status.Source) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.cfg.Clock.Now()
	wait := p.every(src)
	if p.nudged[src.Name] {
		wait = min(wait, pollStep) // a storm of messages must not become one of questions
	}
	if now.Sub(p.asked[src.Name]) < wait || now.Before(p.rest[src.Name]) {
		return false
	}
	p.asked[src.Name] = now
	delete(p.nudged, src.Name)
	return true
}

// Poll asks one source now and brings the board in line with its answer.
func (p *Poller) Poll(ctx context.Context, rules *status.Rules, src status.Source) {
	poll := p.pollAlertmanager
	if src.Type == KindNewRelic {
		poll = p.pollNewRelic
	}
	if err := poll(ctx, rules, src); err != nil && ctx.Err() == nil {
		p.cfg.Log.Warn("source not reconciled", "source", src.Name, "err", err)
		p.wait(src, err)
	}
}

// wait leaves a source alone for as long as its error asks.
func (p *Poller) wait(src status.Source, err error) {
	p.mu.Lock()
	p.rest[src.Name] = p.cfg.Clock.Now().Add(RetryAfter(err))
	p.mu.Unlock()
}
