package status

import (
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Occurrences of a series become maintenances of their own ahead of time, but
// never more than a few at once: nobody reads sixty cards of a daily window.
const planAhead = 60 * 24 * time.Hour

// MostAhead is how many occurrences are ahead at once.
const MostAhead = 8

// MaintenanceSeries is a maintenance that repeats: what its occurrences are made from.
type MaintenanceSeries struct {
	ID         string
	Version    int64
	Title      string
	Body       string
	Components []string
	Expected   []string
	AutoStart  bool
	AutoEnd    bool
	Silent     bool // nobody is reminded of its occurrences
	Recurrence Recurrence
	Begins     time.Time     // the first occurrence
	Length     time.Duration // of each
	Planned    time.Time     // the last occurrence that has become a maintenance
	PlanAt     time.Time     // when the next one does, zero: never
	EndedAt    time.Time     // called off
	CreatedAt  time.Time
	UpdatedAt  time.Time
	CreatedBy  string
}

// Occurrences are the beginnings of all occurrences, none for a broken rule. They may
// be without end.
func (s MaintenanceSeries) Occurrences() iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		rule, err := s.Recurrence.parse(s.Begins)
		if err != nil {
			return
		}
		next := rule.Iterator()
		for t, ok := next(); ok && yield(t.UTC()); t, ok = next() {
		}
	}
}

// Rest is the recurrence as it reads from an occurrence on: of a number of
// times, those before it are taken off.
func (s MaintenanceSeries) Rest(from time.Time) Recurrence {
	before := 0
	for t := range s.Occurrences() {
		if !t.Before(from) {
			break
		}
		before++
	}
	parts := strings.Split(s.Recurrence.Rule, ";")
	for n, part := range parts {
		if value, ok := strings.CutPrefix(strings.ToUpper(part), "COUNT="); ok {
			count, _ := strconv.Atoi(value)
			parts[n] = "COUNT=" + strconv.Itoa(max(1, count-before))
		}
	}
	return Recurrence{strings.Join(parts, ";"), s.Recurrence.TimeZone}
}

// Holds reports whether a maintenance is an occurrence that can be changed
// together with all later ones.
func (s MaintenanceSeries) Holds(m Maintenance) bool {
	return s.ID != "" && s.EndedAt.IsZero() && !m.Occurrence.IsZero()
}

// Goes reports whether more occurrences will become maintenances.
func (s MaintenanceSeries) Goes() bool { return !s.PlanAt.IsZero() }

// following is the occurrence after the one that was planned last, and when it
// becomes a maintenance: 60 days ahead, but not before the eighth before it
// begins.
func (s MaintenanceSeries) following() (at, due time.Time, ok bool) {
	if !s.EndedAt.IsZero() {
		return at, due, false
	}
	var all []time.Time
	for t := range s.Occurrences() {
		all = append(all, t)
		if !t.After(s.Planned) {
			continue
		}
		due = t.Add(-planAhead)
		if n := len(all) - 1 - MostAhead; n >= 0 && all[n].After(due) {
			due = all[n]
		}
		return t, due, true
	}
	return at, due, false
}

// Coming lists the next occurrences that are not maintenances yet, n at most.
func (s MaintenanceSeries) Coming(n int) []time.Time {
	if !s.Goes() {
		return nil
	}
	var list []time.Time
	for t := range s.Occurrences() {
		if t.After(s.Planned) {
			list = append(list, t)
		}
		if len(list) == n {
			break
		}
	}
	return list
}

// Again lists when a maintenance takes place again, n times at most: when those of
// its series among the plans are scheduled by now, and then what is still coming.
// What has passed is left out.
func Again(m Maintenance, plans []Maintenance, coming []time.Time, n int, now time.Time) []time.Time {
	if m.SeriesID == "" {
		return nil
	}
	after := m.ScheduledFor
	if now.After(after) {
		after = now
	}
	var list []time.Time
	for _, o := range plans {
		if o.SeriesID == m.SeriesID && o.ID != m.ID && o.State == Scheduled {
			list = append(list, o.ScheduledFor)
		}
	}
	list = slices.DeleteFunc(append(list, coming...), func(t time.Time) bool { return !t.After(after) })
	slices.SortFunc(list, time.Time.Compare)
	return list[:min(n, len(list))]
}

