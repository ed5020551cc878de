package status_test

import (
	"slices"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestS41AnIssueOfAPersonTakesTheAlertsAsEvidence(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	id := w.revise(status.OpenIssue{Title: "Slow", Body: "We look.", Publish: true, Components: []status.Affected{{ComponentID: w.componentID("checkout"), Status: status.DegradedPerformance}}})
	version := w.board.Issues[id].Version
	w.receive(w.firing("a"))
	w.after(time.Hour)
	if i := w.only(); i.Version != version {
		t.Fatal("the person's issue was edited")
	}
	if got := w.reasons("attached"); len(got) != 1 || got[0] != status.ReasonManualIssue {
		t.Errorf("attached: %v", got)
	}
	w.revise(status.PostUpdate{ID: id, Body: "Done.", State: ptr(status.Resolved)})
	w.after(time.Hour)
	if n := len(w.issues()); n != 1 {
		t.Errorf("%d issues: the same episode opened one after a person had ended it", n)
	}
}

func TestS42ARefireInsideTheWindowReopensAndOutsideRecurs(t *testing.T) {
	for wait, reopened := range map[time.Duration]bool{30 * time.Minute: true, 2 * time.Hour: false} {
		w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) { r.ReopenWithin = time.Hour }))
		w.receive(w.firing("a"))
		w.after(time.Minute)
		w.receive(w.cleared("a", epoch))
		w.after(wait)
		first := w.only()
		if first.State != status.Resolved {
			t.Fatalf("state %s", first.State)
		}
		w.receive(w.firing("a"))
		all := w.issues()
		if reopened && (len(all) != 1 || all[0].State != status.Investigating || !all[0].ResolvedAt.IsZero()) {
			t.Errorf("after %s: %d issues, %s", wait, len(all), all[0].State)
		}
		if !reopened && (len(all) != 2 || all[1].RecurrenceOf != first.ID) {
			t.Errorf("after %s: %d issues, recurrence of %q", wait, len(all), all[len(all)-1].RecurrenceOf)
		}
	}
}

func TestAReopenedIssueHurtsItsComponentsAgainFromThen(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) { r.ReopenWithin = time.Hour }))
	w.receive(w.firing("a"))
	w.after(10 * time.Minute)
	w.receive(w.cleared("a", epoch))
	w.after(15 * time.Minute)
	again := w.now
	w.receive(w.firing("a"))
	w.after(10 * time.Minute)
	got := w.only().Outages(w.now)
	if len(got) != 2 || !got[0].To.Equal(epoch.Add(15*time.Minute)) || !got[1].From.Equal(again) || !got[1].To.Equal(w.now) {
		t.Errorf("outages %v", got)
	}
}

func TestANewEpisodeAfterAPersonResolvedIsADraftWhateverTheRuleSays(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) { r.ReopenWithin = time.Hour }))
	w.receive(w.firing("a"))
	w.revise(status.PostUpdate{ID: w.only().ID, Body: "Fixed.", State: ptr(status.Resolved)})
	w.after(time.Minute)
	w.receive(w.cleared("a", epoch))
	w.after(time.Minute)
	w.receive(w.firing("a"))
	w.after(time.Minute)
	if all := w.issues(); len(all) != 2 || all[1].Stage != status.Draft {
		t.Errorf("%d issues", len(all))
	}
}

func maintain(w *world, from, until time.Duration) string {
	return w.revise(status.SaveMaintenance{Silent: true, Maintenance: status.Maintenance{
		Title: "Upgrade", Components: []string{w.componentID("checkout")}, AutoStart: true, AutoEnd: true,
		ScheduledFor: epoch.Add(from), ScheduledUntil: epoch.Add(until),
	}})
}

func TestS43AlertsDuringMaintenanceAreEvidenceAndOpenAfterIt(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	id := maintain(w, time.Minute, 30*time.Minute)
	w.after(5 * time.Minute)
	w.receive(w.firing("a"))
	w.after(20 * time.Minute)
	if len(w.issues()) != 0 {
		t.Fatal("an issue opened during maintenance")
	}
	if !slices.ContainsFunc(w.log, func(e status.Entry) bool { return e.Action == "attached" && e.Subject == id }) {
		t.Error("the alert is not evidence of the maintenance")
	}
	w.after(6 * time.Minute)
	if len(w.issues()) != 0 {
		t.Fatal("the hold did not start again")
	}
	w.after(time.Minute)
	if i := w.only(); !i.CreatedAt.Equal(epoch.Add(32 * time.Minute)) {
		t.Errorf("opened at %s, want a whole hold after the maintenance", i.CreatedAt)
	}
}

