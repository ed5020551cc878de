package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

func subscribe(t *testing.T, s *store.Store, now time.Time, address string, components ...string) status.Subscriber {
	t.Helper()
	sub, err := s.Subscribe(t.Context(), now, address, components)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func TestAnAddressIsAskedOnceADay(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		wake, stop := s.Changed()
		defer stop()
		first := subscribe(t, s, noon, " A@Example.org ", "disk")
		<-wake
		second := subscribe(t, s, noon.Add(24*time.Hour-time.Second), "a@example.org", "net")
		ds := claim(t, s, status.ChannelEmail, noon.Add(30*time.Hour))
		if len(ds) != 1 {
			t.Fatalf("%d mails within a day", len(ds))
		}
		same(t, "the question", ds[0], status.Delivery{
			ID: ds[0].ID, Event: status.EventConfirm, UpdateID: "confirm:" + first.ConfirmToken, Channel: status.ChannelEmail,
			Recipient: "a@example.org", SubscriberID: first.ID, Token: first.ConfirmToken,
			State: status.Queued, Attempt: 1, DueAt: kept.Add(30*time.Hour + time.Minute), CreatedAt: kept,
		})
		if second.ID != first.ID || second.ConfirmToken != first.ConfirmToken || second.Components[0] != "net" {
			t.Errorf("the second wish is %+v", second)
		}
		third := subscribe(t, s, noon.Add(24*time.Hour), "a@example.org")
		if third.ConfirmToken == first.ConfirmToken {
			t.Error("asked again with the same token")
		}
		if ds := claim(t, s, status.ChannelEmail, noon.Add(24*time.Hour)); len(ds) != 1 || ds[0].Token != third.ConfirmToken {
			t.Errorf("after a day: %+v", ds)
		}
	})
}

func TestOneAddressTwiceAtOnceIsOneSubscriber(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, err := s.Subscribe(t.Context(), noon, "a@x", nil); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		subs, err := s.Subscribers(t.Context(), 0)
		if err != nil || len(subs) != 1 {
			t.Errorf("%d subscribers (%v)", len(subs), err)
		}
		if ds := claim(t, s, status.ChannelEmail, noon); len(ds) != 1 {
			t.Errorf("%d mails", len(ds))
		}
	})
}

func TestWhoConfirmedIsNotChangedByAStranger(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		sub := subscribe(t, s, noon, "a@x", "disk")
		if n, err := s.SubscriberCount(ctx); n != 0 || err != nil {
			t.Errorf("%d confirmed (%v)", n, err)
		}
		for _, at := range []time.Time{noon, noon.Add(time.Hour)} { // a second click is fine
			got, err := s.ConfirmSubscriber(ctx, at, sub.ConfirmToken)
			if err != nil || !got.ConfirmedAt.Equal(kept) {
				t.Errorf("confirmed at %v (%v)", got.ConfirmedAt, err)
			}
		}
		claim(t, s, status.ChannelEmail, noon)
		again := subscribe(t, s, noon.Add(100*time.Hour), "a@x", "net")
		if again.Components[0] != "disk" {
			t.Errorf("components became %v", again.Components)
		}
		if ds := claim(t, s, status.ChannelEmail, noon.Add(-time.Hour)); len(ds) != 0 {
			t.Errorf("asked again: %v", ds)
		}
		if n, err := s.SubscriberCount(ctx); n != 1 || err != nil {
			t.Errorf("%d confirmed (%v)", n, err)
		}
	})
}

func TestASubscriberIsFoundByTokensOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		sub := subscribe(t, s, noon, "a@x", "disk")
		byToken, err := s.SubscriberByToken(ctx, sub.Token)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "by token", byToken, sub)
		byConfirm, err := s.SubscriberByConfirmToken(ctx, sub.ConfirmToken)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "by confirm token", byConfirm, sub)
		for _, wrong := range []string{"", "x", sub.ID, sub.ConfirmToken} {
			if _, err := s.SubscriberByToken(ctx, wrong); !errors.Is(err, status.ErrNotFound) {
				t.Errorf("%q: %v", wrong, err)
			}
		}
		if _, err := s.SubscriberByConfirmToken(ctx, sub.Token); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("the other token confirms: %v", err)
		}
		if _, err := s.ConfirmSubscriber(ctx, noon, "x"); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("an unknown token confirms: %v", err)
		}
		sub.Components = nil
		if err := s.SaveSubscriber(ctx, sub); err != nil {
			t.Fatal(err)
		}
		if got, err := s.SubscriberByToken(ctx, sub.Token); err != nil || got.Components != nil {
			t.Errorf("components %v (%v)", got.Components, err)
		}
		if err := s.SaveSubscriber(ctx, status.Subscriber{ID: "nobody"}); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("saving nobody: %v", err)
		}
	})
}

func TestUnsubscribingForgetsAndMayBeRepeated(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		gone := member(t, s, "gone@x")
		member(t, s, "stays@x")
		announce(t, s, announcement("u1"))
		fanOut(t, s, noon, email)
		for range 2 {
			if err := s.Unsubscribe(ctx, gone.Token); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Unsubscribe(ctx, "unknown"); err != nil {
			t.Errorf("an unknown token: %v", err)
		}
		same(t, "mails", recipients(claim(t, s, status.ChannelEmail, noon)), map[string]int{"stays@x": 1})
		if _, err := s.SubscriberByToken(ctx, gone.Token); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("still known: %v", err)
		}
	})
}
