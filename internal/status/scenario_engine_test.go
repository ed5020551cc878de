package status_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// seen is an answer of the source "am" in which these alerts are active.
func seen(names ...string) status.Seen {
	s := status.Seen{Source: "am", Trusted: true, Active: map[string]status.SeenAlert{}}
	for _, n := range names {
		s.Active[n] = status.SeenAlert{}
	}
	return s
}

func (w *world) reconcile(s status.Seen) {
	w.merge(status.Reconcile(w.board, w.rules, s, w.now))
}

func condition(field, op string, n int, d time.Duration, level string) status.Condition {
	return status.Condition{Any: [][]status.Term{{{Field: field, Op: op, Number: n, Duration: d, Level: level}}}}
}

func polled(w *world) {
	w.rules.Sources = []status.Source{{Name: "am", Type: "alertmanager", Peers: []string{"http://am"}}}
	w.merge(status.Started(w.board, w.rules, w.now))
}

func TestS04ARetryStormHasOneEffect(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	f := w.firing("a")
	for range 50 {
		w.receive(f)
		w.after(100 * time.Millisecond)
	}
	w.only()
	if got := w.events(); got != "open " {
		t.Errorf("told %q", got)
	}
}

func TestS10AnOlderStartOnlyLowersTheStart(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	w.after(time.Hour)
	w.receive(w.firing("a"))
	version := w.only().Version
	w.receive(fact("a", epoch.Add(30*time.Minute), time.Time{}))
	s := w.board.Signals[status.SignalKey{Source: "am", Fingerprint: "a"}]
	if !s.StartsAt.Equal(epoch.Add(30*time.Minute)) || s.Episodes != 1 || w.only().Version != version {
		t.Errorf("starts %s, %d episodes", s.StartsAt, s.Episodes)
	}
}

func TestS13ARepeatWithoutAKnownAlertKeepsItFiring(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	w.receive(w.firing("a"), w.firing("b"))
	w.after(10 * time.Minute)
	w.receive(fact("a", epoch, time.Time{}))
	w.after(10 * time.Hour)
	if i := w.only(); i.State != status.Investigating || !w.board.Signals[status.SignalKey{Source: "am", Fingerprint: "b"}].Firing {
		t.Errorf("state %s", i.State)
	}
}

func TestS14AnAlertAbsentFromItsSourceTwiceIsResolved(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	polled(w)
	w.reconcile(seen())
	w.receive(w.firing("a"), w.firing("b"))
	w.after(time.Minute)
	w.receive(w.cleared("a", epoch))
	w.reconcile(seen())
	w.after(30 * time.Second)
	w.reconcile(seen()) // too soon to count
	if !w.board.Signals[status.SignalKey{Source: "am", Fingerprint: "b"}].Firing {
		t.Fatal("one miss resolved")
	}
	w.after(30 * time.Second)
	w.reconcile(seen())
	w.after(10 * time.Minute)
	i := w.only()
	if i.State != status.Resolved || !slices.Contains(w.reasons("cleared"), status.ReasonReconciled) {
		t.Errorf("state %s, reasons %v", i.State, w.reasons("cleared"))
	}
}

func TestS14AFiringStatementBetweenTwoMissesBeginsTheCountAnew(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	polled(w)
	w.receive(w.firing("a"))
	w.after(time.Minute)
	w.reconcile(seen())
	w.after(30 * time.Second)
	w.receive(fact("a", epoch, time.Time{}))
	w.after(30 * time.Second)
	w.reconcile(seen())
	if !w.board.Signals[status.SignalKey{Source: "am", Fingerprint: "a"}].Firing {
		t.Error("ended although its source said meanwhile that it fires")
	}
}

func TestS14ASilencedAlertKeepsTheIssueOpenUnlessTheRuleSaysOtherwise(t *testing.T) {
	for resolves, want := range map[bool]status.IssueState{false: status.Investigating, true: status.Resolved} {
		w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) { r.SilencedResolves = resolves }))
		polled(w)
		w.receive(w.firing("a"))
		w.after(time.Minute)
		w.reconcile(status.Seen{Source: "am", Trusted: true, Active: map[string]status.SeenAlert{"a": {Suppressed: true}}})
		w.after(time.Hour)
		if i := w.only(); i.State != want {
			t.Errorf("treat_as_resolved %v: state %s, want %s", resolves, i.State, want)
		}
	}
}

func TestS18TwoRoutesOfTheSourceAreOneSignal(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	one, two := w.firing("a"), w.firing("a")
	one.Delivery, two.Delivery = "1", "2"
	w.receive(one, two)
	if len(w.board.Signals) != 1 || w.only().Stage != status.Published {
		t.Errorf("%d signals", len(w.board.Signals))
	}
}

