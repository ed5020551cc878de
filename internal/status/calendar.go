package status

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// What automation says when a person says nothing. They are constants because
// messages in other languages translate them.
const (
	SaysBegun     = "The maintenance has begun."
	SaysCompleted = "The maintenance is complete."
	SaysCancelled = "The maintenance will not take place."
	SaysMoved     = "The maintenance has moved to another time."
	SaysSeriesOff = "This maintenance and those that were to follow it will not take place."
)

// Subjects is the maintenance; a new one needs none.
func (e SaveMaintenance) Subjects() []string { return subjects(e.ID) }

// Subjects is the maintenance.
func (e PostMaintenanceUpdate) Subjects() []string { return subjects(e.ID) }

func (e SaveMaintenance) revise(d *desk, who string) error {
	m := Maintenance{ID: e.ID, State: Scheduled, CreatedAt: d.now, CreatedBy: who}
	created := e.ID == ""
	if created {
		m.ID = d.mint()
	} else {
		var ok bool
		if m, ok = d.maintenance(e.ID); !ok {
			return ErrNotFound
		}
		if e.Version != 0 && e.Version != m.Version {
			return ErrConflict
		}
		if m.Over() {
			return Invalid{"state", "it is over; plan a new maintenance"}
		}
	}
	before := m
	m.Title, m.Body, m.Components = oneLine(e.Title), strings.TrimSpace(e.Body), e.Components
	m.Expected = expectedLines(e.Expected)
	m.ScheduledFor, m.ScheduledUntil, m.AutoStart, m.AutoEnd = e.ScheduledFor, e.ScheduledUntil, e.AutoStart, e.AutoEnd
	if err := d.checkMaintenance(m); err != nil {
		return err
	}
	if err := d.recur(e, before, &m, who); err != nil {
		return err
	}
	d.c.Result = m.ID
	if created {
		d.tell(&m, EventMaintenanceScheduled, m.Body, who, e.Silent)
		d.log(Entry{Actor: who, Action: "scheduled", Subject: m.ID, Reason: ReasonPerson, After: m.Title})
	} else {
		d.log(Entry{Actor: who, Action: "edited", Subject: m.ID, Reason: ReasonPerson, After: m.Title})
		if !m.ScheduledFor.Equal(before.ScheduledFor) || !m.ScheduledUntil.Equal(before.ScheduledUntil) {
			d.tell(&m, EventMaintenanceMoved, SaysMoved, who, e.Silent)
		}
	}
	d.planReminders(m, e.Silent)
	d.saveMaintenance(m)
	d.expectAnew(m, before.Expected)
	return nil
}

// recur carries out what an edit says about repeating.
func (d *desk) recur(e SaveMaintenance, before Maintenance, m *Maintenance, who string) error {
	var r Recurrence
	if e.Recurrence != nil {
		r = Recurrence{strings.TrimPrefix(strings.TrimSpace(e.Recurrence.Rule), "RRULE:"), e.Recurrence.TimeZone}
	}
	s := d.board.Series[m.SeriesID]
	goes := s.Holds(*m)
	switch {
	case !goes && r.Rule == "":
		return nil
	case !goes:
		if err := r.Check(m.ScheduledFor); err != nil {
			return err
		}
		d.repeat(m, r, e.Silent, who)
		return nil
	case e.Later && e.Recurrence == nil:
		return d.onwards(s, before, m, s.Rest(before.Occurrence), e.Silent, who)
	case e.Later:
		return d.onwards(s, before, m, r, e.Silent, who)
	case e.Recurrence != nil:
		return Invalid{"recurrence", "is that of a series; save this and all later ones to change it"}
	}
	return nil
}

