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

// seen are the hidden inputs of the edit form as it was when loaded.
func seen(i status.Issue) url.Values {
	body := ""
	if len(i.Updates) > 0 {
		body = i.Updates[0].Body
	}
	return url.Values{
		"version": {strconv.FormatInt(i.Version, 10)}, "do": {"save"},
		"seen.title": {i.Title}, "seen.impact": {string(i.Impact)}, "seen.state": {string(i.State)}, "seen.body": {body}, "seen.components": {""},
		"title": {i.Title}, "impact": {string(i.Impact)}, "state": {string(i.State)}, "body": {body},
	}
}

func with(form url.Values, pairs ...string) url.Values {
	out := url.Values{}
	for k, v := range form {
		out[k] = v
	}
	for n := 0; n+1 < len(pairs); n += 2 {
		out[pairs[n]] = []string{pairs[n+1]}
	}
	return out
}

func versionOf(i status.Issue) url.Values {
	return url.Values{"version": {strconv.FormatInt(i.Version, 10)}}
}

func TestTheQueueShowsTheDraftFirst(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	s.clock.pass(14 * time.Minute)
	got := b.get("/admin")
	got.want(t, http.StatusOK, "<title>1 draft waiting", i.Title, "1 alert firing", "14 minutes", "<code>errors</code>",
		"We are investigating.", "HighErrorRate is high", "Publish", "Dismiss", "/admin/issues/"+i.ID+"#edit")
	if strings.Index(got.body, i.Title) > strings.Index(got.body, "Open and public") {
		t.Error("the draft stands below the open issues")
	}
	b.get("/admin/issues").want(t, http.StatusOK, "<title>(1) Issues")
}

func TestAViewerSeesTheQueueWithoutItsButtons(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	got := s.signedIn(status.Viewer).get("/admin")
	got.want(t, http.StatusOK, i.Title)
	for _, not := range []string{"/publish", "/dismiss", secret} {
		if strings.Contains(got.body, not) {
			t.Errorf("a viewer is shown %s", not)
		}
	}
	got = s.signedIn(status.Admin).get("/admin")
	got.want(t, http.StatusOK, secret, origin+"/hooks/alertmanager")
}

func TestPublishingADraft(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	got := b.post("/admin/issues/"+i.ID+"/publish", versionOf(i))
	if got.StatusCode != http.StatusSeeOther || s.issue(i.ID).Stage != status.Published {
		t.Fatalf("%d, stage %s", got.StatusCode, s.issue(i.ID).Stage)
	}
	b.get(got.Header.Get("Location")).want(t, http.StatusOK, "Published.")
	version := s.issue(i.ID).Version
	if got := b.post("/admin/issues/"+i.ID+"/publish", versionOf(i)); got.StatusCode != http.StatusSeeOther || s.issue(i.ID).Version != version {
		t.Errorf("pressed twice: %d, version %d after %d", got.StatusCode, s.issue(i.ID).Version, version)
	}
}

func TestPublishingSilentlyNotifiesNobody(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	b.post("/admin/issues/"+i.ID+"/publish", with(versionOf(i), "silent", "1")).want(t, http.StatusSeeOther)
	if got := s.issue(i.ID); !got.Public() || !got.Updates[0].Silent {
		t.Errorf("stage %s, silent %v", got.Stage, got.Updates[0].Silent)
	}
}

func TestAStaleDismissalShowsTheIssueAsItIs(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	title := "Checkout is down"
	s.revise(status.EditIssue{ID: i.ID, Version: i.Version, Title: &title})
	got := b.post("/admin/issues/"+i.ID+"/dismiss", versionOf(i))
	got.want(t, http.StatusConflict, "Nothing was done", "Checkout is down")
	if s.issue(i.ID).Stage != status.Draft {
		t.Error("it was dismissed unseen")
	}
	b.post("/admin/issues/"+i.ID+"/dismiss", versionOf(s.issue(i.ID))).want(t, http.StatusSeeOther)
	b.post("/admin/issues/"+i.ID+"/dismiss", versionOf(i)).want(t, http.StatusSeeOther) // sent again: it is what was wanted
}

