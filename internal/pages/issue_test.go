package pages

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestAnIssueTellsItsUpdatesNewestFirst(t *testing.T) {
	page := body(t, published(t, storm()), "/issues/st1")
	var ids []string
	for _, li := range pick(t, page, "li.said") {
		ids = append(ids, attr(li, "id"))
	}
	want := []string{"update-st1-5", "update-st1-4", "update-st1-3", "update-st1-2", "update-st1-1", "", "", ""}
	if !slices.Equal(ids, want) {
		t.Errorf("updates %q, want %q", ids, want)
	}
	before := []string{"Published automatically 22 Nov, 10:39 UTC", "Opened 22 Nov, 10:38 UTC", "Alert fired 22 Nov, 10:37 UTC"}
	if got := texts(t, page, "li.said")[5:]; !slices.Equal(got, before) {
		t.Errorf("the timeline ends with %q, want %q", got, before)
	}
	if edited := texts(t, page, ".edited"); !slices.Equal(edited, []string{"edited 22 Nov, 11:30 UTC"}) {
		t.Errorf("edited marks %q", edited)
	}
	if chips := texts(t, page, "ul.chips li"); !slices.Equal(chips, []string{"Card payments: Major outage", "Payouts: Partial outage"}) {
		t.Errorf("affected %q", chips)
	}
}

func TestAResolvedIssueTellsHowLongItTookAndWhatItHit(t *testing.T) {
	page := body(t, published(t, calm()), "/issues/aa1")
	if got, want := texts(t, page, "dl dd"), []string{"20 Nov, 09:11 UTC", "20 Nov, 10:16 UTC", "1 h 5 min"}; !slices.Equal(got, want) {
		t.Errorf("began, resolved, duration: %q, want %q", got, want)
	}
	if chips := texts(t, page, "ul.chips li"); !slices.Equal(chips, []string{"API: Partial outage", "Dashboard: Degraded performance"}) {
		t.Errorf("affected %q, want the worst each went through", chips)
	}
}

func TestTheFrontPageShowsTheNewestUpdatesOfALongIssue(t *testing.T) {
	page := body(t, published(t, storm()), "/")
	if more := texts(t, page, ".more"); len(more) == 0 || more[0] != "1 earlier update" {
		t.Errorf("what is left out: %q", more)
	}
	if pick(t, page, "#update-st1-1") != nil || pick(t, page, "#update-st1-5") == nil {
		t.Error("not the newest updates are shown")
	}
}

func TestComponentsThatAreNotPublicAreNeverNamed(t *testing.T) {
	v := storm()
	v.Issues[1].Components = append(v.Issues[1].Components, hit("vault", status.MajorOutage))
	v.Issues[1].Updates[0].Changes = append(v.Issues[1].Updates[0].Changes,
		status.Change{ComponentID: "vault", Name: "Secret vault", Old: status.Operational, New: status.MajorOutage})
	v.Maintenances[0].Components = append(v.Maintenances[0].Components, "vault")
	p := published(t, v)
	for path, doc := range p.site.Load().docs {
		if text := string(doc.Raw); strings.Contains(text, "vault") || strings.Contains(text, "Secret") {
			t.Errorf("%s names a hidden component", path)
		}
	}
}

func TestWhatIsPrivateStaysPrivate(t *testing.T) {
	v := storm()
	i := v.Issues[1]
	i.Rule, i.Group, i.GroupLabels = "canary-rule", `{instance="canary-host"}`, map[string]string{"instance": "canary-host"}
	i.Notes = []status.Note{{At: noon, Text: "canary-note"}}
	i.Suggestions = []status.Suggestion{{Field: status.FieldTitle, Value: "canary-value"}}
	i.Held = map[status.Field]status.Hold{status.FieldTitle: {By: "canary@example.com"}}
	i.ResolvedBy, i.Updates[0].By, v.Maintenances[0].CreatedBy = "canary@example.com", "canary@example.com", "canary@example.com"
	p := published(t, v)
	for path, doc := range p.site.Load().docs {
		if strings.Contains(string(doc.Raw), "canary") {
			t.Errorf("%s tells what is private", path)
		}
	}
}

func TestMaintenanceSaysWhenItTakesLonger(t *testing.T) {
	v := calm()
	v.Maintenances = append(v.Maintenances, move(maintenance("mm9", "Long one", noon.Add(-3*time.Hour), noon.Add(-time.Hour), "api"), noon.Add(-3*time.Hour), status.InProgress, "It began."))
	p := published(t, v)
	if page := body(t, p, "/maintenance/mm9"); !strings.Contains(page, "takes longer than planned") {
		t.Error("an overrun is not told")
	}
	if strings.Contains(body(t, p, "/banner.json"), `"until"`) {
		t.Error("the banner would take it away by the clock while it goes on")
	}
}

func TestQuietDaysAreCondensed(t *testing.T) {
	got := texts(t, body(t, published(t, calm()), "/"), "section.day h3")
	want := []string{"21 – 22 Nov 2026", "20 Nov 2026", "17 – 19 Nov 2026", "16 Nov 2026", "14 – 15 Nov 2026", "13 Nov 2026", "9 – 12 Nov 2026"}
	if !slices.Equal(got, want) {
		t.Errorf("days %q, want %q", got, want)
	}
}