func TestS43AHoldThatMaintenanceCutShortBeginsAnewToo(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	maintain(w, time.Minute, 30*time.Minute)
	w.after(29 * time.Minute)
	w.receive(w.firing("a"))
	w.after(3*time.Minute - time.Second)
	if len(w.issues()) != 0 {
		t.Fatal("the part of the hold under maintenance counted")
	}
	w.after(time.Second)
	w.only()
}

func TestS43AnAlertFromTheMaintenanceDoesNotShortenTheHoldAfterIt(t *testing.T) {
	for _, early := range []bool{true, false} { // its group fires already, or it is the first of it
		w := newWorld(t, checkoutDown(t))
		maintain(w, time.Minute, 30*time.Minute)
		w.after(5 * time.Minute)
		old := w.firing("b")
		if early {
			w.receive(w.firing("a"))
		}
		w.after(26 * time.Minute) // the maintenance ended a minute ago
		old.ReceivedAt = w.now
		w.receive(old)
		if w.after(time.Minute - time.Second); len(w.issues()) != 0 {
			t.Fatalf("it opened at once (%t): the time under maintenance counted", early)
		}
		w.after(time.Second)
		if i := w.only(); !i.CreatedAt.Equal(epoch.Add(32 * time.Minute)) {
			t.Errorf("opened at %s, want a whole hold after the maintenance", i.CreatedAt)
		}
	}
}

func TestS43AnIssueAPersonOpensAgainTakesItsAlertsBackFromTheMaintenance(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	w.receive(w.firing("a"))
	w.after(time.Minute)
	w.receive(w.cleared("a", epoch))
	w.after(9 * time.Minute)
	id := w.only().ID
	maintain(w, 11*time.Minute, 40*time.Minute)
	w.after(5 * time.Minute)
	w.receive(w.firing("a"))
	if i := w.only(); i.State != status.Resolved {
		t.Fatalf("state %s: the alert should be evidence of the maintenance", i.State)
	}
	w.revise(status.PostUpdate{ID: id, Body: "It is back.", State: ptr(status.Investigating)})
	w.revise(status.PostUpdate{ID: id, Body: "It is not worth an issue.", State: ptr(status.Resolved)})
	w.after(2 * time.Hour)
	if i := w.only(); i.State != status.Resolved { // the end of the maintenance must not give the alerts to another
		t.Errorf("state %s: what a person resolved was opened again", i.State)
	}
}

func TestAnIssueAPersonOpensAgainIsQuietFromThenOn(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	w.receive(w.firing("a"))
	w.after(time.Minute)
	w.receive(w.cleared("a", epoch))
	w.after(time.Hour)
	id := w.only().ID
	w.revise(status.PostUpdate{ID: id, Body: "It is not over.", State: ptr(status.Investigating)})
	w.revise(status.HandBack{ID: id, Fields: []status.Field{status.FieldState}})
	w.after(4 * time.Minute)
	if i := w.only(); i.State == status.Resolved {
		t.Fatal("resolved by the quiet of before it was opened again")
	}
	w.after(time.Minute)
	if i := w.only(); i.State != status.Resolved {
		t.Errorf("state %s after resolve.after", i.State)
	}
}

func TestMaintenanceOfOtherComponentsOrIgnoredExplainsNothing(t *testing.T) {
	for _, change := range []func(*status.Rule){
		func(r *status.Rule) { r.DuringMaintenance = status.MaintenanceIgnore },
		func(r *status.Rule) { r.Open.Components[0].Component = "api" },
	} {
		w := newWorld(t, checkoutDown(t, change))
		maintain(w, 0, time.Hour)
		w.after(time.Minute)
		w.receive(w.firing("a"))
		w.after(5 * time.Minute)
		w.only()
	}
}

func TestS44AnIssueFinishesWithTheRulesThatOpenedIt(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	old := w.rules
	old.Hash = "old"
	w.receive(w.firing("a"))
	w.rules = &status.Rules{Hash: "new", Past: map[string]*status.Rules{"old": old}, Rules: []status.Rule{
		checkoutDown(t, func(r *status.Rule) { r.Resolve.Mode = status.ResolveManual }),
	}}
	w.after(time.Minute)
	w.receive(w.cleared("a", epoch))
	w.after(time.Hour)
	if i := w.only(); i.State != status.Resolved {
		t.Errorf("state %s: the old rules resolve by themselves", i.State)
	}
}

