package store

import (
	"context"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

var tokens = table[status.Token]{
	name: "tokens", key: []string{"id"},
	columns: func(t *status.Token) []column {
		return []column{
			{"id", &t.ID},
			{"name", &t.Name},
			{"hash", &t.Hash},
			{"scopes", doc(&t.Scopes)},
			{"created_by", &t.CreatedBy},
			{"created_at", at(&t.CreatedAt)},
			{"last_used_at", at(&t.LastUsedAt)},
			{"expires_at", at(&t.ExpiresAt)},
			{"revoked_at", at(&t.RevokedAt)},
		}
	},
}

// CreateToken keeps a new token. A name that another valid one has is
// status.Invalid: two tokens of one name could not be told apart in the audit
// log.
func (s *Store) CreateToken(ctx context.Context, t status.Token) error {
	all, err := s.Tokens(ctx)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.Name == t.Name && other.Valid(t.CreatedAt) {
			return status.Invalid{Field: "name", Message: "there is a token with this name already"}
		}
	}
	return write(ctx, s.write, s.dialect, tokens, 0, []status.Token{t})
}

// Tokens lists all tokens, also those that expired or were revoked; the newest
// first.
func (s *Store) Tokens(ctx context.Context) ([]status.Token, error) {
	return tokens.list(ctx, s.read, "ORDER BY created_at DESC, id")
}

// TokenByHash finds a token by the hash of its secret. Whether it is valid
// still is for the caller to judge.
func (s *Store) TokenByHash(ctx context.Context, hash string) (status.Token, error) {
	return tokens.one(ctx, s.read, status.ErrNotFound, "WHERE hash = ?", hash)
}

// TouchToken notes when a token was used last.
func (s *Store) TouchToken(ctx context.Context, id string, used time.Time) error {
	return found(exec(ctx, s.write, "UPDATE tokens SET last_used_at = ? WHERE id = ?", stamp(used), id))
}

// RevokeToken ends a token. One that was revoked before keeps its time.
func (s *Store) RevokeToken(ctx context.Context, id string, now time.Time) error {
	return found(exec(ctx, s.write, "UPDATE tokens SET revoked_at = COALESCE(revoked_at, ?) WHERE id = ?", stamp(now), id))
}
