package web_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/web"
)

// machine is a program with a token.
type machine struct {
	site  *site
	token string
}

// machine makes a token; its name is that of its first scope.
func (s *site) machine(scopes ...status.TokenScope) machine {
	s.t.Helper()
	secret, hash := web.NewToken()
	name := "bot " + string(scopes[0])
	err := s.store.CreateToken(s.t.Context(), status.Token{ID: "t" + hash[:20], Name: name, Hash: hash, Scopes: scopes, CreatedAt: s.clock.Now()})
	if err != nil {
		s.t.Fatal(err)
	}
	return machine{s, secret}
}

// do sends a request; body "" is none.
func (m machine) do(method, path, body string, header ...string) answer {
	m.site.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req := request(method, host, "/api/v1"+path, r)
	if m.token != "" {
		req.Header.Set("Authorization", "Bearer "+m.token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for n := 0; n+1 < len(header); n += 2 {
		req.Header.Set(header[n], header[n+1])
	}
	return m.site.send(req)
}

// field reads a member of an answer, by a path of keys and numbers.
func (a answer) field(t *testing.T, path ...any) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	for _, step := range path {
		switch at := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[at]
		case int:
			list, _ := v.([]any)
			if at >= len(list) {
				t.Fatalf("%v of %s: there are %d", path, a.body, len(list))
			}
			v = list[at]
		}
	}
	return v
}

func (a answer) text(t *testing.T, path ...any) string {
	t.Helper()
	s, _ := a.field(t, path...).(string)
	return s
}

func TestEachTokenEntersTheEndpointsOfItsScopesAndNoOther(t *testing.T) {
	s := newSite(t)
	machines := map[status.TokenScope]machine{}
	for _, scope := range status.TokenScopes {
		machines[scope] = s.machine(scope)
	}
	if n := len(web.Endpoints()); n < 35 {
		t.Fatalf("only %d endpoints: the walk is broken", n)
	}
	for _, e := range web.Endpoints() {
		path := strings.ReplaceAll(e.Path, "{id}", "abc")
		for name, stranger := range map[string]machine{"nobody": {s, ""}, "a wrong token": {s, "sbt_wrong"}} {
			s.clock.pass(time.Minute) // else it is slowed down
			got := stranger.do(e.Method, path, "")
			if got.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(got.Header.Get("WWW-Authenticate"), "Bearer ") {
				t.Errorf("%s at %s %s: %d, %q", name, e.Method, e.Path, got.StatusCode, got.Header.Get("WWW-Authenticate"))
			}
		}
		for scope, m := range machines {
			got := m.do(e.Method, path, "", "If-Match", "*")
			may := scope == e.Scope || scope == status.TokenAdmin || e.Scope == status.TokenRead
			if refused := got.StatusCode == http.StatusForbidden; refused == may || got.StatusCode == http.StatusUnauthorized {
				t.Errorf("%s at %s %s, which takes %s: %d", scope, e.Method, e.Path, e.Scope, got.StatusCode)
			}
			if got.StatusCode == http.StatusForbidden && (!strings.Contains(got.Header.Get("WWW-Authenticate"), `scope="`+string(e.Scope)+`"`) || !strings.Contains(got.body, string(e.Scope))) {
				t.Errorf("%s %s does not name the scope that is missing: %s", e.Method, e.Path, got.body)
			}
			if got.StatusCode >= 500 {
				t.Errorf("%s at %s %s: %d %s", scope, e.Method, e.Path, got.StatusCode, got.body)
			}
		}
	}
}

func TestEveryRouteOfTheAPIIsInItsTable(t *testing.T) {
	s := newSite(t)
	known := []string{"/api/v1/openapi.json", "/api/v1/*"}
	for _, e := range web.Endpoints() {
		known = append(known, "/api/v1"+strings.NewReplacer("{", ":", "}", "").Replace(e.Path))
	}
	for _, r := range s.server.App().GetRoutes(true) {
		if strings.HasPrefix(r.Path, "/api/v1") && !slices.Contains(known, r.Path) {
			t.Errorf("%s %s is not behind the gate of the API", r.Method, r.Path)
		}
	}
}

func TestASessionOfAPersonOpensNothingOfTheAPI(t *testing.T) {
	s := newSite(t)
	admin := s.signedIn(status.Admin)
	for _, e := range web.Endpoints() {
		got := admin.do(e.Method, "/api/v1"+strings.ReplaceAll(e.Path, "{id}", "abc"), nil, "If-Match", "*", "Origin", origin, "Sec-Fetch-Site", "same-origin")
		if got.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s %s by a cookie: %d", e.Method, e.Path, got.StatusCode)
		}
		s.clock.pass(time.Minute) // else it is slowed down
	}
	expired := s.machine(status.TokenAdmin)
	tokens, err := s.store.Tokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	expired.do("GET", "/issues", "").want(t, http.StatusOK)
	if err := s.store.RevokeToken(t.Context(), tokens[0].ID, s.clock.Now()); err != nil {
		t.Fatal(err)
	}
	expired.do("GET", "/issues", "").want(t, http.StatusUnauthorized)
}

