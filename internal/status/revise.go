package status

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Revise carries out one decision of a person. What the person changes by hand
// is held against automation from then on. It fails with ErrNotFound,
// ErrConflict or Invalid, and then changes nothing; an edit that says what is
// so already changes nothing either.
func Revise(b Board, r *Rules, e Edit, who string, now time.Time) (Changes, error) {
	d := newDesk(b, r, now)
	if err := e.revise(d, who); err != nil {
		return Changes{}, err
	}
	return d.done(), nil
}

// Subjects of a new issue are none: components are always on the board.
func (OpenIssue) Subjects() []string { return nil }

// Subjects is the issue.
func (e EditIssue) Subjects() []string { return []string{e.ID} }

// Subjects is the issue.
func (e DismissIssue) Subjects() []string { return []string{e.ID} }

// Subjects is the issue.
func (e PostUpdate) Subjects() []string { return []string{e.ID} }

// Subjects is the issue.
func (e HandBack) Subjects() []string { return []string{e.ID} }

func (e OpenIssue) revise(d *desk, who string) error {
	i := Issue{
		ID: d.mint(), Title: oneLine(e.Title), State: cmp.Or(e.State, Investigating), Impact: cmp.Or(e.Impact, ImpactMinor),
		Stage: Draft, Origin: Manual, Components: e.Components, Confirmed: true,
		StartedAt: e.StartedAt, CreatedAt: d.now,
	}
	if i.StartedAt.IsZero() {
		i.StartedAt = d.now
	}
	if i.StartedAt.After(d.now) {
		return Invalid{"started_at", "an issue cannot begin in the future; plan a maintenance instead"}
	}
	if err := d.check(i, e.Body); err != nil {
		return err
	}
	i.Updates = []Update{d.update(i, e.Body, who, nil, i.Components)}
	d.log(Entry{Actor: who, Action: "opened", Subject: i.ID, Reason: ReasonPerson, After: i.Title})
	if e.Publish {
		d.publish(&i, who, ReasonPerson, e.Silent)
	}
	if i.State == Resolved {
		i.ResolvedAt, i.ResolvedBy = d.now, who
	}
	d.saveIssue(i)
	d.c.Result = i.ID
	return nil
}

// take finds the issue an edit is about and refuses a stale version.
func (d *desk) take(id string, version int64) (Issue, error) {
	i, ok := d.issue(id)
	if !ok {
		return i, ErrNotFound
	}
	if version != 0 && version != i.Version {
		return i, ErrConflict
	}
	d.c.Result = id
	return i, nil
}

// check refuses what no issue may be.
func (d *desk) check(i Issue, body string) error {
	switch {
	case i.Title == "":
		return Invalid{"title", "say in a few words what is wrong"}
	case len(i.Title) > MaxTitle:
		return Invalid{"title", "is longer than 200 bytes; the rest belongs in the update"}
	case len(body) > MaxBody:
		return Invalid{"body", "is longer than 20,000 bytes"}
	case !i.State.Valid():
		return Invalid{"state", "is not investigating, identified, monitoring or resolved"}
	case !i.Impact.Valid():
		return Invalid{"impact", "is not none, minor, major or critical"}
	}
	seen := map[string]bool{}
	for _, a := range i.Components {
		if _, ok := d.component(a.ComponentID); !ok {
			return Invalid{"components", "there is no component " + a.ComponentID}
		}
		if !a.Status.Valid() {
			return Invalid{"components", "status " + string(a.Status) + " is not known"}
		}
		if seen[a.ComponentID] {
			return Invalid{"components", "a component is named twice"}
		}
		seen[a.ComponentID] = true
	}
	return nil
}

