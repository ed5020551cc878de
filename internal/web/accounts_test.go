package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/statusbridge/statusbridge/internal/status"
)

var madePassword = regexp.MustCompile(`<code>([a-z2-9]{4}(?:-[a-z2-9]{4}){3})</code>`)

func TestAnAdminCreatesSomebodyWhoSignsInWithTheShownPassword(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Admin)
	made := b.post("/admin/users", url.Values{"email": {"Jo@Example.com"}, "name": {"Jo"}, "role": {"responder"}})
	made.want(t, http.StatusOK, "Hand this over now", "jo@example.com")
	word := madePassword.FindStringSubmatch(made.body)
	if word == nil {
		t.Fatalf("no password in %s", made.body)
	}
	jo := s.browser()
	jo.login("jo@example.com", word[1], "").want(t, http.StatusSeeOther)
	jo.get("/admin").want(t, http.StatusOK, "Jo", "responder")
	if strings.Contains(b.get("/admin/users").body, word[1]) {
		t.Error("the password is shown twice")
	}
	b.post("/admin/users", url.Values{"email": {"jo@example.com"}, "role": {"viewer"}}).want(t, http.StatusUnprocessableEntity, "with this address already", `value="jo@example.com"`)
	b.post("/admin/users", url.Values{"email": {"jo"}, "role": {"viewer"}}).want(t, http.StatusUnprocessableEntity, "is no address")
	b.post("/admin/users", url.Values{"email": {"x@example.com"}, "role": {"root"}}).want(t, http.StatusUnprocessableEntity, "choose one")
	b.get("/admin/audit").want(t, http.StatusOK, "created an account", "jo@example.com, responder")
}

func TestDisablingAndDemotingTakeEffectWithTheNextClick(t *testing.T) {
	s := newSite(t)
	b, jo := s.signedIn(status.Admin), s.signedIn(status.Responder)
	path := "/admin/users/a-responder"
	jo.get("/admin/issues/new").want(t, http.StatusOK)
	b.post(path, url.Values{"role": {"viewer"}}).want(t, http.StatusSeeOther)
	jo.get("/admin/issues/new").want(t, http.StatusForbidden)
	b.post(path, url.Values{"role": {"viewer"}, "disabled": {"1"}}).want(t, http.StatusSeeOther)
	jo.get("/admin").want(t, http.StatusSeeOther)
	s.browser().login("responder@example.com", password, "").want(t, http.StatusUnauthorized)
	b.post(path, url.Values{"role": {"viewer"}}).want(t, http.StatusSeeOther)
	jo.get("/admin").want(t, http.StatusSeeOther) // the old session does not come back
	s.browser().login("responder@example.com", password, "").want(t, http.StatusSeeOther)
	b.get("/admin/audit").want(t, http.StatusOK, "changed a role", "responder → viewer", "disabled an account", "enabled an account")
}

func TestAnAdminCannotLockThemselvesOut(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Admin)
	b.post("/admin/users/a-admin", url.Values{"role": {"viewer"}}).want(t, http.StatusUnprocessableEntity, "another admin has to")
	b.post("/admin/users/a-admin", url.Values{"role": {"admin"}, "disabled": {"1"}}).want(t, http.StatusUnprocessableEntity, "another admin has to")
	b.get("/admin/users").want(t, http.StatusOK)
}

func TestAResetPasswordReplacesTheOldOneAndSignsOut(t *testing.T) {
	s := newSite(t)
	b, jo := s.signedIn(status.Admin), s.signedIn(status.Viewer)
	got := b.post("/admin/users/a-viewer/reset", url.Values{"what": {"password"}})
	got.want(t, http.StatusOK, "Hand this over now")
	jo.get("/admin").want(t, http.StatusSeeOther)
	s.browser().login("viewer@example.com", password, "").want(t, http.StatusUnauthorized)
	s.browser().login("viewer@example.com", madePassword.FindStringSubmatch(got.body)[1], "").want(t, http.StatusSeeOther)
	b.post("/admin/users/a-viewer/reset", url.Values{"what": {"all"}}).want(t, http.StatusUnprocessableEntity)
	b.post("/admin/users/nobody/reset", url.Values{"what": {"password"}}).want(t, http.StatusNotFound)
}

func TestChangingThePasswordTakesTheOldOneAndEndsOtherSessions(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Viewer)
	other := s.browser()
	other.login("viewer@example.com", password, "").want(t, http.StatusSeeOther)
	const path, next = "/admin/profile/password", "a much better sentence"
	b.post(path, url.Values{"current": {"wrong"}, "password": {next}}).want(t, http.StatusUnprocessableEntity, "is not your present password")
	b.post(path, url.Values{"current": {password}, "password": {"short"}}).want(t, http.StatusUnprocessableEntity, "at least 8 characters")
	other.get("/admin").want(t, http.StatusOK)
	b.post(path, url.Values{"current": {password}, "password": {next}}).want(t, http.StatusSeeOther)
	b.get("/admin").want(t, http.StatusOK)
	other.get("/admin").want(t, http.StatusSeeOther)
	s.browser().login("viewer@example.com", next, "").want(t, http.StatusSeeOther)
}

func TestGuessingThePresentPasswordIsSlowedDown(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Viewer)
	form := url.Values{"current": {"wrong"}, "password": {"a much better sentence"}}
	for range 5 {
		b.post("/admin/profile/password", form).want(t, http.StatusUnprocessableEntity, "is not your present password")
	}
	b.post("/admin/profile/password", form).want(t, http.StatusUnprocessableEntity, "Too many attempts")
}

func TestSessionsAreListedAndEndedOneByOneAndAllTogether(t *testing.T) {
	s := newSite(t)
	b, stranger := s.signedIn(status.Viewer), s.signedIn(status.Responder)
	phone := s.browser()
	phone.header["User-Agent"] = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile/15E148 Safari/604.1"
	phone.login("viewer@example.com", password, "").want(t, http.StatusSeeOther)
	list := b.get("/admin/profile")
	list.want(t, http.StatusOK, "Safari on iPhone", "this browser", "last seen", "0.0.0.0")
	id := regexp.MustCompile(`name="session" value="([0-9a-f]{64})"`).FindStringSubmatch(list.body)
	if id == nil || strings.Count(list.body, `name="session"`) != 2 {
		t.Fatalf("want one session to end, and all: %s", list.body)
	}
	stranger.post("/admin/profile/sessions", url.Values{"session": {id[1]}}).want(t, http.StatusNotFound)
	phone.get("/admin").want(t, http.StatusOK)
	b.post("/admin/profile/sessions", url.Values{"session": {id[1]}}).want(t, http.StatusSeeOther)
	phone.get("/admin").want(t, http.StatusSeeOther)
	b.get("/admin").want(t, http.StatusOK)
	phone.login("viewer@example.com", password, "").want(t, http.StatusSeeOther)
	phone.post("/admin/profile/sessions", url.Values{"session": {"all"}}).want(t, http.StatusSeeOther)
	b.get("/admin").want(t, http.StatusSeeOther)
	stranger.get("/admin").want(t, http.StatusOK)
}