func (d *desk) saveSeries(s MaintenanceSeries) {
	s.Version, s.UpdatedAt = d.board.Series[s.ID].Version+1, d.now
	d.c.Series[s.ID] = s
}

// extend makes maintenances of the occurrences whose time has come. One that
// passed whole while nobody ran is left out.
func (d *desk) extend(s MaintenanceSeries) {
	at, due, ok := s.following()
	for ; ok && !due.After(d.now); at, due, ok = s.following() {
		s.Planned = at
		if !at.Add(s.Length).After(d.now) {
			continue
		}
		m := Maintenance{
			ID: d.mint(), Title: s.Title, Body: s.Body, State: Scheduled, AutoStart: s.AutoStart, AutoEnd: s.AutoEnd,
			Expected: s.Expected, Components: slices.DeleteFunc(slices.Clone(s.Components), func(id string) bool { c, ok := d.component(id); return !ok || c.Archived }),
			ScheduledFor: at, ScheduledUntil: at.Add(s.Length), SeriesID: s.ID, Occurrence: at, CreatedAt: d.now, CreatedBy: s.CreatedBy,
		}
		// The series was announced with its first occurrence; of this one people
		// hear by its reminders, and when it begins.
		d.tell(&m, EventMaintenanceScheduled, m.Body, Automation, true)
		d.planReminders(m, s.Silent)
		d.log(Entry{Action: "scheduled", Subject: m.ID, Reason: ReasonSchedule, After: m.Title, Detail: s.Recurrence.Rule})
		d.saveMaintenance(m)
	}
	s.PlanAt = due
	if !ok {
		s.PlanAt = time.Time{}
	}
	d.saveSeries(s)
}

// repeat makes a maintenance the first occurrence of a new series.
func (d *desk) repeat(m *Maintenance, r Recurrence, silent bool, who string) {
	s := MaintenanceSeries{ID: d.mint(), Recurrence: r, Begins: m.ScheduledFor.Truncate(time.Second), Silent: silent, CreatedAt: d.now, CreatedBy: who}
	s.take(*m)
	s.Planned, s.Length = s.Begins, m.ScheduledUntil.Sub(m.ScheduledFor)
	m.SeriesID, m.Occurrence = s.ID, s.Begins
	d.log(Entry{Actor: who, Action: "repeated", Subject: m.ID, Reason: ReasonPerson, Detail: r.Rule, After: m.Title})
	d.extend(s)
}

// take puts what a maintenance says on the series.
func (s *MaintenanceSeries) take(m Maintenance) {
	s.Title, s.Body, s.Components, s.Expected = m.Title, m.Body, m.Components, m.Expected
	s.AutoStart, s.AutoEnd = m.AutoStart, m.AutoEnd
}

// later lists the occurrences of a series after an instant that are
// maintenances already, cancelled ones too, in their order.
func (d *desk) later(series string, after time.Time) []Maintenance {
	list := slices.DeleteFunc(all(d.c.Maintenances, d.board.Maintenances), func(m Maintenance) bool {
		return m.SeriesID != series || !m.Occurrence.After(after)
	})
	slices.SortFunc(list, func(a, b Maintenance) int { return a.Occurrence.Compare(b.Occurrence) })
	return list
}

