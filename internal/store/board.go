package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/statusbridge/statusbridge/internal/status"
)

const (
	// recent is how long what is over stays on the board.
	recent = 48 * time.Hour
	// keepFor is how long a board is kept in memory before it is loaded anew,
	// which is what takes old things off it.
	keepFor = time.Hour
)

// keptBoard is the board as this process saw it last. Whatever it holds is
// exactly what the database holds at that revision.
type keptBoard struct {
	board    status.Board
	loadedAt time.Time
}

// boardHead is the row that puts all decisions in order.
type boardHead struct {
	Revision int64  `db:"revision"`
	Minted   int64  `db:"minted"`
	Seed     string `db:"seed"`
}

// lockBoard makes other deciders wait until the transaction ends.
func (s *Store) lockBoard(ctx context.Context, tx *sqlx.Tx) (boardHead, error) {
	head, err := readHead(ctx, tx, s.dialect.forUpdate)
	if err != nil {
		return head, fmt.Errorf("lock the board: %w", err)
	}
	return head, nil
}

// boardNow reads the head without a lock.
func boardNow(ctx context.Context, h handle) (boardHead, error) {
	head, err := readHead(ctx, h, "")
	if err != nil {
		return head, fmt.Errorf("read the revision: %w", err)
	}
	return head, nil
}

func readHead(ctx context.Context, h handle, lock string) (head boardHead, err error) {
	err = sqlx.GetContext(ctx, h, &head, "SELECT revision, minted, seed FROM board WHERE id = 1"+lock)
	return head, err
}

// Revision is the number of the last decision that was saved.
func (s *Store) Revision(ctx context.Context) (int64, error) {
	r, err := scalar[int64](ctx, s.read, "SELECT revision FROM board WHERE id = 1")
	if err != nil {
		return 0, fmt.Errorf("read the revision: %w", err)
	}
	return r, nil
}

// currentBoard brings the kept board up to the locked head, and puts the
// subjects on it.
func (s *Store) currentBoard(ctx context.Context, h handle, head boardHead, now time.Time, subjects []string) (*status.Board, error) {
	k := s.kept
	switch {
	case k == nil, k.board.Seed != head.Seed, head.Revision < k.board.Revision, now.Sub(k.loadedAt) > keepFor:
		k = &keptBoard{board: status.NewBoard(head.Seed), loadedAt: now}
		if err := pull(ctx, h, &k.board, presentAt(now)); err != nil {
			return nil, err
		}
	case head.Revision > k.board.Revision: // another replica decided meanwhile
		clear(k.board.Timers) // one that was removed leaves no row behind
		if err := pull(ctx, h, &k.board, changedSince(k.board.Revision)); err != nil {
			return nil, err
		}
	}
	k.board.Revision, k.board.Minted = head.Revision, head.Minted
	s.kept = k
	return &k.board, s.bring(ctx, h, &k.board, subjects)
}

// picks says which rows of each table are wanted.
type picks struct {
	components, groups, issues, maintenances, series, corrections, signals, tracks, sources clause
}

// clause is the tail of a query with its parameters.
type clause struct {
	sql  string
	args []any
}

func where(sql string, args ...any) clause { return clause{"WHERE " + sql, args} }

// presentAt picks what a board holds when nothing is known yet: everything that
// can still move, and what moved lately.
func presentAt(now time.Time) picks {
	since := stamp(now.Add(-recent))
	return picks{
		issues: where(`id IN (
			SELECT id FROM issues WHERE state <> 'resolved' AND stage <> 'dismissed'
			UNION SELECT id FROM issues WHERE stage = 'draft'
			UNION SELECT id FROM issues WHERE updated_at >= ?
			UNION SELECT issue_id FROM tracks WHERE issue_id <> ''
			UNION SELECT subject FROM timers WHERE kind IN ('publish', 'confirm'))`, since),
		maintenances: where("state NOT IN ('completed', 'cancelled') OR updated_at >= ? OR ended_at >= ? OR series_id <> '' AND scheduled_until >= ?", since, since, since),
		series:       where("ended_at IS NULL"),
		corrections:  where("created_at >= ?", since), // a form sent twice is found here
		// Two halves with an index each: of alerts that ended long ago none is read.
		signals: where("firing UNION ALL SELECT "+strings.Join(names(signals.shape()), ", ")+" FROM signals WHERE NOT firing AND seen_at >= ?", since),
		// The subject of a timer is spelled by status.TrackKey.String.
		tracks: where(`firing > 0 OR issue_id <> '' OR attached_to <> '' OR settled
			OR since >= ? OR quiet_since >= ? OR last_ended_at >= ?
			OR rule || ? || group_key IN (SELECT subject FROM timers WHERE kind IN ('hold', 'settle', 'judge'))`,
			since, since, since, status.TrackKey{}.String()),
	}
}