func TestNoDayWithAnIssueIsCalledQuiet(t *testing.T) {
	v := calm()
	v.Issues = append(v.Issues, listed(issue("slow1", "Long trouble", noon.AddDate(0, 0, -20), status.ImpactMinor, hit("docs", status.DegradedPerformance)))...)
	page := body(t, published(t, v), "/")
	if n := len(pick(t, page, "p.calm")); n != 0 {
		t.Errorf("%d stretches are called quiet while an issue went on through all of them", n)
	}
	if n := len(pick(t, page, "p.ref")); n != pastDays {
		t.Errorf("the issue is told on %d days, want %d", n, pastDays)
	}
}

func TestDaysBeforeThePageExistedAreNotCalledQuiet(t *testing.T) {
	v := status.View{Components: []status.Component{component("api", "API", "")}}
	v.Components[0].CreatedAt = noon.AddDate(0, 0, -2)
	got := texts(t, body(t, published(t, v), "/"), "section.day h3")
	if !slices.Equal(got, []string{"20 – 22 Nov 2026"}) {
		t.Errorf("days %q", got)
	}
}

func TestDaysFollowThePageTimeZone(t *testing.T) {
	zone, err := time.LoadLocation("Pacific/Auckland") // UTC+13 in November
	if err != nil {
		t.Fatal(err)
	}
	cfg := settings()
	cfg.TimeZone = zone
	p, _, _ := stage(t, cfg, calm())
	days := texts(t, body(t, p, "/"), "section.day h3")
	if days[0] != "21 – 23 Nov 2026" { // it is the 23rd there already
		t.Errorf("the newest days are %q", days[0])
	}
	if !strings.Contains(body(t, p, "/"), "Pacific/Auckland") {
		t.Error("the page does not say which zone its days follow")
	}
}

func TestAMonthTellsWhatBeganInIt(t *testing.T) {
	p := published(t, calm())
	if got := texts(t, body(t, p, "/history/2026-11"), "article.item h4"); !slices.Equal(got, []string{"Elevated error rates in the API", "Webhook deliveries delayed", "Database upgrade", "Card payments declined"}) {
		t.Errorf("November: %q", got)
	}
	if body(t, p, "/history") != body(t, p, "/history/2026-11") {
		t.Error("/history is not the present month")
	}
	if got := texts(t, body(t, p, "/history/2026-07"), "p.calm"); !slices.Equal(got, []string{"No issues in July 2026."}) {
		t.Errorf("an empty month says %q", got)
	}
}

func TestMonthsLinkAsFarBackAsThereIsHistory(t *testing.T) {
	p := published(t, calm()) // its components are from 6 May 2026
	path, seen := "/history", 0
	for path != "" {
		page := body(t, p, path)
		if next := pick(t, page, "a[rel=next]"); (len(next) > 0) == (seen == 0) {
			t.Errorf("%s: link to the next month: %v", path, len(next) > 0)
		}
		path = ""
		if prev := pick(t, page, "a[rel=prev]"); prev != nil {
			path = attr(prev[0], "href")
		}
		seen++
	}
	if seen != 7 {
		t.Errorf("%d months are linked, want May to November", seen)
	}
}

func TestTimesAreUTCAndForMachines(t *testing.T) {
	p := published(t, storm())
	for _, path := range []string{"/", "/issues/st1", "/maintenance/mm1", "/history"} {
		times := pick(t, body(t, p, path), "time")
		if len(times) == 0 {
			t.Errorf("%s tells no time", path)
		}
		for _, n := range times {
			if _, err := time.Parse(time.RFC3339, attr(n, "datetime")); err != nil || !strings.Contains(attr(n, "title"), "UTC") || !strings.HasSuffix(words(n), "UTC") {
				t.Errorf("%s: <time datetime=%q title=%q> %s", path, attr(n, "datetime"), attr(n, "title"), words(n))
			}
		}
	}
}

func TestSubscribeOffersEmailOnlyWithMail(t *testing.T) {
	with := body(t, published(t, calm()), "/")
	form := pick(t, with, "#subscribe form")
	if len(form) != 1 || attr(form[0], "action") != "/subscriptions" || attr(form[0], "method") != "post" {
		t.Error("no form that posts to /subscriptions")
	}
	cfg := settings()
	cfg.Mail = false
	p, _, _ := stage(t, cfg, calm())
	if pick(t, body(t, p, "/"), "#subscribe form") != nil {
		t.Error("email is offered where none can be sent")
	}
	if len(pick(t, body(t, p, "/"), "#subscribe a[href=/history.rss]")) != 1 {
		t.Error("no feed is offered")
	}
}

func TestABusyDayIsCutShortAndLeadsToItsMonth(t *testing.T) {
	v := calm()
	past := texts(t, body(t, published(t, v), "/"), ".day h4")
	for n := range itemsShown + 5 {
		v.Issues = append(v.Issues, listed(resolve(issue(fmt.Sprint("busy-", n), "Short", noon.Add(-time.Duration(n)*time.Minute-2*time.Hour), status.ImpactMinor), time.Minute, "Over."))...)
	}
	page := body(t, published(t, v), "/")
	if n := len(texts(t, page, ".day h4")); n != itemsShown+len(past) {
		t.Errorf("%d issues of one day are listed, want %d", n, itemsShown)
	}
	if more := pick(t, page, ".day .more a"); len(more) != 1 || attr(more[0], "href") != "/history/2026-11" {
		t.Errorf("%d links to the rest", len(more))
	}
}
