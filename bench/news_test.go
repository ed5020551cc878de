package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// Alerts that are published at once: no hold, nobody asked.
const rulesNews = `version: 1
breaker: { max_published: 100000, window: 1m }
rules:
  - name: news
    matchers: ['alertname=~"Page.+"']
    group_by: [alertname]
    for: 0s
    open: { title: 'News of {{ .GroupLabels.alertname }}', body: 'We look into it.', publish: auto, publish_after: 0s }
    resolve: { mode: auto, after: 1h }
`

// newsEvery is about the distance of news: what may wait is done by then.
const newsEvery = 500 * time.Millisecond

// BenchmarkNews measures how soon after the answer to a webhook the page tells
// of it, with a page as busy installations have it.
func BenchmarkNews(b *testing.B) {
	pinLoad(b)
	for _, history := range []int{0, 10_000} {
		d := install(b, "", rulesNews)
		s := d.open()
		seed(b, s, 100, history)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		d.start()
		time.Sleep(2 * time.Second)
		var commit, page []time.Duration
		for n := range 40 * rounds {
			name := fmt.Sprintf("Page%dnews", n)
			a, p := d.news(b, name)
			commit, page = append(commit, a), append(page, p)
			d.resolve(b, name)
			time.Sleep(newsEvery)
		}
		d.stop()
		slices.Sort(commit)
		slices.Sort(page)
		what := fmt.Sprintf("100 components, %d issues: ", history)
		report(b, what+"webhook to its answer, p50", milliseconds(quantile(commit, 0.5)), "ms", "")
		report(b, what+"answer to new page, p50", milliseconds(quantile(page, 0.5)), "ms", "")
		report(b, what+"answer to new page, p99", milliseconds(quantile(page, 0.99)), "ms", "<= 10 plus commit")
	}
}

// news fires an alert and asks for the page until it shows: as browsers do, for
// compressed bytes that differ from the last ones, so that the answers are hardly
// any work for the core that renders.
func (d *daemon) news(b *testing.B, name string) (answer, shown time.Duration) {
	b.Helper()
	client := d.client()
	begin := time.Now()
	d.post(b, client, name, true)
	answered := time.Now()
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	req.SetRequestURI(d.url + "/")
	req.Header.Set("Accept-Encoding", "gzip")
	for time.Since(answered) < 10*time.Second {
		if err := client.Do(req, res); err != nil {
			b.Fatal(err)
		}
		if res.StatusCode() == fasthttp.StatusOK {
			after := time.Since(answered)
			page, err := res.BodyUncompressed()
			if err != nil {
				b.Fatal(err)
			}
			if bytes.Contains(page, []byte("News of "+name)) {
				return answered.Sub(begin), after
			}
			req.Header.SetBytesV("If-None-Match", res.Header.Peek("ETag"))
		}
		time.Sleep(100 * time.Microsecond)
	}
	b.Fatalf("%s never shows", name)
	return 0, 0
}

func (d *daemon) resolve(b *testing.B, name string) {
	b.Helper()
	d.post(b, d.client(), name, false)
}

func (d *daemon) post(b *testing.B, client *fasthttp.HostClient, name string, firing bool) {
	b.Helper()
	alert := map[string]any{
		"status": "firing", "labels": map[string]string{"alertname": name}, "startsAt": time.Now().UTC(), "endsAt": "0001-01-01T00:00:00Z",
	}
	if !firing {
		alert["status"], alert["endsAt"] = "resolved", time.Now().UTC()
	}
	body, err := json.Marshal(map[string]any{"version": "4", "status": alert["status"], "alerts": []any{alert}})
	if err != nil {
		b.Fatal(err)
	}
	a := newAcknowledged()
	if a.send(client, d.url, body, time.Now()); a.failed > 0 {
		b.Fatal("a webhook was refused")
	}
}
