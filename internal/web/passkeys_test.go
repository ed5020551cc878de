package web_test

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/web"
)

const passkeysPath = "/admin/profile/passkeys"

// wish asks for a new passkey, as the script of the page does.
func (b *browser) wish(form url.Values) answer {
	b.site.t.Helper()
	full := url.Values{"csrf": {b.token(passkeysPath)}, "current": {password}}
	for k, v := range form {
		full[k] = v
	}
	return b.do("POST", passkeysPath+"/ask", full, "Accept", "application/json")
}

// addPasskey sets a passkey up.
func (b *browser) addPasskey(name string) *device {
	b.site.t.Helper()
	d := newDevice(b.site.t)
	asked := b.wish(nil)
	if asked.StatusCode != http.StatusOK {
		b.site.t.Fatalf("asking for a passkey: %d %s", asked.StatusCode, asked.body)
	}
	o := optionsIn(b.site.t, asked.body)
	got := b.do("POST", passkeysPath, url.Values{"csrf": {b.token(passkeysPath)}, "name": {name}, "credential": {d.create(o)}})
	if got.StatusCode != http.StatusSeeOther {
		b.site.t.Fatalf("adding a passkey: %d %s", got.StatusCode, got.body)
	}
	return d
}

// question begins a sign-in by passkey.
func (b *browser) question() answer {
	b.site.t.Helper()
	return b.do("POST", "/admin/login/passkey/ask", url.Values{"csrf": {b.token("/admin/login")}}, "Accept", "application/json")
}

func (b *browser) answers(credential, next string) answer {
	b.site.t.Helper()
	return b.do("POST", "/admin/login/passkey", url.Values{"csrf": {b.token("/admin/login")}, "next": {next}, "credential": {credential}})
}

// show signs in by passkey.
func (b *browser) show(d *device, next string) answer {
	b.site.t.Helper()
	asked := b.question()
	if asked.StatusCode != http.StatusOK {
		return asked
	}
	return b.answers(d.sign(optionsIn(b.site.t, asked.body)), next)
}

func TestAPasskeySignsInWithoutPasswordOrCodeAndTheDeepLinkStays(t *testing.T) {
	s := newSite(t)
	owner := s.signedIn(status.Admin)
	owner.enrol()
	secret, err := s.store.Authenticator(t.Context(), "a-admin")
	if err != nil {
		t.Fatal(err)
	}
	other := s.browser()
	other.login("admin@example.com", password, "")
	other.second("code", web.CodeAt(secret.Secret, s.clock.Now())).want(t, http.StatusSeeOther)
	s.clock.pass(time.Minute)
	owner.wish(nil).want(t, http.StatusUnprocessableEntity, "six digits") // all that a sign-in takes
	owner.wish(url.Values{"current": {"wrong"}}).want(t, http.StatusUnprocessableEntity, "not your present password")
	asked := owner.wish(url.Values{"code": {web.CodeAt(secret.Secret, s.clock.Now())}})
	asked.want(t, http.StatusOK)
	o := optionsIn(t, asked.body)
	if o.RP.ID != host || o.Selection.ResidentKey != "required" || o.Selection.UserVerification != "required" {
		t.Errorf("asked for %+v", o)
	}
	d, before := newDevice(t), owner.cookies["__Host-statusbridge"]
	owner.do("POST", passkeysPath, url.Values{"csrf": {owner.token(passkeysPath)}, "name": {"Jo's <phone>"}, "credential": {d.create(o)}}).want(t, http.StatusSeeOther)
	if owner.cookies["__Host-statusbridge"] == before {
		t.Error("the session is the one of before")
	}
	other.get("/admin").want(t, http.StatusSeeOther) // signed out
	owner.get(passkeysPath).want(t, http.StatusOK, "Jo&#39;s &lt;phone&gt;", "never used", "may be on several devices")

	b := s.browser()
	question := b.question()
	if o := optionsIn(t, question.body); o.RPID != host || o.UserVerification != "required" || o.Allow != nil {
		t.Errorf("the question is %s", question.body)
	}
	got := b.show(d, "/admin/issues/abc?show=open")
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/admin/issues/abc?show=open" {
		t.Fatalf("%d to %q: %s", got.StatusCode, got.Header.Get("Location"), got.body)
	}
	b.get("/admin").want(t, http.StatusOK)
	b.get(passkeysPath).want(t, http.StatusOK, "last used")
	b.get("/admin/audit").want(t, http.StatusOK, "added a passkey")
	if got := s.browser().show(d, "https://evil.example/"); got.Header.Get("Location") != "/admin" {
		t.Errorf("a foreign target leads to %q", got.Header.Get("Location"))
	}
}