func (d *desk) checkMaintenance(m Maintenance) error {
	switch {
	case m.Title == "":
		return Invalid{"title", "say in a few words what will be done"}
	case len(m.Title) > MaxTitle:
		return Invalid{"title", "is longer than 200 bytes; the rest belongs in the description"}
	case len(m.Body) > MaxBody:
		return Invalid{"body", "is longer than 20,000 bytes"}
	case m.ScheduledFor.IsZero():
		return Invalid{"scheduled_for", "when does it begin?"}
	case !m.ScheduledUntil.After(m.ScheduledFor):
		return Invalid{"scheduled_until", "must lie after the beginning"}
	}
	for n, id := range m.Components {
		if _, ok := d.component(id); !ok || slices.Contains(m.Components[:n], id) {
			return Invalid{"components", "component " + id + " does not exist or is named twice"}
		}
	}
	return checkExpected(m.Expected)
}

func (e PostMaintenanceUpdate) revise(d *desk, who string) error {
	m, ok := d.maintenance(e.ID)
	if !ok {
		return ErrNotFound
	}
	if e.Version != 0 && e.Version != m.Version {
		return ErrConflict
	}
	to := cmp.Or(e.State, m.State)
	body := strings.TrimSpace(e.Body)
	switch {
	case !to.Valid():
		return Invalid{"state", string(to) + " is not known"}
	case to == m.State && body == "":
		return Invalid{"body", "say what is new"}
	case len(body) > MaxBody:
		return Invalid{"body", "is longer than 20,000 bytes"}
	case m.Over() && to != m.State:
		return Invalid{"state", "it is over; plan a new maintenance"}
	case to == Scheduled && m.State != Scheduled:
		return Invalid{"state", "it has begun already"}
	}
	later := e.Later && to == Cancelled && m.SeriesID != ""
	if later {
		body = cmp.Or(body, SaysSeriesOff)
	}
	d.move(&m, to, body, who, e.Silent)
	d.log(Entry{Actor: who, Action: string(to), Subject: m.ID, Reason: ReasonPerson, Detail: clip(body, 200)})
	d.saveMaintenance(m)
	d.over(m)
	d.c.Result = m.ID
	if s, ok := d.board.Series[m.SeriesID]; later && ok {
		d.endSeries(s, d.later(s.ID, m.Occurrence), body, who)
	}
	return nil
}

// move takes a maintenance to a state and tells it.
func (d *desk) move(m *Maintenance, to MaintenanceState, body, who string, silent bool) {
	from, event := m.State, EventUpdate
	m.State = to
	switch {
	case from == to:
	case to == Completed:
		m.EndedAt, event, body = d.now, EventMaintenanceEnded, cmp.Or(body, SaysCompleted)
	case to == Cancelled:
		m.EndedAt, event, body = d.now, EventMaintenanceCancelled, cmp.Or(body, SaysCancelled)
	case from == Scheduled:
		m.StartedAt, event, body = d.now, EventMaintenanceStarted, cmp.Or(body, SaysBegun)
	}
	if to != Scheduled {
		d.planReminders(*m, false)
	}
	d.tell(m, event, body, who, silent)
}

// tell appends an update to a maintenance and orders its announcement.
func (d *desk) tell(m *Maintenance, event Event, body, who string, silent bool) {
	u := Update{
		ID: d.mint(), SubjectID: m.ID, State: string(m.State), Body: body, By: who,
		CreatedAt: d.now, DisplayAt: d.now, Silent: silent,
	}
	for _, id := range m.Components {
		switch {
		case event == EventMaintenanceStarted:
			u.Changes = append(u.Changes, d.change(id, Operational, UnderMaintenance))
		case m.Over() && !m.StartedAt.IsZero() && event != EventUpdate:
			u.Changes = append(u.Changes, d.change(id, UnderMaintenance, Operational))
		}
	}
	m.Updates = append(slices.Clip(m.Updates), u)
	if silent {
		return
	}
	d.order(*m, event, u.ID)
}

// order adds the announcement of an update, or of none.
func (d *desk) order(m Maintenance, event Event, updateID string) {
	d.c.Announcements = append(d.c.Announcements, Announcement{
		ID: d.mint(), Event: event, SubjectID: m.ID, UpdateID: updateID,
		Components: m.Components, CreatedAt: d.now, DueAt: d.now,
	})
}

