package status

import (
	"slices"
	"strings"
	"time"
)

// Readers are whom a channel speaks to.
type Readers string

// The readers. What operators are told is never told to the public.
const (
	ThePublic Readers = ""          // visitors and subscribers: what is on the page
	Operators Readers = "operators" // who can publish: what waits for them
)

// Drafts say whom drafts that automation opens are told to.
type Drafts struct {
	// Tell is set when there is a channel of operators; without one nothing is
	// ordered, and nothing told later.
	Tell bool
	// RemindAfter is how long a draft waits before it is called to mind, once; 0 is
	// never.
	RemindAfter time.Duration
}

// OperatorEvents are those that only operators are told of.
var OperatorEvents = []Event{EventDraft, EventDraftWaits, EventDraftDone}

// Readers are who may be told of the event.
func (e Event) Readers() Readers {
	if slices.Contains(OperatorEvents, e) {
		return Operators
	}
	return ThePublic
}

// Call is one thing to tell operators. It stands in the place of an update's
// id, since there is no update that it speaks of.
type Call struct {
	IssueID string
	Event   Event
}

// id names a call for good; unique keeps those of one issue apart.
func (c Call) id(unique string) string { return c.IssueID + "-" + string(c.Event) + "-" + unique }

// ParseCall reads the id of a call; false is the id of an update.
func ParseCall(id string) (Call, bool) {
	issue, rest, _ := strings.Cut(id, "-")
	event, unique, ok := strings.Cut(rest, "-")
	c := Call{issue, Event(event)}
	return c, ok && unique != "" && c.Event.Readers() == Operators
}

// Waits reports whether the issue is a draft that automation opened and that
// nobody has published or dismissed.
func (i Issue) Waits() bool {
	return i.Stage == Draft && i.Open() && len(i.Updates) > 0 && i.Updates[0].By == Automation
}

// done closes the desk: whatever led to it, a draft that has begun or ceased to
// wait is told to operators, and one whose time to be called to mind has come and
// that nothing else in this change ended.
func (d *desk) done() Changes {
	if !d.rules.Drafts.Tell {
		return d.c
	}
	for _, id := range sortedKeys(d.c.Issues) {
		before, i := d.board.Issues[id], d.c.Issues[id]
		switch {
		case i.Waits() && !before.Waits():
			d.waits(i)
		case before.Waits() && !i.Waits():
			d.stopTimer(TimerNudge, id)
			if !i.CalledAt.IsZero() {
				d.call(i, EventDraftDone)
			}
		}
	}
	for _, id := range d.nudges {
		d.nudge(id)
	}
	return d.c
}

// waits tells that a draft waits, and arms what calls it to mind. Of one whose
// alerts come and go only the latter: it may be gone before anybody looks, and
// the next one is no news. Nor is one that a person took back from the page.
func (d *desk) waits(i Issue) {
	after := d.rules.Drafts.RemindAfter
	if i.CalledAt.IsZero() && (after <= 0 || !d.comesAndGoes(i)) {
		d.call(i, EventDraft)
	}
	if after > 0 {
		d.setTimer(TimerNudge, i.ID, d.now.Add(after))
	}
}

// comesAndGoes reports whether the alerts of an issue flap.
func (d *desk) comesAndGoes(i Issue) bool {
	t, tracked := d.track(TrackKey{i.Rule, i.Group})
	rule, known := d.ruleOf(t, i)
	return i.Flapping || tracked && known && d.flaps(rule, t)
}

// nudge calls to mind a draft that waits. One that a person put off is left
// alone until then, and one that somebody looks after as long as that is so.
func (d *desk) nudge(id string) {
	i, ok := d.issue(id)
	switch {
	case !ok || !i.Waits():
	case i.Snoozed(d.now):
		d.setTimer(TimerNudge, id, i.SnoozedUntil)
	case i.ClaimedBy != "":
		d.setTimer(TimerNudge, id, d.now.Add(max(d.rules.Drafts.RemindAfter, time.Minute)))
	default:
		d.log(Entry{Action: "reminded", Subject: i.ID, Reason: ReasonUnanswered, Detail: "waits since " + clock(i.CreatedAt)})
		d.call(i, EventDraftWaits)
	}
}

// call orders that operators be told of an issue, before a long list of
// subscribers is. What a person made public is told when it can no longer be taken
// back.
func (d *desk) call(i Issue, e Event) {
	priority := PriorityAsked
	if i.Impact == ImpactCritical {
		priority = PriorityUrgent
	}
	if i.CalledAt.IsZero() {
		i.CalledAt = d.now
		d.c.Issues[i.ID] = i
	}
	d.c.Announcements = append(d.c.Announcements, Announcement{
		ID: d.mint(), Event: e, SubjectID: i.ID, UpdateID: Call{i.ID, e}.id(d.mint()),
		Priority: priority, CreatedAt: d.now, DueAt: i.tellFrom(d.now),
	})
}
