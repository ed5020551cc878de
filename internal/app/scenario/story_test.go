package scenario

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const (
	draftTitle = "Checkout is unavailable in eu"
	humanTitle = "Some customers cannot pay in Europe"
	reader     = "reader@example.com"
)

var checkoutDown = labels{"alertname": "CheckoutDown", "region": "eu", "severity": "critical", "instance": "a"}

// The whole way of an alert, with each Alertmanager and each database: it
// fires, a person confirms it in their own words, everybody hears of it, it
// clears, and the words stay.
func TestAnAlertBecomesAnIssueAndEndsInThePersonsWords(t *testing.T) {
	t.Parallel()
	for _, am := range alertmanagers {
		t.Run("Alertmanager "+am.version, func(t *testing.T) {
			onBothDatabases(t, func(t *testing.T, dsn string) {
				w := newWorld(t, setup{database: dsn})
				w.subscribe(reader)
				prometheus := startAlertmanager(t, am.program, w.daemon)

				prometheus.fire(checkoutDown)
				draft := w.draft(draftTitle)
				w.nothingIsPublic(draftTitle)

				w.confirm(draft, humanTitle)
				w.everybodyKnows(humanTitle, "We are looking into failing checkouts.")
				page := hostPage(t, w.url, "")
				eventually(t, "the banner on a page with a strict policy", func() error { return contains(newReader(t, page), humanTitle) })

				prometheus.clear(checkoutDown)
				w.allIsOver(draft, humanTitle, "Checkout has recovered.")
				if shown := newReader(t, page); shown != "" {
					t.Errorf("after the end, the banner of a new reader says %q", shown)
				}
			})
		})
	}
}

// New Relic's payloads, in the three shapes that accounts have.
func TestANewRelicIssueBecomesAnIssueAndEnds(t *testing.T) {
	t.Parallel()
	for _, shape := range []struct{ name, opened, closed string }{
		{"default workflow", "newrelic-default-activated.json", "newrelic-default-closed.json"},
		{"classic channel", "newrelic-legacy-open.json", "newrelic-legacy-closed.json"},
		{"migrated account", "newrelic-migrated-open.json", "newrelic-migrated-closed.json"},
	} {
		t.Run(shape.name, func(t *testing.T) {
			onBothDatabases(t, func(t *testing.T, dsn string) {
				w := newWorld(t, setup{database: dsn})
				w.subscribe(reader)
				w.deliver("newrelic/nr-prod", w.testdata(shape.opened))
				draft := w.draft("Payments are failing")
				w.nothingIsPublic("Payments are failing")
				w.confirm(draft, humanTitle)
				w.everybodyKnows(humanTitle, "We are looking into failing payments.")
				w.deliver("newrelic/nr-prod", w.testdata(shape.opened)) // again: no second effect
				w.deliver("newrelic/nr-prod", w.testdata(shape.closed))
				w.allIsOver(draft, humanTitle, "Payments work again.")
			})
		})
	}
}

// draft waits until the queue shows the title and returns the draft's path.
func (w *world) draft(title string) string {
	w.t.Helper()
	path := ""
	eventually(w.t, "the draft stands in the queue", func() error {
		queue := w.admin.get("/admin")
		if err := queue.says(title); err != nil {
			return err
		}
		for _, link := range queue.links() {
			if rest, ok := strings.CutPrefix(link, "/admin/issues/"); ok && rest != "" && !strings.ContainsAny(rest, "/?#") && rest != "new" {
				path = link
				return nil
			}
		}
		return fmt.Errorf("no link to the draft among %q", queue.links())
	})
	return path
}

// nothingIsPublic checks that a draft has no public effect.
func (w *world) nothingIsPublic(title string) {
	w.t.Helper()
	var front *page
	eventually(w.t, "the page knows the components", func() error {
		front = visitor(w.daemon).get("/")
		return front.says("All Systems Operational")
	})
	if front.says(title) == nil {
		w.t.Error("the page shows a draft")
	}
	for _, feed := range []string{"/history.rss", "/history.atom"} {
		if err := w.feedHas(feed, 0, "", ""); err != nil {
			w.t.Error(err)
		}
	}
	if err := w.wrote(reader, 0); err != nil {
		w.t.Error(err)
	}
	if err := w.tweeted(0); err != nil {
		w.t.Error(err)
	}
}

