package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestTheKeysAreTurnedOffInABrowserAndOnAgain(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Viewer)
	const list = `<section id="keys" popover`
	b.get("/admin").want(t, http.StatusOK, list, "<kbd>j</kbd>")
	b.post("/admin/profile/keys", url.Values{"keys": {"off"}}).want(t, http.StatusSeeOther)
	if page := b.get("/admin").body; strings.Contains(page, list) {
		t.Error("the keys are still on")
	}
	b.get("/admin/profile").want(t, http.StatusOK, "Turn the keys on")
	s.signedIn(status.Responder).get("/admin").want(t, http.StatusOK, list) // another browser
	b.post("/admin/profile/keys", url.Values{"keys": {"on"}}).want(t, http.StatusSeeOther)
	b.get("/admin").want(t, http.StatusOK, list)
}
