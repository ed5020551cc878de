package engine_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/alerts/nerdgraphfake"
	"github.com/statusbridge/statusbridge/internal/status"
)

const nrAccount, nrKey, issueID = 1234567, "NRAK-TEST", "7d2a1c1e-5f3b-4c52-9b0a-000000000001"

const newRelicRules = `
version: 1
severity:
  - { matchers: ['priority="CRITICAL"'], level: critical, impact: major }
  - { matchers: ['priority="HIGH"'], level: warning, impact: minor }
rules:
  - name: new-relic
    matchers: []
    group_by: [policy]
    for: 0s
    open: { title: 'Trouble', publish: auto }
    update: { on: [severity] }
    resolve: { after: 5m }
`

// says delivers what New Relic's webhook says of an issue at a moment.
func (s *site) says(id, state, priority, trigger string, updated time.Time) {
	s.t.Helper()
	s.deliver("newrelic", "nr", []byte(fmt.Sprintf(`{"statusbridge":1,"accountId":%d,"issueId":%q,"state":%q,"trigger":%q,"priority":%q,`+
		`"title":"Slow","policies":["Golden Signals"],"createdAt":%d,"updatedAt":%d}`,
		nrAccount, id, state, trigger, priority, epoch.UnixMilli(), updated.UnixMilli())))
}

func TestS46AnActivationThatArrivesAfterItsCloseIsIgnored(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s := newSite(t, dsn, newRelicRules)
		s.says(issueID, "ACTIVATED", "HIGH", "STATE_CHANGE", epoch)
		s.after(time.Minute)
		s.says(issueID, "CLOSED", "HIGH", "INCIDENT_CLOSED", s.clock.Now())
		s.says(issueID, "ACTIVATED", "HIGH", "INCIDENT_ADDED", s.clock.Now().Add(-10*time.Second))
		s.after(6 * time.Minute)
		s.is(status.Resolved, "the activation is older than the close")
	})
}

func TestS47ACloseThatIsNoRecoveryIsOnlyProposed(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s := newSite(t, dsn, newRelicRules)
		for n, trigger := range []string{"CLOSE_TTL", "CLOSE_INACTIVE"} {
			id := issueID + fmt.Sprint(n)
			s.says(id, "ACTIVATED", "HIGH", "STATE_CHANGE", s.clock.Now())
			s.after(time.Minute)
			s.says(id, "CLOSED", "HIGH", trigger, s.clock.Now())
			s.after(time.Hour)
			s.is(status.Investigating, trigger)
			if i := s.only(); len(i.Suggestions) != 1 || i.Suggestions[0].Value != string(status.Resolved) {
				t.Errorf("%s: suggestions %v", trigger, i.Suggestions)
			}
		}
	})
}

func TestS49ARaisedPriorityIsToldOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s := newSite(t, dsn, newRelicRules)
		s.says(issueID, "ACTIVATED", "HIGH", "STATE_CHANGE", epoch)
		s.after(time.Minute)
		for n := range 3 {
			s.says(issueID, "ACTIVATED", "CRITICAL", "PRIORITY_CHANGED", s.clock.Now().Add(time.Duration(n)*time.Second-5*time.Second))
		}
		if i := s.only(); i.Impact != status.ImpactMajor || len(i.Updates) != 2 {
			t.Errorf("impact %s, %d updates", i.Impact, len(i.Updates))
		}
	})
}

func TestS50WhatWebhooksOfNewRelicLoseIsFoundByAsking(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		fake := nerdgraphfake.Start(map[int]string{nrAccount: nrKey})
		t.Cleanup(func() {
			fake.Close()
			for _, reason := range fake.Refused() {
				t.Errorf("New Relic would have turned away a request: %s", reason)
			}
		})
		s := newSite(t, dsn, newRelicRules+fmt.Sprintf(
			"sources: { nr: { type: newrelic, account_id: %d, api_key_env: NR_KEY, api_url: '%s' } }\n", nrAccount, fake.URL()))
		s.env["NR_KEY"] = nrKey
		issue := nerdgraphfake.Issue{
			ID: issueID, State: "ACTIVATED", Event: "INCIDENT_ADDED", Priority: "HIGH", Title: "Slow", Policy: "Golden Signals", CreatedAt: epoch, UpdatedAt: epoch,
		}
		fake.Put(nrAccount, issue)
		s.after(2 * time.Minute)
		s.is(status.Investigating, "no webhook came")
		issue.State, issue.Event, issue.UpdatedAt = "CLOSED", "INCIDENT_CLOSED", s.clock.Now()
		fake.Put(nrAccount, issue)
		s.after(9 * time.Minute)
		s.is(status.Resolved, "no webhook came")
	})
}

// classic is a body of an account that was migrated to workflows, with more
// members.
func classic(more string) []byte {
	return []byte(`{"account_id":1234567,"current_state":"open","incident_id":-1,"severity":"CRITICAL","policy_name":"Golden Signals",` + more +
		`"timestamp":` + fmt.Sprint(epoch.UnixMilli()) + `}`)
}

func TestS51TwoIncidentsWithoutANumberAreNeverOne(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s := newSite(t, dsn, newRelicRules)
		for _, n := range []string{"1", "2"} {
			s.deliver("newrelic", "nr", classic(`"issue_id":"7d2a1c1e-5f3b-4c52-9b0a-00000000000`+n+`",`))
			s.deliver("newrelic", "nr", classic(`"condition_name":"Latency","targets":[{"id":"`+n+`","name":"checkout-`+n+`"}],`))
		}
		if keys := slices.Collect(maps.Keys(s.board().Signals)); len(keys) != 4 {
			t.Errorf("four incidents became %d: %v", len(keys), keys)
		}
		s.deliver("newrelic", "nr", classic("")) // nothing tells which: better unread than mixed up
		if dead := s.webhooks(status.WebhookDead); len(dead) != 1 || !strings.Contains(dead[0].Verdict, "nothing in the body tells which incident") {
			t.Errorf("dead letters %v", dead)
		}
	})
}

func TestS52ATestIsReceivedAndNeverAnIssue(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s := newSite(t, dsn, newRelicRules)
		s.deliver("newrelic", "nr", []byte(`{"current_state":"test","incident_id":1}`))
		if list := s.webhooks(status.WebhookProcessed); len(list) != 1 || list[0].Verdict != "received test" || len(s.issues()) != 0 || len(s.board().Signals) != 0 {
			t.Errorf("%+v, %d issues", list, len(s.issues()))
		}
	})
}
