package alerts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// pastWorld lives through something with rules in force, and is the past of a
// back-test afterwards.
type pastWorld struct {
	*bench
	t       *testing.T
	rules   *status.Rules
	began   time.Time
	entries []status.Entry
	plans   []status.Maintenance
}

const oldRules = `version: 1
severity:
  - { matchers: ['severity="critical"'], level: critical, impact: major }
rules:
  - name: checkout
    matchers: ['alertname="CheckoutDown"']
    group_by: [region]
    for: 2m
    open:
      title: 'Checkout is down in {{ .GroupLabels.region }}'
      components: [{ component: checkout, status: partial_outage }]
      publish: confirm
    resolve: { mode: auto, after: 5m }
  - name: latency
    matchers: ['alertname="Slow"']
    for: 0s
    open: { title: Slow, publish: auto }
    resolve: { mode: auto, after: 1m }
`

func newPast(t *testing.T) *pastWorld {
	t.Helper()
	p := &pastWorld{t: t, rules: mustLoad(t, oldRules), began: received}
	p.bench = newBench(t, func(c *IntakeConfig) { c.Rules = func() *status.Rules { return p.rules } })
	p.db.set(func(d *database) {
		d.board.Components["c1"] = status.Component{ID: "c1", Slug: "checkout", Name: "Checkout"}
		d.refuse = func(c status.Changes) error { p.entries = append(p.entries, c.Entries...); return nil }
	})
	return p
}

