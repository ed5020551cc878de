package bench

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// A peer is a server that is measured.
type peer struct {
	name    string
	url     string
	process *os.Process // nil: somebody else's
}

// A result is one round of one peer.
type result struct {
	rate     float64 // requests a second
	p50, p99 float64 // milliseconds
	cpu      float64 // microseconds a request
	memory   float64 // bytes a connection, beyond what it had before
}

// get asks once, with headers by name and value.
func get(t testing.TB, url string, headers ...string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n+1 < len(headers); n += 2 {
		req.Header.Set(headers[n], headers[n+1])
	}
	res, err := quick.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, body
}

var (
	wrkRate    = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	wrkTotal   = regexp.MustCompile(`(\d+) requests in`)
	wrkLatency = regexp.MustCompile(`(?m)^\s+(50|99)%\s+([\d.]+)(us|ms|s)`)
	wrkErrors  = regexp.MustCompile(`Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)`)
)

// wrk asks for a URL over so many connections for the time of a round.
func wrk(t testing.TB, url string, connections int, etag string) (r result, total float64) {
	t.Helper()
	program, err := exec.LookPath("wrk")
	if err != nil {
		t.Fatal("wrk is missing: run `scripts/tools bench`")
	}
	args := []string{"-t1", "-c", strconv.Itoa(connections), "-d", strconv.Itoa(seconds), "--latency", "--timeout", "10s", "-H", "Accept-Encoding: gzip"}
	if etag != "" {
		args = append(args, "-H", "If-None-Match: "+etag)
	}
	out, err := exec.Command(program, append(args, url)...).CombinedOutput()
	if err != nil {
		t.Fatalf("wrk: %v\n%s", err, out)
	}
	first := func(re *regexp.Regexp) float64 {
		m := re.FindSubmatch(out)
		if m == nil {
			t.Fatalf("wrk says something unknown:\n%s", out)
		}
		v, _ := strconv.ParseFloat(string(m[1]), 64)
		return v
	}
	r.rate, total = first(wrkRate), first(wrkTotal)
	for _, m := range wrkLatency.FindAllStringSubmatch(string(out), -1) {
		v, _ := strconv.ParseFloat(m[2], 64)
		v *= map[string]float64{"us": 0.001, "ms": 1, "s": 1000}[m[3]]
		if m[1] == "50" {
			r.p50 = v
		} else {
			r.p99 = v
		}
	}
	if m := wrkErrors.FindSubmatch(out); m != nil {
		t.Logf("%s: %s", url, m[0])
	}
	if strings.Contains(string(out), "Non-2xx") && etag == "" {
		t.Errorf("%s: not only 200:\n%s", url, out)
	}
	return r, total
}

func (p peer) round(t testing.TB, path string, connections int, conditional bool) result {
	t.Helper()
	etag := ""
	if conditional {
		res, _ := get(t, p.url+path, "Accept-Encoding", "gzip")
		etag = res.Header.Get("ETag")
		if res, _ := get(t, p.url+path, "Accept-Encoding", "gzip", "If-None-Match", etag); res.StatusCode != http.StatusNotModified {
			t.Fatalf("%s answers %d to its own ETag", p.name, res.StatusCode)
		}
	}
	if p.process == nil {
		r, _ := wrk(t, p.url+path, connections, etag)
		return r
	}
	before := usageOf(t, p.process)
	most, stopped := p.watch(t)
	r, total := wrk(t, p.url+path, connections, etag)
	close(stopped)
	after := usageOf(t, p.process)
	r.cpu = float64((after.cpu - before.cpu).Microseconds()) / total
	r.memory = float64(most.Load()-before.rss) / float64(connections)
	return r
}

// watch follows the memory of a peer until stopped is closed.
func (p peer) watch(t testing.TB) (most *atomic.Int64, stopped chan struct{}) {
	most, stopped = new(atomic.Int64), make(chan struct{})
	go func() {
		for {
			select {
			case <-stopped:
				return
			case <-time.After(100 * time.Millisecond):
				most.Store(max(most.Load(), usageOf(t, p.process).rss))
			}
		}
	}()
	return most, stopped
}

// peers starts the daemon with some history, and those it is compared with.
func peers(t testing.TB, rules string, withNginx bool) []peer {
	t.Helper()
	d := install(t, "", rules)
	s := d.open()
	seed(t, s, 20, 50)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	d.start()
	settle(t, d.url)
	dir := capture(t, d.url)
	bare, process := startBare(t, dir)
	list := []peer{{"statusbridge", d.url, d.process}, {"bare Fiber", bare, process}}
	if withNginx {
		url, process := startNginx(t, dir)
		list = append(list, peer{"nginx", url, process})
	}
	return list
}

// settle waits until what is compressed better when it is quiet has been, and
// what the turn of a minute changes has changed.
func settle(t testing.TB, url string) {
	t.Helper()
	last := ""
	for range 60 {
		now := ""
		for _, path := range paths {
			_, body := get(t, url+path, "Accept-Encoding", "gzip")
			now += string(body)
		}
		if now == last {
			return
		}
		last = now
		time.Sleep(time.Second)
	}
	t.Fatal("the pages change all the time")
}

