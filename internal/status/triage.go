package status

import "time"

// MaxSnooze is the longest time a draft may be put off.
const MaxSnooze = 24 * time.Hour

// SnoozeIssue puts a draft off: it leaves the queue until a moment, or until its
// impact changes or somebody edits it, whichever comes first. A zero Until
// brings it back.
type SnoozeIssue struct {
	ID      string
	Version int64
	Until   time.Time
}

// ClaimIssue says who looks after an issue, so that two do not; Release says
// that nobody does. Like a snooze it changes nothing that others edit, and
// leaves the version alone.
type ClaimIssue struct {
	ID      string
	Release bool
}

// Subjects is the issue.
func (e SnoozeIssue) Subjects() []string { return subjects(e.ID) }

// Subjects is the issue.
func (e ClaimIssue) Subjects() []string { return subjects(e.ID) }

// Snoozed reports whether a person has put the draft off beyond now.
func (i Issue) Snoozed(now time.Time) bool { return i.Stage == Draft && i.SnoozedUntil.After(now) }

func (e SnoozeIssue) revise(d *desk, who string) error {
	i, err := d.take(e.ID, e.Version)
	if err != nil {
		return err
	}
	if e.Until.IsZero() {
		if i.SnoozedUntil.IsZero() {
			return nil
		}
		i.SnoozedUntil, i.SnoozedBy = time.Time{}, ""
		d.log(Entry{Actor: who, Action: "woke", Subject: i.ID, Reason: ReasonPerson})
		d.c.Issues[i.ID] = i
		return nil
	}
	switch {
	case i.Stage != Draft || !i.Open():
		return Invalid{"until", "only a draft can be put off"}
	case !e.Until.After(d.now):
		return Invalid{"until", "must lie in the future"}
	case e.Until.Sub(d.now) > MaxSnooze:
		return Invalid{"until", "is more than a day away; dismiss the draft instead"}
	}
	i.SnoozedUntil, i.SnoozedBy = e.Until, who
	d.log(Entry{Actor: who, Action: "snoozed", Subject: i.ID, Reason: ReasonPerson, Detail: "until " + e.Until.UTC().Format("2 Jan, 15:04 MST")})
	d.c.Issues[i.ID] = i
	return nil
}

func (e ClaimIssue) revise(d *desk, who string) error {
	i, err := d.take(e.ID, 0)
	if err != nil {
		return err
	}
	before := i.ClaimedBy
	switch {
	case e.Release && before == "", !e.Release && before == who:
		return nil
	case e.Release:
		i.ClaimedBy, i.ClaimedAt = "", time.Time{}
		d.log(Entry{Actor: who, Action: "released", Subject: i.ID, Reason: ReasonPerson, Before: before})
	case !i.Open():
		return Invalid{"claim", "it is over already"}
	default:
		i.ClaimedBy, i.ClaimedAt = who, d.now
		d.log(Entry{Actor: who, Action: "claimed", Subject: i.ID, Reason: ReasonPerson, Before: before, After: who})
	}
	d.c.Issues[i.ID] = i
	return nil
}
