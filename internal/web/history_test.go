package web_test

import (
	"context"
	"fmt"
	"html"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
	"github.com/statusbridge/statusbridge/internal/store/pgtest"
)

// ledger records every change of an issue that the store accepted, as it was
// decided: what the issue was, and what it became.
type ledger struct {
	*store.Store
	book *book
}

type book struct {
	mu    sync.Mutex
	steps []step
}

// step is one accepted change of one issue.
type step struct {
	before, after status.Issue
	entries       []status.Entry // of the audit log, about this issue
}

// Apply is that of the store, written down.
func (l ledger) Apply(ctx context.Context, now time.Time, fn func(status.Board) (status.Changes, error), subjects ...string) (int64, error) {
	var steps []step
	revision, err := l.Store.Apply(ctx, now, func(b status.Board) (status.Changes, error) {
		steps = nil // it may run more than once: the last time counts
		c, err := fn(b)
		for id, after := range c.Issues {
			s := step{before: b.Issues[id], after: after}
			for _, e := range c.Entries {
				if e.Subject == id {
					s.entries = append(s.entries, e)
				}
			}
			steps = append(steps, s)
		}
		return c, err
	}, subjects...)
	if err == nil {
		l.book.mu.Lock()
		defer l.book.mu.Unlock()
		l.book.steps = append(l.book.steps, steps...)
	}
	return revision, err
}

// deed is what somebody asked for, and how it was answered.
type deed struct {
	who, kind string
	issue     string
	word      string // typed, and nowhere else in the history; "" for a button alone
	seen      int64  // the version that they looked at
	code      int
	body      string
}

// writer is somebody who reads an issue, thinks, and writes.
type writer struct {
	who     string
	browser *browser // a person's
	machine machine  // or a program's
	draw    *rand.Rand
	careful bool // sends the version that was read; who is not takes the newest, as if the server did not compare

	mind func() deed // what is going to be sent; nil: nothing was read
}

// stage is where histories are played: one or two servers over one database.
type stage struct {
	t       *testing.T
	sites   []*site
	ledgers []ledger
	draw    *rand.Rand
	words   int
	deeds   []deed
}

// histories plays on both databases; on PostgreSQL with two daemons.
func histories(t *testing.T, play func(*stage)) {
	at := func(t *testing.T, dsns ...string) {
		t.Parallel()
		g := &stage{t: t, draw: rand.New(rand.NewPCG(given(t, "STATUSBRIDGE_HISTORY_SEED", 1), 0))}
		record := &book{}
		for _, dsn := range dsns {
			st := openStore(t, dsn)
			l := ledger{st, record}
			s := newSiteOn(t, st, l)
			s.rules = &status.Rules{Rules: []status.Rule{livelyRule()}}
			g.sites, g.ledgers = append(g.sites, s), append(g.ledgers, l)
		}
		for _, name := range []string{"Checkout", "Search", "Login"} {
			g.sites[0].revise(status.SaveComponent{Component: status.Component{Name: name, Slug: strings.ToLower(name)}})
		}
		play(g)
	}
	t.Run("SQLite", func(t *testing.T) { at(t, "sqlite:"+filepath.Join(t.TempDir(), "history.db")) })
	t.Run("two daemons on PostgreSQL", func(t *testing.T) {
		dsn := pgtest.Start(t).NewDatabase(t)
		at(t, dsn, dsn)
	})
}

