package status

import "time"

// Account is a person who may use the admin.
type Account struct {
	ID           string
	Email        string // lower case, unique
	Name         string
	Role         Role
	PasswordHash string // argon2id, encoded
	Disabled     bool
	CreatedAt    time.Time
	LastLoginAt  time.Time
}

// Role says what an account may do.
type Role string

// The roles, each including the one before it.
const (
	Viewer    Role = "viewer"    // reads
	Responder Role = "responder" // issues, updates, maintenance
	Admin     Role = "admin"     // everything
)

// Session is a signed-in browser. Only the hash of its id is kept.
type Session struct {
	IDHash    string
	AccountID string
	CSRF      string // token that forms must carry
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
	UserAgent string
	Address   string // it signed in from
	// SecondFactor says that more than a password was asked for.
	SecondFactor bool
}

// Authenticator is the app that shows an account's one-time codes.
type Authenticator struct {
	AccountID string
	Secret    string    // base32 without padding, or sealed
	Since     time.Time // zero: proposed, nobody has shown a code of it yet
	LastStep  int64     // whose code was taken last; none is taken twice
}

// Passkey is a public key credential of WebAuthn that an account signs in with.
type Passkey struct {
	ID         string // of the credential, base64url without padding
	AccountID  string
	Name       string // as its owner calls it
	PublicKey  string // COSE (RFC 9052), base64url without padding
	Transports string // how browsers reach it, such as "internal,hybrid"
	SignCount  int64  // of its last use; 0 from authenticators that do not count
	Synced     bool   // other devices of its owner may have it, too
	CreatedAt  time.Time
	LastUsedAt time.Time // zero: never
}

// Challenge is a sign-in that waits for its next step. Only the hash of its id
// is kept; the browser has the id.
type Challenge struct {
	IDHash    string
	Purpose   string // what it waits for
	AccountID string
	Data      string // what the next step needs to know
	ExpiresAt time.Time
}

// Record is a line of the audit log about what is not on the board: accounts,
// sessions and tokens.
func Record(actor, action, detail string, now time.Time) Changes {
	return Changes{Entries: []Entry{{At: now, Actor: actor, Action: action, Reason: ReasonPerson, Detail: detail}}}
}
