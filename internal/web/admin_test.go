package web_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/statusbridge/statusbridge/internal/status"
)

func (s *site) component(name string) status.Component {
	s.t.Helper()
	components, _, err := s.store.Components(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range components {
		if c.Name == name {
			return c
		}
	}
	s.t.Fatalf("there is no component %s", name)
	return status.Component{}
}

func TestAFreshInstallShowsThreeSteps(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Admin)
	b.get("/admin").want(t, http.StatusOK, "Set up in three steps", "Add a component", "credentials: "+secret, "Fire a fake alert")
	got := s.signedIn(status.Viewer).get("/admin")
	if strings.Contains(got.body, secret) || strings.Contains(got.body, "test-alert") {
		t.Error("a viewer is shown what only admins may know")
	}
}

func TestTheFakeAlertGoesThroughTheIntakeAndMatchesARule(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Admin)
	b.post("/admin/test-alert", nil).want(t, http.StatusSeeOther)
	b.post("/admin/test-alert", url.Values{"do": {"clear"}}).want(t, http.StatusSeeOther)
	if len(s.intake.got) != 2 {
		t.Fatalf("%d webhooks", len(s.intake.got))
	}
	for n, part := range []string{`"status":"firing"`, `"status":"resolved"`} {
		if got := string(s.intake.got[n].Body); !strings.Contains(got, part) || !strings.Contains(got, `"service":"test"`) {
			t.Errorf("%s", got)
		}
	}
	s.rules = &status.Rules{}
	b.post("/admin/test-alert", nil).want(t, http.StatusUnprocessableEntity, "amtool")
}

func TestPlanningAndRunningMaintenance(t *testing.T) {
	s := newSite(t)
	checkout := s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	b := s.signedIn(status.Responder)
	form := url.Values{
		"title": {"Database upgrade"}, "body": {"Short interruptions."}, "from": {"2026-01-06T02:00"}, "until": {"2026-01-06T04:00"},
		"components": {checkout}, "auto_start": {"1"},
	}
	got := b.post("/admin/maintenance/new", form)
	got.want(t, http.StatusSeeOther)
	path, _, _ := strings.Cut(got.Header.Get("Location"), "?")
	id := strings.TrimPrefix(path, "/admin/maintenance/")
	if again := b.post("/admin/maintenance/new", form); !strings.Contains(again.Header.Get("Location"), id) {
		t.Error("sent twice, it was planned twice")
	}
	m, err := s.store.Maintenance(t.Context(), id)
	if err != nil || m.Title != "Database upgrade" || !m.AutoStart || m.AutoEnd || m.ScheduledFor != time.Date(2026, 1, 6, 2, 0, 0, 0, time.UTC) {
		t.Fatalf("%+v, %v", m, err)
	}
	b.get("/admin/maintenance").want(t, http.StatusOK, "Database upgrade", "Checkout", "2 hours")
	b.get(path).want(t, http.StatusOK, `value="2026-01-06T02:00"`, "Start now", `name="zone" value="UTC"`)

	version := strconv.FormatInt(m.Version, 10)
	step := url.Values{"version": {version}, "state": {"in_progress"}}
	b.post(path+"/update", step).want(t, http.StatusSeeOther)
	b.post(path+"/update", step).want(t, http.StatusSeeOther) // sent twice
	m, _ = s.store.Maintenance(t.Context(), id)
	if m.State != status.InProgress || len(m.Updates) != 2 {
		t.Errorf("state %s, %d updates", m.State, len(m.Updates))
	}
	stale := b.post(path+"/update", url.Values{"version": {version}, "state": {"cancelled"}, "body": {"We postpone."}})
	stale.want(t, http.StatusConflict, "Nothing was done", "We postpone.")

	s.revise(status.PostMaintenanceUpdate{ID: id, Version: m.Version, Body: "Half way."})
	edit := with(form, "version", strconv.FormatInt(m.Version, 10), "title", "Database upgrade, part 1")
	b.post(path, edit).want(t, http.StatusConflict, "Nothing was saved yet", "part 1")
	got = b.get(path)
	again := inputs(got.body, path)
	again.Set("until", "2026-01-06T05:00")
	b.post(path, again).want(t, http.StatusSeeOther)
	if m, _ = s.store.Maintenance(t.Context(), id); m.ScheduledUntil.Hour() != 5 {
		t.Errorf("until %v", m.ScheduledUntil)
	}
	b.post(path+"/update", url.Values{"version": {strconv.FormatInt(m.Version, 10)}, "state": {"completed"}}).want(t, http.StatusSeeOther)
	b.get(path).want(t, http.StatusOK, "Completed")
}

