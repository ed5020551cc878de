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

func TestAnAuthenticatorIsProposedThenUsedThenStays(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		create(t, s, account("1", "a@x"))
		for _, secret := range []string{"OLD", "NEW"} {
			if err := s.ProposeAuthenticator(ctx, "1", secret); err != nil {
				t.Fatal(err)
			}
		}
		a := status.Authenticator{AccountID: "1", Secret: "OLD", Since: time.UnixMilli(1000).UTC(), LastStep: 7}
		if err := s.ConfirmAuthenticator(ctx, a, []string{"h1"}); !errors.Is(err, status.ErrConflict) {
			t.Errorf("a secret that was replaced: %v", err)
		}
		if ok, err := s.TakeStep(ctx, "1", 8); ok || err != nil {
			t.Errorf("a step of one that is only proposed: %v %v", ok, err)
		}
		a.Secret = "NEW"
		if err := s.ConfirmAuthenticator(ctx, a, []string{"h1", "h2"}); err != nil {
			t.Fatal(err)
		}
		if err := s.ProposeAuthenticator(ctx, "1", "OTHER"); !errors.Is(err, status.ErrConflict) {
			t.Errorf("one in use is replaced: %v", err)
		}
		got, err := s.Authenticator(ctx, "1")
		if err != nil {
			t.Fatal(err)
		}
		same(t, "authenticator", got, a)
		if err := s.RemoveAuthenticator(ctx, "1"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Authenticator(ctx, "1"); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("after it was removed: %v", err)
		}
		if n, err := s.RecoveryCodes(ctx, "1"); n != 0 || err != nil {
			t.Errorf("%d recovery codes stay, %v", n, err)
		}
	})
}

func TestACodeShownManyTimesAtOnceIsTakenOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		create(t, s, account("1", "a@x"))
		if err := s.ProposeAuthenticator(ctx, "1", "S"); err != nil {
			t.Fatal(err)
		}
		if err := s.ConfirmAuthenticator(ctx, status.Authenticator{AccountID: "1", Secret: "S", Since: time.UnixMilli(1000), LastStep: 7}, []string{"h"}); err != nil {
			t.Fatal(err)
		}
		var steps, codes, challenges atomic.Int32
		if err := s.SaveChallenge(ctx, time.UnixMilli(1000), status.Challenge{IDHash: "c", Purpose: "p", ExpiresAt: time.UnixMilli(5000)}); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if ok, err := s.TakeStep(ctx, "1", 8); err != nil {
					t.Error(err)
				} else if ok {
					steps.Add(1)
				}
				if ok, err := s.TakeRecoveryCode(ctx, "1", "h"); err != nil {
					t.Error(err)
				} else if ok {
					codes.Add(1)
				}
				if _, err := s.TakeChallenge(ctx, "c", "p", time.UnixMilli(4000)); err == nil {
					challenges.Add(1)
				} else if !errors.Is(err, status.ErrNotFound) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if steps.Load() != 1 || codes.Load() != 1 || challenges.Load() != 1 {
			t.Errorf("taken %d, %d and %d times", steps.Load(), codes.Load(), challenges.Load())
		}
	})
}

func TestAChallengeIsForItsPurposeAndItsTime(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		c := status.Challenge{IDHash: "c", Purpose: "one", AccountID: "1", Data: "/admin", ExpiresAt: time.UnixMilli(5000).UTC()}
		if err := s.SaveChallenge(ctx, time.UnixMilli(1000), c); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Challenge(ctx, "c", "another", time.UnixMilli(4000)); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("for another purpose: %v", err)
		}
		if _, err := s.TakeChallenge(ctx, "c", "one", time.UnixMilli(5000)); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("after its time: %v", err)
		}
		got, err := s.Challenge(ctx, "c", "one", time.UnixMilli(4999))
		if err != nil {
			t.Fatal(err)
		}
		same(t, "challenge", got, c)
		// The next one sweeps it out.
		if err := s.SaveChallenge(ctx, time.UnixMilli(5001), status.Challenge{IDHash: "d", Purpose: "one", ExpiresAt: time.UnixMilli(9000)}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Challenge(ctx, "c", "one", time.UnixMilli(0)); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("kept after its time: %v", err)
		}
	})
}
