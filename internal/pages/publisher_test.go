package pages

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

var errDead = errors.New("database is dead")

func TestBytesStayTheSameUntilSomethingChanges(t *testing.T) {
	p, w, clock := stage(t, settings(), storm())
	before := p.site.Load().docs
	clock.now = noon.Add(40 * time.Second)
	w.change(func(v *status.View) {}) // a revision that changed nothing public
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	clock.now = noon.Add(time.Minute)
	w.change(func(v *status.View) {})
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for path, doc := range p.site.Load().docs {
		if before[path] != doc {
			t.Errorf("%s was made anew though nothing happened: %s, before %s", path, doc.ETag, before[path].ETag)
		}
	}
	w.change(func(v *status.View) { *v.Issues[0] = say(*v.Issues[0], 25*time.Minute, status.Identified, "Found it.") })
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/issues/st2", "/history.rss", "/history.atom", "/api/v2/summary.json", "/banner.json", "/banner.js", "/version.json"} {
		if p.Find(path) == before[path] {
			t.Errorf("%s does not tell the news", path)
		}
	}
	for _, path := range []string{"/issues/st1", "/maintenance/mm1", "/robots.txt", p.Stylesheet()} {
		if p.Find(path) != before[path] {
			t.Errorf("%s changed though it has nothing to do with the news", path)
		}
	}
}

func TestTheSameViewGivesTheSameBytesEverywhere(t *testing.T) {
	a, b := published(t, storm()), published(t, storm())
	for path, doc := range a.site.Load().docs {
		if string(doc.Raw) != string(b.Find(path).Raw) || doc.ETag != b.Find(path).ETag {
			t.Errorf("%s differs between two replicas", path)
		}
	}
}

func TestTheVersionOfAPageIsItsTag(t *testing.T) {
	p := published(t, storm())
	page := body(t, p, "/")
	version := attr(pick(t, page, "html")[0], "data-version")
	if `W/"`+version+`"` != p.Find("/").ETag || !strings.Contains(body(t, p, "/version.json"), `"/":"`+version+`"`) {
		t.Errorf("the page has version %s and tag %s; version.json is %s", version, p.Find("/").ETag, body(t, p, "/version.json"))
	}
	if strings.Contains(page, versionMark) {
		t.Error("the mark is still in the page")
	}
}

func TestTheClockAloneMovesThePage(t *testing.T) {
	p, _, clock := stage(t, settings(), calm())
	before := p.Find("/")
	clock.now = noon.Add(12*time.Hour + time.Minute) // a new day
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p.Find("/") == before || !strings.Contains(body(t, p, "/"), "23 Nov 2026") {
		t.Error("the new day is not on the page")
	}
	clock.now = noon.AddDate(0, 0, 9)
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(body(t, p, "/history"), "December 2026") {
		t.Error("/history is not the new month")
	}
}

func TestALateViewIsMarked(t *testing.T) {
	p, w, clock := stage(t, settings(), storm())
	fresh := p.site.Load().docs
	w.fail(errDead)
	clock.now = noon.Add(5 * time.Minute)
	if err := p.Refresh(t.Context()); !errors.Is(err, errDead) {
		t.Errorf("Refresh says %v", err)
	}
	if late, since := p.Late(); !late || !since.Equal(noon) {
		t.Errorf("late: %v since %s", late, since)
	}
	for _, path := range []string{"/", "/issues/st1", "/maintenance/mm1", "/history"} {
		if got := texts(t, body(t, p, path), "p.late"); len(got) != 1 || !strings.Contains(got[0], "Updates may be late since 22 Nov, 12:00 UTC") {
			t.Errorf("%s: notice %q", path, got)
		}
	}
	for _, path := range []string{"/banner.js", "/banner.json", "/api/v2/status.json", "/history.rss", "/history.atom"} {
		if p.Find(path) != fresh[path] {
			t.Errorf("%s changed though nothing happened to what it tells", path)
		}
	}
	w.fail(nil)
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if late, _ := p.Late(); late || strings.Contains(body(t, p, "/"), "Updates may be late") {
		t.Error("the notice stays though all is well again")
	}
}

