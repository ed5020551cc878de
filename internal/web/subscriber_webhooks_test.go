package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/web"
)

const programPath = "/subscriptions/webhook"

func offering(c *web.Config) { c.Webhooks = true }

func TestAProgramSubscribesByFormAndConfirmsWithWhatArrivesThere(t *testing.T) {
	s := newSite(t, offering)
	checkout := s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	s.revise(status.SaveComponent{Component: status.Component{Name: "Search"}})
	b := s.browser()
	b.get("/subscriptions").want(t, http.StatusOK, programPath)
	b.get(programPath).want(t, http.StatusOK, "Checkout", "endpoint")
	made := b.do("POST", programPath, url.Values{"endpoint": {" https://Hooks.Example.com/In?a=b#c "}, "components": {checkout}, "scope": {"milestones"}})
	made.want(t, http.StatusAccepted, "https://hooks.example.com/In?a=b", "confirm_url", "shown only now")
	secret := regexp.MustCompile(`whsec_\w+`).FindString(made.body)
	if made.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("a page with a secret may be cached: %v", made.Header)
	}
	found, err := s.store.Subscribers(t.Context(), "hooks.example.com", 0)
	if err != nil || len(found) != 1 || found[0].Secret != secret || found[0].Active() || found[0].Scope != status.ScopeMilestones || found[0].Components[0] != checkout {
		t.Fatalf("subscribers %+v, %v", found, err)
	}
	sub := found[0]
	b.get("/subscriptions/confirm/"+sub.ConfirmToken).want(t, http.StatusOK, "https://hooks.example.com/In?a=b")
	b.do("POST", "/subscriptions/confirm/"+sub.ConfirmToken, nil).want(t, http.StatusOK, "You are subscribed")
	for _, path := range []string{"/subscriptions/" + sub.Token, "/unsubscribe/" + sub.Token} {
		page := b.get(path)
		page.want(t, http.StatusOK, "https://hooks.example.com/In?a=b")
		if strings.Contains(page.body, secret) || strings.Contains(page.body, sub.ID) || strings.Contains(page.body, `name="time_zone"`) {
			t.Errorf("%s shows what it should not", path)
		}
	}
	b.do("POST", "/subscriptions/"+sub.Token, url.Values{"scope": {"all"}}).want(t, http.StatusOK, "Saved")
	admin := s.signedIn(status.Admin)
	list := admin.get("/admin/subscribers")
	list.want(t, http.StatusOK, "https://hooks.example.com/In?a=b", "Webhook", "<strong>1</strong> webhooks", "0 active")
	if strings.Contains(list.body, secret) {
		t.Error("the admin's list shows a secret")
	}
	if csv := admin.get("/admin/subscribers.csv"); strings.Contains(csv.body, "hooks.example.com") {
		t.Error("the list of mail addresses has a program in it")
	}
	b.do("POST", "/unsubscribe/"+sub.Token, nil).want(t, http.StatusOK, "unsubscribed")
}

func TestAnEndpointThatIsNotPublicHTTPSIsRefusedAndKept(t *testing.T) {
	s := newSite(t, offering)
	for _, endpoint := range []string{
		"", "nonsense", "http://hooks.example.com/", "https://localhost/x", "https://intranet/x", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/",
		"https://169.254.169.254/latest", "https://user:word@hooks.example.com/", "ftp://hooks.example.com/", "https:///x", "https://hooks.example.com/" + strings.Repeat("x", 500),
	} {
		got := s.browser().do("POST", programPath, url.Values{"endpoint": {endpoint}})
		got.want(t, http.StatusUnprocessableEntity, "no public https address")
		if len(endpoint) < 100 && endpoint != "" && !strings.Contains(got.body, `value="`+endpoint+`"`) {
			t.Errorf("%q is lost", endpoint)
		}
	}
	s.browser().do("POST", programPath, url.Values{"endpoint": {"https://hooks.example.com/"}, "components": {"gone"}}).
		want(t, http.StatusUnprocessableEntity, "no longer on this page")
	newSite(t).browser().do("POST", programPath, url.Values{"endpoint": {"https://hooks.example.com/"}}).want(t, http.StatusServiceUnavailable, "no webhooks")
	if found, _ := s.store.Subscribers(t.Context(), "", 0); len(found) != 0 {
		t.Errorf("subscribed %+v", found)
	}
}

