package web_test

import (
	"encoding/base32"
	"encoding/xml"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/web"
)

const factorPath = "/admin/profile/second-factor"

// The last six digits of the vectors in RFC 6238, appendix B.
func TestCodesAreThoseOfTheRFC(t *testing.T) {
	secret := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte("12345678901234567890"))
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := web.CodeAt(secret, time.Unix(at, 0)); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

var (
	shownSecret = regexp.MustCompile(`<code>([A-Z2-7]{4}(?: [A-Z2-7]{4}){7})</code>`)
	shownCodes  = regexp.MustCompile(`(?m)[a-z2-9]{4}(?:-[a-z2-9]{4}){5}`)
)

// enrol sets an authenticator app up and returns its secret and the recovery
// codes. The clock passes on, so that the app shows another code.
func (b *browser) enrol() (secret string, recovery []string) {
	b.site.t.Helper()
	page := b.post(factorPath, nil)
	m := shownSecret.FindStringSubmatch(page.body)
	if m == nil {
		b.site.t.Fatalf("no secret: %d %s", page.StatusCode, page.body)
	}
	secret = strings.ReplaceAll(m[1], " ", "")
	done := b.do("POST", factorPath+"/confirm", url.Values{
		"csrf": {b.token(factorPath)}, "current": {password}, "code": {web.CodeAt(secret, b.site.clock.Now())},
	})
	recovery = shownCodes.FindAllString(done.body, -1)
	if done.StatusCode != http.StatusOK || len(recovery) != 10 {
		b.site.t.Fatalf("confirming answered %d with %d recovery codes: %s", done.StatusCode, len(recovery), done.body)
	}
	b.site.clock.pass(time.Minute)
	return secret, recovery
}

// second sends the second step of a sign-in.
func (b *browser) second(field, value string) answer {
	b.site.t.Helper()
	return b.do("POST", "/admin/login/second", url.Values{"csrf": {b.token("/admin/login/second")}, field: {value}})
}

func TestTheSecondFactorIsAskedAfterThePasswordAndTheDeepLinkStays(t *testing.T) {
	s := newSite(t)
	secret, _ := s.signedIn(status.Viewer).enrol()
	b := s.browser()
	got := b.login("viewer@example.com", password, "/admin/issues/abc?show=open")
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/admin/login/second" {
		t.Fatalf("after the password: %d to %q", got.StatusCode, got.Header.Get("Location"))
	}
	b.get("/admin").want(t, http.StatusSeeOther) // the password alone opens nothing
	b.get("/admin/login/second").want(t, http.StatusOK, `autocomplete="one-time-code"`, `inputmode="numeric"`)
	b.second("code", "000000").want(t, http.StatusUnauthorized, "wrong, or was used already")
	b.second("code", "").want(t, http.StatusUnprocessableEntity, "six digits")
	code := web.CodeAt(secret, s.clock.Now())
	got = b.second("code", code[:3]+" "+code[3:])
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/admin/issues/abc?show=open" {
		t.Fatalf("after the code: %d to %q", got.StatusCode, got.Header.Get("Location"))
	}
	b.get("/admin").want(t, http.StatusOK)
	b.do("POST", "/admin/login/second", url.Values{}).want(t, http.StatusForbidden)
}

func TestACodeIsTakenOnce(t *testing.T) {
	s := newSite(t)
	secret, _ := s.signedIn(status.Viewer).enrol()
	before, code := web.CodeAt(secret, s.clock.Now().Add(-30*time.Second)), web.CodeAt(secret, s.clock.Now())
	shoulder := s.browser() // who looked over the owner's shoulder, and knows the password
	b := s.browser()
	b.login("viewer@example.com", password, "")
	b.second("code", code).want(t, http.StatusSeeOther)
	shoulder.login("viewer@example.com", password, "")
	shoulder.second("code", code).want(t, http.StatusUnauthorized, "used already")
	shoulder.second("code", before).want(t, http.StatusUnauthorized) // an older one neither
	s.clock.pass(30 * time.Second)
	shoulder.second("code", code).want(t, http.StatusUnauthorized)
	shoulder.second("code", web.CodeAt(secret, s.clock.Now())).want(t, http.StatusSeeOther)
}

func TestAClockMayBeOneStepOffAndNoMore(t *testing.T) {
	s := newSite(t)
	secret, _ := s.signedIn(status.Viewer).enrol()
	b := s.browser()
	b.login("viewer@example.com", password, "")
	for _, off := range []time.Duration{-time.Minute, time.Minute} {
		b.second("code", web.CodeAt(secret, s.clock.Now().Add(off))).want(t, http.StatusUnauthorized)
	}
	b.second("code", web.CodeAt(secret, s.clock.Now().Add(30*time.Second))).want(t, http.StatusSeeOther)
}

