package scenario

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// prometheus is a real Prometheus that scrapes an exporter of ours.
type prometheus struct {
	t   *testing.T
	url string
	dir string
	cmd *exec.Cmd
	out *output
	// up is what the exporter says of the checkout: 1 or 0.
	up atomic.Int64
}

// newPrometheus prepares one that watches the checkout. Its alerts go to the
// Alertmanager, if there is one.
func newPrometheus(t *testing.T, am *alertmanager) *prometheus {
	t.Helper()
	p := &prometheus{t: t, url: fmt.Sprintf("http://127.0.0.1:%d", freePort(t)), dir: t.TempDir(), out: &output{}}
	p.up.Store(1)
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "checkout_up %d\n", p.up.Load())
	}))
	t.Cleanup(exporter.Close)
	p.write("rules.yml", `
groups:
  - name: all
    rules:
      - { alert: Watchdog, expr: vector(1) }
      - { alert: CheckoutDown, expr: checkout_up == 0 }
`)
	alerting := ""
	if am != nil {
		alerting = "alerting: { alertmanagers: [{ static_configs: [{ targets: ['" + strings.TrimPrefix(am.url, "http://") + "'] }] }] }"
	}
	p.write("prometheus.yml", `
global: { scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }
rule_files: [rules.yml]
scrape_configs: [{ job_name: checkout, static_configs: [{ targets: ['`+strings.TrimPrefix(exporter.URL, "http://")+`'] }] }]
`+alerting+"\n")
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("Prometheus's output:\n%s", p.out.tail(20))
		}
	})
	return p
}

// remembers gives it a past, in the OpenMetrics format.
func (p *prometheus) remembers(text string) {
	p.t.Helper()
	p.write("past", text)
	cmd := exec.Command(tool(p.t, "promtool"), "tsdb", "create-blocks-from", "openmetrics", filepath.Join(p.dir, "past"), filepath.Join(p.dir, "data"))
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("promtool: %v\n%s", err, out)
	}
}

func (p *prometheus) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *prometheus) start() {
	p.t.Helper()
	// An alert that is not renewed ends after four times the resend delay.
	p.cmd = exec.Command(tool(p.t, "prometheus"), "--config.file="+filepath.Join(p.dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(p.dir, "data"), "--web.listen-address="+strings.TrimPrefix(p.url, "http://"),
		"--rules.alert.resend-delay=1s")
	p.cmd.Dir = p.dir
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	eventually(p.t, "Prometheus is ready", func() error { return isOK(p.url + "/-/ready") })
}

// kill ends it at once.
func (p *prometheus) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	p.cmd = nil
}

// A Prometheus that dies lets all its alerts end a few minutes later, here
// seconds: a phantom. The page stays as it is until somebody watches again.
func TestADyingPrometheusNeverTurnsThePageGreen(t *testing.T) {
	onBothAlertmanagers(t, func(t *testing.T, program string) {
		d := install(t, setup{})
		am := newAM(t, d, amSetup{program: program})
		rules := rulesAsking("heartbeat: { matchers: ['alertname=\"Watchdog\"'], max_age: 4s }, peers: ['" + am.url + "']")
		d.write(d.rules, strings.Replace(rules, "after: 500ms", "after: 2s", 1))
		w := staff(t, d)
		am.start()
		p := newPrometheus(t, am)
		p.up.Store(0)
		p.start()
		eventually(t, "the page shows the issue", func() error { return w.isOpen(somethingWrong) })
		id := w.issue(somethingWrong)
		eventually(t, "all is well with the source", func() error { return w.blind(0) })

		p.kill()
		eventually(t, "the phantom", func() error { return am.lists("CheckoutDown", "") })
		w.holds("nobody watches", somethingWrong)
		eventually(t, "monitoring sees it", func() error { return w.blind(1) })
		eventually(t, "admins see it", func() error {
			return w.admin.get("/admin/alerts").says("Nothing of it resolves by itself: its heartbeat is older than 4s")
		})
		w.explains(somethingWrong, "the source is stale")

		p.start()
		eventually(t, "the heart beats again", func() error { return w.blind(0) })
		w.holds("the checkout is still down", somethingWrong)
		if again := w.issue(somethingWrong); again != id || w.updates(somethingWrong) != 1 {
			t.Errorf("issue %s became %s with %d updates", id, again, w.updates(somethingWrong))
		}

		p.kill()
		p.up.Store(1)
		eventually(t, "the phantom", func() error { return am.lists("CheckoutDown", "") })
		w.holds("it may be over, but nobody watches", somethingWrong)
		p.start()
		w.ends(somethingWrong, "quiet for resolve.after")
		if again := w.issue(somethingWrong); again != id || w.updates(somethingWrong) != 2 {
			t.Errorf("issue %s became %s with %d updates", id, again, w.updates(somethingWrong))
		}
	})
}

// blind checks what /metrics says of the source.
func (w *world) blind(want float64) error {
	return metric(w.url, w.secret, `statusbridge_source_blind{source="prod-am"}`, want)
}
