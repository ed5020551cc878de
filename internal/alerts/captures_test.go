package alerts

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// received is when the deliveries of the tests come in.
var received = time.Date(2026, 11, 22, 19, 0, 0, 0, time.UTC)

// capture returns the body of a recorded delivery.
func capture(t testing.TB, kind, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", kind, name))
	if err != nil {
		t.Fatal(err)
	}
	if kind == KindNewRelic {
		return raw
	}
	var recorded struct{ Body json.RawMessage }
	if err := json.Unmarshal(raw, &recorded); err != nil {
		t.Fatal(err)
	}
	return recorded.Body
}

// captures lists the recorded deliveries of a kind.
func captures(t testing.TB, kind string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", kind, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures of %s: %v", kind, err)
	}
	for n := range files {
		files[n] = filepath.Base(files[n])
	}
	return files
}

// outcome is what a capture must decode to.
type outcome struct {
	Firing, Resolved, Unrecovered, Truncated int
	Silent                                   bool // received without facts
	Dead                                     bool
}

var expected = map[string]map[string]outcome{
	KindAlertmanager: {
		"01-firing-single.json":                         {Firing: 1},
		"02-grouped-new-alerts-added.json":              {Firing: 3},
		"03-partial-resolve.json":                       {Firing: 2, Resolved: 1},
		"04-full-resolve.json":                          {Resolved: 2},
		"05-refire-after-full-resolve.json":             {Firing: 1},
		"06-repeat-first.json":                          {Firing: 1},
		"06-repeat-interval-elapsed.json":               {Firing: 1},
		"07-receiver-500-attempt-1-answered-500.json":   {Firing: 1},
		"07-receiver-500-attempt-6-answered-200.json":   {Firing: 1},
		"08-resolve-delivered-after-outage.json":        {Resolved: 1},
		"09-receiver-400-attempt-1-answered-400.json":   {Firing: 1},
		"09-receiver-400-attempt-2-answered-400.json":   {Firing: 1},
		"09-receiver-400-attempt-3-answered-200.json":   {Firing: 1},
		"12-group-resolved-without-silenced-alert.json": {Resolved: 1},
		"12-silence-before.json":                        {Firing: 2},
		"12-silenced-alert-missing-from-repeat.json":    {Firing: 1},
		"14-truncated-first.json":                       {Firing: 2, Truncated: 3},
		"15-continue-route-1.json":                      {Firing: 1},
		"15-continue-route-2.json":                      {Firing: 1},
		"16-custom-payload.json":                        {Firing: 1},
		"17-resolved-by-resolve-timeout.json":           {Resolved: 1},
		"20-utf8-labels-html-in-annotation.json":        {Firing: 1},
		"23-ha-healthy-single.json":                     {Firing: 1},
		"27-ha-split-brain-1.json":                      {Firing: 1},
		"27-ha-split-brain-2.json":                      {Firing: 1},
		"30-debian-0.25-firing.json":                    {Firing: 1},
		"30-debian-0.25-resolved.json":                  {Resolved: 1},
		"31-real-prometheus-firing.json":                {Firing: 1},
	},
	KindNewRelic: {
		"01-default-created.json":                        {Silent: true},
		"02-default-activated.json":                      {Firing: 1},
		"03-default-priority-raised.json":                {Firing: 1},
		"05-default-incident-closed-still-active.json":   {Firing: 1},
		"06-default-acknowledged-looks-like-active.json": {Firing: 1},
		"07-default-closed.json":                         {Resolved: 1},
		"08-default-closed-by-ttl-not-a-recovery.json":   {Resolved: 1, Unrecovered: 1},
		"20-legacy-open.json":                            {Firing: 1},
		"21-legacy-acknowledged.json":                    {Firing: 1},
		"22-legacy-closed.json":                          {Resolved: 1},
		"30-migrated-open-incident_id-minus-1.json":      {Firing: 1},
		"40-statusbridge-template-activated.json":        {Firing: 1},
		"41-statusbridge-template-closed.json":           {Resolved: 1},
		"90-invalid-not-json.txt":                        {Dead: true},
	},
}

func TestEveryCaptureDecodesAsItsNameSays(t *testing.T) {
	for kind, want := range expected {
		names := captures(t, kind)
		if len(names) != len(want) {
			t.Errorf("%s: %d captures but %d expectations", kind, len(names), len(want))
		}
		for _, name := range names {
			w, ok := want[name]
			if !ok {
				t.Errorf("%s/%s: nothing says what to expect", kind, name)
				continue
			}
			r, err := Decode(kind, "prod", capture(t, kind, name), received, "d1")
			var got outcome
			got.Dead = err != nil
			got.Silent = err == nil && len(r.Facts) == 0
			got.Truncated = r.Truncated
			for _, f := range r.Facts {
				if f.Firing {
					got.Firing++
				} else {
					got.Resolved++
				}
				if f.Unrecovered {
					got.Unrecovered++
				}
				if f.Source != "prod" || f.Delivery != "d1" || !f.ReceivedAt.Equal(received) {
					t.Errorf("%s/%s: the fact does not say where it is from: %+v", kind, name, f)
				}
			}
			if diff := cmp.Diff(w, got); diff != "" {
				t.Errorf("%s/%s (-want +got): %s\nerror: %v", kind, name, diff, err)
			}
		}
	}
}

func TestNoAlertmanagerCaptureNeedsARemarkButTheTruncatedOne(t *testing.T) {
	for _, name := range captures(t, KindAlertmanager) {
		r, err := Decode(KindAlertmanager, "prod", capture(t, KindAlertmanager, name), received, "d1")
		if err != nil {
			t.Fatal(name, err)
		}
		if wordy := r.Note != ""; wordy != (r.Truncated > 0) {
			t.Errorf("%s: note %q", name, r.Note)
		}
	}
}
