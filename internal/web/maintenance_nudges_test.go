package web_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

func (s *site) plan(title string, from, length time.Duration, components ...string) status.Maintenance {
	s.t.Helper()
	start := s.clock.Now().Add(from)
	id := s.revise(status.SaveMaintenance{Maintenance: status.Maintenance{
		Title: title, ScheduledFor: start, ScheduledUntil: start.Add(length), Components: components,
	}})
	m, err := s.store.Maintenance(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

func TestMaintenanceThatOverranIsExtendedWithOneTap(t *testing.T) {
	s := newSite(t)
	m := s.plan("Upgrade", 0, time.Hour)
	s.revise(status.PostMaintenanceUpdate{ID: m.ID, State: status.InProgress})
	b, path := s.signedIn(status.Responder), "/admin/maintenance/"+m.ID
	if got := b.get("/admin").body; strings.Contains(got, "Extend by") {
		t.Error("asked about an end that is an hour away")
	}
	s.clock.pass(55 * time.Minute)
	b.get("/admin").want(t, http.StatusOK, "Maintenance ends soon", `value="2026-01-05T10:30"`)
	s.clock.pass(15 * time.Minute)
	b.get("/admin").want(t, http.StatusOK, "Maintenance overran", "Extend by 30 minutes", `value="2026-01-05T11:10"`)
	b.get(path).want(t, http.StatusOK, "Maintenance overran")
	m, _ = s.store.Maintenance(t.Context(), m.ID)
	tap := url.Values{"version": {strconv.FormatInt(m.Version, 10)}, "until": {"2026-01-05T10:40"}}
	b.post(path+"/extend", tap).want(t, http.StatusSeeOther)
	b.post(path+"/extend", tap).want(t, http.StatusSeeOther) // sent twice
	m, _ = s.store.Maintenance(t.Context(), m.ID)
	if want := time.Date(2026, 1, 5, 10, 40, 0, 0, time.UTC); !m.ScheduledUntil.Equal(want) || len(m.Updates) != 3 {
		t.Errorf("ends %v after %d updates", m.ScheduledUntil, len(m.Updates))
	}
	b.post(path+"/extend", with(tap, "until", "2026-01-05T11:40")).want(t, http.StatusConflict, "Nothing was done")
	b.post(path+"/extend", with(tap, "until", "2026-01-05T10:00")).want(t, http.StatusUnprocessableEntity, "Nothing was done")
	s.signedIn(status.Viewer).post(path+"/extend", tap).want(t, http.StatusForbidden)
}

func TestMaintenanceOfTheSameComponentAtTheSameTimeIsFlagged(t *testing.T) {
	s := newSite(t)
	checkout := s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	search := s.revise(status.SaveComponent{Component: status.Component{Name: "Search"}})
	m := s.plan("Upgrade", time.Hour, time.Hour, checkout)
	s.plan("New switches", 90*time.Minute, time.Hour, checkout, search)
	s.plan("Reindex", 90*time.Minute, time.Hour, search)
	b := s.signedIn(status.Responder)
	b.get("/admin/maintenance").want(t, http.StatusOK, "overlaps with New switches on Checkout")
	got := b.get("/admin/maintenance/" + m.ID)
	got.want(t, http.StatusOK, "At the same time, on Checkout", "New switches")
	if strings.Contains(got.body, "Reindex") {
		t.Error("another component at the same time is flagged")
	}
}

func TestTheMonthShowsEachDayThatAMaintenanceTouches(t *testing.T) {
	s := newSite(t)
	s.plan("Upgrade", 14*time.Hour, 2*time.Hour) // over midnight of 5 January
	b := s.signedIn(status.Viewer)
	got := b.get("/admin/maintenance/month")
	got.want(t, http.StatusOK, "January 2026", "23:00 Upgrade", `aria-current="date"><span>Mon 5</span>`, "month=2025-12", "month=2026-02")
	if n := strings.Count(got.body, "Upgrade</a>"); n != 2 {
		t.Errorf("it is shown on %d days, want 2", n)
	}
	if n := strings.Count(got.body, `class="pad"`); n != 3 {
		t.Errorf("%d days stand before Thursday the 1st, want 3", n)
	}
	b.get("/admin/maintenance/month?month=2026-02").want(t, http.StatusOK, "Nothing is planned in this month.")
	b.get("/admin/maintenance/month?month=soon").want(t, http.StatusNotFound)
}

func TestExpectedAlertsAreShownWhileTheMaintenanceRunsAndDraftNothing(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Responder)
	form := url.Values{"title": {"Switches"}, "from": {"2026-01-05T09:00"}, "until": {"2026-01-05T10:00"}, "expected": {"alertname=\"Other\"\r\nalertname=~\"High.*\""}}
	b.post("/admin/maintenance/new", with(form, "expected", "High errors")).want(t, http.StatusUnprocessableEntity, "is no list of matchers such as", "High errors")
	b.post("/admin/maintenance/new", form).want(t, http.StatusSeeOther)
	m := s.occurrences()[0]
	path := "/admin/maintenance/" + m.ID
	s.revise(status.PostMaintenanceUpdate{ID: m.ID, State: status.InProgress})
	s.alert("HighErrorRate", true)
	b.get(path).want(t, http.StatusOK, "1 expected alert firing", "HighErrorRate", `alertname=~&#34;High.*&#34;`)
	rules := s.rules.Rules
	s.rules.Rules = nil // no rule takes the next one: it is evidence of nothing
	s.alert("HighLoad", true)
	s.rules.Rules = rules
	b.get(path).want(t, http.StatusOK, "2 expected alerts firing", "HighLoad")
	b.get("/admin").want(t, http.StatusOK, "Nothing")
	s.revise(status.PostMaintenanceUpdate{ID: m.ID, State: status.Completed})
	s.draft()
	if got := b.get(path).body; strings.Contains(got, "expected alert firing") {
		t.Error("expected, though the maintenance is over")
	}
}

func TestOverlapsAreShownBeforeAMaintenanceIsSavedAndCanBeSavedAllTheSame(t *testing.T) {
	s := newSite(t)
	checkout := s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	other := s.plan("New switches", 26*time.Hour, time.Hour, checkout)
	s.revise(status.OpenIssue{Title: "Checkout is slow", Publish: true, Components: []status.Affected{{ComponentID: checkout, Status: status.DegradedPerformance}}})
	b := s.signedIn(status.Responder)
	form := url.Values{
		"title": {"Upgrade"}, "from": {"2026-01-05T11:00"}, "until": {"2026-01-05T12:00"}, "components": {checkout}, "repeat": {"daily"}, "times": {"3"},
	}
	got := b.post("/admin/maintenance/new", form)
	got.want(t, http.StatusOK, "Nothing was saved yet", "New switches", "open issue on Checkout", "Checkout is slow")
	if n := len(s.occurrences()); n != 1 {
		t.Fatalf("%d maintenances: it was saved unasked", n)
	}
	again := inputs(got.body, "/admin/maintenance/new")
	again.Del("silent")
	b.post("/admin/maintenance/new", again).want(t, http.StatusSeeOther)
	all := s.occurrences()
	path := "/admin/maintenance/" + all[0].ID
	words := with(inputs(b.get(path).body, path), "title", "Upgrade, part 1")
	words.Del("silent")
	b.post(path, words).want(t, http.StatusSeeOther) // what was there before is no news
	other, _ = s.store.Maintenance(t.Context(), other.ID)
	path = "/admin/maintenance/" + other.ID
	moved := with(inputs(b.get(path).body, path), "from", "2026-01-07T11:30", "until", "2026-01-07T12:30")
	moved.Del("silent")
	b.post(path, moved).want(t, http.StatusOK, "Nothing was saved yet", `value="2026-01-07T11:30"`)
}