func TestARestartWithoutADatabaseShowsTheLastGoodView(t *testing.T) {
	cfg := settings()
	cfg.DataDir = t.TempDir()
	stage(t, cfg, storm())
	w := &world{}
	w.fail(errDead)
	p, err := New(cfg, w, &stillClock{noon.Add(time.Hour)}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	p.Recall()
	page := body(t, p, "/")
	if p.Find("/").Status != 200 || !strings.Contains(page, "Card payments and payouts are failing") {
		t.Error("the last good view is not shown")
	}
	if got := texts(t, page, "p.late"); len(got) != 1 || !strings.Contains(got[0], "since 22 Nov, 12:00 UTC") {
		t.Errorf("notice %q", got)
	}
	if _, err := p.Demand(t.Context(), "/issues/aa4"); err != nil {
		t.Errorf("an issue of the view needs the database: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(cfg.DataDir, "*"))
	if err != nil || len(left) != 2 { // the view and its pages
		t.Errorf("files left in the data directory: %v", left)
	}
}

func TestADamagedLastGoodViewIsNotTrusted(t *testing.T) {
	cfg := settings()
	cfg.DataDir = t.TempDir()
	stage(t, cfg, storm())
	file := filepath.Join(cfg.DataDir, "last-good")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for what, data := range map[string][]byte{"cut off": raw[:len(raw)/2], "empty": nil, "other form": []byte(`{"form":99,"view":{}}`)} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := New(cfg, &world{}, &stillClock{noon}, quiet())
		if err != nil {
			t.Fatal(err)
		}
		p.Recall()
		if got := p.Find("/").Status; got != 503 {
			t.Errorf("%s: status %d, want 503", what, got)
		}
	}
}

func TestTheLastGoodViewOfAnEarlierReleaseIsUnderstood(t *testing.T) {
	cfg := settings()
	cfg.DataDir = t.TempDir()
	raw, err := json.Marshal(map[string]any{"form": formWithIssues, "view": storm()})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cfg.DataDir, "last-good"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := New(cfg, &world{}, &stillClock{noon}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	p.Recall()
	if !strings.Contains(body(t, p, "/"), "Card payments and payouts are failing") {
		t.Error("it is not shown")
	}
}

func TestWithNothingKnownThePageSaysSo(t *testing.T) {
	p, err := New(settings(), &world{}, &stillClock{noon}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/history", "/api/v2/summary.json", "/banner.json", "/history.rss", "/version.json"} {
		doc := p.Find(path)
		if doc == nil || doc.Status != 503 || doc.CacheControl != "no-store" {
			t.Errorf("%s: %+v", path, doc)
			continue
		}
		if strings.Contains(strings.ToLower(string(doc.Raw)), "operational") {
			t.Errorf("%s claims something works", path)
		}
	}
	for _, path := range []string{"/banner.js", "/robots.txt", "/favicon.svg", p.Stylesheet()} {
		if doc := p.Find(path); doc == nil || doc.Status != 200 {
			t.Errorf("%s is missing", path)
		}
	}
	if _, err := p.Demand(t.Context(), "/issues/abc"); err == nil || errors.Is(err, status.ErrNotFound) {
		t.Errorf("an unknown state is told as %v", err)
	}
}

// wakingClock lets a test follow each wait of Run, but for its breaths.
type wakingClock struct {
	stillClock
	waits chan time.Duration
}

func (c *wakingClock) Wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	if d == between {
		return ctx.Err()
	}
	c.waits <- d
	return c.stillClock.Wait(ctx, d, wake)
}

func TestRunRendersWhenWokenAndTriesAgainSoonAfterAFailure(t *testing.T) {
	w := &world{view: calm()}
	clock := &wakingClock{stillClock{noon.Add(13 * time.Second)}, make(chan time.Duration)}
	p, err := New(settings(), w, clock, quiet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	wake, done := make(chan struct{}), make(chan error)
	go func() { done <- p.Run(ctx, wake) }()
	if d := <-clock.waits; d != lookEvery {
		t.Errorf("waits %v, want to look again after %v", d, lookEvery)
	}
	w.change(func(v *status.View) { *v = storm() })
	wake <- struct{}{}
	<-clock.waits
	if !strings.Contains(body(t, p, "/"), "Card payments and payouts are failing") {
		t.Error("a wake did not bring the news")
	}
	w.fail(errDead)
	for _, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		wake <- struct{}{}
		if d := <-clock.waits; d != want {
			t.Errorf("tries again after %v, want %v", d, want)
		}
	}
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run ends with %v", err)
	}
}

func TestRunRendersAtTheTurnOfTheMinute(t *testing.T) {
	clock := &wakingClock{stillClock{noon.Add(55 * time.Second)}, make(chan time.Duration)}
	p, err := New(settings(), &world{view: calm()}, clock, quiet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- p.Run(ctx, nil) }()
	if d := <-clock.waits; d != 5*time.Second {
		t.Errorf("waits %v, want to the turn of the minute", d)
	}
	stop()
	<-done
}

func TestOldPagesAreMadeOnceForManyCallers(t *testing.T) {
	p, w, _ := stage(t, settings(), calm())
	old := resolve(issue("old1", "Long ago", noon.AddDate(0, 0, -150), status.ImpactMajor, hit("api", status.MajorOutage)), time.Hour, "Over.")
	w.mu.Lock()
	w.old = []status.Issue{old}
	w.mu.Unlock()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if doc, err := p.Demand(t.Context(), "/issues/old1"); err != nil || !strings.Contains(string(doc.Raw), "Long ago") {
				t.Errorf("%v", err)
			}
		})
	}
	all.Wait()
	first, _ := p.Demand(t.Context(), "/issues/old1")
	reads := w.reads
	if again, _ := p.Demand(t.Context(), "/issues/old1"); again != first || w.reads != reads {
		t.Error("a page that is known is made again")
	}
	if page := body(t, p, "/history/2026-06"); !strings.Contains(page, "Long ago") {
		t.Error("the month does not tell the issue")
	}

	// A new revision asks again; a dead source leaves what was known.
	w.mu.Lock()
	w.old[0].Title = "Long ago, corrected"
	w.mu.Unlock()
	w.change(func(v *status.View) {})
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(body(t, p, "/issues/old1"), "corrected") {
		t.Error("a correction does not show")
	}
	w.change(func(v *status.View) {})
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.fail(errDead)
	if doc, err := p.Demand(t.Context(), "/issues/old1"); err != nil || !strings.Contains(string(doc.Raw), "corrected") {
		t.Errorf("with a dead source: %v", err)
	}
	if _, err := p.Demand(t.Context(), "/issues/other"); err == nil || errors.Is(err, status.ErrNotFound) {
		t.Errorf("a dead source is told as %v", err)
	}
}

