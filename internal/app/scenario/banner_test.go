package scenario

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

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
