package status_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestS01AnAlertThatEndsBeforeTheHoldIsOverOpensNothing(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	w.receive(w.firing("a"))
	w.after(time.Minute)
	w.receive(w.cleared("a", epoch))
	w.after(time.Hour)
	if n := len(w.issues()); n != 0 {
		t.Errorf("%d issues, want none", n)
	}
}

func TestS02AnAlertThatFiresForTheWholeHoldOpensOneDraft(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	w.receive(w.firing("a"))
	w.after(time.Minute)
	w.receive(w.firing("b"))
	w.after(2 * time.Minute)
	i := w.only()
	if i.Stage != status.Draft || i.Title != "Checkout is unavailable in eu" || i.Impact != status.ImpactMajor {
		t.Errorf("got %s %q %s", i.Stage, i.Title, i.Impact)
	}
	if want := epoch.Add(2 * time.Minute); !i.CreatedAt.Equal(want) {
		t.Errorf("opened at %s, want %s", i.CreatedAt, want)
	}
	if len(w.told) != 0 {
		t.Errorf("a draft was announced: %v", w.told)
	}
}

func TestADraftChangesNothingThatVisitorsSee(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	w.receive(w.firing("a"))
	w.after(time.Hour)
	s := status.Overview(w.view(), w.now)
	if s.Headline.Indicator != status.IndicatorNone || len(s.Active) != 0 {
		t.Errorf("headline %v, %d active issues", s.Headline, len(s.Active))
	}
}

func TestAConfirmedIssueKeepsTheHumansWordsUntilItResolves(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	w.receive(w.firing("a"))
	w.after(3 * time.Minute)
	i := w.only()
	w.revise(status.PublishIssue{EditIssue: status.EditIssue{ID: i.ID, Version: i.Version, Title: ptr("Payments fail for some cards")}})
	w.receive(w.firing("b"))
	w.after(10 * time.Minute)
	w.receive(w.cleared("a", epoch), w.cleared("b", epoch.Add(3*time.Minute)))
	w.after(10 * time.Minute)
	i = w.only()
	if i.Title != "Payments fail for some cards" || i.State != status.Resolved || i.ResolvedBy != status.Automation {
		t.Errorf("got %q %s by %q", i.Title, i.State, i.ResolvedBy)
	}
	if want := epoch.Add(18 * time.Minute); !i.ResolvedAt.Equal(want) {
		t.Errorf("resolved at %s, want %s: five minutes after the alerts stopped", i.ResolvedAt, want)
	}
	if got := w.events(); got != "open resolve " {
		t.Errorf("announced %q", got)
	}
	if s := status.Overview(w.view(), w.now); s.Headline.Description != "All Systems Operational" {
		t.Errorf("headline after the end: %v", s.Headline)
	}
}

func TestS03TheSameDeliveryTwiceChangesNothing(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	f := w.firing("a")
	w.receive(f)
	f.ReceivedAt = w.now
	if c := status.Receive(w.board, w.rules, []status.Fact{f}, w.now); !c.Empty() {
		t.Errorf("the second delivery changed %+v", c)
	}
	end := fact("a", epoch, epoch.Add(time.Minute))
	w.after(time.Minute)
	w.receive(end)
	end.ReceivedAt = w.now
	if c := status.Receive(w.board, w.rules, []status.Fact{end}, w.now); !c.Empty() {
		t.Errorf("the second end changed %+v", c)
	}
}

func TestS06PeersThatDifferByMillisecondsSpeakOfOneEpisode(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	w.receive(fact("a", epoch.Add(-3*time.Millisecond), time.Time{}))
	w.receive(fact("a", epoch, time.Time{}))
	w.receive(fact("a", epoch.Add(-6*time.Millisecond), time.Time{}))
	s := w.board.Signals[status.SignalKey{Source: "am", Fingerprint: "a"}]
	if s.Episodes != 1 || !s.StartsAt.Equal(epoch.Add(-6*time.Millisecond)) {
		t.Errorf("%d episodes from %s", s.Episodes, s.StartsAt)
	}
	w.only()
}

func TestS07APeerThatStillFiresCancelsTheSettling(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	w.receive(w.firing("a"))
	w.after(time.Minute)
	w.receive(w.cleared("a", epoch))
	w.after(time.Minute)
	w.receive(fact("a", epoch, time.Time{}))
	w.after(time.Hour)
	i := w.only()
	if i.State == status.Resolved {
		t.Error("resolved although a peer contradicts")
	}
	if len(i.Notes) != 1 || i.Notes[0].Text != string(status.ReasonDisagree) {
		t.Errorf("notes %v, want that peers disagree", i.Notes)
	}
}

