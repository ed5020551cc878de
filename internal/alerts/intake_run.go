package alerts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/statusbridge/statusbridge/internal/status"
)

const (
	pollEvery    = 2 * time.Second // should a wake-up get lost
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
	callTimeout  = 30 * time.Second // of the database, when nobody waits for us

	// Batches grow while they are light and shrink when they are heavy, since
	// bodies may be small or tens of megabytes.
	firstBatch = 8
	largest    = 256
	heavy      = 16 << 20
	mostFacts  = 8 << 10 // room for them that is kept

	// maxTries is how often one delivery may fail while others pass before it is
	// a dead letter.
	maxTries = 8
	// inARow is how many failures in a row mean that it is not the delivery.
	inARow = 3
)

var (
	errNoRules  = errors.New("no rules are loaded")
	errPanicked = errors.New("processing it failed")
)

// Run drains the journal into the inbox and the inbox into the core, until the
// context is done. Errors are waited out, never given up on.
func (in *Intake) Run(ctx context.Context) error {
	pause := firstPause
	for ctx.Err() == nil {
		began := in.cfg.Clock.Now()
		worked, err := in.step(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			in.failed(err)
			in.cfg.Log.Error("webhooks wait to be processed", "err", err, "retry_in", pause.String())
			_ = in.cfg.Clock.Wait(ctx, pause, nil) // an error is the context's
			pause = min(pause*2, longestPause)
		case worked:
			pause = firstPause
			in.flow.took(in.taken, began, in.cfg.Pace)
			if rest := in.cfg.Pace - in.cfg.Clock.Now().Sub(began); rest > 0 && in.flow.strong() && !in.behind {
				_ = in.cfg.Clock.Wait(ctx, rest, nil)
			}
		default:
			pause = firstPause
			_ = in.cfg.Clock.Wait(ctx, pollEvery, in.wake)
		}
	}
	return nil
}

// A flow tells a storm from single deliveries: a bucket that leaks a few of them
// in the time of the pace.
type flow struct {
	level float64
	at    time.Time
}

// few deliveries in the time of the pace are no storm. A busy Alertmanager sends
// about as many.
const few = 4

// took notes the deliveries of a batch that began at a moment.
func (f *flow) took(n int, at time.Time, pace time.Duration) {
	leaked := few * float64(at.Sub(f.at)) / float64(max(pace, 1))
	f.level, f.at = min(max(f.level-leaked, 0)+float64(n), 2*few), at
}

func (f *flow) strong() bool { return f.level > few }

// step does one round: what is in the journal first, for it is older than what
// will be in the inbox.
func (in *Intake) step(ctx context.Context) (worked bool, err error) {
	if in.journal.depth.Load() > 0 {
		if err := in.journal.drain(ctx, in.saveAll); err != nil {
			return false, err
		}
	}
	letters, err := in.pending(ctx)
	if err != nil || len(letters) == 0 {
		in.readings.clear()
		return false, err
	}
	err = in.apply(ctx, letters)
	if err != nil && ctx.Err() == nil {
		err = in.oneByOne(ctx, letters)
	}
	if err == nil {
		in.mu.Lock()
		in.stats.LastErrorOver = true
		in.mu.Unlock()
	}
	return true, err
}

// saveAll moves records of the journal to the inbox. It asks for all at once so
// that they can share a transaction; in the inbox they stand by time.
func (in *Intake) saveAll(ctx context.Context, hooks []status.Webhook) error {
	var g errgroup.Group
	for _, w := range hooks {
		g.Go(func() error { return in.save(ctx, w) })
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("from the journal to the inbox: %w", err)
	}
	return nil
}

// letter is a delivery and what it says. The body may be missing.
type letter struct {
	status.Webhook
	keptReading
}

// pending takes what waits. What this process has read already is not fetched
// again.
func (in *Intake) pending(ctx context.Context) ([]letter, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	kept := map[string]keptReading{}
	hooks, err := in.cfg.Inbox.PendingWebhooks(ctx, in.limit, func(id string) bool {
		r, ok := in.readings.of(id)
		if ok {
			kept[id] = r
		}
		return ok
	})
	if err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	in.taken, in.behind = len(hooks), len(hooks) == in.limit
	letters, weight := make([]letter, len(hooks)), 0
	for n, w := range hooks {
		r, ok := kept[w.ID]
		if !ok {
			r.weight = len(w.Body)
			r.Reading, r.err = read(w, &in.known)
		}
		letters[n] = letter{w, r}
		weight += r.weight
	}
	if weight > heavy {
		in.limit = max(in.limit/4, 1)
	} else {
		in.limit = min(in.limit*2, largest)
	}
	return letters, nil
}

// apply hands the facts of a batch to the core and closes its deliveries, in
// one transaction: a crash leaves both undone or both done.
func (in *Intake) apply(ctx context.Context, letters []letter) error {
	rules := in.cfg.Rules()
	if rules == nil {
		return errNoRules
	}
	verdicts := make([]status.Verdict, len(letters))
	doubtful := map[string]bool{} // sources that must be asked what they have
	for n, l := range letters {
		verdicts[n] = judge(l)
		if l.err == nil && l.incomplete() {
			doubtful[l.Source] = true
		}
		if !l.Test {
			in.facts = append(in.facts, l.Facts...)
		}
	}
	facts := in.facts
	defer func() { // the room is used again, what stood in it is let go
		clear(facts)
		if in.facts = facts[:0]; cap(facts) > mostFacts {
			in.facts = nil
		}
	}()
	now := in.cfg.Clock.Now()
	if err := in.change(ctx, now, verdicts, func(b status.Board) status.Changes {
		return status.Receive(b, rules, facts, now)
	}); err != nil {
		return err
	}
	dead := 0
	for n, v := range verdicts {
		if v.State == status.WebhookDead {
			dead++
			in.cfg.Log.Warn("a webhook is a dead letter", "delivery", letters[n].ID, "source", letters[n].Source, "err", v.Text)
		}
		in.readings.drop(v.WebhookID)
	}
	in.count(len(letters), dead)
	for source := range doubtful {
		in.cfg.Nudge(source)
	}
	return nil
}

