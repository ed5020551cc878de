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

func account(id, email string) status.Account {
	a := filled[status.Account](id)
	a.ID, a.Email, a.Role = id, email, status.Responder
	return a
}

func create(t *testing.T, s *store.Store, a status.Account) {
	t.Helper()
	if err := s.CreateAccount(t.Context(), a); err != nil {
		t.Fatal(err)
	}
}

func TestAnAccountComesBackWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		a, b := account("1", "a@x"), account("2", "b@x")
		b.LastLoginAt = time.Time{}
		create(t, s, b)
		create(t, s, a)
		got, err := s.AccountByEmail(ctx, " A@X")
		if err != nil {
			t.Fatal(err)
		}
		same(t, "by address", got, a)
		if got, err = s.AccountByID(ctx, "2"); err != nil {
			t.Fatal(err)
		}
		same(t, "by id", got, b)
		all, err := s.Accounts(ctx)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "all", all, []status.Account{a, b})
	})
}

func TestAnAddressHasOneAccount(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		create(t, s, account("1", "a@x"))
		create(t, s, account("2", "b@x"))
		var invalid status.Invalid
		if err := s.CreateAccount(t.Context(), account("3", "A@x")); !errors.As(err, &invalid) || invalid.Field != "email" {
			t.Errorf("a taken address at creation: %v", err)
		}
		invalid = status.Invalid{}
		if err := s.SaveAccount(t.Context(), account("2", "a@x")); !errors.As(err, &invalid) || invalid.Field != "email" {
			t.Errorf("a taken address at saving: %v", err)
		}
	})
}

func TestASavedAccountChanges(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		a := account("1", "a@x")
		create(t, s, a)
		a.Name, a.Disabled, a.Role = "other", false, status.Admin
		if err := s.SaveAccount(ctx, a); err != nil {
			t.Fatal(err)
		}
		got, err := s.AccountByID(ctx, "1")
		if err != nil {
			t.Fatal(err)
		}
		same(t, "account", got, a)
		if err := s.SaveAccount(ctx, account("none", "n@x")); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("saving an unknown account: %v", err)
		}
		for what, err := range map[string]error{
			"by id":    second(s.AccountByID(ctx, "none")),
			"by email": second(s.AccountByEmail(ctx, "none")),
		} {
			if !errors.Is(err, status.ErrNotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestASessionLastsUntilDeleted(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		a := account("1", "a@x")
		create(t, s, a)
		session := func(id string) status.Session {
			v := filled[status.Session](id)
			v.IDHash, v.AccountID = id, "1"
			return v
		}
		for _, id := range []string{"h1", "h2", "h3"} {
			if err := s.CreateSession(ctx, session(id)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.TouchSession(ctx, "h1", noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		got, who, err := s.Session(ctx, "h1")
		if err != nil {
			t.Fatal(err)
		}
		want := session("h1")
		want.SeenAt = kept.Add(time.Hour)
		same(t, "session", got, want)
		same(t, "account", who, a)

		gone := func(ids ...string) {
			t.Helper()
			for _, id := range ids {
				if _, _, err := s.Session(ctx, id); !errors.Is(err, status.ErrNotFound) {
					t.Errorf("session %s: %v", id, err)
				}
			}
		}
		for range 2 {
			if err := s.DeleteSession(ctx, "h1"); err != nil {
				t.Fatal(err)
			}
		}
		gone("h1")
		if err := s.DeleteSessions(ctx, "1"); err != nil {
			t.Fatal(err)
		}
		gone("h2", "h3")
		if err := s.TouchSession(ctx, "h1", noon); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("touching a deleted session: %v", err)
		}
		if err := s.CreateSession(ctx, status.Session{IDHash: "x", AccountID: "nobody"}); err == nil {
			t.Error("a session of nobody was kept")
		}
	})
}

func TestLoginFailuresAreCountedPerKey(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		failures := func(key string, n int, last time.Time) {
			t.Helper()
			gotN, gotLast, err := s.LoginFailures(ctx, key)
			if err != nil || gotN != n || !gotLast.Equal(last) {
				t.Errorf("%s: %d, last %v (%v)", key, gotN, gotLast, err)
			}
		}
		failures("a@x", 0, time.Time{})
		for n := range 3 {
			if err := s.RecordLoginFailure(ctx, "a@x", noon.Add(time.Duration(n)*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		failures("a@x", 3, kept.Add(2*time.Second))
		failures("192.0.2.1", 0, time.Time{})
		if err := s.ClearLoginFailures(ctx, "a@x"); err != nil {
			t.Fatal(err)
		}
		failures("a@x", 0, time.Time{})
	})
}

func TestSettings(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		is := func(want string) {
			t.Helper()
			if got, err := s.Setting(ctx, "secret"); got != want || err != nil {
				t.Errorf("setting %q (%v), want %q", got, err, want)
			}
		}
		if _, err := s.Setting(ctx, "secret"); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("an unset setting: %v", err)
		}
		for _, value := range []string{"first", "second"} {
			if got, err := s.SetSettingIfAbsent(ctx, "secret", value); got != "first" || err != nil {
				t.Errorf("kept %q (%v)", got, err)
			}
		}
		is("first")
		if err := s.SetSetting(ctx, "secret", "third"); err != nil {
			t.Fatal(err)
		}
		is("third")
	})
}

func TestTheLastAdminStaysOne(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		a, b := account("1", "a@x"), account("2", "b@x")
		a.Role, b.Role, a.Disabled, b.Disabled = status.Admin, status.Admin, false, false
		create(t, s, a)
		create(t, s, b)
		// each takes the role from the other at the same time
		var refused atomic.Int32
		var both sync.WaitGroup
		for _, who := range []status.Account{a, b} {
			both.Go(func() {
				who.Role = status.Viewer
				if err := s.SaveAccount(ctx, who); errors.Is(err, store.ErrLastAdmin) {
					refused.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		if refused.Load() != 1 {
			t.Errorf("%d of 2 were refused", refused.Load())
		}
		all, err := s.Accounts(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, who := range all {
			if who.Role == status.Admin {
				who.Disabled = true
				if err := s.SaveAccount(ctx, who); !errors.Is(err, store.ErrLastAdmin) {
					t.Errorf("disabling the last admin: %v", err)
				}
			}
		}
	})
}
