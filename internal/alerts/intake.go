package alerts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Inbox is where deliveries are kept until they are understood.
type Inbox interface {
	// SaveWebhook is durable when it returns nil. An id it knows changes nothing.
	SaveWebhook(ctx context.Context, w status.Webhook) error
	// PendingWebhooks lists what waits, the oldest first. The bodies of those that
	// known reports true of are not wanted.
	PendingWebhooks(ctx context.Context, limit int, known func(id string) bool) ([]status.Webhook, error)
}

// Applier is the one way to change anything.
type Applier interface {
	Apply(ctx context.Context, now time.Time, fn func(status.Board) (status.Changes, error), subjects ...string) (int64, error)
}

// Clock is the time, handed in so that tests own it.
type Clock interface {
	Now() time.Time
	// Wait returns nil when d is over or wake fires, and the context's error
	// when that is done.
	Wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error
}

// IntakeConfig is what an Intake works with.
type IntakeConfig struct {
	Inbox   Inbox
	Applier Applier
	Rules   func() *status.Rules // in force
	Clock   Clock
	NewID   func() string // unique
	Log     *slog.Logger
	// Nudge is told of a source whose message may have left alerts out; nil
	// ignores it.
	Nudge func(source string)
	// JournalDir is where deliveries go while the inbox does not answer.
	JournalDir string
	// JournalLimit bounds the journal, in bytes. 0 is 1 GiB.
	JournalLimit int64
	// Patience is how long a sender is kept waiting for the inbox before the
	// journal is used. 0 is 1.5 s.
	Patience time.Duration
	// Pace is the least time between the beginnings of two batches that are not
	// full, while more than a few deliveries come in such a time. What senders wait
	// for, the disk, is then not busy with batch after batch of one or two
	// deliveries; the few of a quiet day are not kept waiting. 0 is none.
	Pace time.Duration
}

// ErrUnavailable: neither the inbox nor the journal could keep a delivery. The
// sender must try again.
var ErrUnavailable = errors.New("the delivery could not be stored")

// Receipt tells what was taken in.
type Receipt struct {
	ID        string
	Events    int  // alerts in the body; 0 when it cannot be read
	Journaled bool // it waits on local disk for the database
}

// IntakeStats is how the intake fares, for health checks and the admin.
type IntakeStats struct {
	JournalDepth  int   // deliveries that wait for the database
	JournalBytes  int64 // on disk
	Damaged       int   // journal records that could not be read any more
	Processed     int   // deliveries since the start
	Dead          int   // dead letters among them
	LastError     string
	LastErrorAt   time.Time
	LastErrorOver bool // work succeeded since
	// RefusedAt is since when deliveries are refused because neither the database
	// nor the journal takes them; zero: the last one was stored.
	RefusedAt time.Time
}

// Intake takes deliveries in so that none that was acknowledged is lost, and
// hands their facts to the core.
type Intake struct {
	cfg     IntakeConfig
	journal *journal
	wake    chan struct{}

	// of Run alone
	limit  int            // deliveries in the next batch
	taken  int            // deliveries in the last batch
	behind bool           // there were more than the last batch could hold
	flow   flow           // of deliveries
	tries  map[string]int // failures by delivery
	facts  []status.Fact  // room for those of a batch

	readings readings
	known    knownAlerts

	mu    sync.Mutex
	stats IntakeStats
}

// readings are what Accept has read of deliveries that wait for Run, so that it
// need not be read again. They are a help, not a promise: there may be none.
type readings struct {
	mu     sync.Mutex
	by     map[string]keptReading
	weight int
}

type keptReading struct {
	Reading
	err    error
	weight int
}

// readingsLimit bounds the bodies whose readings wait, in bytes: some six
// hundred of 50 alerts.
const readingsLimit = 16 << 20

func (rs *readings) keep(w status.Webhook, r Reading, err error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.weight+len(w.Body) > readingsLimit {
		return
	}
	if rs.by == nil {
		rs.by = map[string]keptReading{}
	}
	rs.by[w.ID] = keptReading{r, err, len(w.Body)}
	rs.weight += len(w.Body)
}

// of returns what was read of a delivery, if that is still there.
func (rs *readings) of(id string) (keptReading, bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r, ok := rs.by[id]
	return r, ok
}

// clear forgets all: nothing waits, and what came too late to be used must not
// stay.
func (rs *readings) clear() {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	clear(rs.by)
	rs.weight = 0
}

// drop forgets a delivery that is done.
func (rs *readings) drop(id string) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.weight -= rs.by[id].weight
	delete(rs.by, id)
}

