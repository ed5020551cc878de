package web_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/web"
)

// announced publishes an issue to these addresses and claims its mails.
func (s *site) announced(to ...string) (status.Issue, []status.Delivery) {
	s.t.Helper()
	for _, a := range to {
		s.subscribed(a, true)
	}
	for _, d := range s.claim() { // the confirmations
		s.mark(s.store.MarkSent(s.t.Context(), d.ID, d.Attempt, "ok", s.clock.Now()))
	}
	i := s.draft()
	s.revise(status.PublishIssue{EditIssue: status.EditIssue{ID: i.ID}})
	s.clock.pass(status.UndoWindow)
	if _, _, err := s.store.FanOut(s.t.Context(), s.clock.Now(), []status.Outlet{{Channel: status.ChannelEmail}}); err != nil {
		s.t.Fatal(err)
	}
	return i, s.claim()
}

func (s *site) claim() []status.Delivery {
	s.t.Helper()
	ds, err := s.store.ClaimDeliveries(s.t.Context(), status.ChannelEmail, s.clock.Now(), time.Minute, 100)
	if err != nil {
		s.t.Fatal(err)
	}
	return ds
}

func (s *site) mark(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestDeliveriesSayWhoGotWhat(t *testing.T) {
	s := newSite(t)
	i, ds := s.announced("a@example.com", "b@example.com", "c@example.com", "d@example.com")
	ctx, now := t.Context(), s.clock.Now()
	s.mark(s.store.MarkSent(ctx, ds[0].ID, 1, "250 queued as 7", now.Add(3*time.Second)))
	s.mark(s.store.MarkFailed(ctx, ds[1].ID, 1, "554 looks like spam", now))
	s.mark(s.store.MarkBounced(ctx, ds[2].ID, 1, "550 no such user", now))
	b := s.signedIn(status.Responder)
	b.get("/admin/deliveries").want(t, http.StatusOK, "Email", "Issue opened", i.Title, "1 of 4 sent", "1 queued", "1 failed", "1 bounced", "<progress")
	dispatch := ds[0].DispatchID
	page := b.get("/admin/deliveries/" + dispatch)
	page.want(t, http.StatusOK, "250 queued as 7", "554 looks like spam", "550 no such user", ds[3].Recipient, "Retry what failed (1)")

	b.post("/admin/deliveries/"+dispatch+"/retry", url.Values{"delivery": {ds[2].ID}}).want(t, http.StatusSeeOther)
	b.post("/admin/deliveries/"+dispatch+"/retry", url.Values{"delivery": {"other.email.x"}}).want(t, http.StatusNotFound)
	if got := s.claim(); len(got) != 1 || got[0].ID != ds[2].ID {
		t.Errorf("retried %+v, want the one that was named", got)
	}
	b.post("/admin/deliveries/"+dispatch+"/retry", nil).want(t, http.StatusSeeOther)
	if got := s.claim(); len(got) != 1 || got[0].ID != ds[1].ID {
		t.Errorf("retried %+v, want all that failed", got)
	}
	s.signedIn(status.Viewer).post("/admin/deliveries/"+dispatch+"/retry", nil).want(t, http.StatusForbidden)
	b.get("/admin/deliveries/nothing.email").want(t, http.StatusNotFound)
}

func TestAChannelIsPausedAndResumed(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Responder)
	b.post("/admin/deliveries/channel", url.Values{"channel": {"email"}, "do": {"pause"}}).want(t, http.StatusSeeOther)
	b.get("/admin/deliveries").want(t, http.StatusOK, "Paused by responder@example.com", "Resume")
	b.post("/admin/deliveries/channel", url.Values{"channel": {"email"}, "do": {"resume"}}).want(t, http.StatusSeeOther)
	if page := b.get("/admin/deliveries"); strings.Contains(page.body, "Paused by") {
		t.Error("it is still paused")
	}
}

func TestABrokenChannelShowsOnTheHomeOfTheAdmin(t *testing.T) {
	s := newSite(t)
	_, ds := s.announced("a@example.com")
	s.mark(s.store.MarkRetry(t.Context(), ds[0].ID, 1, s.clock.Now(), "connect: connection refused", s.clock.Now().Add(time.Second)))
	s.signedIn(status.Viewer).get("/admin").want(t, http.StatusOK, "Email is in trouble", "connection refused", "/admin/deliveries")
}

