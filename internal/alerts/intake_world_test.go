package alerts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// worldClock moves only when somebody waits without a wake-up call.
type worldClock struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration // of back-offs
}

func (c *worldClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *worldClock) Wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	if wake == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.now = c.now.Add(d)
		c.waits = append(c.waits, d)
		return ctx.Err()
	}
	select {
	case <-wake:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// database is an inbox and an applier in memory, which can be away.
type database struct {
	mu       sync.Mutex
	hooks    map[string]status.Webhook
	board    status.Board
	saves    int
	applies  int
	unpacked int // bodies that PendingWebhooks gave
	batch    int // webhooks closed by the last Apply
	away     error
	silent   chan struct{} // saves hang until it is closed
	refuse   func(status.Changes) error
	closed   chan string // ids of webhooks, as they get verdicts
	afterErr bool        // the commit happens, and the answer gets lost
}

func newDatabase() *database {
	return &database{hooks: map[string]status.Webhook{}, board: status.NewBoard("seed"), closed: make(chan string, 10_000)}
}

func (d *database) set(change func(*database)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d)
}

func (d *database) SaveWebhook(ctx context.Context, w status.Webhook) error {
	d.mu.Lock()
	silent := d.silent
	d.mu.Unlock()
	if silent != nil {
		<-silent // as a black-holed connection that ignores its context
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.saves++
	if err := cmp.Or(d.away, ctx.Err()); err != nil {
		return err
	}
	if _, known := d.hooks[w.ID]; !known {
		d.hooks[w.ID] = w
	}
	return nil
}

func (d *database) PendingWebhooks(_ context.Context, limit int, known func(string) bool) ([]status.Webhook, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.away != nil {
		return nil, d.away
	}
	var out []status.Webhook
	for _, w := range d.hooks {
		if w.State == status.WebhookPending {
			out = append(out, w)
		}
	}
	slices.SortFunc(out, func(a, b status.Webhook) int {
		return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), cmp.Compare(a.ID, b.ID))
	})
	out = out[:min(limit, len(out))]
	for n := range out {
		if known(out[n].ID) {
			out[n].Body = nil
		} else {
			d.unpacked++
		}
	}
	return out, nil
}

func (d *database) Apply(_ context.Context, _ time.Time, fn func(status.Board) (status.Changes, error), _ ...string) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.away != nil {
		return 0, d.away
	}
	c, err := fn(d.board)
	if err != nil {
		return 0, err
	}
	if d.refuse != nil {
		if err := d.refuse(c); err != nil {
			return 0, err
		}
	}
	d.board.Merge(c)
	d.applies++
	d.batch = len(c.Verdicts)
	for _, v := range c.Verdicts {
		w := d.hooks[v.WebhookID]
		w.State, w.Verdict, w.Events, w.Outcomes = v.State, v.Text, v.Events, v.Outcomes
		d.hooks[v.WebhookID] = w
		d.closed <- v.WebhookID
	}
	if d.afterErr {
		d.afterErr = false
		return 0, errors.New("the answer got lost")
	}
	return int64(d.applies), nil
}

func (d *database) hook(id string) status.Webhook {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.hooks[id]
}

// signals is what the core knows, by fingerprint.
func (d *database) signals() map[string]status.Signal {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string]status.Signal{}
	for k, s := range d.board.Signals {
		out[k.Fingerprint] = s
	}
	return out
}

// bench is an intake with its surroundings.
type bench struct {
	*Intake
	db    *database
	clock *worldClock
	cfg   IntakeConfig
}

func newBench(t *testing.T, change ...func(*IntakeConfig)) *bench {
	t.Helper()
	b := &bench{db: newDatabase(), clock: &worldClock{now: received}}
	n := 0
	var mu sync.Mutex
	rules := &status.Rules{}
	b.cfg = IntakeConfig{
		Inbox: b.db, Applier: b.db, Rules: func() *status.Rules { return rules }, Clock: b.clock, JournalDir: t.TempDir(),
		NewID: func() string {
			mu.Lock()
			defer mu.Unlock()
			n++
			return fmt.Sprintf("w%04d", n)
		},
	}
	for _, f := range change {
		f(&b.cfg)
	}
	b.start(t)
	return b
}

// start begins anew on the same directory, as after a restart.
func (b *bench) start(t *testing.T) {
	t.Helper()
	var err error
	if b.Intake, err = NewIntake(b.cfg); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) accept(t *testing.T, kind, body string) Receipt {
	t.Helper()
	r, err := b.Accept(t.Context(), kind, "prod", []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// work runs rounds until there is nothing to do.
func (b *bench) work(t *testing.T) {
	t.Helper()
	for {
		worked, err := b.step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !worked {
			return
		}
	}
}

func alert(name, state string) string {
	return `{"alerts":[{"status":"` + state + `","labels":{"alertname":"` + name + `"},"startsAt":"2026-11-22T18:00:00Z"}]}`
}
