package bench

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// Most alerts are watched only, as in a storm; those of one name in a second are
// published, so that the page is rendered again and again.
const rulesBusy = rulesNews + ruleStorm

const busyRate = 100 // webhooks a second, while visitors read

// BenchmarkBusy measures the page while webhooks come and it is rendered anew,
// beside the same page undisturbed. Bare Fiber, which throws the webhooks away, is
// disturbed alike: what it loses then is lost to the load, which shares a core.
func BenchmarkBusy(b *testing.B) {
	pinLoad(b)
	list, w := peers(b, rulesBusy, false), newWebhooks()
	rates, tails := map[string][]float64{}, map[string][]float64{}
	for n := range rounds {
		for _, p := range list {
			quiet := p.round(b, "/", 64, false)
			busy := (&daemon{t: b, url: p.url}).disturbed(b, w, n, func() result { return p.round(b, "/", 64, false) })
			b.Logf("%s: undisturbed %.0f/s, p99 %.2f ms; with %d webhooks/s and news each second %.0f/s, p99 %.2f ms", p.name, quiet.rate, quiet.p99, busyRate, busy.rate, busy.p99)
			rates[p.name], tails[p.name] = append(rates[p.name], busy.rate/quiet.rate), append(tails[p.name], busy.p99/quiet.p99)
		}
	}
	const what = "/ gzip, 64 connections, during webhooks and news: "
	report(b, what+"requests, of undisturbed", median(rates["statusbridge"]), "×", ">= 0.8")
	report(b, what+"p99, of undisturbed", median(tails["statusbridge"]), "×", "<= 2")
	report(b, what+"bare Fiber's requests, of undisturbed", median(rates["bare Fiber"]), "×", "")
	report(b, what+"bare Fiber's p99, of undisturbed", median(tails["bare Fiber"]), "×", "")
}

// disturbed measures while webhooks come in and an issue opens each second.
func (d *daemon) disturbed(b *testing.B, w *webhooks, round int, measure func() result) result {
	b.Helper()
	stop, a, client := make(chan struct{}), newAcknowledged(), d.client()
	var wg sync.WaitGroup
	wg.Go(func() {
		every := time.NewTicker(time.Second / busyRate)
		defer every.Stop()
		for n := int64(0); ; n++ {
			select {
			case <-stop:
				return
			case due := <-every.C:
				wg.Go(func() { a.send(client, d.url, w.nth(n), due) })
			}
			if n%busyRate == 0 {
				d.post(b, client, fmt.Sprintf("Page%dof%d", n/busyRate, round), true)
			}
		}
	})
	r := measure()
	close(stop)
	wg.Wait()
	if a.failed > 0 {
		b.Errorf("%d webhooks were refused", a.failed)
	}
	return r
}
