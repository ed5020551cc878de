package status

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Bounds of what people and templates may write, in bytes.
const (
	MaxTitle = 200
	MaxBody  = 20_000
)

// open makes the issue of a track whose hold is over.
func (d *desk) open(rule Rule, t Track) {
	ev := d.evidence(rule, t, t.Since)
	i := Issue{
		ID: d.mint(), State: Investigating, Origin: FromAlert, Stage: Draft,
		Rule: rule.Name, Group: t.Key.Group, GroupLabels: t.Labels,
		StartedAt: earlier(t.Since, d.now), CreatedAt: d.now,
	}
	i.Title = d.title(rule, ev, i.ID)
	i.Impact = cmp.Or(rule.Open.Impact, d.worstImpact(t))
	i.Components = d.ruleComponents(rule, i.ID)
	d.say(&i, d.fill(rule.Open.Body, ev, i.ID, "We are investigating."), nil)

	d.stopTimer(TimerHold, t.Key.String())
	t.IssueID = i.ID
	d.c.Tracks[t.Key] = t
	d.log(Entry{Action: "opened", Subject: i.ID, Reason: ReasonHoldElapsed,
		Detail: "rule " + rule.Name + ", group " + t.Key.Group + ", firing since " + clock(t.Since)})

	switch {
	case rule.Open.Publish == PublishNever:
		i.Stage = Internal
	case rule.Open.Publish == PublishAuto && rule.Open.PublishAfter <= 0:
		d.publish(&i, Automation, ReasonRuleAuto, false)
	case rule.Open.Publish == PublishAuto:
		d.setTimer(TimerPublish, i.ID, d.now.Add(rule.Open.PublishAfter))
	}
	d.saveIssue(i)
}

// publish makes a draft public and orders its announcement.
func (d *desk) publish(i *Issue, who string, why Reason, silent bool) {
	i.Stage, i.PublishedAt = Published, d.now
	i.Confirmed = i.Confirmed || who != Automation
	i.Updates = slices.Clone(i.Updates)
	for n := range i.Updates {
		i.Updates[n].DisplayAt = d.now
		i.Updates[n].Silent = silent
	}
	d.stopTimer(TimerPublish, i.ID)
	d.log(Entry{Actor: who, Action: "published", Subject: i.ID, Reason: why, After: i.Title})
	if !silent && len(i.Updates) > 0 {
		d.announce(*i, EventOpen, i.Updates[0], d.channels(*i, EventOpen))
	}
}

// end resolves an issue, whatever its stage.
func (d *desk) end(i *Issue, body, who string) {
	i.State, i.ResolvedAt, i.ResolvedBy, i.Suggestions = Resolved, d.now, who, nil
	healed := make([]Affected, len(i.Components))
	for n, a := range i.Components {
		healed[n] = Affected{a.ComponentID, Operational}
	}
	u := d.update(*i, body, who, i.Components, healed)
	i.Updates = append(slices.Clip(i.Updates), u)
}

// say appends an update of automation about the issue as it is now.
func (d *desk) say(i *Issue, body string, before []Affected) {
	i.Updates = append(slices.Clip(i.Updates), d.update(*i, body, Automation, before, i.Components))
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
	d.c.Announcements = append(d.c.Announcements, Announcement{
		ID: d.mint(), Event: e, SubjectID: i.ID, UpdateID: u.ID,
		Components: ids, Channels: channels, CreatedAt: d.now, DueAt: d.now,
	})
}

// channels says where an event of the issue is told: nil is everywhere.
func (d *desk) channels(i Issue, e Event) []string {
	rule, ok := d.rules.Find(i.Rule)
	if !ok || rule.Broadcast == nil {
		return nil
	}
	return append([]string{}, rule.Broadcast[e]...)
}

// ruleComponents finds the components a rule marks; one that is gone is left
// out and noted.
func (d *desk) ruleComponents(rule Rule, issue string) []Affected {
	var out []Affected
	for _, rc := range rule.Open.Components {
		c, ok := d.componentBySlug(rc.Component)
		if !ok {
			d.log(Entry{Action: "warned", Subject: issue, Reason: ReasonUnknownComponent, Detail: rc.Component})
			continue
		}
		out = append(out, Affected{c.ID, rc.Status})
	}
	return out
}

// worstImpact is the worst default impact of the alerts in a track.
func (d *desk) worstImpact(t Track) Impact {
	worst := ImpactNone
	for _, s := range d.members(t.Key) {
		if _, impact := d.rules.Level(s.Key.Source, s.Labels, s.Lists); s.Firing && impact.Rank() > worst.Rank() {
			worst = impact
		}
	}
	return worst
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
		Rule: rule.Name, GroupLabels: t.Labels, Firing: t.Firing, StartedAt: t.Since, Severity: "info",
		CommonLabels: map[string]string{}, CommonAnnotations: map[string]string{},
	}
	worst := -1
	for n, s := range members {
		if level, impact := d.rules.Level(s.Key.Source, s.Labels, s.Lists); impact.Rank() > worst {
			worst, ev.Severity = impact.Rank(), level
		}
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