func TestS20AWarningThatEndsWhileACriticalBeginsEscalatesTheSameIssue(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) {
		r.Open.Impact, r.Update.OnSeverity = "", true
	}))
	w.rules.Severity = []status.Severity{
		{Matchers: matcher(t, `{severity="critical"}`), Level: "critical", Impact: status.ImpactMajor},
		{Matchers: matcher(t, `{severity="warning"}`), Level: "warning", Impact: status.ImpactMinor},
	}
	grade := func(f status.Fact, severity string) status.Fact { f.Labels["severity"] = severity; return f }
	w.receive(grade(w.firing("warn"), "warning"))
	if i := w.only(); i.Impact != status.ImpactMinor {
		t.Fatalf("impact %s", i.Impact)
	}
	w.after(time.Minute)
	w.receive(grade(w.cleared("warn", epoch), "warning"), grade(w.firing("crit"), "critical"))
	w.after(time.Minute)
	i := w.only()
	if i.Impact != status.ImpactMajor || i.State != status.Investigating || w.events() != "open update " {
		t.Errorf("impact %s, state %s, told %q", i.Impact, i.State, w.events())
	}
}

func TestS49ARaisedPriorityEscalatesOnce(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) {
		r.Open.Impact, r.Update.OnSeverity = "", true
	}))
	w.rules.Severity = []status.Severity{
		{Matchers: matcher(t, `{priority="CRITICAL"}`), Level: "critical", Impact: status.ImpactMajor},
		{Matchers: matcher(t, `{priority="HIGH"}`), Level: "warning", Impact: status.ImpactMinor},
	}
	issue := func(priority string, at time.Duration) status.Fact {
		f := fact("nr", epoch, time.Time{})
		f.Labels["priority"], f.OrderedAt = priority, epoch.Add(at)
		return f
	}
	w.receive(issue("HIGH", time.Second))
	w.receive(issue("CRITICAL", 2*time.Second))
	w.receive(issue("CRITICAL", 3*time.Second))
	if i := w.only(); i.Impact != status.ImpactMajor || w.events() != "open update " {
		t.Errorf("impact %s, told %q", i.Impact, w.events())
	}
}

func flaps(r *status.Rule) {
	r.Flap = status.Flap{Changes: 4, Window: 30 * time.Minute, Settle: 20 * time.Minute}
	r.Resolve.MonitoringFirst = true
}

func TestS21AFlappingAlertIsHeldOpenWithOneNote(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce, flaps))
	for range 6 {
		start := w.now
		w.receive(w.firing("a"))
		w.after(time.Minute)
		w.receive(w.cleared("a", start))
		w.after(time.Minute)
	}
	i := w.only()
	if !i.Flapping || i.State == status.Resolved {
		t.Fatalf("flapping %v, state %s", i.Flapping, i.State)
	}
	notes := 0
	for _, u := range i.Updates {
		if u.Body == "The problem comes and goes. We keep watching it." {
			notes++
		}
	}
	if notes != 1 {
		t.Errorf("%d notes, want one", notes)
	}
	updates := len(i.Updates)
	w.after(18 * time.Minute)
	if w.only().State == status.Resolved || len(w.only().Updates) != updates {
		t.Error("did not wait for flap.settle")
	}
	w.after(2 * time.Minute)
	if s := w.only().State; s != status.Resolved {
		t.Errorf("state %s after flap.settle", s)
	}
}

func TestS24NothingResolvesBeforeTheSourceHasAnsweredAfterAStart(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	polled(w)
	w.reconcile(seen())
	w.receive(w.firing("a"))
	w.after(time.Minute)
	w.receive(w.cleared("a", epoch))
	w.now = w.now.Add(20 * time.Minute) // nobody ran the clock: we were down
	w.merge(status.Started(w.board, w.rules, w.now))
	w.after(10 * time.Minute)
	if i := w.only(); i.State == status.Resolved {
		t.Fatal("resolved before the source answered")
	}
	w.reconcile(seen())
	w.after(time.Minute)
	if i := w.only(); i.State != status.Resolved {
		t.Errorf("state %s", i.State)
	}
}

func TestS27ARestartMidHoldWaitsOnlyForTheRest(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	w.receive(w.firing("a"))
	w.after(time.Minute)
	w.merge(status.Started(w.board, w.rules, w.now))
	w.after(time.Minute)
	if i := w.only(); !i.CreatedAt.Equal(epoch.Add(2 * time.Minute)) {
		t.Errorf("opened at %s", i.CreatedAt)
	}
}