func TestWhatATokenEditsIsHeldInItsName(t *testing.T) {
	s := newSite(t)
	draft := s.draft()
	bot := s.machine(status.TokenIssues)
	got := bot.do("PATCH", "/issues/"+draft.ID, `{"title":"Checkout is down"}`, "If-Match", "*")
	got.want(t, http.StatusOK, `"title":"Checkout is down"`)
	if by := got.text(t, "held", 0, "by"); by != "token bot issues:write" {
		t.Errorf("held by %q", by)
	}
	entries, err := s.store.Entries(t.Context(), draft.ID, 1)
	if err != nil || entries[0].Actor != "token bot issues:write" || entries[0].Action != "edited" {
		t.Errorf("the audit log says %v (%v)", entries, err)
	}
	bot.do("POST", "/issues/"+draft.ID+"/hand-back", `{"fields":["title"]}`, "If-Match", got.Header.Get("ETag")).want(t, http.StatusOK, `"held":[]`, "Errors in the shop")
}

func TestAnIssueGoesItsWholeWayByAPI(t *testing.T) {
	s := newSite(t)
	s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	bot := s.machine(status.TokenIssues)
	made := bot.do("POST", "/issues", `{"title":"Slow","body":"We look.","components":[{"component":"checkout","status":"partial_outage"}]}`)
	made.want(t, http.StatusCreated, `"stage":"draft"`, `"component":"checkout"`, `"url":null`)
	path := strings.TrimPrefix(made.Header.Get("Location"), "/api/v1")
	bot.do("POST", path+"/resolve", "", "If-Match", "*").want(t, http.StatusUnprocessableEntity, "draft")
	public := bot.do("POST", path+"/publish", `{"impact":"major"}`, "If-Match", made.Header.Get("ETag"))
	public.want(t, http.StatusOK, `"stage":"published"`, `"impact":"major"`, `"url":"`+origin+`/issues/`)
	told := bot.do("POST", path+"/updates", `{"body":"Found it.","state":"identified"}`, "If-Match", public.Header.Get("ETag"))
	told.want(t, http.StatusCreated, `"state":"identified"`, "Found it.")
	over := bot.do("POST", path+"/resolve", `{"body":"Mended."}`, "If-Match", told.Header.Get("ETag"))
	over.want(t, http.StatusOK, `"state":"resolved"`, "Mended.")
	bot.do("POST", path+"/resolve", "", "If-Match", "*").want(t, http.StatusOK, `"version":`+strings.Trim(over.Header.Get("ETag"), `"`))
	bot.do("POST", path+"/dismiss", "", "If-Match", "*").want(t, http.StatusUnprocessableEntity, "resolve it instead")
}

func TestAChangeNamesTheVersionThatWasSeen(t *testing.T) {
	s := newSite(t)
	bot := s.machine(status.TokenAdmin)
	id := s.revise(status.OpenIssue{Title: "a", Body: "b"})
	seen := bot.do("GET", "/issues/"+id, "").Header.Get("ETag")
	edit := func(title string, header ...string) answer {
		return bot.do("PATCH", "/issues/"+id, `{"title":"`+title+`"}`, header...)
	}
	edit("x").want(t, http.StatusPreconditionRequired, "If-Match")
	for _, nonsense := range []string{"1", `W/"1"`, `"one"`, `"0"`, `"-1"`, `"1", "2"`} {
		edit("x", "If-Match", nonsense).want(t, http.StatusPreconditionFailed)
	}
	second := edit("second", "If-Match", seen)
	second.want(t, http.StatusOK)
	edit("third", "If-Match", seen).want(t, http.StatusPreconditionFailed, "another version")
	if title := s.issue(id).Title; title != "second" {
		t.Errorf("the lost update is there: %q", title)
	}
	edit("fourth", "If-Match", "*").want(t, http.StatusOK)
	now := bot.do("GET", "/issues/"+id, "")
	if got := bot.do("GET", "/issues/"+id, "", "If-None-Match", now.Header.Get("ETag")); got.StatusCode != http.StatusNotModified || got.body != "" {
		t.Errorf("asked for what is known already: %d %s", got.StatusCode, got.body)
	}
	for _, e := range web.Endpoints() {
		if e.Versioned {
			bot.do(e.Method, strings.ReplaceAll(e.Path, "{id}", id), `{}`).want(t, http.StatusPreconditionRequired)
		}
	}
}

