package scenario

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

const somethingWrong = "CheckoutDown on our side"

// asking is a daemon that publishes by itself and asks the Alertmanager that
// sends to it.
func asking(t *testing.T, s amSetup) (*world, *alertmanager) {
	t.Helper()
	d := install(t, setup{})
	am := newAM(t, d, s)
	d.write(d.rules, rulesAsking("peers: ['"+am.url+"']"))
	w := staff(t, d)
	am.start()
	return w, am
}

// staff starts an installed daemon and signs an admin in.
func staff(t *testing.T, d *daemon) *world {
	t.Helper()
	d.start()
	w := &world{daemon: d, admin: admin(d)}
	addComponent(w.admin, "Checkout", "checkout")
	return w
}

// holds checks that an issue stays on the page for some rounds of asking.
func (w *world) holds(why, title string) {
	w.t.Helper()
	stays(w.t, 4*time.Second, why, func() error {
		page := visitor(w.daemon).get("/")
		if page.says("All Systems Operational") == nil {
			return fmt.Errorf("all is said to be operational")
		}
		return w.isOpen(title)
	})
}

// isOpen is nil while the API lists the issue.
func (w *world) isOpen(title string) error {
	s, err := w.summary()
	if err != nil {
		return err
	}
	for _, i := range s.Incidents {
		if i.Name == title {
			return nil
		}
	}
	return fmt.Errorf("open issues: %+v", s.Incidents)
}

// ends waits until nothing is open, and checks why: the log of the first issue
// on the page says the reason.
func (w *world) ends(title, reason string) {
	w.t.Helper()
	eventually(w.t, title+" ends", func() error {
		if err := w.isOpen(title); err == nil {
			return fmt.Errorf("it is open")
		}
		return visitor(w.daemon).get("/").says(title, "Resolved")
	})
	w.explains(title, reason)
}

// explains checks that the log of the issue gives the reason.
func (w *world) explains(title, reason string) {
	w.t.Helper()
	eventually(w.t, "the reason", func() error {
		out, errs, code := w.command("", "explain", w.issue(title), "--config", w.config)
		if code != 0 {
			return fmt.Errorf("explain ends with %d: %s", code, errs)
		}
		return contains(out, reason)
	})
}

// issue is the id of the newest issue of the title.
func (w *world) issue(title string) string {
	w.t.Helper()
	feed := visitor(w.daemon).get("/")
	for _, link := range feed.links() {
		if id, ok := strings.CutPrefix(link, "/issues/"); ok && visitor(w.daemon).get("/issues/"+id).says(title) == nil {
			return id
		}
	}
	w.t.Fatalf("no issue %q among %q", title, feed.links())
	return ""
}

// updates counts what the public was told of an issue.
func (w *world) updates(title string) int {
	w.t.Helper()
	return bytes.Count(visitor(w.daemon).get("/issues/"+w.issue(title)).body, []byte(`id="update-`))
}

const absent = "absent from its source twice"

// An alert that is silenced when it clears is never reported resolved.
func TestASilencedAlertStaysOnThePageAndEndsWhenItIsGone(t *testing.T) {
	onBothAlertmanagers(t, func(t *testing.T, program string) {
		w, am := asking(t, amSetup{program: program})
		w.fires(am, "CheckoutDown")
		am.silence("CheckoutDown")
		w.explains(somethingWrong, "silenced at its source")
		w.holds("a silence is no recovery", somethingWrong)
		am.clear(labels{"alertname": "CheckoutDown"})
		w.ends(somethingWrong, absent)
	})
}

func TestAnAlertThatIsInhibitedWhenItClearsEnds(t *testing.T) {
	onBothAlertmanagers(t, func(t *testing.T, program string) {
		w, am := asking(t, amSetup{program: program, extra: `
inhibit_rules:
  - source_matchers: ['alertname="DatacenterDown"']
    target_matchers: ['alertname="CheckoutDown"']
`})
		w.fires(am, "CheckoutDown")
		w.fires(am, "DatacenterDown")
		eventually(t, "Alertmanager inhibits it", func() error { return am.lists("CheckoutDown", "suppressed") })
		w.holds("inhibited is not over", somethingWrong)
		am.clear(labels{"alertname": "CheckoutDown"})
		w.ends(somethingWrong, absent)
		if err := w.isOpen("DatacenterDown on our side"); err != nil {
			t.Error(err)
		}
	})
}

func TestAnAlertThatClearsInAMuteWindowEnds(t *testing.T) {
	onBothAlertmanagers(t, func(t *testing.T, program string) {
		w, am := asking(t, amSetup{program: program})
		w.fires(am, "CheckoutDown")
		// The root route cannot be muted.
		am.s.route = `
  routes:
    - receiver: statusbridge
      mute_time_intervals: [always]
`
		am.s.extra = `
time_intervals:
  - name: always
    time_intervals: [{ times: [{ start_time: '00:00', end_time: '24:00' }] }]
`
		am.reload()
		w.holds("a mute window is no recovery", somethingWrong)
		sent := am.notifications()
		am.clear(labels{"alertname": "CheckoutDown"})
		w.ends(somethingWrong, absent)
		if n := am.notifications(); n != sent {
			t.Errorf("Alertmanager sent %d notifications in its mute window; the test shows nothing", n-sent)
		}
	})
}

