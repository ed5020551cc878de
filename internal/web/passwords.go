package web

import (
	"context"
	"math/bits"
	"time"

	"github.com/alexedwards/argon2id"
)

// passwordParams cost 19 MiB and some 20 ms each, so at most two are computed
// at a time: a flood of logins must not take the memory of the machine.
var passwordParams = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// HashPassword makes what Account.PasswordHash keeps.
func HashPassword(password string) (string, error) {
	return argon2id.CreateHash(password, passwordParams)
}

type passwords struct{ slots chan struct{} }

func newPasswords() passwords { return passwords{slots: make(chan struct{}, 2)} }

// dummyHash is compared for accounts that do not exist, to take the same time.
// It is the hash of nothing anybody can type.
const dummyHash = "$argon2id$v=19$m=19456,t=2,p=1$c3RhdHVzYnJpZGdlLTAwMQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// matches compares at the same cost whether or not there is a hash.
func (p passwords) matches(ctx context.Context, password, hash string) (bool, error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	known := hash != ""
	if !known {
		hash = dummyHash
	}
	ok, err := argon2id.ComparePasswordAndHash(password, hash)
	return ok && known, err
}

// loginPause is how long a key must wait after n failures in a row: nothing at
// first, then doubling from two seconds up to most.
func loginPause(n, free int, most time.Duration) time.Duration {
	if n < free {
		return 0
	}
	if n-free >= bits.Len64(uint64(most/time.Second)) {
		return most
	}
	return min(2*time.Second<<(n-free), most)
}
