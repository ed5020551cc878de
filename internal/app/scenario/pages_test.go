package scenario

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/broadcast/chatfake"
)

// Every page of the program, for TestEveryPage. A new page is a line here.
//
// CAPITALS stand for what the busy installation has: see places.
var everyPage = []struct {
	path  string
	admin bool // signed in
	fresh bool // on an installation that nobody has used yet
	// do fills in and sends a form; the page to check is the answer.
	do string
}{
	{path: "/"},
	{path: "/", fresh: true},
	{path: "/history"},
	{path: "/history/2020-01"},
	{path: "/uptime"},
	{path: "/uptime", fresh: true},
	{path: "/uptime/2020-01"},
	{path: "/components/checkout"},
	{path: "/issues/OPEN"},
	{path: "/issues/RESOLVED"},
	{path: "/issues/nothing"},
	{path: "/maintenance/PLANNED"},
	{path: "/maintenance/RUNNING"},
	{path: "/de/"},
	{path: "/fr/uptime"},
	{path: "/es/history/2020-01"},
	{path: "/pt-br/maintenance/PLANNED"},
	{path: "/ja/issues/RESOLVED"},
	{path: "/subscriptions"},
	{path: "/subscriptions", fresh: true},
	{path: "/subscriptions", do: `document.querySelector("main form").email.value = "nobody"`},
	{path: "/subscriptions", do: `document.querySelector("main form").email.value = "another@example.com"`},
	{path: "/subscriptions/webhook"},
	{path: "/subscriptions/webhook", do: `document.querySelector("main form").endpoint.value = "http://localhost"`},
	{path: "/subscriptions/webhook", do: `document.querySelector("main form").endpoint.value = "https://hooks.invalid/status?with=an+address+that+is+rather+long+for+a+phone"`},
	{path: "/subscriptions/confirm/CONFIRM"},
	{path: "/subscriptions/READER"},
	{path: "/unsubscribe/READER"},
	{path: "/unsubscribe/nobody"},

	{path: "/banner.html"},
	{path: "/banner.html", fresh: true},

	{path: "/admin/login"},
	{path: "/admin/login", do: `document.querySelector("main form").email.value = "jo@example.com"`},
	{path: "/admin", admin: true},
	{path: "/admin", admin: true, fresh: true},
	{path: "/admin/issues", admin: true},
	{path: "/admin/issues", admin: true, fresh: true},
	{path: "/admin/issues/new", admin: true},
	{path: "/admin/issues/new", admin: true, do: `document.querySelector("main form").title.value = ""`},
	{path: "/admin/issues/DRAFT", admin: true},
	{path: "/admin/issues/DRAFT/review", admin: true},
	{path: "/admin/issues/DRAFT/merge?into=OPEN", admin: true},
	{path: "/admin/issues/OPEN", admin: true},
	{path: "/admin/issues/RESOLVED", admin: true},
	{path: "/admin/issues/nothing", admin: true},
	{path: "/admin/maintenance", admin: true},
	{path: "/admin/maintenance/month", admin: true},
	{path: "/admin/maintenance/month?month=2020-01", admin: true},
	{path: "/admin/maintenance/new", admin: true},
	{path: "/admin/maintenance/PLANNED", admin: true},
	{path: "/admin/maintenance/RUNNING", admin: true},
	{path: "/admin/components", admin: true},
	{path: "/admin/components/new", admin: true},
	{path: "/admin/components/new", admin: true, do: `document.querySelector("main form").slug.value = "Not a slug"`},
	{path: "/admin/components/COMPONENT/uptime", admin: true},
	{path: "/admin/components/COMPONENT/uptime", admin: true, do: `document.querySelector("main form").reason.value = ""`},
	{path: "/admin/groups/new", admin: true},
	{path: "/admin/deliveries", admin: true},
	{path: "/admin/deliveries", admin: true, fresh: true},
	{path: "/admin/deliveries", admin: true, do: press("Dry tweet")},
	{path: "/admin/deliveries", admin: true, do: press("Mail to me")},
	{path: "/admin/deliveries", admin: true, do: press("Check ops")},
	{path: "/admin/deliveries", admin: true, do: press("Send a test to broken")},
	{path: "/admin/alerts", admin: true},
	{path: "/admin/alerts/DEAD", admin: true},
	{path: "/admin/alerts/DEAD", admin: true, do: `document.querySelector("main form").body.value = "{"`},
	{path: "/admin/alerts/HOOK", admin: true},
	{path: "/admin/rules", admin: true},
	{path: "/admin/rules/matches?rule=checkout-down", admin: true},
	{path: "/admin/rules/try?webhook=HOOK", admin: true},
	{path: "/admin/rules/try", admin: true, do: `document.querySelector("main form").payload.value = "nonsense"`},
	{path: "/admin/components/COMPONENT/history", admin: true},
	{path: "/admin/rules/backtest", admin: true},
	{path: "/admin/rules/backtest", admin: true, do: `document.querySelector("main form").since.value = "1d"`},
	{path: "/admin/rules/backtest", admin: true, do: `document.querySelector("main form").rules.value = "version: 2"`},
	{path: "/admin/banner", admin: true},
	{path: "/admin/banner?state=all+at+once&place=inline", admin: true},
	{path: "/admin/banner?state=an+outage&place=inline&theme=dark&dir=rtl", admin: true},
	{path: "/admin/audit", admin: true},
	{path: "/admin/settings/templates", admin: true},
	{path: "/admin/settings/templates/provider", admin: true},
	{path: "/admin/settings", admin: true},
	{path: "/admin/settings/tokens", admin: true},
	{path: "/admin/users", admin: true},
	{path: "/admin/users", admin: true, do: `document.querySelector("main form").email.value = "admin@localhost"`},
	{path: "/admin/profile", admin: true},
	{path: "/admin/profile/passkeys", admin: true},
	{path: "/admin/profile/second-factor", admin: true, fresh: true},
	{path: "/admin/profile/second-factor", admin: true, do: `document.querySelector("main form").action = "/admin/profile/second-factor"`},
}

