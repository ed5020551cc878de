package store_test

import (
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// minutes are samples of a chart, one a minute, of the values from 1 on.
func minutes(chart string, from time.Time, n int) []status.Sample {
	list := make([]status.Sample, n)
	for i := range list {
		v := float64(i + 1)
		list[i] = status.Sample{Chart: chart, Step: time.Minute, At: from.Add(time.Duration(i) * time.Minute), Low: v, High: v, Mean: v}
	}
	return list
}

func TestSamplesAreThinnedOutForThePage(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		hour := noon.Truncate(time.Hour)
		apply(t, s, status.Measured(minutes("apdex", hour, 75)))
		apply(t, s, status.Measured(append(minutes("cpu", hour, 1), minutes("cpu", hour, 2)...)))
		series := func(chart string) status.Series {
			t.Helper()
			v, err := s.View(t.Context(), hour)
			if err != nil || len(v.Charts) != 2 {
				t.Fatalf("%d charts, %v", len(v.Charts), err)
			}
			for _, c := range v.Charts {
				if c.Chart == chart {
					return c
				}
			}
			t.Fatalf("no chart %s", chart)
			return status.Series{}
		}
		point := func(step time.Duration, at time.Time, low, high, mean float64) status.Sample {
			return status.Sample{Chart: "apdex", Step: step, At: at, Low: low, High: high, Mean: mean}
		}
		got := series("apdex")
		same(t, "the latest", got.Latest, point(time.Minute, hour.Add(74*time.Minute), 75, 75, 75))
		half := 30 * time.Minute
		same(t, "the day", got.Spans["day"], []status.Sample{
			point(half, hour, 1, 30, 15.5), point(half, hour.Add(half), 31, 60, 45.5), point(half, hour.Add(2*half), 61, 75, (65.5+73)/2),
		})
		week := 4 * time.Hour
		same(t, "the week", got.Spans["week"], []status.Sample{point(week, hour.Truncate(week), 1, 75, (30.5+68)/2)})

		// What comes again takes the place of what was there.
		again := minutes("apdex", hour.Add(30*time.Minute), 1)
		again[0].High = 1000
		apply(t, s, status.Measured(again))
		if day := series("apdex").Spans["day"]; day[1].Low != 1 || day[1].High != 1000 || day[0].High != 30 {
			t.Errorf("after a correction: %+v", day)
		}
		until, err := s.SamplesUntil(t.Context())
		if err != nil || !until["apdex"].Equal(hour.Add(74*time.Minute)) || !until["cpu"].Equal(hour.Add(time.Minute)) {
			t.Errorf("measured until %v, %v", until, err)
		}
	})
}

func TestOldSamplesGoTierByTier(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		hour := noon.Truncate(time.Hour)
		apply(t, s, status.Measured(minutes("apdex", hour, 60)))
		for _, step := range []struct {
			after time.Duration
			rows  int
		}{{24 * time.Hour, 0}, {3 * 24 * time.Hour, 60}, {15 * 24 * time.Hour, 6}, {91 * 24 * time.Hour, 1}} {
			if n, err := s.PruneSamples(t.Context(), hour.Add(step.after)); err != nil || n != step.rows {
				t.Errorf("after %s %d rows went, want %d: %v", step.after, n, step.rows, err)
			}
		}
	})
}
