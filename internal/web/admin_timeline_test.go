package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// hook keeps an Alertmanager webhook about alerts of one kind, with what they
// did to the track of an issue.
func (s *site) hook(id string, i status.Issue, did status.Did, firing bool, names ...string) {
	s.t.Helper()
	state, ends := "resolved", s.clock.Now().Format(time.RFC3339)
	if firing {
		state, ends = "firing", "0001-01-01T00:00:00Z"
	}
	var list []string
	for _, name := range names {
		list = append(list, fmt.Sprintf(`{"status":%q,"labels":{"alertname":"HighErrorRate","pod":%q},"annotations":{},"startsAt":"2026-01-05T09:00:00Z","endsAt":%q,"generatorURL":"https://prometheus.example.com/%s","fingerprint":%q}`, state, name, ends, name, name))
	}
	body := fmt.Sprintf(`{"version":"4","groupKey":"{}","status":%q,"receiver":"statusbridge","groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"https://am.example.com","alerts":[%s]}`, state, strings.Join(list, ","))
	err := s.store.SaveWebhook(s.t.Context(), status.Webhook{
		ID: id, Kind: "alertmanager", Source: "alertmanager", Body: []byte(body), ReceivedAt: s.clock.Now(), State: status.WebhookProcessed,
		Outcomes: []status.Outcome{{Alerts: len(names), Did: did, Tracks: []status.TrackKey{{Rule: i.Rule, Group: i.Group}}}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestTheIssuePageTellsHowItsAlertsCameAndWent(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	s.clock.pass(time.Minute)
	s.hook("w1", i, status.DidBegin, true, "a", "b")
	s.clock.pass(time.Minute)
	s.hook("w2", i, status.DidStop, false, "a")
	s.clock.pass(time.Minute)
	s.hook("w3", i, status.DidBegin, true, "a")
	s.hook("w4", i, status.DidNothing, true, "a")
	got := s.signedIn(status.Viewer).get("/admin/issues/" + i.ID)
	got.want(t, http.StatusOK, "How they came and went", "<strong>flapped</strong>", "fired 2 times by then", "<strong>cleared</strong>",
		"HighErrorRate pod=a, HighErrorRate pod=b", "a webhook of alertmanager: began to fire", `href="https://prometheus.example.com/a"`,
		"What the webhook said", "&#34;fingerprint&#34;: &#34;a&#34;", `href="/admin/alerts/w1"`)
	if strings.Contains(got.body, "/admin/alerts/w4") {
		t.Error("a webhook that said nothing new is on the timeline")
	}
	if newest, oldest := strings.Index(got.body, "/admin/alerts/w3"), strings.Index(got.body, "/admin/alerts/w1"); newest > oldest {
		t.Error("the newest is not the first")
	}
}

func TestATimelineStaysShortHoweverManyAlertsThereWere(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	var names []string
	for n := range 3000 {
		names = append(names, fmt.Sprintf("pod-%d", n))
	}
	for n := range 40 {
		s.clock.pass(time.Second)
		s.hook(fmt.Sprintf("w%02d", n), i, status.DidBegin, true, names[:1]...)
	}
	s.clock.pass(time.Second)
	s.hook("storm", i, status.DidBegin, true, names...)
	got := s.signedIn(status.Viewer).get("/admin/issues/" + i.ID)
	got.want(t, http.StatusOK, "and 2995 more", "Cut here.", "Older webhooks are not shown here.")
	if len(got.body) > 150_000 {
		t.Errorf("the page has %d bytes", len(got.body))
	}
}
