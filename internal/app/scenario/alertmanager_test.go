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
	t   *testing.T
	url string
	out *output
	// since is when each alert began, by its name and instance.
	since map[string]time.Time
}

// alertmanagers are the versions that the suite tries: Debian's and a new one.
var alertmanagers = []struct{ version, program string }{
	{"0.25", "prometheus-alertmanager"},
	{"0.31.1", ".tools/alertmanager"},
}

// startAlertmanager runs one that sends to the daemon, quickly.
func startAlertmanager(t *testing.T, program string, d *daemon) *alertmanager {
	t.Helper()
	if filepath.Dir(program) != "." {
		program = filepath.Join(repository, program)
	}
	program = tool(t, program)
	dir := t.TempDir()
	config := filepath.Join(dir, "alertmanager.yml")
	text := fmt.Sprintf(`
route:
  receiver: statusbridge
  group_by: [alertname, region]
  group_wait: 50ms
  group_interval: 250ms
  repeat_interval: 1h
receivers:
  - name: statusbridge
    webhook_configs:
      - url: %s/hooks/alertmanager/prod-am
        send_resolved: true
        http_config:
          authorization: { type: Bearer, credentials: %q }
`, d.url, d.secret)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	am := &alertmanager{t: t, url: fmt.Sprintf("http://127.0.0.1:%d", port), out: &output{}, since: map[string]time.Time{}}
	cmd := exec.Command(program, "--config.file="+config, "--storage.path="+filepath.Join(dir, "data"),
		fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port), "--cluster.listen-address=")
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = am.out, am.out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Alertmanager's output:\n%s", am.out.tail(20))
		}
	})
	eventually(t, "Alertmanager is ready", func() error { return isOK(am.url + "/-/ready") })
	return am
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
	body, err := json.Marshal([]any{alert})
	if err != nil {
		am.t.Fatal(err)
	}
	resp, err := client.Post(am.url+"/api/v2/alerts", "application/json", bytes.NewReader(body))
	if err != nil {
		am.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		am.t.Fatalf("Alertmanager answers %s to an alert", resp.Status)
	}
}
