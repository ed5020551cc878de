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
		if at := d.armed(key.Kind, key.Subject); at.IsZero() || at.After(now) {
			continue // something before it in this tick took it back
		}
		d.stopTimer(key.Kind, key.Subject)
		switch key.Kind {
		case TimerHold, TimerJudge, TimerSettle:
			d.assess(ParseTrackKey(key.Subject))
		case TimerPublish:
			d.vetoOver(key.Subject)
		case TimerConfirm:
			d.confirmOver(key.Subject)
		case TimerRemind:
			d.remind(key)
		case TimerNudge:
			d.nudges = append(d.nudges, key.Subject)
		}
	}
	for _, id := range sortedKeys(b.Maintenances) {
		d.turn(b.Maintenances[id])
	}
	for _, id := range sortedKeys(b.Series) {
		if s := b.Series[id]; s.Goes() && !s.PlanAt.After(now) {
			d.extend(s)
		}
	}
	return d.done()
}

// draft finds a draft whose alerts are known, for a timer that is about it.
func (d *desk) draft(id string) (Issue, Rule, Track, bool) {
	i, ok := d.issue(id)
	if !ok || i.Stage != Draft || !i.Open() {
		return i, Rule{}, Track{}, false
	}
	t, _ := d.track(TrackKey{i.Rule, i.Group})
	rule, known := d.ruleOf(t, i)
	return i, rule, t, known
}

// vetoOver publishes a draft that nobody vetoed, if its alerts still fire.
func (d *desk) vetoOver(id string) {
	i, rule, t, ok := d.draft(id)
	if !ok || rule.Resolve.met(t) {
		return
	}
	d.publishAuto(&i, ReasonVetoElapsed)
	d.saveIssue(i)
}

// confirmOver does what the rule says of a draft that nobody confirmed.
func (d *desk) confirmOver(id string) {
	i, rule, t, ok := d.draft(id)
	switch {
	case !ok:
	case rule.Open.ConfirmThen == ConfirmPublish && !rule.Resolve.met(t):
		d.publishAuto(&i, ReasonConfirmTimeout)
		d.saveIssue(i)
	case rule.Open.ConfirmThen != ConfirmKeep && rule.Resolve.met(t):
		d.settle(t.Key)
	}
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
