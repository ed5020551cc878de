package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/statusbridge/statusbridge/internal/status"
)

var dispatches = table[status.Dispatch]{
	name: "dispatches", key: []string{"id"},
	columns: func(d *status.Dispatch) []column {
		return []column{
			{"id", &d.ID},
			{"channel", &d.Channel},
			{"event", &d.Event},
			{"subject_id", &d.SubjectID},
			{"update_id", &d.UpdateID},
			{"joined", doc(&d.Joined)},
			{"components", doc(&d.Components)},
			{"named", &d.Named},
			{"priority", &d.Priority},
			{"created_at", at(&d.CreatedAt)},
			{"due_at", at(&d.DueAt)},
			{"begun_at", at(&d.BegunAt)},
			{"reached", &d.Reached},
			{"fanned_out_at", at(&d.FannedOutAt)},
			{"finished_at", at(&d.FinishedAt)},
			{"total", &d.Total},
			{"sent", &d.Sent},
			{"failed", &d.Failed},
			{"bounced", &d.Bounced},
		}
	},
}

// FanOut turns every announcement that is due into dispatches, once, and the
// most urgent dispatch that is due into its deliveries: by mail and by webhook
// one to each active subscriber who cares, on any other channel a single one.
// Only the given outlets are served, and of those only the ones the announcement
// allows. It queues a part of a long list at a time, and reports how many
// deliveries that were, and whether there may be more: so the first leave while
// the last are being queued, and what is more urgent does not wait for the rest.
//
// An update that follows a message about the same subject within the outlet's
// Join waits until that time is over, and is told together with all others that
// came meanwhile.
func (s *Store) FanOut(ctx context.Context, now time.Time, outlets []status.Outlet) (queued int, more bool, err error) {
	now = trim(now)
	err = s.dispatchAll(ctx, now, outlets)
	if err == nil {
		queued, more, err = s.fanOutSome(ctx, now, outlets)
	}
	if err != nil {
		return 0, false, fmt.Errorf("fan out: %w", err)
	}
	return queued, more, nil
}

