package store

import (
	"context"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Place is a position in a list that is sorted by time and then by id, the
// newest first. What is added meanwhile moves nothing: it comes before.
type Place struct {
	At time.Time
	ID string
}

// listing picks a page: what comes after the place, for which the condition
// holds.
func (s *Store) listing(condition string, args []any, after Place, limit int) (string, []any) {
	tail := "WHERE " + condition
	if after.ID != "" {
		tail += " AND (created_at, id) < (?, ?)"
		args = append(args, stamp(after.At), after.ID)
	}
	return limited(tail+" ORDER BY created_at DESC, id DESC", args, limit)
}

// IssuesAfter lists issues of a state and a stage ("" is any), the newest first.
func (s *Store) IssuesAfter(ctx context.Context, state status.IssueState, stage status.Stage, openOnly bool, after Place, limit int) ([]status.Issue, error) {
	condition, args := "(? = '' OR state = ?) AND (? = '' OR stage = ?)", []any{string(state), string(state), string(stage), string(stage)}
	if openOnly {
		condition += " AND state <> 'resolved' AND stage <> 'dismissed'"
	}
	tail, args := s.listing(condition, args, after, limit)
	return issues.list(ctx, s.read, tail, args...)
}

// MaintenancesAfter lists maintenances of a state ("" is any), the one that was
// planned last first.
func (s *Store) MaintenancesAfter(ctx context.Context, state status.MaintenanceState, after Place, limit int) ([]status.Maintenance, error) {
	tail, args := s.listing("(? = '' OR state = ?)", []any{string(state), string(state)}, after, limit)
	return maintenances.list(ctx, s.read, tail, args...)
}

// SubscribersAfter lists subscribers whose address contains the text, the
// newest first.
func (s *Store) SubscribersAfter(ctx context.Context, text string, after Place, limit int) ([]status.Subscriber, error) {
	tail, args := s.listing("email LIKE ? ESCAPE '!'", []any{containing(text)}, after, limit)
	return subscribers.list(ctx, s.read, tail, args...)
}

// Subscriber finds a subscriber by id.
func (s *Store) Subscriber(ctx context.Context, id string) (status.Subscriber, error) {
	return subscribers.one(ctx, s.read, status.ErrNotFound, "WHERE id = ?", id)
}

// DispatchesAfter lists what was told about a subject ("" is any), the newest
// first. What is not finished is counted now.
func (s *Store) DispatchesAfter(ctx context.Context, subject string, after Place, limit int) ([]status.Dispatch, error) {
	tail, args := s.listing("(? = '' OR subject_id = ?)", []any{subject, subject}, after, limit)
	found, err := dispatches.list(ctx, s.read, tail, args...)
	for n := range found {
		if err == nil && found[n].FinishedAt.IsZero() {
			err = count(ctx, s.read, &found[n])
		}
	}
	return found, err
}

// RecipientsAfter lists the deliveries of a dispatch by id.
func (s *Store) RecipientsAfter(ctx context.Context, dispatchID, after string, limit int) ([]status.Delivery, error) {
	tail, args := limited(`WHERE (update_id, channel) IN (SELECT update_id, channel FROM dispatches WHERE id = ?) AND id > ? ORDER BY id`,
		[]any{dispatchID, after}, limit)
	return deliveries.list(ctx, s.read, tail, args...)
}

// SignalsAfter lists alerts by source and fingerprint: all, those that fire, or
// those that fire and no rule wants.
func (s *Store) SignalsAfter(ctx context.Context, firing, unmatched bool, after status.SignalKey, limit int) ([]status.Signal, error) {
	condition := "(source, fingerprint) > (?, ?)"
	if firing || unmatched {
		condition += " AND firing"
	}
	if unmatched {
		condition += " AND (tracks IS NULL OR tracks = '[]')"
	}
	tail, args := limited("WHERE "+condition+" ORDER BY source, fingerprint", []any{after.Source, after.Fingerprint}, limit)
	return signals.list(ctx, s.read, tail, args...)
}

// FiringCounts counts the alerts that fire: all, and those that no rule wants.
func (s *Store) FiringCounts(ctx context.Context) (firing, unmatched int, err error) {
	if firing, err = scalar[int](ctx, s.read, "SELECT COUNT(*) FROM signals WHERE firing"); err != nil {
		return 0, 0, err
	}
	unmatched, err = scalar[int](ctx, s.read, "SELECT COUNT(*) FROM signals WHERE firing AND (tracks IS NULL OR tracks = '[]')")
	return firing, unmatched, err
}
