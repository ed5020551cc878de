package status

import (
	"slices"
	"strings"
	"time"
)

// While a rule's time intervals forbid an issue, or its source is blind, the
// track is looked at again this often.
const (
	lookAgain  = time.Minute
	blindAgain = 30 * time.Second
)

// assess decides what a track's present state asks for. It may be called at
// any time and any number of times: it acts only on what is not so yet.
func (d *desk) assess(key TrackKey) {
	t, ok := d.track(key)
	if !ok {
		return
	}
	i, open := d.issue(t.IssueID)
	open = open && i.Open()
	rule, known := d.ruleOf(t, i)
	switch {
	case open && !known:
		if t.Firing == 0 {
			d.propose(i.ID, FieldState, string(Resolved), ReasonQuiet)
		}
	case open && rule.Resolve.met(t):
		d.calm(rule, t, i)
	case open:
		d.active(rule, t, i)
	case t.Firing > 0:
		d.pending(rule, known, t)
	default:
		d.idle(t)
	}
}

// ruleOf is the rule of a track: while it has an issue, as it was when the
// issue opened.
func (d *desk) ruleOf(t Track, i Issue) (Rule, bool) {
	if i.ID != "" {
		if rule, ok := d.rules.version(i.RulesHash).Find(t.Key.Rule); ok {
			return rule, true
		}
	}
	return d.rules.Find(t.Key.Rule)
}

// idle ends the episode of a track that has no issue.
func (d *desk) idle(t Track) {
	t.Settled, t.Since, t.QuietSince, t.Cleared = false, time.Time{}, d.now, 0
	t.AttachedTo = ""
	d.stopTimer(TimerHold, t.Key.String())
	d.c.Tracks[t.Key] = t
}

// pending decides whether a firing track opens an issue, and when.
func (d *desk) pending(rule Rule, known bool, t Track) {
	subject := t.Key.String()
	t = d.astray(rule, t)
	if t.Settled || !known || d.attached(t) {
		d.stopTimer(TimerHold, subject)
		return
	}
	t.QuietSince = time.Time{}
	d.c.Tracks[t.Key] = t
	if due := t.Since.Add(rule.For); due.After(d.now) {
		d.setTimer(TimerHold, subject, due)
		return
	}
	if t.Firing < max(1, rule.MinAlerts) {
		d.stopTimer(TimerHold, subject)
		return
	}
	if rule.Active != nil && !rule.Active(d.now) {
		d.setTimer(TimerHold, subject, d.now.Add(lookAgain))
		return
	}
	d.stopTimer(TimerHold, subject)
	if e := d.explanation(rule, t); e.by != "" {
		d.attach(t, e)
		return
	}
	d.open(rule, t)
}

// attached reports whether what the track is attached to still goes on.
func (d *desk) attached(t Track) bool {
	if i, ok := d.issue(t.AttachedTo); ok {
		return i.Open()
	}
	m, ok := d.maintenance(t.AttachedTo)
	return ok && m.Running()
}

// explanation is what takes the place of an issue.
type explanation struct {
	by       string // id of the issue or maintenance, "" for none
	why      Reason
	suppress bool // not even evidence
}

// explanation finds what makes an issue of the track's own superfluous:
// maintenance on its components, an issue that inhibits it, or an issue that a
// person opened for its components.
func (d *desk) explanation(rule Rule, t Track) explanation {
	comps := d.components(rule.Open.Components, rule, t, "")
	for _, m := range sortedBy(all(d.c.Maintenances, d.board.Maintenances), func(m Maintenance) string { return m.ID }) {
		if m.Running() && d.explains(m, rule, t) {
			return explanation{m.ID, ReasonMaintenance, rule.DuringMaintenance == MaintenanceSuppress}
		}
	}
	issues := sortedBy(all(d.c.Issues, d.board.Issues), func(i Issue) string { return i.ID })
	for _, i := range issues {
		if !i.Open() {
			continue
		}
		if r, ok := d.inhibits(i, t); ok {
			return explanation{i.ID, ReasonInhibited, r.Suppress}
		}
	}
	for _, i := range issues {
		if i.Origin == Manual && i.Open() && i.Public() && shares(i.Components, comps) {
			return explanation{i.ID, ReasonManualIssue, false}
		}
	}
	return explanation{}
}

