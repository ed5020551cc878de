package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// alertmanager is a real Alertmanager process that sends to a daemon.
type alertmanager struct {
	t    *testing.T
	d    *daemon
	s    amSetup
	url  string
	dir  string
	args []string
	cmd  *exec.Cmd
	out  *output
	// since is when each alert began, by its name and instance.
	since map[string]time.Time
}

// amSetup is what an Alertmanager may differ in.
type amSetup struct {
	program  string
	route    string // more of the route
	receiver string // more of the webhook's configuration
	extra    string // more at the top
	flags    []string
}

// alertmanagers are the versions that the suite tries: Debian's and a new one.
var alertmanagers = []struct{ version, program string }{
	{"0.25", "prometheus-alertmanager"},
	{"0.31.1", newAlertmanager},
}

const newAlertmanager = ".tools/alertmanager"

// onBothAlertmanagers runs a scenario with each version.
func onBothAlertmanagers(t *testing.T, scenario func(t *testing.T, program string)) {
	t.Helper()
	t.Parallel()
	for _, am := range alertmanagers {
		t.Run("Alertmanager "+am.version, func(t *testing.T) {
			t.Parallel()
			scenario(t, am.program)
		})
	}
}

// startAlertmanager runs one that sends to the daemon, quickly.
func startAlertmanager(t *testing.T, program string, d *daemon) *alertmanager {
	t.Helper()
	am := newAM(t, d, amSetup{program: program})
	am.start()
	return am
}

// newAM prepares an Alertmanager. Its address is known before it runs.
func newAM(t *testing.T, d *daemon, s amSetup) *alertmanager {
	t.Helper()
	if filepath.Dir(s.program) != "." {
		s.program = filepath.Join(repository, s.program)
	}
	s.program = tool(t, s.program)
	port := freePort(t)
	am := &alertmanager{t: t, d: d, s: s, dir: t.TempDir(), url: fmt.Sprintf("http://127.0.0.1:%d", port), out: &output{}, since: map[string]time.Time{}}
	am.args = append([]string{
		"--config.file=" + filepath.Join(am.dir, "alertmanager.yml"), "--storage.path=" + filepath.Join(am.dir, "data"),
		fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port),
	}, s.flags...)
	if len(s.flags) == 0 {
		am.args = append(am.args, "--cluster.listen-address=")
	}
	t.Cleanup(func() {
		am.kill()
		if t.Failed() {
			t.Logf("Alertmanager's output:\n%s", am.out.tail(20))
		}
	})
	return am
}

// configure writes the configuration file.
func (am *alertmanager) configure() {
	am.t.Helper()
	text := fmt.Sprintf(`
route:
  receiver: statusbridge
  group_by: [alertname, region]
  group_wait: 50ms
  group_interval: 250ms
  repeat_interval: 1h
%s
receivers:
  - name: statusbridge
    webhook_configs:
      - url: %s/hooks/alertmanager/prod-am
        send_resolved: true
        http_config:
          authorization: { type: Bearer, credentials: %q }
%s
%s`, am.s.route, am.d.url, am.d.secret, am.s.receiver, am.s.extra)
	if err := os.WriteFile(filepath.Join(am.dir, "alertmanager.yml"), []byte(text), 0o600); err != nil {
		am.t.Fatal(err)
	}
}

// start runs it and waits until it is ready.
func (am *alertmanager) start() {
	am.t.Helper()
	am.configure()
	am.cmd = exec.Command(am.s.program, am.args...)
	am.cmd.Dir = am.dir
	am.cmd.Stdout, am.cmd.Stderr = am.out, am.out
	if err := am.cmd.Start(); err != nil {
		am.t.Fatal(err)
	}
	eventually(am.t, "Alertmanager is ready", func() error { return isOK(am.url + "/-/ready") })
}

// kill ends it at once. What it knew of alerts is gone.
func (am *alertmanager) kill() {
	if am.cmd == nil {
		return
	}
	_ = am.cmd.Process.Kill()
	_ = am.cmd.Wait()
	am.cmd = nil
}

// reload has it read a changed configuration.
func (am *alertmanager) reload() {
	am.t.Helper()
	am.configure()
	am.send("/-/reload", nil)
}

// silence keeps it from sending what the matcher matches.
func (am *alertmanager) silence(name string) {
	am.t.Helper()
	am.send("/api/v2/silences", map[string]any{
		"matchers": []any{map[string]any{"name": "alertname", "value": name, "isRegex": false, "isEqual": true}},
		"startsAt": time.Now(), "endsAt": time.Now().Add(time.Hour), "createdBy": "ada", "comment": "known",
	})
	eventually(am.t, "Alertmanager shows "+name+" as silenced", func() error { return am.lists(name, "suppressed") })
}

// lists is nil when Alertmanager has the alert in that state; "" is not at all.
func (am *alertmanager) lists(name, state string) error {
	am.t.Helper()
	resp, err := client.Get(am.url + "/api/v2/alerts")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var list []struct {
		Labels labels
		Status struct{ State string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		return err
	}
	found := ""
	for _, a := range list {
		if a.Labels["alertname"] == name {
			found = a.Status.State
		}
	}
	if found != state {
		return fmt.Errorf("%s is %q, want %q", name, found, state)
	}
	return nil
}

type labels map[string]string

// fire reports an alert as Prometheus does.
func (am *alertmanager) fire(l labels) {
	am.since[l["alertname"]+l["instance"]] = time.Now()
	am.post(l, time.Time{})
}

// clear reports the end of an alert.
func (am *alertmanager) clear(l labels) { am.post(l, time.Now()) }

func (am *alertmanager) post(l labels, end time.Time) {
	am.t.Helper()
	alert := map[string]any{
		"labels":      l,
		"annotations": labels{"summary": l["alertname"] + " on " + l["instance"]},
		"startsAt":    am.since[l["alertname"]+l["instance"]],
	}
	if !end.IsZero() {
		alert["endsAt"] = end
	}
	am.send("/api/v2/alerts", []any{alert})
}

// send posts a JSON body.
func (am *alertmanager) send(path string, what any) {
	am.t.Helper()
	body, err := json.Marshal(what)
	if err != nil {
		am.t.Fatal(err)
	}
	resp, err := client.Post(am.url+path, "application/json", bytes.NewReader(body))
	if err != nil {
		am.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		am.t.Fatalf("Alertmanager answers %s to %s", resp.Status, path)
	}
}
