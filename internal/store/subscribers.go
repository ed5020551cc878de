package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/statusbridge/statusbridge/internal/status"
)

var subscribers = table[status.Subscriber]{
	name: "subscribers", key: []string{"id"},
	columns: func(s *status.Subscriber) []column {
		return []column{
			{"id", &s.ID},
			{"email", &s.Email},
			{"components", doc(&s.Components)},
			{"token", &s.Token},
			{"confirmed_at", at(&s.ConfirmedAt)},
			{"created_at", at(&s.CreatedAt)},
			{"confirm_sent_at", at(&s.ConfirmSentAt)},
			{"confirm_token", &s.ConfirmToken},
		}
	},
}

// confirmEvery is how often an address may be asked whether it subscribed:
// anybody can type anybody's address.
const confirmEvery = 24 * time.Hour

// Subscribe notes the wish of an address and, at most once a day, queues the
// mail that asks whether it was really theirs. For an address that is confirmed
// already it changes nothing: preferences change through the token only.
func (s *Store) Subscribe(ctx context.Context, now time.Time, email string, components []string) (status.Subscriber, error) {
	var sub status.Subscriber
	asked := false
	err := inTx(ctx, s.write, func(tx *sqlx.Tx) (err error) {
		sub = status.Subscriber{
			ID: rand.Text(), Email: address(email), Token: rand.Text(), ConfirmToken: rand.Text(), CreatedAt: now,
		}
		if _, err = subscribers.insert(ctx, tx, s.dialect, keep, 0, []status.Subscriber{sub}); err != nil {
			return err
		}
		sub, err = subscribers.one(ctx, tx, status.ErrNotFound, "WHERE email = ?"+s.dialect.forUpdate, sub.Email)
		if err != nil || !sub.ConfirmedAt.IsZero() {
			return err
		}
		sub.Components = components
		if asked = sub.ConfirmSentAt.IsZero() || now.Sub(sub.ConfirmSentAt) >= confirmEvery; asked {
			sub.ConfirmToken, sub.ConfirmSentAt = rand.Text(), trim(now)
			if err := s.queueConfirmation(ctx, tx, sub, now); err != nil {
				return err
			}
		}
		_, err = subscribers.update(ctx, tx, &sub)
		return err
	})
	if err != nil {
		return status.Subscriber{}, fmt.Errorf("subscribe: %w", err)
	}
	if asked {
		s.wakes.saved(0)
	}
	return sub, nil
}

func (s *Store) queueConfirmation(ctx context.Context, h handle, sub status.Subscriber, now time.Time) error {
	update := "confirm:" + sub.ConfirmToken
	_, err := deliveries.insert(ctx, h, s.dialect, keep, 0, []status.Delivery{{
		ID: update, Event: status.EventConfirm, UpdateID: update, Channel: status.ChannelEmail,
		Recipient: sub.Email, SubscriberID: sub.ID, Token: sub.ConfirmToken,
		State: status.Queued, DueAt: now, CreatedAt: now,
	}})
	return err
}

// address is an e-mail address in the one form under which it is kept.
func address(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// SubscriberByConfirmToken finds who was asked to confirm with this token.
func (s *Store) SubscriberByConfirmToken(ctx context.Context, token string) (status.Subscriber, error) {
	return subscribers.one(ctx, s.read, status.ErrNotFound, "WHERE confirm_token = ?", token)
}

// ConfirmSubscriber makes a subscription count. A second click changes nothing.
func (s *Store) ConfirmSubscriber(ctx context.Context, now time.Time, confirmToken string) (status.Subscriber, error) {
	var sub status.Subscriber
	err := inTx(ctx, s.write, func(tx *sqlx.Tx) (err error) {
		_, err = exec(ctx, tx, "UPDATE subscribers SET confirmed_at = ? WHERE confirm_token = ? AND confirmed_at IS NULL",
			stamp(now), confirmToken)
		if err != nil {
			return err
		}
		sub, err = subscribers.one(ctx, tx, status.ErrNotFound, "WHERE confirm_token = ?", confirmToken)
		return err
	})
	return sub, err
}

// SubscriberByToken finds a subscriber by the token in their mails.
func (s *Store) SubscriberByToken(ctx context.Context, token string) (status.Subscriber, error) {
	return subscribers.one(ctx, s.read, status.ErrNotFound, "WHERE token = ?", token)
}

// SaveSubscriber saves which components a subscriber cares for.
func (s *Store) SaveSubscriber(ctx context.Context, sub status.Subscriber) error {
	return found(exec(ctx, s.write, "UPDATE subscribers SET components = ? WHERE id = ?", doc(&sub.Components), sub.ID))
}

// found turns "no such row" into ErrNotFound.
func found(touched bool, err error) error {
	if err == nil && !touched {
		return status.ErrNotFound
	}
	return err
}

// Unsubscribe forgets a subscriber and what was queued for them. A token that
// is not known is fine: the mail may have been clicked twice.
func (s *Store) Unsubscribe(ctx context.Context, token string) error {
	err := inTx(ctx, s.write, func(tx *sqlx.Tx) error {
		sub, err := subscribers.returning(ctx, tx, "DELETE FROM subscribers WHERE token = ?", token)
		if err != nil || len(sub) == 0 {
			return err
		}
		_, err = exec(ctx, tx, "DELETE FROM deliveries WHERE subscriber_id = ? AND state = 'queued'", sub[0].ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("unsubscribe: %w", err)
	}
	return nil
}

// Subscribers lists subscribers, the newest first.
func (s *Store) Subscribers(ctx context.Context, limit int) ([]status.Subscriber, error) {
	tail, args := limited("ORDER BY created_at DESC, id DESC", nil, limit)
	return subscribers.list(ctx, s.read, tail, args...)
}

// SubscriberCount counts those who confirmed.
func (s *Store) SubscriberCount(ctx context.Context) (confirmed int, err error) {
	return scalar[int](ctx, s.read, "SELECT COUNT(*) FROM subscribers WHERE confirmed_at IS NOT NULL")
}
