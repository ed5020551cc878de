package status_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// weekly plans an hour at 02:00 in Berlin, from Tuesday, 6 January 2026 on.
func (w *world) weekly(rule string, change ...func(*status.SaveMaintenance)) status.Maintenance {
	w.t.Helper()
	begins := time.Date(2026, 1, 6, 1, 0, 0, 0, time.UTC)
	e := status.SaveMaintenance{
		Maintenance: status.Maintenance{
			Title: "Database upgrade", Components: []string{w.componentID("api")}, AutoStart: true, AutoEnd: true,
			ScheduledFor: begins, ScheduledUntil: begins.Add(time.Hour),
		},
		Recurrence: &status.Recurrence{Rule: rule, TimeZone: "Europe/Berlin"},
	}
	for _, c := range change {
		c(&e)
	}
	return w.board.Maintenances[w.revise(e)]
}

// series lists the occurrences that are maintenances, in their order.
func (w *world) series() []status.Maintenance {
	var list []status.Maintenance
	for _, m := range w.board.Maintenances {
		if m.SeriesID != "" {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b status.Maintenance) int { return a.ScheduledFor.Compare(b.ScheduledFor) })
	return list
}

// occurrences are the maintenances of the series, as "01-06 01:00 scheduled".
func (w *world) occurrences() []string {
	var out []string
	for _, m := range w.series() {
		out = append(out, m.ScheduledFor.UTC().Format("01-02 15:04 ")+string(m.State))
	}
	return out
}

func (w *world) wantOccurrences(want ...string) {
	w.t.Helper()
	if got := w.occurrences(); !slices.Equal(got, want) {
		w.t.Errorf("occurrences\n%q, want\n%q", got, want)
	}
}

func TestASeriesIsPlannedEightOccurrencesOrSixtyDaysAhead(t *testing.T) {
	w := newWorld(t)
	w.weekly("FREQ=WEEKLY;BYDAY=TU")
	if got := w.occurrences(); len(got) != 8 || got[7] != "02-24 01:00 scheduled" {
		t.Errorf("weekly: %q", got)
	}
	w.after(24 * time.Hour) // the first begins, and the ninth is planned
	if got := w.occurrences(); len(got) != 9 || got[0] != "01-06 01:00 completed" || got[8] != "03-03 01:00 scheduled" {
		t.Errorf("after the first: %q", got)
	}
	w = newWorld(t)
	w.weekly("FREQ=MONTHLY;BYDAY=1TU")
	w.wantOccurrences("01-06 01:00 scheduled", "02-03 01:00 scheduled", "03-03 01:00 scheduled")
}

func TestASeriesKeepsItsLocalTimeWhenTheClocksChange(t *testing.T) {
	w := newWorld(t)
	w.weekly("FREQ=MONTHLY;BYDAY=1TU")
	w.after(150 * 24 * time.Hour)
	if got := w.occurrences(); got[2] != "03-03 01:00 completed" || got[3] != "04-07 00:00 completed" {
		t.Errorf("02:00 in Berlin in March and in April: %q", got)
	}
}

func TestASeriesEndsAfterItsCountAndAtUntil(t *testing.T) {
	for _, rule := range []string{"FREQ=DAILY;COUNT=3", "FREQ=DAILY;UNTIL=20260108T010000Z"} {
		w := newWorld(t)
		w.weekly(rule)
		w.after(20 * 24 * time.Hour)
		w.wantOccurrences("01-06 01:00 completed", "01-07 01:00 completed", "01-08 01:00 completed")
	}
}

func TestOnlyTheFirstOccurrenceIsAnnouncedAheadTheOthersAreCalledToMindAndBegin(t *testing.T) {
	w := reminding(t, time.Hour)
	w.weekly("FREQ=DAILY;COUNT=2")
	if got := w.events(); got != "maintenance_scheduled " {
		t.Errorf("told %q", got)
	}
	before := w.events()
	w.after(5 * 24 * time.Hour)
	one := "maintenance_reminder maintenance_started maintenance_ended "
	if got := w.events()[len(before):]; got != one+one {
		t.Errorf("told %q", got)
	}
}

func TestOneOccurrenceIsMovedOrCancelledAloneAndStaysSo(t *testing.T) {
	w := newWorld(t)
	w.weekly("FREQ=DAILY;COUNT=3")
	second, third := w.series()[1], w.series()[2]
	second.ScheduledFor, second.ScheduledUntil = second.ScheduledFor.Add(time.Hour), second.ScheduledUntil.Add(time.Hour)
	w.revise(status.SaveMaintenance{Maintenance: second})
	w.revise(status.PostMaintenanceUpdate{ID: third.ID, State: status.Cancelled})
	w.wantOccurrences("01-06 01:00 scheduled", "01-07 02:00 scheduled", "01-08 01:00 cancelled")
	w.after(10 * 24 * time.Hour)
	w.wantOccurrences("01-06 01:00 completed", "01-07 02:00 completed", "01-08 01:00 cancelled")
}

