package store

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/statusbridge/statusbridge/internal/status"
)

var authenticators = table[status.Authenticator]{
	name: "authenticators", key: []string{"account_id"},
	columns: func(a *status.Authenticator) []column {
		return []column{
			{"account_id", &a.AccountID},
			{"secret", &a.Secret},
			{"since", at(&a.Since)},
			{"last_step", &a.LastStep},
		}
	},
}

type recoveryCode struct{ accountID, hash string }

var recoveryCodes = table[recoveryCode]{
	name: "recovery_codes", key: []string{"account_id", "hash"},
	columns: func(c *recoveryCode) []column {
		return []column{{"account_id", &c.accountID}, {"hash", &c.hash}}
	},
}

var challenges = table[status.Challenge]{
	name: "challenges", key: []string{"id_hash"},
	columns: func(c *status.Challenge) []column {
		return []column{
			{"id_hash", &c.IDHash},
			{"purpose", &c.Purpose},
			{"account_id", &c.AccountID},
			{"data", &c.Data},
			{"expires_at", at(&c.ExpiresAt)},
		}
	},
}

// Authenticator finds the authenticator app of an account, also one that is
// only proposed.
func (s *Store) Authenticator(ctx context.Context, accountID string) (status.Authenticator, error) {
	return authenticators.one(ctx, s.read, status.ErrNotFound, "WHERE account_id = ?", accountID)
}

// Authenticators lists those that are in use.
func (s *Store) Authenticators(ctx context.Context) ([]status.Authenticator, error) {
	return authenticators.list(ctx, s.read, "WHERE since IS NOT NULL ORDER BY account_id")
}

// ProposeAuthenticator keeps a secret until somebody shows a code of it. One
// that was proposed before is replaced; one in use stays, and is
// status.ErrConflict.
func (s *Store) ProposeAuthenticator(ctx context.Context, accountID, secret string) error {
	return inTx(ctx, s.write, func(tx *sqlx.Tx) error {
		if _, err := exec(ctx, tx, "DELETE FROM authenticators WHERE account_id = ? AND since IS NULL", accountID); err != nil {
			return err
		}
		n, err := authenticators.insert(ctx, tx, s.dialect, keep, 0, []status.Authenticator{{AccountID: accountID, Secret: secret}})
		if err == nil && n == 0 {
			return status.ErrConflict
		}
		return err
	})
}

// ConfirmAuthenticator puts a proposed authenticator to use, with the hashes of
// its recovery codes. If another was proposed meanwhile, it is
// status.ErrConflict.
func (s *Store) ConfirmAuthenticator(ctx context.Context, a status.Authenticator, hashes []string) error {
	return inTx(ctx, s.write, func(tx *sqlx.Tx) error {
		ok, err := exec(ctx, tx, "UPDATE authenticators SET since = ?, last_step = ? WHERE account_id = ? AND secret = ? AND since IS NULL",
			stamp(a.Since), a.LastStep, a.AccountID, a.Secret)
		if err != nil {
			return err
		}
		if !ok {
			return status.ErrConflict
		}
		return s.replaceRecoveryCodes(ctx, tx, a.AccountID, hashes)
	})
}

// TakeStep notes that the code of a step was used, and reports whether it may:
// of two that show the same code at the same time, one is refused.
func (s *Store) TakeStep(ctx context.Context, accountID string, step int64) (bool, error) {
	return exec(ctx, s.write, "UPDATE authenticators SET last_step = ? WHERE account_id = ? AND since IS NOT NULL AND last_step < ?", step, accountID, step)
}

// ResealAuthenticator replaces what is kept of a secret by the same, sealed
// otherwise. If it is another by now, it stays.
func (s *Store) ResealAuthenticator(ctx context.Context, accountID, was, sealed string) error {
	_, err := exec(ctx, s.write, "UPDATE authenticators SET secret = ? WHERE account_id = ? AND secret = ?", sealed, accountID, was)
	return err
}

// RemoveAuthenticator forgets the authenticator of an account and its recovery
// codes.
func (s *Store) RemoveAuthenticator(ctx context.Context, accountID string) error {
	return inTx(ctx, s.write, func(tx *sqlx.Tx) error {
		if _, err := exec(ctx, tx, "DELETE FROM authenticators WHERE account_id = ?", accountID); err != nil {
			return err
		}
		return s.replaceRecoveryCodes(ctx, tx, accountID, nil)
	})
}

// ReplaceRecoveryCodes keeps the hashes of new recovery codes; the old codes
// open nothing any more.
func (s *Store) ReplaceRecoveryCodes(ctx context.Context, accountID string, hashes []string) error {
	return inTx(ctx, s.write, func(tx *sqlx.Tx) error { return s.replaceRecoveryCodes(ctx, tx, accountID, hashes) })
}

func (s *Store) replaceRecoveryCodes(ctx context.Context, tx *sqlx.Tx, accountID string, hashes []string) error {
	if _, err := exec(ctx, tx, "DELETE FROM recovery_codes WHERE account_id = ?", accountID); err != nil {
		return err
	}
	rows := make([]recoveryCode, len(hashes))
	for n, hash := range hashes {
		rows[n] = recoveryCode{accountID, hash}
	}
	_, err := recoveryCodes.insert(ctx, tx, s.dialect, keep, 0, rows)
	return err
}

// RecoveryCodes counts the recovery codes that an account has left.
func (s *Store) RecoveryCodes(ctx context.Context, accountID string) (int, error) {
	return scalar[int](ctx, s.read, "SELECT COUNT(*) FROM recovery_codes WHERE account_id = ?", accountID)
}

// TakeRecoveryCode uses a recovery code up, and reports whether there was one.
func (s *Store) TakeRecoveryCode(ctx context.Context, accountID, hash string) (bool, error) {
	return exec(ctx, s.write, "DELETE FROM recovery_codes WHERE account_id = ? AND hash = ?", accountID, hash)
}

// SaveChallenge keeps a sign-in that waits for its next step. Those that waited
// too long go: strangers begin them, and nothing else would end them soon.
func (s *Store) SaveChallenge(ctx context.Context, now time.Time, c status.Challenge) error {
	return inTx(ctx, s.write, func(tx *sqlx.Tx) error {
		if _, err := exec(ctx, tx, "DELETE FROM challenges WHERE expires_at < ?", stamp(now)); err != nil {
			return err
		}
		return write(ctx, tx, s.dialect, challenges, 0, []status.Challenge{c})
	})
}

// Challenge finds a sign-in that waits for its next step, unless it has waited
// too long.
func (s *Store) Challenge(ctx context.Context, idHash, purpose string, now time.Time) (status.Challenge, error) {
	return challenges.one(ctx, s.read, status.ErrNotFound, "WHERE id_hash = ? AND purpose = ? AND expires_at > ?", idHash, purpose, stamp(now))
}

// TakeChallenge is Challenge for a step that is tried once: nobody finds it
// again.
func (s *Store) TakeChallenge(ctx context.Context, idHash, purpose string, now time.Time) (status.Challenge, error) {
	rows, err := challenges.returning(ctx, s.write, "DELETE FROM challenges WHERE id_hash = ? AND purpose = ? AND expires_at > ?", idHash, purpose, stamp(now))
	if err != nil || len(rows) == 0 {
		if err == nil {
			err = status.ErrNotFound
		}
		return status.Challenge{}, err
	}
	return rows[0], nil
}
