package status

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Tick does what is due at now: holds that are over, veto windows that passed,
// issues that settled, maintenance that starts or ends. Each deadline is judged
// anew, so a late tick, a restart or a jump of the clock does no harm.
func Tick(b Board, r *Rules, now time.Time) Changes {
	d := newDesk(b, r, now)
	for _, key := range d.due() {
		d.stopTimer(key.Kind, key.Subject)
		switch key.Kind {
		case TimerHold:
			d.holdOver(ParseTrackKey(key.Subject))
		case TimerSettle:
			if t, ok := d.track(ParseTrackKey(key.Subject)); ok {
				d.settle(t)
			}
		case TimerPublish:
			d.vetoOver(key.Subject)
		}
	}
	for _, id := range sortedKeys(b.Maintenances) {
		d.turn(b.Maintenances[id])
	}
	return d.c
}

// holdOver opens the issue of a track that still fires.
func (d *desk) holdOver(key TrackKey) {
	t, ok := d.track(key)
	rule, known := d.rules.Find(key.Rule)
	if ok && known && t.Firing > 0 && t.IssueID == "" && !t.Settled {
		d.open(rule, t)
	}
}

// vetoOver publishes a draft that nobody vetoed, if its alerts still fire.
func (d *desk) vetoOver(id string) {
	i, ok := d.issue(id)
	t, _ := d.track(TrackKey{i.Rule, i.Group})
	if !ok || i.Stage != Draft || !i.Open() || t.Firing == 0 {
		return
	}
	d.publish(&i, Automation, ReasonVetoElapsed, false)
	d.saveIssue(i)
}

// due lists what is due, in the order it became due.
func (d *desk) due() []TimerKey {
	type deadline struct {
		key TimerKey
		at  time.Time
	}
	var list []deadline
	for k, at := range d.board.Timers {
		if !at.After(d.now) {
			list = append(list, deadline{k, at})
		}
	}
	slices.SortFunc(list, func(a, b deadline) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(string(a.key.Kind), string(b.key.Kind)), strings.Compare(a.key.Subject, b.key.Subject))
	})
	keys := make([]TimerKey, len(list))
	for n, t := range list {
		keys[n] = t.key
	}
	return keys
}