// changedSince picks what was saved after a revision.
func changedSince(revision int64) picks {
	c := where("revision > ?", revision)
	return picks{components: c, groups: c, issues: c, maintenances: c, series: c, corrections: c, signals: c, tracks: c, sources: c}
}

// pull reads the picked rows, and all timers, onto the board.
func pull(ctx context.Context, h handle, b *status.Board, p picks) error {
	var c status.Changes
	for _, read := range []func() error{
		func() error {
			return collect(ctx, h, components, p.components, &c.Components, func(v status.Component) string { return v.ID })
		},
		func() error {
			return collect(ctx, h, groups, p.groups, &c.Groups, func(v status.Group) string { return v.ID })
		},
		func() error { return collect(ctx, h, issues, p.issues, &c.Issues, issueID) },
		func() error { return collect(ctx, h, maintenances, p.maintenances, &c.Maintenances, maintenanceID) },
		func() error {
			return collect(ctx, h, series, p.series, &c.Series, func(v status.MaintenanceSeries) string { return v.ID })
		},
		func() error { return collect(ctx, h, corrections, p.corrections, &c.Corrections, correctionID) },
		func() error {
			return collect(ctx, h, signals, p.signals, &c.Signals, func(v status.Signal) status.SignalKey { return v.Key })
		},
		func() error {
			return collect(ctx, h, tracks, p.tracks, &c.Tracks, func(v status.Track) status.TrackKey { return v.Key })
		},
		func() error {
			return collect(ctx, h, sources, p.sources, &c.Sources, func(v status.SourceState) string { return v.Name })
		},
	} {
		if err := read(); err != nil {
			return err
		}
	}
	due, err := timers.list(ctx, h, "")
	if err != nil {
		return err
	}
	c.Timers = map[status.TimerKey]time.Time{}
	for _, t := range due {
		c.Timers[t.key] = t.due
	}
	b.Merge(c)
	return nil
}

func issueID(i status.Issue) string             { return i.ID }
func maintenanceID(m status.Maintenance) string { return m.ID }
func correctionID(c status.Correction) string   { return c.ID }

// collect reads rows into a map by their key.
func collect[T any, K comparable](ctx context.Context, h handle, t table[T], c clause, into *map[K]T, key func(T) K) error {
	rows, err := t.list(ctx, h, c.sql, c.args...)
	if err != nil {
		return err
	}
	*into = make(map[K]T, len(rows))
	for _, v := range rows {
		(*into)[key(v)] = v
	}
	return nil
}

// bring puts old issues, maintenances and corrections on the board that somebody asks for
// by id. Ids that are not known stay unknown.
func (s *Store) bring(ctx context.Context, h handle, b *status.Board, subjects []string) error {
	var missing []string
	for _, id := range subjects {
		_, issue := b.Issues[id]
		_, maintenance := b.Maintenances[id]
		_, component := b.Components[id]
		_, group := b.Groups[id]
		_, correction := b.Corrections[id]
		if id != "" && !issue && !maintenance && !component && !group && !correction {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	var c status.Changes
	named := where("id IN "+s.dialect.elements("?"), list(missing))
	if err := collect(ctx, h, issues, named, &c.Issues, issueID); err != nil {
		return err
	}
	if err := collect(ctx, h, maintenances, named, &c.Maintenances, maintenanceID); err != nil {
		return err
	}
	if err := collect(ctx, h, corrections, named, &c.Corrections, correctionID); err != nil {
		return err
	}
	b.Merge(c)
	return nil
}
