package status

import (
	"fmt"
	"maps"
	"time"
)

// sameEpisode is how far apart two peers' startsAt of one episode may lie:
// Alertmanager peers differ by milliseconds when the sender gives no startsAt.
const sameEpisode = time.Second

// reassertion is how much later a statement must be repeated to be more than a
// retry of the same delivery.
const reassertion = 10 * time.Second

// seenEvery is how stale SeenAt of an unchanged signal may become before it is
// worth a write.
const seenEvery = 5 * time.Minute

// shift is what a fact did to a signal.
type shift int

const (
	unchanged shift = iota
	noted           // only details changed
	started         // it fires now and did not before
	restarted       // a newer episode began while it fired
	stopped         // it fired and does not any more
	expired         // it ended without a recovery
)

// Receive takes in what monitoring systems said, one fact after the other, so
// that how facts were batched makes no difference. A fact that says nothing
// new changes nothing.
func Receive(b Board, r *Rules, facts []Fact, now time.Time) Changes {
	d := newDesk(b, r, now)
	for _, f := range facts {
		d.receive(f)
	}
	return d.c
}

func (d *desk) receive(f Fact) {
	old, known := d.signal(f.Key())
	s, what := take(old, known, f)
	if what == unchanged {
		return
	}
	if s.Firing && (what == started || len(s.Tracks) == 0) {
		s.Tracks = d.enter(s)
	}
	d.c.Signals[s.Key] = s
	for _, key := range s.Tracks {
		d.advance(key, s, what, !known || !old.Firing || len(old.Tracks) == 0)
	}
}

// advance moves a track on after one of its signals shifted. joins: the signal
// was not counted in the track before.
func (d *desk) advance(key TrackKey, s Signal, what shift, joins bool) {
	t, _ := d.track(key)
	switch {
	case s.Firing && joins:
		t.Firing++
		if began := earlier(s.StartsAt, s.ReceivedAt); t.Since.IsZero() || began.Before(t.Since) {
			t.Since = began
		}
		d.c.Tracks[key] = t
		d.firing(t)
	case what == stopped:
		t.Firing--
		d.c.Tracks[key] = t
		if t.Firing <= 0 {
			d.quiet(t)
		}
	case what == expired:
		d.propose(t.IssueID, FieldState, string(Resolved), "the source closed the alert without a recovery")
	}
}

// take says what a signal is after a fact. It only orders facts by the
// source's clock, and never reads ours.
func take(s Signal, known bool, f Fact) (Signal, shift) {
	at := f.stamp()
	if !known {
		s = Signal{Key: f.Key(), OrderedAt: at, EndsAt: f.EndsAt, SeenAt: f.ReceivedAt, ReceivedAt: f.ReceivedAt}
		s.describe(f)
		if !f.Firing {
			return s, noted
		}
		return s.begin(f), started
	}
	if f.Firing {
		return takeFiring(s, f, at)
	}
	return takeResolved(s, f, at)
}

func takeFiring(s Signal, f Fact, at time.Time) (Signal, shift) {
	ownOrder := !f.OrderedAt.IsZero()
	switch {
	case !s.Firing && at.After(s.OrderedAt):
		s.OrderedAt = at
		return s.begin(f), started
	case !s.Firing && ownOrder:
		return s, unchanged // older than what ended it
	case !s.Firing && !near(f.StartsAt, s.StartsAt) && !f.StartsAt.Equal(s.Doubt):
		// The end overtook its beginning. If somebody says so again, it fires.
		s.Doubt, s.SeenAt = f.StartsAt, f.ReceivedAt
		return s, noted
	case !s.Firing && !near(f.StartsAt, s.StartsAt) && f.ReceivedAt.Sub(s.SeenAt) < reassertion:
		return s, unchanged // the same statement, retried
	case !s.Firing:
		// Peers disagree: a contradiction stays open.
		return s.begin(f), started
	case !ownOrder && at.After(s.OrderedAt.Add(sameEpisode)):
		s.OrderedAt = at
		return s.begin(f), restarted
	case ownOrder && at.Before(s.OrderedAt):
		return s, unchanged
	}
	was := s
	s.OrderedAt = later(s.OrderedAt, at)
	if f.StartsAt.Before(s.StartsAt) && !f.StartsAt.Before(s.EndsAt) {
		s.StartsAt = f.StartsAt
	}
	s.describe(f)
	if was.StartsAt.Equal(s.StartsAt) && was.OrderedAt.Equal(s.OrderedAt) && was.says(s) && f.ReceivedAt.Sub(s.SeenAt) < seenEvery {
		return was, unchanged
	}
	s.SeenAt = later(s.SeenAt, f.ReceivedAt)
	return s, noted
}