// incomplete reports whether a message may leave alerts out: it was cut short,
// or it says that a whole group is over, in which silenced alerts are missing.
func (r Reading) incomplete() bool {
	return r.Truncated > 0 ||
		len(r.Facts) > 0 && !slices.ContainsFunc(r.Facts, func(f status.Fact) bool { return f.Firing })
}

// change applies what receive decides together with the verdicts.
func (in *Intake) change(ctx context.Context, now time.Time, verdicts []status.Verdict, receive func(status.Board) status.Changes) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := in.cfg.Applier.Apply(ctx, now, func(b status.Board) (c status.Changes, err error) {
		defer func() {
			if p := recover(); p != nil {
				c, err = status.Changes{}, fmt.Errorf("%w: %v", errPanicked, p)
			}
		}()
		if receive != nil {
			c = receive(b)
		}
		for _, v := range verdicts {
			if of := c.Outcomes[v.WebhookID]; of != nil {
				v.Outcomes, v.Text = of, status.Clip(v.Text+unwanted(of), maxVerdict)
			}
			c.Verdicts = append(c.Verdicts, v)
		}
		return c, nil
	})
	return err
}

// oneByOne finds out whether a failed batch fails because of one delivery. That
// one must not keep the others waiting: they pass it, and when it has failed
// often enough it becomes a dead letter. The core does not care for the order.
func (in *Intake) oneByOne(ctx context.Context, letters []letter) error {
	var last error
	row := 0
	for _, w := range letters {
		err := in.apply(ctx, []letter{w})
		if err == nil {
			delete(in.tries, w.ID)
			row = 0
			continue
		}
		if ctx.Err() != nil {
			return err
		}
		if errors.Is(err, errNoRules) {
			return err
		}
		in.tries[w.ID]++
		if in.tries[w.ID] >= maxTries || errors.Is(err, errPanicked) {
			if in.bury(ctx, w.Webhook, err) == nil {
				delete(in.tries, w.ID)
				if !errors.Is(err, errPanicked) {
					// Should the database have come back between the two writes,
					// it was no dead letter at all.
					_ = in.apply(ctx, []letter{w})
				}
				continue
			}
		}
		last = err
		if row++; row == inARow {
			break
		}
	}
	return last
}

// bury makes a dead letter of a delivery that can be read but not processed.
// That this can be written shows that the database is not the reason.
func (in *Intake) bury(ctx context.Context, w status.Webhook, why error) error {
	v := status.Verdict{WebhookID: w.ID, State: status.WebhookDead, Text: status.Clip("could not be processed: "+why.Error(), maxVerdict)}
	if err := in.change(ctx, in.cfg.Clock.Now(), []status.Verdict{v}, nil); err != nil {
		return err
	}
	in.cfg.Log.Error("a webhook is a dead letter", "delivery", w.ID, "source", w.Source, "err", why)
	in.count(1, 1)
	return nil
}

func (in *Intake) count(processed, dead int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.stats.Processed += processed
	in.stats.Dead += dead
}

// maxVerdict bounds the text of a verdict, in bytes.
const maxVerdict = 500

// judge words what became of a delivery, for the admin.
func judge(l letter) status.Verdict {
	v := status.Verdict{WebhookID: l.ID, State: status.WebhookProcessed, Events: l.Reading.Events}
	switch {
	case l.err != nil:
		v.State, v.Text, v.Events = status.WebhookDead, "could not be read: "+l.err.Error(), 0
	case l.Test:
		v.Text = "received test"
		v.Outcomes = []status.Outcome{{Alerts: max(l.Reading.Events, 1), Did: status.DidTest}}
	default:
		v.Text = strings.Join(nonEmpty(tally(l.Kind, l.Reading), l.Note), "; ")
	}
	v.Text = status.Clip(v.Text, maxVerdict)
	return v
}

// unwanted says how many alerts began that no rule wants.
func unwanted(outcomes []status.Outcome) string {
	n := 0
	for _, o := range outcomes {
		if o.Did == status.DidBegin && len(o.Tracks) == 0 {
			n += o.Alerts
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %d that no rule wants", n)
}

// tally says how many alerts there were and what they said.
func tally(kind string, r Reading) string {
	if len(r.Facts) == 0 {
		return "no change"
	}
	var firing, resolved, unrecovered int
	for _, f := range r.Facts {
		switch {
		case f.Firing:
			firing++
		case f.Unrecovered:
			unrecovered++
		default:
			resolved++
		}
	}
	noun := "alert"
	if kind == KindNewRelic {
		noun = "issue"
	}
	if r.Events != 1 {
		noun += "s"
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{firing, "firing"}, {resolved, "resolved"}, {unrecovered, "closed without recovery"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return fmt.Sprintf("%d %s: %s", r.Events, noun, strings.Join(parts, ", "))
}
