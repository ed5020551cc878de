package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/lib/pq"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// queue is group commit. Callers wait in line; while one transaction runs, the
// next callers gather, and all of them share the following transaction. Under
// load the price of a commit is split among many, without load nobody waits.
type queue[W any] struct {
	// carry does the work of a batch in one transaction. Its error is
	// everybody's; an error of a single ticket is left on the ticket.
	carry func([]*ticket[W]) error
	most  int // tickets in a batch
	// yields is how often all others may run before a batch is taken, so that who
	// is about to come is in it. It takes no time when nobody is.
	yields int

	mu      sync.Mutex
	waiting []*ticket[W]
	busy    bool
	closed  bool
	leaders sync.WaitGroup
	carried atomic.Uint64 // tickets
}

// ticket is one caller's place in the line.
type ticket[W any] struct {
	work  W
	ctx   context.Context
	err   error
	state atomic.Int32
	done  chan struct{}
}

const (
	ticketWaiting int32 = iota
	ticketClaimed
	ticketAbandoned
)

// errClosed is returned to callers that come after Close.
var errClosed = errors.New("the store is closed")

// do waits until the work is carried. A caller whose context ends first gives
// up at once, unless its work is claimed: then it must wait for the outcome,
// because the work may be touching the caller's variables.
func (q *queue[W]) do(ctx context.Context, work W) error {
	t := &ticket[W]{work: work, ctx: ctx, done: make(chan struct{})}
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return errClosed
	}
	q.waiting = append(q.waiting, t)
	if !q.busy {
		q.busy = true
		q.leaders.Go(q.lead)
	}
	q.mu.Unlock()

	select {
	case <-t.done:
		return t.err
	case <-ctx.Done():
		if t.state.CompareAndSwap(ticketWaiting, ticketAbandoned) {
			return ctx.Err()
		}
		<-t.done
		return t.err
	}
}

// claim takes the ticket for good; false when its caller has left.
func (t *ticket[W]) claim() bool {
	return t.state.CompareAndSwap(ticketWaiting, ticketClaimed) || t.state.Load() == ticketClaimed
}

// lead carries batches until nobody waits.
func (q *queue[W]) lead() {
	for {
		for range q.yields {
			runtime.Gosched()
		}
		batch := q.next()
		if len(batch) == 0 {
			return
		}
		err := q.attempt(batch)
		switch {
		case err == nil:
		case refused(err) && len(batch) > 1:
			// The database took offence at what one of them brought. Alone, each
			// answers for itself.
			for _, t := range batch {
				alone := []*ticket[W]{t}
				if err := q.attempt(alone); err != nil {
					fail(alone, err)
				}
			}
		case refused(err):
			fail(batch, err)
		default:
			// The database is in trouble: who waited through it need not wait
			// through another attempt before hearing so.
			fail(batch, err)
			late := q.drain()
			fail(late, err)
			finish(late)
		}
		finish(batch)
	}
}

// attempt carries a batch; a panic is an error of the batch.
func (q *queue[W]) attempt(batch []*ticket[W]) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("saving panicked: %v\n%s", r, debug.Stack())
		}
	}()
	for _, t := range batch {
		t.err = nil
	}
	q.carried.Add(uint64(len(batch)))
	return q.carry(batch)
}

// next takes the batch at the head of the line, or ends the leadership.
func (q *queue[W]) next() []*ticket[W] {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) > 0 {
		n := min(len(q.waiting), q.most)
		var batch []*ticket[W]
		for _, t := range q.waiting[:n] {
			if t.state.Load() != ticketAbandoned {
				batch = append(batch, t)
			}
		}
		q.waiting = q.waiting[n:]
		if len(batch) > 0 {
			return batch
		}
	}
	q.waiting, q.busy = nil, false
	return nil
}

func (q *queue[W]) drain() []*ticket[W] {
	q.mu.Lock()
	defer q.mu.Unlock()
	late := q.waiting
	q.waiting = nil
	return late
}

// close refuses new callers and waits for those in line.
func (q *queue[W]) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.leaders.Wait()
}

func fail[W any](batch []*ticket[W], err error) {
	for _, t := range batch {
		if t.err == nil {
			t.err = err
		}
	}
}

func finish[W any](batch []*ticket[W]) {
	for _, t := range batch {
		close(t.done)
	}
}

// refused reports whether the database rejected the data, as opposed to being
// unable to answer: a broken constraint or a value out of range.
func refused(err error) bool {
	if e, ok := errors.AsType[*pq.Error](err); ok {
		class := e.Code.Class()
		return class == "22" || class == "23"
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG:
			return true
		}
	}
	return false
}