func TestAMailToMeShowsTheServersAnswer(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Responder)
	b.post("/admin/deliveries/test-mail", nil).want(t, http.StatusOK, "250 2.0.0 queued as 42", "responder@example.com")
	s.mailErr = errors.New("535 wrong password")
	b.post("/admin/deliveries/test-mail", nil).want(t, http.StatusBadGateway, "535 wrong password", "would not get anything either")
	if len(s.mailed) != 2 || s.mailed[0] != "responder@example.com" {
		t.Errorf("mailed %v", s.mailed)
	}
}

func TestSubscribersAreFoundAndErased(t *testing.T) {
	s := newSite(t)
	s.subscribed("ann@example.com", true)
	bob := s.subscribed("bob@example.com", false)
	b := s.signedIn(status.Admin)
	b.get("/admin/subscribers").want(t, http.StatusOK, "ann@example.com", "bob@example.com", "1 active", "Not confirmed")
	if page := b.get("/admin/subscribers?q=BOB"); strings.Contains(page.body, "ann@") || !strings.Contains(page.body, "bob@example.com") {
		t.Error("the search finds others")
	}
	b.post("/admin/subscribers/erase", url.Values{"id": {bob.ID}}).want(t, http.StatusSeeOther)
	if page := b.get("/admin/subscribers"); strings.Contains(page.body, "bob@") {
		t.Error("bob is still there")
	}
	s.signedIn(status.Responder).get("/admin/subscribers").want(t, http.StatusForbidden)
}

func TestAnImportShowsWhatItWouldDoAndThenDoesIt(t *testing.T) {
	s := newSite(t)
	s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	s.subscribed("here@example.com", true)
	b := s.signedIn(status.Admin)
	list := "email,components,scope,language,time_zone\nhere@example.com,,,,\nnew@example.com,checkout,milestones,de,Europe/Berlin\nnew@example.com\n" +
		"nonsense,,,,\nx@example.com,nothing,,,\ny@example.com,,some,,\nz@example.com,,,xx,\nw@example.com,,,,Mars/Olympus\n"
	page := b.post("/admin/subscribers/import", url.Values{"csv": {list}})
	page.want(t, http.StatusOK, "1 new", "1 here already", "1 named twice", "5 cannot be read", "line 5", "nonsense", "there is no component", "scope is", "no language", "no time zone", "Nothing was imported yet")
	if n := s.confirmed(); n != 1 {
		t.Fatalf("%d active after a dry run", n)
	}
	b.post("/admin/subscribers/import", url.Values{"csv": {list}, "confirmed": {"yes"}, "do": {"import"}}).want(t, http.StatusSeeOther)
	if n := s.confirmed(); n != 2 {
		t.Errorf("%d active after the import", n)
	}
	b.post("/admin/subscribers/import", url.Values{"csv": {"name\nAda\n"}}).want(t, http.StatusUnprocessableEntity, "no column called email", "Ada")
	b.post("/admin/subscribers/import", url.Values{"csv": {"plain@example.com\nother@example.com"}}).want(t, http.StatusOK, "2 new")
}

func TestAnExportIsAnImportAndRunsInNoSpreadsheet(t *testing.T) {
	s := newSite(t)
	s.subscribed("=cmd@example.com", true)
	b := s.signedIn(status.Admin)
	out := b.get("/admin/subscribers.csv")
	out.want(t, http.StatusOK, "email,components,scope,language,time_zone,state,since", "'=cmd@example.com,,all,,,active,2026-01-05T09:00:00Z")
	if strings.Contains(out.body, "\n=") {
		t.Error("a cell begins with =")
	}
	b.post("/admin/subscribers/import", url.Values{"csv": {out.body}}).want(t, http.StatusOK, "0 new", "1 here already")
}

