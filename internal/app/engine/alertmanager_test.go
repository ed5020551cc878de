package engine_test

import (
	"slices"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestS05ASecondPeerRepeatsAndBothDeliveriesAreKept(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s := newSite(t, dsn, atOnce)
		body := message{alerts: []alert{{labels: labels("a"), start: epoch}}}.body()
		s.deliver("alertmanager", "am", body)
		before := s.only()
		s.clock.now = s.clock.now.Add(time.Second)
		s.deliver("alertmanager", "am", body)
		if after := s.only(); after.Version != before.Version || len(after.Updates) != 1 {
			t.Errorf("the second delivery made version %d of %d", after.Version, before.Version)
		}
		if n := len(s.webhooks(status.WebhookProcessed)); n != 2 {
			t.Errorf("%d deliveries are kept, want both", n)
		}
	})
}

func TestS12ATruncatedMessageIsReadAndTheSourceAskedAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		am := peer(t)
		s := newSite(t, dsn, asked(am, ""))
		s.work()
		s.after(10 * time.Second)
		for _, i := range []string{"a", "b", "c"} {
			am.Has(labels(i), fingerprint(labels(i)), epoch, "active", "page")
		}
		before := am.Asked.Load()
		s.deliver("alertmanager", "am", message{truncated: 2, alerts: []alert{{labels: labels("a"), start: epoch}}}.body())
		if am.Asked.Load() != before+1 {
			t.Fatalf("the source was asked %d times after the message, want once, at once", am.Asked.Load()-before)
		}
		for _, i := range []string{"a", "b", "c"} {
			if !s.signal(i).Firing {
				t.Errorf("%s does not fire", i)
			}
		}
		s.only()
	})
}

// absent lets two alerts fire, and then all is said to be over without one of
// them, b, of which the source's answer says no more than state ("" for not
// there).
func absent(t *testing.T, dsn, more, state string) *site {
	am := peer(t)
	rules := asked(am, "")
	s := newSite(t, dsn, rules+more)
	s.fires("a", "b")
	if state != "" {
		am.Has(labels("b"), fingerprint(labels("b")), epoch, state, "page")
	}
	s.after(10 * time.Second)
	before := am.Asked.Load()
	s.clears("a")
	if am.Asked.Load() == before {
		t.Error("the source was not asked at once")
	}
	return s
}

func TestS14WhatIsMissingFromAllResolvedIsAskedForAndAbsentTwiceIsResolved(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s := absent(t, dsn, "", "")
		s.after(30 * time.Second)
		if !s.signal("b").Firing {
			t.Fatal("one miss was enough")
		}
		s.after(8 * time.Minute)
		s.is(status.Resolved, "absent twice, and quiet for five minutes")
		entries, err := s.store.Entries(t.Context(), s.only().ID, 100)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(entries, func(e status.Entry) bool { return e.Reason == status.ReasonReconciled }) {
			t.Errorf("nothing says that it was reconciled: %+v", entries)
		}
	})
}

// keptOpen: the source still has the alert, though nobody is notified of it.
func keptOpen(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s := absent(t, dsn, "defaults: { silenced_upstream: keep_open }\n", "suppressed")
		s.after(20 * time.Minute)
		s.is(status.Investigating, "suppressed at its source")
		if i := s.only(); !slices.ContainsFunc(i.Notes, func(n status.Note) bool { return n.Text == string(status.ReasonSilenced) }) {
			t.Errorf("notes %v", i.Notes)
		}
	})
}

// To whoever asks, a silenced, an inhibited and a muted alert look the same.
func TestS14ASilencedAlertKeepsTheIssueOpen(t *testing.T)   { keptOpen(t) }
func TestS15AnInhibitedAlertKeepsTheIssueOpen(t *testing.T) { keptOpen(t) }
func TestS16AMutedAlertKeepsTheIssueOpen(t *testing.T)      { keptOpen(t) }

func TestS14ASilencedAlertIsOverWhereTheRulesSaySo(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s := absent(t, dsn, "defaults: { silenced_upstream: treat_as_resolved }\n", "suppressed")
		s.after(7 * time.Minute)
		s.is(status.Resolved, "silenced, which the rules take for an end")
	})
}

func TestS17AnotherGroupKeyIsNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s := newSite(t, dsn, atOnce)
		s.fires("a")
		before := s.only()
		s.after(time.Minute)
		s.deliver("alertmanager", "am", message{groupKey: `{}/{team="x"}:{}`, alerts: []alert{{labels: labels("a"), start: epoch}}}.body())
		if after := s.only(); after.Version != before.Version || len(s.board().Signals) != 1 {
			t.Errorf("version %d, %d signals", after.Version, len(s.board().Signals))
		}
	})
}

func TestS19AReplacedPodIsTheSameIssue(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s := newSite(t, dsn, atOnce)
		s.fires("pod-1")
		s.after(time.Minute)
		s.clears("pod-1")
		s.fires("pod-2")
		s.after(30 * time.Minute)
		s.is(status.Investigating, "another pod fires")
	})
}

// withHeartbeat is a source with a Watchdog.
const withHeartbeat = `, heartbeat: { matchers: ['alertname="Watchdog"'], max_age: 5m }`

