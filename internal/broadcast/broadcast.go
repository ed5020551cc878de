package broadcast

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Clock is the time, handed in so that tests own it.
type Clock interface {
	Now() time.Time
	// Wait returns nil when d is over or wake fires, and the context's error
	// when that is done.
	Wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error
}

// Queue is where deliveries come from.
type Queue interface {
	// FanOut makes one delivery for each recipient of what is to be announced
	// by now, on these channels: some at a time, as long as there are more.
	FanOut(ctx context.Context, now time.Time, outlets []status.Outlet) (deliveries int, more bool, err error)
	// ClaimDeliveries leases deliveries that are due: until the lease is over
	// nobody else gets them.
	ClaimDeliveries(ctx context.Context, channel string, now time.Time, lease time.Duration, limit int) ([]status.Delivery, error)
	// RenewLeases keeps claimed deliveries for another lease, and answers with the
	// ids of those that are still ours.
	RenewLeases(ctx context.Context, claimed []status.Delivery, now time.Time, lease time.Duration) ([]string, error)
	// FinishDispatches closes what nobody waits for any more.
	FinishDispatches(ctx context.Context) error
	// NextDelivery is when there is something to do next, zero if nothing is known.
	NextDelivery(ctx context.Context, now time.Time, channels []string) (time.Time, error)
	// RootDelivery is what the provider called the first message about the
	// subject, "" if none was sent.
	RootDelivery(ctx context.Context, channel, subjectID string) (providerID string, err error)
}

// Marks close deliveries. Each does nothing when the attempt is no longer the
// last one.
type Marks interface {
	MarkSent(ctx context.Context, id string, attempt int, providerID string, now time.Time) error
	MarkSkipped(ctx context.Context, id string, attempt int, reason string, now time.Time) error
	MarkRetry(ctx context.Context, id string, attempt int, due time.Time, reason string, now time.Time) error
	MarkFailed(ctx context.Context, id string, attempt int, reason string, now time.Time) error
	MarkBounced(ctx context.Context, id string, attempt int, reason string, now time.Time) error
}

// Outbox is both.
type Outbox interface {
	Queue
	Marks
}

// Library is where the stories are.
type Library interface {
	Issue(ctx context.Context, id string) (status.Issue, error)
	Maintenance(ctx context.Context, id string) (status.Maintenance, error)
	Again(ctx context.Context, m status.Maintenance, n int, now time.Time) ([]time.Time, error)
	Components(ctx context.Context) ([]status.Component, []status.Group, error)
	// IssueSignals and Entries are the alerts of an issue, the earliest first, and
	// what the log says of it, the newest first: for operators.
	IssueSignals(ctx context.Context, issueID string) ([]status.Signal, error)
	Entries(ctx context.Context, subject string, limit int) ([]status.Entry, error)
	Subscribers
}

// Sender brings one message to one recipient. Its error may be Permanent,
// RetryAfter or Skipped; any other is taken to pass.
//
// A sender may have more methods: Kind() string, what rules may call it besides
// its channel's name; Parallel() int, how many messages may be
// under way at once (1 without it); Join() time.Duration, for how long after a
// message what follows about the same subject is kept back to be told as one
// (0 without it); Readers() status.Readers, whom it speaks to (the public without
// it); Recipients() []string, its own addresses; and Rest(), called when nothing
// is left.
type Sender interface {
	Channel() string
	Send(ctx context.Context, m Message) (providerID string, err error)
}

// Config is what the broadcaster itself needs to know.
type Config struct {
	PublicURL string // links in messages begin with it
	PageName  string
}

// How often to look without being woken.
const (
	poll       = 30 * time.Second
	soon       = time.Second     // something is due that nobody took
	afterError = 5 * time.Second // the database does not answer
)

// Broadcaster sends what is announced.
type Broadcaster struct {
	outbox   Outbox
	clock    Clock
	log      *slog.Logger
	outlets  []status.Outlet
	channels []string
	workers  []*worker
	look     chan struct{} // capacity 1: look again now
}

// New makes a broadcaster with a worker for each sender.
func New(cfg Config, outbox Outbox, library Library, senders []Sender, clock Clock, log *slog.Logger) *Broadcaster {
	b := &Broadcaster{outbox: outbox, clock: clock, log: log, look: make(chan struct{}, 1)}
	for _, s := range senders {
		outlet := status.Outlet{Channel: s.Channel()}
		if k, ok := s.(interface{ Kind() string }); ok {
			outlet.Kind = k.Kind()
		}
		if j, ok := s.(interface{ Join() time.Duration }); ok {
			outlet.Join = j.Join()
		}
		if r, ok := s.(interface{ Readers() status.Readers }); ok {
			outlet.Readers = r.Readers()
		}
		if r, ok := s.(interface{ Recipients() []string }); ok {
			outlet.Recipients = r.Recipients()
		}
		b.outlets, b.channels = append(b.outlets, outlet), append(b.channels, outlet.Channel)
		b.workers = append(b.workers, newWorker(cfg, b, library, s, outlet.Readers))
	}
	return b
}

// Run works until the context is done. Messages that are on their way then get
// a moment to arrive.
func (b *Broadcaster) Run(ctx context.Context, wake <-chan struct{}) error {
	var running sync.WaitGroup
	defer running.Wait()
	for _, w := range b.workers {
		running.Go(func() { w.run(ctx) })
	}
	running.Go(func() { forward(ctx, wake, b.look) })
	for {
		if err := b.clock.Wait(ctx, b.round(ctx), b.look); err != nil || ctx.Err() != nil {
			return nil
		}
	}
}

// round makes deliveries of announcements, sends the workers looking and says
// how long there is nothing to do.
func (b *Broadcaster) round(ctx context.Context) time.Duration {
	made := 0
	for more := true; more; {
		if ctx.Err() != nil {
			return 0
		}
		var some int
		var err error
		if some, more, err = b.outbox.FanOut(ctx, b.clock.Now(), b.outlets); err != nil {
			b.log.Error("announcements could not be fanned out", "err", err)
			return afterError
		}
		made += some
		for _, w := range b.workers {
			ring(w.poke)
		}
	}
	if made > 0 {
		b.log.Info("announcements fanned out", "deliveries", made)
	}
	if err := b.outbox.FinishDispatches(ctx); err != nil {
		b.log.Error("dispatches could not be finished", "err", err)
		return afterError
	}
	next, err := b.outbox.NextDelivery(ctx, b.clock.Now(), b.channels)
	if err != nil {
		b.log.Error("the next delivery is not known", "err", err)
		return afterError
	}
	if next.IsZero() {
		return poll
	}
	return min(max(next.Sub(b.clock.Now()), soon), poll)
}

// ring fires a level-triggered signal.
func ring(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// forward passes signals on, so that the loop has one channel to wait for.
func forward(ctx context.Context, from <-chan struct{}, to chan<- struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case _, open := <-from:
			if !open {
				return // polling goes on
			}
			ring(to)
		}
	}
}
