package alerts

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/alerts/alertmanagerfake"
	"github.com/statusbridge/statusbridge/internal/status"
)

// peer is an Alertmanager's API as far as it is asked.
type peer struct{ *alertmanagerfake.Peer }

func newPeer(t *testing.T) *peer {
	p := &peer{alertmanagerfake.Start(received.Add(-time.Hour), "page", "other")}
	t.Cleanup(p.Close)
	return p
}

// has puts an alert into the peer's answer.
func (p *peer) has(name, state, receiver string) {
	labels := map[string]string{"alertname": name}
	p.Has(labels, fingerprint(labels), received.Add(-time.Minute), state, receiver)
	p.Alerts[len(p.Alerts)-1]["updatedAt"] = received
}

// amWorld is a poller between two peers and an intake.
type amWorld struct {
	*bench
	one, two *peer
	poller   *Poller
	rules    *status.Rules
}

func newAMWorld(t *testing.T) *amWorld {
	t.Helper()
	w := &amWorld{one: newPeer(t), two: newPeer(t)}
	rules, err := LoadRules("rules.yaml", []byte(fmt.Sprintf(`version: 1
sources: {am: {type: alertmanager, peers: ['%s/prefix', '%s/prefix/']}}
rules: [{name: all, matchers: [], for: 0s, group_by: [alertname], open: {title: T, publish: auto}}]
`, w.one.URL, w.two.URL)))
	if err != nil {
		t.Fatal(err)
	}
	w.rules = rules
	w.bench = newBench(t, func(c *IntakeConfig) { c.Rules = func() *status.Rules { return w.rules } })
	w.poller = NewPoller(PollerConfig{Rules: func() *status.Rules { return w.rules }, Applier: w.db, Accept: w.Accept, Clock: w.clock})
	return w
}

func (w *amWorld) poll(t *testing.T) {
	t.Helper()
	w.poller.Poll(t.Context(), w.rules, w.rules.Sources[0])
	w.work(t)
	w.clock.pass(time.Minute)
}

// hook lets a webhook of receiver "page" arrive.
func (w *amWorld) deliver(t *testing.T, name, state string) {
	t.Helper()
	ends := `"0001-01-01T00:00:00Z"`
	if state == "resolved" {
		ends = w.clock.Now().Format(`"` + time.RFC3339 + `"`)
	}
	_, err := w.Accept(t.Context(), KindAlertmanager, "am", []byte(fmt.Sprintf(
		`{"version":"4","receiver":"page","alerts":[{"status":%q,"labels":{"alertname":%q},"startsAt":%q,"endsAt":%s}]}`,
		state, name, received.Add(-time.Minute).Format(time.RFC3339), ends)))
	if err != nil {
		t.Fatal(err)
	}
	w.work(t)
	w.clock.pass(time.Second)
}

func (w *amWorld) fires(name string) bool {
	return w.db.signals()[fingerprint(map[string]string{"alertname": name})].Firing
}

func TestAnAlertThatNoWebhookBroughtIsFoundAndTakenInLikeOne(t *testing.T) {
	w := newAMWorld(t)
	w.one.has("Lost", "active", "page")
	w.one.has("Silenced", "suppressed", "page")
	w.poll(t)
	if !w.fires("Lost") || w.fires("Silenced") || len(w.db.hooks) != 1 || len(w.db.board.Issues) != 1 {
		t.Errorf("signals %v, %d deliveries, %d issues", w.db.signals(), len(w.db.hooks), len(w.db.board.Issues))
	}
	w.poll(t)
	if len(w.db.hooks) != 1 {
		t.Errorf("%d deliveries: it was taken in again", len(w.db.hooks))
	}
}

func TestAnAlertThatNoPeerHasAnyMoreEndsAtTheSecondMiss(t *testing.T) {
	w := newAMWorld(t)
	w.deliver(t, "A", "firing")
	w.two.has("A", "active", "page") // one peer is enough
	w.poll(t)
	w.poll(t)
	if !w.fires("A") {
		t.Fatal("ended although a peer has it")
	}
	w.two.Alerts = nil
	w.poll(t)
	if !w.fires("A") {
		t.Fatal("ended at the first miss")
	}
	w.poll(t)
	if w.fires("A") {
		t.Error("still fires after two misses")
	}
}