func TestS45ContinueMakesTwoTracksAndTheWorstStatusShows(t *testing.T) {
	second := checkoutDown(t, publishedAtOnce, func(r *status.Rule) {
		r.Name, r.Open.Components[0].Status = "second", status.MajorOutage
	})
	w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) { r.Continue = true }), second)
	w.receive(w.firing("a"))
	if n := len(w.issues()); n != 2 {
		t.Fatalf("%d issues", n)
	}
	if s := status.Overview(w.view(), w.now).Components[w.componentID("checkout")]; s != status.MajorOutage {
		t.Errorf("component %s", s)
	}
}

func TestS48AMergeMovesTheEvidence(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	w.receive(w.firing("child"))
	merge := fact("child", epoch, epoch.Add(time.Minute))
	merge.MergedInto = "parent"
	w.after(time.Minute)
	w.receive(merge)
	w.after(time.Hour)
	if i := w.only(); i.State != status.Investigating {
		t.Fatalf("state %s: a merge is no recovery", i.State)
	}
	w.receive(w.cleared("parent", epoch))
	w.after(time.Hour)
	if i := w.only(); i.State != status.Resolved {
		t.Errorf("state %s after the parent ended", i.State)
	}
}

func TestAnInhibitedAlertIsEvidenceUntilItsCauseIsOver(t *testing.T) {
	region := checkoutDown(t, publishedAtOnce, func(r *status.Rule) {
		r.Name, r.Matchers, r.Open.Components = "region-down", matcher(t, `{alertname="RegionDown"}`), nil
	})
	w := newWorld(t, region, checkoutDown(t))
	w.rules.Inhibit = []status.Inhibit{{Source: matcher(t, `{rule="region-down"}`), Target: matcher(t, `{rule="checkout-down"}`), Equal: []string{"region"}}}
	cause := w.firing("r")
	cause.Labels["alertname"] = "RegionDown"
	other := w.firing("us")
	other.Labels["region"] = "us"
	w.receive(cause, w.firing("a"), other)
	w.after(10 * time.Minute)
	titles := []string{}
	for _, i := range w.issues() {
		titles = append(titles, i.Rule+i.Group)
	}
	if want := []string{`region-down{region="eu"}`, `checkout-down{region="us"}`}; !slices.Equal(titles, want) {
		t.Fatalf("issues %v, want %v", titles, want)
	}
	end := w.cleared("r", epoch)
	end.Labels["alertname"] = "RegionDown"
	w.receive(end)
	w.after(5*time.Minute + time.Second)
	if n := len(w.issues()); n != 2 {
		t.Fatalf("%d issues right after the cause ended: the hold did not start again", n)
	}
	w.after(2 * time.Minute)
	if n := len(w.issues()); n != 3 {
		t.Errorf("%d issues, want one for what still fires", n)
	}
}

func TestMinAlertsWaitsForEnoughOfThem(t *testing.T) {
	w := newWorld(t, checkoutDown(t, func(r *status.Rule) { r.MinAlerts = 2 }))
	w.receive(w.firing("a"))
	w.after(time.Hour)
	if len(w.issues()) != 0 {
		t.Fatal("one alert was enough")
	}
	w.receive(w.firing("b"))
	w.only()
}

func TestOutsideItsTimeIntervalsARuleOpensNothing(t *testing.T) {
	open := epoch.Add(3 * time.Hour)
	w := newWorld(t, checkoutDown(t, func(r *status.Rule) { r.Active = func(at time.Time) bool { return !at.Before(open) } }))
	w.receive(w.firing("a"))
	w.after(3*time.Hour - time.Second)
	if len(w.issues()) != 0 {
		t.Fatal("opened outside the interval")
	}
	w.after(2 * time.Minute)
	w.only()
}

