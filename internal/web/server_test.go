package web_test

import (
	"context"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/pages"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
	"github.com/statusbridge/statusbridge/internal/web"
)

// The real neighbours satisfy what the server asks for.
var (
	_ web.Store  = (*store.Store)(nil)
	_ web.Pages  = (*pages.Publisher)(nil)
	_ web.Intake = (*alerts.Intake)(nil)
)

const (
	secret   = "hook-secret-1"
	previous = "hook-secret-0" // still accepted while senders move to the new one
	password = "correct horse battery staple"
	origin   = "https://status.example.com"
	host     = "status.example.com"
)

// clock is virtual: it moves when a test says so.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *clock) pass(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

func (c *clock) Wait(ctx context.Context, _ time.Duration, _ <-chan struct{}) error { return ctx.Err() }

// intake remembers what came through the doors.
type intake struct {
	mu    sync.Mutex
	got   []status.Webhook
	err   error
	depth int
	stuck string
}

func (i *intake) Accept(_ context.Context, kind, source string, body []byte) (alerts.Receipt, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.err != nil {
		return alerts.Receipt{}, i.err
	}
	i.got = append(i.got, status.Webhook{Kind: kind, Source: source, Body: body})
	return alerts.Receipt{ID: "w1", Events: 2}, nil
}

func (i *intake) Stats() alerts.IntakeStats {
	return alerts.IntakeStats{JournalDepth: i.depth, LastError: i.stuck}
}

// shelf is a publisher that never renders.
type shelf struct {
	docs map[string]*pages.Doc
	late func() (bool, time.Time)
}

func (p shelf) RenderTook() time.Duration { return 250 * time.Millisecond }

func (p shelf) Late() (bool, time.Time) { return p.late() }

func (p shelf) Find(path string) *pages.Doc { return p.docs[path] }

func (p shelf) Demand(_ context.Context, path string) (*pages.Doc, error) {
	if path == "/issues/old" {
		return &pages.Doc{Status: 200, ContentType: "text/html; charset=utf-8", ETag: `"old"`, Raw: []byte("an old issue")}, nil
	}
	if doc := p.docs[path]; doc != nil {
		return doc, nil
	}
	return nil, status.ErrNotFound
}

func (p shelf) Canonical(path string) string {
	return "/" + strings.Replace(strings.Trim(path, "/"), "incidents/", "issues/", 1)
}

func (p shelf) NotFound(string) *pages.Doc {
	return &pages.Doc{Status: 404, ContentType: "text/html; charset=utf-8", Raw: []byte("no such page")}
}

func (p shelf) BannerBuild() (path, integrity string) { return "/banner/v1.x.js", "sha384-x" }

func (p shelf) BannerSample(string, time.Time) ([]byte, error) { return []byte("0"), nil }

func (p shelf) Frame(lang, title string, body template.HTML) ([]byte, error) {
	return []byte(`<!doctype html><html lang="` + lang + `"><title>` + template.HTMLEscapeString(title) + "</title>" + string(body)), nil
}

var front = &pages.Doc{
	Status: 200, ContentType: "text/html; charset=utf-8", CacheControl: "public, max-age=15", ETag: `"v1"`,
	LastModified: time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC),
	Raw:          []byte("<h1>All Systems Operational</h1>"), Gzip: []byte("gzipped"), Brotli: []byte("brotli"),
	Header: [][2]string{{"Content-Security-Policy", "default-src 'none'"}},
}

// site is a server over a real store, with people who may sign in.
type site struct {
	t      testing.TB
	store  *store.Store
	intake *intake
	clock  *clock
	rules  *status.Rules
	server *web.Server
	reload error
	// onReload is called while a reload is under way.
	onReload func()

	mailed   []string // who got a test mail
	mailErr  error
	tried    []string // channels, and what was done with them
	triedErr error
	tweet    web.DryTweet
	tweetErr error
	reports  []string // of mail services
	preview  func(status.Issue)
	settings web.Settings

	late      bool // the public pages are
	lateSince time.Time
}

// newSite builds a site; change may alter its configuration.
func newSite(t testing.TB, change ...func(*web.Config)) *site {
	t.Helper()
	st := openStore(t, "sqlite::memory:")
	return newSiteOn(t, st, st, change...)
}

// openStore opens a database and migrates it.
func openStore(t testing.TB, dsn string) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	if _, err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return st
}