func TestAnAnswerThatMeansNothingConcludesNothing(t *testing.T) {
	for name, spoil := range map[string]func(*peer){
		"the peer is down":                func(p *peer) { p.Down = true },
		"the peer has just started":       func(p *peer) { p.Up = received.Add(24 * time.Hour) },
		"the peer does not know us":       func(p *peer) { p.Receivers = []string{"other"} },
		"the peer is no Alertmanager now": func(p *peer) { p.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newAMWorld(t)
			w.deliver(t, "A", "firing")
			spoil(w.one)
			spoil(w.two)
			for range 5 {
				w.poll(t)
			}
			if !w.fires("A") {
				t.Error("it resolved an alert")
			}
		})
	}
}

func TestOnePeerThatAnswersIsEnough(t *testing.T) {
	w := newAMWorld(t)
	w.deliver(t, "A", "firing")
	w.one.Down = true
	w.poll(t)
	w.poll(t)
	if w.fires("A") {
		t.Error("still fires")
	}
	if err := w.db.board.Sources["am"].Err; !strings.HasPrefix(err, "1 of 2 peers did not answer: "+w.one.URL) {
		t.Errorf("admins are told %q, want the peer that is down", err)
	}
}

func TestAnAlertOfAnotherReceiverIsNotOurs(t *testing.T) {
	w := newAMWorld(t)
	w.deliver(t, "A", "firing")
	w.one.has("A", "active", "page")
	w.one.has("Theirs", "active", "other")
	w.poll(t)
	if w.fires("Theirs") || !w.fires("A") {
		t.Errorf("signals %v", w.db.signals())
	}
}

func TestWhatChangedWhileWeAskedIsNewerThanTheAnswer(t *testing.T) {
	w := newAMWorld(t)
	w.deliver(t, "A", "firing")
	w.one.has("A", "active", "page")
	asked := w.clock.Now()
	answers := w.poller.askPeers(t.Context(), w.rules.Sources[0])
	w.clock.pass(time.Second)
	w.deliver(t, "A", "resolved")
	seen := status.Seen{Source: "am", AskedAt: asked, Active: map[string]status.SeenAlert{}}
	if missing := join(&seen, answers, w.rules.Sources[0], "page", w.db.board); len(missing) != 0 {
		t.Errorf("an alert that has just ended would be taken in again: %v", missing)
	}
}

// Alertmanager lists the heartbeat for minutes after Prometheus died.
func TestTheHeartbeatIsAsOldAsPrometheusRenewedIt(t *testing.T) {
	w := newAMWorld(t)
	watched, err := LoadRules("rules.yaml", []byte(strings.Replace(string(w.rules.Source), "peers:",
		"heartbeat: {matchers: ['alertname=\"Watchdog\"'], max_age: 3m}, peers:", 1)))
	if err != nil {
		t.Fatal(err)
	}
	w.rules = watched
	w.one.has("Watchdog", "active", "other")
	w.two.has("Watchdog", "suppressed", "other")
	w.two.Alerts[0]["updatedAt"] = received.Add(-time.Minute)
	for range 5 {
		w.poll(t)
	}
	state := w.db.board.Sources["am"]
	if !state.HeartbeatAt.Equal(received) || !w.db.board.Blind(w.rules, "am", w.clock.Now()) {
		t.Errorf("renewed at %s, believed at %s", state.HeartbeatAt, w.clock.Now())
	}
	if len(w.db.board.Signals) != 0 {
		t.Errorf("the heartbeat was taken in as an alert: %v", w.db.board.Signals)
	}
	w.one.Alerts[0]["updatedAt"] = w.clock.Now()
	w.poll(t)
	if w.db.board.Blind(w.rules, "am", w.clock.Now()) {
		t.Error("a renewed heartbeat is not believed")
	}
}

func TestASourceIsAskedAsOftenAsItsRulesSay(t *testing.T) {
	w := newAMWorld(t)
	quick, err := LoadRules("rules.yaml", []byte(strings.Replace(string(w.rules.Source), "peers:", "poll_every: 2s, min_uptime: 2h, peers:", 1)))
	if err != nil {
		t.Fatal(err)
	}
	w.rules = quick
	if step := w.poller.step(); step != 2*time.Second {
		t.Errorf("looks every %s who is due", step)
	}
	for range 3 {
		w.poller.pollDue(t.Context())
		w.clock.pass(2 * time.Second)
	}
	if n := w.one.Asked.Load(); n != 3 {
		t.Errorf("asked %d times in three rounds", n)
	}
	if at := w.db.board.Sources["am"].AnsweredAt; !at.IsZero() {
		t.Error("believed a peer that is up for an hour, where two are asked for")
	}
}

