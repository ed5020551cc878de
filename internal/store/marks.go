package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
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

// marked is how marks travel to the database; it is no table there.
var marked = table[mark]{
	name: "marks",
	columns: func(m *mark) []column {
		return []column{
			{"id", &m.id},
			{"attempt", &m.attempt},
			{"state", &m.state},
			{"due_at", at(&m.due)},
			{"sent_at", at(&m.sentAt)},
			{"provider_id", &m.providerID},
			{"last_error", &m.reason},
		}
	},
}

// MarkSent records that a delivery left. It does nothing when attempt is not
// the present one, because another worker has the delivery then.
func (s *Store) MarkSent(ctx context.Context, id string, attempt int, providerID string, now time.Time) error {
	return s.marks.do(ctx, &mark{id: id, attempt: attempt, state: status.Sent, due: now, now: now, sentAt: now, providerID: providerID})
}

// MarkSkipped closes a delivery for which there was rightly nothing to send.
// That says nothing about the health of its channel.
func (s *Store) MarkSkipped(ctx context.Context, id string, attempt int, reason string, now time.Time) error {
	return s.marks.do(ctx, &mark{id: id, attempt: attempt, state: status.Sent, due: now, sentAt: now, reason: reason})
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

// carryMarks saves a batch of marks in one transaction.
func (s *Store) carryMarks(batch []*ticket[*mark]) error {
	ctx := context.Background()
	byID, bounces := map[string]*mark{}, false
	rows := make([]mark, len(batch))
	for n, t := range batch {
		rows[n] = *t.work
		byID[t.work.id] = t.work
		bounces = bounces || t.work.state == status.Bounced
	}
	save := func(h handle) error {
		done, err := s.setMarks(ctx, h, rows)
		if err != nil {
			return err
		}
		seen := map[string]status.ChannelState{}
		for id, channel := range done {
			m := byID[id]
			seen[channel] = m.health(channel, seen[channel])
			if m.state == status.Bounced {
				if err := suppress(ctx, h, "id = (SELECT subscriber_id FROM deliveries WHERE id = ?)", m.id, m.due, m.reason); err != nil {
					return err
				}
				if channel == status.ChannelWebhooks {
					if err := s.tellContact(ctx, h, m.id, m.due); err != nil {
						return err
					}
				}
			}
		}
		return s.saveHealth(ctx, h, seen)
	}
	var err error
	if s.dialect.name == postgresDialect.name && !bounces {
		err = save(s.write) // a statement is a transaction, in a third of the round trips
	} else {
		err = s.lightly(ctx, save)
	}
	if err != nil {
		return fmt.Errorf("mark deliveries: %w", err)
	}
	return nil
}

// lightly runs fn in a transaction that does not wait for the disk. What a
// power cut takes of it is at worst a second mail, and the same is true of one
// before the mark; the death of this process takes nothing.
func (s *Store) lightly(ctx context.Context, fn func(h handle) error) error {
	run := func(tx *sqlx.Tx) error { return fn(tx) }
	if s.dialect.name == postgresDialect.name {
		return inTx(ctx, s.write, run) // setMarks says it
	}
	conn, err := s.write.Connx(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "PRAGMA synchronous = NORMAL"); err != nil {
		return err
	}
	defer func() {
		// All else waits for the disk. A connection that does not promise so again
		// is given up.
		if _, err := conn.ExecContext(ctx, "PRAGMA synchronous = FULL"); err != nil {
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
	}()
	return inTx(ctx, conn, run)
}

// defaultElements is more than PostgreSQL assumes in an array that it does not
// know yet.
const defaultElements = 12

// setMarks saves marks with one statement, and answers with the channels of
// those deliveries that were still ours to mark.
func (s *Store) setMarks(ctx context.Context, h handle, rows []mark) (map[string]string, error) {
	text, err := marked.encode(rows)
	if err != nil {
		return nil, err
	}
	field := s.dialect.field
	lightly, only, args := "", "", []any{text}
	if s.dialect.name == postgresDialect.name {
		// Before the statistics are made anew PostgreSQL believes that next to
		// nothing is queued, and reads all of it for each batch. It knows how many
		// elements an array has; and a state in an expression is in no index.
		// Ten it assumes in a plan for all batches, so that one of fewer would be
		// planned by itself, which takes as long as two marks: empty ids fill up.
		ids := make([]string, max(len(rows), defaultElements))
		for n, m := range rows {
			ids[n] = m.id
		}
		only, args = " AND deliveries.id = ANY(?)", append(args, pq.Array(ids))
		// The commit does not wait for the disk; for this transaction only.
		lightly = ", (SELECT set_config('synchronous_commit', 'off', true)) AS lightly"
	}
	query := h.Rebind(`UPDATE deliveries SET state = ` + field("state") + `, due_at = ` + field("due_at") + `, sent_at = ` + field("sent_at") + `,
			provider_id = ` + field("provider_id") + `, last_error = ` + field("last_error") + `
		FROM ` + s.dialect.recordset(marked.shape()) + lightly + `
		WHERE deliveries.id = ` + field("id") + ` AND deliveries.attempt = ` + field("attempt") + ` AND deliveries.state || '' = 'queued'` + only + `
		RETURNING deliveries.id, deliveries.channel`)
	var found *sqlx.Rows
	if h == handle(s.write) {
		found, err = s.markPrepared(ctx, query, args)
	} else {
		found, err = h.QueryxContext(ctx, query, args...)
	}
	if err != nil {
		return nil, err
	}
	defer found.Close()
	done := map[string]string{}
	for found.Next() {
		var id, channel string
		if err := found.Scan(&id, &channel); err != nil {
			return nil, err
		}
		done[id] = channel
	}
	return done, found.Err()
}

// marksOnePlan is how many statements are run by one plan. A plan that was made
// while few deliveries were there may read all of them, and PostgreSQL keeps it
// until it looks at the table again, a minute after that has grown.
const marksOnePlan = 100

// markPrepared runs the statement of setMarks, which PostgreSQL reads and plans
// once for each connection: that takes it as long as marking a few mails.
func (s *Store) markPrepared(ctx context.Context, query string, args []any) (*sqlx.Rows, error) {
	if s.marking.uses++; s.marking.statement == nil || s.marking.uses > marksOnePlan {
		st, err := s.write.PreparexContext(ctx, query)
		if err != nil {
			return nil, err
		}
		if s.marking.statement != nil {
			_ = s.marking.statement.Close() // of a connection that is gone, at worst
		}
		s.marking.statement, s.marking.uses = st, 1
	}
	found, err := s.marking.statement.QueryxContext(ctx, args...)
	if e, ok := errors.AsType[*pq.Error](err); ok && e.Code == "26000" { // invalid_sql_statement_name
		// A pooler between us and PostgreSQL gave us another of its connections.
		return s.write.QueryxContext(ctx, query, args...)
	}
	return found, err
}

// health is how the channel does after the mark.
func (m *mark) health(channel string, c status.ChannelState) status.ChannelState {
	switch {
	case m.now.IsZero():
	case channel == status.ChannelWebhooks && m.state != status.Sent: // it is one subscriber who is in trouble
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
