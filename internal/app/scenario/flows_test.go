package scenario

import (
	"fmt"
	"maps"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
)

// flow is one thing that an admin does, from the first page to its end.
type flow struct {
	name string
	do   func(f *shift)
}

// shift is a person on call for a while: their hands, and the issues that are
// theirs.
type shift struct {
	*hand
	w         *world
	colleague *person // signed in, too
	first     string  // path of an issue
	title     string  // of it
}

// region is where an alert of this person comes from: their drafts are theirs.
func (f *shift) region(n string) string { return strings.ReplaceAll(f.who, " ", "-") + "-" + n }

// alarm fires an alert, and returns the path and the title of its draft.
func (f *shift) alarm(n string) (path, title string) {
	f.t.Helper()
	title = "Checkout is unavailable in " + f.region(n)
	f.w.deliver("alertmanager/prod", message(true, labels{"alertname": "CheckoutDown", "region": f.region(n), "severity": "critical"}, time.Now()))
	eventually(f.t, "the draft of "+title, func() error {
		for n := range f.colleague.get("/admin").doc.Descendants() {
			if to := attr(n, "href"); strings.HasPrefix(to, "/admin/issues/") && strings.HasSuffix(textOf(n), title) {
				path = to
				return nil
			}
		}
		return fmt.Errorf("it is not in the queue")
	})
	return path, title
}

