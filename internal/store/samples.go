package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// millis keeps a duration in milliseconds.
type millis int64

// sample is a status.Sample as it is kept.
type sample struct {
	status.Sample
	step millis
}

var samples = table[sample]{
	name: "samples", key: []string{"chart", "step", "at"}, revised: true,
	columns: func(s *sample) []column {
		return []column{
			{"chart", &s.Chart},
			{"step", &s.step},
			{"at", at(&s.At)},
			{"low", &s.Low},
			{"high", &s.High},
			{"mean", &s.Mean},
		}
	},
}

func (s sample) public() status.Sample {
	s.Step = time.Duration(s.step) * time.Millisecond
	return s.Sample
}

func inMillis(d time.Duration) int64 { return d.Milliseconds() }

// saveSamples keeps measured samples, and makes the coarser ones anew that they
// are part of: of the finest, which are kept for longer than any stretch that
// is still measured.
func (s *Store) saveSamples(ctx context.Context, h handle, revision int64, measured []status.Sample) error {
	if len(measured) == 0 {
		return nil
	}
	rows, charts := map[status.Sample]sample{}, []string{}
	first, last := measured[0].At, measured[0].At
	for _, v := range measured {
		// The same minute may have been measured twice in one transaction.
		rows[status.Sample{Chart: v.Chart, Step: v.Step, At: v.At}] = sample{v, millis(inMillis(v.Step))}
		if v.At.Before(first) {
			first = v.At
		}
		if v.At.After(last) {
			last = v.At
		}
		if !slices.Contains(charts, v.Chart) {
			charts = append(charts, v.Chart)
		}
	}
	if err := write(ctx, h, s.dialect, samples, revision, values(rows)); err != nil {
		return err
	}
	for _, tier := range status.Tiers[1:] {
		from, to := first.Truncate(tier.Step), last.Truncate(tier.Step).Add(tier.Step)
		begin := fmt.Sprintf("at - at %% %d", inMillis(tier.Step))
		_, err := exec(ctx, h, fmt.Sprintf(`INSERT INTO samples (chart, step, at, low, high, mean, revision)
			SELECT chart, %d, %s, MIN(low), MAX(high), AVG(mean), %d FROM samples
			WHERE step = %d AND at >= ? AND at < ? AND chart IN %s GROUP BY chart, %s
			ON CONFLICT (chart, step, at) DO UPDATE SET low = excluded.low, high = excluded.high, mean = excluded.mean, revision = excluded.revision`,
			inMillis(tier.Step), begin, revision, inMillis(status.Tiers[0].Step), s.dialect.elements("?"), begin),
			stamp(from), stamp(to), list(charts))
		if err != nil {
			return fmt.Errorf("thin out samples: %w", err)
		}
	}
	return nil
}

// chartsKept is what was last read of the charts: it changes once a minute and
// is asked for at each turn.
type chartsKept struct {
	mu       sync.Mutex
	revision int64
	series   []status.Series
}

// charts reads what the charts show. Each span ends with the newest sample of
// all: the store knows no clock.
func (s *Store) charts(ctx context.Context, h handle) ([]status.Series, error) {
	revision, err := scalar[int64](ctx, h, "SELECT MAX(revision) FROM samples")
	if err != nil || revision == 0 {
		return nil, err
	}
	s.chartsKept.mu.Lock()
	defer s.chartsKept.mu.Unlock()
	if s.chartsKept.revision == revision {
		return s.chartsKept.series, nil
	}
	latest, err := samples.list(ctx, h, fmt.Sprintf(`WHERE step = %d AND (chart, at) IN (
		SELECT chart, MAX(at) FROM samples WHERE step = %[1]d GROUP BY chart) ORDER BY chart`, inMillis(status.Tiers[0].Step)))
	if err != nil {
		return nil, err
	}
	var newest time.Time
	series := make([]status.Series, len(latest))
	for n, l := range latest {
		series[n] = status.Series{Chart: l.Chart, Latest: l.public(), Spans: map[string][]status.Sample{}}
		if l.At.After(newest) {
			newest = l.At
		}
	}
	for _, span := range status.Spans {
		if err := drawn(ctx, h, span, newest, series); err != nil {
			return nil, err
		}
	}
	s.chartsKept.revision, s.chartsKept.series = revision, series
	return series, nil
}

// drawn adds the points of a span.
func drawn(ctx context.Context, h handle, span status.Span, newest time.Time, series []status.Series) error {
	begin := fmt.Sprintf("at - at %% %d", inMillis(span.Step))
	list, err := samples.read(ctx, h, fmt.Sprintf(`SELECT chart, %d, %s, MIN(low), MAX(high), AVG(mean) FROM samples
		WHERE step = %d AND at > ? GROUP BY chart, %s ORDER BY 1, 3`,
		inMillis(span.Step), begin, inMillis(span.Tier()), begin), stamp(newest.Add(-span.Length).Truncate(span.Step)))
	if err != nil {
		return err
	}
	for _, p := range list {
		n, known := slices.BinarySearchFunc(series, p.Chart, func(s status.Series, id string) int { return strings.Compare(s.Chart, id) })
		if known {
			series[n].Spans[span.Name] = append(series[n].Spans[span.Name], p.public())
		}
	}
	return nil
}

// SamplesUntil is up to when each chart has been measured.
func (s *Store) SamplesUntil(ctx context.Context) (map[string]time.Time, error) {
	list, err := samples.read(ctx, s.read, fmt.Sprintf(
		"SELECT chart, step, MAX(at), 0.0, 0.0, 0.0 FROM samples WHERE step = %d GROUP BY chart, step", inMillis(status.Tiers[0].Step)))
	if err != nil {
		return nil, err
	}
	until := map[string]time.Time{}
	for _, v := range list {
		until[v.Chart] = v.At
	}
	return until, nil
}

// PruneSamples deletes samples that are older than their tier keeps. It returns
// how many rows went.
func (s *Store) PruneSamples(ctx context.Context, now time.Time) (int, error) {
	total := 0
	for _, tier := range status.Tiers {
		res, err := s.write.ExecContext(ctx, s.write.Rebind("DELETE FROM samples WHERE step = ? AND at < ?"), inMillis(tier.Step), stamp(now.Add(-tier.Keep)))
		if err != nil {
			return total, fmt.Errorf("delete old samples: %w", err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return total, err
		}
		total += int(n)
	}
	return total, nil
}