func TestAnEditOfAllLaterOnesLeavesEarlierOnesAndThoseEditedApart(t *testing.T) {
	w := newWorld(t)
	w.weekly("FREQ=DAILY;COUNT=5")
	all := w.series()
	apart := all[3]
	apart.ScheduledFor, apart.Title = apart.ScheduledFor.Add(30*time.Minute), "Only this"
	w.revise(status.SaveMaintenance{Maintenance: apart})
	w.revise(status.PostMaintenanceUpdate{ID: all[2].ID, State: status.Cancelled})
	told := w.events()
	m := all[1]
	m.Title, m.ScheduledFor, m.ScheduledUntil = "Index rebuild", m.ScheduledFor.Add(2*time.Hour), m.ScheduledUntil.Add(3*time.Hour)
	w.revise(status.SaveMaintenance{Maintenance: m, Later: true})
	w.wantOccurrences("01-06 01:00 scheduled", "01-07 03:00 scheduled", "01-08 01:00 cancelled", "01-09 01:30 scheduled", "01-10 03:00 scheduled")
	var titles []string
	for _, m := range w.series() {
		titles = append(titles, m.Title)
	}
	if want := []string{"Database upgrade", "Index rebuild", "Database upgrade", "Only this", "Index rebuild"}; !slices.Equal(titles, want) {
		t.Errorf("titles %q, want %q", titles, want)
	}
	if last := w.series()[4]; last.ScheduledUntil.Sub(last.ScheduledFor) != 2*time.Hour {
		t.Errorf("the last one lasts %s", last.ScheduledUntil.Sub(last.ScheduledFor))
	}
	if got := w.events()[len(told):]; got != "maintenance_moved " {
		t.Errorf("told %q, want one move for all", got)
	}
}

func TestAnEditOfAllLaterOnesCountsThoseThatAreOverAndHaveLeftTheBoard(t *testing.T) {
	w := newWorld(t)
	w.weekly("FREQ=DAILY;COUNT=5")
	all := w.series()
	early := all[2] // the work was brought forward
	early.ScheduledFor, early.ScheduledUntil = early.ScheduledFor.Add(-60*time.Hour), early.ScheduledUntil.Add(-60*time.Hour)
	w.revise(status.SaveMaintenance{Maintenance: early})
	w.revise(status.PostMaintenanceUpdate{ID: early.ID, State: status.Completed})
	delete(w.board.Maintenances, early.ID) // as the store does, 48 h after its end
	m := all[1]
	m.ScheduledFor, m.ScheduledUntil = m.ScheduledFor.Add(2*time.Hour), m.ScheduledUntil.Add(2*time.Hour)
	w.revise(status.SaveMaintenance{Maintenance: m, Later: true})
	w.wantOccurrences("01-06 01:00 scheduled", "01-07 03:00 scheduled", "01-09 03:00 scheduled", "01-10 03:00 scheduled")
}

func TestAnotherRuleMovesLaterOnesAndCancelsThoseItDoesNotGive(t *testing.T) {
	w := newWorld(t)
	w.weekly("FREQ=DAILY;COUNT=5")
	m := w.series()[1]
	w.revise(status.SaveMaintenance{Maintenance: m, Later: true, Recurrence: &status.Recurrence{Rule: "FREQ=WEEKLY;COUNT=2", TimeZone: "Europe/Berlin"}})
	w.wantOccurrences("01-06 01:00 scheduled", "01-07 01:00 scheduled", "01-09 01:00 cancelled", "01-10 01:00 cancelled", "01-14 01:00 scheduled")
}

func TestASeriesIsCancelledFromAnOccurrenceOn(t *testing.T) {
	w := newWorld(t)
	w.weekly("FREQ=DAILY")
	told := w.events()
	w.revise(status.PostMaintenanceUpdate{ID: w.series()[1].ID, State: status.Cancelled, Later: true})
	w.after(40 * 24 * time.Hour)
	got := w.occurrences()
	if len(got) != 8 || got[0] != "01-06 01:00 completed" || slices.ContainsFunc(got[1:], func(s string) bool { return s[12:] != "cancelled" }) {
		t.Errorf("occurrences %q", got)
	}
	if got := w.events()[len(told):]; got != "maintenance_cancelled maintenance_started maintenance_ended " {
		t.Errorf("told %q, want one cancellation for all", got)
	}
	if m := w.series()[1]; m.Updates[len(m.Updates)-1].Body != status.SaysSeriesOff {
		t.Errorf("the page says %q", m.Updates[len(m.Updates)-1].Body)
	}
}

