package status

import (
	"maps"
	"time"
)

// Forget takes off the board what is over and did not move since before, so
// that a board which replays months stays as small as one that lives. The store
// does the same by not loading it. Only the owner of the board may call it.
func (b *Board) Forget(before time.Time) {
	timed := map[string]bool{}
	for k := range b.Timers {
		timed[k.Subject] = true
	}
	old := func(times ...time.Time) bool {
		for _, t := range times {
			if !t.Before(before) {
				return false
			}
		}
		return true
	}
	maps.DeleteFunc(b.Tracks, func(k TrackKey, t Track) bool {
		return t.Firing == 0 && t.IssueID == "" && t.AttachedTo == "" && !t.Settled && !timed[k.String()] &&
			old(t.Since, t.QuietSince, t.LastEndedAt)
	})
	maps.DeleteFunc(b.Issues, func(id string, i Issue) bool { return !i.Open() && !timed[id] && old(i.UpdatedAt) })
	maps.DeleteFunc(b.Maintenances, func(_ string, m Maintenance) bool { return m.Over() && old(m.UpdatedAt, m.EndedAt) })
	for key, s := range b.Signals {
		if s.Firing || !old(s.SeenAt) {
			continue
		}
		delete(b.Signals, key)
		for _, t := range s.Tracks {
			delete(b.members[t], key)
			if len(b.members[t]) == 0 {
				delete(b.members, t)
			}
		}
	}
}
