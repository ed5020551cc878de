package status

import (
	"maps"
	"slices"
	"time"
)

// Receive takes in what monitoring systems said, one fact after the other, so
// that how facts were batched makes no difference. A fact that says nothing
// new changes nothing.
func Receive(b Board, r *Rules, facts []Fact, now time.Time) Changes {
	d := newDesk(b, r, now)
	var touched []TrackKey
	for n, f := range facts {
		touched = append(touched, d.receive(f)...)
		if n+1 == len(facts) || facts[n+1].Delivery != f.Delivery {
			d.assessAll(touched)
			touched = nil
		}
	}
	return d.done()
}

// assessAll looks at each track once, in the order they were touched.
func (d *desk) assessAll(keys []TrackKey) {
	seen := map[TrackKey]bool{}
	for _, k := range keys {
		if !seen[k] {
			seen[k] = true
			d.assess(k)
		}
	}
}

// receive takes in one fact and returns the tracks to look at.
func (d *desk) receive(f Fact) []TrackKey {
	if state, _ := d.source(f.Source); f.Receiver != "" && f.Receiver != state.Receiver {
		state.Name, state.Receiver = f.Source, f.Receiver
		d.c.Sources[f.Source] = state
	}
	if d.heartbeat(f) {
		d.did(f, DidBeat, nil)
		return nil
	}
	if f.MergedInto != "" && f.MergedInto != f.Fingerprint {
		touched := d.merged(f)
		d.did(f, DidMerge, touched)
		return touched
	}
	old, known := d.signal(f.Key())
	if f.Unrecovered && f.ClosedBy != "" && !d.ignores(old, f.ClosedBy) {
		f.Unrecovered = false
	}
	s, what := take(old, known, f)
	if what == unchanged {
		d.did(f, didOf(what, known, f, old), old.Tracks)
		return nil
	}
	if s.Firing {
		s.Level, s.Impact = d.rules.Level(s.Key.Source, s.Labels, s.Lists)
	}
	if s.Firing && (!old.Firing || len(s.Tracks) == 0) {
		s.Tracks = d.enter(s)
	}
	d.did(f, didOf(what, known, f, old), s.Tracks)
	if d.rules.DropUnmatched && !known && len(s.Tracks) == 0 && len(d.rules.Route(s.Key.Source, s.Labels, s.Lists)) == 0 {
		return nil
	}
	d.c.Signals[s.Key] = s
	var touched []TrackKey
	for _, key := range s.Tracks {
		if d.shifted(key, old, s, what) {
			touched = append(touched, key)
		}
	}
	return touched
}

// ignores reports whether any rule of a signal takes a close by this trigger
// for no recovery.
func (d *desk) ignores(s Signal, trigger string) bool {
	for _, key := range s.Tracks {
		t, _ := d.track(key)
		i, _ := d.issue(t.IssueID)
		if rule, ok := d.ruleOf(t, i); ok && slices.Contains(rule.Resolve.Ignore, trigger) {
			return true
		}
	}
	return len(s.Tracks) == 0
}

// shifted counts a signal that moved, and reports whether its track must be
// looked at.
func (d *desk) shifted(key TrackKey, old, s Signal, what shift) bool {
	t, _ := d.track(key)
	was := t.Firing > 0
	joins := s.Firing && (!old.Firing || len(old.Tracks) == 0)
	switch {
	case joins:
		t = d.join(t, s)
	case what == stopped:
		t.leave(old)
	case s.Firing && old.impactKey() != s.impactKey():
		t.Levels = count(count(t.Levels, old.impactKey(), -1), s.impactKey(), 1)
	case what == restarted:
	case what == expired:
		d.propose(t.IssueID, FieldState, string(Resolved), ReasonUnrecovered)
		return false
	default:
		return false
	}
	if was != (t.Firing > 0) || what == restarted {
		t.Flips = flipped(t.Flips, d.now)
	}
	d.c.Tracks[key] = t
	if what == contradicted {
		d.note(t.IssueID, ReasonDisagree)
	}
	return true
}

// join counts a signal that begins to fire. One that began before others takes
// the start of the hold back, but not into a maintenance that is over: what was
// worked on then is no part of the hold.
func (d *desk) join(t Track, s Signal) Track {
	t.Firing++
	t.Cleared = max(0, t.Cleared-1)
	t.Levels = count(t.Levels, s.impactKey(), 1)
	began := earlier(s.StartsAt, s.ReceivedAt)
	if !t.Since.IsZero() && !began.Before(t.Since) {
		return t
	}
	if began = later(began, d.workedOnUntil(t, began)); t.Since.IsZero() || began.Before(t.Since) {
		t.Since = began
	}
	return t
}

