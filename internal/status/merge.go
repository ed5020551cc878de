package status

import (
	"maps"
	"slices"
	"strings"
)

// MergeIssue ends an issue in favour of another that goes on: both tell of one
// disturbance. The alerts of the one are evidence of the other from then on, and
// open nothing while it is open. What was public stays, and points there.
type MergeIssue struct {
	ID          string // the one that ends
	Version     int64
	Into        string // the one that goes on
	IntoVersion int64
	// Body tells those who follow the one that ends; "" says so in few words.
	Body string
	// Components says whether those of the one that ends, and its impact, count
	// for the other from now on.
	Components bool
	Silent     bool
}

// StateMerged is what the last update of an issue says that was merged into
// another. The issue itself is resolved.
const StateMerged = "merged"

// Subjects are both issues.
func (e MergeIssue) Subjects() []string { return append(subjects(e.ID), subjects(e.Into)...) }

func (e MergeIssue) revise(d *desk, who string) error {
	into, ok := d.issue(e.Into)
	if !ok {
		return Invalid{"into", "there is no such issue"}
	}
	from, err := d.take(e.ID, e.Version)
	switch {
	case err != nil:
		return err
	case e.IntoVersion != 0 && e.IntoVersion != into.Version:
		return ErrConflict
	case from.ID == into.ID:
		return Invalid{"into", "an issue cannot be merged into itself"}
	case !from.Open():
		return Invalid{"id", "it is over already; only what is open can be merged"}
	case !into.Open():
		return Invalid{"into", "it is over already; merge into an issue that is open"}
	case from.Public() && !into.Public():
		return Invalid{"into", "customers cannot see it yet: publish it first, or merge it into this one"}
	}
	if err := d.check(from, e.Body); err != nil {
		return err
	}
	grown := d.absorb(&into, from, e, who)
	d.yield(&from, into, e, who)
	switch {
	case e.Silent:
	case from.Public(): // those who follow it are told where it goes on
		d.announce(from, EventResolve, from.lastUpdate(), d.channels(from, EventResolve))
	case grown: // to customers it is only news of the other one
		d.announce(into, EventUpdate, into.lastUpdate(), d.channels(into, EventUpdate))
	}
	return nil
}

// absorb makes the issue that goes on the one that tells of both. It reports
// whether that added a statement.
func (d *desk) absorb(into *Issue, from Issue, e MergeIssue, who string) (grown bool) {
	old := *into
	var before, after []string
	if e.Components {
		impact, components := into.Impact, worst(into.Components, from.Components)
		if from.Impact.Rank() > impact.Rank() {
			impact = from.Impact
		}
		before, after = d.edit(into, EditIssue{Impact: &impact, Components: &components}, who)
	}
	if into.Automatic(FieldState) { // its own alerts do not tell any more when it is over
		held := map[Field]Hold{FieldState: {By: who, At: d.now}}
		maps.Copy(held, into.Held)
		into.Held = held
	}
	grown = d.restate(into, old, "", who, e.Silent || from.Public())
	d.log(Entry{
		Actor: who, Action: "merged another issue into", Subject: into.ID, Reason: ReasonPerson, Detail: from.Title,
		Before: strings.Join(before, "\n"), After: strings.Join(after, "\n"),
	})
	d.saveIssue(*into)
	return grown
}

// yield ends the issue that is merged and hands its alerts over.
func (d *desk) yield(from *Issue, into Issue, e MergeIssue, who string) {
	d.stopTimer(TimerPublish, from.ID)
	d.stopTimer(TimerConfirm, from.ID)
	from.MergedInto, from.Suggestions = into.ID, nil
	if from.Stage == Draft {
		from.Stage = Dismissed
	} else {
		body := strings.TrimSpace(e.Body)
		if body == "" {
			body = "This is part of “" + into.Title + "”. We continue there."
		}
		u := d.update(*from, body, who, from.Components, from.Components)
		u.State, u.Silent = StateMerged, e.Silent
		from.Updates = append(slices.Clip(from.Updates), u)
		from.State, from.ResolvedAt, from.ResolvedBy = Resolved, d.now, who
	}
	d.log(Entry{Actor: who, Action: "merged", Subject: from.ID, Reason: ReasonPerson, Detail: "into " + into.Title, Before: from.Title})
	d.saveIssue(*from)
	d.handOver(*from, into.ID, who)
}

// handOver makes the alerts of an issue, and what was evidence of it, evidence
// of another.
func (d *desk) handOver(from Issue, to, who string) {
	for _, t := range sortedBy(all(d.c.Tracks, d.board.Tracks), func(t Track) string { return t.Key.String() }) {
		switch {
		case t.IssueID == from.ID:
			for _, kind := range []TimerKind{TimerSettle, TimerJudge} {
				d.stopTimer(kind, t.Key.String())
			}
			t.IssueID, t.LastIssue, t.LastEndedAt, t.LastEndedBy, t.Cleared = "", from.ID, d.now, who, 0
			t.Settled, t.AttachedTo = false, to
		case t.AttachedTo == from.ID:
			t.AttachedTo = to
		default:
			continue
		}
		d.c.Tracks[t.Key] = t
		d.assess(t.Key)
	}
}
