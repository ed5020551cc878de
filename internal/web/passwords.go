package web

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"math/bits"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/statusbridge/statusbridge/internal/status"
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

// hash makes what Account.PasswordHash keeps, in turn with the others.
func (p passwords) hash(ctx context.Context, password string) (string, error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	return HashPassword(password)
}

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

var letters = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)

// NewPassword is 80 bits in groups that can be typed from paper.
func NewPassword() string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails, see its documentation
	s := letters.EncodeToString(b[:])
	return strings.Join([]string{s[:4], s[4:8], s[8:12], s[12:]}, "-")
}

// The bounds of what people choose, in bytes; OWASP ASVS 5.0, 6.2.1 and 6.2.9.
const (
	shortestPassword = 8
	longestPassword  = 1000
)

// CheckPassword says what is wrong with a password that somebody chose.
func CheckPassword(password string) error {
	switch {
	case len(password) < shortestPassword:
		return status.Invalid{Field: "password", Message: "needs at least 8 characters"}
	case len(password) > longestPassword:
		return status.Invalid{Field: "password", Message: "is longer than 1000 characters"}
	}
	return nil
}