func BenchmarkPages(t *testing.B) {
	pinLoad(t)
	list := peers(t, rulesStorm, true)
	if peerURL != "" {
		list = append(list, peer{peerURL, peerURL, nil})
	}
	for _, connections := range []int{64, 512, 5000} {
		for _, path := range append([]string{"/ 304"}, paths...) {
			path, conditional := strings.CutSuffix(path, " 304")
			compare(t, list, path, connections, conditional)
		}
	}
}

// compare alternates the peers and reports the medians of their ratios.
func compare(t testing.TB, list []peer, path string, connections int, conditional bool) {
	t.Helper()
	what := fmt.Sprintf("%s gzip, %d connections", path, connections)
	if conditional {
		what = fmt.Sprintf("%s 304, %d connections", path, connections)
	}
	results := map[string][]result{}
	for n := range rounds {
		for k := range list {
			p := list[(n+k)%len(list)]
			if p.name == peerURL && path != "/" {
				continue
			}
			results[p.name] = append(results[p.name], p.round(t, path, connections, conditional))
		}
	}
	ratio := func(other string, of func(result) float64) float64 {
		var list []float64
		for n, r := range results["statusbridge"] {
			list = append(list, of(r)/of(results[other][n]))
		}
		return median(list)
	}
	middle := func(name string, of func(result) float64) float64 {
		var list []float64
		for _, r := range results[name] {
			list = append(list, of(r))
		}
		return median(list)
	}
	rate := func(r result) float64 { return r.rate }
	p99 := func(r result) float64 { return r.p99 }
	cpu := func(r result) float64 { return r.cpu }
	for _, p := range list {
		if len(results[p.name]) > 0 {
			t.Logf("%s: %-13s %8.0f/s  p50 %7.2f ms  p99 %7.2f ms  CPU %6.2f µs  %6.1f kB a connection", what, p.name, middle(p.name, rate),
				middle(p.name, func(r result) float64 { return r.p50 }), middle(p.name, p99), middle(p.name, cpu),
				middle(p.name, func(r result) float64 { return r.memory })/1000)
		}
	}
	report(t, what+": requests", middle("statusbridge", rate), "/s", "")
	report(t, what+": requests, of bare Fiber", ratio("bare Fiber", rate), "×", ">= 0.9")
	report(t, what+": CPU per request, of bare Fiber", ratio("bare Fiber", cpu), "×", "<= 1.15")
	goal := ">= 0.85"
	if connections == 64 {
		goal = ">= 1.0"
	}
	report(t, what+": requests, of nginx", ratio("nginx", rate), "×", goal)
	report(t, what+": p99", middle("statusbridge", p99), "ms", map[int]string{5000: "<= 200"}[connections])
	report(t, what+": p99, of nginx", ratio("nginx", p99), "×", "<= 1.5")
	if connections == 5000 {
		// Later rounds find the memory of earlier ones: the first says the truth.
		report(t, what+": memory per connection", most(results["statusbridge"], func(r result) float64 { return r.memory })/1000, "kB", "<= 20")
	}
	if peerURL != "" && path == "/" {
		report(t, what+": requests, of "+peerURL, ratio(peerURL, rate), "×", "")
	}
}

func most(list []result, of func(result) float64) float64 {
	var m float64
	for _, r := range list {
		m = max(m, of(r))
	}
	return m
}

// The short pass of `make test`. Rates are noise on a shared machine; what a
// request costs is not, as long as the margin is wide.
func TestAPageCostsLittleMoreThanBareFiber(t *testing.T) {
	list := peers(t, rulesStorm, false)
	for _, path := range paths {
		ours, body := get(t, list[0].url+path, "Accept-Encoding", "gzip")
		_, bare := get(t, list[1].url+path, "Accept-Encoding", "gzip")
		if string(body) != string(bare) || ours.StatusCode != http.StatusOK {
			t.Errorf("%s: the two servers do not send the same", path)
		}
		if path == "/" && len(body) > 14_000 {
			t.Errorf("the page has %d bytes compressed, more than fit the first flight of TCP", len(body))
		}
	}
	var ratios []float64
	for range 3 {
		ours, bare := list[0].cost(t), list[1].cost(t)
		ratios = append(ratios, ours/bare)
	}
	const most = 1.6
	report(t, "/ gzip: CPU per request, of bare Fiber (short pass)", median(ratios), "×", fmt.Sprintf("<= %v", most))
	if median(ratios) > most {
		t.Errorf("a page costs %.2f times the CPU of bare Fiber", median(ratios))
	}
}

// cost is the CPU time of one request, in microseconds, with eight visitors who
// ask without a pause.
func (p peer) cost(t testing.TB) float64 {
	t.Helper()
	client := &fasthttp.HostClient{Addr: strings.TrimPrefix(p.url, "http://"), MaxConns: 16}
	const requests = 20_000
	before := usageOf(t, p.process)
	var left atomic.Int64
	left.Store(requests)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			req.SetRequestURI(p.url + "/")
			req.Header.Set("Accept-Encoding", "gzip")
			for left.Add(-1) >= 0 {
				if err := client.Do(req, res); err != nil || res.StatusCode() != http.StatusOK {
					t.Errorf("%s: %v, status %d", p.name, err, res.StatusCode())
					return
				}
			}
		})
	}
	wg.Wait()
	return float64((usageOf(t, p.process).cpu - before.cpu).Microseconds()) / requests
}