func TestOccurrencesThatPassedWhileNobodyRanAreLeftOut(t *testing.T) {
	w := newWorld(t)
	w.weekly("FREQ=WEEKLY")
	w.now = epoch.Add(100 * 24 * time.Hour)
	w.after(0)
	got := w.occurrences()
	if n := len(got); n < 9 || got[8] < "04-14" {
		t.Errorf("occurrences %q", got)
	}
}

func TestAMaintenanceTakesPlaceAgainWhereTheOthersAreByNowAndThenByItsRule(t *testing.T) {
	w := newWorld(t)
	w.weekly("FREQ=MONTHLY;BYDAY=1TU") // three of it are maintenances
	all := w.series()
	second := all[1]
	second.ScheduledFor, second.ScheduledUntil = second.ScheduledFor.Add(24*time.Hour), second.ScheduledUntil.Add(24*time.Hour)
	w.revise(status.SaveMaintenance{Maintenance: second})
	w.revise(status.PostMaintenanceUpdate{ID: all[2].ID, State: status.Cancelled})
	again := func(m status.Maintenance, now time.Time) (days string) {
		for _, at := range status.Again(m, w.series(), w.board.Series[m.SeriesID].Coming(2), 3, now) {
			days += at.UTC().Format("01-02 ")
		}
		return days
	}
	if got := again(all[0], w.now); got != "02-04 04-07 05-05 " {
		t.Errorf("the first takes place again on %q, want the moved one, not the cancelled one, then by the rule", got)
	}
	if got := again(all[0], all[0].ScheduledFor.Add(60*24*time.Hour)); got != "04-07 05-05 " {
		t.Errorf("seen two months later: %q", got)
	}
	w.revise(status.PostMaintenanceUpdate{ID: second.ID, State: status.Cancelled, Later: true})
	if got := again(all[0], w.now); got != "" {
		t.Errorf("of a series that was called off: %q", got)
	}
}

func TestAShortSentenceCanTellOfARule(t *testing.T) {
	begins := time.Date(2026, 1, 6, 1, 0, 0, 0, time.UTC) // a Tuesday
	for rule, want := range map[string]string{
		"FREQ=DAILY":                            "day [] 0",
		"FREQ=DAILY;COUNT=5":                    "day [] 0",
		"FREQ=WEEKLY":                           "week [Tuesday] 0",
		"FREQ=WEEKLY;BYDAY=SU,TU;INTERVAL=1":    "week [Tuesday Sunday] 0",
		"FREQ=MONTHLY;BYDAY=1TU":                "month [Tuesday] 1",
		"FREQ=MONTHLY;BYDAY=-1TU":               "month [Tuesday] -1",
		"FREQ=WEEKLY;INTERVAL=2":                "",
		"FREQ=DAILY;BYDAY=MO,TU":                "",
		"FREQ=MONTHLY":                          "",
		"FREQ=MONTHLY;BYDAY=TU":                 "",
		"FREQ=MONTHLY;BYDAY=5TU":                "",
		"FREQ=MONTHLY;BYDAY=1TU,3TU":            "",
		"FREQ=MONTHLY;BYDAY=TU;BYSETPOS=1":      "",
		"FREQ=MONTHLY;BYDAY=1TU;BYMONTH=1,4,10": "",
		"FREQ=YEARLY":                           "",
	} {
		got := ""
		if p, ok := (status.Recurrence{Rule: rule, TimeZone: "Europe/Berlin"}).Pattern(begins); ok {
			got = fmt.Sprint(p.Unit, " ", p.Days, " ", p.Nth)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", rule, got, want)
		}
	}
}

func TestABrokenRecurrenceIsRefusedWithTheWayToMendIt(t *testing.T) {
	for rule, want := range map[string]string{
		"FREQ=WEEKLY;BYDAY=WE":                "the first that it gives is Wednesday, 7 January 2026",
		"FREQ=HOURLY":                         "more than once a day",
		"FREQ=DAILY;BYHOUR=3":                 "at which hour",
		"FREQ=DAILY;UNTIL=20260301":           "written in UTC",
		"every tuesday":                       "no rule of RFC 5545",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30": "never comes true",
	} {
		w := newWorld(t)
		begins := time.Date(2026, 1, 6, 1, 0, 0, 0, time.UTC)
		_, err := status.Revise(w.board, w.rules, status.SaveMaintenance{
			Maintenance: status.Maintenance{Title: "x", ScheduledFor: begins, ScheduledUntil: begins.Add(time.Hour)},
			Recurrence:  &status.Recurrence{Rule: rule, TimeZone: "Europe/Berlin"},
		}, "ann", w.now)
		var invalid status.Invalid
		if !errors.As(err, &invalid) || invalid.Field != "recurrence" || !strings.Contains(invalid.Message, want) {
			t.Errorf("%s: %v, want %q", rule, err, want)
		}
	}
}
