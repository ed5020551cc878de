package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// sum is what a batch of decisions comes to: of each thing the last value.
type sum struct{ status.Changes }

func newSum() *sum {
	return &sum{status.Changes{
		Components: map[string]status.Component{}, Groups: map[string]status.Group{},
		Issues: map[string]status.Issue{}, Maintenances: map[string]status.Maintenance{},
		Series: map[string]status.MaintenanceSeries{}, Corrections: map[string]status.Correction{},
		Signals: map[status.SignalKey]status.Signal{}, Tracks: map[status.TrackKey]status.Track{},
		Timers: map[status.TimerKey]time.Time{}, Sources: map[string]status.SourceState{},
	}}
}

func (s *sum) add(c status.Changes) {
	maps.Copy(s.Components, c.Components)
	maps.Copy(s.Groups, c.Groups)
	maps.Copy(s.Issues, c.Issues)
	maps.Copy(s.Maintenances, c.Maintenances)
	maps.Copy(s.Series, c.Series)
	maps.Copy(s.Corrections, c.Corrections)
	maps.Copy(s.Signals, c.Signals)
	maps.Copy(s.Tracks, c.Tracks)
	maps.Copy(s.Timers, c.Timers)
	maps.Copy(s.Sources, c.Sources)
	s.Samples = append(s.Samples, c.Samples...)
	s.Announcements = slices.DeleteFunc(s.Announcements, func(a status.Announcement) bool { return slices.Contains(c.Withdrawn, a.SubjectID) })
	s.Announcements = append(s.Announcements, c.Announcements...)
	s.Withdrawn = append(s.Withdrawn, c.Withdrawn...)
	s.Entries = append(s.Entries, c.Entries...)
	s.Verdicts = append(s.Verdicts, c.Verdicts...)
}

// save writes a sum. The number of statements depends on the kinds of things
// that changed, never on how many.
func (s *Store) save(ctx context.Context, h handle, c *sum, revision, minted int64) error {
	d := s.dialect
	for _, write := range []func() error{
		func() error { return write(ctx, h, d, components, revision, archivedFirst(c.Components)) },
		func() error { return write(ctx, h, d, groups, revision, values(c.Groups)) },
		func() error { return write(ctx, h, d, issues, revision, closedFirst(c.Issues)) },
		func() error { return write(ctx, h, d, maintenances, revision, values(c.Maintenances)) },
		func() error { return write(ctx, h, d, series, revision, values(c.Series)) },
		func() error { return write(ctx, h, d, corrections, revision, values(c.Corrections)) },
		func() error { return write(ctx, h, d, signals, revision, values(c.Signals)) },
		func() error { return write(ctx, h, d, tracks, revision, values(c.Tracks)) },
		func() error { return write(ctx, h, d, sources, revision, values(c.Sources)) },
		func() error { return s.saveTimers(ctx, h, c.Timers) },
		func() error { return s.withdraw(ctx, h, c.Withdrawn) },
		func() error {
			_, err := announcements.insert(ctx, h, d, keep, revision, c.Announcements)
			return err
		},
		func() error { return write(ctx, h, d, entries, revision, numbered(c.Entries, revision)) },
		func() error { return s.saveSamples(ctx, h, revision, c.Samples) },
		func() error { return s.closeWebhooks(ctx, h, c.Verdicts) },
	} {
		if err := write(); err != nil {
			return err
		}
	}
	// Numbers only, so both fit into one plain statement and one round trip.
	end := fmt.Sprintf("UPDATE board SET revision = %d, minted = %d WHERE id = 1", revision, minted)
	if d.name == postgresDialect.name && c.Stirring() {
		end += fmt.Sprintf("; NOTIFY %s, '%d'", channel, revision)
	}
	if _, err := h.ExecContext(ctx, end); err != nil {
		return fmt.Errorf("save the board: %w", err)
	}
	return nil
}

func write[T any](ctx context.Context, h handle, d dialect, t table[T], revision int64, rows []T) error {
	_, err := t.insert(ctx, h, d, replace, revision, rows)
	return err
}

func values[K comparable, T any](m map[K]T) []T { return slices.Collect(maps.Values(m)) }

// closedFirst: an issue must have given up its (rule, group) before the next
// one takes it, and unique indexes are checked row by row.
func closedFirst(m map[string]status.Issue) []status.Issue {
	return slices.SortedFunc(maps.Values(m), func(a, b status.Issue) int {
		return falseFirst(a.Open(), b.Open())
	})
}

// archivedFirst: likewise for the slugs of components.
func archivedFirst(m map[string]status.Component) []status.Component {
	return slices.SortedFunc(maps.Values(m), func(a, b status.Component) int {
		return falseFirst(!a.Archived, !b.Archived)
	})
}

func falseFirst(a, b bool) int {
	number := map[bool]int{true: 1}
	return cmp.Compare(number[a], number[b])
}

func numbered(es []status.Entry, revision int64) []line {
	lines := make([]line, len(es))
	for i, e := range es {
		lines[i] = line{revision: revision, number: i, Entry: e}
	}
	return lines
}

// saveTimers arms some and removes those with a zero time.
func (s *Store) saveTimers(ctx context.Context, h handle, all map[status.TimerKey]time.Time) error {
	var armed, removed []timer
	for k, due := range all {
		if due.IsZero() {
			removed = append(removed, timer{key: k})
		} else {
			armed = append(armed, timer{key: k, due: due})
		}
	}
	if err := write(ctx, h, s.dialect, timers, 0, armed); err != nil || len(removed) == 0 {
		return err
	}
	text, err := timers.encode(removed)
	if err != nil {
		return fmt.Errorf("remove timers: %w", err)
	}
	_, err = exec(ctx, h, fmt.Sprintf("DELETE FROM timers WHERE (kind, subject) IN (SELECT %s, %s FROM %s)",
		s.dialect.field("kind"), s.dialect.field("subject"), s.dialect.recordset(timers.shape())), text)
	if err != nil {
		return fmt.Errorf("remove timers: %w", err)
	}
	return nil
}