// confirm publishes a draft under another title.
func (w *world) confirm(draft, title string) {
	w.t.Helper()
	f := w.admin.get(draft).form(draft)
	f.set("title", title)
	if after := f.press("Publish"); after.status != http.StatusOK {
		w.t.Fatalf("publishing: %d %s", after.status, after.text())
	}
}

// everybodyKnows waits until each surface shows the open issue.
func (w *world) everybodyKnows(title, body string) {
	w.t.Helper()
	eventually(w.t, "the page shows the issue", func() error {
		page := visitor(w.daemon).get("/")
		if page.says("All Systems Operational") == nil {
			return fmt.Errorf("all is said to be operational")
		}
		return page.says(title, body, "Investigating", "Checkout")
	})
	for _, feed := range []string{"/history.rss", "/history.atom"} {
		eventually(w.t, "the feed has it", func() error { return w.feedHas(feed, 1, title, body) })
	}
	eventually(w.t, "the API has it", func() error {
		s, err := w.summary()
		if err != nil {
			return err
		}
		if s.Status.Indicator == "none" || len(s.Incidents) != 1 || s.Incidents[0].Name != title {
			return fmt.Errorf("it says %+v", s)
		}
		return nil
	})
	eventually(w.t, "the mail comes", func() error { return w.wrote(reader, 1, title, body) })
	eventually(w.t, "the tweet is posted", func() error { return w.tweeted(1, title) })
}

// allIsOver waits until each surface shows that the issue ended, still in the
// person's words.
func (w *world) allIsOver(draft, title, body string) {
	w.t.Helper()
	eventually(w.t, "the page is well again and remembers", func() error {
		return visitor(w.daemon).get("/").says("All Systems Operational", title, body, "Resolved")
	})
	public := strings.TrimPrefix(draft, "/admin")
	eventually(w.t, "the issue's own page", func() error {
		return visitor(w.daemon).get(public).says(title, body, "Resolved", "Investigating")
	})
	for _, feed := range []string{"/history.rss", "/history.atom"} {
		eventually(w.t, "the feed has the end", func() error { return w.feedHas(feed, 1, title, body) })
	}
	eventually(w.t, "the API has no open issue", func() error {
		s, err := w.summary()
		if err == nil && (s.Status.Indicator != "none" || len(s.Incidents) != 0) {
			err = fmt.Errorf("it says %+v", s)
		}
		return err
	})
	eventually(w.t, "the mail of the end", func() error { return w.wrote(reader, 2, title, body) })
	eventually(w.t, "the tweet of the end", func() error { return w.tweeted(2, title) })
	if tweets := w.x.Tweets(); tweets[1].ReplyTo != tweets[0].ID {
		w.t.Errorf("the end answers tweet %q, want the first one, %s", tweets[1].ReplyTo, tweets[0].ID)
	}
	if err := w.admin.get(draft).says(title, "admin@localhost"); err != nil {
		w.t.Error(err)
	}
}

// summary is /api/v2/summary.json, as far as a scenario looks.
type summary struct {
	Status struct {
		Indicator   string
		Description string
	}
	Components []struct{ Name, Status string }
	Incidents  []struct{ Name, Status, Impact string }
	Scheduled  []struct{ Name, Status string } `json:"scheduled_maintenances"`
}

func (d *daemon) summary() (summary, error) {
	var s summary
	resp, err := client.Get(d.url + "/api/v2/summary.json")
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return s, fmt.Errorf("the API answers %s", resp.Status)
	}
	return s, json.NewDecoder(resp.Body).Decode(&s)
}

func contains(shown, text string) error {
	if !strings.Contains(shown, text) {
		return fmt.Errorf("it says %q, not %q", shown, text)
	}
	return nil
}
