package store_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

func subscribe(t *testing.T, s *store.Store, now time.Time, address string, components ...string) status.Subscriber {
	t.Helper()
	sub, err := s.Subscribe(t.Context(), now, status.Subscriber{Email: address, Components: components})
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
			Priority: status.PriorityAsked, State: status.Queued, Attempt: 1, DueAt: kept.Add(30*time.Hour + time.Minute), CreatedAt: kept,
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
				if _, err := s.Subscribe(t.Context(), noon, status.Subscriber{Email: "a@x"}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		subs, err := s.Subscribers(t.Context(), "", 0)
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

func TestAnAddressThatGetsMailIsToldWhereItsPreferencesAreOnceADay(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		sub := member(t, s, "a@x", "disk")
		subscribe(t, s, noon.Add(time.Hour), "a@x", "net")
		if ds := claim(t, s, status.ChannelEmail, noon.Add(time.Hour)); len(ds) != 0 {
			t.Errorf("written to within a day: %+v", ds)
		}
		got := subscribe(t, s, noon.Add(25*time.Hour), "a@x", "net")
		same(t, "components, which only the token changes", got.Components, []string{"disk"})
		ds := claim(t, s, status.ChannelEmail, noon.Add(25*time.Hour))
		if len(ds) != 1 || ds[0].Event != status.EventSubscribed || ds[0].Token != sub.Token {
			t.Errorf("written to with %+v", ds)
		}
	})
}

func TestAnImportAddsWhoIsNewAndLeavesTheOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		here := member(t, s, "here@x", "disk")
		rows := []status.Subscriber{
			{Email: "Here@x", Components: []string{"net"}},
			{Email: "new@x", Components: []string{"net"}, Scope: status.ScopeMilestones, Language: "de", TimeZone: "Europe/Berlin"},
			{Email: "new@x"},
		}
		if n, err := s.Import(t.Context(), noon, rows, true, true); n != 1 || err != nil {
			t.Errorf("a dry run counts %d (%v)", n, err)
		}
		if n, err := s.Import(t.Context(), noon, rows, true, false); n != 1 || err != nil {
			t.Errorf("added %d (%v)", n, err)
		}
		all, err := s.Subscribers(t.Context(), "NEW", 10)
		if err != nil || len(all) != 1 {
			t.Fatalf("found %+v (%v)", all, err)
		}
		if got := all[0]; !got.Active() || got.Scope != status.ScopeMilestones || got.Language != "de" || got.TimeZone != "Europe/Berlin" || got.Components[0] != "net" {
			t.Errorf("imported %+v", got)
		}
		if got, err := s.SubscriberByToken(t.Context(), here.Token); err != nil || got.Components[0] != "disk" {
			t.Errorf("who was here is %+v (%v)", got, err)
		}
		if n, err := s.Import(t.Context(), noon, []status.Subscriber{{Email: "ask@x"}}, false, false); n != 1 || err != nil {
			t.Errorf("added %d (%v)", n, err)
		}
		if ds := claim(t, s, status.ChannelEmail, noon); len(ds) != 1 || ds[0].Event != status.EventConfirm || ds[0].Recipient != "ask@x" {
			t.Errorf("asked with %+v", ds)
		}
		a, err := s.Audience(t.Context())
		if same(t, "audience", a, status.Audience{Total: 3, Active: 2}); err != nil {
			t.Error(err)
		}
	})
}

func TestWhoIsErasedIsNamedNowhere(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		sub := member(t, s, "gone@x")
		announce(t, s, announcement("u1"), announcement("u2"))
		fanOut(t, s, noon, []string{status.ChannelEmail})
		d := claim(t, s, status.ChannelEmail, noon)[0]
		if err := s.MarkSent(t.Context(), d.ID, 1, "accepted for gone@x", noon); err != nil {
			t.Fatal(err)
		}
		if err := s.EraseSubscriber(t.Context(), sub.ID); err != nil {
			t.Fatal(err)
		}
		for _, d := range deliveriesOf(t, s) {
			if d.State == status.Queued || strings.Contains(d.Recipient+d.ProviderID+d.LastError, "gone@x") || d.Token != "" {
				t.Errorf("left: %+v", d)
			}
		}
		if err := s.EraseSubscriber(t.Context(), sub.ID); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("a second time: %v", err)
		}
	})
}

func TestTheReachOfAnEventIsCountedAsItIsFannedOut(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "all@x")
		disk := member(t, s, "disk@x", "disk")
		disk.Scope = status.ScopeMilestones
		if err := s.SaveSubscriber(t.Context(), disk); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			event      status.Event
			components []string
			want       int
		}{{status.EventOpen, []string{"disk"}, 2}, {status.EventUpdate, []string{"disk"}, 1}, {status.EventOpen, []string{"net"}, 1}, {status.EventOpen, nil, 2}} {
			if n, err := s.Recipients(t.Context(), c.event, c.components); n != c.want || err != nil {
				t.Errorf("%s %v reaches %d (%v), want %d", c.event, c.components, n, err, c.want)
			}
		}
	})
}