// onwards carries an edit of one occurrence over to all later ones, and to those
// that are still to be planned. What had been edited apart in one of them
// stays. Later ones that the new rule does not give are cancelled.
func (d *desk) onwards(s MaintenanceSeries, before Maintenance, m *Maintenance, r Recurrence, silent bool, who string) error {
	list, length := d.later(s.ID, before.Occurrence), s.Length
	was := s.places(list, before.Occurrence)
	s.take(*m)
	s.Recurrence, s.Begins, s.Silent = r, before.Occurrence, silent
	if !m.ScheduledFor.Equal(before.ScheduledFor) || !m.ScheduledUntil.Equal(before.ScheduledUntil) {
		s.Begins, s.Length = m.ScheduledFor.Truncate(time.Second), m.ScheduledUntil.Sub(m.ScheduledFor)
	}
	m.Occurrence, s.Planned = s.Begins, s.Begins
	if r.Rule == "" {
		d.endSeries(s, list, SaysCancelled, who)
		return nil
	}
	if err := r.Check(s.Begins); err != nil {
		return err
	}
	d.log(Entry{Actor: who, Action: "edited all from", Subject: m.ID, Reason: ReasonPerson, Detail: r.Rule, After: m.Title})
	for n, at := range firstOf(s.Occurrences(), len(was)+1) {
		if n == 0 {
			continue // this one
		}
		s.Planned = at
		if n := slices.IndexFunc(list, func(l Maintenance) bool { return l.Occurrence.Equal(was[n-1]) }); n >= 0 {
			d.follow(list[n], before, *m, s, at, length, who)
			list[n].ID = "" // done
		}
	}
	for _, l := range list {
		if l.ID != "" && l.State == Scheduled {
			l.Occurrence = time.Time{} // the rule does not give it any more
			d.calledOff(l, SaysCancelled, who)
		}
	}
	d.extend(s)
	return nil
}

// places are where a series has put occurrences after an instant: those that are
// maintenances on the board, and by its rule also those that are over and have
// left it, or passed while nobody ran. Whoever counts must not miss these.
func (s MaintenanceSeries) places(list []Maintenance, after time.Time) []time.Time {
	var places []time.Time
	for _, m := range list {
		places = append(places, m.Occurrence)
	}
	for t := range s.Occurrences() {
		if t.After(s.Planned) {
			break
		}
		if t.After(after) {
			places = append(places, t)
		}
	}
	slices.SortFunc(places, time.Time.Compare)
	return slices.CompactFunc(places, time.Time.Equal)
}

func firstOf(all iter.Seq[time.Time], n int) []time.Time {
	var list []time.Time
	for t := range all {
		if list = append(list, t); len(list) == n {
			break
		}
	}
	return list
}

// follow brings a later occurrence after the one that was edited. The length is
// that of the series until now.
func (d *desk) follow(l, before, now Maintenance, s MaintenanceSeries, at time.Time, length time.Duration, who string) {
	apart := !l.ScheduledFor.Equal(l.Occurrence) || l.ScheduledUntil.Sub(l.ScheduledFor) != length
	moves := !apart && (!at.Equal(l.Occurrence) || s.Length != length)
	l.Occurrence = at
	if l.State != Scheduled {
		d.saveMaintenance(l)
		return
	}
	pass(&l.Title, before.Title, now.Title)
	pass(&l.Body, before.Body, now.Body)
	pass(&l.AutoStart, before.AutoStart, now.AutoStart)
	pass(&l.AutoEnd, before.AutoEnd, now.AutoEnd)
	if slices.Equal(l.Components, before.Components) {
		l.Components = now.Components
	}
	if slices.Equal(l.Expected, before.Expected) {
		l.Expected = now.Expected
	}
	if moves {
		l.ScheduledFor, l.ScheduledUntil = at, at.Add(s.Length)
		d.tell(&l, EventMaintenanceMoved, SaysMoved, who, true) // the first of them is told
	}
	d.planReminders(l, s.Silent)
	d.saveMaintenance(l)
}

// pass puts a new value where the old one stands.
func pass[T comparable](what *T, old, now T) {
	if *what == old {
		*what = now
	}
}

// endSeries calls later occurrences off, and plans no more.
func (d *desk) endSeries(s MaintenanceSeries, later []Maintenance, says, who string) {
	for _, l := range later {
		if l.State == Scheduled {
			d.calledOff(l, says, who)
		}
	}
	s.EndedAt, s.PlanAt = d.now, time.Time{}
	d.saveSeries(s)
}

// calledOff cancels an occurrence without telling anybody apart: the one before
// it is told.
func (d *desk) calledOff(m Maintenance, says, who string) {
	d.move(&m, Cancelled, says, who, true)
	d.log(Entry{Actor: who, Action: string(Cancelled), Subject: m.ID, Reason: ReasonPerson, Detail: clip(says, 200)})
	d.saveMaintenance(m)
}
