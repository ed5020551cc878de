package alerts

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func readKnowing(t *testing.T, k *knownAlerts, body string) Reading {
	t.Helper()
	r, err := envelope{source: "am", receivedAt: time.Unix(1764000000, 0).UTC(), delivery: "d", known: k}.read(KindAlertmanager, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAnAlertWhoseBytesAreKnownIsReadOnceAndSaysTheSame(t *testing.T) {
	const alert = `{"status":%q,"labels":{"a":"b"},"startsAt":%q,"generatorURL":"https://p.example/","fingerprint":"x"}`
	firing := fmt.Sprintf(alert, "firing", "2026-01-01T00:00:00Z")
	endless := fmt.Sprintf(alert, "resolved", "0001-01-01T00:00:00Z") // its times are those of the receipt
	body := `{"alerts":[` + firing + `,{"labels":{}},` + endless + `]}`
	k := &knownAlerts{}
	first, again, fresh := readKnowing(t, k, body), readKnowing(t, k, body), readKnowing(t, nil, body)
	if !reflect.DeepEqual(first, fresh) || !reflect.DeepEqual(again, fresh) {
		t.Errorf("read anew:\n%+v\nfirst:\n%+v\nagain:\n%+v", fresh, first, again)
	}
	if reflect.ValueOf(first.Facts[0].Labels).Pointer() != reflect.ValueOf(again.Facts[0].Labels).Pointer() {
		t.Error("known bytes were decoded again")
	}
	if reflect.ValueOf(first.Facts[0].Labels).Pointer() == reflect.ValueOf(first.Facts[1].Labels).Pointer() {
		t.Error("other bytes were taken for the same")
	}
}

// sameReading fails unless a body reads the same with a memory as without one.
func sameReading(t *testing.T, body []byte, known *knownAlerts) Reading {
	t.Helper()
	want, wantErr := Decode(KindAlertmanager, "prod", body, received, "d1")
	got, err := envelope{source: "prod", receivedAt: received, delivery: "d1", known: known}.read(KindAlertmanager, body)
	if fmt.Sprint(wantErr) != fmt.Sprint(err) {
		t.Errorf("%.300s\nis refused with %v, with what is known %v", body, wantErr, err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%.300s\n%s", body, diff)
	}
	return got
}

func TestWhatIsReadDoesNotDependOnWhatWasReadBefore(t *testing.T) {
	var known knownAlerts
	for range 3 {
		for _, name := range captures(t, KindAlertmanager) {
			body := capture(t, KindAlertmanager, name)
			sameReading(t, body, &known)
			var compact bytes.Buffer
			for _, line := range bytes.Split(body, []byte("\n")) {
				compact.Write(bytes.TrimSpace(line))
			}
			sameReading(t, compact.Bytes(), &known)
		}
	}
	if len(known.young) == 0 {
		t.Error("nothing is remembered")
	}
}

func TestAKnownAlertIsKnownOnlyWhereAnAlertStands(t *testing.T) {
	const alert = `{"status":"firing","labels":{"alertname":"A\\","x":"\"}"}}`
	first := `{"alerts":[` + alert + `]}`
	if spans := alertSpans([]byte(first)); len(spans) != 1 || first[spans[0].from:spans[0].to] != alert {
		t.Fatalf("found %v in %s", spans, first)
	}
	for _, body := range []string{
		first,
		`{"alerts" : [ ` + alert + ` , ` + alert + `]}`,
		`{"alerts":[null,` + alert + `]}`,
		`{"alerts":[[` + alert + `]]}`,
		`{"alerts":[` + alert + alert + `]}`,
		`{"alerts":[` + alert + `,]}`,
		`{"alerts":[` + alert,
		`{"alerts":[` + alert + `}`,
		`{"alerts":` + alert + `}`,
		`["alerts":[` + alert + `]]`,
		`{"x":{"alerts":[` + alert + `]}}`,
		`{"x":{"alerts":[` + alert + `]},"alerts":[` + strings.Replace(alert, "firing", "resolved", 1) + `]}`,
		`{"x":"\"alerts\":[` + strings.ReplaceAll(alert, `"`, `\"`) + `]","alerts":[{"status":"resolved","labels":{"a":"b"}}]}`,
		`{"alerts":[` + alert + `],"alerts":[` + alert + `]}`,
		`{"alerts":[` + alert + `],"Alerts":[` + alert + `]}`,
		`{"alert\u0073":[` + alert + `]}`,
		`{"x":"alerts","alerts":[` + alert + `]}`,
		`{"x":"\"alerts\":[` + strings.ReplaceAll(alert, `"`, `\"`) + `]"}`,
		`{"alerts":[` + strings.Replace(alert, "firing", "resolved", 1) + `,` + alert + `]}`,
		`{"alerts":[{"labels":` + alert + `}]}`,
		`{"alerts":[{"Status":"x","status":"firing","labels":{"a":"b"}},` + alert + `]}`,
		`{"alerts":[{"status":"firing"},` + alert + `],"truncatedAlerts":3}`,
		`"alerts`, `"`, `{"alerts":[`, `{"alerts":[]}`, ``,
	} {
		var known knownAlerts
		sameReading(t, []byte(first), &known)
		sameReading(t, []byte(body), &known)
		sameReading(t, []byte(body), &known)
	}
}

func TestWhatIsKnownCostsNextToNothing(t *testing.T) {
	var list []string
	for n := range 50 {
		list = append(list, fmt.Sprintf(`{"status":"firing","labels":{"alertname":"A","instance":"%d"},"annotations":{"summary":"%d is down"}}`, n, n))
	}
	body := `{"alerts":[` + strings.Join(list, ",") + `]}`
	var known knownAlerts
	again := testing.AllocsPerRun(20, func() { readKnowing(t, &known, body) })
	anew := testing.AllocsPerRun(20, func() { readKnowing(t, nil, body) })
	if again*10 > anew {
		t.Errorf("%v allocations to read what is known, %v to read what is new", again, anew)
	}
}

func TestKnownAlertsThatNobodyAsksForAreForgotten(t *testing.T) {
	var known knownAlerts
	size := knownLimit / 100
	text := func(n int) []byte { return fmt.Append(nil, n) }
	has := func(n int) bool { return known.look(text(n), []span{{0, len(text(n))}})[0] != nil }
	for n := range 1000 {
		known.learn(text(n), &alertmanagerSaid{size: size})
		if !has(0) {
			t.Fatalf("forgot after %d what is asked for all the time", n)
		}
	}
	if has(1) {
		t.Error("kept what nobody asks for")
	}
	if held := len(known.young) + len(known.old); held > 201 {
		t.Errorf("holds %d texts, the limit is two hundred", held)
	}
}

func BenchmarkFiftyKnownAlerts(b *testing.B) {
	var list []string
	for n := range 50 {
		list = append(list, fmt.Sprintf(`{"status":"firing","labels":{"alertname":"HTTPDown","instance":"api-%d","service":"api","severity":"critical"},
			"annotations":{"summary":"HTTPDown"},"startsAt":"2026-11-22T18:37:24.261Z","endsAt":"0001-01-01T00:00:00Z",
			"generatorURL":"http://prometheus.example.test:9090/graph","fingerprint":"f7ed4846afefd240"}`, n))
	}
	body := []byte(`{"version":"4","alerts":[` + strings.Join(list, ",") + `]}`)
	e := envelope{source: "prod", receivedAt: received, delivery: "d1", known: &knownAlerts{}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.read(KindAlertmanager, body); err != nil {
			b.Fatal(err)
		}
	}
}
