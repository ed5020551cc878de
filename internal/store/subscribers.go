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
			{"scope", &s.Scope},
			{"language", &s.Language},
			{"time_zone", &s.TimeZone},
			{"token", &s.Token},
			{"confirmed_at", at(&s.ConfirmedAt)},
			{"created_at", at(&s.CreatedAt)},
			{"confirm_sent_at", at(&s.ConfirmSentAt)},
			{"confirm_token", &s.ConfirmToken},
			{"suppressed_at", at(&s.SuppressedAt)},
			{"suppressed_why", &s.SuppressedWhy},
			{"secret", &s.Secret},
			{"contact", &s.Contact},
		}
	},
}

// confirmEvery is how often an address may be written to because somebody
// typed it: anybody can type anybody's address.
const confirmEvery = 24 * time.Hour

// Subscribe notes the wish of an address (of the Subscriber, the email, the
// components, scope, language and time zone are read) and, at most once a day,
// queues the mail that asks whether it was really theirs. For an address that
// gets mail already it changes nothing, because preferences change through the
// token only; the mail then says where.
func (s *Store) Subscribe(ctx context.Context, now time.Time, wish status.Subscriber) (status.Subscriber, error) {
	var sub status.Subscriber
	asked := false
	err := inTx(ctx, s.write, func(tx *sqlx.Tx) (err error) {
		sub = wish
		sub.ID, sub.Email, sub.Token, sub.ConfirmToken, sub.CreatedAt = rand.Text(), address(wish.Email), rand.Text(), rand.Text(), now
		if _, err = subscribers.insert(ctx, tx, s.dialect, keep, 0, []status.Subscriber{sub}); err != nil {
			return err
		}
		sub, err = subscribers.one(ctx, tx, status.ErrNotFound, "WHERE email = ?"+s.dialect.forUpdate, sub.Email)
		if err != nil {
			return err
		}
		if !sub.Active() {
			sub.Components, sub.Scope, sub.Language, sub.TimeZone = wish.Components, wish.Scope, wish.Language, wish.TimeZone
		}
		if asked = sub.ConfirmSentAt.IsZero() || now.Sub(sub.ConfirmSentAt) >= confirmEvery; asked {
			sub.ConfirmSentAt = trim(now)
			if !sub.Active() {
				sub.ConfirmToken = rand.Text()
			}
			if _, err := deliveries.insert(ctx, tx, s.dialect, keep, 0, []status.Delivery{question(sub, now)}); err != nil {
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

// question is the mail that answers a wish to subscribe.
func question(sub status.Subscriber, now time.Time) status.Delivery {
	d := status.Delivery{
		Event: status.EventConfirm, UpdateID: "confirm:" + sub.ConfirmToken, Token: sub.ConfirmToken,
		Channel: sub.Channel(), Recipient: sub.Email, SubscriberID: sub.ID, Language: sub.Language, TimeZone: sub.TimeZone,
		Priority: status.PriorityAsked, State: status.Queued, DueAt: now, CreatedAt: now,
	}
	if sub.Active() {
		d.Event, d.UpdateID, d.Token = status.EventSubscribed, "subscribed:"+rand.Text(), sub.Token
	}
	d.ID = d.UpdateID
	return d
}

// address is an e-mail address in the one form under which it is kept.
func address(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// SubscriberByConfirmToken finds who was asked to confirm with this token.
func (s *Store) SubscriberByConfirmToken(ctx context.Context, token string) (status.Subscriber, error) {
	return subscribers.one(ctx, s.read, status.ErrNotFound, "WHERE confirm_token = ?", token)
}

// ConfirmSubscriber makes a subscription count, also one whose mail had come
// back. A second click changes nothing.
func (s *Store) ConfirmSubscriber(ctx context.Context, now time.Time, confirmToken string) (status.Subscriber, error) {
	var sub status.Subscriber
	err := inTx(ctx, s.write, func(tx *sqlx.Tx) (err error) {
		_, err = exec(ctx, tx, `UPDATE subscribers SET confirmed_at = COALESCE(confirmed_at, ?), suppressed_at = NULL, suppressed_why = ''
			WHERE confirm_token = ? AND (confirmed_at IS NULL OR suppressed_at IS NOT NULL)`, stamp(now), confirmToken)
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

// SaveSubscriber saves what a subscriber wants to hear, and how.
func (s *Store) SaveSubscriber(ctx context.Context, sub status.Subscriber) error {
	return found(exec(ctx, s.write, "UPDATE subscribers SET components = ?, scope = ?, language = ?, time_zone = ? WHERE id = ?",
		doc(&sub.Components), string(sub.Scope), sub.Language, sub.TimeZone, sub.ID))
}

// ChangeSubscriber changes what a subscriber wants to hear. Nobody else changes
// it between what fn sees and what it returns.
func (s *Store) ChangeSubscriber(ctx context.Context, id string, fn func(status.Subscriber) (status.Subscriber, error)) (sub status.Subscriber, err error) {
	err = inTx(ctx, s.write, func(tx *sqlx.Tx) error {
		if sub, err = subscribers.one(ctx, tx, status.ErrNotFound, "WHERE id = ?"+s.dialect.forUpdate, id); err != nil {
			return err
		}
		if sub, err = fn(sub); err != nil {
			return err
		}
		_, err = subscribers.update(ctx, tx, &sub)
		return err
	})
	return sub, err
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
	if _, err := s.forget(ctx, "token = ?", token); err != nil {
		return fmt.Errorf("unsubscribe: %w", err)
	}
	return nil
}

// EraseSubscriber forgets a subscriber, also where a delivery names them.
func (s *Store) EraseSubscriber(ctx context.Context, id string) error {
	gone, err := s.forget(ctx, "id = ?", id)
	if err != nil {
		return fmt.Errorf("erase a subscriber: %w", err)
	}
	return found(gone, nil)
}

func (s *Store) forget(ctx context.Context, where, arg string) (gone bool, err error) {
	err = inTx(ctx, s.write, func(tx *sqlx.Tx) error {
		sub, err := subscribers.returning(ctx, tx, "DELETE FROM subscribers WHERE "+where, arg)
		if err != nil || len(sub) == 0 {
			return err
		}
		gone = true
		if _, err = exec(ctx, tx, "UPDATE subscribers SET contact = '' WHERE contact = ?", sub[0].Email); err != nil {
			return err
		}
		if _, err = exec(ctx, tx, "DELETE FROM deliveries WHERE subscriber_id = ? AND state = 'queued'", sub[0].ID); err != nil {
			return err
		}
		// That a message was sent stays countable, to whom does not.
		_, err = exec(ctx, tx, `UPDATE deliveries SET recipient = 'forgotten ' || subscriber_id, token = '', provider_id = '', last_error = ''
			WHERE subscriber_id = ?`, sub[0].ID)
		return err
	})
	return gone, err
}

// Subscribers lists subscribers, the newest first, whose address contains the
// text.
func (s *Store) Subscribers(ctx context.Context, text string, limit int) ([]status.Subscriber, error) {
	tail, args := limited("WHERE email LIKE ? ESCAPE '!' ORDER BY created_at DESC, id DESC", []any{containing(text)}, limit)
	return subscribers.list(ctx, s.read, tail, args...)
}

// containing is a LIKE pattern for addresses that hold the text.
func containing(text string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(address(text)) + "%"
}

// EachSubscriber hands all subscribers over in pages, in the order of their
// ids, until fn fails.
func (s *Store) EachSubscriber(ctx context.Context, fn func([]status.Subscriber) error) error {
	for after := ""; ; {
		some, err := subscribers.list(ctx, s.read, "WHERE id > ? ORDER BY id LIMIT 1000", after)
		if err != nil || len(some) == 0 {
			return err
		}
		if err := fn(some); err != nil {
			return err
		}
		after = some[len(some)-1].ID
	}
}

// SubscriberCount counts those who get mail.
func (s *Store) SubscriberCount(ctx context.Context) (active int, err error) {
	return scalar[int](ctx, s.read, "SELECT COUNT(*) FROM subscribers WHERE secret = '' AND confirmed_at IS NOT NULL AND suppressed_at IS NULL")
}

// Audience counts all subscribers by how they stand.
func (s *Store) Audience(ctx context.Context) (a status.Audience, err error) {
	err = s.read.QueryRowxContext(ctx, `SELECT COUNT(CASE WHEN secret = '' THEN 1 END),
			COUNT(CASE WHEN secret = '' AND confirmed_at IS NOT NULL AND suppressed_at IS NULL THEN 1 END),
			COUNT(CASE WHEN secret = '' AND suppressed_at IS NOT NULL THEN 1 END),
			COUNT(CASE WHEN secret <> '' AND confirmed_at IS NOT NULL AND suppressed_at IS NULL THEN 1 END),
			COUNT(CASE WHEN secret <> '' AND suppressed_at IS NOT NULL THEN 1 END)
		FROM subscribers`).Scan(&a.Total, &a.Active, &a.Suppressed, &a.Webhooks, &a.WebhooksStopped)
	if err != nil {
		return a, fmt.Errorf("count subscribers: %w", err)
	}
	return a, nil
}

// Recipients counts whom an event about the components would reach by mail.
func (s *Store) Recipients(ctx context.Context, event status.Event, components []string) (int, error) {
	return s.reached(ctx, status.ChannelEmail, event, components)
}

func (s *Store) reached(ctx context.Context, channel string, event status.Event, components []string) (int, error) {
	return scalar[int](ctx, s.read, `SELECT COUNT(*) FROM subscribers AS s WHERE `+s.wanted(channel), event.Milestone(), len(components) == 0, list(components))
}