// leave counts a signal that stopped.
func (t *Track) leave(s Signal) {
	t.Firing = max(0, t.Firing-1)
	t.Cleared++
	t.Levels = count(t.Levels, s.impactKey(), -1)
}

// impactKey is the signal's place in Track.Levels.
func (s Signal) impactKey() string { return s.Level + "/" + string(s.Impact) }

// count returns m with n added at k; m itself stays as it is.
func count(m map[string]int, k string, n int) map[string]int {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]int{}
	}
	if m[k] += n; m[k] <= 0 {
		delete(m, k)
	}
	return m
}

// MaxFlips bounds Track.Flips; flap.changes may not be more.
const MaxFlips = 20

func flipped(list []time.Time, now time.Time) []time.Time {
	list = append(slices.Clone(list), now)
	return list[max(0, len(list)-MaxFlips):]
}

// enter finds the tracks of a signal that begins to fire, creating them.
func (d *desk) enter(s Signal) []TrackKey {
	var keys []TrackKey
	for _, m := range d.rules.Route(s.Key.Source, s.Labels, s.Lists) {
		key := TrackKey{m.Rule.Name, GroupKey(m.Labels)}
		if _, ok := d.track(key); !ok {
			d.c.Tracks[key] = Track{Key: key, Labels: m.Labels}
		}
		keys = append(keys, key)
	}
	return keys
}

// heartbeat notes the sign of life of a source, and reports whether the fact
// was one: it never opens anything.
func (d *desk) heartbeat(f Fact) bool {
	src := d.rules.source(f.Source)
	if !src.IsHeartbeat(f.Labels, f.Lists) {
		return false
	}
	if src.tellsHeartbeat() {
		return true
	}
	state, _ := d.source(f.Source)
	switch {
	case f.Firing && f.ReceivedAt.Sub(state.HeartbeatAt) > src.Heartbeat.MaxAge/10:
		state.HeartbeatAt = f.ReceivedAt
	case !f.Firing && !state.HeartbeatAt.IsZero():
		state.HeartbeatAt = time.Time{} // what fires always has ended: a dying source
	default:
		return true
	}
	state.Name = f.Source
	d.c.Sources[f.Source] = state
	return true
}

// merged hands the evidence of an alert to the one it was merged into.
func (d *desk) merged(f Fact) []TrackKey {
	child, known := d.signal(f.Key())
	if !known || !child.Firing {
		return nil
	}
	key := SignalKey{f.Source, f.MergedInto}
	parent, has := d.signal(key)
	if !has || !parent.Firing {
		parent = child
		parent.Key = key
		parent.Misses, parent.MissedAt, parent.Suppressed = 0, time.Time{}, false // those were the child's
		d.c.Signals[key] = parent
		for _, k := range parent.Tracks {
			t, _ := d.track(k)
			d.c.Tracks[k] = d.join(t, parent)
		}
	} else if parent.Misses > 0 {
		parent.Misses, parent.MissedAt = 0, time.Time{} // its source speaks of it
		d.c.Signals[key] = parent
	}
	ended := child
	ended.Firing, ended.EndsAt, ended.OrderedAt, ended.SeenAt = false, f.ReceivedAt, later(child.OrderedAt, f.stamp()), f.ReceivedAt
	d.c.Signals[child.Key] = ended
	for _, k := range child.Tracks {
		t, _ := d.track(k)
		t.leave(child)
		t.Cleared = max(0, t.Cleared-1) // nothing recovered
		d.c.Tracks[k] = t
		d.note(t.IssueID, ReasonMerged)
	}
	return child.Tracks
}

// note leaves a private remark on an open issue; the same one is left once in
// a row.
func (d *desk) note(id string, why Reason) {
	i, ok := d.issue(id)
	if !ok || !i.Open() || len(i.Notes) > 0 && i.Notes[len(i.Notes)-1].Text == string(why) {
		return
	}
	i.Notes = append(slices.Clip(i.Notes), Note{At: d.now, Text: string(why)})
	d.saveIssue(i)
	d.log(Entry{Action: "noted", Subject: id, Reason: why})
}

// propose leaves a suggestion on an open issue; the same one is left once.
func (d *desk) propose(id string, f Field, value string, why Reason) {
	i, ok := d.issue(id)
	if !ok || !i.Open() {
		return
	}
	for _, s := range i.Suggestions {
		if s.Field == f && s.Value == value {
			return
		}
	}
	i.Suggestions = append(without(i.Suggestions, f), Suggestion{Field: f, Value: value, Reason: string(why), At: d.now})
	d.saveIssue(i)
	d.log(Entry{Action: "suggested", Subject: id, Reason: why, Detail: string(f) + ": " + value})
}

func without(list []Suggestion, f Field) []Suggestion {
	var out []Suggestion
	for _, s := range list {
		if s.Field != f {
			out = append(out, s)
		}
	}
	return out
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