func TestABadMaintenanceKeepsWhatWasTyped(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Responder)
	form := url.Values{"title": {"Upgrade"}, "body": {"Precious words"}, "from": {"2026-01-06T02:00"}, "until": {"2026-01-06T02:00"}}
	b.post("/admin/maintenance/new", form).want(t, http.StatusUnprocessableEntity, "must lie after the beginning", "Precious words", `aria-describedby="until-problem"`)
	b.post("/admin/maintenance/new", with(form, "until", "tomorrow")).want(t, http.StatusUnprocessableEntity, "is not a date and time")
	b.post("/admin/maintenance/new", with(form, "from", "")).want(t, http.StatusUnprocessableEntity, "when does it begin?")
}

func TestComponentsAreCreatedChangedMovedAndRemoved(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Admin)
	b.post("/admin/groups/new", url.Values{"name": {"Shop"}}).want(t, http.StatusSeeOther)
	b.post("/admin/groups/new", url.Values{"name": {"Shop"}}).want(t, http.StatusSeeOther) // sent twice
	_, groups, _ := s.store.Components(t.Context())
	if len(groups) != 1 {
		t.Fatalf("%d groups", len(groups))
	}
	for _, name := range []string{"Checkout", "Search", "Cart"} {
		b.post("/admin/components/new", url.Values{"name": {name}, "group": {groups[0].ID}, "status": {"operational"}}).want(t, http.StatusSeeOther)
	}
	b.post("/admin/components/new", url.Values{"name": {""}}).want(t, http.StatusUnprocessableEntity, "customers need a name")
	s.clock.pass(time.Hour)
	b.post("/admin/components/new", url.Values{"name": {"Cart"}, "description": {"Typed"}}).want(t, http.StatusUnprocessableEntity, "has it already", "Typed")

	cart := s.component("Cart")
	b.post("/admin/components/"+cart.ID+"/move", url.Values{"to": {"up"}}).want(t, http.StatusSeeOther)
	list := b.get("/admin/components").body
	if !(strings.Index(list, "Checkout") < strings.Index(list, "Cart") && strings.Index(list, "Cart") < strings.Index(list, "Search")) {
		t.Error("Cart did not move between Checkout and Search")
	}

	path := "/admin/components/" + cart.ID
	form := inputs(b.get(path).body, path)
	form.Set("hidden", "1")
	form.Set("start", "2025-06-01")
	b.post(path, form).want(t, http.StatusSeeOther)
	cart = s.component("Cart")
	if !cart.Hidden || cart.StartDate != time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC) || cart.GroupID != groups[0].ID {
		t.Errorf("%+v", cart)
	}
	stale := with(form, "name", "Basket")
	b.post(path, stale).want(t, http.StatusConflict, "Nothing was saved yet", "Basket")
	b.post(path, form).want(t, http.StatusSeeOther) // the same again is no conflict
	b.post(path, with(form, "version", strconv.FormatInt(cart.Version, 10), "start", "soon")).want(t, http.StatusUnprocessableEntity, "is not a date")

	b.post(path+"/remove", url.Values{"version": {"1"}}).want(t, http.StatusConflict, "Nothing was removed")
	b.post(path+"/remove", url.Values{"version": {strconv.FormatInt(cart.Version, 10)}}).want(t, http.StatusSeeOther)
	b.get(path).want(t, http.StatusNotFound)

	group := "/admin/groups/" + groups[0].ID
	b.post(group, with(inputs(b.get(group).body, group), "name", "Store")).want(t, http.StatusSeeOther)
	b.post(group, url.Values{"version": {"1"}, "seen.name": {"Shop"}, "name": {"Market"}}).want(t, http.StatusConflict, "Store", "Market")
	b.post(group+"/move", url.Values{"to": {"down"}}).want(t, http.StatusSeeOther)
	b.post(group+"/remove", url.Values{"version": {"2"}}).want(t, http.StatusSeeOther)
	if c := s.component("Checkout"); c.GroupID != "" {
		t.Error("Checkout is still in the removed group")
	}
}

func TestAnotherOrderIsNoConflictForWhoEdits(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Admin)
	for _, name := range []string{"Checkout", "Search"} {
		b.post("/admin/components/new", url.Values{"name": {name}, "status": {"operational"}}).want(t, http.StatusSeeOther)
		b.post("/admin/groups/new", url.Values{"name": {name}}).want(t, http.StatusSeeOther)
	}
	_, groups, _ := s.store.Components(t.Context())
	for _, path := range []string{"/admin/components/" + s.component("Search").ID, "/admin/groups/" + groups[1].ID} {
		form := inputs(b.get(path).body, path)
		b.post(path+"/move", url.Values{"to": {"up"}}).want(t, http.StatusSeeOther)
		b.post(path, with(form, "description", "Finds things.")).want(t, http.StatusSeeOther)
		if got := b.get(path).body; !strings.Contains(got, "Finds things.") {
			t.Errorf("%s: the description is lost", path)
		}
		list := b.get("/admin/components").body
		if strings.Index(list, "Search") > strings.Index(list, "Checkout") {
			t.Errorf("%s: the order is as it was before", path)
		}
	}
}

