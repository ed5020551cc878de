package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/statusbridge/statusbridge/internal/status"
)

var announcements = table[status.Announcement]{
	name: "announcements", key: []string{"id"},
	columns: func(a *status.Announcement) []column {
		return []column{
			{"id", &a.ID},
			{"event", &a.Event},
			{"subject_id", &a.SubjectID},
			{"update_id", &a.UpdateID},
			{"components", doc(&a.Components)},
			{"channels", doc(&a.Channels)},
			{"created_at", at(&a.CreatedAt)},
			{"due_at", at(&a.DueAt)},
		}
	},
}

var deliveries = table[status.Delivery]{
	name: "deliveries", key: []string{"id"},
	columns: func(d *status.Delivery) []column {
		return []column{
			{"id", &d.ID},
			{"announcement_id", &d.AnnouncementID},
			{"event", &d.Event},
			{"subject_id", &d.SubjectID},
			{"update_id", &d.UpdateID},
			{"channel", &d.Channel},
			{"recipient", &d.Recipient},
			{"subscriber_id", &d.SubscriberID},
			{"token", &d.Token},
			{"state", &d.State},
			{"attempt", &d.Attempt},
			{"due_at", at(&d.DueAt)},
			{"created_at", at(&d.CreatedAt)},
			{"sent_at", at(&d.SentAt)},
			{"provider_id", &d.ProviderID},
			{"last_error", &d.LastError},
		}
	},
}

