package store

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/statusbridge/statusbridge/internal/status"
)

var passkeys = table[status.Passkey]{
	name: "passkeys", key: []string{"id"},
	columns: func(p *status.Passkey) []column {
		return []column{
			{"id", &p.ID},
			{"account_id", &p.AccountID},
			{"name", &p.Name},
			{"public_key", &p.PublicKey},
			{"transports", &p.Transports},
			{"sign_count", &p.SignCount},
			{"synced", &p.Synced},
			{"created_at", at(&p.CreatedAt)},
			{"last_used_at", at(&p.LastUsedAt)},
		}
	},
}

// Passkeys lists the passkeys of an account, the oldest first.
func (s *Store) Passkeys(ctx context.Context, accountID string) ([]status.Passkey, error) {
	return passkeys.list(ctx, s.read, "WHERE account_id = ? ORDER BY created_at, id", accountID)
}

// PasskeyCounts says how many passkeys each account has; who has none is left
// out.
func (s *Store) PasskeyCounts(ctx context.Context) (map[string]int, error) {
	rows, err := s.read.QueryxContext(ctx, "SELECT account_id, COUNT(*) FROM passkeys GROUP BY account_id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	counts := map[string]int{}
	for rows.Next() {
		var id string
		var n int
		if err := rows.Scan(&id, &n); err != nil {
			return nil, err
		}
		counts[id] = n
	}
	return counts, rows.Err()
}

// Passkey finds a passkey by its credential id.
func (s *Store) Passkey(ctx context.Context, id string) (status.Passkey, error) {
	return passkeys.one(ctx, s.read, status.ErrNotFound, "WHERE id = ?", id)
}

// AddPasskey keeps a new passkey, unless its account has as many as most
// already. That, and an id that is known, is status.ErrConflict.
func (s *Store) AddPasskey(ctx context.Context, p status.Passkey, most int) error {
	return inTx(ctx, s.write, func(tx *sqlx.Tx) error {
		have, err := passkeys.list(ctx, tx, "WHERE account_id = ?"+s.dialect.forUpdate, p.AccountID)
		if err != nil {
			return err
		}
		if len(have) >= most {
			return status.ErrConflict
		}
		n, err := passkeys.insert(ctx, tx, s.dialect, keep, 0, []status.Passkey{p})
		if err == nil && n == 0 {
			return status.ErrConflict
		}
		return err
	})
}

// UsePasskey notes a sign-in, and reports whether its counter may be: it has to
// grow, unless the authenticator does not count. Of two that show the same
// count at the same time, one is refused.
func (s *Store) UsePasskey(ctx context.Context, p status.Passkey) (bool, error) {
	return exec(ctx, s.write, `UPDATE passkeys SET sign_count = ?, last_used_at = ?
		WHERE id = ? AND (sign_count < ? OR sign_count = 0 AND ? = 0)`,
		p.SignCount, stamp(p.LastUsedAt), p.ID, p.SignCount, p.SignCount)
}

// RemovePasskey forgets a passkey of an account.
func (s *Store) RemovePasskey(ctx context.Context, accountID, id string) error {
	return found(exec(ctx, s.write, "DELETE FROM passkeys WHERE account_id = ? AND id = ?", accountID, id))
}

// RemovePasskeys forgets all passkeys of an account; none is fine.
func (s *Store) RemovePasskeys(ctx context.Context, accountID string) error {
	_, err := exec(ctx, s.write, "DELETE FROM passkeys WHERE account_id = ?", accountID)
	return err
}
