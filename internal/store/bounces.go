package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/statusbridge/statusbridge/internal/status"
)

// RecordBounce notes that a mail came back: its delivery did not arrive after
// all, and when the address is dead, or its owner calls us spam, nothing more
// is sent there. A report about an address that nobody here knows is
// ErrNotFound.
func (s *Store) RecordBounce(ctx context.Context, now time.Time, b status.Bounce) error {
	err := inTx(ctx, s.write, func(tx *sqlx.Tx) error {
		sub, d, err := s.bounced(ctx, tx, b)
		if err != nil {
			return err
		}
		if b.Suppresses() {
			if err := suppress(ctx, tx, "id = ?", sub.ID, now, b.Reason); err != nil {
				return err
			}
		}
		if d.ID == "" || b.Complaint {
			return nil // a complaint says that it arrived
		}
		if _, err := exec(ctx, tx, "UPDATE deliveries SET state = 'bounced', last_error = ? WHERE id = ?", b.Reason, d.ID); err != nil {
			return err
		}
		return recount(ctx, tx, d)
	})
	if err != nil {
		return fmt.Errorf("record a bounce: %w", err)
	}
	return nil
}

// bounced finds whom a report is about and, if it can be told, which delivery:
// the one it names, else the last one that left.
func (s *Store) bounced(ctx context.Context, h handle, b status.Bounce) (status.Subscriber, status.Delivery, error) {
	where, arg := "WHERE email = ?", address(b.Address)
	var named status.Delivery
	if b.DeliveryID != "" {
		var err error
		if named, err = deliveries.one(ctx, h, status.ErrNotFound, "WHERE id = ?", b.DeliveryID); err == nil {
			where, arg = "WHERE id = ?", named.SubscriberID
		} else if !errors.Is(err, status.ErrNotFound) {
			return status.Subscriber{}, named, err
		}
	}
	sub, err := subscribers.one(ctx, h, status.ErrNotFound, where+s.dialect.forUpdate, arg)
	if err != nil || named.ID != "" {
		return sub, named, err
	}
	last, err := deliveries.one(ctx, h, status.ErrNotFound, "WHERE subscriber_id = ? AND state = 'sent' ORDER BY sent_at DESC, created_at DESC, id DESC LIMIT 1", sub.ID)
	if errors.Is(err, status.ErrNotFound) {
		err = nil
	}
	return sub, last, err
}

// recount brings the kept counts of a finished dispatch up to date.
func recount(ctx context.Context, h handle, d status.Delivery) error {
	if d.DispatchID == "" {
		return nil
	}
	of := status.Dispatch{UpdateID: d.UpdateID, Channel: d.Channel}
	if err := count(ctx, h, &of); err != nil {
		return err
	}
	_, err := exec(ctx, h, "UPDATE dispatches SET total = ?, sent = ?, failed = ?, bounced = ? WHERE update_id = ? AND channel = ? AND finished_at IS NOT NULL",
		of.Total, of.Sent, of.Failed, of.Bounced, of.UpdateID, of.Channel)
	return err
}