func TestAnAuthenticatorThatDoesNotCountWorks(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Viewer)
	d := newDevice(t)
	d.count = 0
	b.do("POST", passkeysPath, url.Values{"credential": {d.create(optionsIn(t, b.wish(nil).body))}, "csrf": {b.token(passkeysPath)}}).want(t, http.StatusSeeOther)
	for range 2 {
		s.browser().show(d, "").want(t, http.StatusSeeOther)
	}
}

func TestAnAnswerOpensOnceForTheQuestionOfThatBrowser(t *testing.T) {
	s := newSite(t)
	d := s.signedIn(status.Viewer).addPasskey("Phone")
	b := s.browser()
	answer := d.sign(optionsIn(t, b.question().body))
	thief := s.browser()
	thief.answers(answer, "").want(t, http.StatusUnauthorized, "took too long") // has no question of its own
	thief.question()
	thief.answers(answer, "").want(t, http.StatusUnauthorized, "does not open")
	step := b.cookies["__Host-statusbridge-step"]
	b.answers(answer, "").want(t, http.StatusSeeOther)

	again := s.browser()
	again.cookies["__Host-statusbridge-step"] = step
	again.answers(answer, "").want(t, http.StatusUnauthorized, "took too long")

	late := s.browser()
	answer = d.sign(optionsIn(t, late.question().body))
	s.clock.pass(7 * time.Minute)
	late.answers(answer, "").want(t, http.StatusUnauthorized, "took too long")

	// a wrong answer uses the question up as well
	b = s.browser()
	o := optionsIn(t, b.question().body)
	step = b.cookies["__Host-statusbridge-step"]
	b.answers("{}", "").want(t, http.StatusUnauthorized, "does not open")
	b.cookies["__Host-statusbridge-step"] = step
	b.answers(d.sign(o), "").want(t, http.StatusUnauthorized, "took too long")
}

func TestAPasskeyThatLiesOpensNothing(t *testing.T) {
	for name, lie := range map[string]func(s *site, d *device){
		"another origin":       func(_ *site, d *device) { d.origin = "https://status.example.com.evil.example" },
		"without TLS":          func(_ *site, d *device) { d.origin = "http://" + host },
		"another RP ID":        func(_ *site, d *device) { d.party = "example.com" },
		"nobody unlocked it":   func(_ *site, d *device) { d.locked = true },
		"another key":          func(_ *site, d *device) { d.key = newDevice(d.t).key },
		"an unknown passkey":   func(_ *site, d *device) { d.id = []byte("unknown") },
		"of another account":   func(_ *site, d *device) { d.owner = []byte("a-admin") },
		"of no account":        func(_ *site, d *device) { d.owner = nil },
		"the counter stays":    func(_ *site, d *device) { d.count-- },
		"the counter falls":    func(_ *site, d *device) { d.count -= 2 },
		"counts no more":       func(_ *site, d *device) { d.count = 0 },
		"of a disabled person": func(s *site, _ *device) { s.change("a-viewer", func(a *status.Account) { a.Disabled = true }) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			admin := s.signedIn(status.Admin)
			d := s.signedIn(status.Viewer).addPasskey("Phone")
			s.browser().show(d, "").want(t, http.StatusSeeOther)
			lie(s, d)
			b := s.browser()
			b.show(d, "").want(t, http.StatusUnauthorized, "That passkey does not open this page.")
			b.get("/admin").want(t, http.StatusSeeOther)
			copied := strings.Contains(admin.get("/admin/audit").body, "refused a passkey that may have been copied")
			if want := strings.Contains(name, "count"); copied != (want && name != "of another account" && name != "of no account") {
				t.Errorf("the audit log says that it was copied: %v", copied)
			}
		})
	}
}

