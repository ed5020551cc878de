package status

import (
	"crypto/sha256"
	"encoding/base32"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// desk is where a verb works: it reads the board through what it has changed
// so far, and collects the changes.
type desk struct {
	board Board
	rules *Rules
	now   time.Time
	c     Changes

	nudges []string // drafts to be called to mind when all else is decided
}

func newDesk(b Board, r *Rules, now time.Time) *desk {
	if r == nil {
		r = &Rules{}
	}
	return &desk{board: b, rules: r, now: now, c: Changes{
		Minted:     b.Minted,
		Components: map[string]Component{}, Groups: map[string]Group{},
		Issues: map[string]Issue{}, Maintenances: map[string]Maintenance{}, Series: map[string]MaintenanceSeries{}, Corrections: map[string]Correction{},
		Signals: map[SignalKey]Signal{}, Tracks: map[TrackKey]Track{},
		Timers: map[TimerKey]time.Time{}, Sources: map[string]SourceState{},
	}}
}

func look[K comparable, V any](over, base map[K]V, k K) (V, bool) {
	if v, ok := over[k]; ok {
		return v, true
	}
	v, ok := base[k]
	return v, ok
}

// all returns the values of base with over's on top, in no order.
func all[K comparable, V any](over, base map[K]V) []V {
	out := make([]V, 0, len(base)+len(over))
	for k, v := range base {
		if _, changed := over[k]; !changed {
			out = append(out, v)
		}
	}
	for _, v := range over {
		out = append(out, v)
	}
	return out
}

func (d *desk) issue(id string) (Issue, bool) { return look(d.c.Issues, d.board.Issues, id) }
func (d *desk) component(id string) (Component, bool) {
	return look(d.c.Components, d.board.Components, id)
}
func (d *desk) group(id string) (Group, bool) { return look(d.c.Groups, d.board.Groups, id) }
func (d *desk) maintenance(id string) (Maintenance, bool) {
	return look(d.c.Maintenances, d.board.Maintenances, id)
}
func (d *desk) signal(k SignalKey) (Signal, bool) { return look(d.c.Signals, d.board.Signals, k) }
func (d *desk) track(k TrackKey) (Track, bool)    { return look(d.c.Tracks, d.board.Tracks, k) }
func (d *desk) source(name string) (SourceState, bool) {
	return look(d.c.Sources, d.board.Sources, name)
}

// saveIssue keeps the issue as changed; its version grows once a change.
func (d *desk) saveIssue(i Issue) {
	i.Version = d.board.Issues[i.ID].Version + 1
	i.UpdatedAt = d.now
	if i.Stage != Draft || i.Impact != d.board.Issues[i.ID].Impact {
		i.SnoozedBy, i.SnoozedUntil = "", time.Time{} // it is another matter now
	}
	d.c.Issues[i.ID] = i
}

func (d *desk) saveMaintenance(m Maintenance) {
	m.Version = d.board.Maintenances[m.ID].Version + 1
	m.UpdatedAt = d.now
	d.c.Maintenances[m.ID] = m
}

// setTimer arms a timer, replacing one of the same key. One that stands already
// is no change to save.
func (d *desk) setTimer(kind TimerKind, subject string, due time.Time) {
	if d.armed(kind, subject).Equal(due) {
		return
	}
	d.c.Timers[TimerKey{kind, subject}] = due
}

// stopTimer disarms a timer if it is armed.
func (d *desk) stopTimer(kind TimerKind, subject string) {
	k := TimerKey{kind, subject}
	if due, ok := look(d.c.Timers, d.board.Timers, k); ok && !due.IsZero() {
		if _, saved := d.board.Timers[k]; saved {
			d.c.Timers[k] = time.Time{}
		} else {
			delete(d.c.Timers, k)
		}
	}
}

// armed returns when a timer is due, zero if it is not armed.
func (d *desk) armed(kind TimerKind, subject string) time.Time {
	due, _ := look(d.c.Timers, d.board.Timers, TimerKey{kind, subject})
	return due
}

func (d *desk) log(e Entry) {
	e.At = d.now
	if e.Actor == "" {
		e.Actor = Automation
	}
	d.c.Entries = append(d.c.Entries, e)
}

var idAlphabet = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)

// mint makes an id: short, fit for URLs, and not to be guessed without the
// board's seed.
func (d *desk) mint() string {
	d.c.Minted++
	sum := sha256.Sum256([]byte(d.board.Seed + "\x00" + strconv.FormatInt(d.c.Minted, 10)))
	return idAlphabet.EncodeToString(sum[:])[:12]
}

// componentBySlug finds a component that is not archived.
func (d *desk) componentBySlug(slug string) (Component, bool) {
	for _, c := range all(d.c.Components, d.board.Components) {
		if c.Slug == slug && !c.Archived {
			return c, true
		}
	}
	return Component{}, false
}

// sortedKeys makes walks over maps deterministic.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func clip(s string, n int) string { return Clip(strings.TrimSpace(s), n) }

// Clip shortens a text to n bytes at most, at a character's border, and marks
// the cut.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	cut := 0
	for i := range s {
		if i > n-len("…") {
			break
		}
		cut = i
	}
	return s[:cut] + "…"
}
