package scenario

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	devtools "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a tab of a real Chromium. It remembers what a page complains
// about: script errors and breaches of its Content-Security-Policy.
type browser struct {
	t   *testing.T
	ctx context.Context
	// close ends Chromium.
	close func()

	mu         sync.Mutex
	complaints []string
}

// openBrowser starts Chromium with an empty profile.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(tool(t, "chromium")),
		chromedp.Flag("disable-dev-shm-usage", true),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, quit := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeTab := chromedp.NewContext(allocator)
	b := &browser{t: t, ctx: ctx, close: sync.OnceFunc(func() { closeTab(); quit() })}
	t.Cleanup(b.close)
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	for _, enable := range []cdp.Command[cdp.Empty, cdp.Empty]{log.Enable, runtime.Enable} {
		if _, err := chromedp.Call(ctx, enable, cdp.Empty{}); err != nil {
			t.Fatalf("Chromium: %v", err)
		}
	}
	if _, err := chromedp.Call(ctx, devtools.AddScriptToEvaluateOnNewDocument, devtools.AddScriptToEvaluateOnNewDocumentParams{Source: countRenders}); err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	return b
}

// countRenders counts how often a banner was drawn, also as nothing.
const countRenders = `window.renders = 0; document.addEventListener("statusbridge:render", () => window.renders++)`

func (b *browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			b.complaints = append(b.complaints, e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Text)
	}
}

// open loads a page.
func (b *browser) open(url string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Navigate(url)); err != nil {
		b.t.Fatalf("Chromium: %s: %v", url, err)
	}
}

// ask evaluates an expression in the page.
func (b *browser) ask(expression string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	answer, err := chromedp.Run(ctx, chromedp.Evaluate[string]("String("+expression+")"))
	if err != nil {
		b.t.Fatalf("Chromium: %.80s: %v", expression, err)
	}
	return answer
}

// content checks that the page had nothing to complain about.
func (b *browser) content() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		b.t.Errorf("the page complains: %s", c)
	}
}

// banner is what the banner on the page says, through its shadow root; "" when
// there is none.
const banner = `(() => {
	const all = [...document.querySelectorAll("statusbridge-banner")];
	return all.map(e => (e.shadowRoot ?? e).textContent).join(" ").replace(/\s+/g, " ").trim();
})()`

// newReader opens the URL in a browser that was never there, and returns what
// the banner says once it has spoken or stayed silent. The page must be content.
func newReader(t *testing.T, url string) string {
	t.Helper()
	tab := openBrowser(t)
	defer tab.close()
	tab.open(url)
	eventually(t, "the banner has spoken, or decided to be silent", func() error { return contains(tab.ask(`window.renders > 0`), "true") })
	tab.content()
	return tab.ask(banner)
}

// hostPage serves another site's page that embeds the banner, under as strict
// a policy as a site can have. With attributes, the banner may also ask for
// news.
func hostPage(t *testing.T, statusPage, attributes string) string {
	t.Helper()
	policy := fmt.Sprintf("default-src 'none'; script-src %s; style-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'", statusPage)
	if attributes != "" {
		policy += "; connect-src " + statusPage
	}
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy)
		_, _ = io.WriteString(w, `<!doctype html><html lang="en"><title>A shop</title><h1>A shop</h1><script async src="`+statusPage+`/banner.js" `+attributes+`></script></html>`)
	}))
	t.Cleanup(host.Close)
	return host.URL + "/"
}

// A tab that stays open follows what happens, without a reload.
func TestAnOpenTabFollowsTheBanner(t *testing.T) {
	t.Parallel()
	d := launch(t, setup{rules: rulesAuto})
	addComponent(admin(d), "Checkout", "checkout")
	tab := openBrowser(t)
	tab.open(hostPage(t, d.url, `data-interval="15"`))
	eventually(t, "the banner has decided to be silent", func() error { return contains(tab.ask(`window.renders > 0`), "true") })
	if shown := tab.ask(banner); shown != "" {
		t.Fatalf("all is well and the banner says %q", shown)
	}
	began := time.Now()
	d.deliver("alertmanager/prod", message(true, labels{"alertname": "CheckoutDown"}, began))
	within(t, time.Minute, "the open tab shows the issue", func() error { return contains(tab.ask(banner), "CheckoutDown on our side") })
	d.deliver("alertmanager/prod", message(false, labels{"alertname": "CheckoutDown"}, began))
	within(t, time.Minute, "the open tab is quiet again", func() error {
		if shown := tab.ask(banner); shown != "" {
			return fmt.Errorf("the banner says %q", shown)
		}
		return nil
	})
	tab.content()
}
