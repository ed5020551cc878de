package web_test

import (
	"context"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
	"github.com/statusbridge/statusbridge/internal/web"
)

const someRules = `version: 1
rules:
  - name: checkout
    matchers: ['alertname="CheckoutDown"']
    for: 0s
    open: { title: Checkout is down, publish: confirm }
`

const payload = `{"version":"4","groupKey":"{}","status":"firing","receiver":"statusbridge","alerts":[
	{"status":"firing","labels":{"alertname":"CheckoutDown"},"annotations":{},"startsAt":"2026-01-05T08:50:00Z","endsAt":"0001-01-01T00:00:00Z"},
	{"status":"firing","labels":{"alertname":"DiskWillFill"},"annotations":{},"startsAt":"2026-01-05T08:50:00Z","endsAt":"0001-01-01T00:00:00Z"}]}`

func (s *site) load(src string) {
	s.t.Helper()
	rules, err := alerts.LoadRules("rules.yaml", []byte(src))
	if err != nil {
		s.t.Fatal(err)
	}
	s.rules = rules
}

func (s *site) keep(w status.Webhook) {
	s.t.Helper()
	w.Kind, w.Source, w.ReceivedAt = "alertmanager", "prod", s.clock.Now().Add(-time.Minute)
	if err := s.store.SaveWebhook(s.t.Context(), w); err != nil {
		s.t.Fatal(err)
	}
}

func TestADryRunSaysWhatEachRuleSaysAndStoresNothing(t *testing.T) {
	s := newSite(t)
	s.load(someRules)
	s.keep(status.Webhook{ID: "w1", Body: []byte(payload), State: status.WebhookProcessed})
	b := s.signedIn(status.Viewer)
	said := []string{"alertmanager, 2 alerts", "yes: one issue for {}", `alertname is &#34;DiskWillFill&#34;`, "no rule wants it"}
	b.get("/admin/rules/try?webhook=w1").want(t, http.StatusOK, said...)
	b.post("/admin/rules/try", url.Values{"payload": {payload}}).want(t, http.StatusOK, said...)
	b.post("/admin/rules/try", url.Values{"payload": {"precious nonsense"}}).want(t, http.StatusUnprocessableEntity, "no webhook body that is known", "precious nonsense")
	b.post("/admin/rules/try", nil).want(t, http.StatusUnprocessableEntity, "paste the body")
	if hooks, _ := s.store.Webhooks(t.Context(), "", 9); len(hooks) != 1 || len(s.intake.got) != 0 {
		t.Error("a dry run took something in")
	}
}

// backtest runs one, and returns the page with what came of it.
func (b *browser) backtest(f url.Values) answer {
	b.site.t.Helper()
	started := b.post("/admin/rules/backtest", f)
	if started.StatusCode != http.StatusSeeOther {
		b.site.t.Fatalf("%d %s", started.StatusCode, started.body)
	}
	ctx, cancel := context.WithTimeout(b.site.t.Context(), 30*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if got := b.get(started.Header.Get("Location")); got.Header.Get("Refresh") == "" {
			return got
		}
	}
	b.site.t.Fatal("the back-test does not end")
	return answer{}
}

// slowPast hands out no webhook until it is let go.
type slowPast struct {
	web.Store
	begun chan struct{}
}

func (p slowPast) EachWebhook(ctx context.Context, _, _ time.Time, _ bool, _ func(status.Webhook) error) error {
	close(p.begun)
	<-ctx.Done()
	return ctx.Err()
}

func (p slowPast) CountWebhooks(context.Context, time.Time, time.Time) (int, error) { return 1000, nil }

