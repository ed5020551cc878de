package status

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Token lets a program in. Only the hash of its secret is kept.
type Token struct {
	ID         string
	Name       string // what it is for
	Hash       string
	Scopes     []TokenScope
	CreatedBy  string
	CreatedAt  time.Time
	LastUsedAt time.Time
	ExpiresAt  time.Time // zero: never
	RevokedAt  time.Time // zero: it is not
}

// TokenScope is one thing that a token may do.
type TokenScope string

// The scopes. Each includes TokenRead, TokenAdmin all of them.
const (
	TokenRead        TokenScope = "read"              // what a viewer sees; no addresses of subscribers
	TokenIssues      TokenScope = "issues:write"      // open, edit, publish, dismiss, update, resolve, hand back
	TokenMaintenance TokenScope = "maintenance:write" // plan, change, begin, end
	TokenComponents  TokenScope = "components:write"  // components and groups
	TokenSubscribers TokenScope = "subscribers:write" // read, add and erase subscribers
	TokenRules       TokenScope = "rules:write"       // reload rules and configuration
	TokenAdmin       TokenScope = "admin"             // everything
)

// TokenScopes are all there are, in the order in which they are shown.
var TokenScopes = []TokenScope{TokenRead, TokenIssues, TokenMaintenance, TokenComponents, TokenSubscribers, TokenRules, TokenAdmin}

// Valid reports whether the token opens anything at that time.
func (t Token) Valid(now time.Time) bool {
	return t.RevokedAt.IsZero() && (t.ExpiresAt.IsZero() || now.Before(t.ExpiresAt))
}

// May reports whether the token has the scope.
func (t Token) May(scope TokenScope) bool {
	if scope == TokenRead {
		return len(t.Scopes) > 0
	}
	return slices.Contains(t.Scopes, TokenAdmin) || slices.Contains(t.Scopes, scope)
}

// Actor is the token's name in the audit log.
func (t Token) Actor() string { return "token " + t.Name }

// Check says what is wrong with a new token, by Invalid.
func (t Token) Check(now time.Time) error {
	switch {
	case t.Name == "":
		return Invalid{"name", "say what the token is for"}
	case len(t.Name) > 100:
		return Invalid{"name", "is longer than 100 characters"}
	case len(t.Scopes) == 0:
		return Invalid{"scopes", "choose at least one"}
	case !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(now):
		return Invalid{"expires", "must lie in the future"}
	}
	for _, s := range t.Scopes {
		if !slices.Contains(TokenScopes, s) {
			return Invalid{"scopes", fmt.Sprintf("%s is not known; there are %s", s, strings.Trim(fmt.Sprint(TokenScopes), "[]"))}
		}
	}
	return nil
}
