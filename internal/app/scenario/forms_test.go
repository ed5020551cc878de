package scenario

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestS36AMalformedWebhookIsKeptAsADeadLetter(t *testing.T) {
	t.Parallel()
	d := launch(t, setup{})
	d.deliver("alertmanager/prod", []byte(`{"id": , "state": "ACTIVATED"}`))
	d.deliver("newrelic/prod", []byte(`[1, 2, 3]`))
	on := admin(d)
	eventually(t, "the admin sees both", func() error {
		return on.get("/admin/alerts").says(`"state": "ACTIVATED"`, "[1, 2, 3]", "not valid JSON")
	})
}

func TestS37AWrongSecretIsRefused(t *testing.T) {
	t.Parallel()
	d := launch(t, setup{})
	body := message(true, checkoutDown, time.Now())
	for _, secret := range []string{"", "wrong", d.secret + "x", strings.ToUpper(d.secret)} {
		r, err := d.post(d.url+"/hooks/alertmanager", secret, body)
		if err != nil {
			t.Fatal(err)
		}
		if r.status != http.StatusUnauthorized {
			t.Errorf("the secret %q is answered %d, want 401", secret, r.status)
		}
	}
	if err := admin(d).get("/admin").says(draftTitle); err == nil {
		t.Error("a webhook without the secret made a draft")
	}
}

func TestABadFormIsAnswered422AndKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	d := launch(t, setup{})
	on := admin(d)
	for _, c := range []struct {
		path, typed, bad string
		fields           map[string]string
	}{
		{"/admin/components/new", "description", "name", map[string]string{"name": "", "description": "Typed with care"}},
		{"/admin/issues/new", "body", "title", map[string]string{"title": "", "body": "Typed with care"}},
		{"/admin/maintenance/new", "body", "until", map[string]string{
			"title": "Upgrade", "body": "Typed with care", "from": "2030-01-02T10:00", "until": "2030-01-02T09:00",
		}},
	} {
		f := on.get(c.path).form(c.bad)
		for name, value := range c.fields {
			f.set(name, value)
		}
		after := f.press("")
		if after.status != http.StatusUnprocessableEntity {
			t.Errorf("%s without %s is answered %d, want 422", c.path, c.bad, after.status)
		}
		again := after.form(c.bad)
		for name, value := range c.fields {
			if got := again.value(name); got != value {
				t.Errorf("%s: %s is %q after the mistake, want %q", c.path, name, got, value)
			}
		}
		if !after.has("input", "aria-invalid", "true") {
			t.Errorf("%s does not mark the wrong field", c.path)
		}
	}
}

func TestAStaleEditIsAConflictAndLosesNothing(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, dsn string) {
		d := launch(t, setup{database: dsn})
		mine := admin(d)
		d.deliver("alertmanager/prod", message(true, checkoutDown, time.Now()))
		w := &world{daemon: d, admin: mine}
		draft := w.draft(draftTitle)
		seen := mine.get(draft).form(draft)

		theirs := admin(d).get(draft).form(draft)
		theirs.set("title", "Their title")
		if after := theirs.press("Save"); after.status != http.StatusOK {
			t.Fatalf("the first edit: %d %s", after.status, after.text())
		}

		seen.set("title", "My title")
		seen.set("body", "My words, typed at night.")
		after := seen.press("Save")
		if after.status != http.StatusConflict {
			t.Fatalf("the stale edit is answered %d, want 409", after.status)
		}
		if err := after.says("Their title"); err != nil {
			t.Error(err)
		}
		again := after.form("body")
		if again.value("title") != "My title" || again.value("body") != "My words, typed at night." {
			t.Errorf("after the conflict the form holds %q, %q", again.value("title"), again.value("body"))
		}
		if now := mine.get(draft).form(draft).value("title"); now != "Their title" {
			t.Errorf("the stale edit changed the title to %q", now)
		}
		// Having seen the difference, the person decides.
		if final := again.press("Save"); final.status != http.StatusOK {
			t.Errorf("the edit that has seen both: %d %s", final.status, final.text())
		}
		if now := mine.get(draft).form(draft).value("title"); now != "My title" {
			t.Errorf("the title is %q, want mine", now)
		}
	})
}

func TestAFormFromAnotherSiteIsRefused(t *testing.T) {
	t.Parallel()
	d := launch(t, setup{})
	on := admin(d)
	f := on.get("/admin/components/new").form("name")
	f.set("name", "Planted")
	on.origin = "http://evil.example.test"
	if after := f.press(""); after.status != http.StatusForbidden {
		t.Errorf("a form from another site is answered %d, want 403", after.status)
	}
}