func TestAnOldIssueIsShownWithTheComponentsThatWereWrittenWithIt(t *testing.T) {
	p, w, _ := stage(t, settings(), calm())
	// Another process imports both, and nobody is woken yet.
	w.change(func(v *status.View) {
		v.Components = append(slices.Clone(v.Components), component("fax", "Fax gateway", ""))
	})
	w.mu.Lock()
	w.old = []status.Issue{resolve(issue("old1", "Long ago", noon.AddDate(0, 0, -150), status.ImpactMajor, hit("fax", status.MajorOutage)), time.Hour, "Over.")}
	w.mu.Unlock()
	for _, path := range []string{"/issues/old1", "/history/2026-06"} {
		if !strings.Contains(body(t, p, path), "Fax gateway") {
			t.Errorf("%s does not name the component", path)
		}
	}
}

func TestAddressesThatHoldNothingAreNotFound(t *testing.T) {
	p, w, _ := stage(t, settings(), calm())
	draft := issue("draft1", "Secret", noon, status.ImpactMajor)
	draft.Stage = status.Draft
	w.old = []status.Issue{draft}
	for _, path := range []string{
		"/issues/nothing", "/issues/", "/issues/draft1", "/issues/../etc", "/issues/a b", "/maintenance/x", "/history/2026-12", "/history/1999-01",
		"/history/2026-1", "/history/x", "/history/2026-11-01", "/nowhere", "/assets/x.css", "/issues/" + strings.Repeat("a", 100),
	} {
		if _, err := p.Demand(t.Context(), path); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for path, want := range map[string]string{"/nowhere": "Page not found", "/de/nowhere": "Seite nicht gefunden", "/PT-BR/x/": "Página não encontrada"} {
		if doc := p.NotFound(path); doc.Status != 404 || !strings.Contains(string(doc.Raw), want) {
			t.Errorf("the page for %s is not %q", path, want)
		}
	}
}

func TestAnotherSpellingOfAnAddressLeadsToIt(t *testing.T) {
	p, _, _ := stage(t, settings(), calm())
	for path, want := range map[string]string{
		"/":                  "/",
		"/uptime/":           "/uptime",
		"/history//":         "/history",
		"/components/api/":   "/components/api",
		"/incidents/x":       "/issues/x",
		"/pt-BR":             "/pt-br/",
		"/pt-BR/":            "/pt-br/",
		"/DE/Uptime/":        "/de/Uptime",
		"/de/incidents/x/":   "/de/issues/x",
		"/EN/history":        "/history", // the page's own language has no prefix
		"/Nothing/":          "/Nothing",
		"//evil.example/..":  "/evil.example/..",
		"/favicon.ico":       "/favicon.svg",
		"/issues/incidents/": "/issues/incidents",
	} {
		if got := p.Canonical(path); got != want {
			t.Errorf("%s leads to %s, want %s", path, got, want)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := newMemory(3)
	for _, path := range []string{"a", "b", "c", "a", "d"} {
		if m.get(path).doc == nil {
			m.put(remembered{path: path, doc: &Doc{}})
		}
	}
	for path, want := range map[string]bool{"a": true, "b": false, "c": true, "d": true} {
		if got := m.get(path).doc != nil; got != want {
			t.Errorf("%s remembered: %v, want %v", path, got, want)
		}
	}
}

func TestAFrameLooksLikeThePage(t *testing.T) {
	p := published(t, calm())
	page, err := p.Frame("", "Confirm <your> address", `<form method="post"><button type="submit">Confirm</button></form>`)
	if err != nil {
		t.Fatal(err)
	}
	if h1 := texts(t, string(page), "h1"); len(h1) != 1 || h1[0] != "Confirm <your> address" {
		t.Errorf("heading %q", h1)
	}
	if attr(pick(t, string(page), "link[rel=stylesheet]")[0], "href") != p.Stylesheet() || len(pick(t, string(page), "main form")) != 1 {
		t.Error("the frame lacks its stylesheet or its body")
	}
}

func TestConfigurationMistakesSayHowToMendThem(t *testing.T) {
	for want, edit := range map[string]func(*Config){
		"public_url":       func(c *Config) { c.PublicURL = "status.example.com" },
		"page.accent":      func(c *Config) { c.Accent = "blue" },
		"page.support_url": func(c *Config) { c.SupportURL = "javascript:alert(1)" },
		"page.logo":        func(c *Config) { c.Logo = "logo.gif" },
		"page.css":         func(c *Config) { c.CSS = "nowhere.css" },
		"page.language":    func(c *Config) { c.Language = "tlh" },
		"page.weights":     func(c *Config) { c.Weights = status.Weights{status.PartialOutage: 1.5} },
	} {
		cfg := settings()
		edit(&cfg)
		if _, err := New(cfg, &world{}, &stillClock{noon}, quiet()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestASmallPageSpeaksALanguageThatThePageIsNotReadIn(t *testing.T) {
	cfg := settings()
	cfg.Languages = []string{"de"}
	p, _, _ := stage(t, cfg, calm())
	for lang, want := range map[string]string{"ja": `<html lang="ja"`, "": `<html lang="en"`, "xx": `<html lang="en"`} {
		for range 2 {
			page, err := p.Frame(lang, "Title", "<p>body</p>")
			if err != nil || !strings.Contains(string(page), want) {
				t.Errorf("%q: want %s (%v)", lang, want, err)
			}
		}
	}
}

// A tickingClock moves on by a step at each look, and counts who waits.
type tickingClock struct {
	now   time.Time
	step  time.Duration
	waits []time.Duration
}

func (c *tickingClock) Now() time.Time { c.now = c.now.Add(c.step); return c.now }

func (c *tickingClock) Wait(_ context.Context, d time.Duration, _ <-chan struct{}) error {
	c.waits = append(c.waits, d)
	return nil
}

func TestWorkThatMayWaitRestsAfterAWhileAndNotAllTheTime(t *testing.T) {
	for _, c := range []struct {
		step  time.Duration
		rests int
	}{{breath / 4, 25}, {2 * breath, 100}, {0, 0}} {
		clock := &tickingClock{now: noon, step: c.step}
		b := breaths{clock, noon}
		for range 100 {
			b.draw(t.Context())
		}
		if n := len(clock.waits); n != c.rests || n > 0 && clock.waits[0] != between {
			t.Errorf("%v between looks: %d rests, want %d", c.step, n, c.rests)
		}
	}
}
