package alerts

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/statusbridge/statusbridge/internal/status"
)

func readAlertmanager(t *testing.T, body string) Reading {
	t.Helper()
	r, err := Decode(KindAlertmanager, "prod", []byte(body), received, "d1")
	if err != nil {
		t.Fatalf("a dead letter: %v\n%s", err, body)
	}
	return r
}

func deadLetter(t *testing.T, kind, body, reason string) {
	t.Helper()
	r, err := Decode(kind, "prod", []byte(body), received, "d1")
	if err == nil {
		t.Fatalf("read as %+v: %s", r, body)
	}
	if !strings.Contains(err.Error(), reason) {
		t.Errorf("the reason %q does not speak of %q", err, reason)
	}
}

func TestAnAlertmanagerAlertBecomesAFact(t *testing.T) {
	r, err := Decode(KindAlertmanager, "prod", capture(t, KindAlertmanager, "30-debian-0.25-resolved.json"), received, "d1")
	if err != nil {
		t.Fatal(err)
	}
	want := status.Fact{
		Source: "prod", Fingerprint: "5cd21a76f5393918",
		Labels:      map[string]string{"alertname": "Old", "instance": "o-1", "service": "ship", "severity": "critical"},
		Annotations: map[string]string{"description": "d", "summary": "Old on o-1"},
		StartsAt:    time.Date(2026, 11, 22, 18, 50, 25, 764e6, time.UTC),
		EndsAt:      time.Date(2026, 11, 22, 18, 50, 28, 216e6, time.UTC),
		ReceivedAt:  received, Delivery: "d1", Receiver: "web.hook",
		URL: "http://prometheus.example.test:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
	}
	if diff := cmp.Diff([]status.Fact{want}, r.Facts); diff != "" {
		t.Error(diff)
	}
}

func TestTheAlertsOwnStatusCountsNotTheGroups(t *testing.T) {
	r := readAlertmanager(t, `{"version":"4","status":"resolved","truncatedAlerts":3,"alerts":[
		{"status":"firing","labels":{"a":"1"}},{"status":"resolved","labels":{"a":"2"}}]}`)
	if !r.Facts[0].Firing || r.Facts[1].Firing || r.Truncated != 3 {
		t.Errorf("%+v", r)
	}
}

func TestAWrongOrMissingFingerprintIsComputedAgain(t *testing.T) {
	body := string(capture(t, KindAlertmanager, "01-firing-single.json"))
	for given, remark := range map[string]string{
		`"fingerprint": "f7ed4846afefd240"`: "",
		`"fingerprint": "0000000000000000"`: "does not fit",
		`"fingerprint": ""`:                 "without a fingerprint",
		`"x": ""`:                           "without a fingerprint",
	} {
		r := readAlertmanager(t, strings.Replace(body, `"fingerprint": "f7ed4846afefd240"`, given, 1))
		if got := r.Facts[0].Fingerprint; got != "f7ed4846afefd240" {
			t.Errorf("%s: fingerprint %s", given, got)
		}
		if (r.Note == "") != (remark == "") || !strings.Contains(r.Note, remark) {
			t.Errorf("%s: note %q", given, r.Note)
		}
	}
}

func TestMissingTimesAreThoseOfReceipt(t *testing.T) {
	r := readAlertmanager(t, `{"alerts":[{"status":"firing","labels":{"a":"1"}},
		{"status":"resolved","labels":{"a":"2"},"startsAt":"0001-01-01T00:00:00Z","endsAt":"0001-01-01T00:00:00Z"},
		{"status":"resolved","labels":{"a":"3"},"endsAt":"2020-01-01T00:00:00+01:00"}]}`)
	ended := time.Date(2019, 12, 31, 23, 0, 0, 0, time.UTC)
	for n, want := range [][2]time.Time{{received, {}}, {received, received}, {ended, ended}} {
		f := r.Facts[n]
		if !f.StartsAt.Equal(want[0]) || !f.EndsAt.Equal(want[1]) {
			t.Errorf("alert %d: from %s to %s", n+1, f.StartsAt, f.EndsAt)
		}
	}
}

func TestAFiringAlertHasNoEndWhateverTheBodySays(t *testing.T) {
	r := readAlertmanager(t, `{"alerts":[{"status":"firing","labels":{"a":"1"},"endsAt":"2030-01-01T00:00:00Z"}]}`)
	if !r.Facts[0].EndsAt.IsZero() {
		t.Error(r.Facts[0].EndsAt)
	}
}