// edit applies the fields of e and holds those that differ. It reports what
// changed, in words, before and after.
func (d *desk) edit(i *Issue, e EditIssue, who string) (before, after []string) {
	hold := func(f Field, old, new string) {
		if i.Origin == FromAlert {
			held := map[Field]Hold{}
			for k, v := range i.Held {
				held[k] = v
			}
			held[f] = Hold{By: who, At: d.now}
			i.Held = held
			i.Suggestions = without(i.Suggestions, f)
		}
		before, after = append(before, string(f)+": "+old), append(after, string(f)+": "+new)
	}
	if e.Title != nil && oneLine(*e.Title) != i.Title {
		old := i.Title
		i.Title = oneLine(*e.Title)
		hold(FieldTitle, old, i.Title)
	}
	if e.Impact != nil && *e.Impact != i.Impact {
		old := i.Impact
		i.Impact = *e.Impact
		hold(FieldImpact, string(old), string(i.Impact))
	}
	if e.State != nil && *e.State != i.State {
		old := i.State
		i.State = *e.State
		hold(FieldState, string(old), string(i.State))
		i.MonitoringAt = time.Time{}
		if i.State == Monitoring {
			i.MonitoringAt = d.now
		}
	}
	if e.Components != nil && !sameComponents(*e.Components, i.Components) {
		old := i.Components
		i.Components = *e.Components
		hold(FieldComponents, d.names(old), d.names(i.Components))
	}
	if e.Body != nil && len(i.Updates) > 0 && strings.TrimSpace(*e.Body) != i.Updates[0].Body {
		old := i.Updates[0].Body
		i.Updates = slices.Clone(i.Updates)
		i.Updates[0].Body = strings.TrimSpace(*e.Body)
		if i.Public() {
			i.Updates[0].EditedAt = d.now
		}
		hold(FieldBody, old, i.Updates[0].Body)
	}
	return before, after
}

// names writes components and their statuses for the audit log.
func (d *desk) names(list []Affected) string {
	words := make([]string, len(list))
	for n, a := range list {
		c, _ := d.component(a.ComponentID)
		words[n] = cmp.Or(c.Name, a.ComponentID) + " " + string(a.Status)
	}
	return strings.Join(words, ", ")
}

// sameComponents compares regardless of order.
func sameComponents(a, b []Affected) bool {
	if len(a) != len(b) {
		return false
	}
	status := map[string]ComponentStatus{}
	for _, x := range a {
		status[x.ComponentID] = x.Status
	}
	for _, x := range b {
		if status[x.ComponentID] != x.Status {
			return false
		}
	}
	return true
}

func (e EditIssue) revise(d *desk, who string) error {
	old, err := d.take(e.ID, e.Version)
	if err != nil {
		return err
	}
	i := old
	before, after := d.edit(&i, e, who)
	if len(after) == 0 {
		return nil
	}
	if i.Stage == Dismissed {
		return errDismissed
	}
	if err := d.check(i, i.Updates[0].Body); err != nil {
		return err
	}
	if err := d.reopen(&i, old); err != nil {
		return err
	}
	d.restate(&i, old, "", who, true)
	d.log(Entry{
		Actor: who, Action: "edited", Subject: i.ID, Reason: ReasonPerson,
		Before: strings.Join(before, "\n"), After: strings.Join(after, "\n"),
	})
	d.saveIssue(i)
	return nil
}

// restate tells a change of state or components as an update: uptime and the
// timeline follow updates. Before anything is public the opening is rewritten
// instead. It reports whether an update was added.
func (d *desk) restate(i *Issue, old Issue, body, who string, silent bool) bool {
	if i.State == Resolved && old.State != Resolved {
		d.close(i, body, who, silent)
		return true
	}
	sameComps := sameComponents(i.Components, old.Components)
	if i.State == old.State && sameComps && body == "" {
		return false
	}
	if i.Stage == Draft && body == "" {
		i.Updates = slices.Clone(i.Updates)
		last := len(i.Updates) - 1
		i.Updates[last].State = string(i.State)
		if last == 0 {
			i.Updates[0].Changes = d.changes(nil, i.Components, false)
		} else if !sameComps {
			i.Updates[last].Changes = d.changes(old.Components, i.Components, true)
		}
		return false
	}
	before := old.Components
	if before == nil {
		before = []Affected{}
	}
	u := d.update(*i, body, who, before, i.Components)
	u.Silent = silent
	i.Updates = append(slices.Clip(i.Updates), u)
	return true
}

