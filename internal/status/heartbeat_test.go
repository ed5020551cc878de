package status_test

import (
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// watched gives the source a heartbeat that may be five minutes old.
func watched(t *testing.T, w *world, peers ...string) {
	w.rules.Sources = []status.Source{{
		Name: "am", Type: "alertmanager", Peers: peers,
		Heartbeat: status.Heartbeat{Matchers: matcher(t, `{alertname="Watchdog"}`), MaxAge: 5 * time.Minute},
	}}
}

// beat is what Alertmanager posts of the heartbeat.
func beat(over time.Time) status.Fact {
	f := fact("watchdog", epoch, over)
	f.Labels["alertname"] = "Watchdog"
	return f
}

func TestS22AStaleHeartbeatFreezesResolving(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	watched(t, w, "http://am")
	answer := func(renewed time.Time, names ...string) status.Seen {
		s := seen(names...)
		s.HeartbeatAt = renewed
		return s
	}
	w.receive(w.firing("a"))
	w.reconcile(answer(epoch, "a"))
	w.after(4 * time.Minute)
	w.receive(w.cleared("a", epoch)) // Prometheus is dying: a phantom
	w.receive(beat(time.Time{}))     // and Alertmanager repeats what it remembers
	w.after(time.Hour)
	if i := w.only(); i.State == status.Resolved {
		t.Fatal("resolved while the source is blind")
	}
	w.reconcile(answer(w.now))
	w.after(time.Minute)
	w.reconcile(answer(w.now))
	w.after(3 * time.Minute)
	if i := w.only(); i.State == status.Resolved {
		t.Fatal("resolved before the alerts had the time to come back")
	}
	w.reconcile(answer(w.now))
	w.after(2 * time.Minute)
	if i := w.only(); i.State != status.Resolved {
		t.Errorf("state %s after the source is back", i.State)
	}
	if len(w.board.Signals) != 1 {
		t.Errorf("the heartbeat became a signal")
	}
}

func TestAnIssueIsNotSaidToRecoverWhileNobodyWatches(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce, func(r *status.Rule) { r.Resolve.MonitoringFirst = true }))
	watched(t, w)
	w.receive(beat(time.Time{}), w.firing("a"))
	w.after(time.Minute)
	w.receive(beat(w.now)) // both end, as they do when Prometheus dies
	w.receive(w.cleared("a", epoch))
	w.after(time.Hour)
	if i := w.only(); i.State != status.Investigating || len(i.Updates) != 1 {
		t.Errorf("state %s after %d updates", i.State, len(i.Updates))
	}
	w.receive(beat(time.Time{}))
	w.after(time.Minute)
	if i := w.only(); i.State != status.Monitoring {
		t.Errorf("state %s when the source is back", i.State)
	}
}

func TestAHeartbeatThatEndsIsStaleAtOnce(t *testing.T) {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	watched(t, w)
	blind := func() bool { return w.board.Blind(w.rules, "am", w.now) }
	if !blind() {
		t.Error("a heartbeat that never came is believed")
	}
	w.receive(beat(time.Time{}))
	if blind() {
		t.Error("a fresh heartbeat is not believed")
	}
	w.after(time.Second)
	w.receive(beat(w.now))
	if !blind() {
		t.Error("Prometheus took back what fires always, and is believed")
	}
}

func TestMissesCountAsFarApartAsTheSourceIsAsked(t *testing.T) {
	for every, want := range map[time.Duration]bool{0: true, 10 * time.Second: false, 5 * time.Minute: true} {
		w := newWorld(t, checkoutDown(t, publishedAtOnce))
		w.rules.Sources = []status.Source{{Name: "am", Peers: []string{"http://am"}, PollEvery: every}}
		w.receive(w.firing("a"))
		w.reconcile(seen())
		w.after(30 * time.Second)
		w.reconcile(seen())
		if got := w.board.Signals[w.firing("a").Key()].Firing; got != want {
			t.Errorf("poll_every %s: after half a minute the alert fires: %v", every, got)
		}
	}
}
