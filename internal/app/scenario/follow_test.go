package scenario

import (
	"testing"
	"time"
)

// hurry makes an open page believe that it was away for a while and came back:
// then it looks for news at once.
const hurry = `(() => {
	const now = Date.now;
	Date.now = () => now() + 60000;
	document.dispatchEvent(new Event("visibilitychange"));
	Date.now = now;
})()`

// fetched counts how often the page got its own address anew.
const fetched = `performance.getEntriesByType("resource").filter(e => e.name === location.href).length`

// A page that stays open follows what happens: in place, with the reader's
// focus kept, and without a transfer while nothing does.
func TestAnOpenPageFollowsWhatHappens(t *testing.T) {
	t.Parallel()
	d := launch(t, setup{rules: rulesAuto})
	f := admin(d).get("/admin/components/new").form("name")
	f.set("name", "Checkout")
	f.set("start", time.Now().AddDate(0, 0, -2).Format(time.DateOnly)) // one of today has an uptime a minute later: that is news
	f.press("")
	eventually(t, "the page shows the component", func() error { return visitor(d).get("/").says("Checkout") })
	began := time.Now()

	pages := []struct{ path, calm, hit string }{
		{"/", "All Systems Operational", "Major System Outage"},
		{"/de/", "Alle Systeme in Betrieb", "Schwerer Ausfall"},
		{"/components/checkout", "Operational", "Major outage"},
	}
	tab := openBrowser(t)
	tab.open(d.url + "/")
	for range 2 { // the first look takes the title of the browser away
		tab.ask(`document.querySelector(".bars i").dispatchEvent(new Event("pointerover", { bubbles: true }))`)
		if err := contains(tab.ask(`document.querySelector(".tip").textContent`), ": no data"); err != nil {
			t.Errorf("a finger on a bar: %v", err)
		}
	}
	tab.ask(hurry)
	eventually(t, "the page has checked", func() error { return contains(tab.ask(`document.getElementById("checked").textContent`), "Checked") })
	if n := tab.ask(fetched); n != "0" {
		t.Errorf("the page was fetched %s times although nothing happened", n)
	}
	tabs := map[string]*browser{}
	for _, p := range pages {
		tabs[p.path] = openBrowser(t)
		tabs[p.path].open(d.url + p.path)
		if err := contains(tabs[p.path].ask("document.title"), p.calm); err != nil {
			t.Fatalf("%s: %v", p.path, err)
		}
		tabs[p.path].ask(`document.querySelector("main a").focus()`)
	}
	d.deliver("alertmanager/prod", message(true, labels{"alertname": "CheckoutDown"}, began))
	eventually(t, "the server shows the issue", func() error { return visitor(d).get("/").says("CheckoutDown on our side") })
	for _, p := range pages {
		page := tabs[p.path]
		page.ask(hurry)
		eventually(t, "the open page "+p.path+" shows it", func() error {
			if err := contains(page.ask("document.title"), p.hit); err != nil {
				return err
			}
			return contains(page.ask(`document.querySelector("main").textContent`), "CheckoutDown on our side")
		})
		if news := page.ask(`document.getElementById("news").textContent`); contains(news, p.hit) != nil {
			t.Errorf("%s: a screen reader is told %q", p.path, news)
		}
		if focus := page.ask(`document.querySelector("main").contains(document.activeElement)`); focus != "true" {
			t.Errorf("%s: the focus is lost", p.path)
		}
		if kind := page.ask(`performance.getEntriesByType("navigation")[0].type`); kind != "navigate" {
			t.Errorf("%s was not changed in place but loaded anew: %s", p.path, kind)
		}
		page.content()
	}
}