func TestAProgramSubscribesAsJSONAndByREST(t *testing.T) {
	s := newSite(t, offering)
	req := request("POST", "status.example.com", programPath, strings.NewReader(`{"endpoint":"https://hooks.example.com/x"}`))
	req.Header.Set("Content-Type", "application/json")
	s.send(req).want(t, http.StatusAccepted, `"status":"confirmation_sent"`, `"secret":"whsec_`)

	m := s.machine(status.TokenSubscribers)
	made := m.do("POST", "/subscribers", `{"endpoint":"https://hooks.example.com/y","scope":"milestones"}`)
	made.want(t, http.StatusCreated, `"mode":"webhook"`, `"endpoint":"https://hooks.example.com/y"`, `"secret":"whsec_`, `"active":false`)
	list := m.do("GET", "/subscribers", "")
	list.want(t, http.StatusOK, `"endpoint":"https://hooks.example.com/y"`)
	if strings.Contains(list.body, "whsec_") || strings.Contains(list.body, "#") {
		t.Errorf("the list shows a secret: %s", list.body)
	}
	m.do("POST", "/subscribers", `{"endpoint":"https://hooks.example.com/z","contact":"ops"}`).want(t, http.StatusUnprocessableEntity, "/contact")
	m.do("POST", "/subscribers", `{"endpoint":"https://hooks.example.com/z","contact":"ops@example.com"}`).want(t, http.StatusCreated)
	s.browser().do("POST", programPath, url.Values{"endpoint": {"https://hooks.example.com/z"}, "contact": {"ops at home"}}).
		want(t, http.StatusUnprocessableEntity, "The mail address is not valid", `value="ops at home"`)
	m.do("POST", "/subscribers", `{"endpoint":"http://hooks.example.com/y"}`).want(t, http.StatusUnprocessableEntity, "/endpoint")
	m.do("POST", "/subscribers", `{"endpoint":"https://hooks.example.com/y","email":"a@example.com"}`).want(t, http.StatusUnprocessableEntity, "/email")
}

func TestAStoppedProgramIsStartedAgainByItsOldLink(t *testing.T) {
	s := newSite(t, offering)
	sub, err := s.store.SubscribeWebhook(t.Context(), s.clock.Now(), status.Subscriber{Email: "https://hooks.example.com/"})
	if err == nil {
		_, err = s.store.ConfirmSubscriber(t.Context(), s.clock.Now(), sub.ConfirmToken)
	}
	if err != nil {
		t.Fatal(err)
	}
	asked, err := s.store.ClaimDeliveries(t.Context(), status.ChannelWebhooks, s.clock.Now(), time.Minute, 1)
	if err != nil || len(asked) != 1 {
		t.Fatalf("claimed %+v (%v)", asked, err)
	}
	if err := s.store.MarkBounced(t.Context(), asked[0].ID, 1, "gone", s.clock.Now()); err != nil {
		t.Fatal(err)
	}
	s.clock.pass(10 * 24 * time.Hour)
	b := s.browser()
	b.get("/subscriptions/confirm/"+sub.ConfirmToken).want(t, http.StatusOK, "https://hooks.example.com/")
	b.do("POST", "/subscriptions/confirm/"+sub.ConfirmToken, nil).want(t, http.StatusOK, "You are subscribed")
	if now, err := s.store.Subscriber(t.Context(), sub.ID); err != nil || !now.Active() {
		t.Errorf("after its link %+v (%v)", now, err)
	}
}