func mustLoad(t *testing.T, src string) *status.Rules {
	t.Helper()
	r, err := LoadRules("new.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// at lets the clock run to so long after the beginning.
func (p *pastWorld) at(d time.Duration) {
	p.t.Helper()
	end := p.began.Add(d)
	for {
		due := p.db.board.Due()
		if due.IsZero() || due.After(end) {
			break
		}
		p.clock.now = later(p.clock.now, due)
		p.change(func(b status.Board) status.Changes { return status.Tick(b, p.rules, p.clock.now) })
	}
	p.clock.now = end
}

func (p *pastWorld) change(verb func(status.Board) status.Changes) {
	p.t.Helper()
	if _, err := p.db.Apply(p.t.Context(), p.clock.now, func(b status.Board) (status.Changes, error) { return verb(b), nil }); err != nil {
		p.t.Fatal(err)
	}
}

// says delivers one alert.
func (p *pastWorld) says(state, name, region string) {
	p.t.Helper()
	p.accept(p.t, KindAlertmanager, fmt.Sprintf(`{"alerts":[{"status":%q,"labels":{"alertname":%q,"region":%q,"severity":"critical"},"startsAt":%q}]}`,
		state, name, region, p.began.Format(time.RFC3339)))
	p.work(p.t)
}

// outage is checkout down from one moment to another.
func (p *pastWorld) outage(region string, from, to time.Duration) {
	p.at(from)
	p.began, from, to = p.began.Add(from), 0, to-from
	p.says("firing", "CheckoutDown", region)
	p.at(to)
	p.says("resolved", "CheckoutDown", region)
}

func (p *pastWorld) EachWebhook(_ context.Context, from, to time.Time, _ bool, visit func(status.Webhook) error) error {
	var all []status.Webhook
	for _, w := range p.db.hooks {
		if !w.ReceivedAt.Before(from) && w.ReceivedAt.Before(to) {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, func(a, b status.Webhook) int {
		return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), cmp.Compare(a.ID, b.ID))
	})
	for _, w := range all {
		if err := visit(w); err != nil {
			return err
		}
	}
	return nil
}

func (p *pastWorld) CountWebhooks(context.Context, time.Time, time.Time) (int, error) {
	return len(p.db.hooks), nil
}

func (p *pastWorld) IssuesBetween(context.Context, time.Time, time.Time) ([]status.Issue, error) {
	var out []status.Issue
	for _, i := range p.db.board.Issues {
		out = append(out, i)
	}
	return out, nil
}

func (p *pastWorld) EntriesBecause(_ context.Context, why status.Reason, _, _ time.Time) ([]status.Entry, error) {
	return slices.DeleteFunc(slices.Clone(p.entries), func(e status.Entry) bool { return e.Reason != why }), nil
}

func (p *pastWorld) Components(context.Context) ([]status.Component, []status.Group, error) {
	return []status.Component{{ID: "c1", Slug: "checkout", Name: "Checkout"}}, nil, nil
}

func (p *pastWorld) Maintenances(context.Context, int) ([]status.Maintenance, error) {
	return p.plans, nil
}

// try back-tests rules that are the old ones but for a change.
func (p *pastWorld) try(was, is string) BacktestReport {
	p.t.Helper()
	if !strings.Contains(oldRules, was) {
		p.t.Fatalf("the old rules have no %q", was)
	}
	r, err := Backtest(p.t.Context(), BacktestConfig{
		Past: p, Rules: mustLoad(p.t, strings.ReplaceAll(oldRules, was, is)), From: received.Add(-time.Hour), To: p.clock.now,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// summary is a report in a few words.
func summary(r BacktestReport) string {
	var all []string
	for _, c := range r.Issues {
		words := string(c.Change) + " " + cmp.Or(c.Would, c.Was).Title
		for _, d := range c.Differences {
			words += fmt.Sprintf(" [%s: %s -> %s]", d.What, d.Was, d.Would)
		}
		all = append(all, words)
	}
	return strings.Join(all, "; ")
}

func TestTheSameRulesOverTheSamePastChangeNothing(t *testing.T) {
	p := newPast(t)
	p.outage("eu", time.Minute, 20*time.Minute)
	p.outage("us", time.Hour, time.Hour+time.Minute) // shorter than for
	p.at(2 * time.Hour)
	p.says("firing", "Slow", "eu")
	p.says("firing", "Unknown", "eu")
	p.at(3 * time.Hour)
	r := p.try("2m", "2m")
	if got := summary(r); got != "same Checkout is down in eu; same Slow" || r.Webhooks != 6 || r.Alerts != 6 || r.Unmatched != 1 || len(r.Warnings) != 0 {
		t.Errorf("%s\n%+v", got, r)
	}
}

func TestABacktestTellsWhatCandidatesWouldChange(t *testing.T) {
	p := newPast(t)
	p.outage("eu", time.Minute, 20*time.Minute)
	p.outage("us", time.Hour, time.Hour+time.Minute)
	p.at(time.Hour + 30*time.Minute)
	for _, tt := range []struct{ name, was, is, want string }{
		{"a shorter hold", "for: 2m", "for: 30s", "differs Checkout is down in eu [opened after: 2m0s -> 30s]; opened Checkout is down in us"},
		{"a longer hold", "for: 2m", "for: 1h", "not_opened Checkout is down in eu"},
		{"another title", "Checkout is down in", "No checkout in", "differs No checkout in eu [title: Checkout is down in eu -> No checkout in eu]"},
		{"another impact", "impact: major", "impact: critical", "differs Checkout is down in eu [impact: major -> critical]"},
		{
			"another status", "partial_outage", "major_outage",
			"differs Checkout is down in eu [components: checkout partial_outage -> checkout major_outage]",
		},
		{"it settles later", "after: 5m", "after: 15m", "differs Checkout is down in eu [duration: 24m0s -> 34m0s]"},
		{"another name", "name: checkout", "name: pay", "differs Checkout is down in eu [rule: checkout -> pay]"},
		{
			"it stays inside", "publish: confirm", "publish: never",
			"differs Checkout is down in eu [public: by_a_person -> no]",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := summary(p.try(tt.was, tt.is)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	r := p.try("component: checkout", "component: till")
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "till") {
		t.Errorf("warnings %q", r.Warnings)
	}
}

func TestAnEndThatAPollFoundEndsTheReplayedAlertToo(t *testing.T) {
	p := newPast(t)
	p.at(time.Minute)
	p.says("firing", "CheckoutDown", "eu")
	for n := range 3 {
		p.at(time.Duration(10+2*n) * time.Minute)
		p.change(func(b status.Board) status.Changes {
			return status.Reconcile(b, p.rules, status.Seen{Source: "prod", Trusted: true}, p.clock.now)
		})
	}
	p.at(time.Hour)
	if got := summary(p.try("2m", "2m")); got != "same Checkout is down in eu" {
		t.Error(got)
	}
}

func TestWhatPollsToldOfAHeartbeatDoesNotKeepTheReplayBlind(t *testing.T) {
	p := newPast(t)
	p.outage("eu", time.Minute, 20*time.Minute)
	p.at(time.Hour)
	asked := "version: 1\nsources: {prod: {type: alertmanager, peers: [http://am:9093], heartbeat: {matchers: ['alertname=\"Watchdog\"'], max_age: 5m}}}\n"
	if got := summary(p.try("version: 1\n", asked)); got != "same Checkout is down in eu" {
		t.Error(got)
	}
	listened := strings.Replace(asked, "peers: [http://am:9093], ", "", 1)
	if got := summary(p.try("version: 1\n", listened)); !strings.Contains(got, "still open") {
		t.Errorf("a heartbeat that never came: %s", got)
	}
}

func TestAMaintenanceOfThePastIsRespected(t *testing.T) {
	p := newPast(t)
	p.plans = []status.Maintenance{{
		ID: "m", State: status.Completed, Components: []string{"c1"}, ScheduledFor: received, ScheduledUntil: received.Add(time.Hour),
		StartedAt: received, EndedAt: received.Add(40 * time.Minute),
	}}
	p.outage("eu", time.Minute, 20*time.Minute)
	p.at(time.Hour)
	if got := summary(p.try("2m", "2m")); got != "not_opened Checkout is down in eu" {
		t.Error(got)
	}
}

func TestABacktestIsBounded(t *testing.T) {
	p := newPast(t)
	p.outage("eu", time.Minute, 20*time.Minute)
	cfg := BacktestConfig{Past: p, Rules: p.rules, From: received, To: p.clock.now, Most: 1}
	if _, err := Backtest(t.Context(), cfg); !errors.Is(err, ErrPastTooLong) {
		t.Errorf("two webhooks, one allowed: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cfg.Most = 0
	if _, err := Backtest(ctx, cfg); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits any more: %v", err)
	}
}