// newSiteOn builds a site on a store that is open already; the server sees it as
// seen.
func newSiteOn(t testing.TB, st *store.Store, seen web.Store, change ...func(*web.Config)) *site {
	t.Helper()
	s := &site{t: t, store: st, intake: &intake{}, clock: &clock{now: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)}, rules: &status.Rules{Rules: []status.Rule{draftRule()}}}
	cfg := web.Config{
		PublicURL: origin, WebhookSecrets: func() []string { return []string{secret, previous, ""} },
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/8")}, MailConfigured: true, PageName: "Acme",
		Languages: []web.Language{{Tag: "de", Name: "Deutsch"}, {Tag: "en", Name: "English"}}, PageLanguage: "en",
	}
	for _, c := range change {
		c(&cfg)
	}
	s.server = web.New(cfg, web.Deps{
		Store: seen, Pages: shelf{map[string]*pages.Doc{"/": front, "/history": front}, func() (bool, time.Time) { return s.late, s.lateSince }}, Intake: s.intake,
		Rules: func() web.RulesState { return web.RulesState{Rules: s.rules, LoadedAt: s.clock.Now(), Err: s.reload} },
		Reload: func(context.Context) error {
			if s.onReload != nil {
				s.onReload()
			}
			return s.reload
		}, Clock: s.clock, Log: slog.New(slog.DiscardHandler),
		TryChannel: func(_ context.Context, name string, send bool) (string, error) {
			s.tried = append(s.tried, fmt.Sprint(name, " ", send))
			return "it posts as @<acme>", s.triedErr
		},
		Settings: func(context.Context) web.Settings { return s.settings },
		DryTweet: func(context.Context) (web.DryTweet, error) { return s.tweet, s.tweetErr },
		TestMail: func(_ context.Context, to string) (string, error) {
			s.mailed = append(s.mailed, to)
			return "250 2.0.0 queued as 42", s.mailErr
		},
		Preview: func(_ context.Context, i status.Issue) (web.Preview, error) {
			if s.preview != nil {
				s.preview(i)
			}
			return web.Preview{Page: []byte("the page of " + i.Title), HTML: []byte("the mail of " + i.Title)}, nil
		},
		Bounces: func(_ context.Context, report []byte) (int, error) {
			s.reports = append(s.reports, string(report))
			if string(report) == "nonsense" {
				return 0, status.Invalid{Field: "body", Message: "is no bounce report"}
			}
			return 1, nil
		},
	})
	return s
}

func draftRule() status.Rule {
	words := func(s string) status.Text { return func(status.Evidence) (string, error) { return s, nil } }
	return status.Rule{
		Name: "errors", GroupBy: []string{"service"},
		Open:    status.Open{Title: words("Errors in the shop"), Body: words("We are investigating."), Publish: status.PublishConfirm},
		Resolve: status.Resolve{Mode: status.ResolveAuto, After: 5 * time.Minute, Body: words("It is over.")},
	}
}

var passwordHash = sync.OnceValue(func() string {
	hash, err := web.HashPassword(password)
	if err != nil {
		panic(err)
	}
	return hash
})

// account adds a person; the address is role@example.com.
func (s *site) account(role status.Role) status.Account {
	s.t.Helper()
	a := status.Account{ID: "a-" + string(role), Email: string(role) + "@example.com", Role: role, PasswordHash: passwordHash(), CreatedAt: s.clock.Now()}
	if err := s.store.CreateAccount(s.t.Context(), a); err != nil {
		s.t.Fatal(err)
	}
	return a
}

// revise does something as if another person had, beside the browser.
func (s *site) revise(e status.Edit) string {
	s.t.Helper()
	id := ""
	_, err := s.store.Apply(s.t.Context(), s.clock.Now(), func(b status.Board) (status.Changes, error) {
		c, err := status.Revise(b, s.rules, e, "bob@example.com", s.clock.Now())
		id = c.Result
		return c, err
	}, e.Subjects()...)
	if err != nil {
		s.t.Fatalf("%T: %v", e, err)
	}
	return id
}

// alert takes in one alert and lets the clock do what is due.
func (s *site) alert(name string, firing bool) {
	s.t.Helper()
	now := s.clock.Now()
	f := status.Fact{
		Source: "alertmanager", Fingerprint: name, Firing: firing, StartsAt: now, ReceivedAt: now,
		Labels: map[string]string{"alertname": name, "service": "shop"}, Annotations: map[string]string{"summary": name + " is high"},
	}
	if !firing {
		f.EndsAt = now
	}
	for _, verb := range []func(status.Board) status.Changes{
		func(b status.Board) status.Changes { return status.Receive(b, s.rules, []status.Fact{f}, now) },
		func(b status.Board) status.Changes { return status.Tick(b, s.rules, now) },
	} {
		if _, err := s.store.Apply(s.t.Context(), now, func(b status.Board) (status.Changes, error) { return verb(b), nil }); err != nil {
			s.t.Fatal(err)
		}
	}
}

