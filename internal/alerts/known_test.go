package alerts

import (
	"fmt"
	"reflect"
	"testing"
	"time"
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

func TestKnownAlertsThatNobodyAsksForAreForgotten(t *testing.T) {
	k := &knownAlerts{}
	key := func(n int) alertBytes { return alertBytes{byte(n), byte(n >> 8)} }
	for n := range 1000 {
		k.learn(key(n), alertmanagerSaid{size: knownLimit / 100})
		if k.look([]alertBytes{key(0)})[0].size == 0 {
			t.Fatalf("forgot after %d what is asked for all the time", n)
		}
	}
	if k.look([]alertBytes{key(1)})[0].size > 0 {
		t.Error("kept what nobody asks for")
	}
	if held := len(k.young) + len(k.old); held > 201 {
		t.Errorf("holds %d texts, the limit is two hundred", held)
	}
}
