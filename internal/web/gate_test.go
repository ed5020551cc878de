package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/web"
)

// unguarded are the admin's only routes beside the gate: there is no session
// before the login.
var unguarded = []string{
	"GET /admin/login", "HEAD /admin/login", "POST /admin/login",
	"GET /admin/login/second", "HEAD /admin/login/second", "POST /admin/login/second",
	"POST /admin/login/passkey", "POST /admin/login/passkey/ask",
	"GET /admin/login/oidc", "HEAD /admin/login/oidc", "GET /admin/login/oidc/callback", "HEAD /admin/login/oidc/callback",
}

func TestEveryAdminRouteIsBehindTheGate(t *testing.T) {
	s := newSite(t)
	guarded := map[string]bool{}
	for _, g := range s.server.Guarded() {
		guarded[g.Method+" "+g.Path] = true
		if g.Method == "GET" {
			guarded["HEAD "+g.Path] = true
		}
	}
	for _, r := range s.server.App().GetRoutes(true) {
		name := r.Method + " " + r.Path
		if strings.HasPrefix(r.Path, "/admin") && !guarded[name] && !slices.Contains(unguarded, name) {
			t.Errorf("%s is not behind the gate", name)
		}
	}
	if len(guarded) < 40 {
		t.Errorf("only %d guarded routes: the walk is broken", len(guarded))
	}
}

// concrete puts ids into a route's path.
func concrete(path string) string { return strings.ReplaceAll(path, ":id", "abc") }

func TestStrangersAreSentToTheLogin(t *testing.T) {
	s := newSite(t)
	for _, g := range s.server.Guarded() {
		var form url.Values
		if g.Method == "POST" {
			form = url.Values{"csrf": {"x"}}
		}
		got := s.browser().do(g.Method, concrete(g.Path), form)
		if got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got.Header.Get("Location"), "/admin/login") {
			t.Errorf("%s %s: %d to %q", g.Method, g.Path, got.StatusCode, got.Header.Get("Location"))
		}
	}
}

func TestEachRoleEntersWhatItMayAndNothingElse(t *testing.T) {
	s := newSite(t)
	rank := map[status.Role]int{status.Viewer: 1, status.Responder: 2, status.Admin: 3}
	for role := range rank {
		b := s.signedIn(role)
		token := b.token("/admin")
		for _, g := range s.server.Guarded() {
			if g.Path == "/admin/logout" {
				continue // it would end the walk
			}
			var form url.Values
			if g.Method == "POST" {
				form = url.Values{"csrf": {token}}
			}
			got := b.do(g.Method, concrete(g.Path), form)
			if refused := got.StatusCode == http.StatusForbidden; refused != (rank[role] < rank[g.Role]) {
				t.Errorf("%s at %s %s, which takes %s: %d", role, g.Method, g.Path, g.Role, got.StatusCode)
			}
			if got.StatusCode == http.StatusInternalServerError {
				t.Errorf("%s at %s %s: %s", role, g.Method, g.Path, got.body)
			}
		}
	}
}

func TestAnAdminRouteTakesNoVerbButItsOwn(t *testing.T) {
	s := newSite(t)
	takes := map[string]bool{}
	for _, g := range s.server.Guarded() {
		takes[g.Method+" "+g.Path] = true
		if g.Method == "GET" {
			takes["HEAD "+g.Path] = true
		}
	}
	people := map[string]*browser{"anonymous": s.browser()}
	for _, role := range []status.Role{status.Viewer, status.Responder, status.Admin} {
		people[string(role)] = s.signedIn(role)
	}
	asked := 0
	for who, b := range people {
		token := ""
		if who != "anonymous" {
			token = b.token("/admin")
		}
		for _, g := range s.server.Guarded() {
			for _, verb := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
				if takes[verb+" "+g.Path] || takenByPattern(takes, verb, g.Path) {
					continue
				}
				asked++
				var form url.Values
				if verb != "GET" && verb != "HEAD" {
					form = url.Values{"csrf": {token}}
				}
				if got := b.do(verb, concrete(g.Path), form); got.StatusCode < 400 {
					t.Errorf("%s, %s %s: %d", who, verb, g.Path, got.StatusCode)
				}
			}
		}
	}
	if asked < 500 {
		t.Errorf("only %d were asked: the walk is broken", asked)
	}
}

// takenByPattern reports whether another route with a parameter takes the path,
// as /admin/issues/:id takes /admin/issues/new.
func takenByPattern(takes map[string]bool, verb, path string) bool {
	want := strings.Split(concrete(path), "/")
	for route := range takes {
		method, pattern, _ := strings.Cut(route, " ")
		have := strings.Split(pattern, "/")
		if method != verb || len(have) != len(want) {
			continue
		}
		same := true
		for n := range have {
			same = same && (have[n] == want[n] || strings.HasPrefix(have[n], ":"))
		}
		if same {
			return true
		}
	}
	return false
}

