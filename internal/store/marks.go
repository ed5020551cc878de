package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/statusbridge/statusbridge/internal/status"
)

// mark is the outcome of one attempt to deliver.
type mark struct {
	id         string
	attempt    int
	state      status.DeliveryState
	due        time.Time // of the next attempt, when queued again
	now        time.Time // zero if the channel is not to blame
	sentAt     time.Time
	providerID string
	reason     string
}

// MarkSent records that a delivery left. It does nothing when attempt is not
// the present one, because another worker has the delivery then.
func (s *Store) MarkSent(ctx context.Context, id string, attempt int, providerID string, now time.Time) error {
	return s.marks.do(ctx, &mark{id: id, attempt: attempt, state: status.Sent, due: now, now: now, sentAt: now, providerID: providerID})
}

// MarkRetry records that an attempt failed and when the next one is due.
func (s *Store) MarkRetry(ctx context.Context, id string, attempt int, due time.Time, reason string, now time.Time) error {
	return s.marks.do(ctx, &mark{id: id, attempt: attempt, state: status.Queued, due: due, now: now, reason: reason})
}

// MarkFailed records that a delivery is given up.
func (s *Store) MarkFailed(ctx context.Context, id string, attempt int, reason string, now time.Time) error {
	return s.marks.do(ctx, &mark{id: id, attempt: attempt, state: status.Failed, due: now, now: now, reason: reason})
}

// MarkBounced records that the recipient does not exist, and that nothing more
// is sent there.
func (s *Store) MarkBounced(ctx context.Context, id string, attempt int, reason string, now time.Time) error {
	return s.marks.do(ctx, &mark{id: id, attempt: attempt, state: status.Bounced, due: now, reason: reason})
}

// carryMarks saves a batch of marks in one transaction. On PostgreSQL it does
// not wait for the disk: a mark that a crash takes is at worst a second mail,
// and the same is true of a crash before the mark.
func (s *Store) carryMarks(batch []*ticket[*mark]) error {
	ctx := context.Background()
	err := inTx(ctx, s.write, func(tx *sqlx.Tx) error {
		if s.dialect.name == postgresDialect.name {
			if _, err := tx.ExecContext(ctx, "SET LOCAL synchronous_commit = off"); err != nil {
				return err
			}
		}
		seen := map[string]status.ChannelState{}
		for _, t := range batch {
			m := t.work
			channel, err := scalar[string](ctx, tx, `UPDATE deliveries SET state = ?, due_at = ?, sent_at = ?, provider_id = ?, last_error = ?
				WHERE id = ? AND attempt = ? AND state = 'queued' RETURNING channel`,
				string(m.state), stamp(m.due), stamp(m.sentAt), m.providerID, m.reason, m.id, m.attempt)
			if err != nil {
				return err
			}
			if channel == "" {
				continue
			}
			seen[channel] = m.health(seen[channel])
			if m.state == status.Bounced {
				if err := suppress(ctx, tx, "id = (SELECT subscriber_id FROM deliveries WHERE id = ?)", m.id, m.due, m.reason); err != nil {
					return err
				}
			}
		}
		return s.saveHealth(ctx, tx, seen)
	})
	if err != nil {
		return fmt.Errorf("mark deliveries: %w", err)
	}
	return nil
}

// health is how the channel does after the mark.
func (m *mark) health(c status.ChannelState) status.ChannelState {
	switch {
	case m.now.IsZero():
	case m.state == status.Sent:
		c.SentAt = m.now
	default:
		c.FailedAt, c.LastError = m.now, m.reason
	}
	return c
}

// suppress ends the mail to a subscriber, and takes back what waits for them.
func suppress(ctx context.Context, h handle, where, arg string, now time.Time, why string) error {
	_, err := exec(ctx, h, "UPDATE subscribers SET suppressed_at = ?, suppressed_why = ? WHERE suppressed_at IS NULL AND "+where, stamp(now), why, arg)
	if err != nil {
		return err
	}
	_, err = exec(ctx, h, `UPDATE deliveries SET state = 'bounced', last_error = ? WHERE state = 'queued' AND event <> 'confirm'
		AND subscriber_id IN (SELECT id FROM subscribers WHERE `+where+`)`, why, arg)
	return err
}
