package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/web"
)

// subscribed is an address that asked, and confirmed when told to.
func (s *site) subscribed(email string, confirm bool) status.Subscriber {
	s.t.Helper()
	sub, err := s.store.Subscribe(s.t.Context(), s.clock.Now(), status.Subscriber{Email: email})
	if err == nil && confirm {
		sub, err = s.store.ConfirmSubscriber(s.t.Context(), s.clock.Now(), sub.ConfirmToken)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return sub
}

func (s *site) confirmed() int {
	s.t.Helper()
	n, err := s.store.SubscriberCount(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func TestSubscribingSaysTheSameToAll(t *testing.T) {
	s := newSite(t)
	s.subscribed("known@example.com", true)
	var bodies []string
	for _, email := range []string{"known@example.com", "new@example.com", "new@example.com"} {
		got := s.browser().do("POST", "/subscriptions", url.Values{"email": {email}})
		got.want(t, http.StatusAccepted, "confirmation link")
		bodies = append(bodies, strings.ReplaceAll(got.body, email, ""))
	}
	if bodies[0] != bodies[1] || bodies[1] != bodies[2] {
		t.Errorf("the answers differ: %q", bodies)
	}
}

func TestABadSubscriptionSaysWhatIsWrongAndKeepsWhatWasTyped(t *testing.T) {
	s := newSite(t)
	checkout := s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	hidden := s.revise(status.SaveComponent{Component: status.Component{Name: "Inside", Hidden: true}})
	for _, tt := range []struct{ email, component, says string }{
		{"", checkout, "Enter the email address"},
		{"nonsense", checkout, "looks like name@example.com"},
		{"a@b", checkout, "looks like name@example.com"},
		{"Ada <ada@example.com>", checkout, "looks like name@example.com"},
		{"a@example.com\r\nBcc: b@example.com", checkout, "looks like name@example.com"},
		{"ada@example.com", "gone", "no longer on this page"},
		{"ada@example.com", hidden, "no longer on this page"},
	} {
		got := s.browser().do("POST", "/subscriptions", url.Values{"email": {tt.email}, "components": {checkout, tt.component}})
		got.want(t, http.StatusUnprocessableEntity, tt.says, `value="`+checkout+`" checked`, `role="alert"`)
		if tt.email == "nonsense" {
			got.want(t, http.StatusUnprocessableEntity, `value="nonsense"`)
		}
		if strings.Contains(got.body, "Inside") {
			t.Error("a hidden component is shown")
		}
	}
}

func TestSubscribingAsJSON(t *testing.T) {
	s := newSite(t)
	checkout := s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	s.revise(status.SaveComponent{Component: status.Component{Name: "API"}})
	for body, want := range map[string]int{
		`{"email":"a@example.com"}`:                                   202,
		`{"email":"a@example.com","components":["` + checkout + `"]}`: 202,
		`{"email":"a@example.com","components":["checkout"]}`:         202,
		`{"email":"a@example.com","components":["gone"]}`:             422,
		`{"email":"nonsense"}`:                                        422,
		`{"email":"a@example.com","email":"b@example.com"}`:           400,
		`{`: 400,
	} {
		req := request("POST", host, "/subscriptions", strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		got := s.send(req)
		if got.StatusCode != want || !strings.Contains(got.Header.Get("Content-Type"), "json") {
			t.Errorf("%s: %d %s", body, got.StatusCode, got.Header.Get("Content-Type"))
		}
	}
}

func TestOneNetworkMayNotSubscribeTheWorld(t *testing.T) {
	s := newSite(t)
	ask := func(client string) int {
		return s.browser().do("POST", "/subscriptions", url.Values{"email": {"a@example.com"}}, "X-Forwarded-For", client).StatusCode
	}
	for range 10 {
		if got := ask("198.51.100.1"); got != http.StatusAccepted {
			t.Fatalf("within the limit: %d", got)
		}
	}
	if got := ask("198.51.100.1"); got != http.StatusTooManyRequests {
		t.Errorf("the eleventh: %d", got)
	}
	if got := ask("198.51.100.2"); got != http.StatusAccepted {
		t.Errorf("somebody else: %d", got)
	}
	s.clock.pass(10 * time.Minute)
	if got := ask("198.51.100.1"); got != http.StatusAccepted {
		t.Errorf("ten minutes later: %d", got)
	}
}

func TestAnotherSiteCannotSubscribeItsVisitors(t *testing.T) {
	s := newSite(t)
	s.browser().do("POST", "/subscriptions", url.Values{"email": {"a@example.com"}}, "Sec-Fetch-Site", "cross-site").want(t, http.StatusForbidden)
}

func TestOpeningTheConfirmationLinkConfirmsNothing(t *testing.T) {
	s := newSite(t)
	sub := s.subscribed("a@example.com", false)
	link := "/subscriptions/confirm/" + sub.ConfirmToken
	for range 2 {
		s.browser().get(link).want(t, http.StatusOK, "a@example.com", `method="post"`)
	}
	s.browser().do("HEAD", link, nil)
	if s.confirmed() != 0 {
		t.Fatal("a scanner that opens links has subscribed the address")
	}
	s.browser().do("POST", link, url.Values{}).want(t, http.StatusOK, "gets the updates")
	if s.confirmed() != 1 {
		t.Fatal("the button did not confirm")
	}
	s.browser().do("POST", link, url.Values{}).want(t, http.StatusOK)
}

func TestAConfirmationLinkWorksForADay(t *testing.T) {
	s := newSite(t)
	sub := s.subscribed("a@example.com", false)
	link := "/subscriptions/confirm/" + sub.ConfirmToken
	s.clock.pass(24*time.Hour + time.Second)
	s.browser().get(link).want(t, http.StatusGone, "subscribe again")
	s.browser().do("POST", link, url.Values{}).want(t, http.StatusGone)
	s.browser().get("/subscriptions/confirm/unknown").want(t, http.StatusGone)
	if s.confirmed() != 0 {
		t.Error("it confirmed all the same")
	}
}

func TestOneClickUnsubscribesWithoutCookieOriginOrRedirect(t *testing.T) {
	s := newSite(t)
	sub := s.subscribed("a@example.com", true)
	link := "/unsubscribe/" + sub.Token
	for range 2 {
		s.browser().get(link).want(t, http.StatusOK, "Stop sending")
	}
	if s.confirmed() != 1 {
		t.Fatal("opening the link unsubscribed")
	}
	for _, header := range [][]string{
		{"Origin", "", "Sec-Fetch-Site", ""},
		{"Origin", "https://mail.example", "Sec-Fetch-Site", "cross-site"},
		{"Origin", "null"},
	} {
		got := s.browser().do("POST", link, url.Values{"List-Unsubscribe": {"One-Click"}}, header...)
		got.want(t, http.StatusOK, "unsubscribed")
		if got.Header.Get("Set-Cookie") != "" || got.Header.Get("Location") != "" {
			t.Errorf("%v", got.Header)
		}
	}
	if s.confirmed() != 0 {
		t.Error("still subscribed")
	}
	s.browser().get(link).want(t, http.StatusOK, "unsubscribed")
	s.browser().get("/subscriptions/"+sub.Token).want(t, http.StatusNotFound)
}

func TestChoosingComponents(t *testing.T) {
	s := newSite(t)
	checkout := s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	s.revise(status.SaveComponent{Component: status.Component{Name: "API"}})
	sub := s.subscribed("a@example.com", true)
	link := "/subscriptions/" + sub.Token
	s.browser().get(link).want(t, http.StatusOK, "Checkout", "API", "a@example.com")
	s.browser().do("POST", link, url.Values{"components": {checkout, "invented"}}).want(t, http.StatusOK, "Saved.")
	sub, err := s.store.SubscriberByToken(t.Context(), sub.Token)
	if err != nil || len(sub.Components) != 1 || sub.Components[0] != checkout {
		t.Errorf("%v, %v", sub.Components, err)
	}
	s.browser().do("POST", link, url.Values{}).want(t, http.StatusOK)
	if sub, _ := s.store.SubscriberByToken(t.Context(), sub.Token); len(sub.Components) != 0 {
		t.Errorf("none ticked is all: %v", sub.Components)
	}
}

func TestAPageWithoutMailOffersItsFeeds(t *testing.T) {
	s := newSite(t, func(c *web.Config) { c.MailConfigured = false })
	s.browser().get("/subscriptions").want(t, http.StatusOK, "/history.atom")
	s.browser().do("POST", "/subscriptions", url.Values{"email": {"a@example.com"}}).want(t, http.StatusServiceUnavailable)
}

func TestPreferencesAreKeptAndShownInTheLanguageChosen(t *testing.T) {
	s := newSite(t)
	checkout := s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	s.revise(status.SaveComponent{Component: status.Component{Name: "API"}})
	sub := s.subscribed("ann@example.com", true)
	b := s.browser()
	got := b.do("POST", "/subscriptions/"+sub.Token, url.Values{
		"components": {checkout}, "scope": {"milestones"}, "language": {"de"}, "time_zone": {"Europe/Berlin"},
	})
	got.want(t, http.StatusOK, `<html lang="de">`, "Gespeichert.", `value="milestones" checked`, `value="Europe/Berlin"`, `value="de" lang="de" selected`)
	now, err := s.store.SubscriberByToken(t.Context(), sub.Token)
	if err != nil || now.Scope != status.ScopeMilestones || now.Language != "de" || now.TimeZone != "Europe/Berlin" || len(now.Components) != 1 {
		t.Errorf("kept %+v (%v)", now, err)
	}
	bad := b.do("POST", "/subscriptions/"+sub.Token, url.Values{"time_zone": {"Mars/Olympus"}, "scope": {"all"}, "language": {"xx"}})
	bad.want(t, http.StatusUnprocessableEntity, "not a time zone", `value="Mars/Olympus"`)
	if now, _ = s.store.SubscriberByToken(t.Context(), sub.Token); now.TimeZone != "Europe/Berlin" {
		t.Error("a bad time zone was kept")
	}
}

func TestWhoReadsThePageInALanguageGetsMailInIt(t *testing.T) {
	s := newSite(t)
	s.browser().do("POST", "/subscriptions", url.Values{"email": {"ann@example.com"}}, "Accept-Language", "fr-CH, de;q=0.5").
		want(t, http.StatusAccepted, `<html lang="fr">`, "Consultez votre messagerie")
	s.browser().do("POST", "/subscriptions", url.Values{"email": {"bob@example.com"}, "language": {"de"}}).
		want(t, http.StatusAccepted, `<html lang="de">`)
	all, err := s.store.Subscribers(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, sub := range all {
		// French is not among the languages of this site's mails, German is.
		if want := map[string]string{"ann@example.com": "fr", "bob@example.com": "de"}[sub.Email]; sub.Language != want {
			t.Errorf("%s gets mail in %q, want %q", sub.Email, sub.Language, want)
		}
	}
}

func TestAnAddressWhoseMailCameBackIsToldSoAndMayConfirmAnew(t *testing.T) {
	s := newSite(t)
	sub := s.subscribed("ann@example.com", true)
	if err := s.store.RecordBounce(t.Context(), s.clock.Now(), status.Bounce{Address: sub.Email, Hard: true, Reason: "gone"}); err != nil {
		t.Fatal(err)
	}
	s.browser().get("/subscriptions/"+sub.Token).want(t, http.StatusOK, "Mail to this address came back")
	s.clock.now = s.clock.now.Add(25 * time.Hour)
	s.browser().do("POST", "/subscriptions", url.Values{"email": {sub.Email}}).want(t, http.StatusAccepted)
	again, err := s.store.SubscriberByToken(t.Context(), sub.Token)
	if err != nil {
		t.Fatal(err)
	}
	s.browser().get("/subscriptions/confirm/"+again.ConfirmToken).want(t, http.StatusOK, "Confirm the subscription")
	s.browser().do("POST", "/subscriptions/confirm/"+again.ConfirmToken, nil).want(t, http.StatusOK, "gets the updates")
	if s.confirmed() != 1 {
		t.Error("it is still suppressed")
	}
}
