package status

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of what people and templates may write, in bytes.
const (
	MaxTitle = 200
	MaxBody  = 20_000
)

// open makes the issue of a track whose hold is over, or takes up the last one
// again.
func (d *desk) open(rule Rule, t Track) {
	byPerson, again := d.takeUp(rule, t)
	if again {
		return
	}
	ev := d.evidence(rule, t, t.Since)
	i := Issue{
		ID: d.mint(), State: Investigating, Origin: FromAlert, Stage: Draft,
		Rule: rule.Name, Group: t.Key.Group, GroupLabels: t.Labels, RulesHash: d.rules.Hash,
		StartedAt: earlier(t.Since, d.now), CreatedAt: d.now, RecurrenceOf: t.LastIssue,
	}
	d.log(Entry{
		Action: "opened", Subject: i.ID, Reason: ReasonHoldElapsed,
		Detail: "rule " + rule.Name + ", group " + t.Key.Group + ", firing since " + clock(t.Since),
	})
	i.Title = d.title(rule, ev, i.ID)
	i.Impact = cmp.Or(rule.Open.Impact, t.worstImpact())
	i.Components = d.components(rule.Open.Components, rule, t, i.ID)
	i.Updates = []Update{d.update(i, d.fill(rule.Open.Body, ev, i.ID, "We are investigating."), Automation, nil, i.Components)}

	t.IssueID, t.Cleared, t.AttachedTo = i.ID, 0, ""
	d.c.Tracks[t.Key] = t
	d.stageNew(&i, rule, byPerson)
	d.saveIssue(i)
	d.escalate(rule, t, i)
}

// stageNew publishes a new issue, arms what will, or leaves it to a person.
func (d *desk) stageNew(i *Issue, rule Rule, byPerson bool) {
	switch {
	case rule.Open.Publish == PublishNever:
		i.Stage = Internal
		return
	case byPerson:
		// People ended the last one a moment ago: they decide.
	case rule.Open.Publish == PublishAuto && rule.Open.PublishAfter <= 0:
		d.publishAuto(i, ReasonRuleAuto)
	case rule.Open.Publish == PublishAuto:
		d.setTimer(TimerPublish, i.ID, d.now.Add(rule.Open.PublishAfter))
	}
	if i.Stage == Draft && rule.Open.ConfirmAfter > 0 {
		d.setTimer(TimerConfirm, i.ID, d.now.Add(rule.Open.ConfirmAfter))
	}
}

// takeUp reopens the track's last issue if it ended within reopen_within. An
// issue that a person ended is not reopened: byPerson says that a new one must
// wait for a person.
func (d *desk) takeUp(rule Rule, t Track) (byPerson, again bool) {
	if d.forPerson(rule, t, d.now) {
		return true, false
	}
	if t.LastIssue == "" || rule.ReopenWithin <= 0 || d.now.Sub(t.LastEndedAt) > rule.ReopenWithin {
		return false, false
	}
	i, ok := d.issue(t.LastIssue)
	if !ok || i.State != Resolved || i.Stage == Dismissed || !i.Automatic(FieldState) {
		return false, false
	}
	before := i
	i.State, i.ResolvedAt, i.ResolvedBy, i.MonitoringAt = Investigating, time.Time{}, "", time.Time{}
	t.IssueID, t.Cleared = i.ID, 0
	d.c.Tracks[t.Key] = t
	before.Components = healed(i.Components)
	d.tellIssue(&i, before, rule, "The problem has come back. We are investigating again.", EventUpdate, ReasonReopened)
	d.saveIssue(i)
	d.escalate(rule, t, i)
	return false, true
}

// forPerson reports whether an issue that the track opens at that moment waits
// for a person whatever the rule says, since a person ended the last one.
func (d *desk) forPerson(rule Rule, t Track, at time.Time) bool {
	return t.LastIssue != "" && t.LastEndedBy != Automation && rule.ReopenWithin > 0 && at.Sub(t.LastEndedAt) <= rule.ReopenWithin
}

// heldBack reports whether the breaker left the issue to a person.
func (i Issue) heldBack() bool {
	return slices.ContainsFunc(i.Suggestions, func(s Suggestion) bool { return s.Reason == string(ReasonBreaker) })
}

// publishAuto publishes without a person, unless the breaker is open: then the
// issue stays a draft and people are told that it looks like a major event.
func (d *desk) publishAuto(i *Issue, why Reason) {
	if b := d.rules.Breaker; b.MaxPublished > 0 {
		n := 0
		for _, o := range all(d.c.Issues, d.board.Issues) {
			if o.Origin == FromAlert && !o.Confirmed && !o.PublishedAt.IsZero() && d.now.Sub(o.PublishedAt) < b.Window {
				n++
			}
		}
		if n >= b.MaxPublished {
			i.Suggestions = append(without(i.Suggestions, FieldState), Suggestion{Field: FieldState, Value: "major event", Reason: string(ReasonBreaker), At: d.now})
			d.log(Entry{Action: "held back", Subject: i.ID, Reason: ReasonBreaker})
			d.majorEvent(n)
			return
		}
	}
	d.publish(i, Automation, why, false)
}