// planReminders arms a timer for each time before the beginning at which the
// rules want a maintenance to be called to mind, and disarms all others of it.
// What is told to nobody is not called to mind either.
func (d *desk) planReminders(m Maintenance, silent bool) {
	for _, timers := range []map[TimerKey]time.Time{d.board.Timers, d.c.Timers} {
		for _, k := range sortedTimers(timers) {
			if k.Kind == TimerRemind && maintenanceOf(k) == m.ID {
				d.stopTimer(k.Kind, k.Subject)
			}
		}
	}
	if m.State != Scheduled || silent {
		return
	}
	for _, ahead := range d.rules.RemindBefore {
		if due := m.ScheduledFor.Add(-ahead); due.After(d.now) {
			d.setTimer(TimerRemind, m.ID+"@"+ahead.String(), due)
		}
	}
}

// maintenanceOf is the maintenance that a reminder is about.
func maintenanceOf(k TimerKey) string { id, _, _ := strings.Cut(k.Subject, "@"); return id }

func sortedTimers(m map[TimerKey]time.Time) []TimerKey {
	return slices.SortedFunc(maps.Keys(m), func(a, b TimerKey) int { return strings.Compare(a.Subject, b.Subject) })
}

// remind calls a maintenance to mind. After a time without a clock several
// reminders are due at once; the last one says it all.
func (d *desk) remind(k TimerKey) {
	m, ok := d.maintenance(maintenanceOf(k))
	if !ok || m.State != Scheduled || !m.ScheduledFor.After(d.now) {
		return
	}
	for other := range d.board.Timers {
		at := d.armed(other.Kind, other.Subject)
		if other.Kind == TimerRemind && maintenanceOf(other) == m.ID && !at.IsZero() && !at.After(d.now) {
			return
		}
	}
	d.order(m, EventMaintenanceReminder, d.mint())
	d.log(Entry{Action: "reminded", Subject: m.ID, Reason: ReasonSchedule, Detail: "begins " + clock(m.ScheduledFor)})
}

// turn moves a maintenance on by the clock. A window that passed whole while
// nobody ran is started and ended in two ticks, so both are told.
func (d *desk) turn(m Maintenance) {
	due := m.next()
	if due.IsZero() || due.After(d.now) {
		return
	}
	to := InProgress
	if m.Running() {
		to = Completed
	}
	d.move(&m, to, "", Automation, false)
	d.log(Entry{Action: string(to), Subject: m.ID, Reason: ReasonSchedule, Detail: "due " + clock(due)})
	d.saveMaintenance(m)
	d.over(m)
}

// over lets alerts that the maintenance had explained speak for themselves:
// whether they were its evidence already or still in their hold, the hold
// begins anew.
func (d *desk) over(m Maintenance) {
	if !m.Over() {
		return
	}
	d.detach(m.ID, false)
	if m.StartedAt.IsZero() {
		return
	}
	for _, t := range sortedBy(all(d.c.Tracks, d.board.Tracks), func(t Track) string { return t.Key.String() }) {
		rule, known := d.rules.Find(t.Key.Rule)
		if !known || t.Firing == 0 || t.IssueID != "" || t.AttachedTo != "" || !t.Since.Before(d.now) {
			continue
		}
		if d.explains(m, rule, t) {
			t.Since = d.now
			d.c.Tracks[t.Key] = t
			d.assess(t.Key)
		}
	}
}

// workedOnUntil is when the last maintenance ended that explained the alerts of a
// track after a moment, zero if there was none.
func (d *desk) workedOnUntil(t Track, after time.Time) (end time.Time) {
	rule, known := d.rules.Find(t.Key.Rule)
	if !known {
		return end
	}
	for _, m := range all(d.c.Maintenances, d.board.Maintenances) {
		if m.Over() && !m.StartedAt.IsZero() && m.EndedAt.After(after) && m.EndedAt.After(end) && d.explains(m, rule, t) {
			end = m.EndedAt
		}
	}
	return end
}
