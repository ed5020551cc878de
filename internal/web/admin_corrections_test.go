package web_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestAnAdminCorrectsUptimeOnceAndWithAReason(t *testing.T) {
	s := newSite(t)
	id := s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	path := "/admin/components/" + id + "/uptime"
	b := s.signedIn(status.Admin)
	b.get("/admin/components/"+id).want(t, http.StatusOK, path)

	typed := url.Values{"from": {"2026-01-05T07:00"}, "to": {"2026-01-05T06:00"}, "status": {"operational"}, "reason": {"The probe was at fault."}}
	b.post(path, typed).want(t, http.StatusUnprocessableEntity, "must be after the beginning", "The probe was at fault.", `value="2026-01-05T07:00"`)
	typed.Set("to", "2026-01-05T08:00")
	typed.Set("reason", " ")
	b.post(path, typed).want(t, http.StatusUnprocessableEntity, "customers are told why")
	typed.Set("reason", "The probe was at fault.")
	b.post(path, typed).want(t, http.StatusSeeOther)
	b.post(path, typed).want(t, http.StatusSeeOther) // pressed twice
	b.get(path).want(t, http.StatusOK, "No outage", "The probe was at fault.", "admin@example.com", "Withdraw")
	list, err := s.store.Corrections(t.Context(), id, 0)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d corrections, want one: %v", len(list), err)
	}
	b.get("/admin/audit").want(t, http.StatusOK, "corrected", "The probe was at fault.")

	b.post(path+"/withdraw", url.Values{"correction": {list[0].ID}}).want(t, http.StatusSeeOther)
	b.get(path).want(t, http.StatusOK, "withdrawn")
	b.post(path+"/withdraw", url.Values{"correction": {"nope"}}).want(t, http.StatusNotFound)
	b.get("/admin/components/nope/uptime").want(t, http.StatusNotFound)
}

func TestOnlyAnAdminCorrectsUptime(t *testing.T) {
	s := newSite(t)
	id := s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	b := s.signedIn(status.Responder)
	b.get("/admin/components/"+id+"/uptime").want(t, http.StatusForbidden)
	b.post("/admin/components/"+id+"/uptime", url.Values{"from": {"2026-01-05T07:00"}, "to": {"2026-01-05T08:00"}, "status": {"operational"}, "reason": {"r"}}).want(t, http.StatusForbidden)
}