func TestPeopleWhoMoveAndWhoEditAtTheSameTimeDoNotCollide(t *testing.T) {
	s := newSite(t)
	a := s.account(status.Admin)
	editor, movers := s.browser(), []*browser{s.browser(), s.browser()}
	for _, b := range append(movers, editor) {
		b.login(a.Email, password, "").want(t, http.StatusSeeOther)
	}
	for _, name := range []string{"Checkout", "Search", "Cart"} {
		editor.post("/admin/components/new", url.Values{"name": {name}, "status": {"operational"}}).want(t, http.StatusSeeOther)
	}
	path := "/admin/components/" + s.component("Search").ID
	var all sync.WaitGroup
	for _, mover := range movers {
		all.Go(func() {
			for n := range 30 {
				if got := mover.post(path+"/move", url.Values{"to": {[]string{"up", "down"}[n%2]}}); got.StatusCode != http.StatusSeeOther {
					t.Errorf("moving was answered with %d", got.StatusCode)
				}
			}
		})
	}
	for n := range 30 {
		form := with(inputs(editor.get(path).body, path), "description", fmt.Sprint("Finds thing ", n))
		if got := editor.post(path, form); got.StatusCode != http.StatusSeeOther {
			t.Errorf("saving was answered with %d", got.StatusCode)
		}
	}
	all.Wait()
	if c := s.component("Search"); c.Description != "Finds thing 29" {
		t.Errorf("the description is %q", c.Description)
	}
}

func TestTheRulesPageShowsWhatIsWrongInFull(t *testing.T) {
	s := newSite(t)
	s.rules.File, s.rules.Hash, s.rules.Source = "rules.yaml", "abcdef0123456789", []byte("version: 1 # <tag>")
	b := s.signedIn(status.Admin)
	b.get("/admin/rules").want(t, http.StatusOK, "rules.yaml", "abcdef012345", "version: 1 # &lt;tag&gt;", "waits for a person", "resolves 5 minutes after")
	b.post("/admin/rules/reload", nil).want(t, http.StatusSeeOther)
	s.reload = errors.New("rules.yaml:12:9: unknown key \"publsh\"\ndid you mean publish?")
	b.post("/admin/rules/reload", nil).want(t, http.StatusUnprocessableEntity, "The last reload failed", "12:9", "did you mean publish?")
	b.get("/admin/rules").want(t, http.StatusOK, "did you mean publish?")
	b.get("/admin").want(t, http.StatusOK, "The last reload of the rules failed")
}

func TestAlertsWithoutARuleAndUnreadableWebhooksAreShown(t *testing.T) {
	s := newSite(t)
	s.rules.Rules = nil
	s.alert("DiskWillFill", true)
	err := s.store.SaveWebhook(t.Context(), status.Webhook{
		ID: "w1", Kind: "alertmanager", Source: "prod", Body: []byte("<not json>"),
		ReceivedAt: s.clock.Now(), State: status.WebhookDead, Verdict: "it is no JSON",
	})
	if err != nil {
		t.Fatal(err)
	}
	b := s.signedIn(status.Viewer)
	b.get("/admin/alerts").want(t, http.StatusOK, "DiskWillFill", "it is no JSON", "&lt;not json&gt;")
}

func TestTheAuditLogNamesAutomationAndPeople(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	b.post("/admin/issues/"+i.ID, with(seen(i), "title", "Checkout fails")).want(t, http.StatusSeeOther)
	b.get("/admin/audit").want(t, http.StatusOK, "automation", "because alerts fired for the whole hold", "responder@example.com", "title: Checkout fails", "/admin/issues/"+i.ID)
	b.get("/admin/issues/"+i.ID).want(t, http.StatusOK, "What happened, and why", "title: Errors in the shop")
}

func TestAPanicIsAnErrorAndNotTheEnd(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Admin)
	rules := s.rules
	s.rules = &status.Rules{Rules: []status.Rule{{Name: "broken", Matchers: labels.Matchers{nil}, Open: status.Open{Publish: status.PublishConfirm}}}}
	got := b.get("/admin")
	got.want(t, http.StatusInternalServerError, "It was logged")
	if strings.Contains(got.body, "nil pointer") {
		t.Error("the panic is shown")
	}
	s.rules = rules
	b.get("/admin").want(t, http.StatusOK)
}