func TestAnEditHoldsOnlyWhatItChanged(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	b.post("/admin/issues/"+i.ID, with(seen(i), "title", "  Checkout   fails ", "body", "We are investigating.")).want(t, http.StatusSeeOther)
	now := s.issue(i.ID)
	if now.Title != "Checkout fails" || len(now.Held) != 1 || !now.Holds(status.FieldTitle) {
		t.Errorf("title %q, held %v", now.Title, now.Held)
	}
	b.get("/admin/issues/"+i.ID).want(t, http.StatusOK, "Automation paused on title since 5 Jan, 09:00 UTC", "by responder@example.com", "Hand back")
	b.post("/admin/issues/"+i.ID+"/hand-back", with(versionOf(now), "field", "title")).want(t, http.StatusSeeOther)
	if now := s.issue(i.ID); len(now.Held) != 0 || now.Title != i.Title {
		t.Errorf("after handing back: title %q, held %v", now.Title, now.Held)
	}
	b.post("/admin/issues/"+i.ID+"/hand-back", with(versionOf(now), "field", "secrets")).want(t, http.StatusUnprocessableEntity)
}

func TestTheQueueShowsWhatAutomationSuggestsAndAPersonHolds(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	state := status.Identified
	s.revise(status.PublishIssue{EditIssue: status.EditIssue{ID: i.ID, Version: i.Version, State: &state}})
	b := s.signedIn(status.Responder)
	if page := b.get("/admin").body; strings.Contains(page, "Suggestions waiting") {
		t.Error("nothing is suggested yet")
	}
	s.alert("HighErrorRate", false)
	s.clock.pass(time.Hour)
	s.tick()
	b.get("/admin").want(t, http.StatusOK, "Suggestions waiting", "suggests state → Resolved", "bob@example.com holds the state", "Hand state back")

	now := s.issue(i.ID)
	answer := with(versionOf(now), "field", "state", "from", "queue")
	if to := b.post("/admin/issues/"+i.ID+"/keep", answer).Header.Get("Location"); to != "/admin?done=kept" {
		t.Errorf("kept, and sent to %q", to)
	}
	b.post("/admin/issues/"+i.ID+"/keep", answer).want(t, http.StatusSeeOther) // pressed twice
	for _, path := range []string{"/admin", "/admin/issues/" + i.ID} {
		if strings.Contains(b.get(path).body, "suggests") {
			t.Errorf("%s still shows what was declined", path)
		}
	}
	if now = s.issue(i.ID); now.State != state || !now.Holds(status.FieldState) {
		t.Errorf("kept: %s, held %v", now.State, now.Held)
	}
}

func TestAStaleEditIsAConflictThatShowsBothAndLosesNothing(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	theirs, impact := "Bob's title", status.ImpactCritical
	s.revise(status.EditIssue{ID: i.ID, Version: i.Version, Title: &theirs, Impact: &impact})
	typed := with(seen(i), "title", "My title", "body", "Line one\r\nLine two")
	got := b.post("/admin/issues/"+i.ID, typed)
	got.want(t, http.StatusConflict, "Somebody else changed this", "Bob&#39;s title", "My title", "both changed it", "taken over below", "Line one\nLine two")
	now := s.issue(i.ID)
	if now.Title != theirs {
		t.Fatalf("the stale edit was saved: %q", now.Title)
	}
	again := url.Values{"do": {"save"}}
	for name, value := range inputs(got.body, "/admin/issues/"+i.ID) {
		again[name] = value
	}
	b.post("/admin/issues/"+i.ID, again).want(t, http.StatusSeeOther)
	now = s.issue(i.ID)
	if now.Title != "My title" || now.Impact != status.ImpactCritical || now.Updates[0].Body != "Line one\nLine two" {
		t.Errorf("after saving again: %q %s %q: want mine, and Bob's impact", now.Title, now.Impact, now.Updates[0].Body)
	}
}

func TestAnEditSentTwiceDoesOneThing(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	form := with(seen(i), "title", "Checkout fails")
	b.post("/admin/issues/"+i.ID, form).want(t, http.StatusSeeOther)
	version := s.issue(i.ID).Version
	b.post("/admin/issues/"+i.ID, form).want(t, http.StatusSeeOther)
	if got := s.issue(i.ID).Version; got != version {
		t.Errorf("version %d, then %d", version, got)
	}
}

func TestABadEditKeepsWhatWasTyped(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	got := b.post("/admin/issues/"+i.ID, with(seen(i), "title", "", "body", "Precious words"))
	got.want(t, http.StatusUnprocessableEntity, "say in a few words what is wrong", "Precious words", `aria-invalid="true"`)
}

func TestAnUpdateResolvesTheIssue(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	b.post("/admin/issues/"+i.ID+"/publish", versionOf(i))
	i = s.issue(i.ID)
	form := with(versionOf(i), "state", "resolved", "body", "Fixed by a rollback.")
	got := b.post("/admin/issues/"+i.ID+"/update", form)
	got.want(t, http.StatusSeeOther)
	now := s.issue(i.ID)
	if now.State != status.Resolved || now.Updates[len(now.Updates)-1].Body != "Fixed by a rollback." {
		t.Errorf("state %s, updates %v", now.State, now.Updates)
	}
	b.post("/admin/issues/"+i.ID+"/update", form).want(t, http.StatusSeeOther)
	if got := s.issue(i.ID); len(got.Updates) != len(now.Updates) {
		t.Error("sent twice, it was posted twice")
	}
}