func TestOneBadAlertDoesNotSilenceItsNeighbours(t *testing.T) {
	r := readAlertmanager(t, `{"alerts":[{"status":"odd","labels":{"a":"1"}},{"status":"firing","labels":{"a":"2"}},{"status":"firing"}]}`)
	if len(r.Facts) != 1 || r.Events != 3 || !strings.Contains(r.Note, `2 not read: alert 1 has the status "odd"`) {
		t.Errorf("%+v", r)
	}
}

func TestBodiesThatAreNoAlertmanagerWebhookAreDeadLetters(t *testing.T) {
	for body, reason := range map[string]string{
		``:                            "not valid JSON",
		`{"alerts":[`:                 "not valid JSON",
		`null`:                        "no alerts",
		`[]`:                          "not the expected shape",
		`{"version":"4"}`:             "no alerts",
		`{"version":"4","alerts":[]}`: "no alerts",
		`{"alerts":"none"}`:           `"/alerts": a string is no list`,
		`{"alerts":[{"status":"firing","labels":{"a":1}}]}`:                          `"/alerts/0/labels/a": a number is no string`,
		`{"alerts":[{"status":"firing","labels":{"a":"1"},"startsAt":"yesterday"}]}`: "RFC 3339",
		`{"alerts":[{"status":"firing","labels":{"a":"1","a":"2"}}]}`:                "duplicate",
		`{"alerts":[{"status":"firing","status":"resolved","labels":{"a":"1"}}]}`:    "duplicate",
		`{"alerts":[{"status":"firing","Status":"resolved","labels":{"a":"1"}}]}`:    `"Status" differs from "status"`,
		`{"alerts":[{"status":"firing","labels":{"a":"1"}}],"Alerts":[]}`:            `"Alerts" differs from "alerts"`,
		`{"alerts":[{"labels":{"a":"1"}}]}`:                                          "no alert can be read",
		`{"alerts":[{"status":"firing","labels":{"a":"1"}}]} {}`:                     "not valid JSON",
		"{\"alerts\":[{\"status\":\"firing\",\"labels\":{\"a\":\"\xff\"}}]}":         "not valid JSON",
	} {
		deadLetter(t, KindAlertmanager, body, reason)
	}
}

func TestLabelsThatDifferInCaseAreDifferentLabels(t *testing.T) {
	r := readAlertmanager(t, `{"alerts":[{"status":"firing","labels":{"a":"1","A":"2"}}]}`)
	if len(r.Facts[0].Labels) != 2 {
		t.Errorf("%+v", r.Facts[0].Labels)
	}
}

func TestALinkThatIsNotHTTPIsDropped(t *testing.T) {
	r := readAlertmanager(t, `{"alerts":[{"status":"firing","labels":{"a":"1"},"generatorURL":"javascript:alert(1)"}]}`)
	if r.Facts[0].URL != "" {
		t.Error(r.Facts[0].URL)
	}
}

func TestTenThousandAlertsInOneBodyAreRead(t *testing.T) {
	one := `{"status":"firing","labels":{"alertname":"Many","instance":"`
	var b bytes.Buffer
	b.WriteString(`{"alerts":[`)
	for n := range 10_000 {
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteString(one + time.Duration(n).String() + `"}}`)
	}
	b.WriteString(`]}`)
	seen := map[string]bool{}
	for _, f := range readAlertmanager(t, b.String()).Facts {
		seen[f.Fingerprint] = true
	}
	if len(seen) != 10_000 {
		t.Errorf("%d identities", len(seen))
	}
}

func BenchmarkFiftyAlerts(b *testing.B) {
	alert := `{"status":"firing","labels":{"alertname":"HTTPDown","instance":"api-%","service":"api","severity":"critical"},
		"annotations":{"summary":"HTTPDown"},"startsAt":"2026-11-22T18:37:24.261Z","endsAt":"0001-01-01T00:00:00Z",
		"generatorURL":"http://prometheus.example.test:9090/graph","fingerprint":"f7ed4846afefd240"}`
	body := []byte(`{"version":"4","alerts":[` + strings.TrimSuffix(strings.Repeat(alert+",", 50), ",") + `]}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(KindAlertmanager, "prod", body, received, "d1"); err != nil {
			b.Fatal(err)
		}
	}
}
