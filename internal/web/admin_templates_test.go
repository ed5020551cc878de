package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestATemplateIsAddedChangedAndRemoved(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Responder)
	const list = "/admin/settings/templates"
	b.get(list).want(t, http.StatusOK, "Found the cause", "{components}")
	mine := url.Values{"name": {"Back soon"}, "body": {"{components} will be back soon."}, "state": {"identified"}, "title": {""}}
	b.post(list, with(mine, "body", "{nobody} knows")).want(t, http.StatusUnprocessableEntity, "there is no placeholder {nobody}", "Back soon", "{nobody} knows")
	b.post(list, mine).want(t, http.StatusSeeOther)
	b.post(list, mine).want(t, http.StatusSeeOther) // sent twice
	b.post(list, with(mine, "body", "Other words.")).want(t, http.StatusUnprocessableEntity, "with this name already", "Other words.")
	all, err := s.store.Templates(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	made := all[len(all)-1]
	if made.Name != "Back soon" || made.Version != 1 {
		t.Fatalf("made %+v", made)
	}
	path := list + "/" + made.ID
	first := inputs(b.get(path).body, path)
	second := with(first, "body", "{components} comes back.")
	b.post(path, second).want(t, http.StatusSeeOther)
	b.post(path, second).want(t, http.StatusSeeOther) // sent twice
	b.post(path, with(first, "body", "Mine.")).want(t, http.StatusConflict, "Nothing was saved yet", "{components} comes back.", "Mine.")
	b.post(path+"/remove", with(first)).want(t, http.StatusConflict, "Nothing was removed")
	now := inputs(b.get(path).body, path)
	b.post(path+"/remove", now).want(t, http.StatusSeeOther)
	b.post(path+"/remove", now).want(t, http.StatusSeeOther)
	b.get("/admin/audit").want(t, http.StatusOK, "added a template", "changed a template", "removed a template")
}

func TestATemplateWritesAnUpdateAndLosesNothing(t *testing.T) {
	s := newSite(t)
	checkout := s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	i := s.draft()
	comps := []status.Affected{{ComponentID: checkout, Status: status.MajorOutage}}
	s.revise(status.PublishIssue{EditIssue: status.EditIssue{ID: i.ID, Version: i.Version, Components: &comps}})
	b := s.signedIn(status.Responder)
	path := "/admin/issues/" + i.ID
	typed := inputs(b.get(path).body, path+"/update")

	page := b.post(path+"/fill", with(typed, "template", "identified", "silent", "1"))
	page.want(t, http.StatusOK, "found the cause of the problem with Checkout and")
	filled := inputs(page.body, path+"/update")
	if filled.Get("state") != "identified" || filled.Get("silent") != "1" {
		t.Errorf("filled %v", filled)
	}
	again := b.post(path+"/fill", with(filled, "template", "monitoring"))
	if strings.Contains(again.body, "found the cause of the problem with Checkout and") {
		t.Error("the words of one template were put after those of another")
	}
	kept := b.post(path+"/fill", with(filled, "body", "Typed with care.", "template", "still"))
	kept.want(t, http.StatusOK, "Typed with care.\n\nWe are still working")
	if got := inputs(kept.body, path+"/update").Get("state"); got != "identified" {
		t.Errorf("the state became %q", got)
	}
	if now := s.issue(i.ID); len(now.Updates) != 1 {
		t.Error("filling posted something")
	}
	b.post(path+"/fill", with(typed, "template", "gone")).want(t, http.StatusUnprocessableEntity, "removed meanwhile")
}

func TestATemplateWritesADraftAndANewIssue(t *testing.T) {
	s := newSite(t)
	s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	b := s.signedIn(status.Responder)
	i := s.draft()
	path := "/admin/issues/" + i.ID
	typed := with(inputs(b.get(path+"/review").body, path), "title", "Typed by hand")
	b.post(path+"/review", with(typed, "template", "provider")).want(t, http.StatusOK, "A provider that we depend on", "Typed by hand", ">Identified")
	if now := s.issue(i.ID); now.Version != i.Version {
		t.Error("filling saved something")
	}
	if page := b.get(path + "/review").body; strings.Contains(page, `value="resolved">Resolved</button>`) {
		t.Error("a draft can be opened as resolved")
	}
	b.post("/admin/issues/new", url.Values{"title": {"Slow"}, "template": {"investigating"}, "state": {"investigating"}, "impact": {"minor"}}).
		want(t, http.StatusOK, "a problem with our services", `value="Slow"`)
}

func TestUpdatesAboutMaintenanceHaveTemplatesOfTheirOwn(t *testing.T) {
	s := newSite(t)
	checkout := s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	m := s.plan("Upgrade", time.Hour, 90*time.Minute, checkout)
	path := "/admin/maintenance/" + m.ID
	b, admin := s.signedIn(status.Responder), s.signedIn(status.Admin)
	page := b.get(path)
	page.want(t, http.StatusOK, "Work has begun", "Takes longer")
	if strings.Contains(page.body, "Found the cause") {
		t.Error("a template of issues is offered")
	}
	if got := b.get("/admin/issues/new").body; strings.Contains(got, "Work has begun") {
		t.Error("a template of maintenance is offered for an issue")
	}
	typed := inputs(page.body, path+"/update")
	b.post(path+"/fill", with(typed, "body", "Typed with care.", "template", "work-begun", "silent", "1")).
		want(t, http.StatusOK, "Typed with care.", "We have begun to work on Checkout. We expect it to take 90 minutes.", `name="silent" value="1" checked`)
	if m, _ = s.store.Maintenance(t.Context(), m.ID); len(m.Updates) != 1 {
		t.Error("filling posted something")
	}
	made := url.Values{"name": {"Half way"}, "for": {"maintenance"}, "body": {"Half of {components} is done."}}
	admin.post("/admin/settings/templates", with(made, "state", "resolved")).want(t, http.StatusUnprocessableEntity, "moves on by its own buttons", "Half of")
	admin.post("/admin/settings/templates", made).want(t, http.StatusSeeOther)
	b.get(path).want(t, http.StatusOK, "Half way")
	machine := s.machine(status.TokenMaintenance)
	machine.do("POST", "/maintenance/"+m.ID+"/updates", `{"template":"work-goes"}`, "If-Match", "*").want(t, http.StatusCreated, "The work on Checkout goes as planned.")
	machine.do("POST", "/maintenance/"+m.ID+"/updates", `{"template":"resolved"}`, "If-Match", "*").want(t, http.StatusUnprocessableEntity, "no template about maintenance")
}