func takeResolved(s Signal, f Fact, at time.Time) (Signal, shift) {
	if at.Before(s.OrderedAt) {
		return s, unchanged // it ended an earlier episode
	}
	if !s.Firing {
		if !at.After(s.OrderedAt) {
			return s, unchanged
		}
		s.OrderedAt, s.EndsAt, s.SeenAt = at, later(s.EndsAt, f.EndsAt), f.ReceivedAt
		return s, noted
	}
	s.OrderedAt, s.SeenAt = at, f.ReceivedAt
	if f.Unrecovered {
		return s, expired
	}
	s.Firing, s.EndsAt = false, later(s.EndsAt, f.EndsAt)
	return s, stopped
}

// near reports whether two beginnings are of one episode.
func near(a, b time.Time) bool { return a.Sub(b).Abs() <= sameEpisode }

// begin starts an episode.
func (s Signal) begin(f Fact) Signal {
	s.Firing, s.Doubt = true, time.Time{}
	s.Episodes++
	s.StartsAt, s.ReceivedAt, s.SeenAt = f.StartsAt, f.ReceivedAt, f.ReceivedAt
	s.describe(f)
	return s
}

func (s *Signal) describe(f Fact) {
	s.Labels, s.Lists, s.Annotations = f.Labels, f.Lists, f.Annotations
	if f.URL != "" {
		s.URL = f.URL
	}
}

// says reports whether two versions of a signal tell people the same.
func (s Signal) says(o Signal) bool {
	return maps.Equal(s.Labels, o.Labels) && maps.Equal(s.Annotations, o.Annotations) &&
		maps.EqualFunc(s.Lists, o.Lists, equal[string]) && s.URL == o.URL
}

// stamp orders facts about one alert by its source's clock.
func (f Fact) stamp() time.Time {
	switch {
	case !f.OrderedAt.IsZero():
		return f.OrderedAt
	case f.Firing:
		return f.StartsAt
	}
	return f.EndsAt
}

func equal[T comparable](a, b []T) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
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

// firing handles a track that fires: the hold, a quiet issue that wakes up.
func (d *desk) firing(t Track) {
	rule, ok := d.rules.Find(t.Key.Rule)
	t.QuietSince = time.Time{}
	d.stopTimer(TimerSettle, t.Key.String())
	d.c.Tracks[t.Key] = t
	if t.IssueID != "" {
		d.wake(t)
		return
	}
	if t.Settled || !ok {
		return
	}
	due := t.Since.Add(rule.For)
	if due.After(d.now) {
		d.setTimer(TimerHold, t.Key.String(), due)
		return
	}
	d.open(rule, t)
}