func TestARecoveryCodeWorksOnceAndTheAuditLogSaysSo(t *testing.T) {
	s := newSite(t)
	_, recovery := s.signedIn(status.Admin).enrol()
	b := s.browser()
	b.login("admin@example.com", password, "/admin/audit")
	b.second("recovery", "aaaa-bbbb").want(t, http.StatusUnauthorized, "no recovery code of yours")
	b.second("recovery", strings.ToUpper(strings.ReplaceAll(recovery[3], "-", " "))).want(t, http.StatusSeeOther)
	b.get("/admin/audit").want(t, http.StatusOK, "turned the second factor on", "used a recovery code", "9 left")
	b.get(factorPath).want(t, http.StatusOK, "9 recovery codes left")
	again := s.browser()
	again.login("admin@example.com", password, "")
	again.second("recovery", recovery[3]).want(t, http.StatusUnauthorized)
	if ok, err := s.store.TakeRecoveryCode(t.Context(), "a-admin", recovery[0]); ok || err != nil {
		t.Errorf("the store knows the code itself, not only its hash: %v %v", ok, err)
	}
}

func TestGuessingCodesIsSlowedDownThoughThePasswordIsRight(t *testing.T) {
	s := newSite(t)
	secret, recovery := s.signedIn(status.Viewer).enrol()
	b := s.browser()
	for n := range 5 {
		b.login("viewer@example.com", password, "") // does not forget the failures of the second step
		field := []string{"code", "recovery"}[n%2]
		b.second(field, "000000").want(t, http.StatusUnauthorized)
	}
	got := b.second("code", web.CodeAt(secret, s.clock.Now()))
	got.want(t, http.StatusTooManyRequests, "Too many attempts")
	if got.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	b.second("recovery", recovery[0]).want(t, http.StatusTooManyRequests)
	s.clock.pass(10 * time.Second)
	b.second("code", web.CodeAt(secret, s.clock.Now())).want(t, http.StatusSeeOther)
}

func TestAnUnfinishedSignInEndsByItselfAndWithTheAccount(t *testing.T) {
	s := newSite(t)
	secret, _ := s.signedIn(status.Viewer).enrol()
	b := s.browser()
	b.login("viewer@example.com", password, "")
	token := b.token("/admin/login/second")
	s.clock.pass(11 * time.Minute)
	b.get("/admin/login/second").want(t, http.StatusSeeOther)
	late := url.Values{"csrf": {token}, "code": {web.CodeAt(secret, s.clock.Now())}}
	b.do("POST", "/admin/login/second", late).want(t, http.StatusUnauthorized, "took too long")

	b.login("viewer@example.com", password, "")
	a, err := s.store.AccountByID(t.Context(), "a-viewer")
	if err != nil {
		t.Fatal(err)
	}
	a.Disabled = true
	if err := s.store.SaveAccount(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	late["code"] = []string{web.CodeAt(secret, s.clock.Now())}
	b.do("POST", "/admin/login/second", late).want(t, http.StatusUnauthorized)
}

func TestSettingUpTakesThePasswordAndACodeAndEndsOtherSessions(t *testing.T) {
	s := newSite(t)
	b, other := s.signedIn(status.Viewer), s.browser()
	other.login("viewer@example.com", password, "").want(t, http.StatusSeeOther)
	b.get(factorPath+"/qr.svg").want(t, http.StatusNotFound) // nothing to show yet
	page := b.post(factorPath, nil)
	page.want(t, http.StatusOK, "otpauth://totp/status.example.com:viewer%40example.com?secret=")
	secret := strings.ReplaceAll(shownSecret.FindStringSubmatch(page.body)[1], " ", "")
	code := web.CodeAt(secret, s.clock.Now())
	confirm := func(word, code string) answer {
		return b.do("POST", factorPath+"/confirm", url.Values{"csrf": {b.token(factorPath)}, "current": {word}, "code": {code}})
	}
	confirm("wrong", code).want(t, http.StatusUnprocessableEntity, "is not your present password")
	confirm(password, "000000").want(t, http.StatusUnprocessableEntity, "is not what the app should show")
	s.browser().login("viewer@example.com", password, "").want(t, http.StatusSeeOther)
	svg := b.get(factorPath + "/qr.svg")
	if svg.Header.Get("Content-Type") != "image/svg+xml" || svg.Header.Get("Cache-Control") != "no-store" || xml.Unmarshal([]byte(svg.body), new(any)) != nil {
		t.Errorf("qr.svg: %v %.80s", svg.Header, svg.body)
	}
	other.get("/admin").want(t, http.StatusOK) // nothing has changed so far
	confirm(password, code).want(t, http.StatusOK, "Keep these now")
	other.get("/admin").want(t, http.StatusSeeOther)
	b.get("/admin").want(t, http.StatusOK)
	b.get(factorPath+"/qr.svg").want(t, http.StatusNotFound) // shown no more
	if strings.Contains(b.get(factorPath).body, shownSecret.FindStringSubmatch(page.body)[1]) {
		t.Error("the secret is shown after it was put to use")
	}
	b.post(factorPath, nil).want(t, http.StatusOK, "recovery codes left") // does not replace it
	s.clock.pass(time.Minute)
	if got := s.browser().login("viewer@example.com", password, ""); got.Header.Get("Location") != "/admin/login/second" {
		t.Errorf("the next sign-in goes to %q", got.Header.Get("Location"))
	}
}

func TestTurningItOffTakesAllThatASignInTakes(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Viewer)
	secret, recovery := b.enrol()
	change := func(what, word, field, value string) answer {
		return b.post(factorPath+"/change", url.Values{"what": {what}, "current": {word}, field: {value}})
	}
	change("off", "wrong", "code", web.CodeAt(secret, s.clock.Now())).want(t, http.StatusUnprocessableEntity, "present password")
	change("off", password, "code", "000000").want(t, http.StatusUnprocessableEntity, "used already")
	change("all", password, "code", web.CodeAt(secret, s.clock.Now())).want(t, http.StatusUnprocessableEntity)
	got := change("codes", password, "code", web.CodeAt(secret, s.clock.Now()))
	if fresh := shownCodes.FindAllString(got.body, -1); len(fresh) != 10 || fresh[0] == recovery[0] {
		t.Fatalf("new codes: %d %s", got.StatusCode, got.body)
	} else {
		change("off", password, "recovery", recovery[0]).want(t, http.StatusUnprocessableEntity, "no recovery code")
		change("off", password, "recovery", fresh[0]).want(t, http.StatusSeeOther)
	}
	if got := s.browser().login("viewer@example.com", password, ""); got.Header.Get("Location") != "/admin" {
		t.Errorf("the password is enough again, but leads to %q", got.Header.Get("Location"))
	}
}

