package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/web"
)

// token makes an API token and returns its secret.
func (s *site) token(name string, change func(*status.Token), scopes ...status.TokenScope) string {
	s.t.Helper()
	secret, hash := web.NewToken()
	token := status.Token{ID: name, Name: name, Hash: hash, Scopes: scopes, CreatedBy: "test", CreatedAt: s.clock.Now()}
	if change != nil {
		change(&token)
	}
	if err := s.store.CreateToken(s.t.Context(), token); err != nil {
		s.t.Fatal(err)
	}
	return secret
}

func TestATokenOpensOnlyWhatItsScopesSay(t *testing.T) {
	s := newSite(t)
	door := s.server.TokenDoor(status.TokenIssues)
	for _, tt := range []struct {
		name, authorization string
		code                int
	}{
		{"the scope", "Bearer " + s.token("a", nil, status.TokenIssues), 200},
		{"in another case of letters", "bearer " + s.token("b", nil, status.TokenIssues), 200},
		{"admin", "Bearer " + s.token("c", nil, status.TokenAdmin), 200},
		{"only reading", "Bearer " + s.token("d", nil, status.TokenRead), 403},
		{"every other scope", "Bearer " + s.token("e", nil, status.TokenMaintenance, status.TokenComponents, status.TokenSubscribers, status.TokenRules), 403},
		{"expired", "Bearer " + s.token("f", func(t *status.Token) { t.ExpiresAt = s.clock.Now() }, status.TokenAdmin), 401},
		{"revoked", "Bearer " + s.token("g", func(t *status.Token) { t.RevokedAt = s.clock.Now() }, status.TokenAdmin), 401},
		{"unknown", "Bearer sbt_" + strings.Repeat("x", 43), 401},
		{"the webhook secret", "Bearer " + secret, 401},
		{"as Basic", "Basic " + s.token("h", nil, status.TokenAdmin), 401},
		{"empty", "Bearer ", 401},
		{"none", "", 401},
	} {
		req := httptest.NewRequest("POST", "/api/v1/x", nil)
		if tt.authorization != "" {
			req.Header.Set("Authorization", tt.authorization)
		}
		res, err := door.Test(req, -1)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != tt.code {
			t.Errorf("%s: %d, want %d", tt.name, res.StatusCode, tt.code)
		}
		if challenge := res.Header.Get("WWW-Authenticate"); (tt.code == 200) != (challenge == "") {
			t.Errorf("%s: WWW-Authenticate %q", tt.name, challenge)
		}
		_ = res.Body.Close()
	}
}

func TestASessionCookieOpensNothingOfTheAPI(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Admin)
	req := httptest.NewRequest("POST", "/api/v1/x", nil)
	for name, value := range b.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	res, err := s.server.TokenDoor(status.TokenRead).Test(req, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a cookie answered %d", res.StatusCode)
	}
}

func TestAnAdminMakesATokenThatIsShownOnceAndRevokesIt(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Admin)
	form := url.Values{"name": {"Prometheus"}, "scopes": {"read"}, "life": {"90d"}}
	made := b.post("/admin/settings/tokens", form)
	made.want(t, http.StatusOK, "Copy the token now")
	token := regexp.MustCompile(`sbt_[A-Za-z0-9_-]{43}`).FindString(made.body)
	scrape := func() int {
		return s.browser().do("GET", "/metrics", nil, "Authorization", "Bearer "+token).StatusCode
	}
	if code := scrape(); code != http.StatusOK {
		t.Fatalf("/metrics answered %d to the token", code)
	}
	list := b.get("/admin/settings/tokens")
	list.want(t, http.StatusOK, "Prometheus", "last used", "expires 5 Apr 2026")
	kept, err := s.store.Tokens(t.Context())
	if err != nil || len(kept) != 1 {
		t.Fatalf("%v, %v", kept, err)
	}
	if strings.Contains(list.body, token) || strings.Contains(kept[0].Hash, token) {
		t.Error("the token is shown again, or kept")
	}
	b.post("/admin/settings/tokens", form).want(t, http.StatusUnprocessableEntity, "with this name already", `value="Prometheus"`)
	b.post("/admin/settings/tokens", url.Values{"name": {"x"}, "life": {"never"}}).want(t, http.StatusUnprocessableEntity, "choose at least one")
	b.post("/admin/settings/tokens", url.Values{"name": {"x"}, "scopes": {"root"}, "life": {"never"}}).want(t, http.StatusUnprocessableEntity, "root is not known")

	b.post("/admin/settings/tokens/"+kept[0].ID+"/revoke", nil).want(t, http.StatusSeeOther)
	if code := scrape(); code != http.StatusUnauthorized {
		t.Errorf("/metrics answered %d to the revoked token", code)
	}
	b.get("/admin/audit").want(t, http.StatusOK, "created a token", "Prometheus with read", "revoked a token")
	b.post("/admin/settings/tokens/none/revoke", nil).want(t, http.StatusNotFound)
}

func TestATokensLastUseIsWrittenOnceAMinute(t *testing.T) {
	s := newSite(t)
	token := s.token("a", nil, status.TokenRead)
	used := func() time.Time {
		s.browser().do("GET", "/metrics", nil, "Authorization", "Bearer "+token).want(t, http.StatusOK)
		all, _ := s.store.Tokens(t.Context())
		return all[0].LastUsedAt
	}
	first := used()
	s.clock.pass(59 * time.Second)
	if again := used(); !again.Equal(first) {
		t.Errorf("noted again after 59 seconds: %v", again)
	}
	s.clock.pass(time.Second)
	if again := used(); !again.Equal(s.clock.Now()) {
		t.Errorf("after a minute: %v", again)
	}
}