// wake takes back what falling quiet had done to the issue.
func (d *desk) wake(t Track) {
	i, ok := d.issue(t.IssueID)
	if !ok || !i.Open() {
		return
	}
	i.Suggestions = without(i.Suggestions, FieldState)
	if i.State == Monitoring && i.Automatic(FieldState) {
		i.State, i.MonitoringAt = Investigating, time.Time{}
		d.say(&i, "The problem has come back. We are investigating again.", nil)
		d.log(Entry{Action: "reopened", Subject: i.ID, Reason: ReasonRefired})
		d.announce(i, EventUpdate, i.lastUpdate(), d.channels(i, EventUpdate))
	}
	rule, _ := d.rules.Find(i.Rule)
	if i.Stage == Draft && rule.Open.Publish == PublishAuto && d.armed(TimerPublish, i.ID).IsZero() {
		// The veto window passed while it was quiet: people get a fresh one.
		d.setTimer(TimerPublish, i.ID, d.now.Add(rule.Open.PublishAfter))
	}
	d.saveIssue(i)
}

// quiet handles a track in which nothing fires any more.
func (d *desk) quiet(t Track) {
	t.Firing, t.Settled, t.Since, t.QuietSince = 0, false, time.Time{}, d.now
	d.stopTimer(TimerHold, t.Key.String())
	d.c.Tracks[t.Key] = t
	i, ok := d.issue(t.IssueID)
	rule, known := d.rules.Find(t.Key.Rule)
	if !ok || !i.Open() {
		return
	}
	if !known {
		d.propose(i.ID, FieldState, string(Resolved), "its alerts stopped, and rules.yaml no longer has its rule")
		return
	}
	if rule.Resolve.Mode == ResolveManual {
		d.propose(i.ID, FieldState, string(Resolved), string(ReasonQuiet))
		return
	}
	if rule.Resolve.After <= 0 {
		d.settle(t)
		return
	}
	if rule.Resolve.MonitoringFirst && i.State != Monitoring && i.Stage != Draft && i.Automatic(FieldState) {
		i.State, i.MonitoringAt = Monitoring, d.now
		d.say(&i, "The alerts have stopped. We are watching the recovery.", nil)
		d.saveIssue(i)
		d.log(Entry{Action: "monitoring", Subject: i.ID, Reason: ReasonQuiet})
		d.announce(i, EventUpdate, i.lastUpdate(), d.channels(i, EventUpdate))
	}
	d.setTimer(TimerSettle, t.Key.String(), d.now.Add(rule.Resolve.After))
}

// settle ends the issue of a track that stayed quiet, as far as people let it.
func (d *desk) settle(t Track) {
	i, ok := d.issue(t.IssueID)
	if !ok || !i.Open() || t.Firing > 0 {
		return
	}
	switch {
	case i.Stage == Draft && i.Automatic(FieldState):
		i.Stage = Dismissed
		d.stopTimer(TimerPublish, i.ID)
		d.saveIssue(i)
		d.log(Entry{Action: "dismissed", Subject: i.ID, Reason: ReasonEndedUnpublished})
	case !i.Automatic(FieldState):
		d.propose(i.ID, FieldState, string(Resolved), string(ReasonSettled))
		return
	default:
		rule, _ := d.rules.Find(t.Key.Rule)
		d.end(&i, d.text(rule.Resolve.Body, rule, t, i, "The alerts have cleared. This is resolved."), Automation)
		d.saveIssue(i)
		d.log(Entry{Action: "resolved", Subject: i.ID, Reason: ReasonSettled, Detail: "quiet since " + clock(t.QuietSince)})
		d.announce(i, EventResolve, i.lastUpdate(), d.channels(i, EventResolve))
	}
	t.IssueID = ""
	d.c.Tracks[t.Key] = t
}

// propose leaves a suggestion on an open issue; the same one is left once.
func (d *desk) propose(id string, f Field, value, reason string) {
	i, ok := d.issue(id)
	if !ok || !i.Open() {
		return
	}
	for _, s := range i.Suggestions {
		if s.Field == f && s.Value == value {
			return
		}
	}
	i.Suggestions = append(without(i.Suggestions, f), Suggestion{Field: f, Value: value, Reason: reason, At: d.now})
	d.saveIssue(i)
	d.log(Entry{Action: "suggested", Subject: id, Reason: ReasonHeld, Detail: fmt.Sprintf("%s: %s, because %s", f, value, reason)})
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
