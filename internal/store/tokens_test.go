package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

func token(id string) status.Token {
	t := filled[status.Token](id)
	t.ID, t.Name, t.Hash = id, "name of "+id, "hash of "+id
	t.Scopes = []status.TokenScope{status.TokenRead, status.TokenIssues}
	t.ExpiresAt, t.RevokedAt = time.Time{}, time.Time{}
	return t
}

func TestATokenComesBackWholeByItsHash(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		a := token("1")
		if err := s.CreateToken(ctx, a); err != nil {
			t.Fatal(err)
		}
		got, err := s.TokenByHash(ctx, "hash of 1")
		if err != nil {
			t.Fatal(err)
		}
		same(t, "token", got, a)
		if _, err := s.TokenByHash(ctx, "1"); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("an unknown hash: %v", err)
		}
		if err := s.TouchToken(ctx, "1", noon); err != nil {
			t.Fatal(err)
		}
		for _, when := range []time.Time{noon.Add(time.Hour), noon.Add(2 * time.Hour)} {
			if err := s.RevokeToken(ctx, "1", when); err != nil {
				t.Fatal(err)
			}
		}
		all, err := s.Tokens(ctx)
		if err != nil || len(all) != 1 {
			t.Fatalf("%v, %v", all, err)
		}
		a.LastUsedAt, a.RevokedAt = kept, kept.Add(time.Hour)
		same(t, "token used and revoked", all[0], a)
		if err := s.RevokeToken(ctx, "none", noon); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("revoking an unknown token: %v", err)
		}
	})
}

func TestTwoValidTokensNeverShareAName(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		a, b := token("1"), token("2")
		b.Name = a.Name
		if err := s.CreateToken(ctx, a); err != nil {
			t.Fatal(err)
		}
		var invalid status.Invalid
		if err := s.CreateToken(ctx, b); !errors.As(err, &invalid) || invalid.Field != "name" {
			t.Errorf("the same name: %v", err)
		}
		if err := s.RevokeToken(ctx, "1", noon); err != nil {
			t.Fatal(err)
		}
		if err := s.CreateToken(ctx, b); err != nil {
			t.Errorf("the name of a revoked token: %v", err)
		}
	})
}
