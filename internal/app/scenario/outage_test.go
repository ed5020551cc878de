package scenario

import (
	"bufio"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/store/pgtest"
)

const late = "Updates may be late"

// PostgreSQL is killed while alerts fire and resolve. Nobody outside notices
// more than a notice, and nothing is lost.
func TestADeadDatabaseLosesNoAlertAndDarkensNoPage(t *testing.T) {
	t.Parallel()
	postgres := pgtest.Own(t)
	w := newWorld(t, setup{database: postgres.NewDatabase(t), rules: rulesAuto})
	prometheus := startAlertmanager(t, alertmanagers[0].program, w.daemon)
	w.fires(prometheus, "CheckoutDown")

	postgres.Kill(t)
	sent := prometheus.notifications()
	prometheus.clear(labels{"alertname": "CheckoutDown"})
	prometheus.fire(labels{"alertname": "SearchDown"})
	prometheus.fire(labels{"alertname": "BlipDown"})
	eventually(t, "Alertmanager is rid of the alerts", func() error { return prometheus.rid(sent + 3) })
	prometheus.clear(labels{"alertname": "BlipDown"})
	eventually(t, "Alertmanager is rid of the end", func() error { return prometheus.rid(sent + 4) })
	receipt := w.deliver("alertmanager/other", message(true, labels{"alertname": "LoginDown"}, time.Now()))
	if receipt.took > 4*time.Second {
		t.Errorf("a webhook was answered after %v", receipt.took)
	}
	eventually(t, "the page says that it may be late", func() error { return visitor(w.daemon).get("/").says(late, "CheckoutDown on our side") })
	w.answersAtOnce(withoutDatabase...)
	if err := isOK(w.url + "/healthz"); err != nil {
		t.Error(err)
	}
	w.unready("database")

	postgres.Resume(t)
	eventually(t, "everything arrives", func() error {
		page := visitor(w.daemon).get("/")
		if page.says(late) == nil {
			return fmt.Errorf("the page is still late")
		}
		return page.says("SearchDown on our side", "LoginDown on our side")
	})
	eventually(t, "what ended meanwhile is over", func() error {
		s, err := w.summary()
		if err != nil {
			return err
		}
		if len(s.Incidents) != 2 {
			return fmt.Errorf("open issues: %+v", s.Incidents)
		}
		return nil
	})
	eventually(t, "all is ready", func() error { return isOK(w.url + "/readyz") })
}

// The daemon itself starts again while PostgreSQL is down.
func TestARestartWithoutTheDatabaseServesTheLastGoodPage(t *testing.T) {
	t.Parallel()
	postgres := pgtest.Own(t)
	w := newWorld(t, setup{database: postgres.NewDatabase(t), rules: rulesAuto})
	w.deliver("alertmanager/prod", message(true, labels{"alertname": "CheckoutDown"}, time.Now()))
	eventually(t, "the page shows the issue", func() error { return visitor(w.daemon).get("/").says("CheckoutDown on our side") })

	postgres.Kill(t)
	w.stop()
	w.start()
	eventually(t, "the last good page", func() error { return visitor(w.daemon).get("/").says("CheckoutDown on our side", late) })
	w.answersAtOnce(withoutDatabase...)
	w.deliver("alertmanager/prod", message(true, labels{"alertname": "SearchDown"}, time.Now()))
	w.stop() // what the journal holds survives another start
	w.start()

	postgres.Resume(t)
	eventually(t, "what was taken meanwhile", func() error { return visitor(w.daemon).get("/").says("SearchDown on our side") })
	eventually(t, "the page is up to date", func() error {
		if page := visitor(w.daemon).get("/"); page.says(late) == nil {
			return fmt.Errorf("it is late")
		}
		return nil
	})
}

// fires waits until the alert is on the page.
func (w *world) fires(am *alertmanager, name string) {
	w.t.Helper()
	am.fire(labels{"alertname": name})
	eventually(w.t, "the page shows the issue", func() error { return visitor(w.daemon).get("/").says(name + " on our side") })
}

// unready checks that /readyz tells the truth, with the reason.
func (d *daemon) unready(reason string) {
	d.t.Helper()
	eventually(d.t, "/readyz says what is wrong", func() error {
		page := visitor(d).get("/readyz")
		if page.status != http.StatusServiceUnavailable || !strings.Contains(strings.ToLower(string(page.body)), reason) {
			return fmt.Errorf("%d %s", page.status, page.body)
		}
		return nil
	})
}

// notifications counts what Alertmanager has sent so far.
func (am *alertmanager) notifications() int { return am.metric("alertmanager_notifications_total") }

// rid is nil when Alertmanager has sent n notifications and none failed.
func (am *alertmanager) rid(n int) error {
	if failed := am.metric("alertmanager_notifications_failed_total"); failed > 0 {
		am.t.Fatalf("%d notifications of Alertmanager failed", failed)
	}
	if sent := am.notifications(); sent < n {
		return fmt.Errorf("%d sent, want %d", sent, n)
	}
	return nil
}

var sample = regexp.MustCompile(`^(\w+)\{.*integration="webhook".*\} (\S+)$`)

// metric sums a counter of Alertmanager's webhooks.
func (am *alertmanager) metric(name string) int {
	am.t.Helper()
	resp, err := client.Get(am.url + "/metrics")
	if err != nil {
		am.t.Fatal(err)
	}
	defer resp.Body.Close()
	sum := 0.0
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if m := sample.FindStringSubmatch(lines.Text()); m != nil && m[1] == name {
			value, err := strconv.ParseFloat(m[2], 64)
			if err != nil {
				am.t.Fatal(err)
			}
			sum += value
		}
	}
	return int(sum)
}

// metric is nil when /metrics has the value for the series. The secret may be
// empty.
func metric(url, secret, series string, want float64) error {
	req, err := http.NewRequest(http.MethodGet, url+"/metrics", nil)
	if err != nil {
		return err
	}
	if secret != "" {
		req.Header.Set("Authorization", "Bearer "+secret)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), series+" "); ok {
			if got, err := strconv.ParseFloat(text, 64); err != nil || got != want {
				return fmt.Errorf("%s is %s, want %v", series, text, want)
			}
			return nil
		}
	}
	return fmt.Errorf("there is no %s", series)
}