// phantom: what a dying Prometheus, or a time-out of Alertmanager, calls over is
// not over while the heartbeat is stale.
func phantom(t *testing.T, ends func(s *site)) {
	onBoth(t, func(t *testing.T, dsn string) {
		am := peer(t)
		s := newSite(t, dsn, asked(am, withHeartbeat))
		// has is what the source has: the Watchdog, renewed now, and perhaps a.
		has := func(a bool) {
			watchdog := map[string]string{"alertname": "Watchdog"}
			am.Alerts = nil
			am.Has(watchdog, fingerprint(watchdog), s.clock.Now(), "active", "page")
			if a {
				am.Has(labels("a"), fingerprint(labels("a")), epoch, "active", "page")
			}
		}
		has(true)
		s.fires("a")
		s.after(4 * time.Minute)
		am.Alerts = am.Alerts[:1] // the Watchdog goes on to be listed, and is not renewed
		ends(s)
		s.after(time.Hour)
		s.is(status.Investigating, "the heartbeat is stale")
		for range 8 {
			has(false)
			s.after(time.Minute)
		}
		s.is(status.Resolved, "the heartbeat is back, and the alert stayed away for five minutes")
	})
}

func TestS22APhantomEndOfADyingPrometheusIsFrozen(t *testing.T) {
	phantom(t, func(s *site) { s.clears("a") })
}

func TestS23AnEndByResolveTimeoutIsFrozen(t *testing.T) {
	// resolve_timeout ends every alert of the source at one moment, the heartbeat
	// among them.
	phantom(t, func(s *site) {
		s.deliver("alertmanager", "am", message{alerts: []alert{
			{labels("a"), epoch, s.clock.Now()}, {map[string]string{"alertname": "Watchdog"}, epoch, s.clock.Now()},
		}}.body())
	})
}

func TestS24AfterTwentyMinutesDownNothingResolvesBeforeTheSourceHasAnswered(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		am := peer(t)
		s := newSite(t, dsn, asked(am, ""))
		am.Has(labels("a"), fingerprint(labels("a")), epoch, "active", "page")
		s.fires("a")
		s.after(time.Minute)
		am.Alerts = nil
		s.clears("a") // settles until six minutes past; it fires again unseen
		am.Down = true
		s.restart(20 * time.Minute)
		s.tick()
		s.after(time.Minute)
		s.is(status.Investigating, "its time is long over, but nobody has answered")
		am.Down = false
		am.Has(labels("a"), fingerprint(labels("a")), s.clock.Now().Add(-10*time.Minute), "active", "page")
		s.after(time.Hour)
		s.is(status.Investigating, "the source says that it fires")
	})
}

func TestS25ACrashBetweenKeepingAndUnderstandingIsReplayed(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s := newSite(t, dsn, atOnce)
		s.crash = true
		s.fires("a")
		if len(s.issues()) != 0 || len(s.webhooks(status.WebhookPending)) != 1 {
			t.Fatalf("%d issues, %d deliveries wait", len(s.issues()), len(s.webhooks(status.WebhookPending)))
		}
		s.crash = false
		s.restart(time.Minute)
		s.work()
		first := s.only()
		s.restart(0)
		s.work()
		if again := s.only(); again.Version != first.Version || len(s.webhooks(status.WebhookPending)) != 0 {
			t.Errorf("version %d after another start, was %d", again.Version, first.Version)
		}
		if !first.StartedAt.Equal(epoch) {
			t.Errorf("started %s, but the delivery came at %s", first.StartedAt, epoch)
		}
	})
}

func TestS27ARestartMidHoldKeepsWhatRemains(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s := newSite(t, dsn, atOnce+"    min_alerts: 1\n")
		s.rules.Rules[0].For = 10 * time.Minute
		s.fires("a")
		s.after(6 * time.Minute)
		s.restart(2 * time.Minute)
		s.after(2*time.Minute - time.Second)
		if len(s.issues()) != 0 {
			t.Fatal("opened early")
		}
		s.after(time.Second)
		if i := s.only(); !i.CreatedAt.Equal(epoch.Add(10 * time.Minute)) {
			t.Errorf("opened at %s", i.CreatedAt)
		}
	})
}

func TestS28ARefireThatWasLostCancelsTheSettlingAfterARestart(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		am := peer(t)
		s := newSite(t, dsn, asked(am, ""))
		am.Has(labels("a"), fingerprint(labels("a")), epoch, "active", "page")
		s.fires("a")
		s.after(time.Minute)
		am.Alerts = nil
		s.clears("a")
		am.Has(labels("a"), fingerprint(labels("a")), s.clock.Now().Add(30*time.Second), "active", "page")
		s.restart(time.Minute)
		s.work()
		s.after(time.Hour)
		s.is(status.Investigating, "the source was asked before it settled")
	})
}

func TestS29APeerThatHasJustStartedConcludesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		am := peer(t)
		s := newSite(t, dsn, asked(am, ""))
		am.Has(labels("a"), fingerprint(labels("a")), epoch, "active", "page")
		s.fires("a")
		s.after(time.Minute)
		am.Up, am.Alerts = s.clock.Now(), nil
		s.after(5 * time.Minute)
		if !s.signal("a").Firing {
			t.Fatal("an Alertmanager that forgot everything ended it")
		}
		s.after(10 * time.Minute)
		s.is(status.Resolved, "up for long enough, and it has it not")
	})
}

func TestS30WhileNoPeerAnswersNothingResolves(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		am := peer(t)
		s := newSite(t, dsn, asked(am, ""))
		s.fires("a")
		am.Down = true
		s.after(time.Hour)
		s.is(status.Investigating, "nobody answers")
		if b := s.board(); b.Sources["am"].Err == "" {
			t.Error("nothing says that the source does not answer")
		}
	})
}

func TestS36WhatIsNoJSONIsKeptAsADeadLetter(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s := newSite(t, dsn, atOnce)
		for _, body := range []string{`{"alerts": [`, `{}`, `[]`, "", "\x00"} {
			s.deliver("alertmanager", "am", []byte(body))
		}
		if n := len(s.webhooks(status.WebhookDead)); n != 5 || len(s.issues()) != 0 {
			t.Errorf("%d dead letters, %d issues", n, len(s.issues()))
		}
	})
}
