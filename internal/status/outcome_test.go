package status_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestEachAlertOfADeliveryHasAnOutcome(t *testing.T) {
	w := newWorld(t, status.Rule{Name: "rule", Matchers: matcher(t, `alertname="CheckoutDown"`), Open: status.Open{Publish: status.PublishConfirm}})
	did := func(want string, facts ...status.Fact) {
		t.Helper()
		for n := range facts {
			facts[n].Delivery, facts[n].ReceivedAt = "d", w.now
		}
		c := status.Receive(w.board, w.rules, facts, w.now)
		w.merge(c)
		got := ""
		for _, o := range c.Outcomes["d"] {
			rules := []string{}
			for _, k := range o.Tracks {
				rules = append(rules, k.Rule)
			}
			got += fmt.Sprintf("%d %s %v; ", o.Alerts, o.Did, rules)
		}
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	a, b, other := w.firing("a"), w.firing("b"), w.firing("other")
	other.Labels = map[string]string{"alertname": "Unrelated"}
	early := w.cleared("early", w.now.Add(-time.Minute))
	did("2 began to fire [rule]; 1 began to fire []; 1 ended before it was seen firing []; ", a, b, other, early)
	did("3 nothing new [rule]; ", a, a, b)
	old := w.cleared("a", w.now.Add(-2*time.Hour))
	old.EndsAt = w.now.Add(-time.Hour)
	did("1 older than what was known [rule]; ", old)
	w.after(time.Minute)
	did("1 ended [rule]; ", w.cleared("a", epoch))
}

func TestTheOutcomesOfOneDeliveryAreBounded(t *testing.T) {
	w := newWorld(t, status.Rule{Name: "rule", GroupBy: []string{"instance"}, Open: status.Open{Publish: status.PublishConfirm}})
	var facts []status.Fact
	for n := range 1000 {
		f := w.firing(fmt.Sprint(n))
		f.Delivery = "d"
		facts = append(facts, f)
	}
	got := status.Receive(w.board, w.rules, facts, w.now).Outcomes["d"]
	sum := 0
	for _, o := range got {
		sum += o.Alerts
	}
	if len(got) > 200 || sum != 1000 || !slices.ContainsFunc(got, func(o status.Outcome) bool { return o.Did == status.DidMore }) {
		t.Errorf("%d outcomes for %d alerts", len(got), sum)
	}
}
