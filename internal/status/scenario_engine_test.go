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