// publish makes a draft public and orders its announcement.
func (d *desk) publish(i *Issue, who string, why Reason, silent bool) {
	i.Stage, i.PublishedAt = Published, d.now
	if who != Automation {
		i.Confirmed, i.PublishedBy = true, who
	}
	i.Updates = slices.Clone(i.Updates)
	for n := range i.Updates {
		i.Updates[n].DisplayAt = d.now
		i.Updates[n].Silent = silent
	}
	d.stopTimer(TimerPublish, i.ID)
	d.stopTimer(TimerConfirm, i.ID)
	d.log(Entry{Actor: who, Action: "published", Subject: i.ID, Reason: why, After: i.Title})
	if !silent && len(i.Updates) > 0 {
		i.AnnouncedAt = d.now
		d.announce(*i, EventOpen, i.Updates[0], d.channels(*i, EventOpen))
	}
}

// end resolves an issue, whatever its stage.
func (d *desk) end(i *Issue, body, who string) {
	i.State, i.ResolvedAt, i.ResolvedBy, i.Suggestions = Resolved, d.now, who, nil
	u := d.update(*i, body, who, i.Components, healed(i.Components))
	i.Updates = append(slices.Clip(i.Updates), u)
}

// healed is the components with all of them operational.
func healed(list []Affected) []Affected {
	out := make([]Affected, len(list))
	for n, a := range list {
		out[n] = Affected{a.ComponentID, Operational}
	}
	return out
}

// update words a statement; changes are told only where before and after differ.
func (d *desk) update(i Issue, body, who string, before, after []Affected) Update {
	return Update{
		ID: d.mint(), SubjectID: i.ID, State: string(i.State), Body: clip(body, MaxBody), By: who,
		CreatedAt: d.now, DisplayAt: d.now, Changes: d.changes(before, after, len(i.Updates) > 0),
	}
}

// changes compares two states of an issue's components. In a first statement
// (later is false) before is taken as operational.
func (d *desk) changes(before, after []Affected, later bool) []Change {
	old := map[string]ComponentStatus{}
	for _, a := range before {
		old[a.ComponentID] = a.Status
	}
	var out []Change
	for _, a := range after {
		from, was := old[a.ComponentID]
		if !was {
			if later && before == nil {
				from = a.Status // an update that changes no component
			} else {
				from = Operational
			}
		}
		delete(old, a.ComponentID)
		if from != a.Status {
			out = append(out, d.change(a.ComponentID, from, a.Status))
		}
	}
	for _, id := range sortedKeys(old) {
		if old[id] != Operational {
			out = append(out, d.change(id, old[id], Operational))
		}
	}
	return out
}

func (d *desk) change(id string, from, to ComponentStatus) Change {
	c, _ := d.component(id)
	return Change{ComponentID: id, Name: c.Name, Old: from, New: to}
}

func (i Issue) lastUpdate() Update { return i.Updates[len(i.Updates)-1] }

// announce orders that an update of a public issue be told.
func (d *desk) announce(i Issue, e Event, u Update, channels []string) {
	if !i.Public() || channels != nil && len(channels) == 0 {
		return
	}
	ids := make([]string, len(i.Components))
	for n, a := range i.Components {
		ids[n] = a.ComponentID
	}
	priority := PriorityNormal
	if i.Impact == ImpactCritical {
		priority = PriorityUrgent
	}
	d.c.Announcements = append(d.c.Announcements, Announcement{
		ID: d.mint(), Event: e, SubjectID: i.ID, UpdateID: u.ID,
		Components: ids, Channels: channels, Priority: priority, CreatedAt: d.now, DueAt: i.tellFrom(d.now),
	})
}

// tellFrom is when something about the issue may be told: what a person made
// public, and what follows, not before it can no longer be taken back.
func (i Issue) tellFrom(now time.Time) time.Time {
	if i.PublishedBy == "" {
		return now
	}
	return later(now, i.PublishedAt.Add(UndoWindow))
}

// channels says where an event of the issue is told: nil is everywhere.
func (d *desk) channels(i Issue, e Event) []string {
	rule, ok := d.rules.version(i.RulesHash).Find(i.Rule)
	if !ok || rule.Broadcast == nil {
		return nil
	}
	return append([]string{}, rule.Broadcast[e]...)
}

