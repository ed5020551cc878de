package store

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/statusbridge/statusbridge/internal/status"
)

var accounts = table[status.Account]{
	name: "accounts", key: []string{"id"},
	columns: func(a *status.Account) []column {
		return []column{
			{"id", &a.ID},
			{"email", &a.Email},
			{"name", &a.Name},
			{"role", &a.Role},
			{"password_hash", &a.PasswordHash},
			{"disabled", &a.Disabled},
			{"created_at", at(&a.CreatedAt)},
			{"last_login_at", at(&a.LastLoginAt)},
		}
	},
}

var sessions = table[status.Session]{
	name: "sessions", key: []string{"id_hash"},
	columns: func(s *status.Session) []column {
		return []column{
			{"id_hash", &s.IDHash},
			{"account_id", &s.AccountID},
			{"csrf", &s.CSRF},
			{"created_at", at(&s.CreatedAt)},
			{"seen_at", at(&s.SeenAt)},
			{"expires_at", at(&s.ExpiresAt)},
			{"user_agent", &s.UserAgent},
			{"address", &s.Address},
			{"second_factor", &s.SecondFactor},
		}
	},
}

var errEmailTaken = status.Invalid{Field: "email", Message: "there is an account with this address already"}

// CreateAccount adds an account. A taken address is status.Invalid.
func (s *Store) CreateAccount(ctx context.Context, a status.Account) error {
	a.Email = address(a.Email)
	n, err := accounts.insert(ctx, s.write, s.dialect, keep, 0, []status.Account{a})
	if err == nil && n == 0 {
		return errEmailTaken
	}
	return err
}

// AccountByEmail finds an account by its address, in any case of letters.
func (s *Store) AccountByEmail(ctx context.Context, email string) (status.Account, error) {
	return accounts.one(ctx, s.read, status.ErrNotFound, "WHERE email = ?", address(email))
}

// AccountByID finds an account by its id.
func (s *Store) AccountByID(ctx context.Context, id string) (status.Account, error) {
	return accounts.one(ctx, s.read, status.ErrNotFound, "WHERE id = ?", id)
}

// Accounts lists all accounts by address.
func (s *Store) Accounts(ctx context.Context) ([]status.Account, error) {
	return accounts.list(ctx, s.read, "ORDER BY email")
}

// ErrLastAdmin says that nobody would be left who may change everything.
var ErrLastAdmin = status.Invalid{Field: "role", Message: "this is the last admin who can sign in; make somebody else an admin first"}

// SaveAccount saves a changed account. A taken address is status.Invalid, and
// so is to take the role from the last admin.
func (s *Store) SaveAccount(ctx context.Context, a status.Account) error {
	a.Email = address(a.Email)
	touched := false
	err := inTx(ctx, s.write, func(tx *sqlx.Tx) error {
		// locked: two admins must not take the role from each other
		admins, err := accounts.list(ctx, tx, "WHERE role = 'admin' AND NOT disabled ORDER BY id"+s.dialect.forUpdate)
		if err != nil {
			return err
		}
		stays := a.Role == status.Admin && !a.Disabled
		if len(admins) == 1 && admins[0].ID == a.ID && !stays {
			return ErrLastAdmin
		}
		touched, err = accounts.update(ctx, tx, &a)
		return err
	})
	if err != nil && refused(err) {
		if other, findErr := s.AccountByEmail(ctx, a.Email); findErr == nil && other.ID != a.ID {
			return errEmailTaken
		}
	}
	return found(touched, err)
}

// TouchAccount notes when an account signed in last.
func (s *Store) TouchAccount(ctx context.Context, id string, login time.Time) error {
	return found(exec(ctx, s.write, "UPDATE accounts SET last_login_at = ? WHERE id = ?", stamp(login), id))
}

// Sessions lists the sessions of an account, the one seen last first.
func (s *Store) Sessions(ctx context.Context, accountID string) ([]status.Session, error) {
	return sessions.list(ctx, s.read, "WHERE account_id = ? ORDER BY seen_at DESC, id_hash", accountID)
}

// CreateSession keeps a session that began.
func (s *Store) CreateSession(ctx context.Context, session status.Session) error {
	_, err := sessions.insert(ctx, s.write, s.dialect, replace, 0, []status.Session{session})
	return err
}

// Session finds a session and its account. Whether it has expired, or the
// account is disabled, is for the caller to judge.
func (s *Store) Session(ctx context.Context, idHash string) (status.Session, status.Account, error) {
	session, err := sessions.one(ctx, s.read, status.ErrNotFound, "WHERE id_hash = ?", idHash)
	if err != nil {
		return session, status.Account{}, err
	}
	account, err := s.AccountByID(ctx, session.AccountID)
	return session, account, err
}

// TouchSession notes when a session was seen last.
func (s *Store) TouchSession(ctx context.Context, idHash string, seen time.Time) error {
	return found(exec(ctx, s.write, "UPDATE sessions SET seen_at = ? WHERE id_hash = ?", stamp(seen), idHash))
}

// StrengthenSession notes that a session has shown a second factor.
func (s *Store) StrengthenSession(ctx context.Context, idHash string) error {
	return found(exec(ctx, s.write, "UPDATE sessions SET second_factor = TRUE WHERE id_hash = ?", idHash))
}

// DeleteSession ends a session; one that is gone already is fine.
func (s *Store) DeleteSession(ctx context.Context, idHash string) error {
	_, err := exec(ctx, s.write, "DELETE FROM sessions WHERE id_hash = ?", idHash)
	return err
}

// DeleteSessions ends all sessions of an account.
func (s *Store) DeleteSessions(ctx context.Context, accountID string) error {
	_, err := exec(ctx, s.write, "DELETE FROM sessions WHERE account_id = ?", accountID)
	return err
}

// LoginFailures says how often sign-in failed under a key, which is an address
// or an IP, and when it did last.
func (s *Store) LoginFailures(ctx context.Context, key string) (n int, last time.Time, err error) {
	n, err = scalar[int](ctx, s.read, "SELECT failures FROM login_failures WHERE name = ?", key)
	if err != nil || n == 0 {
		return 0, time.Time{}, err
	}
	last, err = earliest(ctx, s.read, "SELECT MAX(last_at) FROM login_failures WHERE name = ?", key)
	return n, last, err
}

// RecordLoginFailure counts a failed sign-in.
func (s *Store) RecordLoginFailure(ctx context.Context, key string, at time.Time) error {
	_, err := exec(ctx, s.write, `INSERT INTO login_failures (name, failures, last_at) VALUES (?, 1, ?)
		ON CONFLICT (name) DO UPDATE SET failures = login_failures.failures + 1, last_at = excluded.last_at`,
		key, stamp(at))
	return err
}

// ClearLoginFailures forgets the failures under a key.
func (s *Store) ClearLoginFailures(ctx context.Context, key string) error {
	_, err := exec(ctx, s.write, "DELETE FROM login_failures WHERE name = ?", key)
	return err
}