func TestBounceReportsNeedTheSecret(t *testing.T) {
	s := newSite(t)
	post := func(body string, header ...string) answer {
		req := request("POST", "status.example.com", "/hooks/bounce", strings.NewReader(body))
		for n := 0; n < len(header); n += 2 {
			req.Header.Set(header[n], header[n+1])
		}
		return s.send(req)
	}
	if got := post("{}"); got.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(got.Header.Get("WWW-Authenticate"), "Basic") {
		t.Errorf("without a secret: %d %v", got.StatusCode, got.Header)
	}
	post("{}", "Authorization", "Bearer "+secret).want(t, http.StatusAccepted, `{"bounces":1}`)
	post("nonsense", "X-Statusbridge-Secret", secret).want(t, http.StatusUnprocessableEntity, "no bounce report")
	if len(s.reports) != 2 {
		t.Errorf("reports %q", s.reports)
	}
}

func TestMetricsSayHowLongItTookToTellEverybody(t *testing.T) {
	s := newSite(t)
	_, ds := s.announced("a@example.com", "b@example.com")
	for n, d := range ds {
		s.mark(s.store.MarkSent(t.Context(), d.ID, 1, "ok", d.CreatedAt.Add(time.Duration(n+3)*time.Second)))
	}
	s.mark(s.store.FinishDispatches(t.Context()))
	req := request("GET", "status.example.com", "/metrics", nil)
	req.Header.Set("Authorization", "Bearer "+secret)
	s.send(req).want(t, http.StatusOK, "statusbridge_time_to_last_mail_seconds 4", "statusbridge_time_to_public_seconds ",
		`statusbridge_subscribers{state="active"} 2`, `statusbridge_channel_troubled{channel="email"} 0`)
}

func TestADryTweetShowsTextAndWeightAndWhatXSaysOfTheKeys(t *testing.T) {
	s := newSite(t, func(c *web.Config) { c.TwitterConfigured = true })
	b := s.signedIn(status.Responder)
	b.get("/admin/deliveries").want(t, http.StatusOK, "Dry tweet")
	s.tweet = web.DryTweet{Text: "Investigating: <b>Checkout</b>", Weight: 30, Limit: 280, Account: "acme_status", Used: 3, Budget: 100}
	b.post("/admin/deliveries/dry-tweet", nil).want(t, http.StatusOK, "@acme_status", "&lt;b&gt;Checkout", "30 of 280", "Nothing was posted", "3 of 100")
	s.tweetErr = errors.New("X does not accept the keys")
	b.post("/admin/deliveries/dry-tweet", nil).want(t, http.StatusBadGateway, "X does not accept the keys", "30 of 280", "would not be posted")
	s.signedIn(status.Viewer).post("/admin/deliveries/dry-tweet", nil).want(t, http.StatusForbidden)
	newSite(t).signedIn(status.Responder).post("/admin/deliveries/dry-tweet", nil).want(t, http.StatusConflict, "not configured")
}

func TestAChannelIsTriedFromTheBrowser(t *testing.T) {
	s := newSite(t, func(c *web.Config) { c.Channels = []string{"slack-ops"} })
	b := s.signedIn(status.Responder)
	b.get("/admin/deliveries").want(t, http.StatusOK, "slack-ops", "Not used yet", "Send a test")
	b.post("/admin/deliveries/try", url.Values{"channel": {"slack-ops"}, "do": {"check"}}).
		want(t, http.StatusOK, "slack-ops would take messages", "it posts as @&lt;acme&gt;", "Nothing was posted")
	sent := b.post("/admin/deliveries/try", url.Values{"channel": {"slack-ops"}, "do": {"send"}})
	sent.want(t, http.StatusOK, "slack-ops took a test message")
	if strings.Contains(sent.body, "Nothing was posted") {
		t.Error("it says that nothing was posted")
	}
	s.triedErr = errors.New("answer 404: no_service")
	b.post("/admin/deliveries/try", url.Values{"channel": {"slack-ops"}, "do": {"send"}}).want(t, http.StatusBadGateway, "no_service", "no other channel waits")
	b.post("/admin/deliveries/try", url.Values{"channel": {"email"}, "do": {"send"}}).want(t, http.StatusNotFound)
	s.signedIn(status.Viewer).post("/admin/deliveries/try", url.Values{"channel": {"slack-ops"}}).want(t, http.StatusForbidden)
	if got := strings.Join(s.tried, ", "); got != "slack-ops false, slack-ops true, slack-ops true" {
		t.Errorf("tried %s", got)
	}
}
