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

// mayEnter says who may enter what, independently of the routes' own words: the
// first line that fits a route counts.
var mayEnter = []struct {
	method, path string // "" is any method; the path is a beginning
	role         status.Role
}{
	{"POST", "/admin/logout", status.Viewer},
	{"", "/admin/profile", status.Viewer},
	{"POST", "/admin/rules/try", status.Viewer}, // asks, and changes nothing
	{"POST", "/admin/rules/backtest", status.Viewer},
	{"", "/admin/issues/new", status.Responder},
	{"GET", "/admin/issues/:id/merge", status.Responder},
	{"POST", "/admin/issues", status.Responder},
	{"", "/admin/maintenance/new", status.Responder},
	{"POST", "/admin/maintenance", status.Responder},
	{"POST", "/admin/deliveries", status.Responder},
	{"", "/admin/settings/templates", status.Responder},
	{"", "/admin/settings", status.Admin},
	{"", "/admin/users", status.Admin},
	{"", "/admin/subscribers", status.Admin},
	{"", "/admin/components/", status.Admin},
	{"", "/admin/groups/", status.Admin},
	{"GET", "/admin", status.Viewer},
	{"", "/admin", status.Admin}, // whatever changes something and stands not above
}

func whoMayEnter(method, path string) status.Role {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for _, line := range mayEnter {
		if (line.method == "" || line.method == method) && strings.HasPrefix(path, line.path) {
			return line.role
		}
	}
	return ""
}

// Every route of the router, with each of its verbs, for everybody: who may not
// is sent to the login or refused, who may gets an answer.
func TestEachRouteIsOpenToThoseWhoMayAndToNobodyElse(t *testing.T) {
	s := newSite(t)
	rank := map[status.Role]int{"": 0, status.Viewer: 1, status.Responder: 2, status.Admin: 3}
	asked := 0
	for role := range rank {
		b, token := s.browser(), "x"
		if role != "" {
			b = s.signedIn(role)
			token = b.token("/admin")
		}
		for _, r := range s.server.App().GetRoutes(true) {
			if !strings.HasPrefix(r.Path, "/admin") || slices.Contains(unguarded, r.Method+" "+r.Path) ||
				r.Path == "/admin/logout" && role != "" { // it would end the walk
				continue
			}
			asked++
			var form url.Values
			if r.Method == http.MethodPost {
				form = url.Values{"csrf": {token}}
			}
			got := b.do(r.Method, concrete(r.Path), form)
			takes := whoMayEnter(r.Method, r.Path)
			login := got.StatusCode == http.StatusSeeOther && strings.HasPrefix(got.Header.Get("Location"), "/admin/login")
			switch {
			case role == "" && !login:
				t.Errorf("a stranger at %s %s: %d to %q", r.Method, r.Path, got.StatusCode, got.Header.Get("Location"))
			case role != "" && (got.StatusCode == http.StatusForbidden) != (rank[role] < rank[takes]) || role != "" && login:
				t.Errorf("%s at %s %s, which takes %s: %d", role, r.Method, r.Path, takes, got.StatusCode)
			case got.StatusCode == http.StatusInternalServerError:
				t.Errorf("%s at %s %s: %s", role, r.Method, r.Path, got.body)
			}
		}
	}
	if asked < 400 {
		t.Errorf("only %d were asked: the walk is broken", asked)
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

// What changes something and is no admin route proves itself in another way:
// the secret of the hooks, the token of the API, the address and the token in
// the links that readers get. Those of the readers carry no cookie that could
// be borrowed.
var unsafeElsewhere = []string{
	"/hooks/", "/api/v1/", "/subscriptions", "/subscriptions/webhook", "/subscriptions/confirm/:token", "/subscriptions/:token", "/unsubscribe/:token",
}

// unsafeRoutes are those of the router that may change something.
func unsafeRoutes(s *site) []string {
	var paths []string
	for _, r := range s.server.App().GetRoutes(true) {
		switch r.Method {
		case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
			paths = append(paths, r.Path)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

func TestEveryUnsafeRouteIsGuardedByAFormsTokenOrIsKnownToNeedNone(t *testing.T) {
	s := newSite(t)
	for _, path := range unsafeRoutes(s) {
		known := strings.HasPrefix(path, "/admin") || slices.ContainsFunc(unsafeElsewhere, func(p string) bool {
			return path == p || strings.HasSuffix(p, "/") && strings.HasPrefix(path, p)
		})
		if !known {
			t.Errorf("%s changes something: what proves who asks?", path)
		}
		if strings.HasPrefix(path, "/hooks/") {
			got := s.send(request("POST", host, strings.ReplaceAll(path, ":source", "prod"), strings.NewReader("{}")))
			if got.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s without the secret: %d", path, got.StatusCode)
			}
		}
	}
}

func TestForgedFormsAreRefusedOnEveryRoute(t *testing.T) {
	s := newSite(t)
	admin, stranger := s.signedIn(status.Admin), s.browser()
	tokens := map[*browser]string{admin: admin.token("/admin"), stranger: stranger.token("/admin/login")}
	asked := 0
	for _, route := range unsafeRoutes(s) {
		if !strings.HasPrefix(route, "/admin") {
			continue
		}
		asked++
		path, b := concrete(route), admin
		if strings.HasPrefix(route, "/admin/login") {
			b = stranger
		}
		token := tokens[b]
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
			{"with the token of another person", tokens[map[bool]*browser{true: stranger, false: admin}[b == admin]], nil},
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
		// That all those were refused says something only when this one is not.
		if route != "/admin/logout" {
			if got := b.do("POST", path, url.Values{"csrf": {token}}); got.StatusCode == http.StatusForbidden {
				t.Errorf("%s from our own page: 403: %s", path, got.body)
			}
		}
	}
	if asked < 50 {
		t.Errorf("only %d were asked: the walk is broken", asked)
	}
	if got := admin.get("/admin"); got.StatusCode != http.StatusOK {
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
	if csp := page.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "require-trusted-types-for 'script'") || strings.Contains(csp, "connect-src") {
		t.Errorf("/admin may do more than it has to: %s", csp)
	}
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
