package store

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/statusbridge/statusbridge/internal/status"
)

// decision is what a caller of Apply brings, and the revision it gets.
type decision struct {
	now      time.Time
	decide   func(status.Board) (status.Changes, error)
	subjects []string
	revision int64
}

// Apply is the only way to change what the store keeps on the board. It locks
// the board, hands it to fn, and saves what fn decided in one transaction. The
// board also holds the issues, maintenances and components named by subjects,
// however old they are.
//
// Callers that wait share a transaction: each fn sees what those before it
// decided. An fn that fails or panics changes nothing and spoils nothing for
// the others. When nobody decided anything, nothing is saved and the revision
// stays.
//
// fn must be a pure function of the board, must not keep it, and may run more
// than once. The Changes it returns belong to the store from then on. On an
// error of the database it is not known whether the changes were saved.
func (s *Store) Apply(ctx context.Context, now time.Time, fn func(status.Board) (status.Changes, error), subjects ...string) (revision int64, err error) {
	d := &decision{now: trim(now), decide: fn, subjects: subjects}
	if err := s.applies.do(ctx, d); err != nil {
		return 0, err
	}
	return d.revision, nil
}

// carryDecisions runs a batch of decisions in one transaction.
func (s *Store) carryDecisions(batch []*ticket[*decision]) error {
	// Not the context of any caller: the batch is everybody's. What bounds the
	// wait is the patience of the connection.
	ctx := context.Background()
	sound := false
	defer func() {
		if !sound { // the kept board may hold what was never saved
			s.kept = nil
		}
	}()
	var saved int64
	var stirring bool
	err := inTx(ctx, s.write, func(tx *sqlx.Tx) (err error) {
		saved, stirring, err = s.decideAll(ctx, tx, batch)
		return err
	})
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	sound = true
	if stirring {
		s.wakes.saved(saved)
	}
	return nil
}

// decideAll lets each caller decide on the board and saves the sum. It returns
// the new revision, or 0 when there was nothing to save, and whether anybody
// must be woken for it.
func (s *Store) decideAll(ctx context.Context, tx *sqlx.Tx, batch []*ticket[*decision]) (int64, bool, error) {
	head, err := s.lockBoard(ctx, tx)
	if err != nil {
		return 0, false, err
	}
	now, subjects := time.Time{}, []string(nil)
	for _, t := range batch {
		subjects = append(subjects, t.work.subjects...)
		if t.work.now.After(now) {
			now = t.work.now
		}
	}
	board, err := s.currentBoard(ctx, tx, head, now, subjects)
	if err != nil {
		return 0, false, err
	}
	sum := newSum()
	revision := head.Revision
	for _, t := range batch {
		if !t.claim() {
			continue
		}
		changes, err := decide(t.work.decide, *board)
		if err == nil {
			err = s.stillUntold(ctx, tx, changes.Withdrawn)
		}
		if err != nil {
			t.err = err
			continue
		}
		if changes.Empty() {
			continue
		}
		changes = trimmed(changes)
		board.Merge(changes)
		sum.add(changes)
		revision = head.Revision + 1
	}
	for _, t := range batch {
		t.work.revision = revision
	}
	if revision == head.Revision {
		return 0, false, nil
	}
	board.Revision = revision
	return revision, sum.Stirring(), s.save(ctx, tx, sum, revision, board.Minted)
}

// decide runs a caller's function; a panic is that caller's error.
func decide(fn func(status.Board) (status.Changes, error), b status.Board) (c status.Changes, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("deciding panicked: %v\n%s", r, debug.Stack())
		}
	}()
	return fn(b)
}

// trimmed rounds all times that go onto the board to what the database keeps,
// so that this process and its replicas see the same board. The caller's maps
// stay as they are.
func trimmed(c status.Changes) status.Changes {
	c.Components = trimRows(c.Components, components.trim)
	c.Groups = trimRows(c.Groups, groups.trim)
	c.Issues = trimRows(c.Issues, trimIssue)
	c.Maintenances = trimRows(c.Maintenances, trimMaintenance)
	c.Series = trimRows(c.Series, series.trim)
	c.Corrections = trimRows(c.Corrections, corrections.trim)
	c.Signals = trimRows(c.Signals, signals.trim)
	c.Tracks = trimRows(c.Tracks, trimTrack)
	c.Sources = trimRows(c.Sources, sources.trim)
	c.Timers = trimRows(c.Timers, func(due *time.Time) { *due = trim(*due) })
	return c
}

func trimRows[K comparable, T any](rows map[K]T, trimOne func(*T)) map[K]T {
	out := make(map[K]T, len(rows))
	for k, v := range rows {
		trimOne(&v)
		out[k] = v
	}
	return out
}
