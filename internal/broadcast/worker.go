package broadcast

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/statusbridge/statusbridge/internal/status"
)

// lease is for how long a claimed delivery is ours; it is renewed for those
// that still wait for a free hand. sendTimeout must end a sending well within
// it, or another worker sends the same message.
const (
	lease       = 20 * time.Second
	renewEvery  = 5 * time.Second
	sendTimeout = 14 * time.Second
	startWithin = 4 * time.Second // how long a batch should wait for hands
	grace       = 5 * time.Second // for what is on its way when we stop
	markTimeout = 5 * time.Second
	mostClaimed = 256
)

// worker serves one channel.
type worker struct {
	b         *Broadcaster
	library   Library
	sender    Sender
	publicURL string
	channel   string
	readers   status.Readers
	parallel  int
	poke      chan struct{} // capacity 1: there may be something to send
	sending   errgroup.Group
	underWay  atomic.Int64
	draining  atomic.Bool
	done      atomic.Bool         // something went out, or was tried, since the last look
	batch     int                 // how many to claim at once
	told      map[string]composed // what the last deliveries said, by update
}

func newWorker(cfg Config, b *Broadcaster, library Library, s Sender, readers status.Readers) *worker {
	w := &worker{
		b: b, library: library, sender: s, publicURL: cfg.PublicURL, channel: s.Channel(), readers: readers,
		parallel: 1, poke: make(chan struct{}, 1),
	}
	if p, ok := s.(interface{ Parallel() int }); ok {
		w.parallel = max(p.Parallel(), 1)
	}
	w.sending.SetLimit(w.parallel)
	w.batch = w.parallel
	return w
}

func (w *worker) run(ctx context.Context) {
	defer w.rest()
	defer func() { _ = w.sending.Wait() }() // each delivery marks its own error
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.poke:
			w.drain(ctx)
		}
	}
}

// rest lets the sender close what is only worth keeping while busy.
func (w *worker) rest() {
	if r, ok := w.sender.(interface{ Rest() }); ok {
		r.Rest()
	}
}

// claimed are deliveries that are ours.
type claimed struct {
	deliveries []status.Delivery
	at         time.Time
	held       *holding
	letGo      func()
}

// drain claims and sends until nothing is due. The next are claimed while the
// last of those before are sent: that takes a database as long as some dozens of
// mails take a fast server.
func (w *worker) drain(ctx context.Context) {
	w.draining.Store(true)
	defer func() { w.draining.Store(false); w.lookAgain() }()
	for batch := w.claim(ctx, w.batch); batch != nil; {
		next, most := make(chan *claimed, 1), w.batch
		w.hand(ctx, batch, func() { go func() { next <- w.claim(ctx, most) }() })
		w.adapt(len(batch.deliveries), w.b.clock.Now().Sub(batch.at))
		batch = <-next
	}
	w.told = nil
	if w.underWay.Load() == 0 {
		w.rest()
	}
}

// claim takes what is due, the most urgent first; nil if that is nothing.
func (w *worker) claim(ctx context.Context, most int) *claimed {
	if ctx.Err() != nil {
		return nil
	}
	now := w.b.clock.Now()
	due, err := w.b.outbox.ClaimDeliveries(ctx, w.channel, now, lease, most)
	if err != nil {
		w.b.log.Error("deliveries could not be claimed", "channel", w.channel, "err", err)
		return nil
	}
	if len(due) == 0 {
		return nil
	}
	held := hold(due, now)
	return &claimed{deliveries: due, at: now, held: held, letGo: w.renew(ctx, held)}
}

// adapt finds how many deliveries can be begun long before their lease ends:
// many for a fast server, few for a slow one.
func (w *worker) adapt(claimed int, took time.Duration) {
	switch {
	case took > startWithin/2:
		w.batch = max(w.batch/2, w.parallel)
	case took < startWithin/4 && claimed == w.batch:
		w.batch = min(w.batch*2, mostClaimed)
	}
}

