package alerts

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

const everyKey = `version: 1
sources:
  prod-am:
    type: alertmanager
    peers: [http://am-1:9093, http://am-2:9093/prefix]
    heartbeat: { matchers: ['alertname="Watchdog"'], max_age: 5m }
    poll_every: 30s
    min_uptime: 15m
severity:
  - { matchers: ['severity="critical"'], level: critical, impact: major }
defaults:
  for: 2m
  open: { publish: confirm, visibility: public }
  resolve: { mode: auto, after: 5m, ignore_closed_by: [CLOSE_TTL] }
  reopen_within: 30m
  flap: { changes: 4, window: 30m, then: hold_open, settle: 20m }
  during_maintenance: suppress
  silenced_upstream: treat_as_resolved
  unmatched: inbox
public_labels: [service, region]
time_intervals:
  - name: business-hours
    time_intervals:
      - weekdays: ['monday:friday']
        times: [{ start_time: '08:00', end_time: '18:00' }]
        location: Europe/Berlin
inhibit_rules:
  - { name: region, source_matchers: ['rule="region-down"'], target_matchers: ['rule=~"a.*"'], equal: [region], action: suppress }
breaker: { max_published: 3, window: 20m }
maintenance: { remind: [2d, 30m] }
rules:
  - name: all-keys
    matchers: ['alertname="A"']
    group_by: [service, region]
    min_alerts: 2
    active_time_intervals: [business-hours]
    open:
      title: 'T'
      components:
        - { component: checkout, status: partial_outage }
        - { component: payments, status: degraded_performance, when: 'alerts >= 3 and severity = critical or open_for > 1h' }
        - { component_label: service, status: '{{ if eq .Severity "critical" }}major_outage{{ else }}degraded_performance{{ end }}', unknown: ignore }
      component_group: '{{ .GroupLabels.region }}'
      component_status: major_outage
      publish: confirm
      confirm_timeout: { after: 30m, then: keep }
    update: { on: [severity, components], throttle: 15m }
    escalate:
      - when: 'alerts >= 5'
        set: { impact: critical, components: [{ component: checkout, status: major_outage }] }
        body: 'Worse in {{ .GroupLabels.region }}.'
        deescalate: true
    resolve: { mode: propose, after: 15m, require: { firing_at_most: 1 } }
    broadcast: { open: [email, slack, rss] }
  - name: by-default
    matchers: []
    open: { title: 'U' }
`

func TestEveryKeyOfTheRulesIsUnderstood(t *testing.T) {
	r, err := LoadRules("rules.yaml", []byte(everyKey))
	if err != nil {
		t.Fatal(err)
	}
	src := r.Sources[0]
	if len(src.Peers) != 2 || src.Heartbeat.MaxAge != 5*time.Minute || len(src.Heartbeat.Matchers) != 1 || src.PollEvery != 30*time.Second || src.MinUptime != 15*time.Minute {
		t.Errorf("source %+v", src)
	}
	if in := r.Inhibit[0]; !in.Suppress || in.Equal[0] != "region" || in.Source.String() != `{rule="region-down"}` {
		t.Errorf("inhibit %+v", in)
	}
	if r.Breaker != (status.Breaker{MaxPublished: 3, Window: 20 * time.Minute}) {
		t.Errorf("breaker %+v", r.Breaker)
	}
	if !slices.Equal(r.RemindBefore, []time.Duration{48 * time.Hour, 30 * time.Minute}) {
		t.Errorf("reminders %v", r.RemindBefore)
	}
	d := r.Rules[1]
	if d.ReopenWithin != 30*time.Minute || d.Flap.Changes != 4 || d.Flap.Settle != 20*time.Minute || d.DuringMaintenance != status.MaintenanceSuppress ||
		!d.SilencedResolves || len(d.Resolve.Ignore) != 1 || d.Active != nil {
		t.Errorf("defaults %+v", d)
	}
	a := r.Rules[0]
	if a.MinAlerts != 2 || a.Resolve.Mode != status.ResolvePropose || a.Resolve.Require != status.RequireAtMost || a.Resolve.AtMost != 1 ||
		a.Open.ConfirmAfter != 30*time.Minute || a.Open.ConfirmThen != status.ConfirmKeep ||
		a.Update != (status.UpdatePolicy{OnSeverity: true, OnComponents: true, Throttle: 15 * time.Minute}) {
		t.Errorf("rule %+v", a)
	}
	if e := a.Escalate[0]; e.Impact != status.ImpactCritical || !e.Deescalate || len(e.Components) != 1 || e.Body == nil {
		t.Errorf("escalation %+v", e)
	}
	if c := a.Open.Components; len(c) != 4 || c[2].Label != "service" || !c[2].IgnoreUnknown || c[2].StatusText == nil || c[3].Group == nil {
		t.Errorf("components %+v", c)
	}
	when := a.Open.Components[1].When
	for sit, want := range map[status.Situation]bool{
		{Alerts: 3, Severity: "critical"}: true, {Alerts: 3, Severity: "warning"}: false,
		{Alerts: 2, Severity: "critical"}: false, {Alerts: 1, OpenFor: 61 * time.Minute}: true, {OpenFor: time.Hour}: false,
	} {
		if got := when.Holds(sit); got != want {
			t.Errorf("%s at %+v: %v", when, sit, got)
		}
	}
	berlin := func(hour int) time.Time { return time.Date(2026, 1, 5, hour, 0, 0, 0, time.FixedZone("CET", 3600)) }
	if !a.Active(berlin(9)) || a.Active(berlin(7)) || a.Active(berlin(9).AddDate(0, 0, 6)) {
		t.Error("business hours are wrong")
	}
}

