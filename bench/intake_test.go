package bench

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/statusbridge/statusbridge/internal/store/pgtest"
)

// Alerts that fire all the time, as those of a large installation do: a rule
// watches them, none holds long enough to open an issue.
const (
	rulesStorm = "version: 1\nrules:\n" + ruleStorm
	ruleStorm  = `  - name: storm
    matchers: ['alertname=~"High.+"']
    group_by: [alertname]
    for: 12h
    open: { title: 'Storm', body: 'A storm.', publish: never }
    resolve: { mode: auto, after: 1h }
`
)

const (
	groups         = 40
	alertsEach     = 50
	openRate       = 500 // webhooks a second of the open loop
	senders        = 64
	webhookPath    = "/hooks/alertmanager/bench"
	intakePatience = 5 * time.Minute // until all is processed
)

// webhooks are deliveries of Alertmanager: 50 alerts of a group, one of which
// has changed since the delivery before.
type webhooks struct{ bodies [][]byte }

func newWebhooks() *webhooks {
	w := &webhooks{}
	base := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	for g := range groups {
		for changed := range alertsEach {
			w.bodies = append(w.bodies, delivery(g, changed, base))
		}
	}
	return w
}

func delivery(group, changed int, base time.Time) []byte {
	type labels = map[string]string
	name := fmt.Sprintf("HighErrorRate%d", group)
	var list []any
	for n := range alertsEach {
		alert := map[string]any{
			"status": "firing",
			"labels": labels{
				"alertname": name, "instance": fmt.Sprintf("10.0.%d.%d:9100", group, n), "job": "node", "severity": "critical",
				"service": "checkout", "region": "eu-west-1", "cluster": "prod-3",
			},
			"annotations": labels{
				"summary": fmt.Sprintf("Instance %d answers with errors", n), "runbook_url": "https://runbooks.example.test/errors",
			},
			"startsAt": base, "endsAt": "0001-01-01T00:00:00Z", "fingerprint": fmt.Sprintf("%08x%08x", group, n),
			"generatorURL": "http://prometheus.example.test/graph?g0.expr=rate%28errors%5B5m%5D%29+%3E+1",
		}
		if n == changed {
			alert["status"], alert["endsAt"] = "resolved", base.Add(time.Duration(30+changed)*time.Minute)
		}
		list = append(list, alert)
	}
	common := labels{"alertname": name, "job": "node", "severity": "critical"}
	body, err := json.Marshal(map[string]any{
		"version": "4", "groupKey": `{}:{alertname="` + name + `"}`, "truncatedAlerts": 0, "status": "firing", "receiver": "statusbridge",
		"groupLabels": labels{"alertname": name}, "commonLabels": common, "commonAnnotations": labels{},
		"externalURL": "http://alertmanager.example.test", "alerts": list,
	})
	if err != nil {
		panic(err) // maps of strings always marshal
	}
	return body
}

// nth is the body of the nth delivery: group by group, then the next change.
func (w *webhooks) nth(n int64) []byte {
	return w.bodies[(n%groups)*alertsEach+(n/groups)%alertsEach]
}

// acknowledged collects what the daemon took responsibility for.
type acknowledged struct {
	mu      sync.Mutex
	ids     map[string]bool
	latency []time.Duration
	failed  int
}

func newAcknowledged() *acknowledged { return &acknowledged{ids: map[string]bool{}} }

func (a *acknowledged) send(client *fasthttp.HostClient, url string, body []byte, due time.Time) {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	req.SetRequestURI(url + webhookPath)
	req.Header.SetMethod(http.MethodPost)
	req.Header.SetContentType("application/json")
	req.Header.Set("Authorization", "Bearer "+secret)
	req.SetBodyRaw(body)
	err := client.Do(req, res)
	took := time.Since(due)
	var receipt struct {
		ID string `json:"id"`
	}
	ok := err == nil && res.StatusCode() == http.StatusAccepted && json.Unmarshal(res.Body(), &receipt) == nil
	a.mu.Lock()
	defer a.mu.Unlock()
	if !ok {
		a.failed++
		return
	}
	a.ids[receipt.ID] = true
	a.latency = append(a.latency, took)
}

// closedLoop keeps so many deliveries under way and returns how many a second
// were acknowledged.
func (d *daemon) closedLoop(a *acknowledged, w *webhooks, for_ time.Duration) float64 {
	client := d.client()
	var n atomic.Int64
	var wg sync.WaitGroup
	begin := time.Now()
	for range senders {
		wg.Go(func() {
			for time.Since(begin) < for_ {
				a.send(client, d.url, w.nth(n.Add(1)), time.Now())
			}
		})
	}
	wg.Wait()
	return float64(n.Load()) / time.Since(begin).Seconds()
}

// openLoop sends at a steady rate, whatever the answers do. Latencies count from
// when a delivery was due, so that a stall is not left out of them.
func (d *daemon) openLoop(a *acknowledged, w *webhooks, rate int, for_ time.Duration) {
	client := d.client()
	var wg sync.WaitGroup
	begin := time.Now()
	for n := range int64(float64(rate) * for_.Seconds()) {
		due := begin.Add(time.Duration(n) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(due))
		wg.Go(func() { a.send(client, d.url, w.nth(n), due) })
	}
	wg.Wait()
}

func (d *daemon) client() *fasthttp.HostClient {
	return &fasthttp.HostClient{Addr: d.url[len("http://"):], MaxConns: 4096, ReadTimeout: 30 * time.Second}
}