// With max_alerts, Alertmanager computes a message's status from what is left of
// it: it says resolved while most alerts of the group fire.
func TestAMessageThatWasCutShortEndsNothingButWhatItLists(t *testing.T) {
	onBothAlertmanagers(t, func(t *testing.T, program string) {
		w, am := asking(t, amSetup{program: program, receiver: "        max_alerts: 1"})
		alert := func(instance string) labels { return labels{"alertname": "CheckoutDown", "instance": instance} }
		for _, instance := range []string{"a", "b", "c", "d"} {
			am.fire(alert(instance))
		}
		eventually(t, "the page shows the issue", func() error { return visitor(w.daemon).get("/").says(somethingWrong) })
		path := "/admin/issues/" + w.issue(somethingWrong)
		eventually(t, "asking finds the alerts that were cut off", func() error {
			return w.admin.get(path).says("on a", "on b", "on c", "on d")
		})
		am.clear(alert("a"))
		eventually(t, "the message that says resolved", func() error {
			return w.admin.get("/admin/alerts").says("1 alert: 1 resolved; Alertmanager left out 3 more (max_alerts)")
		})
		w.holds("three alerts fire", somethingWrong)
		for _, instance := range []string{"b", "c", "d"} {
			am.clear(alert(instance))
		}
		w.ends(somethingWrong, absent)
	})
}

// Any edit of a route changes the groupKey, and Alertmanager sends all anew.
func TestAnEditedRouteChangesNothing(t *testing.T) {
	onBothAlertmanagers(t, func(t *testing.T, program string) {
		w, am := asking(t, amSetup{program: program})
		w.fires(am, "CheckoutDown")
		id, sent := w.issue(somethingWrong), am.notifications()
		am.s.route = `
  routes:
    - receiver: statusbridge
      matchers: ['alertname=~".*Down"']
      group_by: [alertname, severity]
`
		am.reload()
		eventually(t, "Alertmanager sends it under another key", func() error { return am.rid(sent + 1) })
		w.holds("only the groupKey changed", somethingWrong)
		if again := w.issue(somethingWrong); again != id || w.updates(somethingWrong) != 1 {
			t.Errorf("issue %s became %s with %d updates", id, again, w.updates(somethingWrong))
		}
		am.clear(labels{"alertname": "CheckoutDown"})
		w.ends(somethingWrong, "quiet for resolve.after")
		if n := w.updates(somethingWrong); n != 2 {
			t.Errorf("%d updates, want the beginning and the end", n)
		}
		if log, _, _ := w.command("", "explain", id, "--config", w.config); strings.Contains(log, absent) {
			t.Errorf("the alert had a second identity, which was lost:\n%s", log)
		}
	})
}

// The daemon is down while an alert goes on, while another begins, and while a
// third begins and ends.
func TestWhatFiresWhileWeAreDownIsOnThePageAfterwards(t *testing.T) {
	onBothAlertmanagers(t, func(t *testing.T, program string) {
		w, am := asking(t, amSetup{program: program})
		w.fires(am, "CheckoutDown")
		id := w.issue(somethingWrong)
		w.stop()
		am.fire(labels{"alertname": "SearchDown"})
		am.fire(labels{"alertname": "BlipDown"})
		eventually(t, "Alertmanager fails to tell us", func() error {
			if am.metric("alertmanager_notification_requests_failed_total") < 2 {
				return fmt.Errorf("no failed request")
			}
			return nil
		})
		am.clear(labels{"alertname": "BlipDown"})
		eventually(t, "the short one is over", func() error { return am.lists("BlipDown", "") })
		w.start()
		eventually(t, "the page shows what began meanwhile", func() error { return w.isOpen("SearchDown on our side") })
		w.holds("it never ended", somethingWrong)
		if again := w.issue(somethingWrong); again != id || w.updates(somethingWrong) != 1 {
			t.Errorf("issue %s became %s with %d updates", id, again, w.updates(somethingWrong))
		}
		if err := w.isOpen("BlipDown on our side"); err == nil {
			t.Error("what began and ended meanwhile is open")
		}
	})
}

// Alertmanager tells late what it could not tell in time.
func TestWhatClearsWhileWeAreDownEndsAfterwards(t *testing.T) {
	onBothAlertmanagers(t, func(t *testing.T, program string) {
		w, am := asking(t, amSetup{program: program})
		w.fires(am, "CheckoutDown")
		w.stop()
		am.clear(labels{"alertname": "CheckoutDown"})
		eventually(t, "it is over", func() error { return am.lists("CheckoutDown", "") })
		w.start()
		w.ends(somethingWrong, "quiet for resolve.after")
	})
}

// If it starts anew meanwhile, it never tells.
func TestWhatAlertmanagerForgotWhileWeAreDownEndsAfterwards(t *testing.T) {
	onBothAlertmanagers(t, func(t *testing.T, program string) {
		w, am := asking(t, amSetup{program: program})
		w.fires(am, "CheckoutDown")
		w.stop()
		am.kill()
		am.start()
		w.start()
		w.ends(somethingWrong, absent)
	})
}
