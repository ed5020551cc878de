package web_test

import (
	"crypto/rand"
	"crypto/rsa"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/web"
)

// single is a site whose people sign in by a provider.
func single(t *testing.T, change ...func(*web.Config)) (*site, *openID) {
	t.Helper()
	c := &clock{now: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)}
	p := newOpenID(t, c)
	s := newSite(t, append([]func(*web.Config){func(cfg *web.Config) {
		cfg.OIDC = web.OIDC{
			Issuer: p.url, ClientID: clientID, ClientSecret: clientSecret, Name: "Acme Login", Scopes: []string{"groups"}, Domains: []string{"example.com"},
			Claim: "groups", Roles: map[status.Role][]string{status.Admin: {"sre"}, status.Responder: {"oncall"}},
		}
	}}, change...)...)
	p.clock = s.clock
	return s, p
}

// by goes to the provider and comes back.
func (b *browser) by(p *openID, next string) answer {
	b.site.t.Helper()
	left := b.get("/admin/login/oidc?next=" + url.QueryEscape(next))
	if left.StatusCode != http.StatusSeeOther {
		b.site.t.Fatalf("leaving answered %d: %s", left.StatusCode, left.body)
	}
	return b.get("/admin/login/oidc/callback?" + p.authorize(left.Header.Get("Location")).Encode())
}

func TestSigningInByTheProviderMakesAnAccountAndKeepsTheDeepLink(t *testing.T) {
	s, p := single(t)
	b := s.browser()
	b.get("/admin/login?next=/admin/issues/abc").want(t, http.StatusOK, "Sign in with Acme Login", `href="/admin/login/oidc?next=%2fadmin%2fissues%2fabc"`)
	got := b.by(p, "/admin/issues/abc?show=open")
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/admin/issues/abc?show=open" {
		t.Fatalf("came back to %d %q: %s", got.StatusCode, got.Header.Get("Location"), got.body)
	}
	b.get("/admin").want(t, http.StatusOK, "Jo", "responder")
	a, err := s.store.AccountByEmail(t.Context(), "jo@example.com")
	if err != nil || a.PasswordHash != "" || a.Role != status.Responder {
		t.Fatalf("%+v, %v", a, err)
	}
	s.browser().login("jo@example.com", "", "").want(t, http.StatusUnauthorized) // there is no password to guess

	p.claims["email"] = "other@example.com" // the provider's name for her counts, not the address
	p.claims["groups"] = []string{"sre"}
	b.by(p, "").want(t, http.StatusSeeOther)
	b.get("/admin/users").want(t, http.StatusOK, "jo@example.com")
	b.get("/admin/audit").want(t, http.StatusOK, "got an account from Acme Login", "got another role from Acme Login", "responder → admin")
	if all, err := s.store.Accounts(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("%d accounts, %v", len(all), err)
	}
}

func TestTheProviderLeadsToTheAccountOfTheSameVerifiedAddress(t *testing.T) {
	s, p := single(t)
	was := s.account(status.Responder)
	p.claims["email"] = "Responder@example.com"
	s.browser().by(p, "").want(t, http.StatusSeeOther)
	a, err := s.store.AccountByEmail(t.Context(), was.Email)
	if err != nil || a.ID != was.ID {
		t.Errorf("%+v, %v", a, err)
	}
	a.Disabled = true
	if err := s.store.SaveAccount(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	s.browser().by(p, "").want(t, http.StatusForbidden, "Your account is disabled")
}

func TestWhoMayNotEnterIsToldWhy(t *testing.T) {
	for name, tt := range map[string]struct {
		claims map[string]any
		says   string
	}{
		"an address that is not verified": {map[string]any{"email_verified": false}, "no verified email"},
		"no address":                      {map[string]any{"email": ""}, "no verified email"},
		"another domain":                  {map[string]any{"email": "jo@evil.example"}, "of no domain that may enter"},
		"a domain that ends like ours":    {map[string]any{"email": "jo@notexample.com"}, "of no domain that may enter"},
		"no group of ours":                {map[string]any{"groups": []string{"staff"}}, "None of your groups may enter"},
		"groups of another kind":          {map[string]any{"groups": map[string]any{"sre": true}}, "None of your groups may enter"},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := single(t)
			for claim, value := range tt.claims {
				p.claims[claim] = value
			}
			b := s.browser()
			b.by(p, "").want(t, http.StatusForbidden, tt.says, "Sign in with Acme Login")
			b.get("/admin").want(t, http.StatusSeeOther)
			if all, err := s.store.Accounts(t.Context()); err != nil || len(all) != 0 {
				t.Errorf("%d accounts, %v", len(all), err)
			}
		})
	}
}

