package charts

import (
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/alerts/nerdgraphfake"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

const key = "NRAK-TEST"

// newRelic is an account that turns away what the real one would.
func newRelic(t *testing.T) *nerdgraphfake.Fake {
	t.Helper()
	f := nerdgraphfake.Start(map[int]string{7: key})
	t.Cleanup(f.Close)
	return f
}

func TestNewRelicsMinutesAreRead(t *testing.T) {
	for name, tt := range map[string]struct {
		value func(n int) any
		want  []float64
	}{
		"numbers":       {func(n int) any { return n }, []float64{0, 1, 2}},
		"no data":       {func(n int) any { return map[bool]any{true: 1.5, false: nil}[n == 1] }, []float64{1.5}},
		"an Apdex":      {func(n int) any { return map[string]any{"score": 0.9, "s": 9, "t": 0, "f": 1, "count": 10} }, []float64{0.9, 0.9, 0.9}},
		"a percentile":  {func(n int) any { return map[string]any{"95": n} }, []float64{0, 1, 2}},
		"nothing known": {func(n int) any { return nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := newRelic(t)
			f.Plot(7, "SELECT average(duration) FROM Transaction", func(at time.Time) any { return tt.value(int(at.Sub(noon) / time.Minute)) })
			got, err := askNewRelic(t.Context(), Config{Name: "Load", Type: NewRelic, Query: " SELECT average(duration) FROM Transaction ", AccountID: 7, APIKey: key, URL: f.URL()}, noon, noon.Add(3*time.Minute))
			if err != nil || len(f.Refused()) > 0 {
				t.Fatalf("%v; refused: %q", err, f.Refused())
			}
			if len(got) != len(tt.want) {
				t.Fatalf("%d samples, want %d", len(got), len(tt.want))
			}
			for n, v := range tt.want {
				s := got[n]
				if s.Mean != v || s.Low != v || s.High != v || s.Chart != "load" || s.Step != time.Minute || !s.At.Equal(s.At.Truncate(time.Minute)) {
					t.Errorf("sample %d: %+v, want %v", n, s, v)
				}
			}
		})
	}
}

func TestEachPresetIsNRQLForItsApplication(t *testing.T) {
	for _, preset := range presetNames() {
		f := newRelic(t)
		c := Config{Name: "X", Type: NewRelic, Preset: preset, App: `O'Neill's \ Shop`, AccountID: 7, APIKey: key, URL: f.URL()}
		if problems := c.Check(); len(problems) > 0 && problems[0].Key != "url" {
			t.Errorf("%s: %v", preset, problems)
		}
		f.Plot(7, presets[preset].nrql+` WHERE appName = 'O\'Neill\'s \\ Shop'`, func(time.Time) any { return 1 })
		if got, err := askNewRelic(t.Context(), c, noon, noon.Add(time.Minute)); err != nil || len(got) != 1 {
			t.Errorf("%s: %d samples, %v; refused: %q", preset, len(got), err, f.Refused())
		}
	}
}

func TestABadAnswerOfNewRelicIsAnError(t *testing.T) {
	for want, answer := range map[string]nerdgraphfake.Answer{
		"VALIDATION: no such event type": nerdgraphfake.Refusal("VALIDATION", "no such event type"),
		"429 Too Many Requests":          nerdgraphfake.RateLimited(time.Minute),
		"is the key a user key":          nerdgraphfake.Unauthorized(),
		"no word on account 7":           nerdgraphfake.Plain(200, `{"data":{"actor":{"account":null}}}`),
		"no time series":                 nerdgraphfake.Plain(200, `{"data":{"actor":{"account":{"nrql":{"results":[{"count":7}]}}}}}`),
		"several values":                 nerdgraphfake.Plain(200, `{"data":{"actor":{"account":{"nrql":{"results":[{"beginTimeSeconds":0,"a":1,"b":2}]}}}}}`),
		"which is no number":             nerdgraphfake.Plain(200, `{"data":{"actor":{"account":{"nrql":{"results":[{"beginTimeSeconds":0,"a":"many"}]}}}}}`),
	} {
		f := newRelic(t)
		f.Plot(7, "SELECT 1", func(time.Time) any { return 1 })
		f.Next(answer)
		_, err := askNewRelic(t.Context(), Config{Name: "X", Query: "SELECT 1", AccountID: 7, APIKey: key, URL: f.URL()}, noon, noon.Add(time.Minute))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), key) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