func TestTheErrorOfASourceIsKeptForAdmins(t *testing.T) {
	w := newAMWorld(t)
	w.one.Down, w.two.Down = true, true
	w.poll(t)
	if err := w.db.board.Sources["am"].Err; err == "" {
		t.Error("nobody answered, and nobody is told")
	}
}

func TestANudgedSourceIsAskedSoonButNotInAStorm(t *testing.T) {
	w := newAMWorld(t)
	w.poller.pollDue(t.Context())
	for range 20 {
		w.poller.Nudge("am")
		w.poller.pollDue(t.Context())
	}
	if n := w.one.Asked.Load(); n != 1 {
		t.Errorf("asked %d times within a second", n)
	}
	w.clock.pass(pollStep)
	w.poller.pollDue(t.Context())
	if n := w.one.Asked.Load(); n != 2 {
		t.Errorf("asked %d times, want the nudge to be remembered", n)
	}
	w.clock.pass(30 * time.Second)
	w.poller.pollDue(t.Context())
	if n := w.one.Asked.Load(); n != 2 {
		t.Errorf("asked %d times without a nudge", n)
	}
}

func TestAMessageThatMayLeaveAlertsOutNudges(t *testing.T) {
	for body, want := range map[string]bool{
		`{"alerts":[{"status":"firing","labels":{"a":"1"}}],"truncatedAlerts":3}`:                      true,
		`{"alerts":[{"status":"resolved","labels":{"a":"1"}}]}`:                                        true,
		`{"alerts":[{"status":"firing","labels":{"a":"1"}}]}`:                                          false,
		`{"alerts":[{"status":"firing","labels":{"a":"1"}},{"status":"resolved","labels":{"a":"2"}}]}`: false,
	} {
		var nudged []string
		b := newBench(t, func(c *IntakeConfig) { c.Nudge = func(s string) { nudged = append(nudged, s) } })
		if _, err := b.Accept(t.Context(), KindAlertmanager, "am", []byte(body)); err != nil {
			t.Fatal(err)
		}
		b.work(t)
		if (len(nudged) == 1 && nudged[0] == "am") != want {
			t.Errorf("%s: nudged %v", body, nudged)
		}
	}
}

func TestTheRecordedAnswersOfTheAPIAreUnderstood(t *testing.T) {
	recorded := func(name string) []byte {
		b, err := os.ReadFile("testdata/api-v2/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(recorded(r.URL.Path[len("/api/v2/"):] + ".json"))
	}))
	defer server.Close()
	w := newAMWorld(t)
	a := w.poller.askPeer(t.Context(), status.Source{}, server.URL)
	if a.err != nil || len(a.alerts) == 0 || len(a.receivers) == 0 || a.uptime == 0 {
		t.Fatalf("%d alerts, receivers %v, uptime %s, error %v", len(a.alerts), a.receivers, a.uptime, a.err)
	}
	suppressed := 0
	seen := status.Seen{Source: "am", Active: map[string]status.SeenAlert{}}
	join(&seen, []peerAnswer{a}, status.Source{}, "default.web-hook", status.NewBoard(""))
	for _, s := range seen.Active {
		if s.Suppressed {
			suppressed++
		}
	}
	if suppressed != 1 {
		t.Errorf("%d suppressed of %d, want the silenced one", suppressed, len(seen.Active))
	}
}

func TestThePasswordOfAPeerStaysOutOfErrors(t *testing.T) {
	w := newAMWorld(t)
	w.one.Down = true
	peer := strings.Replace(w.one.URL, "http://", "http://ada:canary-password@", 1) + "/prefix"
	for _, address := range []string{peer, "http://ada:canary-password@127.0.0.1:1"} {
		a := w.poller.askPeer(t.Context(), status.Source{}, address)
		if a.err == nil || strings.Contains(a.err.Error(), "canary") || !strings.Contains(a.err.Error(), "127.0.0.1") {
			t.Errorf("the error is %v", a.err)
		}
	}
}