func (s *Store) dispatchAll(ctx context.Context, now time.Time, outlets []status.Outlet) error {
	return inTx(ctx, s.long, func(tx *sqlx.Tx) error {
		due, err := announcements.list(ctx, tx,
			"WHERE fanned_out_at IS NULL AND due_at <= ? ORDER BY due_at, id"+s.dialect.skipLocked, stamp(now))
		if err != nil || len(due) == 0 {
			return err
		}
		listening, err := s.webhooksSubscribed(ctx, tx)
		if err != nil {
			return err
		}
		for _, a := range due {
			for _, o := range outlets {
				if o.Channel == status.ChannelWebhooks && !listening {
					continue
				}
				if !o.Takes(a) {
					continue
				}
				if err := s.dispatch(ctx, tx, a, o, now); err != nil {
					return err
				}
			}
			if _, err := exec(ctx, tx, "UPDATE announcements SET fanned_out_at = ? WHERE id = ?", stamp(now), a.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// dispatch opens a dispatch for an announcement, or joins it to one that waits.
func (s *Store) dispatch(ctx context.Context, h handle, a status.Announcement, o status.Outlet, now time.Time) error {
	d := status.Dispatch{
		ID: a.UpdateID + "." + o.Channel, Channel: o.Channel, Event: a.Event, SubjectID: a.SubjectID, UpdateID: a.UpdateID,
		Components: a.Components, Named: a.Channels != nil, Priority: a.Priority, CreatedAt: a.CreatedAt, DueAt: now,
	}
	if o.Join > 0 && a.Event != status.EventMaintenanceReminder {
		operators := o.Readers == status.Operators // one storm is one message
		waiting, err := dispatches.one(ctx, h, status.ErrNotFound,
			"WHERE (? OR subject_id = ?) AND channel = ? AND event <> ? AND begun_at IS NULL ORDER BY due_at DESC LIMIT 1"+s.dialect.forUpdate,
			operators, a.SubjectID, o.Channel, string(status.EventMaintenanceReminder))
		if err == nil {
			join(&waiting, a)
			_, err = dispatches.update(ctx, h, &waiting)
			return err
		}
		if !errors.Is(err, status.ErrNotFound) {
			return err
		}
		last, err := earliest(ctx, h, "SELECT MAX(due_at) FROM dispatches WHERE (? OR subject_id = ?) AND channel = ? AND event <> ?",
			operators, a.SubjectID, o.Channel, string(status.EventMaintenanceReminder))
		if err != nil {
			return err
		}
		if over := last.Add(o.Join); !last.IsZero() && over.After(now) {
			d.DueAt = over
		}
	}
	_, err := dispatches.insert(ctx, h, s.dialect, keep, 0, []status.Dispatch{d})
	return err
}

// join adds an announcement to a dispatch that has not begun.
func join(d *status.Dispatch, a status.Announcement) {
	d.Joined = append(d.Joined, a.UpdateID)
	d.Priority = max(d.Priority, a.Priority)
	if a.Event.Milestone() || !d.Event.Milestone() {
		d.Event = a.Event
	}
	if len(d.Components) == 0 || len(a.Components) == 0 {
		d.Components = nil // everybody
		return
	}
	for _, id := range a.Components {
		if !slices.Contains(d.Components, id) {
			d.Components = append(d.Components, id)
		}
	}
}

// Subscribers of one transaction: so many that nobody waits long for the writer,
// and few in the first, so that the first mails leave at once.
const (
	fanOutChunk = 1000
	firstChunk  = 100
)

// fanOutSome queues the next deliveries of the most urgent dispatch that is
// due; more is false when there is none.
func (s *Store) fanOutSome(ctx context.Context, now time.Time, outlets []status.Outlet) (queued int, more bool, err error) {
	channels, recipients := make([]string, len(outlets)), map[string][]string{}
	for n, o := range outlets {
		channels[n], recipients[o.Channel] = o.Channel, o.Recipients
	}
	err = inTx(ctx, s.long, func(tx *sqlx.Tx) error {
		queued, more = 0, false
		d, err := dispatches.one(ctx, tx, status.ErrNotFound, "WHERE fanned_out_at IS NULL AND due_at <= ? AND channel IN "+
			s.dialect.elements("?")+" ORDER BY priority DESC, due_at, id LIMIT 1"+s.dialect.skipLocked, stamp(now), list(channels))
		if errors.Is(err, status.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		more = true
		if d.BegunAt.IsZero() {
			d.BegunAt = now
		}
		if d.Channel == status.ChannelEmail || d.Channel == status.ChannelWebhooks {
			queued, err = s.deliverToSubscribers(ctx, tx, &d, now)
		} else {
			queued, err = s.deliverToFeed(ctx, tx, &d, recipients[d.Channel], now)
		}
		if err != nil {
			return err
		}
		d.Total += queued
		_, err = dispatches.update(ctx, tx, &d)
		return err
	})
	return queued, more && err == nil, err
}

// deliverToFeed queues the single delivery of a channel without subscribers, or
// one for each of its own recipients.
func (s *Store) deliverToFeed(ctx context.Context, h handle, d *status.Dispatch, recipients []string, now time.Time) (int, error) {
	d.FannedOutAt = now
	one := status.Delivery{
		ID: d.ID, DispatchID: d.ID, Event: d.Event, SubjectID: d.SubjectID, UpdateID: d.UpdateID,
		Channel: d.Channel, Recipient: d.Channel, Joined: d.Joined, Named: d.Named, Priority: d.Priority,
		State: status.Queued, DueAt: now, CreatedAt: d.CreatedAt,
	}
	queue := []status.Delivery{one}
	if recipients != nil {
		queue = nil
	}
	for n, address := range recipients {
		one.ID, one.Recipient = d.ID+"."+strconv.Itoa(n), address
		queue = append(queue, one)
	}
	return deliveries.insert(ctx, h, s.dialect, keep, 0, queue)
}

// deliverToSubscribers queues the deliveries of the next chunk of subscribers.
func (s *Store) deliverToSubscribers(ctx context.Context, h handle, d *status.Dispatch, now time.Time) (int, error) {
	chunk := fanOutChunk
	if d.Reached == "" {
		chunk = firstChunk
	}
	last, err := scalar[string](ctx, h, "SELECT id FROM subscribers WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?", d.Reached, chunk-1)
	if err != nil {
		return 0, err
	}
	from := d.Reached
	until, args := "", []any{}
	if d.Reached = last; last == "" {
		d.FannedOutAt = now
	} else {
		until, args = " AND s.id <= ?", []any{last}
	}
	// The lock keeps a subscriber from leaving between here and the commit,
	// whose deliveries would then survive.
	args = append([]any{
		d.ID + ".", d.ID, string(d.Event), d.SubjectID, d.UpdateID, d.Channel, doc(&d.Joined), d.Priority, stamp(now), stamp(d.CreatedAt),
		from, d.Event.Milestone(), len(d.Components) == 0, list(d.Components),
	}, args...)
	res, err := h.ExecContext(ctx, h.Rebind(`
		INSERT INTO deliveries (id, announcement_id, event, subject_id, update_id, channel, recipient, subscriber_id, token,
			language, time_zone, joined, priority, state, attempt, due_at, created_at, provider_id, last_error)
		SELECT CAST(? AS text) || s.id, ?, ?, ?, ?, ?, s.email, s.id, s.token, s.language, s.time_zone, CAST(? AS text), CAST(? AS bigint),
			'queued', 0, CAST(? AS bigint), CAST(? AS bigint), '', ''
		FROM subscribers AS s
		WHERE s.id > ? AND `+s.wanted(d.Channel)+until+s.dialect.forKeyShare+`
		ON CONFLICT DO NOTHING`), args...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// wanted is the condition that a subscriber s is told of an event on the channel:
// people by mail, programs by webhook. Its
// parameters: whether that is a milestone, whether it concerns everybody, and
// the components as a list.
func (s *Store) wanted(channel string) string {
	elements, program := s.dialect.elements, "s.secret = ''"
	if channel == status.ChannelWebhooks {
		program = "s.secret <> ''"
	}
	return program + ` AND s.confirmed_at IS NOT NULL AND s.suppressed_at IS NULL AND (? OR s.scope <> 'milestones')
		AND (? OR s.components IS NULL OR s.components = '[]'
			OR EXISTS (SELECT 1 FROM ` + elements("s.components") + ` AS c WHERE c.value IN ` + elements("?") + `))`
}

// FinishDispatches closes dispatches of which nothing waits any more, and keeps
// how their deliveries ended.
func (s *Store) FinishDispatches(ctx context.Context) error {
	// An update in an expression is in no index: few wait on the channel when this
	// is asked, and many were sent of the update.
	done, err := dispatches.list(ctx, s.read, `WHERE finished_at IS NULL AND fanned_out_at IS NOT NULL AND NOT EXISTS
		(SELECT 1 FROM deliveries AS d WHERE d.channel = dispatches.channel AND d.state = 'queued' AND d.update_id || '' = dispatches.update_id)`)
	if err != nil || len(done) == 0 {
		return err
	}
	for _, d := range done {
		if err := count(ctx, s.read, &d); err != nil {
			return err
		}
		last, err := earliest(ctx, s.read, "SELECT MAX(sent_at) FROM deliveries WHERE update_id = ? AND channel = ?", d.UpdateID, d.Channel)
		if err != nil {
			return err
		}
		if last.IsZero() {
			last = d.FannedOutAt // nobody to tell, or nobody was reached
		}
		_, err = exec(ctx, s.write, "UPDATE dispatches SET finished_at = ?, total = ?, sent = ?, failed = ?, bounced = ? WHERE id = ? AND finished_at IS NULL",
			stamp(last), d.Total, d.Sent, d.Failed, d.Bounced, d.ID)
		if err != nil {
			return fmt.Errorf("finish a dispatch: %w", err)
		}
	}
	return nil
}

// count fills in how the deliveries of a dispatch stand. Deliveries that were
// deleted because their subscriber left count no more.
func count(ctx context.Context, h handle, d *status.Dispatch) error {
	rows, err := h.QueryxContext(ctx, h.Rebind("SELECT state, COUNT(*) FROM deliveries WHERE update_id = ? AND channel = ? GROUP BY state"), d.UpdateID, d.Channel)
	if err != nil {
		return fmt.Errorf("count deliveries: %w", err)
	}
	defer rows.Close()
	d.Total, d.Sent, d.Failed, d.Bounced = 0, 0, 0, 0
	for rows.Next() {
		var state status.DeliveryState
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return fmt.Errorf("count deliveries: %w", err)
		}
		d.Total += n
		switch state {
		case status.Sent:
			d.Sent = n
		case status.Failed:
			d.Failed = n
		case status.Bounced:
			d.Bounced = n
		}
	}
	return rows.Err()
}

// Dispatches lists what was told, the newest first, about a subject, or all
// when it is "". What is not finished is counted now.
func (s *Store) Dispatches(ctx context.Context, subjectID string, limit int) ([]status.Dispatch, error) {
	where, args := "", []any{}
	if subjectID != "" {
		where, args = "WHERE subject_id = ? ", []any{subjectID}
	}
	tail, args := limited(where+"ORDER BY created_at DESC, id DESC", args, limit)
	found, err := dispatches.list(ctx, s.read, tail, args...)
	for n := range found {
		if err == nil && found[n].FinishedAt.IsZero() {
			err = count(ctx, s.read, &found[n])
		}
	}
	return found, err
}

// Dispatch finds one of them.
func (s *Store) Dispatch(ctx context.Context, id string) (status.Dispatch, error) {
	d, err := dispatches.one(ctx, s.read, status.ErrNotFound, "WHERE id = ?", id)
	if err == nil && d.FinishedAt.IsZero() {
		err = count(ctx, s.read, &d)
	}
	return d, err
}

// DeliveriesOf lists the deliveries of a dispatch in these states, those with
// trouble first.
func (s *Store) DeliveriesOf(ctx context.Context, dispatchID string, states []status.DeliveryState, limit int) ([]status.Delivery, error) {
	tail, args := limited(`WHERE (update_id, channel) IN (SELECT update_id, channel FROM dispatches WHERE id = ?)
		AND state IN `+s.dialect.elements("?")+" ORDER BY last_error = '', state, recipient", []any{dispatchID, list(states)}, limit)
	return deliveries.list(ctx, s.read, tail, args...)
}
