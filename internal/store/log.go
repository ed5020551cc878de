package store

import (
	"context"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// line is an audit entry and its place in the log: the revision that it came
// with and its number within.
type line struct {
	revision int64
	number   int
	status.Entry
}

var entries = table[line]{
	name: "entries", key: []string{"revision", "line"},
	columns: func(l *line) []column {
		return []column{
			{"revision", &l.revision},
			{"line", &l.number},
			{"made_at", at(&l.At)},
			{"actor", &l.Actor},
			{"action", &l.Action},
			{"subject", &l.Subject},
			{"reason", &l.Reason},
			{"detail", &l.Detail},
			{"was", &l.Before},
			{"became", &l.After},
		}
	},
}

// Entries lists the audit log of a subject, or of everything when subject is
// "", the newest first.
func (s *Store) Entries(ctx context.Context, subject string, limit int) ([]status.Entry, error) {
	tail, args := "", []any{}
	if subject != "" {
		tail, args = "WHERE subject = ? ", []any{subject}
	}
	tail, args = limited(tail+"ORDER BY revision DESC, line DESC", args, limit)
	return s.lines(ctx, tail, args...)
}

// Spot is a place in the audit log; the zero Spot is before its newest line.
type Spot struct {
	Revision int64
	Line     int
}

// EntriesAfter lists the audit log of a subject ("" is any), the newest first,
// from behind a spot on. Each comes with its own spot.
func (s *Store) EntriesAfter(ctx context.Context, subject string, after Spot, limit int) ([]status.Entry, []Spot, error) {
	tail, args := "WHERE (? = '' OR subject = ?)", []any{subject, subject}
	if after.Revision > 0 {
		tail += " AND (revision, line) < (?, ?)"
		args = append(args, after.Revision, after.Line)
	}
	tail, args = limited(tail+" ORDER BY revision DESC, line DESC", args, limit)
	lines, err := entries.list(ctx, s.read, tail, args...)
	var found []status.Entry
	var spots []Spot
	for _, l := range lines {
		found, spots = append(found, l.Entry), append(spots, Spot{l.revision, l.number})
	}
	return found, spots, err
}

// EntriesBecause lists the lines of the audit log with a reason, made from a
// moment on and before another, the oldest first.
func (s *Store) EntriesBecause(ctx context.Context, reason status.Reason, from, to time.Time) ([]status.Entry, error) {
	return s.lines(ctx, "WHERE reason = ? AND made_at >= ? AND made_at < ? ORDER BY revision, line", string(reason), stamp(from), stamp(to))
}

func (s *Store) lines(ctx context.Context, tail string, args ...any) ([]status.Entry, error) {
	lines, err := entries.list(ctx, s.read, tail, args...)
	if err != nil {
		return nil, err
	}
	out := make([]status.Entry, len(lines))
	for i, l := range lines {
		out[i] = l.Entry
	}
	return out, nil
}