// hand gives the deliveries to free hands, and waits for those. It calls soon
// when few are left.
func (w *worker) hand(ctx context.Context, batch *claimed, soon func()) {
	written := map[string]composed{} // the same words for all recipients
	defer func() { w.told = written }()
	defer batch.letGo()
	few := min(len(batch.deliveries)/2, 4*w.parallel)
	for n, d := range batch.deliveries {
		c, done := written[d.UpdateID]
		if !done {
			c.message, c.err = w.compose(ctx, d)
			c.keepLetters(w.told[d.UpdateID])
			written[d.UpdateID] = c
		}
		w.underWay.Add(1)
		w.sending.Go(func() error {
			defer func() {
				w.done.Store(true)
				w.underWay.Add(-1)
				w.lookAgain()
			}()
			w.deliver(ctx, d, c, batch.held)
			return nil
		})
		if len(batch.deliveries)-n-1 == few {
			soon()
		}
	}
}

// lookAgain has the broadcaster find out what is next when all that there was is
// done: a dispatch may be finished, and a retry be due before the next look.
func (w *worker) lookAgain() {
	if !w.draining.Load() && w.underWay.Load() == 0 && w.done.CompareAndSwap(true, false) {
		ring(w.b.look)
	}
}

type composed struct {
	message Message
	err     error
}

// keepLetters takes over what was written for those before, if it still says
// the same.
func (c *composed) keepLetters(before composed) {
	fresh := c.message.letters
	c.message.letters = before.message.letters
	if c.message.letters == nil || c.err != nil || !reflect.DeepEqual(c.message, before.message) {
		c.message.letters = fresh
	}
}

// againTold is how many of the next dates of what repeats a message tells.
const againTold = 3

// compose finds the story of a delivery and writes it.
func (w *worker) compose(ctx context.Context, d status.Delivery) (Message, error) {
	if d.Event.Readers() != w.readers {
		return Message{}, Permanent{Reason: fmt.Sprintf("%s is not for those who read %s", d.Event, w.channel)}
	}
	story := Story{Event: d.Event, UpdateID: d.UpdateID, Joined: d.Joined}
	switch d.Event {
	case status.EventConfirm, status.EventSubscribed:
		return ComposeConfirm(d.Event, d.UpdateID), nil
	case status.EventStopped:
		program, err := w.library.Subscriber(ctx, d.SubjectID)
		if err != nil {
			return Message{}, lost("the subscription", err)
		}
		if program.Active() {
			return Message{}, Skipped{Reason: "it is told again"}
		}
		return ComposeStopped(program, d.UpdateID, w.publicURL), nil
	case status.EventOpen, status.EventUpdate, status.EventResolve:
		i, err := w.library.Issue(ctx, d.SubjectID)
		if err != nil {
			return Message{}, lost(d.SubjectID, err)
		}
		story.Issue = &i
	case status.EventDraft, status.EventDraftWaits, status.EventDraftDone:
		list, err := w.calls(ctx, d)
		if err != nil {
			return Message{}, err
		}
		components, _, err := w.library.Components(ctx)
		if err != nil {
			return Message{}, fmt.Errorf("read the components: %w", err)
		}
		m, err := composeCalls(list, components, w.publicURL)
		m.UpdateID = d.UpdateID
		return m, err
	default:
		m, err := w.library.Maintenance(ctx, d.SubjectID)
		if err != nil {
			return Message{}, lost(d.SubjectID, err)
		}
		if story.Again, err = w.library.Again(ctx, m, againTold, w.b.clock.Now()); err != nil {
			return Message{}, fmt.Errorf("read when %s takes place again: %w", d.SubjectID, err)
		}
		story.Maintenance = &m
	}
	components, _, err := w.library.Components(ctx)
	if err != nil {
		return Message{}, fmt.Errorf("read the components: %w", err)
	}
	story.Components = components
	return Compose(story, w.publicURL)
}

func lost(id string, err error) error {
	if errors.Is(err, status.ErrNotFound) {
		return Permanent{Reason: fmt.Sprintf("%s no longer exists", id)}
	}
	return fmt.Errorf("read %s: %w", id, err)
}

// deliver sends one message and marks how it went, at once and by itself: what
// is marked is not sent again, whatever happens to the rest.
func (w *worker) deliver(ctx context.Context, d status.Delivery, c composed, held *holding) {
	if ctx.Err() != nil {
		// We are stopping: another may have it at once.
		w.mark(ctx, d, func(ctx context.Context) error {
			return w.b.outbox.MarkRetry(ctx, d.ID, d.Attempt, w.b.clock.Now(), "", time.Time{})
		})
		return
	}
	now := w.b.clock.Now()
	if !held.begin(d.ID, now.Add(sendTimeout)) {
		return // the lease ends too soon, or somebody else has it: it comes again
	}
	if c.err != nil {
		w.settle(ctx, d, "", c.err)
		return
	}
	w.send(ctx, d, c.message, now)
}

