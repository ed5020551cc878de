package status_test

import (
	"flag"
	"maps"
	"os"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// 2,000 histories of some 30 steps; `-rapid.checks` on the command line wins.
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == "rapid.checks" })
	if !set {
		_ = flag.Set("rapid.checks", "2000")
	}
	os.Exit(m.Run())
}

// TestInvariantsHoldInEveryHistory plays random histories of alerts, people
// and time, and checks the invariants of CORRELATION after each step.
func TestInvariantsHoldInEveryHistory(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, checkoutDown(t, func(r *status.Rule) {
			r.For = rapid.SampledFrom([]time.Duration{0, time.Minute}).Draw(rt, "for")
			r.Open.Publish = rapid.SampledFrom([]status.Publish{status.PublishAuto, status.PublishConfirm, status.PublishNever}).Draw(rt, "publish")
			r.Open.PublishAfter = rapid.SampledFrom([]time.Duration{0, time.Minute}).Draw(rt, "veto")
			r.Resolve.MonitoringFirst = rapid.Bool().Draw(rt, "monitoring first")
			r.Resolve.After = rapid.SampledFrom([]time.Duration{0, 2 * time.Minute}).Draw(rt, "settle")
			r.Resolve.Mode = rapid.SampledFrom([]status.ResolveMode{status.ResolveAuto, status.ResolveAuto, status.ResolveMonitoring, status.ResolvePropose, status.ResolveManual}).Draw(rt, "mode")
			r.Resolve.Require = rapid.SampledFrom([]status.Require{status.RequireAll, status.RequireAny, status.RequireAtMost}).Draw(rt, "require")
			r.Resolve.AtMost = rapid.IntRange(0, 1).Draw(rt, "at most")
			r.MinAlerts = rapid.IntRange(0, 2).Draw(rt, "min alerts")
			r.ReopenWithin = rapid.SampledFrom([]time.Duration{0, 10 * time.Minute}).Draw(rt, "reopen within")
			r.SilencedResolves = rapid.Bool().Draw(rt, "silenced resolves")
			r.DuringMaintenance = rapid.SampledFrom([]status.MaintenancePolicy{"", status.MaintenanceIgnore}).Draw(rt, "maintenance")
			r.Open.ConfirmAfter = rapid.SampledFrom([]time.Duration{0, 3 * time.Minute}).Draw(rt, "confirm after")
			r.Open.ConfirmThen = rapid.SampledFrom([]status.ConfirmThen{status.ConfirmPublish, status.ConfirmDiscard, status.ConfirmKeep}).Draw(rt, "confirm then")
			if rapid.Bool().Draw(rt, "flaps") {
				r.Flap = status.Flap{Changes: 3, Window: 10 * time.Minute, Settle: 4 * time.Minute}
			}
			if rapid.Bool().Draw(rt, "escalates") {
				r.Escalate = []status.Escalation{
					{When: condition("alerts", ">=", 2, 0, ""), Impact: status.ImpactCritical, Deescalate: rapid.Bool().Draw(rt, "deescalates")},
					{When: condition("open_for", ">", 0, 3*time.Minute, ""), Components: []status.RuleComponent{{Component: "api", Status: status.MajorOutage}}},
				}
			}
			if rapid.IntRange(0, 9).Draw(rt, "components") == 0 {
				r.Open.Components = nil
			}
		}))
		if rapid.Bool().Draw(rt, "breaker") {
			w.rules.Breaker = status.Breaker{MaxPublished: 1, Window: 5 * time.Minute}
		}
		if rapid.Bool().Draw(rt, "polled") {
			polled(w)
		}
		h := &history{world: w, rt: rt, starts: map[string]time.Time{}, announced: map[string]bool{}}
		rt.Repeat(map[string]func(*rapid.T){
			"fire": h.fire, "clear": h.clear, "repeat": h.repeat, "late": h.late, "wait": h.wait,
			"publish": h.publish, "dismiss": h.dismiss, "edit": h.edit, "post": h.post, "hand back": h.handBack, "open by hand": h.openByHand,
			"poll": h.poll, "restart": h.restart, "maintain": h.maintain, "end maintenance": h.endMaintenance, "merge": h.merge2,
		})
	})
}

