package scenario

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// hurried makes the clock and the timers of a site run so many times faster
// than ours: what takes the banner minutes is seen in seconds.
func hurried(times int) string {
	return fmt.Sprintf(`{ const times = %d, began = Date.now(), now = Date.now, every = setInterval, later = setTimeout;
Date.now = () => began + (now() - began) * times;
window.setInterval = (f, ms, ...x) => every(f, ms / times, ...x);
window.setTimeout = (f, ms, ...x) => later(f, ms / times, ...x) }
window.said = ""; for (const e of ["render", "error"]) document.addEventListener("statusbridge:" + e, () => said += e[0]);
`, times)
}

// asked is a status host that counts who asks, and answers as it is told to.
type asked struct {
	*httptest.Server
	answer atomic.Pointer[string] // nil: 500

	mu sync.Mutex
	at []time.Time
}

func newAsked(t testing.TB, answer string) *asked {
	a := &asked{}
	a.answer.Store(&answer)
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		a.mu.Lock()
		a.at = append(a.at, time.Now())
		a.mu.Unlock()
		w.Header().Set("Access-Control-Allow-Origin", "*")
		if text := a.answer.Load(); text != nil {
			_, _ = io.WriteString(w, *text)
		} else {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *asked) times() []time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]time.Time(nil), a.at...)
}

func (a *asked) atLeast(n int) error {
	if got := len(a.times()); got < n {
		return fmt.Errorf("asked %d times, want %d", got, n)
	}
	return nil
}

const quiet = `{"v":1,"lang":"en","self":"/state.json","dismiss":"Dismiss","more":"{n} more","issues":[],"maintenances":[]}`

func follower(t testing.TB, pinned string, a *asked, times int, more string) host {
	t.Helper()
	return host{
		js:     hurried(times) + more,
		banner: strings.Replace(pinned, "<script", `<script data-src="`+a.URL+`/state.json"`, 1),
	}
}

func TestTheBannerAsksOnceAMinuteAndLessWhenItIsRefused(t *testing.T) {
	t.Parallel()
	d := launch(t, setup{})
	pinned, _ := snippets(admin(d))
	a := newAsked(t, quiet)
	tab := openBrowser(t)
	const times = 60 // a minute is a second
	tab.open(follower(t, pinned, a, times, "").serve(t, d.url))
	eventually(t, "it asks", func() error { return a.atLeast(4) })
	all := a.times()
	for n := 1; n < 4; n++ {
		// Each waits 48 to 72 s of its time, and up to 5 s for its next tick.
		if gap := all[n].Sub(all[n-1]); gap < 700*time.Millisecond || gap > 8*time.Second {
			t.Errorf("it asked again after %v, want about a second", gap)
		}
	}
	a.answer.Store(nil)
	before := len(a.times())
	eventually(t, "it asks a host that fails", func() error { return a.atLeast(before + 4) })
	all = a.times()[before:]
	for n := 1; n < 4; n++ {
		// 2, 4 and 8 minutes, each a fifth more or less.
		if gap, least := all[n].Sub(all[n-1]), time.Duration(1<<n)*700*time.Millisecond; gap < least {
			t.Errorf("after %d failures it asked again after %v, want at least %v", n, gap, least)
		}
	}
}

func TestTheBannerDoesNotAskWhileNobodyLooks(t *testing.T) {
	t.Parallel()
	d := launch(t, setup{})
	pinned, _ := snippets(admin(d))
	a := newAsked(t, quiet)
	tab := openBrowser(t)
	tab.open(follower(t, pinned, a, 60, `window.away = false; Object.defineProperty(document, "hidden", { get: () => away });`).serve(t, d.url))
	eventually(t, "it asks", func() error { return a.atLeast(2) })
	tab.ask(`(window.away = true, "")`)
	n := len(a.times())
	stays(t, 3*time.Second, "while the tab is hidden", func() error {
		if got := len(a.times()); got > n+1 { // one may have been under way
			return fmt.Errorf("it asked %d times", got-n)
		}
		return nil
	})
	n = len(a.times())
	tab.ask(`(window.away = false, document.dispatchEvent(new Event("visibilitychange")), "")`)
	within(t, 3*time.Second, "it asks at once when somebody looks again", func() error { return a.atLeast(n + 1) })
	tab.content()
}

func TestWhatEndedLeavesTheBannerThoughNobodyAnswers(t *testing.T) {
	t.Parallel()
	d := launch(t, setup{})
	pinned, _ := snippets(admin(d))
	now := time.Now().UTC()
	item := fmt.Sprintf(`{"id":"m","rev":"1","class":"work","title":"Upgrade","state":"In progress","url":"https://status.example.com/","components":[],"from":%q,"until":%q}`,
		now.Add(-time.Hour).Format(time.RFC3339), now.Add(20*time.Minute).Format(time.RFC3339))
	a := newAsked(t, strings.Replace(quiet, `"maintenances":[]`, `"maintenances":[`+item+`]`, 1))
	tab := openBrowser(t)
	tab.open(follower(t, pinned, a, 120, "").serve(t, d.url)) // 20 minutes are 10 seconds
	eventually(t, "it tells the maintenance", func() error { return contains(tab.ask(banner), "Upgrade") })
	a.answer.Store(nil)
	eventually(t, "it is gone by the clock", func() error {
		if shown := tab.ask(banner); shown != "" {
			return fmt.Errorf("the banner says %q", shown)
		}
		return nil
	})
}