// Every flow, in this order: what one leaves behind, the next goes on with.
var everyFlow = []flow{
	{"the pager's link survives the login", func(f *shift) {
		f.first, f.title = f.alarm("a")
		f.goTo(f.first)
		f.fill("Email", "admin@localhost")
		f.fill("Password", f.w.password)
		f.tap("Sign in")
		f.sees(f.title, "Review and publish")
	}},
	{"confirm, undo within ten seconds, confirm again", func(f *shift) {
		f.goTo("/admin")
		f.tap("Publish " + f.title)
		f.sees(f.title, "We are looking into failing checkouts.", "Who gets what")
		f.tap("Publish")
		f.sees("Published. Customers can see it now.")
		f.tap("Undo")
		f.sees("Taken back. It is a draft again")
		f.tap("Review and publish")
		f.tap("Publish")
		f.sees("Published. Customers can see it now.")
	}},
	{"claim", func(f *shift) {
		f.tap("I have it")
		f.sees("It is yours.", "admin@localhost has it")
	}},
	{"edit while somebody else does", func(f *shift) {
		f.goTo(f.first)
		f.tap("Edit title, impact")
		f.fill("Title", f.title+", says me")
		theirs := f.colleague.get(f.first).form(f.first)
		theirs.set("title", f.title+", says another")
		theirs.press("Save")
		f.tap("Save changes")
		f.sees("Somebody else changed this while you did", "Saved now", f.title+", says another")
		if got := f.ask(`hands.value("title")`); got != f.title+", says me" {
			f.t.Errorf("%s: after the conflict the title is %q", f.who, got)
		}
		f.tap("Save my version")
		f.sees("Saved.", f.title+", says me")
		f.title += ", says me"
	}},
	{"take a component from automation, and hand it back", func(f *shift) {
		f.goTo(f.first)
		f.tap("Edit title, impact")
		f.choose("Checkout", "Major outage")
		f.tap("Save changes")
		f.sees("Automation paused on", "Checkout: major outage")
		f.tap("Hand back components")
		f.sees("Handed back to automation.", "Checkout: partial outage")
	}},
	{"update with a template", func(f *shift) {
		f.tap("Found the cause")
		if got := f.ask(`hands.value("body")`); got == "" {
			f.t.Errorf("%s: the template put nothing into the form", f.who)
		}
		f.tap("Post update")
		f.sees("Update posted.", "Identified")
	}},
	{"publish silently", func(f *shift) {
		_, title := f.alarm("b")
		f.goTo("/admin")
		f.tap("Publish " + title)
		f.tap("Publish silently")
		f.sees("Published silently. Nobody was notified.", "Nobody is told.")
	}},
	{"merge", func(f *shift) {
		f.tap("Merge into another issue")
		f.choose("The issue that goes on for both", f.title)
		f.tap("See what it would do")
		f.sees("This one ends", "This one goes on for both")
		f.tap("Merge them")
		f.sees("Merged. This one goes on for both.", f.title)
	}},
	{"resolve", func(f *shift) {
		f.goTo(f.first)
		f.tap("Resolve now")
		f.sees("Resolved. Well done.")
	}},
	{"snooze, wake, discard", func(f *shift) {
		_, title := f.alarm("c")
		f.goTo("/admin")
		f.tap("Snooze 15 min", title)
		f.sees("Put off. It comes back by itself", "Snoozed")
		f.tap("Wake " + title)
		f.sees("Back in the queue.")
		f.tap("Dismiss", title)
		f.sees("Dismissed. These alerts will not draft it again.")
	}},
	{"component added, described and moved", func(f *shift) {
		f.goTo("/admin/components")
		f.tap("New component")
		f.fill("Name", "Part of "+f.who)
		f.tap("Add component")
		f.tap("Part of " + f.who)
		f.fill("Description", "Finds things.")
		f.tap("Save changes")
		f.sees("Saved.")
		f.tap("↑Move Part of " + f.who + " up")
		f.sees("Order changed.")
	}},
	{"maintenance from plan to end", func(f *shift) {
		f.goTo("/admin/maintenance")
		f.tap("Plan maintenance")
		f.fill("Title", "Upgrade of "+f.who)
		now := time.Now().UTC()
		f.choose("Begins", now.Add(time.Hour).Format("2006-01-02T15:04"))
		f.choose("Ends", now.Add(2*time.Hour).Format("2006-01-02T15:04"))
		f.fill("What customers read", "Short interruptions.")
		f.tap("Part of " + f.who) // nobody else plans anything for it
		f.tap("Schedule")
		f.sees("Maintenance scheduled.", "Upgrade of "+f.who)
		f.tap("Start now")
		f.sees("In progress")
		f.tap("Complete")
		f.sees("Completed")
	}},
	{"dry run of the rules", func(f *shift) {
		f.goTo("/admin/rules")
		f.tap("Dry run")
		f.fill("Body of a webhook", string(message(true, checkoutDown, time.Now())))
		f.tap("Try it")
		f.sees("checkout-down", "CheckoutDown")
	}},
	{"replay of a dead letter", func(f *shift) {
		f.w.deliver("alertmanager/"+f.region("dead"), []byte(`{"broken": `))
		eventually(f.t, "the dead letter is shown", func() error { return f.colleague.get("/admin/alerts").says("Mend and replay", f.region("dead")) })
		f.goTo("/admin/alerts")
		f.tap("alertmanager from " + f.region("dead"))
		f.fill("Mend the body", string(message(true, labels{"alertname": "NobodyWantsThis", "region": f.region("dead")}, time.Now())))
		f.tap("Replay mended")
		f.sees("Taken in again.")
	}},
	{"subscriber added and removed", func(f *shift) {
		address := f.region("reader") + "@example.com"
		f.goTo("/admin/subscribers")
		f.fill("Or its text", address)
		f.tap("Check the list")
		f.tap("Import 1")
		f.sees("Imported.")
		f.goTo("/admin/subscribers?q=" + url.QueryEscape(address))
		f.sees(address)
		f.tap("Erase " + address)
		f.sees("Erased.")
	}},
	{"user added", func(f *shift) {
		f.goTo("/admin/users")
		f.fill("Email", f.region("new")+"@example.com")
		f.choose("Role", "Responder")
		f.tap("Create user")
		f.sees(f.region("new")+"@example.com", "password")
		f.tap(f.region("new") + "@example.com")
		f.tap("Save")
		f.sees("Saved.")
	}},
	{"who got what", func(f *shift) {
		link := ""
		eventually(f.t, "something was sent", func() error {
			for _, to := range f.colleague.get("/admin/deliveries").links() {
				if strings.HasPrefix(to, "/admin/deliveries/") {
					link = to
					return nil
				}
			}
			return fmt.Errorf("nothing was")
		})
		f.goTo(link)
		f.sees("Recipients", "sent")
		f.tap("See what it tells of")
	}},
	{"token made and revoked", func(f *shift) {
		f.goTo("/admin/settings/tokens")
		f.fill("What it is for", "Token of "+f.who)
		f.tap("Create token") // "read" is ticked
		f.sees("Copy the token now.")
		f.tap("Revoke Token of " + f.who)
		f.sees("Revoked. It opens nothing any more.")
	}},
}