func TestS08AnEndThatOvertakesItsBeginningMakesTheBeginningStale(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	w.now = epoch.Add(time.Minute)
	w.receive(w.cleared("a", epoch))
	w.receive(fact("a", epoch, time.Time{}))
	w.after(time.Minute)
	if n := len(w.issues()); n != 0 {
		t.Fatalf("%d issues after the stale beginning", n)
	}
	w.receive(fact("a", epoch, time.Time{}))
	w.only()
}

func TestS09ANewerStartWhileFiringIsANewEpisodeOfTheSameIssue(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	w.receive(w.firing("a"))
	w.after(10 * time.Minute)
	w.receive(w.firing("a"))
	w.only()
	s := w.board.Signals[status.SignalKey{Source: "am", Fingerprint: "a"}]
	if s.Episodes != 2 {
		t.Errorf("%d episodes, want 2", s.Episodes)
	}
}

func TestS11AnEndOlderThanTheEpisodeIsIgnored(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	w.after(time.Hour)
	w.receive(w.firing("a"))
	w.receive(fact("a", epoch, epoch.Add(time.Minute)))
	w.after(time.Hour)
	if i := w.only(); i.State != status.Investigating {
		t.Errorf("state %s", i.State)
	}
}

func TestS35AnEndThatWasNeverSeenToBeginIsKeptAndOpensNothing(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	w.receive(fact("a", epoch.Add(-time.Hour), epoch))
	w.after(time.Hour)
	if len(w.issues()) != 0 || len(w.board.Signals) != 1 {
		t.Errorf("%d issues, %d signals", len(w.issues()), len(w.board.Signals))
	}
}

func TestS39AnIssueResolvedByAPersonIsNotReopenedByTheSameEpisode(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	w.receive(w.firing("a"))
	i := w.only()
	w.revise(status.PostUpdate{ID: i.ID, Version: i.Version, State: ptr(status.Resolved), Body: "Fixed."})
	w.receive(w.firing("b"))
	w.after(time.Hour)
	i = w.only()
	if i.State != status.Resolved || i.ResolvedBy != "ada@example.test" {
		t.Errorf("%s by %s", i.State, i.ResolvedBy)
	}
	w.receive(w.cleared("a", epoch), w.cleared("b", epoch))
	w.after(time.Minute)
	w.receive(w.firing("a"))
	if n := len(w.issues()); n != 2 {
		t.Errorf("%d issues after a new episode, want a second", n)
	}
}

func TestS40ADismissedDraftIsNotDraftedAgainByMoreAlerts(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	w.receive(w.firing("a"))
	w.after(3 * time.Minute)
	i := w.only()
	w.revise(status.DismissIssue{ID: i.ID, Version: i.Version})
	w.receive(w.firing("b"))
	w.after(time.Hour)
	if i := w.only(); i.Stage != status.Dismissed {
		t.Errorf("stage %s", i.Stage)
	}
}

func TestS54AnAlertThatEndsInsideTheVetoWindowPublishesNothing(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) { r.Open.PublishAfter = 3 * time.Minute }))
	w.receive(w.firing("a"))
	w.after(time.Minute)
	w.receive(w.cleared("a", epoch))
	w.after(time.Hour)
	if i := w.only(); i.Stage != status.Dismissed || len(w.told) != 0 {
		t.Errorf("stage %s, told %v", i.Stage, w.told)
	}
}

func TestADraftIsPublishedWhenNobodyVetoes(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) { r.Open.PublishAfter = 3 * time.Minute }))
	w.receive(w.firing("a"))
	w.after(2 * time.Minute)
	if w.only().Stage != status.Draft {
		t.Fatal("published inside the veto window")
	}
	w.after(time.Minute)
	if i := w.only(); i.Stage != status.Published || i.Confirmed {
		t.Errorf("stage %s, confirmed %v", i.Stage, i.Confirmed)
	}
	if got := w.reasons("published"); len(got) != 1 || got[0] != status.ReasonVetoElapsed {
		t.Errorf("reasons %v", got)
	}
}

func TestMonitoringComesFirstAndIsTakenBackWhenItFiresAgain(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) { r.Resolve.MonitoringFirst = true }))
	w.receive(w.firing("a"))
	w.after(time.Minute)
	w.receive(w.cleared("a", epoch))
	if s := w.only().State; s != status.Monitoring {
		t.Fatalf("state %s, want monitoring at once", s)
	}
	w.after(time.Minute)
	again := w.now
	w.receive(w.firing("a"))
	if s := w.only().State; s != status.Investigating {
		t.Fatalf("state %s, want investigating again", s)
	}
	w.after(time.Hour)
	w.receive(w.cleared("a", again))
	w.after(5 * time.Minute)
	if s := w.only().State; s != status.Resolved {
		t.Errorf("state %s", s)
	}
}

