package scenario

import (
	"fmt"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/alerts/nerdgraphfake"
)

// rulesNewRelic publishes by itself, and asks New Relic every second.
const rulesNewRelic = `version: 1
severity:
  - { matchers: [], level: critical, impact: major }
sources:
  nr-prod: { type: newrelic, account_id: 1234567, api_key_env: OUR_KEY, api_url: '%s', poll_every: 1s }
rules:
  - name: new-relic
    matchers: ['policy="Golden Signals"']
    group_by: [condition]
    for: 0s
    open:
      title: '{{ .GroupLabels.condition }} on our side'
      body: 'We are looking into it.'
      components: [{ component: checkout, status: major_outage }]
      publish: auto
    resolve: { mode: auto, after: 500ms, body: 'All is well again.' }
`

const (
	nrAccount = 1234567
	nrIssue   = "7d2a1c1e-5f3b-4c52-9b0a-3f1d7c9e2a10"
	nrOther   = "7d2a1c1e-5f3b-4c52-9b0a-000000000002"
)

// newRelic is an account without webhooks: they all got lost.
type newRelic struct {
	*nerdgraphfake.Fake
	began time.Time
}

// lostWebhooks starts a daemon that can only ask.
func lostWebhooks(t *testing.T) (*world, newRelic) {
	t.Helper()
	nr := newRelic{nerdgraphfake.Start(map[int]string{nrAccount: "NRAK-CANARY"}), time.Now()}
	t.Cleanup(func() {
		nr.Close()
		for _, reason := range nr.Refused() {
			t.Errorf("New Relic would have turned away a request: %s", reason)
		}
	})
	d := install(t, setup{rules: fmt.Sprintf(rulesNewRelic, nr.URL()), env: []string{"OUR_KEY=NRAK-CANARY"}})
	return staff(t, d), nr
}

// opens and closes put an issue into the account.
func (nr newRelic) opens(id, condition string) { nr.put(id, condition, "ACTIVATED", "INCIDENT_ADDED") }

func (nr newRelic) closes(id, condition string) { nr.put(id, condition, "CLOSED", "INCIDENT_CLOSED") }

func (nr newRelic) put(id, condition, state, event string) {
	nr.Put(nrAccount, nerdgraphfake.Issue{
		ID: id, State: state, Event: event, Priority: "CRITICAL", Title: condition, Entity: "checkout-api",
		Policy: "Golden Signals", Condition: condition, CreatedAt: nr.began, UpdatedAt: time.Now(),
	})
}

func TestWhatNewRelicsWebhooksLoseIsFoundByAsking(t *testing.T) {
	t.Parallel()
	w, nr := lostWebhooks(t)
	nr.opens(nrIssue, "Errors")
	eventually(t, "the page shows the issue", func() error { return w.isOpen("Errors on our side") })
	w.holds("it is not over", "Errors on our side")
	if n := w.updates("Errors on our side"); n != 1 {
		t.Errorf("%d updates, want the beginning", n)
	}
	nr.Hide(nrIssue)
	w.holds("that an answer lacks it means nothing", "Errors on our side")
	nr.opens(nrOther, "Latency")
	eventually(t, "another one begins", func() error { return w.isOpen("Latency on our side") })
	nr.closes(nrOther, "Latency")
	w.ends("Latency on our side", "quiet for resolve.after")
	if err := w.isOpen("Errors on our side"); err != nil {
		t.Error(err)
	}
}

// All of its bad days: what ended meanwhile ends when it answers again, and
// admins see why nothing moves.
func TestABadDayOfNewRelicTurnsNothingGreen(t *testing.T) {
	t.Parallel()
	for name, day := range map[string]struct {
		answer nerdgraphfake.Answer
		times  int
		shown  string
	}{
		"errors inside a 200": {nerdgraphfake.Refusal("SERVER_ERROR", "Something went wrong"), 5, "SERVER_ERROR: Something went wrong"},
		"too many requests":   {nerdgraphfake.RateLimited(8 * time.Second), 1, "429 Too Many Requests"},
		"a key gone bad":      {nerdgraphfake.Unauthorized(), 5, "is the key a user key, and still good?"},
		"it hangs":            {nerdgraphfake.Hanging(), 2, "context deadline exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, nr := lostWebhooks(t)
			nr.opens(nrIssue, "Errors")
			eventually(t, "the page shows the issue", func() error { return w.isOpen("Errors on our side") })
			for range day.times {
				nr.Next(day.answer)
			}
			nr.closes(nrIssue, "Errors")
			eventually(t, "admins see why nothing moves", func() error { return w.admin.get("/admin/alerts").says("nr-prod", day.shown) })
			tries := nr.Tries()
			stays(t, 2500*time.Millisecond, "the issue", func() error { return w.isOpen("Errors on our side") })
			if n := nr.Tries() - tries; day.times == 1 && n > 1 || n > 4 {
				t.Errorf("%d more requests within seconds", n)
			}
			w.ends("Errors on our side", "quiet for resolve.after")
			if contains(w.out.String(), "NRAK-CANARY") == nil {
				t.Error("the key is in the log")
			}
		})
	}
}