// Each flow of the admin in Chromium: on a phone with and without JavaScript and
// at a desk, axe clean on each page on the way.
func TestAdminFlows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	w.subscribe(reader)
	t.Run("three taps", func(t *testing.T) { threeTaps(t, w) })
	t.Run("keyboard only", func(t *testing.T) { keyboardOnly(t, w) })

	axed := &sync.Map{}
	for _, s := range everyScreen {
		f := newShift(t, w, s.screen, s.scripted)
		if s.scripted { // axe is a script, and the pages are the same without
			f.axed = axed
		}
		t.Run(f.who, func(t *testing.T) {
			t.Parallel()
			for _, flow := range everyFlow {
				if !t.Run(flow.name, func(t *testing.T) { f.t, f.colleague.t = t, t; flow.do(f) }) {
					return
				}
			}
			t.Logf("%d pages, %d presses", f.pages, f.taps)
		})
	}
}

// From the link in the pager's message to a published issue, on the phone of
// somebody who is signed in: the link, "Publish", and the button that says who
// is told. Nothing is below the screen.
func threeTaps(t *testing.T, w *world) {
	for _, link := range []string{"the queue", "the issue"} {
		f := newShift(t, w, onPhone, true, "from "+link)
		f.signIn(w.admin)
		path, title := f.alarm("pager")
		words := "Review and publish"
		if link == "the queue" {
			path, words = "/admin", "Publish "+title
		}
		f.taps++ // the link itself
		f.goTo(path)
		f.tap(words)
		f.tap("Publish, notify 1 and tweet")
		f.sees("Published. Customers can see it now.")
		if f.taps > 3 || len(f.far) > 0 {
			t.Errorf("from %s: %d taps, after scrolling to %q", link, f.taps, f.far)
		}
		eventually(t, "the public page says so", func() error { return visitor(w.daemon).get("/").says(title) })
		f.goTo("/")
	}
}

// Confirm, review, publish, with Tab, Enter and letters alone.
func keyboardOnly(t *testing.T, w *world) {
	for _, scripted := range []bool{false, true} {
		f := newShift(t, w, atDesk, scripted, "keyboard")
		f.signIn(w.admin)
		path, title := f.alarm("keys")
		f.goTo("/admin")
		f.walkTo("Publish " + title)
		f.enter()
		f.walkTo("Edit before publishing")
		f.press(kb.Enter)
		f.walkTo("Title")
		f.press("Typed " + f.who)
		f.walkTo("Show how it will be")
		f.enter()
		f.sees("Typed "+f.who, "with your changes, not saved yet")
		f.walkTo("Publish, notify 1 and tweet")
		f.enter()
		f.sees("Published. Customers can see it now.", "Typed "+f.who)
		if err := f.colleague.get(path).says("Typed " + f.who); err != nil {
			t.Error(err)
		}
	}
}

func newShift(t *testing.T, w *world, s screen, scripted bool, about ...string) *shift {
	t.Helper()
	way := "plain" // no name may begin another one
	if scripted {
		way = "scripted"
	}
	who := strings.Join(append([]string{fmt.Sprintf("%dpx", s.width), way}, about...), " ")
	colleague := *w.admin
	colleague.t, colleague.cookies = t, maps.Clone(w.admin.cookies)
	return &shift{hand: newHand(t, w.url, who, s, scripted), w: w, colleague: &colleague}
}