// settle marks how a delivery went.
func (w *worker) settle(ctx context.Context, d status.Delivery, providerID string, err error) {
	log := w.b.log.With("channel", w.channel, "delivery", d.ID, "subject", d.SubjectID, "attempt", d.Attempt)
	var skipped Skipped
	if errors.As(err, &skipped) {
		log.Debug("delivery skipped", "reason", skipped.Reason)
		w.mark(ctx, d, func(ctx context.Context) error {
			return w.b.outbox.MarkSkipped(ctx, d.ID, d.Attempt, skipped.Error(), w.b.clock.Now())
		})
		return
	}
	if err == nil {
		log.Debug("delivery done", "provider_id", providerID)
		w.mark(ctx, d, func(ctx context.Context) error {
			return w.b.outbox.MarkSent(ctx, d.ID, d.Attempt, providerID, w.b.clock.Now())
		})
		return
	}
	var bounced Bounced
	if errors.As(err, &bounced) {
		log.Warn("the recipient does not exist", "err", err)
		w.mark(ctx, d, func(ctx context.Context) error {
			return w.b.outbox.MarkBounced(ctx, d.ID, d.Attempt, err.Error(), w.b.clock.Now())
		})
		return
	}
	due, again := NextAttempt(d.Attempt, w.b.clock.Now(), err)
	if !again {
		log.Error("delivery failed for good", "err", err)
		w.mark(ctx, d, func(ctx context.Context) error {
			return w.b.outbox.MarkFailed(ctx, d.ID, d.Attempt, err.Error(), w.b.clock.Now())
		})
		return
	}
	log.Warn("delivery failed, will be tried again", "err", err, "due", due)
	w.mark(ctx, d, func(ctx context.Context) error {
		return w.b.outbox.MarkRetry(ctx, d.ID, d.Attempt, due, err.Error(), w.b.clock.Now())
	})
}

// send gives the message to the sender, and settles it. When we are told to
// stop, what is on its way may still arrive, for a moment.
func (w *worker) send(ctx context.Context, d status.Delivery, m Message, now time.Time) {
	var once sync.Once
	settle := func(providerID string, err error) { once.Do(func() { w.settle(ctx, d, providerID, err) }) }
	defer func() {
		// One message that breaks a sender must not end all the others.
		if p := recover(); p != nil {
			settle("", Permanent{Reason: fmt.Sprintf("the %s sender broke: %v", w.channel, p)})
		}
	}()
	sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		_ = w.b.clock.Wait(sending, grace, nil)
		cancel()
	})
	defer stop()

	root := ""
	if d.SubscriberID == "" {
		// One feed for all: what comes later answers what came first.
		var err error
		if root, err = w.b.outbox.RootDelivery(sending, w.channel, d.SubjectID); err != nil {
			settle("", fmt.Errorf("look up the first message about %s: %w", d.SubjectID, err))
			return
		}
	}
	m = m.to(d, root, now)
	if s, ok := w.sender.(settler); ok {
		s.SendAndSettle(sending, m, settle)
		return
	}
	settle(w.sender.Send(sending, m))
}

// settler is a sender with several connections that wants a message marked
// before it begins another one on the same connection.
type settler interface {
	SendAndSettle(ctx context.Context, m Message, settle func(providerID string, err error))
}

// mark writes down how a delivery went. Without it the message would be sent
// again when the lease is over, so it tries a few times, unless we are stopping.
func (w *worker) mark(ctx context.Context, d status.Delivery, write func(context.Context) error) {
	for pause := time.Second; ; pause *= 2 {
		stopping := ctx.Err() != nil
		once, cancel := context.WithTimeout(context.WithoutCancel(ctx), markTimeout)
		err := write(once)
		cancel()
		if err == nil {
			return
		}
		if stopping || pause > lease/4 {
			w.b.log.Error("delivery could not be marked, it may be sent again", "channel", w.channel, "delivery", d.ID, "err", err)
			return
		}
		_ = w.b.clock.Wait(ctx, pause, nil)
	}
}