func TestABodyIsReadStrictly(t *testing.T) {
	s := newSite(t)
	bot := s.machine(status.TokenIssues)
	for name, tt := range map[string]struct {
		body, pointer string
		code          int
	}{
		"no JSON":             {`{"title":`, "/title", 400},
		"a key twice":         {`{"title":"a","title":"b","body":"c"}`, "/title", 400},
		"invalid UTF-8":       {"{\"title\":\"\xff\"}", "/title", 400},
		"more behind it":      {`{"title":"a","body":"b"}{}`, "", 400},
		"an unknown key":      {`{"titel":"a","body":"b"}`, "/titel", 422},
		"a key in other case": {`{"Title":"a","body":"b"}`, "/Title", 422},
		"unknown, deep":       {`{"title":"a","body":"b","components":[{"id":"x"}]}`, "/components/0/id", 422},
		"a wrong type":        {`{"title":1,"body":"b"}`, "/title", 422},
		"a wrong moment":      {`{"title":"a","body":"b","started_at":"yesterday"}`, "/started_at", 422},
		"null":                {`{"title":null,"body":"b"}`, "/title", 422},
		"a list":              {`[]`, "", 422},
		"no title":            {`{"body":"b"}`, "/title", 422},
		"no text":             {`{"title":"a"}`, "/body", 422},
		"a wrong impact":      {`{"title":"a","body":"b","impact":"huge"}`, "/impact", 422},
		"no such component":   {`{"title":"a","body":"b","components":[{"component":"x","status":"major_outage"}]}`, "/components", 422},
		"the future":          {`{"title":"a","body":"b","started_at":"2030-01-01T00:00:00Z"}`, "/started_at", 422},
	} {
		got := bot.do("POST", "/issues", tt.body)
		if got.StatusCode != tt.code || got.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.body)
			continue
		}
		if tt.pointer != "" && got.text(t, "errors", 0, "pointer") != tt.pointer {
			t.Errorf("%s points at %v, want %s", name, got.field(t, "errors"), tt.pointer)
		}
	}
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "application/merge-patch+json", ""} {
		if got := bot.do("POST", "/issues", `{"title":"a","body":"b"}`, "Content-Type", kind); got.StatusCode != http.StatusUnsupportedMediaType {
			t.Errorf("as %q: %d", kind, got.StatusCode)
		}
	}
	bot.do("POST", "/issues", `{"title":"a","body":"`+strings.Repeat("x", 600<<10)+`"}`).want(t, http.StatusRequestEntityTooLarge)
	bot.do("GET", "/issues", "").want(t, http.StatusOK, `{"items":[],"next":null}`)
}

func TestAnotherMethodIsToldWhichThereAre(t *testing.T) {
	s := newSite(t)
	bot := s.machine(status.TokenAdmin)
	for _, tt := range [][3]string{
		{"DELETE", "/issues/abc", "GET, HEAD, PATCH"},
		{"PUT", "/issues", "GET, HEAD, POST"},
		{"GET", "/reload", "POST"},
		{"GET", "/issues/abc/publish", "POST"},
		{"POST", "/openapi.json", "GET, HEAD"},
		{"OPTIONS", "/rules", "GET, HEAD"},
	} {
		got := bot.do(tt[0], tt[1], "")
		got.want(t, http.StatusMethodNotAllowed)
		if allow := got.Header.Get("Allow"); allow != tt[2] {
			t.Errorf("%s %s allows %q, want %q", tt[0], tt[1], allow, tt[2])
		}
	}
	for _, path := range []string{"/nothing", "/issues/a/b/c", "/issues/"} {
		bot.do("GET", path, "").want(t, http.StatusNotFound, "openapi.json")
	}
	bot.do("GET", "/issues/abc", "").want(t, http.StatusNotFound)
	bot.do("GET", "/issues?stat=open", "").want(t, http.StatusBadRequest, `"parameter":"stat"`)
	bot.do("GET", "/issues?stage=open", "").want(t, http.StatusBadRequest, `"parameter":"stage"`)
	for _, query := range []string{"limit=0", "limit=201", "limit=x", "cursor=!", "cursor=YQ", "cursor=YQBi"} {
		bot.do("GET", "/issues?"+query, "").want(t, http.StatusBadRequest, `"parameter"`)
	}
}