// press sends the form of a button, as a press on it would.
func press(button string) string {
	return fmt.Sprintf(`const pressed = [...document.querySelectorAll("main button")].find(b => b.textContent.replace(/\s+/g, " ").trim() == %q);
		{ const f = pressed.form, kept = document.createElement("input"); kept.type = "hidden"; kept.name = pressed.name; kept.value = pressed.value; f.append(kept); document.querySelector("main").prepend(f) }`, button)
}

// Each page, in Chromium: the same content without JavaScript, nothing to
// complain about, no axe violation in light, dark and at 320 px with all that
// folds open, a walk with Tab, targets, no sideways scrolling, the visitor's
// time zone; and the Nu HTML checker.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	fresh := launch(t, setup{})
	busy, places := busyInstallation(t)
	people := map[*daemon]*person{fresh: admin(fresh), busy.daemon: busy.admin}

	documents := map[string][]byte{}
	t.Run("in Chromium", func(t *testing.T) {
		for _, p := range everyPage {
			d := busy.daemon
			name := strings.ReplaceAll(p.path, "/", " ") // -run splits at slashes
			if p.fresh {
				d, name = fresh, name+", fresh"
			}
			if p.do != "" {
				name += ", sent"
			}
			path := places.Replace(p.path)
			who := visitor(d)
			if p.admin {
				who = people[d]
			}
			if p.do == "" {
				documents[name] = who.get(path).body
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				tab := openBrowser(t)
				tab.signIn(who)
				for _, f := range checkPage(tab, d.url+path, p.do) {
					t.Error(f)
				}
			})
		}
		t.Run("HTML", func(t *testing.T) {
			t.Parallel()
			for name, list := range checkHTML(t, documents) {
				for _, f := range list {
					t.Errorf("%s: %s", name, f)
				}
			}
		})
	})
}