func TestForgedFormsAreRefusedOnEveryRoute(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Admin)
	token := b.token("/admin")
	routes := []string{"/admin/login", "/admin/login/second", "/admin/login/passkey", "/admin/login/passkey/ask"}
	for _, g := range s.server.Guarded() {
		if g.Method != "GET" {
			routes = append(routes, concrete(g.Path))
		}
	}
	for _, path := range routes {
		for _, tt := range []struct {
			name   string
			token  string
			header []string
		}{
			{"from another origin", token, []string{"Origin", "https://evil.example", "Sec-Fetch-Site", ""}},
			{"from our host without TLS", token, []string{"Origin", "http://" + host, "Sec-Fetch-Site", ""}},
			{"from a sandbox", token, []string{"Origin", "null", "Sec-Fetch-Site", ""}},
			{"cross-site", token, []string{"Origin", "", "Sec-Fetch-Site", "cross-site"}},
			{"from a sibling site", token, []string{"Origin", "", "Sec-Fetch-Site", "same-site"}},
			{"without a token", "", nil},
			{"with a wrong token", strings.Repeat("x", len(token)), nil},
			{"with the token as JSON", token, []string{"Content-Type", "application/json"}},
			{"with the token as text", token, []string{"Content-Type", "text/plain"}},
		} {
			got := b.do("POST", path, url.Values{"csrf": {tt.token}}, tt.header...)
			if got.StatusCode != http.StatusForbidden {
				t.Errorf("%s %s: %d, want 403", path, tt.name, got.StatusCode)
			}
		}
		if got := b.do("POST", path+"?csrf="+url.QueryEscape(token), url.Values{}); got.StatusCode != http.StatusForbidden {
			t.Errorf("%s with the token in the URL: %d, want 403", path, got.StatusCode)
		}
	}
	if got := b.get("/admin"); got.StatusCode != http.StatusOK {
		t.Errorf("the session should have survived all that: %d", got.StatusCode)
	}
}

func TestAFormFromOurOwnPageIsAccepted(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Admin)
	for _, header := range [][]string{
		nil,
		{"Origin", "", "Sec-Fetch-Site", ""},
		{"Sec-Fetch-Site", ""},
		{"Origin", ""},
	} {
		got := b.do("POST", "/admin/rules/reload", url.Values{"csrf": {b.token("/admin")}}, header...)
		if got.StatusCode != http.StatusSeeOther {
			t.Errorf("%q: %d", header, got.StatusCode)
		}
	}
}

func TestAdminPagesCannotBeFramedCachedOrScripted(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Viewer)
	for _, path := range []string{"/admin", "/admin/login", "/admin/issues", "/admin/nothing"} {
		h := b.get(path).Header
		csp := h.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") ||
			h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s: %v", path, h)
		}
	}
	page := b.get("/admin")
	if strings.Count(page.body, "<script") != 1 || strings.Count(page.body, `<script src="/assets/admin.`) != 1 {
		t.Error("/admin has other scripts than the one of its own")
	}
	for _, inline := range []string{" style=", " onclick=", "javascript:"} {
		if strings.Contains(page.body, inline) {
			t.Errorf("/admin holds %s", inline)
		}
	}
}

func TestTheStylesheetIsKeptForever(t *testing.T) {
	s := newSite(t)
	page := s.browser().get("/admin/login")
	_, rest, _ := strings.Cut(page.body, `<link rel="stylesheet" href="`)
	path, _, _ := strings.Cut(rest, `"`)
	got := s.browser().get(path)
	got.want(t, http.StatusOK, "--accent")
	if !strings.Contains(got.Header.Get("Cache-Control"), "immutable") || got.Header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%s: %v", path, got.Header)
	}
}

func TestOnALocalInstallTheAdminWorksUnderEachLocalName(t *testing.T) {
	s := newSite(t, func(c *web.Config) { c.PublicURL = "http://127.0.0.1:8080" })
	a := s.account(status.Admin)
	b := s.browser()
	b.header = map[string]string{}
	token := b.token("/admin/login")
	req := request("POST", "localhost:8080", "/admin/login", strings.NewReader(url.Values{"csrf": {token}, "email": {a.Email}, "password": {password}}.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "http://localhost:8080")
	for name, value := range b.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	got := s.send(req)
	if got.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d: %s", got.StatusCode, got.body)
	}
	for _, c := range got.Cookies() {
		if c.Secure || strings.HasPrefix(c.Name, "__Host-") {
			t.Errorf("without TLS a Secure cookie would be lost: %v", c)
		}
	}
}