func TestMistakesInTheKeysOfTheEngineAreFoundInTheirPlace(t *testing.T) {
	for _, tt := range []struct{ name, src, place, message, hint string }{
		{"min_alerts", rule(all, title, "  min_alerts: none"), "8:15", "a whole number", ""},
		{"condition", rule(all, title, "  escalate: [{when: 'alerts > many', set: {impact: major}}]"), "8:21", "compared with a number", ""},
		{"condition's field", rule(all, title, "  escalate: [{when: 'alarms > 3', set: {impact: major}}]"), "8:21", "no condition", ""},
		{"escalation without set", rule(all, title, "  escalate: [{when: 'alerts > 3'}]"), "8:14", "sets nothing", ""},
		{"unknown interval", rule(all, title, "  active_time_intervals: [hours]"), "8:27", "not among time_intervals", ""},
		{"reopen_within", rule(all, title, "  reopen_within: 2d"), "8:18", "longer than 24h", ""},
		{"flap changes", rule(all, title, "  flap: {changes: 1}"), "8:19", "at least 2", ""},
		{"policy", rule(all, title, "  during_maintenance: atach"), "8:23", "must be attach", `"attach"`},
		{"status template", rule(all, "  open: {title: T, components: [{component: a, status: '{{ .Severity }}'}]}"), "7:56", `yields "info"`, ""},
		{"two names", rule(all, "  open: {title: T, components: [{component: a, component_label: b, status: major_outage}]}"), "7:33", "not by both", ""},
		{"label outside the group", rule(all, "  open: {title: T, components: [{component_label: b, status: major_outage}]}"), "7:51", "not in group_by", "add it"},
		{"group without status", rule(all, "  open: {title: T, component_group: a}"), "7:20", "without component_status", ""},
		{"require", rule(all, title, "  resolve: {require: some}"), "8:22", "must be all or any", ""},
		{"peer", "version: 1\nsources: {a: {type: alertmanager, peers: [am-1]}}\n", "2:43", "no address", "http://"},
		{"peers of New Relic", "version: 1\nsources: {a: {type: newrelic, peers: [http://a:1]}}\n", "2:31", "type alertmanager", ""},
		{"account of Alertmanager", "version: 1\nsources: {a: {type: alertmanager, account_id: 1}}\n", "2:35", "type newrelic", ""},
		{"account", "version: 1\nsources: {a: {type: newrelic, account_id: none}}\n", "2:43", "a whole number", ""},
		{"region", "version: 1\nsources: {a: {type: newrelic, region: uk}}\n", "2:39", "must be us or eu", ""},
		{"key without account", "version: 1\nsources: {a: {type: newrelic, api_key_env: K}}\n", "2:31", "without account_id", ""},
		{"key instead of its variable", "version: 1\nsources: {a: {type: newrelic, account_id: 1, api_key_env: NRAK-AB12}}\n", "2:59", "name of an environment variable", "NEW_RELIC_API_KEY"},
		{"api_url", "version: 1\nsources: {a: {type: newrelic, api_url: 'ftp://a'}}\n", "2:40", "no http or https address", ""},
		{"heartbeat of everything", "version: 1\nsources: {a: {type: alertmanager, heartbeat: {matchers: [], max_age: 1m}}}\n", "2:57", "swallow", ""},
		{"polling in a frenzy", "version: 1\nsources: {a: {type: alertmanager, poll_every: 1ms}}\n", "2:47", "a second or more", ""},
		{"time interval", "version: 1\ntime_intervals: [{name: x, time_intervals: [{weekdays: [someday]}]}]\n", "2:45", "not a time interval", ""},
		{"inhibit rule", "version: 1\ninhibit_rules: [{source_matchers: []}]\n", "2:17", "no target_matchers", ""},
	} {
		t.Run(tt.name, func(t *testing.T) { findsMistake(t, tt.src, tt.place, tt.message, tt.hint) })
	}
}

func TestNewRelicIsAskedOnlyIfTheFileNamesAKey(t *testing.T) {
	for keys, want := range map[string]status.Source{
		"":                              {},
		", account_id: 42":              {AccountID: 42},
		", account_id: 42, region: eu":  {AccountID: 42, Region: "eu"},
		", account_id: 42, api_key_env": {AccountID: 42, APIKeyEnv: "NEW_RELIC_API_KEY"},
		", account_id: 42, region: us, api_key_env: NR_EU, api_url: 'http://proxy:1/graphql'": {
			AccountID: 42, Region: "us", APIKeyEnv: "NR_EU", APIURL: "http://proxy:1/graphql",
		},
	} {
		// set or not, the usual variable switches nothing on
		t.Setenv("NEW_RELIC_API_KEY", "NRAK-OF-ANOTHER-PROGRAM")
		r, err := LoadRules("rules.yaml", []byte("version: 1\nsources: {nr: {type: newrelic"+keys+"}}\n"))
		if err != nil {
			t.Fatal(err)
		}
		want.Name, want.Type = "nr", KindNewRelic
		if got := r.Sources[0]; !reflect.DeepEqual(got, want) || got.Polled() != strings.Contains(keys, "api_key_env") {
			t.Errorf("{%s}: polled %v, %+v", keys, got.Polled(), got)
		}
	}
}