// FanOut turns every announcement that is due into its deliveries, once: by
// mail one to each confirmed subscriber who cares for one of its components, on
// any other channel a single one. Only the given channels are served, and of
// those only the ones the announcement allows. It reports how many deliveries
// it queued.
func (s *Store) FanOut(ctx context.Context, now time.Time, channels []string) (queued int, err error) {
	err = inTx(ctx, s.long, func(tx *sqlx.Tx) error {
		queued = 0
		due, err := announcements.list(ctx, tx,
			"WHERE fanned_out_at IS NULL AND due_at <= ? ORDER BY due_at, id"+s.dialect.skipLocked, stamp(now))
		if err != nil {
			return err
		}
		for _, a := range due {
			for _, channel := range channels {
				if a.Channels != nil && !slices.Contains(a.Channels, channel) {
					continue
				}
				n, err := s.deliver(ctx, tx, a, channel, now)
				if err != nil {
					return err
				}
				queued += n
			}
			if _, err := exec(ctx, tx, "UPDATE announcements SET fanned_out_at = ? WHERE id = ?", stamp(now), a.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("fan out: %w", err)
	}
	return queued, nil
}

// deliver queues the deliveries of one announcement on one channel.
func (s *Store) deliver(ctx context.Context, h handle, a status.Announcement, channel string, now time.Time) (int, error) {
	d := status.Delivery{
		AnnouncementID: a.ID, Event: a.Event, SubjectID: a.SubjectID, UpdateID: a.UpdateID,
		Channel: channel, State: status.Queued, DueAt: now, CreatedAt: now,
	}
	if channel != status.ChannelEmail {
		d.ID, d.Recipient = a.UpdateID+"."+channel, channel
		return deliveries.insert(ctx, h, s.dialect, keep, 0, []status.Delivery{d})
	}
	// The lock keeps a subscriber from leaving between here and the commit,
	// whose deliveries would then survive.
	elements := s.dialect.elements
	res, err := h.ExecContext(ctx, h.Rebind(`
		INSERT INTO deliveries (id, announcement_id, event, subject_id, update_id, channel, recipient,
			subscriber_id, token, state, attempt, due_at, created_at, provider_id, last_error)
		SELECT CAST(? AS text) || s.id, ?, ?, ?, ?, ?, s.email, s.id, s.token, 'queued', 0,
			CAST(? AS bigint), CAST(? AS bigint), '', ''
		FROM subscribers AS s
		WHERE s.confirmed_at IS NOT NULL AND (? OR s.components IS NULL OR s.components = '[]'
			OR EXISTS (SELECT 1 FROM `+elements("s.components")+` AS c WHERE c.value IN `+elements("?")+`))
		`+s.dialect.forKeyShare+`
		ON CONFLICT DO NOTHING`),
		a.UpdateID+"."+channel+".", a.ID, string(a.Event), a.SubjectID, a.UpdateID, channel,
		stamp(now), stamp(now), len(a.Components) == 0, list(a.Components))
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// ClaimDeliveries takes queued deliveries that are due, for the length of the
// lease: their due time moves behind it and their attempt is counted. Who does
// not mark a delivery in time loses it to the next claim.
func (s *Store) ClaimDeliveries(ctx context.Context, channel string, now time.Time, lease time.Duration, limit int) ([]status.Delivery, error) {
	var claimed []status.Delivery
	err := inTx(ctx, s.write, func(tx *sqlx.Tx) (err error) {
		claimed, err = deliveries.returning(ctx, tx, `
			UPDATE deliveries SET due_at = ?, attempt = attempt + 1
			WHERE id IN (SELECT id FROM deliveries WHERE channel = ? AND state = 'queued' AND due_at <= ?
				ORDER BY due_at, created_at, id LIMIT ?`+s.dialect.skipLocked+`)`,
			stamp(now.Add(lease)), channel, stamp(now), limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim deliveries: %w", err)
	}
	slices.SortFunc(claimed, func(a, b status.Delivery) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return claimed, nil
}

// mark is the outcome of one attempt to deliver.
type mark struct {
	id         string
	attempt    int
	state      status.DeliveryState
	due        time.Time // of the next attempt, when queued again
	sentAt     time.Time
	providerID string
	reason     string
}

// MarkSent records that a delivery left. It does nothing when attempt is not
// the present one, because another worker has the delivery then.
func (s *Store) MarkSent(ctx context.Context, id string, attempt int, providerID string, now time.Time) error {
	return s.marks.do(ctx, &mark{id: id, attempt: attempt, state: status.Sent, due: now, sentAt: now, providerID: providerID})
}

// MarkRetry records that an attempt failed and when the next one is due.
func (s *Store) MarkRetry(ctx context.Context, id string, attempt int, due time.Time, reason string) error {
	return s.marks.do(ctx, &mark{id: id, attempt: attempt, state: status.Queued, due: due, reason: reason})
}

// MarkFailed records that a delivery is given up.
func (s *Store) MarkFailed(ctx context.Context, id string, attempt int, reason string, now time.Time) error {
	return s.marks.do(ctx, &mark{id: id, attempt: attempt, state: status.Failed, due: now, reason: reason})
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
		for _, t := range batch {
			m := t.work
			_, err := exec(ctx, tx, `UPDATE deliveries SET state = ?, due_at = ?, sent_at = ?, provider_id = ?, last_error = ?
				WHERE id = ? AND attempt = ? AND state = 'queued'`,
				string(m.state), stamp(m.due), stamp(m.sentAt), m.providerID, m.reason, m.id, m.attempt)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("mark deliveries: %w", err)
	}
	return nil
}

// RootDelivery is what the provider called the first message about a subject,
// "" if none was sent: later ones answer to it. One that was skipped, or that
// the provider had already, has no name.
func (s *Store) RootDelivery(ctx context.Context, channel, subjectID string) (string, error) {
	return scalar[string](ctx, s.read, `SELECT provider_id FROM deliveries
		WHERE channel = ? AND subject_id = ? AND state = 'sent' AND provider_id <> '' ORDER BY sent_at, created_at, id LIMIT 1`,
		channel, subjectID)
}

// NextDelivery is when there is something to fan out or to deliver, zero if
// nothing waits.
func (s *Store) NextDelivery(ctx context.Context) (time.Time, error) {
	return earliest(ctx, s.read, `
		SELECT MIN(due) FROM (
			SELECT MIN(due_at) AS due FROM announcements WHERE fanned_out_at IS NULL
			UNION ALL SELECT MIN(due_at) FROM deliveries WHERE state = 'queued'
		) AS dues`)
}

// DeliveryCounts counts the deliveries about a subject, or all when it is "",
// by channel and state.
func (s *Store) DeliveryCounts(ctx context.Context, subjectID string) (map[string]map[status.DeliveryState]int, error) {
	query, args := "SELECT channel, state, COUNT(*) FROM deliveries ", []any{}
	if subjectID != "" {
		query, args = query+"WHERE subject_id = ? ", []any{subjectID}
	}
	rows, err := s.read.QueryxContext(ctx, s.read.Rebind(query+"GROUP BY channel, state"), args...)
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	defer rows.Close()
	counts := map[string]map[status.DeliveryState]int{}
	for rows.Next() {
		var channel string
		var state status.DeliveryState
		var n int
		if err := rows.Scan(&channel, &state, &n); err != nil {
			return nil, fmt.Errorf("count deliveries: %w", err)
		}
		if counts[channel] == nil {
			counts[channel] = map[status.DeliveryState]int{}
		}
		counts[channel][state] = n
	}
	return counts, rows.Err()
}

// Deliveries lists deliveries, the newest first.
func (s *Store) Deliveries(ctx context.Context, limit int) ([]status.Delivery, error) {
	tail, args := limited("ORDER BY created_at DESC, id DESC", nil, limit)
	return deliveries.list(ctx, s.read, tail, args...)
}
