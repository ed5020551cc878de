package alerts

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/statusbridge/statusbridge/internal/status"
)

func readNewRelic(t *testing.T, body string) Reading {
	t.Helper()
	r, err := Decode(KindNewRelic, "nr", []byte(body), received, "d1")
	if err != nil {
		t.Fatalf("a dead letter: %v\n%s", err, body)
	}
	return r
}

// newRelicFact reads a body of which one fact is expected.
func newRelicFact(t *testing.T, body string) status.Fact {
	t.Helper()
	r := readNewRelic(t, body)
	if len(r.Facts) != 1 {
		t.Fatalf("%d facts: %+v\n%s", len(r.Facts), r, body)
	}
	return r.Facts[0]
}

const issueID = "7d2a1c1e-5f3b-4c52-9b0a-3f1d7c9e2a10"

func TestANewRelicIssueBecomesAFactWithItsFieldsAsLabels(t *testing.T) {
	got := newRelicFact(t, string(capture(t, KindNewRelic, "41-statusbridge-template-closed.json")))
	want := status.Fact{
		Source: "nr", Fingerprint: "1234567/" + issueID, Delivery: "d1", ReceivedAt: received,
		Labels: map[string]string{
			"account": "1234567", "condition": "Checkout error rate", "entity": "checkout-api", "policy": "Golden Signals",
			"priority": "CRITICAL", "state": "CLOSED", "trigger": "INCIDENT_CLOSED",
			"title": "checkout-api query result is > 5.0 for 5 minutes on 'Checkout error rate'",
			"env":   "prod", "team": "payments", "service": "checkout",
		},
		Annotations: map[string]string{
			"summary":     "checkout-api query result is > 5.0 for 5 minutes on 'Checkout error rate'",
			"description": "Policy: 'Golden Signals'. Condition: 'Checkout error rate'",
			"runbook_url": "https://runbooks.example.test/checkout",
		},
		StartsAt: time.UnixMilli(1760000000000).UTC(), EndsAt: time.UnixMilli(1760000400000).UTC(),
		OrderedAt: time.UnixMilli(1760000400000).UTC(),
		URL:       "https://radar-api.service.newrelic.com/accounts/1234567/issues/" + issueID,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAClassicIncidentBecomesAFact(t *testing.T) {
	got := newRelicFact(t, string(capture(t, KindNewRelic, "22-legacy-closed.json")))
	want := status.Fact{
		Source: "nr", Fingerprint: "1234567/987654", Delivery: "d1", ReceivedAt: received,
		Labels: map[string]string{
			"account": "1234567", "condition": "Checkout error rate", "entity": "checkout-api", "policy": "Golden Signals",
			"priority": "CRITICAL", "state": "closed", "env": "prod",
			"title": "Error rate > 5% for at least 5 minutes on 'checkout-api'",
		},
		Annotations: map[string]string{
			"summary":     "Error rate > 5% for at least 5 minutes on 'checkout-api'",
			"description": "Error rate > 5% for at least 5 minutes on 'checkout-api'",
			"runbook_url": "https://runbooks.example.test/checkout",
		},
		StartsAt: time.UnixMilli(1760000000000).UTC(), EndsAt: time.UnixMilli(1760000400000).UTC(),
		OrderedAt: time.UnixMilli(1760000400000).UTC(),
		URL:       "https://alerts.newrelic.com/accounts/1234567/incidents/987654",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAllShapesOfOneIssueAreOneSignal(t *testing.T) {
	for _, name := range []string{
		"02-default-activated.json", "07-default-closed.json", "30-migrated-open-incident_id-minus-1.json",
		"40-statusbridge-template-activated.json", "41-statusbridge-template-closed.json",
	} {
		if got := newRelicFact(t, string(capture(t, KindNewRelic, name))).Fingerprint; got != "1234567/"+issueID {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestACreatedIssueIsReceivedButDoesNotFire(t *testing.T) {
	r := readNewRelic(t, string(capture(t, KindNewRelic, "01-default-created.json")))
	if len(r.Facts) != 0 || r.Events != 1 || r.Test || !strings.Contains(r.Note, "not active yet") {
		t.Errorf("%+v", r)
	}
}

func TestTheStatesOfNewRelic(t *testing.T) {
	for state, firing := range map[string]bool{"ACTIVATED": true, "activated": true, "CLOSED": false, "DEACTIVATED": false} {
		f := newRelicFact(t, `{"id":"i1","state":"`+state+`","createdAt":1760000000000,"updatedAt":1760000001000}`)
		if f.Firing != firing || f.Unrecovered {
			t.Errorf("%s: firing %v, unrecovered %v", state, f.Firing, f.Unrecovered)
		}
	}
	for state, firing := range map[string]bool{"open": true, "acknowledged": true, "closed": false} {
		f := newRelicFact(t, `{"incident_id":5,"current_state":"`+state+`","timestamp":1760000000000}`)
		if f.Firing != firing {
			t.Errorf("%s: firing %v", state, f.Firing)
		}
	}
}

func TestAnEndWithoutRecoveryIsMarked(t *testing.T) {
	for _, trigger := range []string{"CLOSE_TTL", "CLOSE_INACTIVE", "MERGE_REQUEST", "close_ttl"} {
		r := readNewRelic(t, `{"id":"i1","state":"CLOSED","trigger":"`+trigger+`"}`)
		if f := r.Facts[0]; f.Firing || !f.Unrecovered || !strings.Contains(r.Note, "no recovery") {
			t.Errorf("%s: %+v, note %q", trigger, f, r.Note)
		}
	}
	if f := newRelicFact(t, `{"id":"i1","state":"ACTIVATED","trigger":"MERGE_REQUEST"}`); f.Unrecovered {
		t.Error("an active issue has not ended")
	}
}

func TestATestNotificationHasNoFacts(t *testing.T) {
	for _, body := range []string{
		`{"current_state":"test","incident_id":0}`,
		`{"current_state":"open","event_type":"TEST","incident_id":4}`,
	} {
		if r := readNewRelic(t, body); !r.Test || len(r.Facts) != 0 {
			t.Errorf("%s: %+v", body, r)
		}
	}
}

func TestTheOrderOfIdentities(t *testing.T) {
	const u = "11111111-2222-3333-4444-555555555555"
	for body, want := range map[string]string{
		`"issue_id":"a","id":"b","incident_id":7`: "a",
		`"id":"b","incident_id":7`:                "b",
		`"incident_id":7`:                         "7",
		`"incident_id":"7"`:                       "7",
		`"incident_id":"` + u + `"`:               u,
		`"incident_id":7,"account_id":42`:         "42/7",
		`"incident_id":-1,"incident_url":"https://x.test/accounts/42/issues/` + u + `?n=W"`: "42/" + u,
	} {
		if got := newRelicFact(t, `{"current_state":"open","timestamp":1760000000000,`+body+`}`).Fingerprint; got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	for body, want := range map[string]string{
		`"issueId":"a","id":"b"`: "a",
		`"id":"b"`:               "b",
		`"id":"b","issueUrl":"https://x.test/accounts/42/issues/` + u + `"`: "42/b",
	} {
		if got := newRelicFact(t, `{"state":"ACTIVATED",`+body+`}`).Fingerprint; got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

// classic writes a classic body of a migrated account without any identity.
func classic(state string, condition int, target string, timestamp, duration string) string {
	id := map[int]string{1: "4242", 2: "4343"}[condition]
	return `{"account_id":1,"incident_id":-1,"condition_id":` + id + `,"condition_name":"Errors","policy_name":"P","current_state":"` +
		state + `","targets":[{"id":"T1","name":"` + target + `"}],"timestamp":` + timestamp + `,"duration":` + duration + `}`
}

func TestTwoIncidentsWithoutAnIdNeverMerge(t *testing.T) {
	seen := map[string]string{}
	for _, body := range []string{
		classic("open", 1, "checkout", "1760000000000", "0"),
		classic("open", 2, "checkout", "1760000000000", "0"),
		classic("open", 1, "payments", "1760000000000", "0"),
		classic("open", 1, "checkout", "1760000000001", "0"),
	} {
		id := newRelicFact(t, body).Fingerprint
		if other, twice := seen[id]; twice {
			t.Errorf("%s\nand %s\nare both %s", body, other, id)
		}
		seen[id] = body
	}
}

func TestACloseWithoutAnIdFindsItsOpeningByTheDuration(t *testing.T) {
	opened := newRelicFact(t, classic("open", 1, "checkout", "1760000000000", "0"))
	closed := newRelicFact(t, classic("closed", 1, "checkout", "1760000400000", "400000"))
	if opened.Fingerprint != closed.Fingerprint {
		t.Errorf("%s is not %s", opened.Fingerprint, closed.Fingerprint)
	}
	if r := readNewRelic(t, classic("acknowledged", 1, "checkout", "1760000100000", "0")); len(r.Facts) != 0 {
		t.Errorf("an acknowledgement without identity: %+v", r.Facts)
	}
}

func TestAFieldWithSeveralValuesIsAListAndItsFirstTheLabel(t *testing.T) {
	f := newRelicFact(t, `{"statusbridge":1,"issueId":"i1","state":"ACTIVATED","policies":["A","B","A"],"conditions":"one",
		"entities":[],"tags":{"team":["x","y"],"env":["prod"],"n":7,"empty":[],"policy":["tag"],"condition":["x","y"],"priority":["low"],"odd":{"a":1}}}`)
	want := map[string]string{"policy": "A", "condition": "one", "team": "x", "env": "prod", "n": "7", "state": "ACTIVATED"}
	if diff := cmp.Diff(want, f.Labels); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string][]string{"policy": {"A", "B"}, "team": {"x", "y"}}, f.Lists); diff != "" {
		t.Error(diff)
	}
}

func TestNullsAndOddTimesOfATemplateAreTakenAsMissing(t *testing.T) {
	for _, stamp := range []string{"null", `"soon"`, "-5", "1e300", "[]", "99999999999999999999"} {
		f := newRelicFact(t, `{"statusbridge":1,"accountId":null,"issueId":"i1","state":"CLOSED","createdAt":`+stamp+
			`,"updatedAt":`+stamp+`,"closedAt":`+stamp+`}`)
		if !f.StartsAt.Equal(received) || !f.EndsAt.Equal(received) || !f.OrderedAt.IsZero() || f.Fingerprint != "i1" {
			t.Errorf("%s: %+v", stamp, f)
		}
	}
	if f := newRelicFact(t, `{"id":"i1","state":"ACTIVATED","createdAt":"1760000000000"}`); f.StartsAt.UnixMilli() != 1760000000000 {
		t.Errorf("a number in a string: %s", f.StartsAt)
	}
}

func TestBodiesThatAreNoNewRelicPayloadAreDeadLetters(t *testing.T) {
	for body, reason := range map[string]string{
		``:                               "not valid JSON",
		`{"hello":"world"}`:              "not a shape of New Relic",
		`{"id":"i1","state":"SLEEPING"}`: `the state "SLEEPING" is not known`,
		`{"id":1,"current_state":"odd"}`: `the state "odd" is not known`,
		`{"state":"ACTIVATED"}`:          "no issue id",
		`{"id":"i1","state":"CLOSED","state":"A"}`:                            "duplicate",
		`{"id":"i1","state":"CLOSED","State":"A"}`:                            `"State" differs from "state"`,
		`{"id":"i1","ID":"i2","state":"CLOSED"}`:                              `"ID" differs from "id"`,
		`{"incident_id":-1,"current_state":"open","timestamp":1760000000000}`: "tells which incident",
		`{"incident_id":-1,"current_state":"open","condition_id":4}`:          "tells which incident",
		`{"incident_id":3,"current_state":"open","targets":[{"Name":"a"}]}`:   `target 1: the key "Name"`,
		`{"incident_id":3,"current_state":"open","targets":"a"}`:              `"/targets": a string is no list`,
		`{"id":"` + strings.Repeat("x", 300) + `","state":"CLOSED"}`:          "too long",
	} {
		deadLetter(t, KindNewRelic, body, reason)
	}
}

func TestAnUnknownKindOfSenderIsADeadLetter(t *testing.T) {
	deadLetter(t, "pigeon", `{}`, `"pigeon"`)
}
