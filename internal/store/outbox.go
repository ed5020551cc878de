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
			{"left_out", doc(&a.Except)},
			{"priority", &a.Priority},
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
			{"announcement_id", &d.DispatchID},
			{"event", &d.Event},
			{"subject_id", &d.SubjectID},
			{"update_id", &d.UpdateID},
			{"channel", &d.Channel},
			{"recipient", &d.Recipient},
			{"subscriber_id", &d.SubscriberID},
			{"token", &d.Token},
			{"language", &d.Language},
			{"time_zone", &d.TimeZone},
			{"joined", doc(&d.Joined)},
			{"named", &d.Named},
			{"priority", &d.Priority},
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

// stillUntold fails with status.ErrTooLate when anything about the subjects is
// under way to the public already. It locks what waits: nothing leaves before the
// commit.
func (s *Store) stillUntold(ctx context.Context, h handle, subjects []string) error {
	if len(subjects) == 0 {
		return nil
	}
	const of = "WHERE subject_id IN "
	if _, err := announcements.list(ctx, h, of+s.dialect.elements("?")+s.dialect.forUpdate, list(subjects)); err != nil {
		return err
	}
	n, err := scalar[int](ctx, h, "SELECT COUNT(*) FROM announcements "+of+s.dialect.elements("?")+" AND fanned_out_at IS NOT NULL AND event NOT IN "+s.dialect.elements("?"),
		list(subjects), list(status.OperatorEvents))
	if err == nil && n > 0 {
		err = status.ErrTooLate
	}
	return err
}

// withdraw forgets what was to be told about the subjects.
func (s *Store) withdraw(ctx context.Context, h handle, subjects []string) error {
	if len(subjects) == 0 {
		return nil
	}
	_, err := exec(ctx, h, "DELETE FROM announcements WHERE subject_id IN "+s.dialect.elements("?")+" AND fanned_out_at IS NULL", list(subjects))
	if err != nil {
		return fmt.Errorf("withdraw announcements: %w", err)
	}
	return nil
}

// ClaimDeliveries takes queued deliveries that are due, the urgent ones first,
// for the length of the lease: their due time moves behind it and their attempt
// is counted. Who does not mark a delivery in time loses it to the next claim.
// A paused channel gives none.
func (s *Store) ClaimDeliveries(ctx context.Context, channel string, now time.Time, lease time.Duration, limit int) ([]status.Delivery, error) {
	var claimed []status.Delivery
	err := inTx(ctx, s.write, func(tx *sqlx.Tx) (err error) {
		// A walk along the index, past what is claimed already and what is tried
		// again later.
		claimed, err = deliveries.returning(ctx, tx, `
			UPDATE deliveries SET due_at = ?, attempt = attempt + 1
			WHERE id IN (SELECT id FROM deliveries WHERE channel = ? AND state = 'queued' AND due_at <= ?
				AND NOT EXISTS (SELECT 1 FROM channels AS c WHERE c.channel = ? AND c.paused)
				ORDER BY priority DESC, created_at LIMIT ?`+s.dialect.skipLocked+`)`,
			stamp(now.Add(lease)), channel, stamp(now), channel, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim deliveries: %w", err)
	}
	slices.SortFunc(claimed, func(a, b status.Delivery) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return claimed, nil
}

// RenewLeases keeps claimed deliveries for another lease. Those that somebody
// else has meanwhile, or that are marked, stay as they are; the answer is the
// ids that are still ours.
func (s *Store) RenewLeases(ctx context.Context, claimed []status.Delivery, now time.Time, lease time.Duration) ([]string, error) {
	attempts := map[string]int{}
	ids := make([]string, len(claimed))
	for n, d := range claimed {
		ids[n], attempts[d.ID] = d.ID, d.Attempt
	}
	var ours []string
	err := inTx(ctx, s.write, func(tx *sqlx.Tx) error {
		ours = nil
		// The state is looked at here: PostgreSQL may think that few are queued, and
		// then reads all of them.
		held, err := deliveries.list(ctx, tx, "WHERE id IN "+s.dialect.elements("?")+s.dialect.forUpdate, list(ids))
		if err != nil {
			return err
		}
		for _, d := range held {
			if d.State == status.Queued && d.Attempt == attempts[d.ID] {
				ours = append(ours, d.ID)
			}
		}
		_, err = exec(ctx, tx, "UPDATE deliveries SET due_at = ? WHERE id IN "+s.dialect.elements("?"), stamp(now.Add(lease)), list(ours))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("renew leases: %w", err)
	}
	return ours, nil
}

// RootDelivery is what the provider called the first message about a subject,
// "" if none was sent: later ones answer to it. One that was skipped, or that
// the provider had already, has no name.
func (s *Store) RootDelivery(ctx context.Context, channel, subjectID string) (string, error) {
	return scalar[string](ctx, s.read, `SELECT provider_id FROM deliveries
		WHERE channel = ? AND subject_id = ? AND subscriber_id = '' AND state = 'sent' AND provider_id <> '' ORDER BY sent_at, created_at, id LIMIT 1`,
		channel, subjectID)
}

// NextDelivery is when there is something to fan out, or to deliver on one of
// the channels, zero if nothing waits. Of what is due by now, any is as good as
// the first. What waits on a paused channel does not count.
func (s *Store) NextDelivery(ctx context.Context, now time.Time, channels []string) (time.Time, error) {
	// A part for each channel: PostgreSQL takes a list of them for a hundred, and
	// compiles a plan for as many, which takes it longer than to run it. In a long
	// queue one that is due is found at once, the first is not.
	query := `SELECT MIN(due) FROM (SELECT MIN(due_at) AS due FROM announcements WHERE fanned_out_at IS NULL
		UNION ALL SELECT MIN(due_at) FROM dispatches WHERE fanned_out_at IS NULL AND channel IN ` + s.dialect.elements("?")
	args := []any{list(channels)}
	for _, channel := range channels {
		const waits = "FROM deliveries WHERE channel = ? AND state = 'queued'"
		query += ` UNION ALL SELECT COALESCE((SELECT due_at ` + waits + ` AND due_at <= ? ORDER BY priority DESC, created_at LIMIT 1), (SELECT MIN(due_at) ` + waits + `))
			WHERE NOT EXISTS (SELECT 1 FROM channels AS c WHERE c.channel = ? AND c.paused)`
		args = append(args, channel, stamp(now), channel, channel)
	}
	return earliest(ctx, s.read, query+") AS dues", args...)
}

// DeliveryCounts counts the deliveries by channel and state.
func (s *Store) DeliveryCounts(ctx context.Context) (map[string]map[status.DeliveryState]int, error) {
	rows, err := s.read.QueryxContext(ctx, "SELECT channel, state, COUNT(*) FROM deliveries GROUP BY channel, state")
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