func TestS28ALostRefireFoundByReconciliationCancelsTheSettling(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	polled(w)
	w.reconcile(seen())
	w.receive(w.firing("a"))
	w.after(time.Minute)
	w.receive(w.cleared("a", epoch))
	w.after(time.Minute)
	again := w.firing("a") // what the poller delivers for an active alert we believe over
	w.receive(again)
	w.reconcile(seen("a"))
	w.after(time.Hour)
	if i := w.only(); i.State != status.Investigating {
		t.Errorf("state %s", i.State)
	}
}

func TestS29S30AnAnswerThatCannotBeTrustedConcludesNothing(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	polled(w)
	w.receive(w.firing("a"))
	for range 10 {
		w.after(time.Minute)
		w.reconcile(status.Seen{Source: "am", Err: "no peer answers"})
	}
	if i := w.only(); i.State != status.Investigating || w.board.Sources["am"].Err == "" {
		t.Errorf("state %s, source %+v", i.State, w.board.Sources["am"])
	}
}

func TestS31ASourceClockInTheFutureDoesNotDelayTheHold(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	w.receive(fact("a", epoch.Add(time.Hour), time.Time{}))
	w.after(2 * time.Minute)
	if i := w.only(); !i.StartedAt.Equal(epoch) {
		t.Errorf("started at %s", i.StartedAt)
	}
	w.after(time.Minute)
	w.receive(fact("a", epoch.Add(time.Hour), epoch.Add(time.Hour+3*time.Minute)))
	w.after(time.Hour)
	if i := w.only(); i.Stage != status.Dismissed {
		t.Errorf("stage %s after the end", i.Stage)
	}
}

func TestS31ASourceClockThatIsSetRightIsBelievedAgain(t *testing.T) {
	for _, skew := range []time.Duration{time.Hour, -time.Hour} {
		w := newWorld(t, checkoutDown(t, publishedAtOnce))
		w.receive(fact("a", epoch.Add(skew), time.Time{}), fact("b", epoch.Add(skew), epoch.Add(skew+time.Second)))
		w.after(5 * time.Minute)
		w.receive(w.cleared("a", epoch.Add(skew))) // by the right clock
		if w.board.Signals[status.SignalKey{Source: "am", Fingerprint: "a"}].Firing {
			t.Errorf("clock %s off: the end is taken for older than its beginning", skew)
		}
		w.receive(w.firing("b"))
		if !w.board.Signals[status.SignalKey{Source: "am", Fingerprint: "b"}].Firing {
			t.Errorf("clock %s off: the next episode is taken for older than the last", skew)
		}
	}
}

func TestS32AClockThatJumpsBackOnlyDelays(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	w.receive(w.firing("a"))
	w.now = epoch.Add(-time.Hour)
	w.merge(status.Tick(w.board, w.rules, w.now))
	if len(w.issues()) != 0 {
		t.Fatal("opened early")
	}
	w.after(2 * time.Hour)
	w.only()
}

func TestS33TenThousandAlertsInOneDeliveryAreOneIssueAndOneAnnouncement(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	facts := make([]status.Fact, 10_000)
	for n := range facts {
		facts[n] = w.firing(fmt.Sprintf("i%d", n))
		facts[n].Delivery = "one"
	}
	w.receive(facts...)
	if w.only(); w.events() != "open " || w.board.Tracks[status.TrackKey{Rule: "checkout-down", Group: `{region="eu"}`}].Firing != 10_000 {
		t.Errorf("told %q", w.events())
	}
}

func TestS34TheBreakerKeepsFurtherIssuesAsDraftsAndProposesAMajorEvent(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	w.rules.Breaker = status.Breaker{MaxPublished: 5, Window: 10 * time.Minute}
	for n := range 12 {
		f := w.firing(fmt.Sprintf("r%d", n))
		f.Labels["region"] = fmt.Sprintf("r%d", n)
		w.receive(f)
		w.after(time.Second)
	}
	stages := map[status.Stage]int{}
	major := 0
	for _, i := range w.issues() {
		if i.Origin == status.Manual {
			major++
			continue
		}
		stages[i.Stage]++
	}
	if stages[status.Published] != 5 || stages[status.Draft] != 7 || major != 1 {
		t.Errorf("stages %v, %d major events", stages, major)
	}
}

