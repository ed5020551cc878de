package scenario

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/alerts/nerdgraphfake"
)

// Metrics of a real Prometheus and of New Relic's stand-in, from the question to
// the page. One of Prometheus ended half an hour ago.
func TestMetricsAreOnThePage(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, dsn string) {
		p := newPrometheus(t, nil)
		p.remembers(past(time.Now()))
		p.start()
		nr := nerdgraphfake.Start(map[int]string{nrAccount: "NRAK-CANARY"})
		t.Cleanup(nr.Close)
		nr.Plot(nrAccount, "SELECT apdex(apm.service.apdex) AS 'value' FROM Metric WHERE appName = 'Shop'", func(time.Time) any {
			return map[string]any{"score": 0.94, "count": 100}
		})
		w := staff(t, install(t, setup{database: dsn, env: []string{"OUR_KEY=NRAK-CANARY"}, extra: fmt.Sprintf(`
charts:
  - { name: Orders, type: prometheus, url: '%s', query: sum(orders), unit: /min, decimals: 0 }
  - { name: Parcels, type: prometheus, url: '%[1]s', query: parcels, decimals: 0, spans: [day] }
  - { name: Two lines, type: prometheus, url: '%[1]s', query: orders }
  - { name: Apdex, type: newrelic, account_id: %d, api_key: env:OUR_KEY, url: '%s', preset: apdex, app: Shop }
`, p.url, nrAccount, nr.URL())}))
		eventually(t, "the metrics are on the page", func() error {
			return visitor(w.daemon).get("/").says("Metrics", "Orders", "42/min", "Apdex", "0.94", "Parcels", "No data since", "Two lines", "No data yet")
		})
		eventually(t, "each span has a line", func() error {
			page := visitor(w.daemon).get("/charts")
			if lines := bytes.Count(page.body, []byte("<path d=")); lines < 3+1+3 {
				return fmt.Errorf("%d lines", lines)
			}
			return page.says("Last 7 days", "lowest 40", "highest 44")
		})
		eventually(t, "the log says what is wrong with a query", func() error {
			return contains(w.out.String(), "the query gives 2 series; a chart draws one")
		})
		for _, reason := range nr.Refused() {
			t.Errorf("New Relic would have turned away a request: %s", reason)
		}
		// Without its sources, after a restart, the page shows what is kept.
		p.kill()
		nr.Close()
		w.stop()
		w.start()
		eventually(t, "the metrics are still there", func() error { return visitor(w.daemon).get("/").says("42/min", "0.94") })
		if contains(w.out.String(), "NRAK-CANARY") == nil {
			t.Error("the key is in the log")
		}
	})
}

// past is what Prometheus remembers: two shops with 40 to 44 orders a minute in
// all, the last 42, and parcels until half an hour ago.
func past(now time.Time) string {
	var orders, parcels strings.Builder
	for back := 180; back >= 0; back-- {
		at := now.Truncate(time.Minute).Add(-time.Duration(back) * time.Minute)
		fmt.Fprintf(&orders, "orders{shop=\"a\"} %d %d\n", 20, at.Unix())
		if back >= 30 {
			fmt.Fprintf(&parcels, "parcels 7 %d\n", at.Unix())
		}
	}
	for back := 180; back >= 0; back-- {
		at := now.Truncate(time.Minute).Add(-time.Duration(back) * time.Minute)
		fmt.Fprintf(&orders, "orders{shop=\"b\"} %d %d\n", map[bool]int{true: 22, false: 20 + back%5}[back < 10], at.Unix())
	}
	return "# TYPE orders gauge\n" + orders.String() + "# TYPE parcels gauge\n" + parcels.String() + "# EOF\n"
}
