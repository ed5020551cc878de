package store

import (
	"context"

	"github.com/statusbridge/statusbridge/internal/status"
)

// identity is how an OpenID provider names a person who has an account here.
type identity struct{ issuer, subject, accountID string }

var identities = table[identity]{
	name: "identities", key: []string{"issuer", "subject"},
	columns: func(i *identity) []column {
		return []column{{"issuer", &i.issuer}, {"subject", &i.subject}, {"account_id", &i.accountID}}
	},
}

// AccountOfIdentity finds the account of somebody whom a provider vouches for.
func (s *Store) AccountOfIdentity(ctx context.Context, issuer, subject string) (accountID string, err error) {
	i, err := identities.one(ctx, s.read, status.ErrNotFound, "WHERE issuer = ? AND subject = ?", issuer, subject)
	return i.accountID, err
}

// LinkIdentity remembers who that is from now on. One that is linked already
// stays.
func (s *Store) LinkIdentity(ctx context.Context, issuer, subject, accountID string) error {
	_, err := identities.insert(ctx, s.write, s.dialect, keep, 0, []identity{{issuer, subject, accountID}})
	return err
}
