package status_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// expecting plans half an hour of work on the API alone, a minute from now,
// that sets off the alerts that the lines match.
func expecting(w *world, lines ...string) string {
	return w.revise(status.SaveMaintenance{Maintenance: status.Maintenance{
		Title: "Switches", Components: []string{w.componentID("api")}, AutoStart: true, AutoEnd: true, Expected: lines,
		ScheduledFor: epoch.Add(time.Minute), ScheduledUntil: epoch.Add(30 * time.Minute),
	}})
}

func TestAnExpectedAlertOpensNoIssueUntilTheMaintenanceIsOver(t *testing.T) {
	for _, during := range []status.MaintenancePolicy{status.MaintenanceAttach, status.MaintenanceIgnore} {
		w := newWorld(t, checkoutDown(t, func(r *status.Rule) { r.DuringMaintenance = during }))
		id := expecting(w, `alertname="SomethingElse"`, `alertname=~"Checkout.*"`)
		w.after(5 * time.Minute)
		w.receive(w.firing("a"))
		w.after(20 * time.Minute)
		if len(w.issues()) != 0 {
			t.Fatalf("%s: an expected alert opened an issue", during)
		}
		if !slices.ContainsFunc(w.log, func(e status.Entry) bool { return e.Action == "attached" && e.Subject == id }) {
			t.Errorf("%s: it is no evidence of the maintenance", during)
		}
		w.after(6*time.Minute + 59*time.Second)
		if len(w.issues()) != 0 {
			t.Fatalf("%s: the hold did not begin anew at the end", during)
		}
		w.after(time.Second)
		w.only()
	}
}

func TestAnAlertThatIsNotExpectedOpensItsIssue(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	expecting(w, `alertname="SomethingElse"`)
	w.after(5 * time.Minute)
	w.receive(w.firing("a"))
	w.after(20 * time.Minute)
	w.only()
}

func TestAnUnexpectedAlertThatJoinsExpectedOnesOpensTheIssueAfterAHold(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	expecting(w, `instance="a"`)
	w.after(2 * time.Minute)
	w.receive(w.firing("a"))
	w.after(10 * time.Minute)
	w.receive(w.firing("b"))
	w.after(2*time.Minute - time.Second)
	if len(w.issues()) != 0 {
		t.Fatal("it opened before a whole hold")
	}
	w.after(time.Second)
	w.only()
}

func TestLinesThatAreNoMatchersAreRefused(t *testing.T) {
	for _, line := range []string{`{}`, `alertname`, `not a matcher`} {
		w := newWorld(t)
		_, err := status.Revise(w.board, w.rules, status.SaveMaintenance{Maintenance: status.Maintenance{
			Title: "x", ScheduledFor: epoch, ScheduledUntil: epoch.Add(time.Hour), Expected: []string{line},
		}}, "ann", w.now)
		var invalid status.Invalid
		if !errors.As(err, &invalid) || invalid.Field != "expected" {
			t.Errorf("%s: %v", line, err)
		}
	}
}
