package web_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"testing"

	"github.com/statusbridge/statusbridge/internal/web"
)

func names(text, pattern string) []string {
	var out []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func file(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheMetricsAreThoseThatAreDocumented(t *testing.T) {
	s := newSite(t)
	documented := names(file(t, "docs/monitoring.md"), "(?m)^\\| `(statusbridge_[a-z_]+)`")
	if had := web.MetricNames(s.server); !slices.Equal(had, documented) {
		t.Errorf("there are\n%v\ndocumented are\n%v", had, documented)
	}
	for _, path := range []string{"deploy/prometheus-alerts.yaml", "deploy/grafana-dashboard.json"} {
		used := names(file(t, path), `(statusbridge_[a-z_]+)`)
		if len(used) < 5 {
			t.Errorf("%s uses only %v", path, used)
		}
		for _, name := range used {
			if !slices.Contains(documented, name) {
				t.Errorf("%s asks for %s, which there is not", path, name)
			}
		}
	}
	s.draft()
	got := s.browser().do("GET", "/metrics", nil, "Authorization", "Bearer "+secret)
	got.want(t, 200, `statusbridge_alerts_firing{matched="true"} 1`, `statusbridge_alerts_firing{matched="false"} 0`, `statusbridge_webhooks_processed_total{verdict="dead"} 0`, `statusbridge_render_seconds 0.25`)
}

func TestPrometheusAcceptsTheAlertsAndTheyFireWhenTheyShould(t *testing.T) {
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Fatal("promtool is missing; run: make tools")
	}
	for _, args := range [][]string{{"check", "rules", "prometheus-alerts.yaml"}, {"test", "rules", "prometheus-alerts_test.yaml"}} {
		cmd := exec.Command("promtool", args...)
		cmd.Dir = "../../deploy"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

func TestTheListenerOfMetricsHasNothingElse(t *testing.T) {
	s := newSite(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.server.ServeMetrics(ctx, ln) }()
	for path, want := range map[string]int{"/metrics": 200, "/": 404, "/admin": 404, "/api/v1/issues": 404} {
		res, err := http.Get("http://" + ln.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s answers %d, want %d", path, res.StatusCode, want)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("it ended with %v", err)
	}
}
