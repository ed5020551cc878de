package store_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

func passkey(id, account string) status.Passkey {
	return status.Passkey{ID: id, AccountID: account, Name: "Key " + id, PublicKey: "pk", Transports: "usb,nfc", SignCount: 4, Synced: true, CreatedAt: noon.Truncate(time.Millisecond)}
}

func TestAPasskeyIsKeptUsedAndForgotten(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		create(t, s, account("1", "a@x"))
		create(t, s, account("2", "b@x"))
		one := passkey("k1", "1")
		for _, p := range []status.Passkey{one, passkey("k2", "1")} {
			if err := s.AddPasskey(ctx, p, 2); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.AddPasskey(ctx, passkey("k3", "1"), 2); !errors.Is(err, status.ErrConflict) {
			t.Errorf("one too many: %v", err)
		}
		if err := s.AddPasskey(ctx, passkey("k1", "2"), 2); !errors.Is(err, status.ErrConflict) {
			t.Errorf("the passkey of somebody else: %v", err)
		}
		got, err := s.Passkey(ctx, "k1")
		if err != nil {
			t.Fatal(err)
		}
		same(t, "passkey", got, one)
		counts, err := s.PasskeyCounts(ctx)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "counts", counts, map[string]int{"1": 2})

		if err := s.RemovePasskey(ctx, "2", "k1"); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("somebody else removes it: %v", err)
		}
		if err := s.RemovePasskey(ctx, "1", "k1"); err != nil {
			t.Error(err)
		}
		if list, err := s.Passkeys(ctx, "1"); err != nil || len(list) != 1 || list[0].ID != "k2" {
			t.Errorf("left are %v, %v", list, err)
		}
		if err := s.RemovePasskeys(ctx, "1"); err != nil {
			t.Error(err)
		}
		if _, err := s.Passkey(ctx, "k2"); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("after all were removed: %v", err)
		}
	})
}

func TestACounterGrowsOrStaysAtNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		create(t, s, account("1", "a@x"))
		p := passkey("k", "1")
		never := passkey("never", "1")
		never.SignCount = 0
		for _, p := range []status.Passkey{p, never} {
			if err := s.AddPasskey(ctx, p, 9); err != nil {
				t.Fatal(err)
			}
		}
		use := func(p status.Passkey, count int64) bool {
			p.SignCount, p.LastUsedAt = count, noon
			ok, err := s.UsePasskey(ctx, p)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		for _, tt := range []struct {
			p     status.Passkey
			count int64
			want  bool
		}{{p, 4, false}, {p, 3, false}, {p, 0, false}, {p, 5, true}, {p, 5, false}, {never, 0, true}, {never, 0, true}, {never, 1, true}, {never, 0, false}} {
			if got := use(tt.p, tt.count); got != tt.want {
				t.Errorf("%s with %d: %v", tt.p.ID, tt.count, got)
			}
		}
		var taken atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if use(p, 6) {
					taken.Add(1)
				}
			})
		}
		all.Wait()
		if taken.Load() != 1 {
			t.Errorf("one count was taken %d times", taken.Load())
		}
	})
}