type history struct {
	*world
	rt        *rapid.T
	starts    map[string]time.Time
	last      []status.Fact
	announced map[string]bool
}

func (h *history) name(t *rapid.T) string {
	return rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "alert")
}

func (h *history) fire(t *rapid.T) {
	n := h.name(t)
	h.starts[n] = h.now
	f := h.firing(n)
	f.Labels = map[string]string{"alertname": "CheckoutDown", "region": rapid.SampledFrom([]string{"eu", "us"}).Draw(t, "region")}
	f.Fingerprint += f.Labels["region"]
	h.automate(f)
}

func (h *history) clear(t *rapid.T) {
	n := h.name(t)
	start, ok := h.starts[n]
	if !ok {
		return
	}
	f := h.cleared(n, start)
	f.Labels = map[string]string{"alertname": "CheckoutDown", "region": rapid.SampledFrom([]string{"eu", "us"}).Draw(t, "region")}
	f.Fingerprint += f.Labels["region"]
	h.automate(f)
}

// repeat delivers the last facts once more: nothing may change.
func (h *history) repeat(t *rapid.T) {
	if len(h.last) == 0 {
		return
	}
	if c := status.Receive(h.board, h.rules, h.last, h.now); !c.Empty() {
		t.Fatalf("the same delivery changed %+v", c)
	}
}

func (h *history) late(t *rapid.T) {
	n := h.name(t)
	start := h.now.Add(-time.Duration(rapid.IntRange(1, 600).Draw(t, "seconds")) * time.Second)
	f := fact(n, start, time.Time{})
	f.Fingerprint += "eu"
	h.automate(f)
	h.last = nil // an overtaken start that is said twice may open: S08
}

func (h *history) wait(t *rapid.T) {
	end := h.now.Add(time.Duration(rapid.IntRange(1, 400).Draw(t, "seconds")) * time.Second)
	for h.now.Before(end) {
		due := h.board.Due()
		if due.IsZero() || due.After(end) {
			h.now = end
			return
		}
		h.now = due
		h.judge(status.Tick(h.board, h.rules, h.now), true)
		if after := h.board.Due(); after.Equal(due) && !due.IsZero() {
			t.Fatalf("a deadline at %s stays due", due)
		}
		h.last = nil
	}
}

func (h *history) automate(facts ...status.Fact) {
	for i := range facts {
		facts[i].ReceivedAt = h.now
	}
	h.judge(status.Receive(h.board, h.rules, facts, h.now), true)
	h.last = facts
}

func (h *history) person(e status.Edit) {
	c, err := status.Revise(h.board, h.rules, e, "ada", h.now)
	if err != nil {
		return
	}
	h.judge(c, false)
	h.last = nil
}

func (h *history) someIssue(t *rapid.T) (status.Issue, bool) {
	all := h.issues()
	if len(all) == 0 {
		return status.Issue{}, false
	}
	return all[rapid.IntRange(0, len(all)-1).Draw(t, "issue")], true
}

func (h *history) publish(t *rapid.T) {
	if i, ok := h.someIssue(t); ok {
		h.person(status.PublishIssue{EditIssue: status.EditIssue{ID: i.ID, Version: i.Version}, Silent: rapid.Bool().Draw(t, "silent")})
	}
}

func (h *history) dismiss(t *rapid.T) {
	if i, ok := h.someIssue(t); ok {
		h.person(status.DismissIssue{ID: i.ID, Version: i.Version})
	}
}

func (h *history) edit(t *rapid.T) {
	i, ok := h.someIssue(t)
	if !ok {
		return
	}
	e := status.EditIssue{ID: i.ID, Version: i.Version}
	switch rapid.IntRange(0, 3).Draw(t, "field") {
	case 0:
		e.Title = ptr("Ours " + rapid.StringMatching(`[a-z]{3}`).Draw(t, "title"))
	case 1:
		e.Impact = ptr(rapid.SampledFrom(status.Impacts).Draw(t, "impact"))
	case 2:
		e.State = ptr(rapid.SampledFrom(status.IssueStates).Draw(t, "state"))
	case 3:
		e.Components = ptr([]status.Affected{{ComponentID: h.componentID("api"), Status: rapid.SampledFrom(status.ComponentStatuses).Draw(t, "status")}})
	}
	h.person(e)
}