// reopen takes an issue that a person made unresolved back into its track. The
// track may have another issue by now: then that one is the place to write.
func (d *desk) reopen(i *Issue, old Issue) error {
	if old.State != Resolved || i.State == Resolved {
		return nil
	}
	i.ResolvedAt, i.ResolvedBy, i.MergedInto = time.Time{}, "", ""
	t, ok := d.track(TrackKey{i.Rule, i.Group})
	if i.Origin != FromAlert || !ok {
		return nil
	}
	if other, taken := d.issue(t.IssueID); taken && other.ID != i.ID {
		return Invalid{"state", "its alerts have opened a newer issue: " + other.Title}
	}
	// Its alerts are this issue's again, and no evidence of another. However quiet
	// they are, somebody says that it is not over: that counts from now.
	t.IssueID, t.Settled, t.AttachedTo, t.QuietSince = i.ID, false, "", time.Time{}
	d.stopTimer(TimerHold, t.Key.String())
	d.c.Tracks[t.Key] = t
	return nil
}

// close ends an issue by hand. While its alerts fire, the same episode may not
// open another.
func (d *desk) close(i *Issue, body, who string, silent bool) {
	d.end(i, body, who)
	i.Updates[len(i.Updates)-1].Silent = silent
	d.release(*i, who)
}

// release lets go of the track of an issue that a person ended.
func (d *desk) release(i Issue, who string) {
	key := TrackKey{i.Rule, i.Group}
	d.stopTimer(TimerPublish, i.ID)
	d.stopTimer(TimerConfirm, i.ID)
	d.c.Issues[i.ID] = i // over, for those who look at it below
	if t, ok := d.track(key); ok && t.IssueID == i.ID {
		d.ended(t, i, who)
		return
	}
	d.detach(i.ID, true)
}

func (e PublishIssue) revise(d *desk, who string) error {
	if i, ok := d.issue(e.ID); ok && i.Stage == Published {
		if _, after := d.edit(&i, e.EditIssue, who); len(after) == 0 {
			d.c.Result = e.ID
			return nil // sent twice, or somebody was faster: it is what they wanted
		}
		return ErrConflict
	}
	old, err := d.take(e.ID, e.Version)
	if err != nil {
		return err
	}
	i := old
	if i.Stage == Dismissed {
		return errDismissed
	}
	before, after := d.edit(&i, e.EditIssue, who)
	if err := d.check(i, i.Updates[0].Body); err != nil {
		return err
	}
	if i.State == Resolved && old.State != Resolved {
		return Invalid{"state", "publish it first, then resolve it"}
	}
	d.restate(&i, old, "", who, e.Silent)
	if len(after) > 0 {
		d.log(Entry{
			Actor: who, Action: "edited", Subject: i.ID, Reason: ReasonPerson,
			Before: strings.Join(before, "\n"), After: strings.Join(after, "\n"),
		})
	}
	d.publish(&i, who, ReasonPerson, e.Silent)
	for n := range d.c.Announcements { // the one that publishing ordered
		d.c.Announcements[n].Except = e.Except
	}
	if len(e.Except) > 0 && !e.Silent {
		d.log(Entry{Actor: who, Action: "left out channels for", Subject: i.ID, Reason: ReasonPerson, Detail: strings.Join(e.Except, ", ")})
	}
	d.saveIssue(i)
	return nil
}

