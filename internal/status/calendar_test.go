package status_test

import (
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// plan schedules a maintenance that begins after d and lasts an hour.
func plan(w *world, id string, d time.Duration) string {
	return w.revise(status.SaveMaintenance{Maintenance: status.Maintenance{
		ID: id, Title: "Database upgrade", Components: []string{w.componentID("api")}, AutoStart: true, AutoEnd: true,
		ScheduledFor: epoch.Add(d), ScheduledUntil: epoch.Add(d + time.Hour),
	}})
}

func reminding(t *testing.T, before ...time.Duration) *world {
	w := newWorld(t)
	w.rules.RemindBefore = before
	return w
}

func TestAMaintenanceIsCalledToMindBeforeItBegins(t *testing.T) {
	w := reminding(t, 24*time.Hour, time.Hour)
	plan(w, "", 48*time.Hour)
	for _, step := range []struct {
		after time.Duration
		told  string
	}{
		{23*time.Hour + 59*time.Minute, ""},
		{time.Minute, "maintenance_reminder "},
		{22 * time.Hour, ""},
		{time.Hour, "maintenance_reminder "},
		{time.Hour, "maintenance_started "},
		{time.Hour, "maintenance_ended "},
	} {
		before := w.events()
		w.after(step.after)
		if got := w.events()[len(before):]; got != step.told {
			t.Errorf("at %s told %q, want %q", w.now, got, step.told)
		}
	}
}

func TestAReminderIsNoUpdateOfThePage(t *testing.T) {
	w := reminding(t, time.Hour)
	id := plan(w, "", 2*time.Hour)
	w.after(90 * time.Minute)
	if m := w.board.Maintenances[id]; len(m.Updates) != 1 {
		t.Errorf("%d updates, want only the first", len(m.Updates))
	}
}

func TestAMovedMaintenanceIsToldAndCalledToMindAtItsNewTime(t *testing.T) {
	w := reminding(t, time.Hour)
	id := plan(w, "", 4*time.Hour)
	plan(w, id, 8*time.Hour)
	w.after(6 * time.Hour) // past the old reminder
	if got := w.events(); got != "maintenance_scheduled maintenance_moved " {
		t.Errorf("told %q", got)
	}
	w.after(time.Hour)
	if got := w.events(); got != "maintenance_scheduled maintenance_moved maintenance_reminder " {
		t.Errorf("told %q", got)
	}
	m := w.board.Maintenances[id]
	if last := m.Updates[len(m.Updates)-1]; last.Body != status.SaysMoved {
		t.Errorf("the page says %q", last.Body)
	}
}

func TestAnEditThatMovesNothingTellsNobody(t *testing.T) {
	w := reminding(t, time.Hour)
	id := plan(w, "", 4*time.Hour)
	w.revise(status.SaveMaintenance{Maintenance: status.Maintenance{
		ID: id, Title: "Another title", ScheduledFor: epoch.Add(4 * time.Hour), ScheduledUntil: epoch.Add(5 * time.Hour),
	}})
	w.after(3*time.Hour + time.Minute)
	if got := w.events(); got != "maintenance_scheduled maintenance_reminder " {
		t.Errorf("told %q", got)
	}
}

func TestNothingIsCalledToMindThatIsOffOrWasNeverTold(t *testing.T) {
	w := reminding(t, time.Hour)
	id := plan(w, "", 4*time.Hour)
	w.revise(status.PostMaintenanceUpdate{ID: id, State: status.Cancelled})
	w.revise(status.SaveMaintenance{Silent: true, Maintenance: status.Maintenance{
		Title: "Quiet", ScheduledFor: epoch.Add(4 * time.Hour), ScheduledUntil: epoch.Add(5 * time.Hour),
	}})
	w.after(3*time.Hour + time.Minute)
	if got := w.events(); got != "maintenance_scheduled maintenance_cancelled " {
		t.Errorf("told %q", got)
	}
	if len(w.board.Timers) != 0 {
		t.Errorf("timers stand: %v", w.board.Timers)
	}
}

func TestAfterATimeWithoutAClockOneReminderSaysItAll(t *testing.T) {
	w := reminding(t, 24*time.Hour, 2*time.Hour, time.Hour)
	plan(w, "", 30*time.Hour)
	w.now = epoch.Add(29*time.Hour + 30*time.Minute) // no tick in between
	w.after(0)
	if got := w.events(); got != "maintenance_scheduled maintenance_reminder " {
		t.Errorf("told %q", got)
	}
}

func TestACriticalIssueIsUrgent(t *testing.T) {
	w := newWorld(t)
	for _, impact := range []status.Impact{status.ImpactMajor, status.ImpactCritical} {
		w.revise(status.OpenIssue{Title: "T", Body: "B", Impact: impact, Publish: true})
	}
	var got []status.Priority
	for _, a := range w.told {
		got = append(got, a.Priority)
	}
	if len(got) != 2 || got[0] != status.PriorityNormal || got[1] != status.PriorityUrgent {
		t.Errorf("priorities %v", got)
	}
}