func TestAHeldStateIsOnlySuggestedToBeResolved(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	w.receive(w.firing("a"))
	i := w.only()
	w.revise(status.PostUpdate{ID: i.ID, Version: i.Version, State: ptr(status.Identified), Body: "A bad deploy."})
	w.after(time.Minute)
	w.receive(w.cleared("a", epoch))
	w.after(time.Hour)
	i = w.only()
	if i.State != status.Identified || len(i.Suggestions) != 1 || i.Suggestions[0].Value != "resolved" {
		t.Fatalf("state %s, suggestions %v", i.State, i.Suggestions)
	}
	w.revise(status.HandBack{ID: i.ID, Version: i.Version, Fields: []status.Field{status.FieldState}})
	w.after(time.Second)
	if i = w.only(); i.State != status.Resolved || i.ResolvedBy != status.Automation {
		t.Errorf("after handing back: %s by %s", i.State, i.ResolvedBy)
	}
}

func TestADeclinedSuggestionIsNotMadeAgainUntilItIsAnother(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	w.receive(w.firing("a"))
	i := w.only()
	w.revise(status.PostUpdate{ID: i.ID, Version: i.Version, State: ptr(status.Identified), Body: "A bad deploy."})
	w.after(time.Minute)
	w.receive(w.cleared("a", epoch))
	w.after(time.Hour)
	i = w.only()
	w.revise(status.KeepFields{ID: i.ID, Version: i.Version, Fields: []status.Field{status.FieldState, status.FieldTitle}})
	w.after(time.Hour)
	i = w.only()
	if len(i.Waiting()) != 0 || i.State != status.Identified || !i.Holds(status.FieldState) {
		t.Fatalf("state %s, waiting %v, held %v", i.State, i.Waiting(), i.Held)
	}
	w.revise(status.KeepFields{ID: i.ID, Version: i.Version, Fields: []status.Field{status.FieldState}})
	if again := w.only(); again.Version != i.Version {
		t.Error("declining twice changed it twice")
	}
	w.receive(w.firing("a")) // it is another matter now
	w.after(time.Minute)
	w.receive(w.cleared("a", w.now))
	w.after(time.Hour)
	if i = w.only(); len(i.Waiting()) != 1 {
		t.Errorf("after it came and went again: %v", i.Suggestions)
	}
}

func TestAnIssueOpenedByHandIsNeverTouchedByRules(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	id := w.revise(status.OpenIssue{Title: "Slow", Body: "We look.", Publish: true, Components: []status.Affected{{ComponentID: w.componentID("checkout"), Status: status.DegradedPerformance}}})
	before := w.board.Issues[id]
	w.receive(w.firing("a"))
	w.after(time.Minute)
	w.receive(w.cleared("a", epoch))
	w.after(time.Hour)
	if got := w.board.Issues[id]; got.Version != before.Version {
		t.Errorf("version %d, was %d", got.Version, before.Version)
	}
}

func TestAStaleEditIsAConflictAndAnIdenticalPublishIsNot(t *testing.T) {
	w := newWorld(t, checkoutDown(t))
	w.receive(w.firing("a"))
	w.after(3 * time.Minute)
	i := w.only()
	publish := status.PublishIssue{EditIssue: status.EditIssue{ID: i.ID, Version: i.Version, Title: ptr("Ours")}}
	w.revise(publish)
	w.revise(publish)
	_, err := status.Revise(w.board, w.rules, status.EditIssue{ID: i.ID, Version: i.Version, Title: ptr("Theirs")}, "bob", w.now)
	if !errors.Is(err, status.ErrConflict) {
		t.Errorf("got %v, want a conflict", err)
	}
	if w.only().Title != "Ours" || w.events() != "open " {
		t.Errorf("title %q, told %q", w.only().Title, w.events())
	}
}

func TestS53ARuleThatNamesAMissingComponentOpensWithoutIt(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) { r.Open.Components[0].Component = "gone" }))
	w.receive(w.firing("a"))
	if i := w.only(); len(i.Components) != 0 {
		t.Errorf("components %v", i.Components)
	}
	if got := w.reasons("warned"); len(got) != 1 || got[0] != status.ReasonUnknownComponent {
		t.Errorf("warnings %v", got)
	}
}

func TestATemplateThatFailsFallsBackToTheRulesName(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) {
		r.Open.Title = func(status.Evidence) (string, error) { return "", errors.New("no such label") }
	}))
	w.receive(w.firing("a"))
	if i := w.only(); i.Title != "checkout-down" {
		t.Errorf("title %q", i.Title)
	}
}

