package scenario

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// The demo, from an empty folder: an alert is fired by its button, a person
// publishes the draft, and mail, tweet and banner can be looked at.
func TestTheDemoLeadsFromAnAlertToItsMail(t *testing.T) {
	t.Parallel()
	d := install(t, setup{})
	d.spawn("demo", "--listen", strings.TrimPrefix(d.url, "http://"))
	eventually(t, "the demo answers", func() error { return isOK(d.url + "/") })
	p := visitor(d)
	for _, path := range []string{"/", "/admin/login", "/demo/app"} {
		if err := p.get(path).says("Fire a fake alert"); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}

	stranger := visitor(d)
	stranger.origin = "https://evil.example"
	for _, button := range []string{"/demo/fire", "/demo/sign-in"} {
		if got, _ := stranger.once(http.MethodPost, button, nil); got.status != http.StatusForbidden {
			t.Errorf("another site may press %s: %d", button, got.status)
		}
	}

	p.send(http.MethodPost, "/demo/fire", url.Values{})
	p.send(http.MethodPost, "/demo/sign-in", url.Values{})
	draft := ""
	eventually(t, "the draft stands in the queue", func() error {
		for _, link := range p.get("/admin").links() {
			if strings.HasPrefix(link, "/admin/issues/") && strings.HasSuffix(link, "/review") {
				draft = link
				return nil
			}
		}
		return errors.New("there is none")
	})
	issue := strings.TrimSuffix(draft, "/review")
	if err := visitor(d).get(strings.TrimPrefix(issue, "/admin")).says("Checkout"); err == nil {
		t.Error("the draft is public")
	}
	p.get(draft).form("title").press("Publish")
	eventually(t, "the public page of the issue", func() error {
		return visitor(d).get(strings.TrimPrefix(issue, "/admin")).says("Checkout")
	})
	for _, path := range []string{"/demo/mail", "/demo/tweets"} {
		eventually(t, path+" tells it", func() error { return p.get(path).says("Checkout") })
	}

	// Its own pages are held to what every page is held to.
	documents := map[string][]byte{}
	for _, path := range []string{"/demo", "/demo/app", "/demo/mail", "/demo/tweets"} {
		documents[path] = p.get(path).body
		if path != "/demo/app" && path != "/demo/mail" {
			continue // made of the same parts
		}
		tab := openBrowser(t)
		tab.signIn(p)
		for _, f := range checkPage(tab, d.url+path, "") {
			t.Errorf("%s: %s", path, f)
		}
		tab.close()
	}
	for path, list := range checkHTML(t, documents) {
		for _, f := range list {
			t.Errorf("%s: %s", path, f)
		}
	}
}