func TestAForgedAnswerOfTheProviderOpensNothing(t *testing.T) {
	alien, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	set := func(name string, value any) func(*openID) {
		return func(p *openID) { p.forge = func(c map[string]any) { c[name] = value } }
	}
	for name, forge := range map[string]func(*openID){
		"signed by another key":     func(p *openID) { p.alien = alien },
		"of another issuer":         set("iss", "https://evil.example"),
		"for another client":        set("aud", "another"),
		"of another sign-in":        set("nonce", "another"),
		"without a nonce":           set("nonce", ""),
		"expired":                   set("exp", time.Date(2026, 1, 5, 8, 59, 0, 0, time.UTC).Unix()),
		"with another access token": set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
		"userinfo of somebody else": func(p *openID) {
			delete(p.claims, "groups")
			p.info = map[string]any{"sub": "eve", "groups": []string{"sre"}}
		},
		"a code of another PKCE pair": func(p *openID) { p.swap() },
	} {
		t.Run(name, func(t *testing.T) {
			s, p := single(t)
			b := s.browser()
			forge(p)
			if got := b.by(p, ""); got.StatusCode != http.StatusForbidden && got.StatusCode != http.StatusBadGateway {
				t.Errorf("%d to %q", got.StatusCode, got.Header.Get("Location"))
			}
			b.get("/admin").want(t, http.StatusSeeOther)
		})
	}
}

func TestAnAnswerIsForTheBrowserThatAskedAndOnce(t *testing.T) {
	s, p := single(t)
	b, thief := s.browser(), s.browser()
	left := b.get("/admin/login/oidc")
	back := "/admin/login/oidc/callback?" + p.authorize(left.Header.Get("Location")).Encode()
	thief.get(back).want(t, http.StatusBadRequest, "belongs to no sign-in of this browser")
	thief.get("/admin/login/oidc")
	thief.get(back).want(t, http.StatusBadRequest)
	mixed, _ := url.Parse(back)
	q := mixed.Query()
	q.Set("iss", "https://evil.example")
	cookies := maps.Clone(b.cookies)
	b.get("/admin/login/oidc/callback?"+q.Encode()).want(t, http.StatusBadRequest, "of another provider")
	b.cookies = maps.Clone(cookies)
	b.get(back).want(t, http.StatusSeeOther)
	again := s.browser()
	again.cookies = cookies
	again.get(back).want(t, http.StatusBadGateway) // the provider takes a code once
	again.get("/admin").want(t, http.StatusSeeOther)
}

func TestAProviderThatRefusesOrIsDownIsSaidAndPasswordsWork(t *testing.T) {
	s, p := single(t)
	a := s.account(status.Viewer)
	p.down = true
	b := s.browser()
	b.get("/admin/login/oidc").want(t, http.StatusBadGateway, "cannot be reached")
	p.down, p.denies = false, "access_denied"
	b.by(p, "").want(t, http.StatusForbidden, "did not let you in: access_denied")
	b.login(a.Email, password, "").want(t, http.StatusSeeOther)
}

func TestGroupsMayComeFromUserinfoAndFromInsideAnObject(t *testing.T) {
	s, p := single(t, func(c *web.Config) { c.OIDC.Claim = "realm_access.roles" })
	p.info = map[string]any{"sub": "jo-1", "realm_access": map[string]any{"roles": []string{"sre"}}}
	b := s.browser()
	b.by(p, "").want(t, http.StatusSeeOther)
	b.get("/admin/users").want(t, http.StatusOK)
}

func TestWithPasswordsOffOnlyEmergencyAccountsHaveOne(t *testing.T) {
	s, p := single(t, func(c *web.Config) { c.PasswordsOff, c.BreakGlass = true, []string{"Admin@example.com"} })
	kept, other := s.account(status.Admin), s.account(status.Responder)
	b := s.browser()
	page := b.get("/admin/login")
	page.want(t, http.StatusOK, "In an emergency, with a password")
	b.login(other.Email, password, "").want(t, http.StatusUnauthorized, "The email address or the password is wrong.")
	b.login(kept.Email, password, "").want(t, http.StatusSeeOther)
	p.claims["email"], p.claims["groups"] = kept.Email, []string{"oncall"}
	s.browser().by(p, "").want(t, http.StatusSeeOther)
	if a, err := s.store.AccountByID(t.Context(), kept.ID); err != nil || a.Role != status.Admin {
		t.Errorf("the provider took the emergency account's role: %+v %v", a, err)
	}
}

func TestTheProviderCountsAsSecondFactor(t *testing.T) {
	s, p := single(t, func(c *web.Config) { c.RequireSecondFactor = true })
	b := s.browser()
	b.by(p, "")
	b.get("/admin").want(t, http.StatusOK)
}

func TestWithoutAProviderItsRoutesAreNotThere(t *testing.T) {
	b := newSite(t).browser()
	for _, path := range []string{"/admin/login/oidc", "/admin/login/oidc/callback?code=x&state=y"} {
		b.get(path).want(t, http.StatusNotFound)
	}
	if strings.Contains(b.get("/admin/login").body, "/admin/login/oidc") {
		t.Error("the login offers a provider that there is not")
	}
}
