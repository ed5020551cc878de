package alerts

import (
	"reflect"
	"testing"
)

func FuzzDecodeAlertmanager(f *testing.F) { fuzzDecode(f, KindAlertmanager) }

func FuzzDecodeNewRelic(f *testing.F) { fuzzDecode(f, KindNewRelic) }

// fuzzDecode holds that whatever is read can be used: every fact has an
// identity, an origin and times, and reading it twice gives the same.
func fuzzDecode(f *testing.F, kind string) {
	for _, name := range captures(f, kind) {
		f.Add(capture(f, kind, name))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := Decode(kind, "s", body, received, "d")
		again, errAgain := Decode(kind, "s", body, received, "d")
		if (err == nil) != (errAgain == nil) || !reflect.DeepEqual(r, again) {
			t.Fatalf("read twice: %+v (%v), then %+v (%v)", r, err, again, errAgain)
		}
		if err != nil {
			if len(r.Facts) != 0 {
				t.Fatal("a dead letter with facts")
			}
			return
		}
		if r.Events < 1 || r.Events < len(r.Facts) || r.Truncated < 0 || r.Test && len(r.Facts) > 0 {
			t.Fatalf("%+v", r)
		}
		for _, fact := range r.Facts {
			switch {
			case fact.Source != "s", fact.Delivery != "d", fact.Fingerprint == "", !fact.ReceivedAt.Equal(received),
				fact.StartsAt.IsZero(), fact.EndsAt.IsZero() != fact.Firing, fact.Firing && fact.Unrecovered:
				t.Fatalf("%+v", fact)
			}
			for name, list := range fact.Lists {
				if len(list) < 2 || fact.Labels[name] != list[0] {
					t.Fatalf("list %s: %q, label %q", name, list, fact.Labels[name])
				}
			}
		}
	})
}