// given is a number from the environment, or another when there is none.
func given(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// livelyRule changes whatever automation can change, and often.
func livelyRule() status.Rule {
	firing := func(n int) status.Condition {
		return status.Condition{Any: [][]status.Term{{{Field: "alerts", Op: ">=", Number: n}}}}
	}
	r := draftRule()
	r.Open.Components = []status.RuleComponent{{Label: "component", Status: status.DegradedPerformance}}
	r.Escalate = []status.Escalation{
		{When: firing(2), Impact: status.ImpactMajor, Deescalate: true},
		{When: firing(3), Impact: status.ImpactCritical, Deescalate: true},
	}
	r.Update = status.UpdatePolicy{OnSeverity: true, OnComponents: true}
	r.Resolve.MonitoringFirst = true
	return r
}

// play lets two people, a program and automation work at the same time. The
// seed decides who reads when and who writes in the same instant; who is first
// within an instant is up to the machine.
func (g *stage) play(rounds int, careful bool) {
	last := g.sites[len(g.sites)-1]
	g.sites[0].account(status.Admin)
	g.sites[0].account(status.Responder)
	anna, ben := g.sites[0].browser(), last.browser()
	for b, email := range map[*browser]string{anna: "admin@example.com", ben: "responder@example.com"} {
		b.login(email, password, "").want(g.t, http.StatusSeeOther)
	}
	var writers []*writer
	for _, w := range []writer{{who: "admin@example.com", browser: anna}, {who: "responder@example.com", browser: ben}, {machine: last.machine(status.TokenIssues)}} {
		w.draw, w.careful = rand.New(rand.NewPCG(g.draw.Uint64(), 0)), careful
		writers = append(writers, &w)
	}
	alarms := rand.New(rand.NewPCG(g.draw.Uint64(), 0))
	for range rounds {
		for _, s := range g.sites {
			s.clock.pass(time.Second)
		}
		if g.draw.IntN(8) == 0 { // long enough to settle
			for _, s := range g.sites {
				s.clock.pass(6 * time.Minute)
			}
		}
		var instant sync.WaitGroup
		start := make(chan struct{})
		at := func(do func()) { instant.Go(func() { <-start; do() }) }
		var mu sync.Mutex
		for _, w := range writers {
			switch {
			case w.mind == nil:
				g.read(w)
			case g.draw.IntN(3) > 0:
				send := w.mind
				w.mind = nil
				at(func() {
					d := send()
					mu.Lock()
					defer mu.Unlock()
					g.deeds = append(g.deeds, d)
				})
			}
		}
		if g.draw.IntN(2) == 0 {
			at(func() { g.automation(alarms) })
		}
		close(start)
		instant.Wait()
	}
}

// automation takes in an alert and does what is due.
func (g *stage) automation(draw *rand.Rand) {
	n := draw.IntN(len(g.ledgers))
	now, rules := g.sites[n].clock.Now(), g.sites[n].rules
	which := draw.IntN(4)
	f := status.Fact{
		Source: "alertmanager", Fingerprint: strconv.Itoa(which), Firing: draw.IntN(5) > 1, StartsAt: now, ReceivedAt: now,
		Labels: map[string]string{"alertname": "A", "service": "shop", "component": []string{"checkout", "search", "login", "checkout"}[which]},
	}
	if !f.Firing {
		f.EndsAt = now
	}
	for _, verb := range []func(status.Board) status.Changes{
		func(b status.Board) status.Changes { return status.Receive(b, rules, []status.Fact{f}, now) },
		func(b status.Board) status.Changes { return status.Tick(b, rules, now) },
	} {
		if _, err := g.ledgers[n].Apply(context.Background(), now, func(b status.Board) (status.Changes, error) { return verb(b), nil }); err != nil {
			g.t.Errorf("automation: %v", err)
		}
	}
}

// read looks at the newest issue, and makes up what to do about it.
func (g *stage) read(w *writer) {
	found, err := g.ledgers[0].Issues(g.t.Context(), store.IssueQuery{Limit: 1})
	if err != nil || len(found) == 0 {
		return
	}
	g.words++
	d := deed{who: w.who, issue: found[0].ID, word: fmt.Sprintf("word-%d-", g.words)}
	if w.browser == nil {
		g.readByProgram(w, d)
		return
	}
	path := "/admin/issues/" + d.issue
	page := w.browser.get(path)
	isDraft := strings.Contains(page.body, path+`/dismiss"`)
	updates := append(strings.Split(page.body, `name="update" value="`)[1:], "")
	form := inputs(page.body, path)
	if form.Get("version") == "" {
		return // dismissed: there is nothing to edit
	}
	form = with(form, "version", form.Get("version"))
	d.seen, _ = strconv.ParseInt(form.Get("version"), 10, 64)
	form.Set("do", "save")
	switch kind := w.draw.IntN(12); {
	case kind%2 == 0 && strings.Contains(page.body, path+`/undo"`):
		d.kind, d.word, path = "undo", "", path+"/undo"
		form = url.Values{}
	case kind < 3:
		d.kind = "title"
		form.Set("title", d.word)
	case kind < 5:
		d.kind = "text"
		form.Set("body", d.word+"\r\nWe are looking.")
		form.Set("impact", string(status.Impacts[w.draw.IntN(4)]))
	case kind == 11 && isDraft && w.draw.IntN(4) == 0:
		d.kind, d.word, path = "dismiss", "", path+"/dismiss"
		form = with(url.Values{}, "version", form.Get("version"))
	case kind < 8 && isDraft:
		d.kind = "publish"
		form.Set("body", d.word)
		form.Set("do", "publish")
	case kind < 8 && strings.Contains(page.body, path+`/update"`):
		d.kind, path = "update", path+"/update"
		form = with(url.Values{}, "version", form.Get("version"), "body", d.word, "state", []string{"investigating", "identified", "monitoring", "resolved"}[w.draw.IntN(4)])
	case kind < 9 && updates[0] != "":
		d.kind, path = "reword", path+"/said"
		id, _, _ := strings.Cut(updates[0], `"`)
		form = with(url.Values{}, "version", form.Get("version"), "update", id, "body", d.word, "do", "save")
	case kind < 10 && updates[0] != "":
		d.kind, d.word, path = "delete", "", path+"/said"
		id, _, _ := strings.Cut(updates[0], `"`)
		form = with(url.Values{}, "version", form.Get("version"), "update", id, "do", "delete")
	default:
		d.kind, d.word, path = "hand back", "", path+"/hand-back"
		form = with(url.Values{}, "version", form.Get("version"), "field", string(status.Fields[w.draw.IntN(len(status.Fields))]))
	}
	w.mind = func() deed {
		if !w.careful {
			form.Set("version", strconv.FormatInt(g.sites[0].issue(d.issue).Version, 10))
		}
		got := w.browser.post(path, form)
		d.code, d.body = got.StatusCode, html.UnescapeString(got.body)
		return d
	}
}

func (g *stage) readByProgram(w *writer, d deed) {
	seen := w.machine.do("GET", "/issues/"+d.issue, "")
	tag := seen.Header.Get("ETag")
	d.seen, _ = strconv.ParseInt(strings.Trim(tag, `"`), 10, 64)
	d.kind = "program"
	method, path, body := "PATCH", "/issues/"+d.issue, `{"title":"`+d.word+`"}`
	if w.draw.IntN(2) == 0 {
		method, path, body = "POST", path+"/updates", `{"body":"`+d.word+`","state":"identified"}`
	}
	w.mind = func() deed {
		if !w.careful {
			tag = "*"
		}
		got := w.machine.do(method, path, body, "If-Match", tag)
		d.code, d.body = got.StatusCode, got.body
		return d
	}
}

// What everybody was answered is what is kept: see check.
func TestPeopleProgramsAndAutomationAtTheSameInstantLoseNothing(t *testing.T) {
	histories(t, func(g *stage) {
		g.play(int(given(g.t, "STATUSBRIDGE_HISTORY_ROUNDS", 200)), true)
		for _, f := range g.check() {
			g.t.Error(f)
		}
		accepted, refused := map[string]int{}, map[string]int{}
		for _, d := range g.deeds {
			switch d.code {
			case http.StatusSeeOther, http.StatusOK, http.StatusCreated:
				accepted[d.kind]++
			case http.StatusConflict, http.StatusPreconditionFailed:
				refused[d.kind]++
			}
		}
		machines := 0
		for _, s := range g.ledgers[0].book.steps {
			if automatic(s) {
				machines++
			}
		}
		if machines < 10 {
			g.t.Errorf("automation changed something only %d times: this history proves nothing about it", machines)
		}
		g.t.Logf("%d changes of issues, %d of them by automation; accepted %v, refused as stale %v", len(g.ledgers[0].book.steps), machines, accepted, refused)
		for _, kind := range []string{"title", "text", "program"} {
			if accepted[kind] == 0 || refused[kind] == 0 {
				g.t.Errorf("%s: accepted %d times, refused %d times: this history proves nothing about it", kind, accepted[kind], refused[kind])
			}
		}
	})
}

// The check bites: writers who do not say what they saw overwrite others.
func TestTheHistoryShowsWhoOverwritesUnseen(t *testing.T) {
	histories(t, func(g *stage) {
		g.play(60, false)
		if found := g.check(); !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, "unseen") }) {
			g.t.Errorf("nobody compared versions, and the check found only %q", found)
		}
	})
}

func TestWordsForAnUpdateThatIsGoneAreShownAgain(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	path := "/admin/issues/" + i.ID
	b.post(path+"/publish", versionOf(i)).want(t, http.StatusSeeOther)
	s.clock.pass(time.Minute)
	s.revise(status.PostUpdate{ID: i.ID, Body: "A first guess."})
	now := s.issue(i.ID)
	guess := now.Updates[len(now.Updates)-1].ID
	s.revise(status.DeleteUpdate{ID: i.ID, UpdateID: guess})
	got := b.post(path+"/said", with(versionOf(now), "update", guess, "body", "Precious words"))
	got.want(t, http.StatusConflict, "Nothing was saved yet", "readonly>Precious words</textarea>")
}