// NewIntake opens the journal. Deliveries that wait in it are drained by Run.
func NewIntake(cfg IntakeConfig) (*Intake, error) {
	switch {
	case cfg.Inbox == nil, cfg.Applier == nil, cfg.Rules == nil, cfg.Clock == nil, cfg.NewID == nil:
		return nil, errors.New("the intake needs an inbox, an applier, rules, a clock and ids")
	case cfg.JournalDir == "":
		return nil, errors.New("the intake needs a directory for its journal")
	}
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	cfg.JournalLimit = cmp.Or(cfg.JournalLimit, 1<<30)
	if cfg.Nudge == nil {
		cfg.Nudge = func(string) {}
	}
	cfg.Patience = cmp.Or(cfg.Patience, 1500*time.Millisecond)
	j, err := openJournal(cfg.JournalDir, cfg.JournalLimit, cfg.Log)
	if err != nil {
		return nil, err
	}
	return &Intake{cfg: cfg, journal: j, wake: make(chan struct{}, 1), limit: firstBatch, tries: map[string]int{}}, nil
}

// Accept stores a delivery durably and wakes Run. A nil error means that it
// will be processed, whatever happens to this process; a body that nobody can
// read is stored too, and becomes a dead letter. The body is kept: the caller
// must not change it.
func (in *Intake) Accept(ctx context.Context, kind, source string, body []byte) (Receipt, error) {
	w := status.Webhook{
		ID: in.cfg.NewID(), Kind: kind, Source: source, Body: body,
		ReceivedAt: in.cfg.Clock.Now(), State: status.WebhookPending,
	}
	// A sender that hangs up must not undo what reached us.
	ctx = context.WithoutCancel(ctx)
	type outcome struct {
		journaled bool
		err       error
	}
	stored := make(chan outcome, 1)
	go func() {
		journaled, err := in.store(ctx, w)
		stored <- outcome{journaled, err}
	}()
	r, rerr := read(w, &in.known) // while the disk works
	in.readings.keep(w, r, rerr)
	o := <-stored
	if o.err != nil || o.journaled {
		in.readings.drop(w.ID) // Run comes to it late or never
	}
	in.refused(o.err != nil)
	if o.err != nil {
		in.failed(o.err)
		return Receipt{}, o.err
	}
	in.nudge()
	return Receipt{ID: w.ID, Events: r.Events, Journaled: o.journaled}, nil
}

// store puts a delivery into the inbox or the journal. While anything waits in
// the journal new deliveries queue up behind it: it keeps their order, and
// spares each sender the wait for a database that is known to be away.
func (in *Intake) store(ctx context.Context, w status.Webhook) (journaled bool, err error) {
	journalFirst := in.journal.depth.Load() > 0
	var jerr, ierr error
	if journalFirst {
		if jerr = in.journal.append(w); jerr == nil {
			return true, nil
		}
	}
	if ierr = in.save(ctx, w); ierr == nil {
		return false, nil
	}
	if !journalFirst {
		if jerr = in.journal.append(w); jerr == nil {
			in.cfg.Log.Warn("the database did not take a webhook, it is in the journal", "delivery", w.ID, "source", w.Source, "err", ierr)
			in.failed(ierr)
			return true, nil
		}
	}
	return false, fmt.Errorf("%w: inbox: %w; %w", ErrUnavailable, ierr, jerr)
}

// save gives the inbox so long and no longer, even if it does not listen to
// its context. What it stores too late is known by its id.
func (in *Intake) save(ctx context.Context, w status.Webhook) error {
	ctx, cancel := context.WithTimeout(ctx, in.cfg.Patience)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- in.cfg.Inbox.SaveWebhook(ctx, w) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// read decodes a delivery. Whatever goes wrong inside makes a dead letter: a
// body must never end the process, since it would come back at the next start.
func read(w status.Webhook, known *knownAlerts) (r Reading, err error) {
	defer func() {
		if p := recover(); p != nil {
			r, err = Reading{}, fmt.Errorf("reading it failed: %v", p)
		}
	}()
	e := envelope{source: w.Source, receivedAt: w.ReceivedAt, delivery: w.ID, known: known}
	return e.read(w.Kind, w.Body)
}

// nudge wakes Run.
func (in *Intake) nudge() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// failed notes an error for Stats.
func (in *Intake) failed(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.stats.LastError, in.stats.LastErrorAt, in.stats.LastErrorOver = err.Error(), in.cfg.Clock.Now(), false
}

// refused notes whether the last delivery could be stored.
func (in *Intake) refused(yes bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !yes {
		in.stats.RefusedAt = time.Time{}
	} else if in.stats.RefusedAt.IsZero() {
		in.stats.RefusedAt = in.cfg.Clock.Now()
	}
}

// Stats is how the intake fares.
func (in *Intake) Stats() IntakeStats {
	in.mu.Lock()
	s := in.stats
	in.mu.Unlock()
	s.JournalDepth = int(max(in.journal.depth.Load(), 0))
	s.JournalBytes = max(in.journal.size.Load(), 0)
	s.Damaged = int(in.journal.damaged.Load())
	return s
}

// Close ends the use of the journal. What waits in it stays.
func (in *Intake) Close() error {
	in.journal.seal()
	return nil
}
