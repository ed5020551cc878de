package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/statusbridge/statusbridge/internal/status"
)

// mostChallenges is how many requests to confirm one host gets within
// confirmEvery: anybody can type anybody's address.
const mostChallenges = 20

// SubscribeWebhook notes the wish of a program (of the Subscriber, the address,
// an https URL, the components, the scope and the contact are read), gives it a secret, and
// queues the request by which whoever reads what arrives there confirms it. An
// address may have several subscriptions: nobody learns whether it has one.
func (s *Store) SubscribeWebhook(ctx context.Context, now time.Time, wish status.Subscriber) (status.Subscriber, error) {
	at, err := url.Parse(wish.Email)
	if err != nil || at.Host == "" {
		return status.Subscriber{}, status.Invalid{Field: "endpoint", Message: "is no address"}
	}
	sub := wish
	sub.Contact = address(wish.Contact)
	sub.ID, sub.Token, sub.ConfirmToken, sub.Secret = rand.Text(), rand.Text(), rand.Text(), "whsec_"+rand.Text()+rand.Text()
	sub.CreatedAt, sub.ConfirmSentAt = trim(now), trim(now)
	at.Fragment = sub.ID
	sub.Email = at.String()
	err = inTx(ctx, s.write, func(tx *sqlx.Tx) error {
		host := at.Scheme + "://" + at.Host + "/"
		asked, err := scalar[int](ctx, tx, "SELECT COUNT(*) FROM subscribers WHERE secret <> '' AND confirm_sent_at > ? AND substr(email, 1, ?) = ?",
			stamp(now.Add(-confirmEvery)), len(host), host)
		if err != nil {
			return err
		}
		if asked >= mostChallenges {
			return status.ErrAskedOften
		}
		if _, err := subscribers.insert(ctx, tx, s.dialect, keep, 0, []status.Subscriber{sub}); err != nil {
			return err
		}
		_, err = deliveries.insert(ctx, tx, s.dialect, keep, 0, []status.Delivery{question(sub, now)})
		return err
	})
	if err != nil {
		return status.Subscriber{}, fmt.Errorf("subscribe a webhook: %w", err)
	}
	s.wakes.saved(0)
	return sub, nil
}

// Programs counts whom an event about the components would reach by webhook.
func (s *Store) Programs(ctx context.Context, event status.Event, components []string) (int, error) {
	return s.reached(ctx, status.ChannelWebhooks, event, components)
}

// webhooksSubscribed reports whether any program listens.
func (s *Store) webhooksSubscribed(ctx context.Context, h handle) (bool, error) {
	id, err := scalar[string](ctx, h, "SELECT id FROM subscribers WHERE secret <> '' AND confirmed_at IS NOT NULL AND suppressed_at IS NULL LIMIT 1")
	return id != "", err
}

// tellContact queues the mail to whoever is to know that a program was stopped,
// one for each time, and to one address in a day. Only who confirmed to get mail
// of this page gets it: anybody can name anybody as a contact.
func (s *Store) tellContact(ctx context.Context, h handle, deliveryID string, now time.Time) error {
	program, err := subscribers.one(ctx, h, status.ErrNotFound, `WHERE secret <> '' AND contact <> '' AND suppressed_at IS NOT NULL
		AND id = (SELECT subscriber_id FROM deliveries WHERE id = ?)`, deliveryID)
	if errors.Is(err, status.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	person, err := subscribers.one(ctx, h, status.ErrNotFound, "WHERE email = ? AND secret = '' AND confirmed_at IS NOT NULL AND suppressed_at IS NULL", program.Contact)
	if errors.Is(err, status.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	told, err := scalar[int](ctx, h, "SELECT COUNT(*) FROM deliveries WHERE subscriber_id = ? AND event = ? AND created_at > ?",
		person.ID, string(status.EventStopped), stamp(now.Add(-confirmEvery)))
	if err != nil || told > 0 {
		return err
	}
	id := fmt.Sprintf("stopped:%s.%d", program.ID, program.SuppressedAt.UnixMilli())
	_, err = deliveries.insert(ctx, h, s.dialect, keep, 0, []status.Delivery{{
		ID: id, Event: status.EventStopped, UpdateID: id, SubjectID: program.ID, Token: person.Token, Channel: status.ChannelEmail,
		Recipient: person.Email, SubscriberID: person.ID, Language: person.Language, TimeZone: person.TimeZone,
		Priority: status.PriorityNormal, State: status.Queued, DueAt: trim(now), CreatedAt: trim(now),
	}})
	return err
}
