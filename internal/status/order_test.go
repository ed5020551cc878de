package status_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/statusbridge/statusbridge/internal/status"
)

// anyFacts draws the lives of alerts in two groups, in the order in which they
// happened, each statement a delivery of its own. The source may stamp them.
func anyFacts(rt *rapid.T) []status.Fact {
	var facts []status.Fact
	for _, name := range []string{"a", "b", "c"}[:rapid.IntRange(1, 3).Draw(rt, "alerts")] {
		region := rapid.SampledFrom([]string{"eu", "us"}).Draw(rt, "region")
		life := episodes(rt, name)
		if rapid.Bool().Draw(rt, "stamped") {
			life = stamped(rt, name)
		}
		for _, f := range life {
			f.Labels["region"], f.Delivery = region, fmt.Sprint(len(facts))
			facts = append(facts, f)
		}
	}
	return facts
}

// episodes is the life of an alert of Prometheus: it comes and goes.
func episodes(rt *rapid.T, name string) []status.Fact {
	var life []status.Fact
	n := rapid.IntRange(1, 4).Draw(rt, "episodes")
	for e := range n {
		start := epoch.Add(time.Duration(e) * 10 * time.Minute)
		life = append(life, fact(name, start, time.Time{}))
		if e < n-1 || rapid.Bool().Draw(rt, "ends") {
			life = append(life, fact(name, start, start.Add(5*time.Minute)))
		}
	}
	return life
}

// stamped is the life of an issue of New Relic: one episode, told again and
// again with a later stamp.
func stamped(rt *rapid.T, name string) []status.Fact {
	var life []status.Fact
	n := rapid.IntRange(1, 4).Draw(rt, "statements")
	for e := range n {
		f := fact(name, epoch, time.Time{})
		f.OrderedAt = epoch.Add(time.Duration(e) * time.Minute)
		if e == n-1 && rapid.Bool().Draw(rt, "ends") {
			f.Firing, f.EndsAt = false, f.OrderedAt
		}
		life = append(life, f)
	}
	return life
}

// TestFactsInAnyOrderEndInTheSameState: the lives of alerts, delivered in any
// order, end with the same alerts firing and the same issues open.
func TestFactsInAnyOrderEndInTheSameState(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		facts := anyFacts(rt)
		inOrder, shuffled := newWorld(t, checkoutDown(t, publishedAtOnce)), newWorld(t, checkoutDown(t, publishedAtOnce))
		for w, list := range map[*world][]status.Fact{inOrder: facts, shuffled: rapid.Permutation(facts).Draw(rt, "order")} {
			w.now = epoch.Add(2 * time.Hour)
			w.receive(list...)
			w.after(time.Hour)
		}
		for k, a := range inOrder.board.Signals {
			b := shuffled.board.Signals[k]
			if a.Firing != b.Firing || a.Firing && !a.StartsAt.Equal(b.StartsAt) {
				rt.Fatalf("%s: in order firing %v since %s, in this order %v since %s", k.Fingerprint, a.Firing, a.StartsAt, b.Firing, b.StartsAt)
			}
		}
		if a, b := openIssues(inOrder), openIssues(shuffled); !reflect.DeepEqual(a, b) {
			rt.Fatalf("in order these are open: %v, in this order: %v", a, b)
		}
	})
}

// openIssues tells the open issues by group.
func openIssues(w *world) map[string]string {
	out := map[string]string{}
	for _, i := range w.issues() {
		if i.Open() {
			out[i.Group] += fmt.Sprint(i.Title, i.Stage, i.State, i.Impact, len(i.Components))
		}
	}
	return out
}

// TestDeliveriesTakenTogetherAreAsOneByOne: a storm is taken in by batches, and
// that must not show.
func TestDeliveriesTakenTogetherAreAsOneByOne(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		facts := rapid.Permutation(anyFacts(rt)).Draw(rt, "order")
		together, oneByOne := newWorld(t, checkoutDown(t, publishedAtOnce)), newWorld(t, checkoutDown(t, publishedAtOnce))
		together.now, oneByOne.now = epoch.Add(2*time.Hour), epoch.Add(2*time.Hour)
		together.receive(facts...)
		for _, f := range facts {
			oneByOne.receive(f)
		}
		for _, w := range []*world{together, oneByOne} {
			for id, i := range w.board.Issues {
				i.Version = 0 // counts the saves, which differ
				w.board.Issues[id] = i
			}
		}
		if a, b := together.board, oneByOne.board; !reflect.DeepEqual(a, b) {
			rt.Fatalf("together %+v\none by one %+v", a, b)
		}
		if !reflect.DeepEqual(together.told, oneByOne.told) {
			rt.Fatalf("together %v is told, one by one %v", together.told, oneByOne.told)
		}
	})
}
