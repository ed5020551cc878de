package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestTheHistoryOfAComponentOpensWhereSomethingChangedLast(t *testing.T) {
	s := newSite(t)
	search := s.revise(status.SaveComponent{Component: status.Component{Name: "Search"}})
	s.clock.pass(40 * 24 * time.Hour)
	issue := s.revise(status.OpenIssue{Title: "Search is slow", Publish: true, Components: []status.Affected{{ComponentID: search, Status: status.DegradedPerformance}}})
	month := s.clock.Now()
	b := s.signedIn(status.Admin)
	if got := b.get("/admin/components/" + search + "/history"); strings.Contains(got.body, "Nothing has changed since") {
		t.Error("it changed this month, and the page denies it")
	}
	resolved := status.Resolved
	s.revise(status.PostUpdate{ID: issue, Body: "Over.", State: &resolved})
	s.clock.pass(200 * 24 * time.Hour)
	b.login("admin@example.com", password, "")
	b.get("/admin/components/"+search+"/history").want(t, http.StatusOK, month.Format("January 2006"), "Nothing has changed since", "Search is slow", "Next month")
	b.get("/admin/components/"+search+"/history?month="+s.clock.Now().Format("2006-01")).want(t, http.StatusOK, "Nothing changed in this month.")
}

func TestTheHistoryOfAComponentNamesTheCauseOfEachChange(t *testing.T) {
	s := newSite(t)
	checkout := s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout", Hidden: true}})
	search := s.revise(status.SaveComponent{Component: status.Component{Name: "Search"}})
	issue := s.revise(status.OpenIssue{Title: "Checkout fails", Publish: true, Components: []status.Affected{
		{ComponentID: checkout, Status: status.MajorOutage}, {ComponentID: search, Status: status.PartialOutage},
	}})
	s.revise(status.OpenIssue{Title: "Search is slow", Publish: true, Components: []status.Affected{{ComponentID: search, Status: status.DegradedPerformance}}})
	s.clock.pass(time.Hour)
	resolved := status.Resolved
	s.revise(status.PostUpdate{ID: issue, Body: "Over.", State: &resolved})
	m := s.plan("New disks", 0, time.Hour, checkout)
	s.revise(status.PostMaintenanceUpdate{ID: m.ID, State: status.InProgress})
	now := s.clock.Now()
	s.clock.pass(time.Hour)
	s.revise(status.CorrectUptime{ComponentID: checkout, From: now.Add(-time.Hour), To: now.Add(-30 * time.Minute), Status: status.Operational, Reason: "Only our probe failed."})
	b := s.signedIn(status.Admin)
	got := b.get("/admin/components/" + checkout + "/history")
	got.want(t, http.StatusOK, "Major outage", "before: Operational", "before: Major outage", "/admin/issues/"+issue, "Checkout fails",
		"Under maintenance", "/admin/maintenance/"+m.ID, "Only our probe failed.", "bob@example.com", "month=2025-12")
	if strings.Contains(got.body, "Search is slow") || strings.Contains(got.body, "Partial outage") || strings.Contains(got.body, "Next month") {
		t.Error("it tells of another component, or leads into the future")
	}
	b.get("/admin/components/"+checkout+"/history?month=2025-12").want(t, http.StatusOK, "Nothing changed in this month.", "Next month")
	b.get("/admin/components/"+checkout+"/history?month=soon").want(t, http.StatusNotFound)
	b.get("/admin/components/"+checkout).want(t, http.StatusOK, "Its history, with causes")
}
