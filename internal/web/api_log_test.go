package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestAProgramChangesWhatASubscriberHearsUnlessSomebodyElseDid(t *testing.T) {
	s := newSite(t)
	s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	bot := s.machine(status.TokenSubscribers)
	made := bot.do("POST", "/subscribers", `{"email":"jo@example.com","components":["checkout"]}`)
	made.want(t, http.StatusCreated)
	path := "/subscribers/" + made.text(t, "id")
	seen := bot.do("GET", path, "").Header.Get("ETag")
	if seen == "" || seen != made.Header.Get("ETag") {
		t.Fatalf("ETag %q, of the answer to POST %q", seen, made.Header.Get("ETag"))
	}
	bot.do("GET", path, "", "If-None-Match", seen).want(t, http.StatusNotModified)
	bot.do("PATCH", path, `{"scope":"milestones"}`).want(t, http.StatusPreconditionRequired)
	changed := bot.do("PATCH", path, `{"scope":"milestones","language":"de"}`, "If-Match", seen)
	changed.want(t, http.StatusOK, `"scope":"milestones"`, `"language":"de"`, `"components":["checkout"]`)
	bot.do("PATCH", path, `{"scope":"all"}`, "If-Match", seen).want(t, http.StatusPreconditionFailed, "another version")
	bot.do("GET", path, "", "If-None-Match", seen).want(t, http.StatusOK, `"milestones"`)
	bot.do("PATCH", path, `{"components":[]}`, "If-Match", changed.Header.Get("ETag")).want(t, http.StatusOK, `"components":[]`)
	for body, pointer := range map[string]string{
		`{"email":"al@example.com","scope":"some"}`:             "/scope",
		`{"email":"al@example.com","language":"xx"}`:            "/language",
		`{"email":"al@example.com","time_zone":"Mars/Olympus"}`: "/time_zone",
	} {
		bot.do("POST", "/subscribers", body).want(t, http.StatusUnprocessableEntity, `"pointer":"`+pointer+`"`)
	}
	for body, pointer := range map[string]string{
		`{"scope":"some"}`:                                "/scope",
		`{"components":["nothing"]}`:                      "/components/0",
		`{"language":"xx"}`:                               "/language",
		`{"email":"eve@example.com"}`:                     "/email",
		`{"time_zone":"` + strings.Repeat("x", 61) + `"}`: "/time_zone",
	} {
		bot.do("PATCH", path, body, "If-Match", "*").want(t, http.StatusUnprocessableEntity, `"pointer":"`+pointer+`"`)
	}
	s.machine(status.TokenRead).do("PATCH", path, `{}`, "If-Match", "*").want(t, http.StatusForbidden)
	bot.do("PATCH", "/subscribers/nobody", `{}`, "If-Match", "*").want(t, http.StatusNotFound)
}

func TestAMessageHasAnETagThatChangesWithItsCounts(t *testing.T) {
	s := newSite(t)
	bot := s.machine(status.TokenAdmin)
	sub := bot.do("POST", "/subscribers", `{"email":"jo@example.com"}`).text(t, "id")
	s.confirm(t, sub)
	bot.do("POST", "/issues", `{"title":"a","body":"b","publish":true}`).want(t, http.StatusCreated)
	s.clock.pass(time.Minute) // it cannot be taken back any more
	path := "/deliveries/" + s.tell(t)
	seen := bot.do("GET", path, "").Header.Get("ETag")
	bot.do("GET", path, "", "If-None-Match", seen).want(t, http.StatusNotModified)
	bot.do("DELETE", "/subscribers/"+sub, "").want(t, http.StatusNoContent)
	if again := bot.do("GET", path, "", "If-None-Match", seen); again.StatusCode != http.StatusOK || again.Header.Get("ETag") == seen {
		t.Errorf("after its recipient was erased: %d %q", again.StatusCode, again.Header.Get("ETag"))
	}
}

func TestTheAuditLogIsReadByPagesAndMissesNothing(t *testing.T) {
	s := newSite(t)
	bot := s.machine(status.TokenAdmin)
	id := bot.do("POST", "/issues", `{"title":"a","body":"b"}`).text(t, "id")
	for _, title := range []string{"c", "d", "e", "f"} {
		bot.do("PATCH", "/issues/"+id, `{"title":"`+title+`"}`, "If-Match", "*").want(t, http.StatusOK)
	}
	whole := bot.do("GET", "/audit", "")
	all := whole.field(t, "items").([]any)
	if len(all) < 5 || whole.text(t, "items", 0, "actor") != "token bot admin" || whole.text(t, "items", 0, "subject_id") != id {
		t.Fatalf("%s", whole.body)
	}
	var read []string
	for next := "/audit?limit=2"; next != ""; {
		page := bot.do("GET", next, "")
		page.want(t, http.StatusOK)
		for n := range page.field(t, "items").([]any) {
			read = append(read, page.text(t, "items", n, "id"))
		}
		next = strings.TrimPrefix(page.text(t, "next"), "/api/v1")
	}
	if len(read) != len(all) {
		t.Errorf("%d lines by pages, %d at once", len(read), len(all))
	}
	for n := range read {
		if read[n] != whole.text(t, "items", n, "id") {
			t.Errorf("line %d is %s, want %s", n, read[n], whole.text(t, "items", n, "id"))
		}
	}
	if got := bot.do("GET", "/audit?subject="+url.QueryEscape("none"), ""); len(got.field(t, "items").([]any)) != 0 {
		t.Errorf("another subject: %s", got.body)
	}
	bot.do("GET", "/audit?cursor=eA", "").want(t, http.StatusBadRequest)
}

func TestAProgramReadsHowTheSourcesDo(t *testing.T) {
	s := newSite(t)
	s.rules.Sources = []status.Source{{Name: "prod", Type: "alertmanager", Peers: []string{"http://am:9093"}}}
	got := s.machine(status.TokenRead).do("GET", "/sources", "")
	got.want(t, http.StatusOK)
	if got.text(t, "items", 0, "name") != "prod" || got.field(t, "items", 0, "polled") != true {
		t.Errorf("%s", got.body)
	}
}