func TestABacktestUnderWayIsShownAndCancelledByWhoStartedIt(t *testing.T) {
	st := openStore(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	past := slowPast{st, make(chan struct{})}
	s := newSiteOn(t, st, past)
	s.load(someRules)
	b, other := s.signedIn(status.Viewer), s.signedIn(status.Admin)
	path := b.post("/admin/rules/backtest", url.Values{"rules": {someRules}, "since": {"7d"}}).Header.Get("Location")
	select {
	case <-past.begun:
	case <-time.After(30 * time.Second):
		t.Fatal("it does not begin")
	}
	got := b.get(path)
	got.want(t, http.StatusOK, "Under way", "webhooks replayed", "Cancel it")
	if got.Header.Get("Refresh") == "" {
		t.Error("the page does not reload by itself")
	}
	if theirs := other.get(path).body; strings.Contains(theirs, "Cancel it") {
		t.Error("another person is offered to cancel it")
	}
	other.post(path+"/cancel", nil).want(t, http.StatusNotFound)
	b.post(path+"/cancel", nil).want(t, http.StatusSeeOther)
	got = b.get(path)
	got.want(t, http.StatusOK, "it was cancelled after 0 of", "CheckoutDown") // the rules are kept
	if got.Header.Get("Refresh") != "" {
		t.Error("it still reloads")
	}
}

func TestABacktestOfAnotherReplicaIsLookedForUntilTheBalancerFindsIt(t *testing.T) {
	st := openStore(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	past := slowPast{st, make(chan struct{})}
	s := newSiteOn(t, st, past)
	s.load(someRules)
	one := s.signedIn(status.Viewer)
	path := one.post("/admin/rules/backtest", url.Values{"rules": {someRules}, "since": {"7d"}}).Header.Get("Location")
	replica := newSiteOn(t, st, st)
	replica.load(someRules)
	b := replica.signedIn(status.Responder)
	where := path
	for n := 0; ; n++ {
		got := b.get(where)
		if got.StatusCode != http.StatusOK {
			got.want(t, http.StatusNotFound, "not known here")
			if n < 10 {
				t.Errorf("it gives up after %d tries", n)
			}
			break
		}
		got.want(t, http.StatusOK, "Another instance may run it")
		var found bool
		if _, where, found = strings.Cut(got.Header.Get("Refresh"), "url="); !found {
			t.Fatal("the page does not reload by itself")
		}
	}
	b.post(path+"/cancel", nil).want(t, http.StatusConflict, "once more")
	running := one.get(path + "?reloads=3")
	running.want(t, http.StatusOK, "Under way")
	if next := running.Header.Get("Refresh"); !strings.HasSuffix(next, path) {
		t.Errorf("%s: who knows it does not count the tries anew", next)
	}
	one.post(path+"/cancel", nil).want(t, http.StatusSeeOther)
}

func TestABacktestShowsWhatOtherRulesWouldHaveOpened(t *testing.T) {
	s := newSite(t)
	s.load(someRules)
	s.keep(status.Webhook{ID: "w1", Body: []byte(payload), State: status.WebhookProcessed})
	b := s.signedIn(status.Viewer)
	b.get("/admin/rules/backtest").want(t, http.StatusOK, "Checkout is down")
	wider := strings.ReplaceAll(someRules, `"CheckoutDown"`, `"DiskWillFill"`)
	got := b.backtest(url.Values{"rules": {wider}, "since": {"7d"}})
	got.want(t, http.StatusOK, "1 webhook with 2 alerts", "1 more would have opened", "would have opened</span>")
	b.post("/admin/rules/backtest", url.Values{"rules": {someRules + "typo: 1\n"}}).want(t, http.StatusUnprocessableEntity, "Nothing was tested", "candidate:7:1", "typo")
	if issues := b.get("/admin/issues").body; strings.Contains(issues, "Checkout is down") {
		t.Error("a back-test opened an issue")
	}
}

func TestARuleShowsItsLastMatches(t *testing.T) {
	s := newSite(t)
	s.draft()
	b := s.signedIn(status.Viewer)
	b.get("/admin/rules").want(t, http.StatusOK, "/admin/rules/matches?rule=errors")
	b.get("/admin/rules/matches?rule=errors").want(t, http.StatusOK, "HighErrorRate")
	b.get("/admin/rules/matches?rule=error").want(t, http.StatusNotFound)
}

func TestADeadLetterIsMendedAndTakenInAgain(t *testing.T) {
	s := newSite(t)
	s.keep(status.Webhook{ID: "w0", Body: []byte(`{"broken": `), State: status.WebhookDead, Verdict: "could not be read: it is no JSON"})
	b := s.signedIn(status.Admin)
	b.get("/admin/alerts").want(t, http.StatusOK, "/admin/alerts/w0", "Mend and replay", "Last webhook")
	b.get("/admin/alerts/w0").want(t, http.StatusOK, "it is no JSON", "{&#34;broken&#34;: ", "Replay as it came")
	s.signedIn(status.Responder).post("/admin/alerts/w0", nil).want(t, http.StatusForbidden)
	b.post("/admin/alerts/w0", url.Values{"mended": {"1"}, "body": {`{"still`}}).want(t, http.StatusUnprocessableEntity, "Nothing was taken in", "{&#34;still")
	if len(s.intake.got) != 0 {
		t.Fatal("what cannot be read was taken in")
	}
	mended := url.Values{"mended": {"1"}, "body": {payload}}
	b.post("/admin/alerts/w0", mended).want(t, http.StatusSeeOther)
	b.post("/admin/alerts/w0", mended).want(t, http.StatusSeeOther) // sent twice
	if len(s.intake.got) != 1 || string(s.intake.got[0].Body) != payload || s.intake.got[0].Source != "prod" {
		t.Errorf("taken in: %v", s.intake.got)
	}
	b.get("/admin/alerts/w0").want(t, http.StatusOK, "taken in again as w1 by admin@example.com; it was: could not be read", "broken")
	b.get("/admin/audit").want(t, http.StatusOK, "replayed")
}

func TestADeadLetterThatTwoReplayAtOnceIsTakenInOnce(t *testing.T) {
	s := newSite(t)
	s.keep(status.Webhook{ID: "w0", Body: []byte(`{"broken": `), State: status.WebhookDead, Verdict: "could not be read: it is no JSON"})
	other := store.Promise{Name: "replay w0", CreatedAt: s.clock.Now()} // of somebody whose request is under way
	if _, first, err := s.store.Promise(t.Context(), other, time.Hour); err != nil || !first {
		t.Fatal(first, err)
	}
	b := s.signedIn(status.Admin)
	b.post("/admin/alerts/w0", nil).want(t, http.StatusSeeOther)
	if len(s.intake.got) != 0 {
		t.Error("it was taken in twice")
	}
}

func TestAWebhookSaysWhatItsAlertsDid(t *testing.T) {
	s := newSite(t)
	s.keep(status.Webhook{
		ID: "w1", Body: []byte(payload), State: status.WebhookProcessed, Events: 2,
		Outcomes: []status.Outcome{{Alerts: 1, Did: status.DidBegin, Tracks: []status.TrackKey{{Rule: "checkout", Group: "{}"}}}, {Alerts: 1, Did: status.DidBegin}},
	})
	b := s.signedIn(status.Viewer)
	b.get("/admin/alerts").want(t, http.StatusOK, "1 alert began to fire")
	b.get("/admin/alerts/w1").want(t, http.StatusOK, "CheckoutDown", "rule=checkout", "DiskWillFill", "no rule took them", "/admin/rules/try?webhook=w1")
	b.get("/admin/alerts/w2").want(t, http.StatusNotFound)
}

func TestAnUnmatchedAlertSaysWhyNoRuleWantsIt(t *testing.T) {
	s := newSite(t)
	s.load(someRules)
	s.alert("DiskWillFill", true)
	s.signedIn(status.Viewer).get("/admin/alerts").want(t, http.StatusOK, "Why no rule wants it", `alertname is &#34;DiskWillFill&#34;`)
}
