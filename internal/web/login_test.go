package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestSigningInKeepsTheDeepLink(t *testing.T) {
	s := newSite(t)
	a := s.account(status.Viewer)
	b := s.browser()
	got := b.get("/admin/issues/abc?show=open")
	location := got.Header.Get("Location")
	if location != "/admin/login?next="+url.QueryEscape("/admin/issues/abc?show=open") {
		t.Fatalf("sent to %q", location)
	}
	u, _ := url.Parse(location)
	if got := b.login(a.Email, password, u.Query().Get("next")); got.Header.Get("Location") != "/admin/issues/abc?show=open" {
		t.Errorf("after the login: %d to %q", got.StatusCode, got.Header.Get("Location"))
	}
	if got := s.browser().login(a.Email, password, "https://evil.example/"); got.Header.Get("Location") != "/admin" {
		t.Errorf("a foreign target is dropped, got %q", got.Header.Get("Location"))
	}
}

func TestTheSessionCookieIsForThisHostAndNoScript(t *testing.T) {
	s := newSite(t)
	a := s.account(status.Viewer)
	got := s.browser().login(a.Email, password, "")
	line := ""
	for _, l := range got.Header.Values("Set-Cookie") {
		if strings.HasPrefix(l, "__Host-statusbridge=") {
			line = strings.ToLower(l)
		}
	}
	for _, part := range []string{"secure", "httponly", "samesite=lax", "path=/"} {
		if !strings.Contains(line, part) {
			t.Errorf("the cookie lacks %s: %q", part, line)
		}
	}
	if strings.Contains(line, "domain") {
		t.Errorf("the cookie names a domain: %q", line)
	}
}

func TestAWrongLoginSaysTheSameOfKnownAndUnknownAccounts(t *testing.T) {
	s := newSite(t)
	a := s.account(status.Viewer)
	disabled := s.account(status.Responder)
	disabled.Disabled = true
	if err := s.store.SaveAccount(t.Context(), disabled); err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, tt := range [][2]string{{a.Email, "wrong"}, {"nobody@example.com", password}, {disabled.Email, password}, {a.Email, ""}} {
		b := s.browser()
		b.header = map[string]string{}
		got := b.login(tt[0], tt[1], "")
		got.want(t, http.StatusUnauthorized, "The email address or the password is wrong.")
		body := strings.ReplaceAll(got.body, tt[0], "")
		bodies = append(bodies, tokenInput.ReplaceAllString(body, ""))
		s.clock.pass(time.Hour)
	}
	for _, body := range bodies[1:] {
		if body != bodies[0] {
			t.Errorf("the answers differ:\n%s\n%s", body, bodies[0])
		}
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	s := newSite(t)
	a := s.account(status.Viewer)
	b := s.browser()
	for range 5 {
		b.login(a.Email, "guess", "").want(t, http.StatusUnauthorized)
	}
	got := b.login(a.Email, password, "")
	got.want(t, http.StatusTooManyRequests, "Too many attempts")
	if got.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	s.clock.pass(3 * time.Second)
	if got := b.login(a.Email, password, ""); got.StatusCode != http.StatusSeeOther {
		t.Errorf("after the pause: %d", got.StatusCode)
	}
	for range 5 {
		s.browser().login(a.Email, "guess", "").want(t, http.StatusUnauthorized)
	}
}

func TestASessionEnds(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Viewer)
	for range 15 { // used every eleven hours, it lives for a week and no longer
		s.clock.pass(11 * time.Hour)
		b.get("/admin").want(t, http.StatusOK)
	}
	s.clock.pass(4 * time.Hour)
	b.get("/admin").want(t, http.StatusSeeOther)

	idle := s.browser()
	idle.login("viewer@example.com", password, "")
	s.clock.pass(11 * time.Hour)
	idle.get("/admin").want(t, http.StatusOK)
	s.clock.pass(12 * time.Hour)
	idle.get("/admin").want(t, http.StatusSeeOther)
}

func TestSigningOutEndsTheSessionForThief(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Viewer)
	thief := s.browser()
	for k, v := range b.cookies {
		thief.cookies[k] = v
	}
	thief.get("/admin").want(t, http.StatusOK)
	b.post("/admin/logout", nil).want(t, http.StatusSeeOther)
	thief.get("/admin").want(t, http.StatusSeeOther)
}

func TestTheSessionIDIsNotInTheDatabase(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Viewer)
	id := b.cookies["__Host-statusbridge"]
	if len(id) < 40 {
		t.Fatalf("cookie %q", id)
	}
	if _, _, err := s.store.Session(t.Context(), id); err == nil {
		t.Error("the store knows the id itself, not only its hash")
	}
}

func TestSigningInAgainStartsANewSession(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Viewer)
	old := b.cookies["__Host-statusbridge"]
	thief := s.browser()
	thief.cookies["__Host-statusbridge"] = old
	b.cookies["planted"] = "x"
	delete(b.cookies, "__Host-statusbridge")
	token := b.token("/admin/login")
	b.cookies["__Host-statusbridge"] = old // as a browser whose login page was open already
	b.do("POST", "/admin/login", url.Values{"csrf": {token}, "email": {"viewer@example.com"}, "password": {password}}).want(t, http.StatusSeeOther)
	if b.cookies["__Host-statusbridge"] == old {
		t.Error("the id stayed")
	}
	thief.get("/admin").want(t, http.StatusSeeOther)
}

func TestADisabledAccountIsOutAtOnce(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Viewer)
	a, err := s.store.AccountByEmail(t.Context(), "viewer@example.com")
	if err != nil {
		t.Fatal(err)
	}
	a.Disabled = true
	if err := s.store.SaveAccount(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	b.get("/admin").want(t, http.StatusSeeOther)
}