func (h *history) post(t *rapid.T) {
	if i, ok := h.someIssue(t); ok {
		e := status.PostUpdate{ID: i.ID, Version: i.Version, Body: "News."}
		if rapid.Bool().Draw(t, "with state") {
			e.State = ptr(rapid.SampledFrom(status.IssueStates).Draw(t, "state"))
		}
		h.person(e)
	}
}

func (h *history) handBack(t *rapid.T) {
	if i, ok := h.someIssue(t); ok && len(i.Held) > 0 {
		h.person(status.HandBack{ID: i.ID, Version: i.Version, Fields: []status.Field{rapid.SampledFrom(status.Fields).Draw(t, "field")}})
	}
}

func (h *history) openByHand(t *rapid.T) {
	if len(h.board.Issues) > 6 {
		return
	}
	h.person(status.OpenIssue{
		Title: "By hand", Body: "We look.", Publish: rapid.Bool().Draw(t, "publish"),
		Impact: rapid.SampledFrom(status.Impacts).Draw(t, "impact"),
	})
}

func (h *history) poll(t *rapid.T) {
	s := seen()
	s.Trusted = rapid.IntRange(0, 3).Draw(t, "trusted") > 0
	for k := range h.board.Signals {
		if rapid.Bool().Draw(t, "active") {
			s.Active[k.Fingerprint] = status.SeenAlert{Suppressed: rapid.Bool().Draw(t, "suppressed")}
		}
	}
	h.judge(status.Reconcile(h.board, h.rules, s, h.now), true)
	h.last = nil
}

func (h *history) restart(*rapid.T) {
	h.judge(status.Started(h.board, h.rules, h.now), true)
}

func (h *history) maintain(t *rapid.T) {
	if len(h.board.Maintenances) > 2 {
		return
	}
	h.person(status.SaveMaintenance{Silent: true, Maintenance: status.Maintenance{
		Title: "Work", Components: []string{h.componentID("checkout")}, AutoStart: true, AutoEnd: rapid.Bool().Draw(t, "auto end"),
		ScheduledFor: h.now.Add(time.Minute), ScheduledUntil: h.now.Add(5 * time.Minute),
	}})
}

func (h *history) endMaintenance(t *rapid.T) {
	for id := range h.board.Maintenances {
		h.person(status.PostMaintenanceUpdate{ID: id, State: rapid.SampledFrom(status.MaintenanceStates).Draw(t, "state")})
		return
	}
}

func (h *history) merge2(t *rapid.T) {
	f := h.cleared(h.name(t)+"eu", h.now.Add(-time.Minute))
	f.MergedInto = h.name(t) + "eu"
	h.automate(f)
	h.last = nil
}

// judge checks what a step did, saves it, and checks what came of it.
func (h *history) judge(c status.Changes, automatic bool) {
	for id, after := range c.Issues {
		before, existed := h.board.Issues[id]
		h.explained(before, after, c)
		if existed && automatic {
			h.untouched(before, after)
		}
	}
	for _, a := range c.Announcements {
		if h.announced[a.UpdateID] {
			h.rt.Fatalf("update %s is announced twice", a.UpdateID)
		}
		h.announced[a.UpdateID] = true
		if i, ok := c.Issues[a.SubjectID]; ok && i.Stage != status.Published {
			h.rt.Fatalf("an issue that is %s is announced", i.Stage)
		}
	}
	h.merge(c)
	h.consistent()
}

// explained: each change of state or stage has an entry that says why.
func (h *history) explained(before, after status.Issue, c status.Changes) {
	if before.State == after.State && before.Stage == after.Stage {
		return
	}
	for _, e := range c.Entries {
		if e.Subject == after.ID && e.Reason != "" {
			return
		}
	}
	h.rt.Fatalf("issue went from %s/%s to %s/%s without a reason", before.Stage, before.State, after.Stage, after.State)
}

