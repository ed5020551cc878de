package alerts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	"go.uber.org/goleak"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestADeliveryIsStoredThenProcessedInOneTransaction(t *testing.T) {
	b := newBench(t)
	body := `{"alerts":[{"status":"firing","labels":{"a":"1"}},{"status":"resolved","labels":{"a":"2"}}],"truncatedAlerts":3}`
	r := b.accept(t, KindAlertmanager, body)
	if w := b.db.hook(r.ID); r.Events != 2 || r.Journaled || w.State != status.WebhookPending || string(w.Body) != body ||
		w.Kind != KindAlertmanager || w.Source != "prod" || !w.ReceivedAt.Equal(received) {
		t.Errorf("%+v\n%+v", r, w)
	}
	b.work(t)
	w := b.db.hook(r.ID)
	want := "2 alerts: 1 firing, 1 resolved; Alertmanager left out 3 more (max_alerts); 2 without a fingerprint: computed from the labels; 1 that no rule wants"
	if w.State != status.WebhookProcessed || w.Verdict != want || w.Events != 2 {
		t.Errorf("%+v", w)
	}
	if len(w.Outcomes) != 2 || w.Outcomes[0].Did != status.DidBegin || w.Outcomes[1].Did != status.DidLate {
		t.Errorf("outcomes %+v", w.Outcomes)
	}
	if b.db.applies != 1 || len(b.db.signals()) != 2 {
		t.Errorf("%d applies, %d signals", b.db.applies, len(b.db.signals()))
	}
}

func TestABatchIsOneTransaction(t *testing.T) {
	b := newBench(t)
	for n := range 5 {
		b.accept(t, KindAlertmanager, alert(fmt.Sprint(n), "firing"))
	}
	b.work(t)
	if b.db.applies != 1 || b.db.batch != 5 || len(b.db.signals()) != 5 {
		t.Errorf("%d applies, the last of %d", b.db.applies, b.db.batch)
	}
}

func TestWhatCannotBeReadIsStoredAcknowledgedAndADeadLetter(t *testing.T) {
	b := newBench(t)
	r := b.accept(t, KindNewRelic, string(capture(t, KindNewRelic, "90-invalid-not-json.txt")))
	b.accept(t, KindAlertmanager, alert("a", "firing"))
	if r.Events != 0 || b.db.hook(r.ID).State != status.WebhookPending {
		t.Errorf("%+v", r)
	}
	b.work(t)
	if w := b.db.hook(r.ID); w.State != status.WebhookDead || !strings.HasPrefix(w.Verdict, "could not be read: not valid JSON") {
		t.Errorf("%+v", w)
	}
	if s := b.Stats(); s.Dead != 1 || s.Processed != 2 {
		t.Errorf("%+v", s)
	}
	if len(b.db.signals()) != 1 {
		t.Error("its neighbour was not processed")
	}
}

func TestATestNotificationIsReceivedAndNothingElse(t *testing.T) {
	b := newBench(t)
	r := b.accept(t, KindNewRelic, `{"current_state":"test","incident_id":1}`)
	b.work(t)
	if w := b.db.hook(r.ID); w.State != status.WebhookProcessed || w.Verdict != "received test" || len(b.db.signals()) != 0 {
		t.Errorf("%+v", w)
	}
}

