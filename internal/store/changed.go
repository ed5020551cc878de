package store

import (
	"context"
	"fmt"
	"sync"
)

// wakes tells whoever wants to know that something was saved. A wake-up is a
// hint to look, not a message: one that is pending stands for all that follow.
type wakes struct {
	mu    sync.Mutex
	chans map[chan struct{}]struct{}
	known int64 // newest revision that was told of
	heeds int64 // SQLite's count of what others wrote, when it was last asked
}

// Changed returns a channel that receives after every commit that stirred
// something (status.Changes.Stirring), other replicas' included where the
// database can tell. Its capacity is one, and a full channel is left alone. Call
// stop when done.
func (s *Store) Changed() (wake <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	w := &s.wakes
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.chans == nil {
		w.chans = map[chan struct{}]struct{}{}
	}
	w.chans[c] = struct{}{}
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.chans, c)
	}
}

// saved wakes everybody after a commit of our own; revision 0 is a change that
// has none.
func (w *wakes) saved(revision int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known = max(w.known, revision)
	w.wake()
}

// heard wakes everybody after a notification, unless it is the echo of what
// saved told already. Revision 0 is a loss of the connection.
func (w *wakes) heard(revision int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if revision != 0 && revision <= w.known {
		return
	}
	w.known = max(w.known, revision)
	w.wake()
}

// Overhear wakes everybody if another process wrote into the file since it was last
// asked. SQLite tells nobody, but it counts for each connection what all others
// committed (https://www.sqlite.org/pragma.html#pragma_data_version); asked on the one
// that writes, those others are other processes. That is a look at shared memory.
// PostgreSQL tells by itself, and is not asked.
func (s *Store) Overhear(ctx context.Context) error {
	if s.dialect.name != sqliteDialect.name {
		return nil
	}
	count, err := scalar[int64](ctx, s.write, "PRAGMA data_version")
	if err != nil {
		return fmt.Errorf("ask for what others wrote: %w", err)
	}
	w := &s.wakes
	w.mu.Lock()
	defer w.mu.Unlock()
	if count != w.heeds { // of a new connection it may be any
		w.heeds = count
		w.wake()
	}
	return nil
}

func (w *wakes) wake() {
	for c := range w.chans {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