// tick lets the clock do what is due.
func (s *site) tick() {
	s.t.Helper()
	now := s.clock.Now()
	if _, err := s.store.Apply(s.t.Context(), now, func(b status.Board) (status.Changes, error) { return status.Tick(b, s.rules, now), nil }); err != nil {
		s.t.Fatal(err)
	}
}

// draft brings up a draft and returns it.
func (s *site) draft() status.Issue {
	s.t.Helper()
	s.alert("HighErrorRate", true)
	list, err := s.store.Issues(s.t.Context(), store.IssueQuery{Stages: []status.Stage{status.Draft}, Limit: 1})
	if err != nil || len(list) != 1 {
		s.t.Fatalf("want one draft, got %v, %v", list, err)
	}
	return s.issue(list[0].ID)
}

func (s *site) issue(id string) status.Issue {
	s.t.Helper()
	i, err := s.store.Issue(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return i
}

// answer is a response whose body was read.
type answer struct {
	*http.Response
	body string
}

// request is one that names its host as HTTP/1.1 clients do.
func request(method, host, path string, body io.Reader) *http.Request {
	req := httptest.NewRequest(method, "/", body)
	req.Host, req.URL.Path, req.URL.RawPath = host, path, path
	if at := strings.IndexByte(path, '?'); at >= 0 {
		req.URL.Path, req.URL.RawPath, req.URL.RawQuery = path[:at], path[:at], path[at+1:]
	}
	req.RequestURI = path
	return req
}

// browser is a visitor with cookies, who sends what browsers send.
type browser struct {
	site    *site
	cookies map[string]string
	header  map[string]string
}

func (s *site) browser() *browser {
	return &browser{site: s, cookies: map[string]string{}, header: map[string]string{}}
}

func (b *browser) do(method, path string, form url.Values, header ...string) answer {
	b.site.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req := request(method, host, path, body)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", origin)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for k, v := range b.cookies {
		req.AddCookie(&http.Cookie{Name: k, Value: v})
	}
	for k, v := range b.header {
		req.Header.Set(k, v)
	}
	for n := 0; n+1 < len(header); n += 2 {
		if header[n+1] == "" {
			req.Header.Del(header[n])
		} else {
			req.Header.Set(header[n], header[n+1])
		}
	}
	got := b.site.send(req)
	for _, c := range got.Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return got
}

// send runs a request through the whole server.
func (s *site) send(req *http.Request) answer {
	s.t.Helper()
	res, err := s.server.App().Test(req, -1)
	if err != nil {
		s.t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{res, string(body)}
}

func (b *browser) get(path string) answer { b.site.t.Helper(); return b.do("GET", path, nil) }

var tokenInput = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// token reads the form token of a page.
func (b *browser) token(path string) string {
	b.site.t.Helper()
	page := b.get(path)
	m := tokenInput.FindStringSubmatch(page.body)
	if m == nil {
		b.site.t.Fatalf("%s answered %d without a form token", path, page.StatusCode)
	}
	return m[1]
}

// post sends a form with the token of the page it is on.
func (b *browser) post(path string, form url.Values) answer {
	b.site.t.Helper()
	full := url.Values{"csrf": {b.token("/admin")}}
	for k, v := range form {
		full[k] = v
	}
	return b.do("POST", path, full)
}

// signedIn is a browser of somebody with that role.
func (s *site) signedIn(role status.Role) *browser {
	s.t.Helper()
	a := s.account(role)
	b := s.browser()
	got := b.login(a.Email, password, "")
	if got.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("sign-in answered %d: %s", got.StatusCode, got.body)
	}
	return b
}

func (b *browser) login(email, word, next string) answer {
	b.site.t.Helper()
	token := b.token("/admin/login?next=" + url.QueryEscape(next))
	return b.do("POST", "/admin/login", url.Values{"csrf": {token}, "email": {email}, "password": {word}, "next": {next}})
}

// want fails unless the answer has that code and all of the texts.
func (a answer) want(t *testing.T, code int, texts ...string) {
	t.Helper()
	if a.StatusCode != code {
		t.Fatalf("%s %s answered %d, want %d: %s", a.Request.Method, a.Request.URL.Path, a.StatusCode, code, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("%s %s lacks %q in: %s", a.Request.Method, a.Request.URL.Path, text, a.body)
		}
	}
}