func TestVerdictsSayWhatTheDeliverySaid(t *testing.T) {
	for name, want := range map[string]string{
		"01-default-created.json":                      "no change; created, not active yet: nothing fires before ACTIVATED",
		"02-default-activated.json":                    "1 issue: 1 firing; 1 that no rule wants",
		"08-default-closed-by-ttl-not-a-recovery.json": "1 issue: 1 closed without recovery; closed by CLOSE_TTL: it grew too old, that is no recovery",
	} {
		b := newBench(t)
		r := b.accept(t, KindNewRelic, string(capture(t, KindNewRelic, name)))
		b.work(t)
		if got := b.db.hook(r.ID).Verdict; got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestWithoutTheDatabaseDeliveriesGoToTheJournalAndBackInOrder(t *testing.T) {
	b := newBench(t)
	b.db.set(func(d *database) { d.away = errors.New("connection refused") })
	fires := b.accept(t, KindAlertmanager, alert("a", "firing"))
	saves := b.db.saves
	ends := b.accept(t, KindAlertmanager, alert("a", "resolved"))
	if !fires.Journaled || !ends.Journaled || b.Stats().JournalDepth != 2 {
		t.Errorf("%+v %+v %+v", fires, ends, b.Stats())
	}
	if b.db.saves != saves {
		t.Error("the second sender waited for a database that is known to be away")
	}
	if _, err := b.step(t.Context()); err == nil || b.Stats().JournalDepth != 2 {
		t.Errorf("%v, %+v", err, b.Stats())
	}
	b.db.set(func(d *database) { d.away = nil })
	late := b.accept(t, KindAlertmanager, alert("b", "firing"))
	if !late.Journaled {
		t.Error("it overtook what waits in the journal")
	}
	b.work(t)
	if s := b.Stats(); s.JournalDepth != 0 || s.JournalBytes != 0 || s.Processed != 3 {
		t.Errorf("%+v", s)
	}
	if r := b.accept(t, KindAlertmanager, alert("c", "firing")); r.Journaled {
		t.Error("the journal is empty, and still used")
	}
	for id, s := range b.db.signals() {
		if s.Firing != (s.Labels["alertname"] == "b") {
			t.Errorf("%s: %+v", id, s)
		}
	}
}

func TestTheJournalIsDrainedAfterARestart(t *testing.T) {
	b := newBench(t)
	b.db.set(func(d *database) { d.away = errors.New("away") })
	r := b.accept(t, KindAlertmanager, alert("a", "firing"))
	b.db.set(func(d *database) { d.away = nil })
	b.start(t)
	if b.Stats().JournalDepth != 1 {
		t.Errorf("%+v", b.Stats())
	}
	b.work(t)
	if w := b.db.hook(r.ID); w.State != status.WebhookProcessed || w.ReceivedAt != received {
		t.Errorf("%+v", w)
	}
}

func TestASenderDoesNotWaitForASilentDatabase(t *testing.T) {
	b := newBench(t, func(c *IntakeConfig) { c.Patience = 20 * time.Millisecond })
	silent := make(chan struct{})
	b.db.set(func(d *database) { d.silent = silent })
	r := b.accept(t, KindAlertmanager, alert("a", "firing"))
	if !r.Journaled {
		t.Errorf("%+v", r)
	}
	b.db.set(func(d *database) { d.silent = nil })
	close(silent)
	b.work(t)
	if len(b.db.hooks) != 1 || b.db.hook(r.ID).State != status.WebhookProcessed {
		t.Errorf("%+v", b.db.hooks)
	}
}

func TestASenderThatHangsUpHasStillDelivered(t *testing.T) {
	b := newBench(t)
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	r, err := b.Accept(ctx, KindAlertmanager, "prod", []byte(alert("a", "firing")))
	if err != nil || r.Journaled || b.db.hook(r.ID).ID == "" {
		t.Errorf("%+v %v", r, err)
	}
}

func TestWithoutDatabaseAndJournalTheSenderMustRetry(t *testing.T) {
	b := newBench(t, func(c *IntakeConfig) { c.JournalLimit = 10 })
	b.db.set(func(d *database) { d.away = errors.New("away") })
	_, err := b.Accept(t.Context(), KindAlertmanager, "prod", []byte(alert("a", "firing")))
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(b.Stats().LastError, "journal is full") {
		t.Errorf("%v, %+v", err, b.Stats())
	}
}

func TestAFullJournalFallsBackToADatabaseThatIsBack(t *testing.T) {
	b := newBench(t, func(c *IntakeConfig) { c.JournalLimit = 200 })
	b.db.set(func(d *database) { d.away = errors.New("away") })
	if r := b.accept(t, KindAlertmanager, alert("a", "firing")); !r.Journaled {
		t.Fatal("not journaled")
	}
	b.db.set(func(d *database) { d.away = nil })
	if r := b.accept(t, KindAlertmanager, alert("b", "firing")); r.Journaled {
		t.Error("a full journal took it")
	}
	b.work(t)
	if len(b.db.signals()) != 2 {
		t.Error(b.db.signals())
	}
}

func TestALostAnswerOfACommitChangesNothingTwice(t *testing.T) {
	b := newBench(t)
	r := b.accept(t, KindAlertmanager, alert("a", "firing"))
	b.db.set(func(d *database) { d.afterErr = true })
	b.work(t)
	if w := b.db.hook(r.ID); w.State != status.WebhookProcessed || b.db.signals()[fingerprint(map[string]string{"alertname": "a"})].Episodes != 1 {
		t.Errorf("%+v", w)
	}
}

func TestADeliveryTheDatabaseCannotTakeDoesNotHoldUpTheOthers(t *testing.T) {
	b := newBench(t)
	bad := fingerprint(map[string]string{"alertname": "bad"})
	b.db.set(func(d *database) {
		d.refuse = func(c status.Changes) error {
			if _, there := c.Signals[status.SignalKey{Source: "prod", Fingerprint: bad}]; there {
				return errors.New("index row size exceeds maximum")
			}
			return nil
		}
	})
	poison := b.accept(t, KindAlertmanager, alert("bad", "firing"))
	good := b.accept(t, KindAlertmanager, alert("good", "firing"))
	if _, err := b.step(t.Context()); err == nil {
		t.Error("the failure is not told")
	}
	if w := b.db.hook(good.ID); w.State != status.WebhookProcessed {
		t.Errorf("held up: %+v", w)
	}
	if w := b.db.hook(poison.ID); w.State != status.WebhookPending {
		t.Errorf("given up at once: %+v", w)
	}
	for range maxTries {
		_, _ = b.step(t.Context())
	}
	if w := b.db.hook(poison.ID); w.State != status.WebhookDead || !strings.Contains(w.Verdict, "index row size") {
		t.Errorf("%+v", w)
	}
}

func TestAFullDiskMakesNoDeadLetters(t *testing.T) {
	b := newBench(t)
	b.db.set(func(d *database) { d.refuse = func(status.Changes) error { return errors.New("disk full") } })
	r := b.accept(t, KindAlertmanager, alert("a", "firing"))
	for range 5 * maxTries {
		_, _ = b.step(t.Context())
	}
	if w := b.db.hook(r.ID); w.State != status.WebhookPending {
		t.Fatalf("%+v", w)
	}
	b.db.set(func(d *database) { d.refuse = nil })
	b.work(t)
	if w := b.db.hook(r.ID); w.State != status.WebhookProcessed || len(b.db.signals()) != 1 {
		t.Errorf("%+v", w)
	}
}

func TestADatabaseThatComesBackAtTheWrongMomentLosesNoFact(t *testing.T) {
	b := newBench(t)
	b.db.set(func(d *database) {
		d.refuse = func(c status.Changes) error {
			if c.Verdicts[0].State == status.WebhookDead {
				d.refuse = nil // the disk has room again, just now
				return nil
			}
			return errors.New("disk full")
		}
	})
	b.accept(t, KindAlertmanager, alert("a", "firing"))
	for range 2 * maxTries {
		_, _ = b.step(t.Context())
	}
	if len(b.db.signals()) != 1 {
		t.Error("the alert is gone")
	}
}

func TestAPanicInTheCoreIsADeadLetterNotACrash(t *testing.T) {
	var rules *status.Rules
	b := newBench(t)
	b.Intake.cfg.Rules = func() *status.Rules { return rules }
	r := b.accept(t, KindAlertmanager, alert("a", "firing"))
	if _, err := b.step(t.Context()); !errors.Is(err, errNoRules) || b.db.hook(r.ID).State != status.WebhookPending {
		t.Errorf("without rules: %v, %+v", err, b.db.hook(r.ID))
	}
	rules = &status.Rules{Rules: []status.Rule{{Matchers: labels.Matchers{nil}}}}
	b.work(t)
	if w := b.db.hook(r.ID); w.State != status.WebhookDead || !strings.Contains(w.Verdict, "processing it failed") {
		t.Errorf("%+v", w)
	}
}

func TestWhatTheProcessHasReadIsNotFetchedAgain(t *testing.T) {
	b := newBench(t)
	for n := range 20 {
		b.accept(t, KindAlertmanager, alert(fmt.Sprint("a", n), "firing"))
	}
	b.work(t)
	if b.db.unpacked > 0 || len(b.db.signals()) != 20 {
		t.Errorf("%d bodies were fetched, %d alerts are known", b.db.unpacked, len(b.db.signals()))
	}
	b.accept(t, KindAlertmanager, alert("left by the process before", "firing"))
	b.start(t)
	b.work(t)
	if b.db.unpacked != 1 || len(b.db.signals()) != 21 {
		t.Errorf("%d bodies were fetched, %d alerts are known", b.db.unpacked, len(b.db.signals()))
	}
}

func TestBatchesShrinkWhenBodiesAreHeavy(t *testing.T) {
	b := newBench(t)
	b.accept(t, KindAlertmanager, `{"alerts":[],"pad":"`+strings.Repeat("x", heavy)+`"}`)
	b.work(t)
	if b.limit >= firstBatch {
		t.Errorf("limit %d", b.limit)
	}
	for range 8 {
		b.accept(t, KindAlertmanager, alert("a", "firing"))
		b.work(t)
	}
	if b.limit != largest {
		t.Errorf("limit %d", b.limit)
	}
}

func TestRunIsWokenByADeliveryAndBacksOffWithoutTheDatabase(t *testing.T) {
	b := newBench(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	r := b.accept(t, KindAlertmanager, alert("a", "firing"))
	if got := <-b.db.closed; got != r.ID { // the clock stands still: only the wake-up can bring this about
		t.Errorf("closed %s", got)
	}
	failures := 0
	b.db.set(func(d *database) {
		d.refuse = func(status.Changes) error {
			if failures++; failures <= 20 {
				return errors.New("away")
			}
			return nil
		}
	})
	r = b.accept(t, KindAlertmanager, alert("b", "firing"))
	if got := <-b.db.closed; got != r.ID {
		t.Errorf("closed %s", got)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	waits := b.clock.waits
	if len(waits) < 6 || waits[0] != firstPause || waits[1] != 2*firstPause || slices.Max(waits) > longestPause {
		t.Errorf("pauses: %v", waits)
	}
	if s := b.Stats(); s.LastError != "away" || !s.LastErrorOver {
		t.Errorf("%+v", s)
	}
}

func TestBatchesKeepTheirPaceUnlessMoreWaitsThanOneHolds(t *testing.T) {
	b := newBench(t, func(cfg *IntakeConfig) { cfg.Pace = 25 * time.Millisecond })
	var rests []int // before each batch
	b.db.set(func(d *database) {
		d.refuse = func(status.Changes) error {
			b.clock.mu.Lock()
			defer b.clock.mu.Unlock()
			rests = append(rests, len(b.clock.waits))
			return nil
		}
	})
	for n := range firstBatch + 1 {
		b.accept(t, KindAlertmanager, alert(fmt.Sprint("a", n), "firing"))
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	for range firstBatch + 1 {
		<-b.db.closed
	}
	b.accept(t, KindAlertmanager, alert("later", "firing"))
	<-b.db.closed
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !slices.Equal(rests, []int{0, 0, 1}) || b.clock.waits[0] != b.cfg.Pace {
		t.Errorf("rests before each batch: %v, of %v", rests, b.clock.waits)
	}
}

func TestOnlyAStormIsPaced(t *testing.T) {
	const pace = 25 * time.Millisecond
	for _, c := range []struct {
		name   string
		every  time.Duration
		each   int
		strong bool
	}{
		{"a delivery now and then", time.Second, 1, false},
		{"an alert and its end", 12 * time.Millisecond, 1, false},
		{"five hundred a second, one by one", 2 * time.Millisecond, 1, true},
		{"five hundred a second, paced", pace, 12, true},
		{"many at once after a silence", time.Minute, 12, true},
	} {
		f, at := flow{}, time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
		for range 20 {
			at = at.Add(c.every)
			f.took(c.each, at, pace)
		}
		if f.strong() != c.strong {
			t.Errorf("%s: strong %t", c.name, f.strong())
		}
		if f.took(1, at.Add(2*pace), pace); f.strong() {
			t.Errorf("%s: it is not over when it is over", c.name)
		}
	}
}

func TestAStormIsStoredWhole(t *testing.T) {
	b := newBench(t)
	var all sync.WaitGroup
	for n := range 500 {
		if n == 100 {
			b.db.set(func(d *database) { d.away = errors.New("away") })
		}
		if n == 300 {
			b.db.set(func(d *database) { d.away = nil })
		}
		all.Go(func() {
			if _, err := b.Accept(t.Context(), KindAlertmanager, "prod", []byte(alert(fmt.Sprint(n), "firing"))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	b.work(t)
	if got := len(b.db.signals()); got != 500 {
		t.Errorf("%d of 500", got)
	}
}

func TestAnIntakeWithoutItsPartsDoesNotStart(t *testing.T) {
	if _, err := NewIntake(IntakeConfig{}); err == nil {
		t.Error("started")
	}
	b := newBench(t)
	b.cfg.JournalDir = ""
	if _, err := NewIntake(b.cfg); err == nil || !strings.Contains(err.Error(), "journal") {
		t.Error(err)
	}
}