func sortedBy[T any](list []T, key func(T) string) []T {
	slices.SortFunc(list, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	return list
}

// covers reports whether all the components of an issue are in the list, and
// there are any.
func covers(ids []string, comps []Affected) bool {
	return len(comps) > 0 && !slices.ContainsFunc(comps, func(a Affected) bool { return !slices.Contains(ids, a.ComponentID) })
}

func shares(a, b []Affected) bool {
	return slices.ContainsFunc(a, func(x Affected) bool {
		return slices.ContainsFunc(b, func(y Affected) bool { return x.ComponentID == y.ComponentID })
	})
}

// inhibits finds the inhibit rule by which an open issue explains the alerts
// of a track.
func (d *desk) inhibits(i Issue, t Track) (Inhibit, bool) {
	if i.Rule == "" || i.Rule == t.Key.Rule && i.Group == t.Key.Group {
		return Inhibit{}, false
	}
	source, target := withRule(i.GroupLabels, i.Rule), withRule(t.Labels, t.Key.Rule)
	n := slices.IndexFunc(d.rules.Inhibit, func(r Inhibit) bool {
		return matches(r.Source, "", source, nil) && matches(r.Target, "", target, nil) &&
			!slices.ContainsFunc(r.Equal, func(l string) bool { return source[l] != target[l] })
	})
	if n < 0 {
		return Inhibit{}, false
	}
	return d.rules.Inhibit[n], true
}

func withRule(ls map[string]string, rule string) map[string]string {
	out := map[string]string{"rule": rule}
	copyInto(out, ls)
	return out
}

// attach makes a track's alerts evidence of something else, or drops them
// without a trace there.
func (d *desk) attach(t Track, e explanation) {
	t.AttachedTo = e.by
	d.c.Tracks[t.Key] = t
	if !e.suppress {
		d.log(Entry{Action: "attached", Subject: e.by, Reason: e.why, Detail: "rule " + t.Key.Rule + ", group " + t.Key.Group})
	}
}

// detach lets go of the tracks that were evidence of something that is over.
// Alerts that still fire begin their hold anew, unless a person has just
// declared them dealt with.
func (d *desk) detach(id string, byPerson bool) {
	for _, t := range sortedBy(all(d.c.Tracks, d.board.Tracks), func(t Track) string { return t.Key.String() }) {
		if id == "" || t.AttachedTo != id {
			continue
		}
		t.AttachedTo = ""
		t.Settled = byPerson && t.Firing > 0
		if t.Firing > 0 {
			t.Since = d.now
		}
		d.c.Tracks[t.Key] = t
		d.assess(t.Key)
	}
}

// active handles an issue whose alerts fire.
func (d *desk) active(rule Rule, t Track, i Issue) {
	if !t.QuietSince.IsZero() || !d.armed(TimerSettle, t.Key.String()).IsZero() {
		t.QuietSince = time.Time{}
		d.stopTimer(TimerSettle, t.Key.String())
		d.c.Tracks[t.Key] = t
		i = d.wake(rule, t, i)
	}
	i = d.flapping(rule, t, i)
	d.escalate(rule, t, i)
}

// wake takes back what falling quiet had done to the issue.
func (d *desk) wake(rule Rule, t Track, i Issue) Issue {
	before := i
	heldBack := i.heldBack()
	if !heldBack {
		i.Suggestions = without(i.Suggestions, FieldState)
	}
	if i.State == Monitoring && i.Automatic(FieldState) && !i.Flapping {
		i.State, i.MonitoringAt = Investigating, time.Time{}
		d.tellIssue(&i, before, rule, "The problem has come back. We are investigating again.", EventUpdate, ReasonRefired)
	}
	if i.Stage == Draft && rule.Open.Publish == PublishAuto && !heldBack && !d.forPerson(rule, t, i.CreatedAt) && d.armed(TimerPublish, i.ID).IsZero() {
		// The veto window passed while it was quiet: people get a fresh one.
		d.setTimer(TimerPublish, i.ID, d.now.Add(rule.Open.PublishAfter))
	}
	if len(i.Suggestions) != len(before.Suggestions) {
		d.log(Entry{Action: "withdrew", Subject: i.ID, Reason: ReasonRefired, Detail: "the suggestion to resolve it"})
	}
	if i.State != before.State || len(i.Suggestions) != len(before.Suggestions) {
		d.saveIssue(i)
	}
	return i
}

// flapping holds an issue open whose alerts come and go, and says so once.
func (d *desk) flapping(rule Rule, t Track, i Issue) Issue {
	if i.Flapping || !d.flaps(rule, t) {
		return i
	}
	before := i
	i.Flapping = true
	d.tellIssue(&i, before, rule, "The problem comes and goes. We keep watching it.", EventUpdate, ReasonFlapping)
	d.saveIssue(i)
	return i
}

// flaps reports whether the alerts of a track come and go more often than its
// rule takes for news.
func (d *desk) flaps(rule Rule, t Track) bool {
	recent := 0
	for _, at := range t.Flips {
		if d.now.Sub(at) <= rule.Flap.Window {
			recent++
		}
	}
	return rule.Flap.Changes > 0 && recent >= rule.Flap.Changes
}

// calm handles an issue whose alerts have recovered as far as its rule asks.
func (d *desk) calm(rule Rule, t Track, i Issue) {
	if t.Firing == 0 {
		t.Settled, t.Since = false, time.Time{}
	}
	heartless := d.heartless(t)
	if t.QuietSince.IsZero() || heartless {
		t.QuietSince = d.now
	}
	d.c.Tracks[t.Key] = t
	d.stopTimer(TimerJudge, t.Key.String())
	if heartless {
		// Nobody watches, so nothing is quiet. When the heart beats again, the
		// alerts get their time to come back.
		d.note(i.ID, ReasonBlind)
		d.setTimer(TimerSettle, t.Key.String(), d.now.Add(min(blindAgain, max(rule.Resolve.After, time.Second))))
		return
	}
	i = d.flapping(rule, t, i)
	if rule.Resolve.Mode == ResolveManual {
		return
	}
	early := rule.Resolve.MonitoringFirst && rule.Resolve.After > 0 || rule.Resolve.Mode == ResolveMonitoring
	if early && i.State != Monitoring && i.Stage != Draft && i.Automatic(FieldState) && !i.Flapping {
		before := i
		i.State, i.MonitoringAt = Monitoring, d.now
		d.tellIssue(&i, before, rule, "The alerts have stopped. We are watching the recovery.", EventUpdate, ReasonQuiet)
		d.saveIssue(i)
	}
	after := rule.Resolve.After
	if i.Flapping {
		after = max(after, rule.Flap.Settle)
	}
	due := t.QuietSince.Add(after)
	if due.After(d.now) {
		d.setTimer(TimerSettle, t.Key.String(), due)
		return
	}
	d.settle(t.Key)
}

// settle ends the issue of a track that stayed quiet, as far as its rule and
// people let it, and while nobody is blind.
func (d *desk) settle(key TrackKey) {
	t, _ := d.track(key)
	i, ok := d.issue(t.IssueID)
	rule, known := d.ruleOf(t, i)
	if !ok || !known || !i.Open() || !rule.Resolve.met(t) {
		return
	}
	if blind := d.blind(t); blind != "" {
		d.setTimer(TimerSettle, key.String(), d.now.Add(blindAgain))
		d.note(i.ID, ReasonBlind)
		return
	}
	if d.otherFires(i) { // it has been quiet once that has been, too
		t.QuietSince = d.now
		d.c.Tracks[key] = t
		d.setTimer(TimerSettle, key.String(), d.now.Add(max(rule.Resolve.After, lookAgain)))
		return
	}
	switch {
	case i.Stage == Draft && rule.Open.ConfirmThen == ConfirmKeep && i.Automatic(FieldState):
		return // stays in the queue until a person looks at it
	case i.Stage == Draft && i.Automatic(FieldState):
		i.Stage = Dismissed
		d.stopTimer(TimerPublish, i.ID)
		d.stopTimer(TimerConfirm, i.ID)
		d.saveIssue(i)
		d.log(Entry{Action: "dismissed", Subject: i.ID, Reason: ReasonEndedUnpublished})
	case rule.Resolve.Mode == ResolvePropose || !i.Automatic(FieldState):
		d.propose(i.ID, FieldState, string(Resolved), ReasonSettled)
		return
	case rule.Resolve.Mode == ResolveMonitoring:
		return // a person resolves
	default:
		d.end(&i, d.text(rule.Resolve.Body, rule, t, i, "The alerts have cleared. This is resolved."), Automation)
		d.saveIssue(i)
		d.log(Entry{Action: "resolved", Subject: i.ID, Reason: ReasonSettled, Detail: "quiet since " + clock(t.QuietSince) + d.howCleared(t, i.StartedAt)})
		d.announce(i, EventResolve, i.lastUpdate(), d.channels(i, EventResolve))
	}
	d.ended(t, i, Automation)
}

// otherFires reports whether alerts of an issue that was merged into this one
// still fire. Alerts that an inhibit rule explains are no reason to wait: they
// open an issue of their own when their cause is over.
func (d *desk) otherFires(i Issue) bool {
	return slices.ContainsFunc(all(d.c.Tracks, d.board.Tracks), func(t Track) bool {
		if t.Firing == 0 || t.AttachedTo != i.ID {
			return false
		}
		last, _ := d.issue(t.LastIssue)
		_, inhibited := d.inhibits(i, t)
		return last.MergedInto == i.ID || !inhibited
	})
}

// howCleared says if the end of an alert of this episode was found by asking
// the source.
func (d *desk) howCleared(t Track, since time.Time) string {
	for _, s := range d.members(t.Key) {
		if s.Misses >= missesNeeded && !s.EndsAt.Before(since) {
			return ", " + string(ReasonReconciled)
		}
	}
	return ""
}

// ended lets go of an issue that is over.
func (d *desk) ended(t Track, i Issue, by string) {
	for _, kind := range []TimerKind{TimerSettle, TimerJudge} {
		d.stopTimer(kind, t.Key.String())
	}
	t.IssueID, t.LastIssue, t.LastEndedAt, t.LastEndedBy, t.Cleared = "", i.ID, d.now, by, 0
	t.Settled = t.Firing > 0
	d.c.Tracks[t.Key] = t
	d.detach(i.ID, by != Automation)
}

// blind names the source that must not be believed when it is silent, "" if
// all that feed the track can be.
func (d *desk) blind(t Track) string {
	seen := map[string]bool{}
	for _, s := range d.members(t.Key) {
		if seen[s.Key.Source] {
			continue
		}
		seen[s.Key.Source] = true
		if d.board.Blind(d.rules, s.Key.Source, d.now) {
			return s.Key.Source
		}
	}
	return ""
}

// heartless reports whether the heartbeat of a source that feeds the track is
// stale.
func (d *desk) heartless(t Track) bool {
	return slices.ContainsFunc(d.members(t.Key), func(s Signal) bool {
		state, _ := d.source(s.Key.Source)
		return heartless(d.rules.source(s.Key.Source).Heartbeat, state, d.now) != ""
	})
}

// throttled reports whether update.throttle holds back a change: how bad it is
// may change often, that it ends or comes back is always news.
func throttled(why Reason) bool {
	return why == ReasonSeverity || why == ReasonEscalation || why == ReasonDeescalation
}

// tellIssue adds an update of automation, announces it unless the rule's
// throttle forbids, and records why.
func (d *desk) tellIssue(i *Issue, before Issue, rule Rule, body string, event Event, why Reason) {
	d.log(Entry{Action: "updated", Subject: i.ID, Reason: why, Before: string(before.State), After: string(i.State)})
	if i.Stage == Draft {
		i.Updates = slices.Clone(i.Updates)
		last := &i.Updates[len(i.Updates)-1]
		last.State = string(i.State)
		if len(i.Updates) == 1 {
			last.Changes = d.changes(nil, i.Components, false)
		}
		return
	}
	was := before.Components
	if was == nil {
		was = []Affected{}
	}
	u := d.update(*i, body, Automation, was, i.Components)
	u.Silent = body == "" || throttled(why) && d.now.Sub(i.AnnouncedAt) < rule.Update.Throttle
	if !u.Silent {
		i.AnnouncedAt = d.now
	}
	i.Updates = append(slices.Clip(i.Updates), u)
	if !u.Silent {
		d.announce(*i, event, u, d.channels(*i, event))
	}
}