// settled waits until nothing is pending and checks that every acknowledged
// delivery is stored and processed. It returns how long that took.
func (d *daemon) settled(a *acknowledged) time.Duration {
	d.t.Helper()
	begin := time.Now()
	for {
		pending := 0
		d.query("SELECT COUNT(*) FROM webhooks WHERE state = 'pending'", func(r *sql.Rows) error { return r.Scan(&pending) })
		if pending == 0 {
			break
		}
		if time.Since(begin) > intakePatience {
			d.t.Fatalf("%d webhooks still wait", pending)
		}
		time.Sleep(20 * time.Millisecond)
	}
	took := time.Since(begin)
	if lost := d.missing(a); lost > 0 {
		d.t.Errorf("%d of %d acknowledged webhooks are not stored and processed", lost, len(a.ids))
	}
	return took
}

// missing counts acknowledged deliveries that are not stored and processed.
func (d *daemon) missing(a *acknowledged) int {
	d.t.Helper()
	state := map[string]string{}
	d.query("SELECT id, state FROM webhooks", func(r *sql.Rows) error {
		var id, is string
		err := r.Scan(&id, &is)
		state[id] = is
		return err
	})
	lost := 0
	for id := range a.ids {
		if state[id] != "processed" {
			lost++
		}
	}
	return lost
}

func eachDatabase(b *testing.B, measure func(b *testing.B, name string, dsn func(t testing.TB) string)) {
	b.Run("sqlite", func(b *testing.B) { measure(b, "SQLite", func(testing.TB) string { return "" }) })
	b.Run("postgresql", func(b *testing.B) { measure(b, "PostgreSQL", durable) })
}

// durable is a database of a PostgreSQL that waits for the disk.
func durable(t testing.TB) string {
	t.Helper()
	dsn := pgtest.Own(t).NewDatabase(t)
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range []string{"ALTER SYSTEM SET fsync = on", "ALTER SYSTEM SET full_page_writes = on", "SELECT pg_reload_conf()"} {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var on string
		if err := db.QueryRow("SHOW fsync").Scan(&on); err == nil && on == "on" {
			return dsn
		}
		if time.Now().After(end) {
			t.Fatal("PostgreSQL does not turn fsync on")
		}
	}
}

// BenchmarkIntake takes webhooks in as fast as they come, and at a steady rate.
func BenchmarkIntake(b *testing.B) {
	pinLoad(b)
	w := newWebhooks()
	eachDatabase(b, func(b *testing.B, name string, dsn func(testing.TB) string) {
		goal := map[string]string{"SQLite": ">= 2000", "PostgreSQL": ">= 1000"}[name]
		var most, sustained, cpu, p50, p99 []float64
		for range rounds {
			d := install(b, dsn(b), rulesStorm)
			d.start()
			a := newAcknowledged()
			before := usageOf(b, d.process)
			rate := d.closedLoop(a, w, time.Duration(seconds)*time.Second)
			late := d.settled(a)
			used := usageOf(b, d.process).cpu - before.cpu
			n := float64(len(a.ids))
			most, sustained = append(most, rate), append(sustained, n/(n/rate+late.Seconds()))
			cpu = append(cpu, float64(used.Microseconds())/n)

			o := newAcknowledged()
			d.openLoop(o, w, openRate, time.Duration(seconds)*time.Second)
			d.settled(o)
			d.stop()
			slices.Sort(o.latency)
			p50 = append(p50, milliseconds(quantile(o.latency, 0.5)))
			p99 = append(p99, milliseconds(quantile(o.latency, 0.99)))
			b.Logf("%s: %.0f/s acknowledged, all processed %v later, %.0f µs CPU each; at %d/s p50 %.1f ms, p99 %.1f ms",
				name, rate, late.Round(time.Millisecond), cpu[len(cpu)-1], openRate, p50[len(p50)-1], p99[len(p99)-1])
			if a.failed+o.failed > 0 {
				b.Errorf("%d webhooks were refused", a.failed+o.failed)
			}
		}
		report(b, name+": webhooks of 50 alerts acknowledged", median(most), "/s", goal)
		report(b, name+": webhooks acknowledged and processed", median(sustained), "/s", "")
		report(b, name+": CPU per webhook, processing included", median(cpu), "µs", "")
		report(b, fmt.Sprintf("%s: p50 at %d/s", name, openRate), median(p50), "ms", "<= 3")
		report(b, fmt.Sprintf("%s: p99 at %d/s", name, openRate), median(p99), "ms", "<= 25")
	})
}

// A second of webhooks in `make test`: none that was acknowledged is missing.
func TestEveryAcknowledgedWebhookIsStoredAndProcessed(t *testing.T) {
	w := newWebhooks()
	d := install(t, "", rulesStorm)
	d.start()
	a := newAcknowledged()
	d.closedLoop(a, w, time.Second)
	if d.settled(a); len(a.ids) == 0 || a.failed > 0 {
		t.Errorf("%d acknowledged, %d refused", len(a.ids), a.failed)
	}
	lost := &acknowledged{ids: map[string]bool{"never sent": true}}
	if missing := d.missing(lost); missing != 1 {
		t.Errorf("the check finds %d of 1 webhook that is not there", missing)
	}
	if bytes.Equal(w.nth(0), w.nth(groups)) {
		t.Error("the load repeats itself")
	}
}