func TestS46AnOlderStatementOfNewRelicIsIgnored(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	at := func(f status.Fact, s time.Duration) status.Fact { f.OrderedAt = epoch.Add(s); return f }
	w.receive(at(w.firing("nr"), time.Second))
	w.receive(at(fact("nr", epoch, epoch.Add(3*time.Second)), 3*time.Second))
	w.receive(at(fact("nr", epoch, time.Time{}), 2*time.Second))
	w.after(time.Hour)
	if i := w.only(); i.State != status.Resolved {
		t.Errorf("state %s", i.State)
	}
}

func TestS47ACloseThatIsNoRecoveryOnlyProposes(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	w.receive(w.firing("nr"))
	f := fact("nr", epoch, epoch.Add(time.Minute))
	f.Unrecovered = true
	w.after(time.Minute)
	w.receive(f)
	w.after(time.Hour)
	if i := w.only(); i.State != status.Investigating || len(i.Suggestions) != 1 {
		t.Errorf("state %s, suggestions %v", i.State, i.Suggestions)
	}
}

func TestMaintenanceStartsAndEndsByTheClock(t *testing.T) {
	w := newWorld(t)
	id := w.revise(status.SaveMaintenance{Maintenance: status.Maintenance{
		Title: "Database upgrade", Body: "Short breaks.", Components: []string{w.componentID("api")}, AutoStart: true, AutoEnd: true,
		ScheduledFor: epoch.Add(time.Hour), ScheduledUntil: epoch.Add(2 * time.Hour),
	}})
	w.after(90 * time.Minute)
	s := status.Overview(w.view(), w.now)
	if got := s.Components[w.componentID("api")]; got != status.UnderMaintenance || s.Headline.Indicator != status.IndicatorMaintenance {
		t.Errorf("component %s, headline %v", got, s.Headline)
	}
	w.after(time.Hour)
	m := w.board.Maintenances[id]
	if m.State != status.Completed || !m.EndedAt.Equal(epoch.Add(2*time.Hour)) {
		t.Errorf("state %s at %s", m.State, m.EndedAt)
	}
	if got := w.events(); got != "maintenance_scheduled maintenance_started maintenance_ended " {
		t.Errorf("told %q", got)
	}
}

func TestAMaintenanceWithoutAutoEndWaitsForAPerson(t *testing.T) {
	w := newWorld(t)
	id := w.revise(status.SaveMaintenance{Silent: true, Maintenance: status.Maintenance{
		Title: "Upgrade", AutoStart: true, ScheduledFor: epoch.Add(time.Hour), ScheduledUntil: epoch.Add(2 * time.Hour),
	}})
	w.after(5 * time.Hour)
	if s := w.board.Maintenances[id].State; s != status.InProgress {
		t.Fatalf("state %s", s)
	}
	w.revise(status.PostMaintenanceUpdate{ID: id, State: status.Completed})
	if m := w.board.Maintenances[id]; m.State != status.Completed || !m.EndedAt.Equal(w.now) {
		t.Errorf("state %s at %s", m.State, m.EndedAt)
	}
}

func TestBadInputNamesTheField(t *testing.T) {
	w := newWorld(t)
	for field, e := range map[string]status.Edit{
		"title":           status.OpenIssue{Title: "  "},
		"started_at":      status.OpenIssue{Title: "x", StartedAt: epoch.Add(time.Hour)},
		"components":      status.OpenIssue{Title: "x", Components: []status.Affected{{ComponentID: "nope", Status: status.MajorOutage}}},
		"impact":          status.OpenIssue{Title: "x", Impact: "awful"},
		"slug":            status.SaveComponent{Component: status.Component{Name: "API"}},
		"scheduled_until": status.SaveMaintenance{Maintenance: status.Maintenance{Title: "x", ScheduledFor: epoch, ScheduledUntil: epoch}},
	} {
		_, err := status.Revise(w.board, w.rules, e, "ada", w.now)
		var invalid status.Invalid
		if !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%T: got %v, want Invalid %s", e, err, field)
		}
	}
}

func TestLongLabelsMakeGroupsThatStayApart(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	long := strings.Repeat("x", 5000)
	for _, region := range []string{long + "a", long + "b"} {
		f := w.firing(region[len(region)-1:])
		f.Labels["region"] = region
		w.receive(f)
	}
	all := w.issues()
	if len(all) != 2 || len(all[0].Group) > 300 {
		t.Errorf("%d issues, group of %d bytes", len(all), len(all[0].Group))
	}
}