func TestAnAdminTakesALostSecondFactorAway(t *testing.T) {
	s := newSite(t)
	jo := s.signedIn(status.Viewer)
	jo.enrol()
	b := s.signedIn(status.Admin)
	b.get("/admin/users").want(t, http.StatusOK, "second factor")
	b.get("/admin/users/a-viewer").want(t, http.StatusOK, "Take the second factor away")
	b.post("/admin/users/a-viewer/reset", url.Values{"what": {"second"}}).want(t, http.StatusOK, "without a second factor")
	jo.get("/admin").want(t, http.StatusSeeOther)
	if got := jo.login("viewer@example.com", password, ""); got.Header.Get("Location") != "/admin" {
		t.Errorf("the password leads to %q", got.Header.Get("Location"))
	}
	b.get("/admin/audit").want(t, http.StatusOK, "took a second factor away", "viewer@example.com")
}

func TestWhereASecondFactorIsRequiredNothingElseWorksWithoutOne(t *testing.T) {
	s := newSite(t, func(c *web.Config) { c.RequireSecondFactor = true })
	b := s.signedIn(status.Admin)
	for _, g := range s.server.Guarded() {
		if strings.HasPrefix(g.Path, factorPath) || strings.HasPrefix(g.Path, passkeysPath) || g.Path == "/admin/logout" {
			continue
		}
		form := url.Values(nil)
		if g.Method == "POST" {
			form = url.Values{"csrf": {b.token(factorPath)}}
		}
		got := b.do(g.Method, concrete(g.Path), form)
		if got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got.Header.Get("Location"), factorPath) {
			t.Errorf("%s %s: %d to %q", g.Method, g.Path, got.StatusCode, got.Header.Get("Location"))
		}
	}
	got := b.get("/admin/issues/abc")
	if got.Header.Get("Location") != factorPath+"?next=%2Fadmin%2Fissues%2Fabc" {
		t.Errorf("the deep link is lost: %q", got.Header.Get("Location"))
	}
	b.get(got.Header.Get("Location")).want(t, http.StatusOK, "everybody needs a second factor", `value="/admin/issues/abc"`)
	page := b.do("POST", factorPath, url.Values{"csrf": {b.token(factorPath)}, "next": {"/admin/issues/abc"}})
	secret := strings.ReplaceAll(shownSecret.FindStringSubmatch(page.body)[1], " ", "")
	b.do("POST", factorPath+"/confirm", url.Values{
		"csrf": {b.token(factorPath)}, "current": {password}, "code": {web.CodeAt(secret, s.clock.Now())}, "next": {"/admin/issues/abc"},
	}).want(t, http.StatusOK, `href="/admin/issues/abc"`)
	b.get("/admin").want(t, http.StatusOK)
}
