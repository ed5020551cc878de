package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestTheReviewSaysWhoGetsWhat(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	b.get("/admin/issues/"+i.ID+"/review").want(t, http.StatusOK, i.Title, ">Publish</button>", "0 of the subscribers", "/preview/page")
	b.post("/admin/issues/"+i.ID+"/publish", versionOf(i)).want(t, http.StatusSeeOther)
	b.get("/admin/issues/"+i.ID+"/review").want(t, http.StatusSeeOther) // nothing to review any more
}

func TestPublishingIsUndoneWithinTenSeconds(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	b.post("/admin/issues/"+i.ID+"/publish", versionOf(i)).want(t, http.StatusSeeOther)
	b.get("/admin/issues/"+i.ID).want(t, http.StatusOK, ">Undo</button>")
	s.clock.pass(status.UndoWindow - time.Second)
	b.post("/admin/issues/"+i.ID+"/undo", url.Values{}).want(t, http.StatusSeeOther)
	b.post("/admin/issues/"+i.ID+"/undo", url.Values{}).want(t, http.StatusSeeOther) // pressed twice
	i = s.issue(i.ID)
	if i.Stage != status.Draft {
		t.Fatalf("stage %s", i.Stage)
	}
	b.post("/admin/issues/"+i.ID+"/publish", versionOf(i)).want(t, http.StatusSeeOther)
	s.clock.pass(status.UndoWindow)
	b.post("/admin/issues/"+i.ID+"/undo", url.Values{}).want(t, http.StatusUnprocessableEntity, "too late")
	if got := b.get("/admin/issues/" + i.ID); strings.Contains(got.body, ">Undo</button>") || s.issue(i.ID).Stage != status.Published {
		t.Error("it can be taken back after people were told")
	}
}

func TestASnoozedDraftLeavesTheQueueForAWhile(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	b.post("/admin/issues/"+i.ID+"/snooze", with(versionOf(i), "minutes", "15")).want(t, http.StatusSeeOther)
	b.get("/admin").want(t, http.StatusOK, "<title>Nothing waiting", `id="snoozed"`, "responder@example.com")
	b.post("/admin/issues/"+i.ID+"/snooze", with(versionOf(i), "minutes", "7")).want(t, http.StatusUnprocessableEntity)
	s.clock.pass(15 * time.Minute)
	b.get("/admin").want(t, http.StatusOK, "<title>1 draft waiting")
}

func TestAClaimIsShownAndLeavesOpenFormsGood(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	b.post("/admin/issues/"+i.ID+"/claim", url.Values{}).want(t, http.StatusSeeOther)
	b.get("/admin").want(t, http.StatusOK, "responder@example.com has it since")
	b.post("/admin/issues/"+i.ID, with(seen(i), "title", "Checkout fails")).want(t, http.StatusSeeOther)
	b.post("/admin/issues/"+i.ID+"/claim", url.Values{"release": {"1"}}).want(t, http.StatusSeeOther)
	if s.issue(i.ID).ClaimedBy != "" {
		t.Error("it was not released")
	}
}

func TestAnUpdateIsRewordedOrDeletedAndNothingTypedIsLost(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	b.post("/admin/issues/"+i.ID+"/publish", versionOf(i))
	s.revise(status.PostUpdate{ID: i.ID, Body: "It is the disk."})
	i = s.issue(i.ID)
	said := with(versionOf(i), "update", i.Updates[1].ID, "do", "save", "body", "It is the network.")
	s.revise(status.PostUpdate{ID: i.ID, Body: "More."})
	b.post("/admin/issues/"+i.ID+"/said", said).want(t, http.StatusConflict, "Nothing was saved yet", "It is the network.")
	i = s.issue(i.ID)
	b.post("/admin/issues/"+i.ID+"/said", with(said, "version", versionOf(i).Get("version"))).want(t, http.StatusSeeOther)
	b.get("/admin/issues/"+i.ID).want(t, http.StatusOK, "It is the network.", "· edited")
	i = s.issue(i.ID)
	b.post("/admin/issues/"+i.ID+"/said", with(said, "version", versionOf(i).Get("version"), "do", "delete")).want(t, http.StatusSeeOther)
	if now := s.issue(i.ID); len(now.Updates) != 2 {
		t.Errorf("%d updates", len(now.Updates))
	}
	b.get("/admin/audit").want(t, http.StatusOK, "deleted an update of")
}

func TestTimesAreCorrected(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	b.post("/admin/issues/"+i.ID+"/publish", versionOf(i))
	i = s.issue(i.ID)
	b.post("/admin/issues/"+i.ID+"/times", with(versionOf(i), "started", "2026-01-05T08:30:00")).want(t, http.StatusSeeOther)
	if got := s.issue(i.ID).StartedAt; !got.Equal(time.Date(2026, 1, 5, 8, 30, 0, 0, time.UTC)) {
		t.Errorf("started %s", got)
	}
	b.post("/admin/issues/"+i.ID+"/times", with(versionOf(s.issue(i.ID)), "started", "soon")).want(t, http.StatusUnprocessableEntity, "is not a date")
}

func TestTheQueueRemindsOfQuietAlerts(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	b.post("/admin/issues/"+i.ID+"/publish", versionOf(i))
	s.clock.pass(31 * time.Minute)
	b.get("/admin").want(t, http.StatusOK, "No update for 31 minutes")
	s.rules.Rules[0].Resolve.Mode = status.ResolveManual
	s.alert("HighErrorRate", false)
	s.clock.pass(11 * time.Minute)
	b.get("/admin").want(t, http.StatusOK, "quiet for 11 minutes: publish Resolved?")
}