func TestS34TheMajorEventIsProposedOnceAStormWhateverPeopleMakeOfIt(t *testing.T) {
	for name, touch := range map[string]func(w *world, id string){
		"renamed and published": func(w *world, id string) {
			w.revise(status.PublishIssue{EditIssue: status.EditIssue{ID: id, Title: ptr("Everything is slow")}})
		},
		"dismissed": func(w *world, id string) { w.revise(status.DismissIssue{ID: id}) },
	} {
		w := newWorld(t, checkoutDown(t, publishedAtOnce))
		w.rules.Breaker = status.Breaker{MaxPublished: 1, Window: 10 * time.Minute}
		proposed := func() (ids []string) {
			for _, i := range w.issues() {
				if i.Origin == status.Manual {
					ids = append(ids, i.ID)
				}
			}
			return ids
		}
		for n := range 4 {
			f := w.firing(fmt.Sprintf("r%d", n))
			f.Labels["region"] = fmt.Sprintf("r%d", n)
			w.receive(f)
			if n == 1 {
				touch(w, proposed()[0])
			}
			w.after(time.Second)
		}
		if n := len(proposed()); n != 1 {
			t.Errorf("%s: %d major events are proposed", name, n)
		}
	}
}

func TestS34WhatTheBreakerHeldBackStaysADraftWhenItFiresAgain(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) { r.Resolve.After = time.Hour }))
	w.rules.Breaker = status.Breaker{MaxPublished: 1, Window: 2 * time.Minute}
	other := w.firing("us")
	other.Labels["region"] = "us"
	w.receive(other, w.firing("a"))
	w.after(time.Minute)
	w.receive(w.cleared("a", epoch))
	w.after(10 * time.Minute)
	w.receive(w.firing("a"))
	w.after(10 * time.Minute)
	for _, i := range w.issues() {
		if i.Group == `{region="eu"}` && i.Stage != status.Draft {
			t.Errorf("it is %s, and no person was asked", i.Stage)
		}
	}
}

func TestS38AHeldTitleStaysWhenTheIssueEscalates(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) {
		r.Escalate = []status.Escalation{{When: condition("alerts", ">=", 2, 0, ""), Impact: status.ImpactCritical, Body: words("All of %s is down.")}}
	}))
	w.receive(w.firing("a"))
	i := w.only()
	w.revise(status.EditIssue{ID: i.ID, Version: i.Version, Title: ptr("Cards fail")})
	w.receive(w.firing("b"))
	i = w.only()
	if i.Title != "Cards fail" || i.Impact != status.ImpactCritical || i.Updates[len(i.Updates)-1].Body != "All of eu is down." {
		t.Errorf("title %q, impact %s, updates %v", i.Title, i.Impact, i.Updates)
	}
}

func TestAnEscalationByTimeHappensOnTimeAndIsNotTakenBack(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) {
		r.Escalate = []status.Escalation{{When: condition("open_for", ">=", 0, 20*time.Minute, ""), Impact: status.ImpactCritical}}
	}))
	w.receive(w.firing("a"))
	w.after(19 * time.Minute)
	if i := w.only(); i.Impact != status.ImpactMajor {
		t.Fatalf("impact %s too early", i.Impact)
	}
	w.after(time.Minute)
	if i := w.only(); i.Impact != status.ImpactCritical || !i.UpdatedAt.Equal(epoch.Add(20*time.Minute)) {
		t.Fatalf("impact %s at %s", i.Impact, i.UpdatedAt)
	}
}

func TestDeescalationHappensOnlyWhereTheRuleAllowsIt(t *testing.T) {
	for allowed, want := range map[bool]status.Impact{false: status.ImpactCritical, true: status.ImpactMajor} {
		w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) {
			r.Escalate = []status.Escalation{{When: condition("alerts", ">=", 2, 0, ""), Impact: status.ImpactCritical, Deescalate: allowed}}
		}))
		w.receive(w.firing("a"), w.firing("b"))
		w.after(time.Minute)
		w.receive(w.cleared("b", epoch))
		if i := w.only(); i.Impact != want {
			t.Errorf("deescalate %v: impact %s, want %s", allowed, i.Impact, want)
		}
	}
}

func TestUpdatesByAutomationAreThrottled(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) {
		r.Update = status.UpdatePolicy{OnComponents: true, Throttle: 15 * time.Minute}
		r.Open.Components = append(r.Open.Components, status.RuleComponent{Component: "api", Status: status.DegradedPerformance, When: condition("alerts", ">=", 2, 0, "")})
	}))
	w.receive(w.firing("a"))
	w.after(time.Minute)
	w.receive(w.firing("b"))
	i := w.only()
	if len(i.Components) != 2 || len(i.Updates) != 2 || !i.Updates[1].Silent || w.events() != "open " {
		t.Errorf("components %v, %d updates, told %q", i.Components, len(i.Updates), w.events())
	}
}

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