// change alters an account behind the server's back.
func (s *site) change(id string, fn func(*status.Account)) {
	s.t.Helper()
	a, err := s.store.AccountByID(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	fn(&a)
	if err := s.store.SaveAccount(s.t.Context(), a); err != nil {
		s.t.Fatal(err)
	}
}

func TestANewPasskeyThatLiesIsNotKept(t *testing.T) {
	s := newSite(t)
	b, other := s.signedIn(status.Viewer), s.signedIn(status.Responder)
	for name, lie := range map[string]func(d *device){
		"another origin":     func(d *device) { d.origin = "https://evil.example" },
		"another RP ID":      func(d *device) { d.party = "evil.example" },
		"nobody unlocked it": func(d *device) { d.locked = true },
	} {
		d := newDevice(t)
		lie(d)
		got := b.do("POST", passkeysPath, url.Values{"csrf": {b.token(passkeysPath)}, "name": {"Pad"}, "credential": {d.create(optionsIn(t, b.wish(nil).body))}})
		if got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.body, "could not be checked") || !strings.Contains(got.body, `value="Pad"`) {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.body)
		}
	}
	// the answer to somebody else's question
	made := newDevice(t).create(optionsIn(t, b.wish(nil).body))
	other.wish(nil)
	other.do("POST", passkeysPath, url.Values{"csrf": {other.token(passkeysPath)}, "credential": {made}}).want(t, http.StatusUnprocessableEntity, "could not be checked")
	// with their step, too
	b.wish(nil)
	other.cookies["__Host-statusbridge-step"] = b.cookies["__Host-statusbridge-step"]
	other.do("POST", passkeysPath, url.Values{"csrf": {other.token(passkeysPath)}, "credential": {made}}).want(t, http.StatusUnprocessableEntity, "took too long")
	// a passkey that is known already is asked not to be made again, and not taken
	d := b.addPasskey("One")
	o := optionsIn(t, b.wish(nil).body)
	if len(o.Exclude) != 1 || o.Exclude[0].ID != base64.RawURLEncoding.EncodeToString(d.id) {
		t.Errorf("excluded are %+v", o.Exclude)
	}
	b.do("POST", passkeysPath, url.Values{"csrf": {b.token(passkeysPath)}, "credential": {d.create(o)}}).want(t, http.StatusConflict, "here already")
	for id, want := range map[string]int{"a-viewer": 1, "a-responder": 0} {
		if list, err := s.store.Passkeys(t.Context(), id); err != nil || len(list) != want {
			t.Errorf("%s has %d, %v", id, len(list), err)
		}
	}
}

func TestPasskeysAreRemovedForThePasswordByTheirOwner(t *testing.T) {
	s := newSite(t)
	b, other := s.signedIn(status.Viewer), s.signedIn(status.Responder)
	d := b.addPasskey("Phone")
	id := base64.RawURLEncoding.EncodeToString(d.id)
	remove := func(b *browser, word string) answer {
		return b.post(passkeysPath+"/remove", url.Values{"id": {id}, "current": {word}})
	}
	remove(other, password).want(t, http.StatusNotFound)
	remove(b, "wrong").want(t, http.StatusUnprocessableEntity, "is not your present password", "<details open>")
	remove(b, password).want(t, http.StatusSeeOther)
	s.browser().show(d, "").want(t, http.StatusUnauthorized)
	s.browser().login("viewer@example.com", password, "").want(t, http.StatusSeeOther) // the password stays
}

func TestAnAdminTakesLostPasskeysAway(t *testing.T) {
	s := newSite(t)
	jo, b := s.signedIn(status.Viewer), s.signedIn(status.Admin)
	d := jo.addPasskey("Phone")
	b.get("/admin/users").want(t, http.StatusOK, "1 passkey")
	b.get("/admin/users/a-viewer").want(t, http.StatusOK, "Take the passkeys away")
	b.post("/admin/users/a-viewer/reset", url.Values{"what": {"passkeys"}}).want(t, http.StatusOK)
	jo.get("/admin").want(t, http.StatusSeeOther)
	s.browser().show(d, "").want(t, http.StatusUnauthorized)
	b.get("/admin/audit").want(t, http.StatusOK, "took passkeys away", "viewer@example.com")
}

