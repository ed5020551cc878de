package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// mirror is an Alertmanager that tells of its configuration.
func mirror(t *testing.T, config string, change func(answer map[string]any, h http.Header)) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v2/status" {
			http.NotFound(w, r)
			return
		}
		answer := map[string]any{
			"cluster": map[string]any{"status": "ready", "peers": []map[string]string{{"name": "a", "address": "a"}, {"name": "b", "address": "b"}}},
			"config":  map[string]any{"original": config}, "uptime": received.Add(-time.Hour), "versionInfo": map[string]string{"version": "0.31.1"},
		}
		w.Header().Set("Date", received.Format(http.TimeFormat))
		if change != nil {
			change(answer, w.Header())
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// examined is what the doctor finds wrong, in lines.
func examined(t *testing.T, src string, state status.SourceState) []string {
	t.Helper()
	state.Name = "am"
	checks := Doctor(t.Context(), KindAlertmanager, DoctorConfig{
		Rules: mustLoad(t, "version: 1\nsources: {am: {type: alertmanager, "+src+"}}\n"), PublicURL: "https://status.example.com",
		States: []status.SourceState{state}, Now: func() time.Time { return received },
		LastWebhook: func(context.Context, string) (time.Time, error) { return received.Add(-time.Minute), nil },
	})
	var out []string
	for _, c := range checks {
		if c.Finding() {
			if c.Mend == "" && c.State == status.CheckWarn {
				t.Errorf("%s: %s, and nothing to do about it", c.Name, c.What)
			}
			out = append(out, fmt.Sprintf("%s %s: %s", c.State, strings.TrimPrefix(c.Name, "alertmanager am: "), c.What))
		}
	}
	return out
}

const watched = `heartbeat: { matchers: ['alertname="Watchdog"'], max_age: 5m }`

const goodConfig = `
route:
  receiver: pager
  routes:
    - receiver: page
      continue: true
      group_interval: 1m
    - receiver: pager
receivers:
  - name: pager
  - name: page
    webhook_configs:
      - url: <secret>
        send_resolved: true
        max_alerts: 0
        http_config: { authorization: { type: Bearer, credentials: <secret> } }
`

func TestADoctorFindsWhatLosesAlerts(t *testing.T) {
	for _, tt := range []struct{ name, was, is, want string }{
		{"all is well", "", "", ""},
		{"send_resolved", "send_resolved: true", "send_resolved: false", `fail receiver "page": send_resolved is false`},
		{"max_alerts", "max_alerts: 0", "max_alerts: 10", `warn receiver "page": max_alerts is 10`},
		{"no credentials", "authorization: { type: Bearer, credentials: <secret> }", "", `warn receiver "page": sends no credentials`},
		{"mute", "group_interval: 1m", "mute_time_intervals: [nights]", "has time intervals (nights)"},
		{"active", "group_interval: 1m", "active_time_intervals: [days]", "has time intervals (days)"},
		{"slow", "group_interval: 1m", "group_interval: 30m", "group_interval is 30m"},
		{"slow from above", "  routes:", "  group_interval: 1h\n  routes:", ""},
		{"rarely", "group_interval: 1m", "repeat_interval: 7d", "repeat_interval is 7d"},
		{"no continue", "continue: true\n      group_interval: 1m", "continue: false", "has no continue: the 1 routes below it never see"},
		{"the last needs no continue", "continue: true\n      group_interval: 1m\n    - receiver: pager", "continue: false", ""},
		{"something above takes everything", "    - receiver: page\n", "    - receiver: pager\n    - receiver: page\n", `stands above the route to "page" and takes everything`},
		{"something above takes some", "    - receiver: page\n", "    - receiver: pager\n      matchers: ['team=\"a\"']\n    - receiver: page\n", `route {team="a"}: takes its alerts away`},
		{"something above takes some, the old way", "    - receiver: page\n", "    - receiver: pager\n      match: { team: a }\n    - receiver: page\n", `route {team="a"}: takes its alerts away`},
		{"no route", "- receiver: page\n      continue: true", "- receiver: pager\n      continue: true", `no route leads to it`},
		{"no such receiver", "- name: page\n", "- name: other\n", `has no webhook receiver "page"`},
		{"not YAML", "receivers:", "receivers: [", "cannot be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := strings.Replace(goodConfig, tt.was, tt.is, 1)
			if tt.is != tt.was && config == goodConfig {
				t.Fatalf("the configuration has no %q", tt.was)
			}
			got := examined(t, watched+", peers: ["+mirror(t, config, nil)+"]", status.SourceState{Receiver: "page", HeartbeatAt: received.Add(-time.Minute)})
			if tt.want == "" && len(got) > 0 || tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestADoctorFindsOurReceiverByNameOrAddressOrSaysThatItCannot(t *testing.T) {
	fresh := status.SourceState{HeartbeatAt: received}
	bad := strings.Replace(goodConfig, "send_resolved: true", "send_resolved: false", 1)
	for name, source := range map[string]string{
		"named in the rules": watched + ", receiver: page, peers: [" + mirror(t, bad, nil) + "]",
		"by its address":     watched + ", peers: [" + mirror(t, strings.Replace(bad, "<secret>", "https://status.example.com/hooks/alertmanager/am", 1), nil) + "]",
		"by a likely name":   watched + ", peers: [" + mirror(t, strings.ReplaceAll(bad, "page\n", "to-statusbridge\n"), nil) + "]",
	} {
		if got := examined(t, source, fresh); len(got) != 1 || !strings.Contains(got[0], "send_resolved") {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := examined(t, watched+", peers: ["+mirror(t, goodConfig, nil)+"]", fresh); len(got) != 1 || !strings.Contains(got[0], "no receiver is known") {
		t.Errorf("unknown: %q", got)
	}
}

func TestADoctorLooksAtThePeersThemselves(t *testing.T) {
	well := status.SourceState{Receiver: "page", HeartbeatAt: received}
	peers := func(all ...string) string { return "peers: [" + strings.Join(all, ", ") + "]" }
	good := mirror(t, goodConfig, nil)
	alone := func(answer map[string]any, _ http.Header) { answer["cluster"] = map[string]any{"status": "disabled"} }
	for _, tt := range []struct {
		name, source string
		state        status.SourceState
		want         []string
	}{
		{"two that agree", watched + ", " + peers(good, mirror(t, goodConfig, nil)), well, nil},
		{"two that differ", watched + ", " + peers(good, mirror(t, goodConfig+"\n# another\n", nil)), well, []string{"warn peers: their configurations differ"}},
		{"two that are no cluster", watched + ", " + peers(good, mirror(t, goodConfig, alone)), well, []string{"knows 0 of 2 peers"}},
		{"one is away", watched + ", " + peers(good, "http://127.0.0.1:1"), well, []string{"does not answer"}},
		{"old", watched + ", " + peers(mirror(t, goodConfig, func(a map[string]any, _ http.Header) { a["versionInfo"] = map[string]string{"version": "0.21.0"} })), well, []string{"older than what is tried"}},
		{"a wrong clock", watched + ", " + peers(mirror(t, goodConfig, func(_ map[string]any, h http.Header) {
			h.Set("Date", received.Add(-time.Hour).Format(http.TimeFormat))
		})), well, []string{"differ by -1h0m0s"}},
		{"no heartbeat", peers(good), well, []string{"warn heartbeat: none"}},
		{"it never came", watched + ", " + peers(good), status.SourceState{Receiver: "page"}, []string{"has never come"}},
		{"it is stale", watched + ", " + peers(good), status.SourceState{Receiver: "page", HeartbeatAt: received.Add(-time.Hour)}, []string{"the last is 1h0m0s old"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := examined(t, tt.source, tt.state)
			if len(got) != len(tt.want) {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
			for n := range got {
				if !strings.Contains(got[n], tt.want[n]) {
					t.Errorf("got %q, want %q", got[n], tt.want[n])
				}
			}
		})
	}
}

func TestADoctorNeverPrintsThePasswordOfAPeer(t *testing.T) {
	address := strings.Replace(mirror(t, goodConfig, nil), "http://", "http://ops:hunter2@", 1)
	for _, peer := range []string{address, "http://ops:hunter2@127.0.0.1:1"} {
		checks := Doctor(t.Context(), KindAlertmanager, DoctorConfig{
			Rules: mustLoad(t, "version: 1\nsources: {am: {type: alertmanager, peers: ['"+peer+"']}}\n"), Now: func() time.Time { return received },
		})
		if text := fmt.Sprint(checks); strings.Contains(text, "hunter2") || len(checks) == 0 {
			t.Error(text)
		}
	}
}
