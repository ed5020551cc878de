package status_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/statusbridge/statusbridge/internal/status"
)

// epoch is when every test begins.
var epoch = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// world is a board with a virtual clock: what a test does to it goes through
// the verbs, and the clock stops at every deadline on its way.
type world struct {
	t     testing.TB
	board status.Board
	rules *status.Rules
	now   time.Time
	log   []status.Entry
	told  []status.Announcement
}

func newWorld(t testing.TB, rules ...status.Rule) *world {
	w := &world{t: t, board: status.NewBoard("test"), rules: &status.Rules{Rules: rules}, now: epoch}
	w.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	w.revise(status.SaveComponent{Component: status.Component{Name: "API"}})
	w.told, w.log = nil, nil
	return w
}

func (w *world) merge(c status.Changes) {
	w.board.Merge(c)
	w.log = append(w.log, c.Entries...)
	w.told = append(w.told, c.Announcements...)
}

// after lets time pass; everything due on the way happens when it is due.
func (w *world) after(d time.Duration) {
	end := w.now.Add(d)
	for range 1000 {
		due := w.board.Due()
		if due.IsZero() || due.After(end) {
			w.now = end
			return
		}
		if due.After(w.now) {
			w.now = due
		}
		w.merge(status.Tick(w.board, w.rules, w.now))
	}
	w.t.Fatal("the clock does not come to rest: a deadline stays due")
}

func (w *world) receive(facts ...status.Fact) {
	for i := range facts {
		if facts[i].ReceivedAt.IsZero() {
			facts[i].ReceivedAt = w.now
		}
	}
	w.merge(status.Receive(w.board, w.rules, facts, w.now))
}

// revise carries out an edit and returns the id it touched.
func (w *world) revise(e status.Edit) string {
	w.t.Helper()
	c, err := status.Revise(w.board, w.rules, e, "ada@example.test", w.now)
	if err != nil {
		w.t.Fatalf("%T: %v", e, err)
	}
	w.merge(c)
	return c.Result
}

// firing is an alert that began at the present time.
func (w *world) firing(name string) status.Fact { return fact(name, w.now, time.Time{}) }

// cleared is the end, at the present time, of an alert that began at start.
func (w *world) cleared(name string, start time.Time) status.Fact { return fact(name, start, w.now) }

func fact(name string, start, end time.Time) status.Fact {
	return status.Fact{
		Source: "am", Fingerprint: name, Firing: end.IsZero(), StartsAt: start, EndsAt: end,
		Labels: map[string]string{"alertname": "CheckoutDown", "instance": name, "region": "eu"},
	}
}

// issues lists all issues, oldest first.
func (w *world) issues() []status.Issue {
	var out []status.Issue
	for _, i := range w.board.Issues {
		out = append(out, i)
	}
	for i := range out {
		for j := i + 1; j < len(out); j++ {
			if out[j].CreatedAt.Before(out[i].CreatedAt) {
				out[i], out[j] = out[j], out[i]
			}
		}
	}
	return out
}

// only is the one issue there is.
func (w *world) only() status.Issue {
	w.t.Helper()
	all := w.issues()
	if len(all) != 1 {
		w.t.Fatalf("there are %d issues, want one", len(all))
	}
	return all[0]
}

func (w *world) componentID(slug string) string {
	for _, c := range w.board.Components {
		if c.Slug == slug {
			return c.ID
		}
	}
	w.t.Fatalf("no component %s", slug)
	return ""
}

func (w *world) view() status.View {
	var v status.View
	for _, c := range w.board.Components {
		v.Components = append(v.Components, c)
	}
	for _, i := range w.board.Issues {
		if i.Public() {
			v.Issues = append(v.Issues, &i)
		}
	}
	for _, m := range w.board.Maintenances {
		v.Maintenances = append(v.Maintenances, m)
	}
	status.Order(v.Components, nil)
	return v
}

func (w *world) reasons(action string) []status.Reason {
	var out []status.Reason
	for _, e := range w.log {
		if e.Action == action {
			out = append(out, e.Reason)
		}
	}
	return out
}

func (w *world) events() string {
	s := ""
	for _, a := range w.told {
		s += fmt.Sprintf("%s ", a.Event)
	}
	return s
}

func words(format string) status.Text {
	return func(e status.Evidence) (string, error) { return fmt.Sprintf(format, e.GroupLabels["region"]), nil }
}

func matcher(t testing.TB, s string) labels.Matchers {
	m, err := labels.ParseMatchers(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// checkoutDown is the rule most tests use: hold 2 m, confirm, settle 5 m.
func checkoutDown(t testing.TB, change ...func(*status.Rule)) status.Rule {
	r := status.Rule{
		Name: "checkout-down", Matchers: matcher(t, `{alertname="CheckoutDown"}`), GroupBy: []string{"region"}, For: 2 * time.Minute,
		Open: status.Open{
			Title: words("Checkout is unavailable in %s"), Impact: status.ImpactMajor,
			Components: []status.RuleComponent{{Component: "checkout", Status: status.PartialOutage}}, Publish: status.PublishConfirm,
		},
		Resolve: status.Resolve{Mode: status.ResolveAuto, After: 5 * time.Minute},
	}
	for _, f := range change {
		f(&r)
	}
	return r
}

func publishedAtOnce(r *status.Rule) { r.Open.Publish, r.For = status.PublishAuto, 0 }

func ptr[T any](v T) *T { return &v }
