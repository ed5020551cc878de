package status

import (
	"testing"
	"time"
)

func TestAScopeIncludesReadingAndNothingElse(t *testing.T) {
	for _, has := range TokenScopes {
		token := Token{Scopes: []TokenScope{has}}
		for _, asked := range TokenScopes {
			want := has == asked || asked == TokenRead || has == TokenAdmin
			if got := token.May(asked); got != want {
				t.Errorf("a token with %s may %s: %v", has, asked, got)
			}
		}
	}
	if (Token{}).May(TokenRead) {
		t.Error("a token without scopes reads")
	}
}

func TestATokenEndsWhenItExpiresOrIsRevoked(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		token Token
		want  bool
	}{
		"for ever":                         {Token{}, true},
		"a moment left":                    {Token{ExpiresAt: now.Add(time.Millisecond)}, true},
		"expires just now":                 {Token{ExpiresAt: now}, false},
		"revoked":                          {Token{RevokedAt: now.Add(-time.Hour)}, false},
		"revoked by a clock that is ahead": {Token{RevokedAt: now.Add(time.Hour)}, false},
	} {
		if got := tt.token.Valid(now); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