// members lists the signals of a track, oldest episode first.
func (d *desk) members(key TrackKey) []Signal {
	var out []Signal
	for k := range d.board.members[key] {
		if _, changed := d.c.Signals[k]; !changed {
			out = append(out, d.board.Signals[k])
		}
	}
	for _, s := range d.c.Signals {
		if slices.Contains(s.Tracks, key) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b Signal) int {
		return cmp.Or(a.StartsAt.Compare(b.StartsAt), strings.Compare(a.Key.Source, b.Key.Source),
			strings.Compare(a.Key.Fingerprint, b.Key.Fingerprint))
	})
	return out
}

// evidence is what templates may speak of: the alerts of the track that fire
// or fired after since.
func (d *desk) evidence(rule Rule, t Track, since time.Time) Evidence {
	members := slices.DeleteFunc(d.members(t.Key), func(s Signal) bool { return !s.Firing && s.EndsAt.Before(since) })
	ev := Evidence{
		Rule: rule.Name, GroupLabels: t.Labels, Firing: t.Firing, StartedAt: t.Since, Severity: t.severity(),
		CommonLabels: map[string]string{}, CommonAnnotations: map[string]string{},
	}
	for n, s := range members {
		if n == 0 {
			ev.Source = s.Key.Source
			copyInto(ev.CommonLabels, s.Labels)
			copyInto(ev.CommonAnnotations, s.Annotations)
		}
		keepCommon(ev.CommonLabels, s.Labels)
		keepCommon(ev.CommonAnnotations, s.Annotations)
		if n < MaxEvidence {
			ev.Alerts = append(ev.Alerts, s.evidence())
		}
	}
	if !t.Since.IsZero() {
		ev.DurationSeconds = max(0, d.now.Sub(t.Since).Seconds())
	}
	return ev
}

func (s Signal) evidence() EvidenceAlert {
	state := "resolved"
	if s.Firing {
		state = "firing"
	}
	return EvidenceAlert{Status: state, Labels: s.Labels, Annotations: s.Annotations, StartsAt: s.StartsAt, EndsAt: s.EndsAt, URL: s.URL}
}

func copyInto(to, from map[string]string) {
	for k, v := range from {
		to[k] = v
	}
}

func keepCommon(common, other map[string]string) {
	for k, v := range common {
		if o, ok := other[k]; !ok || o != v {
			delete(common, k)
		}
	}
}

// title fills the rule's title; it is one line and never empty.
func (d *desk) title(rule Rule, ev Evidence, issue string) string {
	return clip(cmp.Or(oneLine(d.fill(rule.Open.Title, ev, issue, rule.Name)), rule.Name), MaxTitle)
}

// fill runs a template; a missing or failing one falls back, and is noted.
func (d *desk) fill(t Text, ev Evidence, issue, fallback string) string {
	if t == nil {
		return fallback
	}
	s, err := t(ev)
	if err != nil {
		d.log(Entry{Action: "warned", Subject: issue, Reason: ReasonTemplate, Detail: err.Error()})
		return fallback
	}
	return cmp.Or(strings.TrimSpace(s), fallback)
}

// text fills a template about an issue that is already open.
func (d *desk) text(t Text, rule Rule, track Track, i Issue, fallback string) string {
	ev := d.evidence(rule, track, i.StartedAt)
	ev.StartedAt, ev.DurationSeconds = i.StartedAt, max(0, d.now.Sub(i.StartedAt).Seconds())
	return d.fill(t, ev, i.ID, fallback)
}

// oneLine folds white space, so that no text can add a line to a title.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// majorTitle is what the breaker proposes.
const majorTitle = "Several systems are affected"

// majorEvent drafts, once a storm, one issue for people to tell the whole with.
// It is known by its note, since people will give it a better title.
func (d *desk) majorEvent(published int) {
	mark := Note{At: d.now, Text: string(ReasonBreaker)}
	for _, i := range all(d.c.Issues, d.board.Issues) {
		proposed := i.Origin == Manual && len(i.Notes) > 0 && i.Notes[0].Text == mark.Text
		if proposed && (i.Open() || d.now.Sub(i.CreatedAt) < d.rules.Breaker.Window) {
			return
		}
	}
	i := Issue{
		ID: d.mint(), Title: majorTitle, State: Investigating, Impact: ImpactMajor, Stage: Draft, Origin: Manual,
		StartedAt: d.now, CreatedAt: d.now, Notes: []Note{mark},
	}
	i.Updates = []Update{d.update(i, "Several of our systems have problems at the same time. We are investigating.", Automation, nil, nil)}
	d.log(Entry{Action: "opened", Subject: i.ID, Reason: ReasonBreaker, Detail: strconv.Itoa(published) + " issues were published by themselves shortly before"})
	d.saveIssue(i)
}