func TestAStaleUpdateIsNotPostedAndNotLost(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	b.post("/admin/issues/"+i.ID+"/publish", versionOf(i))
	i = s.issue(i.ID)
	s.revise(status.PostUpdate{ID: i.ID, Version: i.Version, Body: "Bob found the cause."})
	got := b.post("/admin/issues/"+i.ID+"/update", with(versionOf(i), "state", "identified", "body", "I found the cause."))
	got.want(t, http.StatusConflict, "not posted yet", "I found the cause.", "Bob found the cause.", `value="identified" checked`)
	if now := s.issue(i.ID); len(now.Updates) != 2 {
		t.Errorf("%d updates", len(now.Updates))
	}
	empty := b.post("/admin/issues/"+i.ID+"/update", with(versionOf(s.issue(i.ID)), "body", " "))
	empty.want(t, http.StatusUnprocessableEntity, "say what is new")
}

func TestNoFormMayOverwriteBlindly(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	for _, version := range []string{"", "0", "-1", "x", "99999999999999999999"} {
		b.post("/admin/issues/"+i.ID+"/dismiss", url.Values{"version": {version}}).want(t, http.StatusConflict)
	}
}

func TestOpeningAnIssueByHand(t *testing.T) {
	s := newSite(t)
	checkout := s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	b := s.signedIn(status.Responder)
	form := url.Values{
		"title": {"Mails are late"}, "impact": {"minor"}, "state": {"identified"}, "body": {"A queue is stuck."},
		"with-components": {"1"}, "component." + checkout: {"degraded_performance"}, "started": {"2026-01-05T08:30"}, "do": {"publish"},
	}
	got := b.post("/admin/issues/new", form)
	got.want(t, http.StatusSeeOther)
	id := strings.TrimPrefix(strings.TrimSuffix(got.Header.Get("Location"), "?done=published"), "/admin/issues/")
	i := s.issue(id)
	if i.Stage != status.Published || i.State != status.Identified || len(i.Components) != 1 || !i.StartedAt.Equal(s.clock.Now().Add(-30*time.Minute)) {
		t.Errorf("%+v", i)
	}
	if again := b.post("/admin/issues/new", form); !strings.Contains(again.Header.Get("Location"), id) {
		t.Errorf("sent twice, it was opened twice: %s", again.Header.Get("Location"))
	}
	s.clock.pass(2 * time.Minute)
	if later := b.post("/admin/issues/new", form); strings.Contains(later.Header.Get("Location"), id) {
		t.Error("the same trouble later is another issue")
	}
	for field, bad := range map[string][2]string{
		"title": {"", "say in a few words"}, "body": {" ", "tell customers"}, "started": {"2027-01-01T00:00", "cannot begin in the future"},
	} {
		s.clock.pass(2 * time.Minute)
		got := b.post("/admin/issues/new", with(form, field, bad[0]))
		got.want(t, http.StatusUnprocessableEntity, bad[1])
		if field != "body" {
			got.want(t, http.StatusUnprocessableEntity, "A queue is stuck.")
		}
	}
	b.get("/admin/issues?show=public").want(t, http.StatusOK, "Mails are late", "opened by hand")
}

func TestAnIssueThatIsNotThereIsNotFound(t *testing.T) {
	b := newSite(t).signedIn(status.Admin)
	for _, path := range []string{"/admin/issues/nope", "/admin/maintenance/nope", "/admin/components/nope", "/admin/groups/nope", "/admin/nope", "/admin/issues/%00"} {
		b.get(path).want(t, http.StatusNotFound)
	}
}

func TestAlertTextIsNotMarkup(t *testing.T) {
	s := newSite(t)
	s.rules.Rules[0].Open.Title = func(status.Evidence) (string, error) { return `<script>alert(1)</script>`, nil }
	s.rules.Rules[0].Open.Body = func(status.Evidence) (string, error) { return `</textarea><img src=x onerror=alert(1)>`, nil }
	i := s.draft()
	b := s.signedIn(status.Responder)
	for _, path := range []string{"/admin", "/admin/issues", "/admin/issues/" + i.ID, "/admin/audit"} {
		got := b.get(path)
		if strings.Contains(got.body, "<script>") || strings.Contains(got.body, "<img") {
			t.Errorf("%s lets markup of alerts through", path)
		}
	}
}