func TestResolveRequirements(t *testing.T) {
	for _, c := range []struct {
		require status.Require
		atMost  int
		clear   int
		want    status.IssueState
	}{
		{status.RequireAll, 0, 2, status.Investigating},
		{status.RequireAll, 0, 3, status.Resolved},
		{status.RequireAny, 0, 1, status.Resolved},
		{status.RequireAtMost, 1, 1, status.Investigating},
		{status.RequireAtMost, 1, 2, status.Resolved},
	} {
		w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) { r.Resolve.Require, r.Resolve.AtMost = c.require, c.atMost }))
		w.receive(w.firing("a"), w.firing("b"), w.firing("c"))
		w.after(time.Minute)
		for _, n := range []string{"a", "b", "c"}[:c.clear] {
			w.receive(w.cleared(n, epoch))
		}
		w.after(time.Hour)
		if i := w.only(); i.State != c.want {
			t.Errorf("%s, %d of 3 cleared: %s, want %s", c.require, c.clear, i.State, c.want)
		}
	}
}

func TestResolveModes(t *testing.T) {
	for mode, want := range map[status.ResolveMode]struct {
		state       status.IssueState
		suggestions int
	}{
		status.ResolveAuto:       {status.Resolved, 0},
		status.ResolveMonitoring: {status.Monitoring, 0},
		status.ResolvePropose:    {status.Investigating, 1},
		status.ResolveManual:     {status.Investigating, 0},
	} {
		w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) { r.Resolve.Mode = mode }))
		w.receive(w.firing("a"))
		w.after(time.Minute)
		w.receive(w.cleared("a", epoch))
		w.after(time.Hour)
		if i := w.only(); i.State != want.state || len(i.Suggestions) != want.suggestions {
			t.Errorf("%s: %s with %d suggestions", mode, i.State, len(i.Suggestions))
		}
	}
}

func TestModeMonitoringNeedsNoSettling(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) { r.Resolve = status.Resolve{Mode: status.ResolveMonitoring} }))
	w.receive(w.firing("a"))
	w.after(time.Minute)
	w.receive(w.cleared("a", epoch))
	if i := w.only(); i.State != status.Monitoring {
		t.Errorf("state %s", i.State)
	}
}

func TestWhatNoRuleWantsIsKeptOrForgottenAsTheRulesSay(t *testing.T) {
	for drop, want := range map[bool]int{false: 2, true: 0} {
		w := newWorld(t, checkoutDown(t))
		w.rules.DropUnmatched = drop
		firing, ended := w.firing("x"), w.cleared("y", epoch.Add(-time.Minute))
		firing.Labels["alertname"], ended.Labels["alertname"] = "Other", "Other"
		w.receive(firing, ended)
		if n := len(w.board.Signals); n != want {
			t.Errorf("drop %v: %d signals are kept, want %d", drop, n, want)
		}
	}
}

func TestConfirmTimeouts(t *testing.T) {
	for _, c := range []struct {
		then   status.ConfirmThen
		clears bool
		want   status.Stage
	}{
		{status.ConfirmPublish, false, status.Published},
		{status.ConfirmPublish, true, status.Dismissed},
		{status.ConfirmDiscard, false, status.Draft},
		{status.ConfirmDiscard, true, status.Dismissed},
		{status.ConfirmKeep, true, status.Draft},
	} {
		w := newWorld(t, checkoutDown(t, func(r *status.Rule) { r.Open.ConfirmAfter, r.Open.ConfirmThen = 30*time.Minute, c.then }))
		w.receive(w.firing("a"))
		w.after(10 * time.Minute)
		if c.clears {
			w.receive(w.cleared("a", epoch))
		}
		w.after(time.Hour)
		if i := w.only(); i.Stage != c.want {
			t.Errorf("%s, clears %v: %s, want %s", c.then, c.clears, i.Stage, c.want)
		}
	}
}

func TestComponentsComeFromLabelsGroupsAndTemplates(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) {
		r.GroupBy = []string{"region", "service"}
		r.Open.Components = []status.RuleComponent{
			{Label: "service", StatusText: func(e status.Evidence) (string, error) { return "major_outage", nil }},
			{Group: words("%s"), Status: status.DegradedPerformance},
		}
	}))
	g := w.revise(status.SaveGroup{Group: status.Group{Name: "EU"}})
	w.revise(status.SaveComponent{Component: status.Component{Name: "Shop", GroupID: g}})
	f := w.firing("a")
	f.Labels["service"] = "API"
	w.receive(f)
	got := map[string]status.ComponentStatus{}
	for _, a := range w.only().Components {
		got[w.board.Components[a.ComponentID].Slug] = a.Status
	}
	if len(got) != 2 || got["api"] != status.MajorOutage || got["shop"] != status.DegradedPerformance {
		t.Errorf("components %v", got)
	}
}
