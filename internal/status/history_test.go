package status_test

import (
	"flag"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/statusbridge/statusbridge/internal/status"
)

// stepsInAHistory is how many actions a random history has on average.
const stepsInAHistory = 60

func TestMain(m *testing.M) {
	flag.Parse()
	// What the command line says wins.
	wanted := map[string]string{"rapid.checks": "2000", "rapid.steps": strconv.Itoa(stepsInAHistory)}
	flag.Visit(func(f *flag.Flag) { delete(wanted, f.Name) })
	for name, value := range wanted {
		_ = flag.Set(name, value) // the flags are rapid's, the values numbers
	}
	os.Exit(m.Run())
}

// historySteps is how many steps of random histories are taken.
func historySteps(t *testing.T) int64 {
	text := os.Getenv("STATUSBRIDGE_HISTORY_STEPS")
	if text == "" {
		return stepsByDefault
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		t.Fatalf("STATUSBRIDGE_HISTORY_STEPS: %q is not a number of steps", text)
	}
	return n
}

// historySeeds makes the histories of each round those of
// STATUSBRIDGE_HISTORY_SEED, by default always the same: what a change breaks
// must not look like luck. `make histories` takes another seed each time.
// -rapid.seed stands above both.
func historySeeds(t *testing.T) (begin func(round uint64)) {
	given := flag.Lookup("rapid.seed").Value
	before := given.String()
	if before != "0" {
		return func(uint64) {}
	}
	seed := uint64(1)
	if text := os.Getenv("STATUSBRIDGE_HISTORY_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("STATUSBRIDGE_HISTORY_SEED: %q is not a number", text)
		}
	}
	t.Cleanup(func() { _ = given.Set(before) })
	return func(round uint64) {
		if err := given.Set(strconv.FormatUint(seed+round*1_000_003, 10)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestInvariantsHoldInEveryHistory plays random histories of alerts, polls,
// restarts, people and time. After each step a witness, which knows only what
// was said to the engine and not how it reckons, checks the nine invariants.
func TestInvariantsHoldInEveryHistory(t *testing.T) {
	steps := historySteps(t)
	begin := historySeeds(t)
	var taken atomic.Int64
	for round := uint64(0); taken.Load() < steps && !t.Failed(); round++ {
		begin(round)
		rapid.Check(t, func(rt *rapid.T) {
			h := newHistory(t, rt)
			rt.Repeat(map[string]func(*rapid.T){
				"fire": h.fire, "fire another": h.fire, "clear": h.clear, "clear another": h.clear, "late": h.late, "disagree": h.disagree,
				"wait": h.wait, "wait on": h.wait, "beat": h.beat, "poll": h.poll, "restart": h.restart, "set the clock": h.setClock,
				"new relic": h.newRelic, "merge": h.mergeInto, "publish": h.publish, "dismiss": h.dismiss, "edit": h.edit, "post": h.post,
				"hand back": h.handBack, "merge issues": h.mergeIssues, "take back": h.takeBack, "amend": h.amend, "triage": h.triage, "open by hand": h.openByHand, "maintain": h.maintain, "end maintenance": h.endMaintenance,
			})
			taken.Add(h.steps)
		})
	}
	t.Logf("%d steps", taken.Load())
}

// history is one random history, and the witness that watches it.
type history struct {
	*witness
	starts map[string]time.Time // of the present episodes, by fingerprint
	skew   time.Duration        // of the sources' clocks
}

func newHistory(t *testing.T, rt *rapid.T) *history {
	w := newWorld(t, checkoutDown(t, func(r *status.Rule) { anyRule(rt, r) }))
	if rapid.Bool().Draw(rt, "second rule") {
		w.rules.Rules[0].Continue = rapid.Bool().Draw(rt, "continue")
		w.rules.Rules = append(w.rules.Rules, checkoutDown(t, publishedAtOnce, func(r *status.Rule) {
			r.Name, r.Open.Components[0].Component = "second", "api"
		}))
		if rapid.Bool().Draw(rt, "inhibits") {
			w.rules.Inhibit = []status.Inhibit{{
				Source: matcher(t, `{rule="checkout-down"}`), Target: matcher(t, `{rule="second"}`), Equal: []string{"region"},
				Suppress: rapid.Bool().Draw(rt, "suppress"),
			}}
		}
	}
	if rapid.Bool().Draw(rt, "breaker") {
		w.rules.Breaker = status.Breaker{MaxPublished: 1, Window: 5 * time.Minute}
	}
	w.rules.Drafts = status.Drafts{Tell: true, RemindAfter: rapid.SampledFrom([]time.Duration{0, 2 * time.Minute}).Draw(rt, "remind after")}
	am := status.Source{Name: "am", Type: "alertmanager"}
	if rapid.Bool().Draw(rt, "polled") {
		am.Peers = []string{"http://am"}
	}
	if rapid.Bool().Draw(rt, "has a heartbeat") {
		am.Heartbeat = status.Heartbeat{Matchers: matcher(t, `{alertname="Watchdog"}`), MaxAge: 5 * time.Minute}
	}
	w.rules.Sources = []status.Source{am}
	h := &history{starts: map[string]time.Time{}, witness: newWitness(rt, w)}
	h.skew = rapid.SampledFrom([]time.Duration{0, 0, time.Hour, -time.Hour}).Draw(rt, "skew")
	h.restart(rt)
	return h
}

// anyRule draws what a rule may say.
func anyRule(rt *rapid.T, r *status.Rule) {
	r.For = rapid.SampledFrom([]time.Duration{0, time.Minute}).Draw(rt, "for")
	r.Open.Publish = rapid.SampledFrom([]status.Publish{status.PublishAuto, status.PublishAuto, status.PublishConfirm, status.PublishNever}).Draw(rt, "publish")
	r.Open.PublishAfter = rapid.SampledFrom([]time.Duration{0, time.Minute}).Draw(rt, "veto")
	r.Resolve.MonitoringFirst = rapid.Bool().Draw(rt, "monitoring first")
	r.Resolve.After = rapid.SampledFrom([]time.Duration{0, 2 * time.Minute}).Draw(rt, "settle")
	r.Resolve.Mode = rapid.SampledFrom([]status.ResolveMode{status.ResolveAuto, status.ResolveAuto, status.ResolveMonitoring, status.ResolvePropose, status.ResolveManual}).Draw(rt, "mode")
	r.Resolve.Require = rapid.SampledFrom([]status.Require{status.RequireAll, status.RequireAll, status.RequireAny, status.RequireAtMost}).Draw(rt, "require")
	r.Resolve.AtMost = rapid.IntRange(0, 1).Draw(rt, "at most")
	r.MinAlerts = rapid.IntRange(0, 2).Draw(rt, "min alerts")
	r.ReopenWithin = rapid.SampledFrom([]time.Duration{0, 10 * time.Minute}).Draw(rt, "reopen within")
	r.SilencedResolves = rapid.Bool().Draw(rt, "silenced resolves")
	r.DuringMaintenance = rapid.SampledFrom([]status.MaintenancePolicy{"", status.MaintenanceSuppress, status.MaintenanceIgnore}).Draw(rt, "maintenance")
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
}

// alert draws one of six alerts, three a region, in an empty fact.
func (h *history) alert(t *rapid.T) status.Fact {
	name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "alert")
	region := rapid.SampledFrom([]string{"eu", "eu", "us"}).Draw(t, "region")
	f := fact(name+region, h.now.Add(h.skew), time.Time{})
	f.Labels["region"] = region
	return f
}

// fire begins an episode, now.
func (h *history) fire(t *rapid.T) {
	h.pass(time.Second) // a source does not say two things at one moment
	f := h.alert(t)
	h.starts[f.Fingerprint] = f.StartsAt
	h.receive(f)
	if s := h.board.Signals[f.Key()]; !s.Firing && h.skew >= 0 {
		t.Fatalf("a new episode is not believed: %+v", s)
	}
}

// clear ends the present episode of an alert.
func (h *history) clear(t *rapid.T) {
	h.pass(time.Second)
	f := h.alert(t)
	start, ok := h.starts[f.Fingerprint]
	if !ok {
		return
	}
	f.Firing, f.StartsAt, f.EndsAt = false, start, f.StartsAt
	h.receive(f)
	if s := h.board.Signals[f.Key()]; s.Firing && h.skew >= 0 {
		t.Fatalf("the end of the present episode is not believed: %+v", s)
	}
}

// late delivers the beginning of an episode long after it.
func (h *history) late(t *rapid.T) {
	f := h.alert(t)
	f.StartsAt = f.StartsAt.Add(-time.Duration(rapid.IntRange(1, 600).Draw(t, "seconds")) * time.Second)
	h.receive(f)
}

// disagree lets a peer say that an alert fires which another called over.
func (h *history) disagree(t *rapid.T) {
	f := h.alert(t)
	s, ok := h.board.Signals[f.Key()]
	if !ok || s.Firing || s.StartsAt.IsZero() || h.mergedAway[f.Key()] {
		return
	}
	f.StartsAt = s.StartsAt
	h.receive(f)
	if !h.board.Signals[f.Key()].Firing {
		t.Fatal("peers disagree, and the alert was taken for over")
	}
}

// newRelic delivers a statement with a stamp of its own, perhaps a stale one.
func (h *history) newRelic(t *rapid.T) {
	f := fact("issue", epoch, time.Time{})
	f.Source = "nr"
	f.OrderedAt = h.now.Add(-time.Duration(rapid.IntRange(0, 120).Draw(t, "old")) * time.Second)
	switch rapid.IntRange(0, 3).Draw(t, "says") {
	case 0:
		f.Firing, f.EndsAt = false, h.now
	case 1:
		f.Firing, f.EndsAt, f.Unrecovered = false, h.now, true
	}
	h.receive(f)
}

func (h *history) mergeInto(t *rapid.T) {
	child, parent := h.alert(t), h.alert(t)
	child.Firing, child.EndsAt, child.MergedInto = false, h.now, parent.Fingerprint
	h.receive(child)
}

func (h *history) beat(t *rapid.T) {
	f := fact("watchdog", epoch, time.Time{})
	f.Labels["alertname"] = "Watchdog"
	if rapid.IntRange(0, 9).Draw(t, "dies") == 0 {
		f.Firing, f.EndsAt = false, h.now
	}
	h.receive(f)
}

// setClock puts the sources' clocks right.
func (h *history) setClock(*rapid.T) { h.skew = 0 }

func (h *history) wait(t *rapid.T) {
	h.pass(time.Duration(rapid.IntRange(1, 400).Draw(t, "seconds")) * time.Second)
}

// pass lets time pass, with all that is due on the way.
func (h *history) pass(d time.Duration) {
	end := h.now.Add(d)
	for h.now.Before(end) {
		due := h.board.Due()
		if due.IsZero() || due.After(end) {
			h.now = end
			return
		}
		h.now = later(h.now, due)
		h.ticked()
		if after := h.board.Due(); after.Equal(due) {
			h.rt.Fatalf("a deadline at %s stays due", due)
		}
	}
}

// poll asks the source, which may know any of the alerts.
func (h *history) poll(t *rapid.T) {
	if !h.rules.Sources[0].Polled() {
		return
	}
	s := seen()
	s.Trusted = rapid.IntRange(0, 3).Draw(t, "trusted") > 0
	if rapid.IntRange(0, 3).Draw(t, "beats") > 0 {
		s.HeartbeatAt = h.now.Add(-time.Duration(rapid.IntRange(0, 240).Draw(t, "renewed")) * time.Second)
	}
	for _, k := range h.signalKeys() {
		switch rapid.IntRange(0, 3).Draw(t, "state") {
		case 0:
			s.Active[k.Fingerprint] = status.SeenAlert{}
		case 1:
			s.Active[k.Fingerprint] = status.SeenAlert{Suppressed: true}
		}
	}
	h.polled(s)
}

func (h *history) signalKeys() []status.SignalKey {
	var keys []status.SignalKey
	for k := range h.board.Signals {
		if k.Source == "am" {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b status.SignalKey) int { return strings.Compare(a.Fingerprint, b.Fingerprint) })
	return keys
}

func (h *history) someIssue(t *rapid.T) (status.Issue, bool) {
	list := h.issues()
	if len(list) == 0 {
		return status.Issue{}, false
	}
	slices.SortFunc(list, func(a, b status.Issue) int { return strings.Compare(a.ID, b.ID) })
	return list[rapid.IntRange(0, len(list)-1).Draw(t, "issue")], true
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
	switch rapid.IntRange(0, 4).Draw(t, "field") {
	case 0:
		e.Title = ptr("Ours " + rapid.SampledFrom([]string{"one", "two", "three"}).Draw(t, "title"))
	case 1:
		e.Impact = ptr(rapid.SampledFrom(status.Impacts).Draw(t, "impact"))
	case 2:
		e.State = ptr(rapid.SampledFrom(status.IssueStates).Draw(t, "state"))
	case 3:
		e.Components = ptr([]status.Affected{{ComponentID: h.componentID("api"), Status: rapid.SampledFrom(status.ComponentStatuses).Draw(t, "status")}})
	case 4:
		e.Body = ptr("We know more. " + i.Title)
	}
	h.person(e)
}

func (h *history) post(t *rapid.T) {
	if i, ok := h.someIssue(t); ok {
		e := status.PostUpdate{ID: i.ID, Version: i.Version, Body: "News.", Silent: rapid.Bool().Draw(t, "silent")}
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

func (h *history) mergeIssues(t *rapid.T) {
	from, ok := h.someIssue(t)
	if !ok {
		return
	}
	into, _ := h.someIssue(t)
	h.person(status.MergeIssue{
		ID: from.ID, Version: from.Version, Into: into.ID,
		Components: rapid.Bool().Draw(t, "components"), Silent: rapid.Bool().Draw(t, "silent"),
	})
}

func (h *history) takeBack(t *rapid.T) {
	if i, ok := h.someIssue(t); ok {
		h.person(status.UndoPublish{ID: i.ID})
	}
}

func (h *history) amend(t *rapid.T) {
	i, ok := h.someIssue(t)
	if !ok {
		return
	}
	update := i.Updates[rapid.IntRange(0, len(i.Updates)-1).Draw(t, "update")].ID
	switch rapid.IntRange(0, 2).Draw(t, "amend") {
	case 0:
		h.person(status.EditUpdate{ID: i.ID, Version: i.Version, UpdateID: update, Body: "Said better."})
	case 1:
		h.person(status.DeleteUpdate{ID: i.ID, Version: i.Version, UpdateID: update})
	case 2:
		h.person(status.CorrectTimes{ID: i.ID, Version: i.Version, StartedAt: i.StartedAt.Add(-time.Minute), ResolvedAt: i.ResolvedAt})
	}
}

func (h *history) triage(t *rapid.T) {
	if i, ok := h.someIssue(t); ok && rapid.Bool().Draw(t, "claim") {
		h.person(status.ClaimIssue{ID: i.ID, Release: i.ClaimedBy != ""})
	} else if ok {
		h.person(status.SnoozeIssue{ID: i.ID, Version: i.Version, Until: h.now.Add(10 * time.Minute)})
	}
}

func (h *history) openByHand(t *rapid.T) {
	if len(h.board.Issues) > 6 {
		return
	}
	e := status.OpenIssue{
		Title: "By hand", Body: "We look.", Publish: rapid.Bool().Draw(t, "publish"),
		Impact: rapid.SampledFrom(status.Impacts).Draw(t, "impact"),
	}
	if rapid.Bool().Draw(t, "of checkout") {
		e.Components = []status.Affected{{ComponentID: h.componentID("checkout"), Status: status.DegradedPerformance}}
	}
	h.person(e)
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
	var ids []string
	for id := range h.board.Maintenances {
		ids = append(ids, id)
	}
	if len(ids) > 0 {
		slices.Sort(ids)
		h.person(status.PostMaintenanceUpdate{
			ID: rapid.SampledFrom(ids).Draw(t, "maintenance"), State: rapid.SampledFrom(status.MaintenanceStates).Draw(t, "state"),
		})
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