// busyInstallation has something of everything. The places are the names that
// paths of everyPage use.
func busyInstallation(t *testing.T) (*world, *strings.Replacer) {
	t.Helper()
	chats := chatfake.Start()
	t.Cleanup(chats.Close)
	w := newWorld(t, setup{extra: fmt.Sprintf(`
channels:
  - { name: ops, type: slack, url: %q, allow_private: true }
  - { name: broken, type: discord, url: %q, allow_private: true }
`, chats.URL()+chatfake.SlackPath, chats.URL()+"/api/webhooks/1/old")})
	group := w.admin.get("/admin/groups/new").form("name")
	group.set("name", "Platform")
	group.press("")
	f := w.admin.get("/admin/components/new").form("name")
	f.set("name", "Search and a name that is rather long for a phone")
	f.set("description", "Finds things, with words that stand below the name")
	for n := range f.node.Descendants() {
		if n.Data == "option" && textOf(n) == "Platform" {
			f.set("group", attr(n, "value"))
		}
	}
	f.press("")
	w.subscribe(reader)

	component := w.correct("Checkout", "Our own probe was at fault; no customer was hit.")
	resolved := w.openIssue("Logins were slow", "Identity is catching up.")
	f = w.admin.get("/admin/issues/" + resolved).form("/admin/issues/" + resolved + "/update")
	f.set("state", "resolved")
	f.set("body", "All is well.")
	f.press("Post")
	open := w.openIssue("Checkout fails for some", "We are **looking** into it, see [the forum](https://example.com/forum).")
	f = w.admin.get("/admin/issues/" + open).form("/admin/issues/" + open + "/update")
	f.set("body", "The cause is known.") // and with that, its publication cannot be undone: the page stays as it is
	f.press("Post")
	planned := w.plan("Database upgrade", 24*time.Hour, 26*time.Hour)
	w.deliver("alertmanager/prod", message(true, checkoutDown, time.Now()))
	w.deliver("alertmanager/prod", message(true, labels{"alertname": "NobodyWantsThis"}, time.Now()))
	w.deliver("alertmanager/prod", []byte(`{"broken": `))
	draft := strings.TrimPrefix(w.draft(draftTitle), "/admin/issues/")
	// Later than the alert, which it would explain.
	running := w.plan("Network maintenance", 2*time.Second, 2*time.Hour)

	another := visitor(w.daemon).get("/subscriptions").form("email")
	another.set("email", "waiting@example.com")
	another.press("")
	token := func(address, pattern string) string {
		found := ""
		eventually(t, "a mail with the link "+pattern, func() error {
			for _, l := range w.letters(address) {
				if m := regexp.MustCompile(pattern + `([A-Za-z0-9_-]+)`).FindStringSubmatch(l.text); m != nil {
					found = m[1]
					return nil
				}
			}
			return fmt.Errorf("%d mails", len(w.letters(address)))
		})
		return found
	}
	confirm := token("waiting@example.com", "/subscriptions/confirm/")
	member := token(reader, "/unsubscribe/")
	eventually(t, "the maintenance runs", func() error { return visitor(w.daemon).get("/maintenance/" + running).says("In progress") })
	dead, hook := w.webhooks()
	return w, strings.NewReplacer("DEAD", dead, "HOOK", hook, "OPEN", open, "RESOLVED", resolved, "DRAFT", draft, "COMPONENT", component, "PLANNED", planned, "RUNNING", running, "CONFIRM", confirm, "READER", member)
}

// webhooks finds the dead letter, and the first webhook that came.
func (w *world) webhooks() (dead, first string) {
	w.t.Helper()
	for n := range w.admin.get("/admin/alerts").doc.Descendants() {
		if path := attr(n, "href"); n.Data == "a" && strings.HasPrefix(path, "/admin/alerts/") {
			if dead == "" {
				dead = idOf(path)
			}
			first = idOf(path) // the oldest is the last on the page
		}
	}
	return dead, first
}

// openIssue publishes an issue by hand, and returns its id.
func (w *world) openIssue(title, body string) string {
	w.t.Helper()
	f := w.admin.get("/admin/issues/new").form("title")
	f.set("title", title)
	f.set("body", body)
	after := f.press("Publish")
	if after.status != http.StatusOK {
		w.t.Fatalf("opening %q: %d %s", title, after.status, after.text())
	}
	return idOf(after.path)
}

// correct says that the component's last hour was no outage, and returns the
// component's id.
func (w *world) correct(name, reason string) string {
	w.t.Helper()
	list := w.admin.get("/admin/components")
	id := ""
	for n := range list.doc.Descendants() {
		if n.Data == "a" && strings.HasPrefix(textOf(n), name) {
			id = idOf(attr(n, "href"))
		}
	}
	now := time.Now().UTC()
	f := w.admin.get("/admin/components/" + id + "/uptime").form("reason")
	f.set("from", now.Add(-2*time.Hour).Format("2006-01-02T15:04"))
	f.set("to", now.Add(-time.Hour).Format("2006-01-02T15:04"))
	f.set("reason", reason)
	if after := f.press("Correct"); after.status != http.StatusOK || after.says(reason) != nil {
		w.t.Fatalf("correcting %s: %d %s", name, after.status, after.text())
	}
	return id
}

// plan schedules maintenance for so long from now, and returns its id.
func (w *world) plan(title string, from, until time.Duration) string {
	w.t.Helper()
	f := w.admin.get("/admin/maintenance/new").form("title")
	f.set("title", title)
	f.set("body", "Checkout is read-only meanwhile.")
	now := time.Now().UTC()
	f.set("from", now.Add(from).Format("2006-01-02T15:04:05"))
	f.set("until", now.Add(until).Format("2006-01-02T15:04:05"))
	f.tick("components", "Checkout")
	after := f.press("")
	if after.status != http.StatusOK {
		w.t.Fatalf("scheduling %q: %d %s", title, after.status, after.text())
	}
	return idOf(after.path)
}

// idOf is the last part of a path.
func idOf(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path[strings.LastIndex(path, "/")+1:]
}