func (e DismissIssue) revise(d *desk, who string) error {
	i, err := d.take(e.ID, e.Version)
	if err != nil {
		return err
	}
	switch i.Stage {
	case Dismissed:
		return nil
	case Published:
		return Invalid{"stage", "it is public already; resolve it instead"}
	}
	if i.State == Resolved {
		return Invalid{"stage", "it is over already"}
	}
	i.Stage = Dismissed
	d.release(i, who)
	d.log(Entry{Actor: who, Action: "dismissed", Subject: i.ID, Reason: ReasonPerson, Before: i.Title})
	d.saveIssue(i)
	return nil
}

func (e PostUpdate) revise(d *desk, who string) error {
	old, err := d.take(e.ID, e.Version)
	if err != nil {
		return err
	}
	if old.Stage == Dismissed {
		return errDismissed
	}
	body := strings.TrimSpace(e.Body)
	i := old
	before, after := d.edit(&i, EditIssue{State: e.State, Impact: e.Impact, Components: e.Components}, who)
	if body == "" && len(after) == 0 {
		return Invalid{"body", "say what is new"}
	}
	if err := d.check(i, body); err != nil {
		return err
	}
	if err := d.reopen(&i, old); err != nil {
		return err
	}
	added := d.restate(&i, old, body, who, e.Silent)
	d.log(Entry{
		Actor: who, Action: "updated", Subject: i.ID, Reason: ReasonPerson, Detail: clip(body, 200),
		Before: strings.Join(before, "\n"), After: strings.Join(after, "\n"),
	})
	d.saveIssue(i)
	if added && !e.Silent {
		event := EventUpdate
		if i.State == Resolved && old.State != Resolved {
			event = EventResolve
		}
		d.announce(i, event, i.lastUpdate(), d.channels(i, event))
	}
	return nil
}

func (e HandBack) revise(d *desk, who string) error {
	i, err := d.take(e.ID, e.Version)
	if err != nil {
		return err
	}
	old := i
	held := map[Field]Hold{}
	for f, h := range i.Held {
		if !slices.Contains(e.Fields, f) {
			held[f] = h
		}
	}
	if len(held) == len(i.Held) {
		return nil
	}
	i.Held = held
	key := TrackKey{i.Rule, i.Group}
	t, tracked := d.track(key)
	rule, known := d.ruleOf(t, i)
	mine := tracked && known && t.IssueID == i.ID
	if mine {
		d.catchUp(&i, e.Fields, rule, t)
	}
	d.restate(&i, old, "", Automation, true)
	d.log(Entry{Actor: who, Action: "handed back", Subject: i.ID, Reason: ReasonPerson, Detail: joinFields(e.Fields)})
	d.saveIssue(i)
	if mine {
		d.assess(key)
	}
	return nil
}

// catchUp brings handed-back fields to what automation would have made of them.
func (d *desk) catchUp(i *Issue, fields []Field, rule Rule, t Track) {
	ev := d.evidence(rule, t, i.StartedAt)
	for _, f := range fields {
		i.Suggestions = without(i.Suggestions, f)
		switch f {
		case FieldTitle:
			i.Title = d.title(rule, ev, i.ID)
		case FieldImpact:
			i.Impact = cmp.Or(rule.Open.Impact, t.worstImpact())
		case FieldComponents:
			i.Components = d.components(rule.Open.Components, rule, t, i.ID)
		case FieldBody:
			i.Updates = slices.Clone(i.Updates)
			i.Updates[0].Body = clip(d.fill(rule.Open.Body, ev, i.ID, "We are investigating."), MaxBody)
			if i.Public() {
				i.Updates[0].EditedAt = d.now
			}
		case FieldState:
			if t.Firing > 0 && i.State != Resolved {
				i.State, i.MonitoringAt = Investigating, time.Time{}
			}
		}
	}
}

// errDismissed refuses to bring a discarded draft back to life.
var errDismissed = Invalid{"stage", "it was dismissed; open a new issue instead"}

func joinFields(fields []Field) string {
	words := make([]string, len(fields))
	for n, f := range fields {
		words[n] = string(f)
	}
	return strings.Join(words, ", ")
}
