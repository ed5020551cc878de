package store

import (
	"context"

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