// untouched: automation moves no held field and no issue of a person.
func (h *history) untouched(before, after status.Issue) {
	if before.Origin == status.Manual {
		h.rt.Fatalf("automation changed an issue that a person opened")
	}
	moved := map[status.Field]bool{
		status.FieldTitle:      before.Title != after.Title,
		status.FieldImpact:     before.Impact != after.Impact,
		status.FieldState:      before.State != after.State,
		status.FieldComponents: !reflect.DeepEqual(before.Components, after.Components),
		status.FieldBody:       before.Updates[0].Body != after.Updates[0].Body,
	}
	for f := range before.Held {
		if moved[f] {
			h.rt.Fatalf("automation moved %s, which a person holds", f)
		}
	}
	if !maps.Equal(before.Held, after.Held) {
		h.rt.Fatalf("automation changed what people hold")
	}
}

// consistent: what must be true of any board.
func (h *history) consistent() {
	open := map[status.TrackKey]int{}
	firing := map[status.TrackKey]int{}
	for _, s := range h.board.Signals {
		for _, k := range s.Tracks {
			if s.Firing {
				firing[k]++
			}
		}
	}
	for _, i := range h.board.Issues {
		if i.Origin == status.FromAlert && i.Open() {
			open[status.TrackKey{Rule: i.Rule, Group: i.Group}]++
		}
		if i.State == status.Resolved && i.ResolvedBy == "" {
			h.rt.Fatalf("issue is resolved by nobody")
		}
		if i.Stage == status.Published && i.PublishedAt.IsZero() {
			h.rt.Fatalf("issue is public since never")
		}
	}
	for k, n := range open {
		if n > 1 {
			h.rt.Fatalf("%d open issues in track %v", n, k)
		}
	}
	for k, t := range h.board.Tracks {
		levels := 0
		for _, n := range t.Levels {
			levels += n
		}
		if t.Firing != levels {
			h.rt.Fatalf("track %v counts %d firing, %d by level", k, t.Firing, levels)
		}
		if t.Firing != firing[k] {
			h.rt.Fatalf("track %v counts %d firing, there are %d", k, t.Firing, firing[k])
		}
		if i, ok := h.board.Issues[t.IssueID]; t.IssueID != "" && (!ok || !i.Open()) {
			h.rt.Fatalf("track %v names issue %q, which is not open", k, t.IssueID)
		}
	}
	h.honest()
}

// honest: while a public issue hurts, nothing says that all is well.
func (h *history) honest() {
	s := status.Overview(h.view(), h.now)
	for _, i := range s.Active {
		if i.Impact != status.ImpactNone && (s.Headline.Indicator == status.IndicatorNone || s.Headline.Description == "All Systems Operational") {
			h.rt.Fatalf("headline %q while %q has impact %s", s.Headline.Description, i.Title, i.Impact)
		}
	}
}

// TestFactsInAnyOrderEndInTheSameState: episodes of one alert, delivered in
// any order, leave it firing exactly if the newest episode has no end.
func TestFactsInAnyOrderEndInTheSameState(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(rt, "episodes")
		var facts []status.Fact
		for e := range n {
			start := epoch.Add(time.Duration(e) * 10 * time.Minute)
			facts = append(facts, fact("a", start, time.Time{}))
			if e < n-1 || rapid.Bool().Draw(rt, "ends") {
				facts = append(facts, fact("a", start, start.Add(5*time.Minute)))
			}
		}
		inOrder, shuffled := newWorld(t, checkoutDown(t, publishedAtOnce)), newWorld(t, checkoutDown(t, publishedAtOnce))
		inOrder.now, shuffled.now = epoch.Add(2*time.Hour), epoch.Add(2*time.Hour)
		inOrder.receive(facts...)
		shuffled.receive(rapid.Permutation(facts).Draw(rt, "order")...)
		inOrder.after(time.Hour)
		shuffled.after(time.Hour)
		k := status.SignalKey{Source: "am", Fingerprint: "a"}
		if a, b := inOrder.board.Signals[k].Firing, shuffled.board.Signals[k].Firing; a != b {
			rt.Fatalf("in order it fires: %v, in this order: %v", a, b)
		}
		if a, b := openIssues(inOrder), openIssues(shuffled); a != b {
			rt.Fatalf("in order %d issues are open, in this order %d", a, b)
		}
	})
}

func openIssues(w *world) int {
	n := 0
	for _, i := range w.issues() {
		if i.Open() {
			n++
		}
	}
	return n
}