func TestAKeyedRequestIsCarriedOutOnce(t *testing.T) {
	s := newSite(t)
	bot, other := s.machine(status.TokenIssues), s.machine(status.TokenAdmin)
	const body = `{"title":"a","body":"b"}`
	first := bot.do("POST", "/issues", body, "Idempotency-Key", "k1")
	first.want(t, http.StatusCreated)
	again := bot.do("POST", "/issues", body, "Idempotency-Key", "k1")
	again.want(t, http.StatusCreated)
	for _, name := range []string{"Etag", "Location", "Content-Type"} {
		if first.Header.Get(name) != again.Header.Get(name) || first.Header.Get(name) == "" {
			t.Errorf("%s: %q, then %q", name, first.Header.Get(name), again.Header.Get(name))
		}
	}
	if first.body != again.body || again.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%s\nthen\n%s", first.body, again.body)
	}
	bot.do("POST", "/issues", `{"title":"c","body":"b"}`, "Idempotency-Key", "k1").want(t, http.StatusUnprocessableEntity, "another request")
	if got := other.do("POST", "/issues", body, "Idempotency-Key", "k1"); got.text(t, "id") == first.text(t, "id") {
		t.Error("the key of one token is the key of another")
	}
	bot.do("POST", "/issues", `{"title":"","body":"b"}`, "Idempotency-Key", "k2").want(t, http.StatusUnprocessableEntity)
	bot.do("POST", "/issues", `{"title":"mended","body":"b"}`, "Idempotency-Key", "k2").want(t, http.StatusCreated)
	s.clock.pass(25 * time.Hour)
	if got := bot.do("POST", "/issues", body, "Idempotency-Key", "k1"); got.text(t, "id") == first.text(t, "id") {
		t.Error("the key is remembered for longer than a day")
	}
	bot.do("POST", "/issues", body, "Idempotency-Key", strings.Repeat("k", 256)).want(t, http.StatusBadRequest)
}

func TestARequestUnderWayIsNotStartedAgain(t *testing.T) {
	s := newSite(t)
	bot := s.machine(status.TokenRules)
	inside, goOn := make(chan struct{}), make(chan struct{})
	s.onReload = func() { close(inside); <-goOn }
	done := make(chan answer)
	go func() { done <- bot.do("POST", "/reload", "", "Idempotency-Key", "k") }()
	<-inside
	s.onReload = nil
	second := bot.do("POST", "/reload", "", "Idempotency-Key", "k")
	close(goOn)
	(<-done).want(t, http.StatusOK)
	second.want(t, http.StatusConflict, "under way")
	if second.Header.Get("Retry-After") == "" {
		t.Error("it does not say when to ask again")
	}
	bot.do("POST", "/reload", "", "Idempotency-Key", "k").want(t, http.StatusOK)
}

func TestAListGoesOnWhereItEndedThoughMoreComes(t *testing.T) {
	s := newSite(t)
	bot := s.machine(status.TokenRead)
	for _, title := range []string{"a", "b", "c", "d", "e"} {
		s.revise(status.OpenIssue{Title: title, Body: "x"})
	}
	var titles []string
	for path := "/issues?limit=2&open=true"; path != ""; {
		page := bot.do("GET", path, "")
		page.want(t, http.StatusOK)
		for _, item := range page.field(t, "items").([]any) {
			titles = append(titles, item.(map[string]any)["title"].(string))
		}
		next := page.text(t, "next")
		if link := page.Header.Get("Link"); next != "" && link != "<"+next+`>; rel="next"` || next == "" && link != "" {
			t.Errorf("next is %q, the Link header %q", next, link)
		}
		path = strings.TrimPrefix(next, "/api/v1")
		s.clock.pass(time.Second)
		s.revise(status.OpenIssue{Title: "later", Body: "x"})
	}
	slices.Sort(titles)
	if strings.Join(titles, "") != "abcde" {
		t.Errorf("listed %v", titles)
	}
}

func TestAnAddressThatTriesTokensWaits(t *testing.T) {
	s := newSite(t)
	stranger := machine{s, "sbt_wrong"}
	for range 60 {
		stranger.do("GET", "/issues", "").want(t, http.StatusUnauthorized)
	}
	stranger.do("GET", "/issues", "").want(t, http.StatusTooManyRequests)
	s.machine(status.TokenRead).do("GET", "/issues", "").want(t, http.StatusOK)
}

func TestATokenThatAsksTooMuchWaits(t *testing.T) {
	s := newSite(t)
	bot, other := s.machine(status.TokenRead), s.machine(status.TokenAdmin)
	got := bot.do("GET", "/groups", "")
	for n := 0; got.StatusCode == http.StatusOK && n < 1000; n++ {
		got = bot.do("GET", "/groups", "")
	}
	got.want(t, http.StatusTooManyRequests)
	if got.Header.Get("Retry-After") == "" {
		t.Error("it does not say for how long")
	}
	other.do("GET", "/groups", "").want(t, http.StatusOK)
	s.clock.pass(time.Minute)
	bot.do("GET", "/groups", "").want(t, http.StatusOK)
}
