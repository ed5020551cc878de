package pages

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// merged is a storm of which one issue was merged into the other.
func merged() status.View {
	v := storm()
	i := v.Issues[0] // st2
	i.MergedInto, i.State, i.ResolvedAt = "st1", status.Resolved, noon.Add(-time.Minute)
	i.Updates = append(i.Updates, status.Update{
		ID: "st2-m", SubjectID: "st2", State: status.StateMerged, Body: "It is the certificate, too.", CreatedAt: i.ResolvedAt, DisplayAt: i.ResolvedAt,
	})
	return v
}

func TestThePageOfAMergedIssueLeadsToTheOneThatGoesOn(t *testing.T) {
	p := published(t, merged())
	page := body(t, p, "/issues/st2")
	if !strings.Contains(page, `<a href="/issues/st1"`) || !strings.Contains(page, "is followed there") || !strings.Contains(page, "It is the certificate, too.") {
		t.Error("it does not say where it goes on")
	}
	if got := texts(t, page, "h1"); strings.Contains(page, "Resolved") || got[0] != "Dashboard loads slowly" {
		t.Errorf("it is called resolved, or %q", got)
	}
	if other := body(t, p, "/issues/st1"); !strings.Contains(other, "Followed here, too") || !strings.Contains(other, `<a href="/issues/st2"`) {
		t.Error("the one that goes on does not name it")
	}
	if front := body(t, p, "/"); strings.Count(front, "Dashboard loads slowly") != 1 {
		t.Error("it is not in the past alone")
	}
	for _, i := range object(t, body(t, p, "/api/v2/incidents.json"))["incidents"].([]any) {
		for _, u := range i.(map[string]any)["incident_updates"].([]any) {
			if u.(map[string]any)["status"] == status.StateMerged {
				t.Error("programs get a state that Statuspage does not have")
			}
		}
	}
	if feed := body(t, p, "/history.atom"); !strings.Contains(feed, "Merged") {
		t.Error("the feed does not tell")
	}
}

func TestAPostmortemStandsOnItsPageAndTheFrontOnlyLeadsThere(t *testing.T) {
	v := merged()
	i := v.Issues[0]
	i.MergedInto, i.Updates[len(i.Updates)-1].State = "", string(status.Resolved)
	i.Updates = append(i.Updates, status.Update{
		ID: "st2-p", SubjectID: "st2", State: status.StatePostmortem, Body: "## Why\n\nA cache was full.", CreatedAt: noon, DisplayAt: noon, Silent: true,
	})
	i.PostmortemDraft = "canary"
	p := published(t, v)
	page := body(t, p, "/issues/st2")
	if len(pick(t, page, "#update-st2-p")) != 1 || !strings.Contains(page, "A cache was full.") {
		t.Error("the page does not have it")
	}
	if got := texts(t, page, "h3"); !slices.Contains(got, "Why") {
		t.Errorf("its headings are %q", got)
	}
	front := body(t, p, "/")
	if strings.Contains(front, "A cache was full.") || !strings.Contains(front, `href="/issues/st2#update-st2-p"`) || !strings.Contains(front, "It is the certificate, too.") {
		t.Error("the front page tells it all, or does not lead there, or lost the last update")
	}
	for path, doc := range p.site.Load().docs {
		if strings.Contains(string(doc.Raw), "canary") {
			t.Errorf("%s shows the draft", path)
		}
	}
	for _, feed := range []string{"/history.rss", "/updates.atom", "/history.json"} {
		if !strings.Contains(body(t, p, feed), "A cache was full.") {
			t.Errorf("%s does not have it", feed)
		}
	}
	found := false
	for _, i := range object(t, body(t, p, "/api/v2/incidents.json"))["incidents"].([]any) {
		if i := i.(map[string]any); i["id"] == "st2" {
			found = strings.Contains(i["postmortem_body"].(string), "A cache was full.") && i["postmortem_published_at"] == apiTime(noon) &&
				i["postmortem_notified_subscribers"] == false && i["status"] == "resolved"
		}
	}
	if !found {
		t.Error("the Statuspage API does not have it")
	}
}
