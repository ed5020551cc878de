package status

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// escalate brings impact and components of an open issue up to what its alerts
// and the rule's escalations ask for. Automation raises; it lowers only what an
// escalation with deescalate had raised.
func (d *desk) escalate(rule Rule, t Track, i Issue) {
	sit := Situation{Alerts: t.Firing, OpenFor: d.now.Sub(i.CreatedAt), Severity: t.severity()}
	d.armJudge(rule, t, sit, i)

	reached, lower := []int(nil), false
	impact := cmp.Or(rule.Open.Impact, t.worstImpact())
	comps := d.components(rule.Open.Components, rule, t, "")
	var newest *Escalation
	for n := range rule.Escalate {
		e := &rule.Escalate[n]
		was, holds := slices.Contains(i.Escalated, n), e.When.Holds(sit)
		if was && !holds && e.Deescalate {
			lower = true
			continue
		}
		if !was && !holds {
			continue
		}
		reached = append(reached, n)
		if e.Impact.Rank() > impact.Rank() {
			impact = e.Impact
		}
		comps = worst(comps, d.components(e.Components, rule, t, ""))
		if !was {
			newest = e
		}
	}
	before := i
	i.Escalated = reached
	if i.Automatic(FieldImpact) && (impact.Rank() > i.Impact.Rank() || lower && newest == nil) {
		i.Impact = impact
	}
	if i.Automatic(FieldComponents) {
		if lower && newest == nil {
			i.Components = comps
		} else {
			i.Components = worst(i.Components, comps)
		}
	}
	d.escalated(rule, t, before, i, newest, lower)
}

// escalated saves and tells what escalate changed, if anything.
func (d *desk) escalated(rule Rule, t Track, before, i Issue, newest *Escalation, lower bool) {
	moved := i.Impact != before.Impact
	hit := !sameComponents(i.Components, before.Components)
	if !moved && !hit && slices.Equal(i.Escalated, before.Escalated) {
		return
	}
	why, body := ReasonSeverity, ""
	switch {
	case newest != nil:
		why = ReasonEscalation
		body = d.text(newest.Body, rule, t, i, "")
	case lower:
		why = ReasonDeescalation
	}
	if body == "" && (moved && rule.Update.OnSeverity || hit && rule.Update.OnComponents) {
		body = "The impact is now " + string(i.Impact) + "."
		if hit {
			body = "This now affects " + d.plainNames(i.Components) + "."
		}
	}
	if moved || hit {
		d.tellIssue(&i, before, rule, body, EventUpdate, why)
	} else {
		d.log(Entry{Action: "updated", Subject: i.ID, Reason: why})
	}
	d.saveIssue(i)
}

// armJudge wakes the track when a condition on open_for may flip.
func (d *desk) armJudge(rule Rule, t Track, sit Situation, i Issue) {
	var next time.Duration
	sooner := func(c Condition) {
		if n := c.next(sit.OpenFor); n > 0 && (next == 0 || n < next) {
			next = n
		}
	}
	for _, e := range rule.Escalate {
		sooner(e.When)
	}
	for _, c := range rule.Open.Components {
		sooner(c.When)
	}
	if next == 0 {
		d.stopTimer(TimerJudge, t.Key.String())
		return
	}
	d.setTimer(TimerJudge, t.Key.String(), i.CreatedAt.Add(next))
}

// worst joins two lists of components, each at its worse status.
func worst(a, b []Affected) []Affected {
	out := slices.Clone(a)
	for _, x := range b {
		n := slices.IndexFunc(out, func(y Affected) bool { return y.ComponentID == x.ComponentID })
		if n < 0 {
			out = append(out, x)
		} else {
			out[n].Status = out[n].Status.Worse(x.Status)
		}
	}
	return out
}

// severity is the worst level that fires in the track.
func (t Track) severity() string {
	worst := -1
	for k := range t.Levels {
		level, _, _ := strings.Cut(k, "/")
		worst = max(worst, rank(Levels, level))
	}
	return Levels[max(worst, 0)]
}

// worstImpact is the worst default impact that fires in the track.
func (t Track) worstImpact() Impact {
	worst := ImpactNone
	for k := range t.Levels {
		_, impact, _ := strings.Cut(k, "/")
		if i := Impact(impact); i.Rank() > worst.Rank() {
			worst = i
		}
	}
	return worst
}

// components finds what a rule marks at this moment. One that does not exist
// is left out, and noted on the issue if there is one.
func (d *desk) components(list []RuleComponent, rule Rule, t Track, issue string) []Affected {
	var out []Affected
	sit := Situation{Alerts: t.Firing, Severity: t.severity()}
	if i, ok := d.issue(t.IssueID); ok {
		sit.OpenFor = d.now.Sub(i.CreatedAt)
	}
	for _, rc := range list {
		if !rc.When.Holds(sit) {
			continue
		}
		status := rc.Status
		if rc.StatusText != nil {
			text, err := rc.StatusText(d.evidence(rule, t, t.Since))
			if status = ComponentStatus(strings.TrimSpace(text)); err != nil || !status.Valid() {
				status = cmp.Or(rc.Status, PartialOutage)
			}
		}
		ids := d.named(rc, rule, t)
		if len(ids) == 0 && issue != "" && !rc.IgnoreUnknown {
			d.log(Entry{Action: "warned", Subject: issue, Reason: ReasonUnknownComponent, Detail: cmp.Or(rc.Component, t.Labels[rc.Label])})
		}
		for _, id := range ids {
			out = worst(out, []Affected{{id, status}})
		}
	}
	return out
}

// named resolves the components that an entry of a rule means.
func (d *desk) named(rc RuleComponent, rule Rule, t Track) []string {
	if rc.Group != nil {
		name, err := rc.Group(d.evidence(rule, t, t.Since))
		if err != nil {
			return nil
		}
		return d.inGroup(strings.TrimSpace(name))
	}
	if rc.Label != "" {
		return d.calledBy(t.Labels[rc.Label])
	}
	if c, ok := d.componentBySlug(rc.Component); ok {
		return []string{c.ID}
	}
	return nil
}

// calledBy finds the component that a label means: by its slug, or by the whole
// name, which may have no letter that a slug could hold.
func (d *desk) calledBy(label string) []string {
	if c, ok := d.componentBySlug(Slug(label)); ok {
		return []string{c.ID}
	}
	for _, c := range all(d.c.Components, d.board.Components) {
		if label != "" && !c.Archived && strings.EqualFold(c.Name, label) {
			return []string{c.ID}
		}
	}
	return nil
}

// inGroup lists the components of the group of that name, in order.
func (d *desk) inGroup(name string) []string {
	var ids []string
	for _, g := range all(d.c.Groups, d.board.Groups) {
		if g.Archived || !strings.EqualFold(g.Name, name) {
			continue
		}
		for _, c := range all(d.c.Components, d.board.Components) {
			if c.GroupID == g.ID && !c.Archived {
				ids = append(ids, c.ID)
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// plainNames lists components as people call them.
func (d *desk) plainNames(list []Affected) string {
	words := make([]string, len(list))
	for n, a := range list {
		c, _ := d.component(a.ComponentID)
		words[n] = cmp.Or(c.Name, a.ComponentID)
	}
	return strings.Join(words, ", ")
}