func TestAPasskeyIsTheSecondFactorThatIsRequired(t *testing.T) {
	s := newSite(t, func(c *web.Config) { c.RequireSecondFactor = true })
	b := s.signedIn(status.Viewer)
	b.get(factorPath).want(t, http.StatusOK, passkeysPath)
	token := func(b *browser) string { return b.token(passkeysPath) }
	d := newDevice(t)
	made := d.create(optionsIn(t, b.wish(nil).body))
	got := b.do("POST", passkeysPath, url.Values{"csrf": {token(b)}, "credential": {made}, "next": {"/admin/issues/abc"}})
	b.get(got.Header.Get("Location")).want(t, http.StatusOK, `href="/admin/issues/abc"`)
	b.get("/admin").want(t, http.StatusOK)
	remove := url.Values{"id": {b64(d.id)}, "current": {password}}
	b.post(passkeysPath+"/remove", remove).want(t, http.StatusUnprocessableEntity, "only second factor")

	// who knows the password only cannot put another factor beside it, nor take it away
	thief := s.browser()
	thief.login("viewer@example.com", password, "").want(t, http.StatusSeeOther)
	thief.get("/admin").want(t, http.StatusSeeOther)
	thief.get(factorPath).want(t, http.StatusOK, "in again with your passkey")
	csrf := thief.token(passkeysPath)
	for path, form := range map[string]url.Values{
		factorPath: {}, factorPath + "/confirm": {"current": {password}, "code": {"000000"}},
		passkeysPath + "/ask": {"current": {password}}, passkeysPath: {}, passkeysPath + "/remove": remove,
	} {
		form["csrf"] = []string{csrf}
		thief.do("POST", path, form).want(t, http.StatusForbidden, "in again with your passkey")
	}
	s.browser().show(d, "").want(t, http.StatusSeeOther)
}

func TestAskingForPasskeysIsSlowedDown(t *testing.T) {
	s := newSite(t)
	d := s.signedIn(status.Viewer).addPasskey("Phone")
	b := s.browser()
	for range 10 {
		b.question().want(t, http.StatusOK)
	}
	got := b.question()
	if got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") == "" || !strings.Contains(got.body, "Too many attempts") {
		t.Fatalf("%d %v %s", got.StatusCode, got.Header, got.body)
	}
	b.login("viewer@example.com", password, "").want(t, http.StatusSeeOther) // the password is not held up
	s.clock.pass(time.Minute)
	b = s.browser()
	b.show(d, "").want(t, http.StatusSeeOther)
	s.browser().question().want(t, http.StatusOK) // forgotten
}

func TestPasskeysFollowTheRulesOfPasswords(t *testing.T) {
	s, p := single(t, func(c *web.Config) { c.PasswordsOff, c.BreakGlass = true, []string{"admin@example.com"} })
	jo := s.browser()
	jo.by(p, "").want(t, http.StatusSeeOther)
	jo.get(passkeysPath).want(t, http.StatusOK, "You sign in elsewhere")
	jo.wish(nil).want(t, http.StatusConflict, "You sign in elsewhere")
	d := s.signedIn(status.Admin).addPasskey("Safe")
	s.browser().show(d, "").want(t, http.StatusSeeOther)
	s.change("a-admin", func(a *status.Account) { a.Email = "other@example.com" })
	s.browser().show(d, "").want(t, http.StatusUnauthorized)
}

func TestPasskeysAreOfferedOnlyWhereBrowsersHaveThem(t *testing.T) {
	for public, offered := range map[string]bool{
		origin: true, "http://localhost:8080": true, "http://127.0.0.1:8080": false, "http://status.example.com": false, "https://192.0.2.7": false, "": false,
	} {
		s := newSite(t, func(c *web.Config) { c.PublicURL = public })
		u, err := url.Parse(public)
		if err != nil {
			t.Fatal(err)
		}
		page := s.send(request("GET", cmp.Or(u.Host, "localhost"), "/admin/login", nil))
		csp := page.Header.Get("Content-Security-Policy")
		if got := strings.Contains(page.body, `id="passkey-sign-in"`); got != offered || strings.Contains(csp, "script-src 'self'") != offered {
			t.Errorf("%q offers passkeys: %v, with %q", public, got, csp)
		}
		if offered && (!strings.Contains(csp, "require-trusted-types-for 'script'") || !strings.Contains(page.body, `type="password"`)) {
			t.Errorf("%q: %s %s", public, csp, page.body)
		}
	}
	local := newSite(t, func(c *web.Config) { c.PublicURL = "http://localhost:8080" })
	if page := local.send(request("GET", "127.0.0.1:8080", "/admin/login", nil)); strings.Contains(page.body, "passkey") {
		t.Error("they are offered under another name than theirs")
	}
}
