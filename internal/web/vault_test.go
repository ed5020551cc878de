package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/web"
)

func TestSecretsOfAuthenticatorsAreEncryptedWhenTheyAreNextUsed(t *testing.T) {
	const first, second = "the first key, of thirty-two characters", "the second key, of thirty-two characters"
	st := openStore(t, "sqlite::memory:")
	later := time.Duration(0)
	start := func(keys ...string) *site { // the same page, started anew
		s := newSiteOn(t, st, st, func(c *web.Config) { c.EncryptionKeys = keys })
		later += time.Hour
		s.clock.pass(later)
		return s
	}
	kept := func(id string) string {
		a, err := st.Authenticator(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return a.Secret
	}
	secret := ""
	enters := func(s *site, code int) *browser {
		t.Helper()
		b := s.browser()
		b.login("viewer@example.com", password, "")
		b.second("code", web.CodeAt(secret, s.clock.Now())).want(t, code)
		return b
	}

	s := start()
	var recovery []string
	secret, recovery = s.signedIn(status.Viewer).enrol()
	if kept("a-viewer") != secret {
		t.Fatal("without a key it is not kept as it is")
	}
	s = start(first)
	b := enters(s, http.StatusSeeOther)
	one := kept("a-viewer")
	if !strings.HasPrefix(one, "sealed:1:") || strings.Contains(one, secret) {
		t.Fatalf("after its use it is kept as %q", one)
	}
	b.get(factorPath).want(t, http.StatusOK, "recovery codes left")
	if enters(start(first), http.StatusSeeOther); kept("a-viewer") != one {
		t.Error("it is sealed anew without need")
	}

	other, _ := s.signedIn(status.Responder).enrol() // proposed, shown and confirmed sealed
	if strings.Contains(kept("a-responder"), other) {
		t.Error("a new one is kept as it is")
	}

	enters(start(second, first), http.StatusSeeOther)
	two := kept("a-viewer")
	if two == one {
		t.Error("with a new key it is kept as before")
	}
	enters(start(second), http.StatusSeeOther) // the old key is of no more use

	for name, keys := range map[string][]string{"without a key": nil, "with the old key": {first}} {
		s = start(keys...)
		b := enters(s, http.StatusServiceUnavailable)
		b.second("recovery", recovery[0]).want(t, http.StatusSeeOther)
		recovery = recovery[1:]
		b.get("/admin/profile").want(t, http.StatusOK)
		if kept("a-viewer") != two {
			t.Errorf("%s it was changed", name)
		}
	}

	// who writes into the database cannot put their own secret into another's row
	if err := st.ResealAuthenticator(t.Context(), "a-viewer", two, kept("a-responder")); err != nil {
		t.Fatal(err)
	}
	secret = other
	enters(start(second, first), http.StatusServiceUnavailable)
}
