package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/web"
)

func TestTheReviewSaysWhoGetsWhat(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	b.get("/admin/issues/"+i.ID+"/review").want(t, http.StatusOK, i.Title, ">Publish</button>", "0 of the subscribers", "/preview/page")
	b.post("/admin/issues/"+i.ID+"/publish", versionOf(i)).want(t, http.StatusSeeOther)
	b.get("/admin/issues/"+i.ID+"/review").want(t, http.StatusSeeOther) // nothing to review any more
}

func TestTheReviewNamesChatsAndCountsPrograms(t *testing.T) {
	s := newSite(t, offering, func(c *web.Config) {
		c.MailConfigured = false
		c.Channels, c.ChannelKinds = []string{"ops", "tickets", "sky"}, map[string]string{"ops": "slack", "tickets": "webhook", "sky": "bluesky"}
	})
	for range 2 {
		sub, err := s.store.SubscribeWebhook(t.Context(), s.clock.Now(), status.Subscriber{Email: "https://hooks.example.com/"})
		if err == nil {
			_, err = s.store.ConfirmSubscriber(t.Context(), s.clock.Now(), sub.ConfirmToken)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	i, b := s.draft(), s.signedIn(status.Responder)
	b.get("/admin/issues/"+i.ID+"/review").want(t, http.StatusOK, "Webhooks of subscribers: 2", ">Publish and post to ops, tickets and sky</button>")
	s.rules.Rules[0].Broadcast = map[status.Event][]string{status.EventOpen: {"slack", "tickets"}}
	b.get("/admin/issues/"+i.ID+"/review").want(t, http.StatusOK, ">Publish and post to ops and tickets</button>",
		`name="tell" value="ops" checked`, `name="tell" value="tickets" checked`) // one by its kind, one by its name
}

func TestTheReviewFollowsWhatIsTypedAndSavesNothing(t *testing.T) {
	s := newSite(t)
	checkout := s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	search := s.revise(status.SaveComponent{Component: status.Component{Name: "Search"}})
	for n, of := range [][]string{{checkout}, {checkout}, {search}, nil} {
		sub := s.subscribed("reader"+string(rune('a'+n))+"@example.com", true)
		sub.Components = of
		if err := s.store.SaveSubscriber(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
	}
	var shown status.Issue
	s.preview = func(i status.Issue) { shown = i }
	i := s.draft()
	b := s.signedIn(status.Responder)
	path := "/admin/issues/" + i.ID
	typed := inputs(b.get(path+"/review").body, path)
	typed = with(typed, "title", "Checkout fails", "body", "Cards are refused.", "impact", "major", "state", "identified", "component."+checkout, "major_outage")

	got := b.post(path+"/review", typed)
	got.want(t, http.StatusOK, "Checkout fails", "Cards are refused.", "with your changes, not saved yet", ">Publish and notify 3</button>", "Identified", "Major outage")
	if now := s.issue(i.ID); now.Version != i.Version || now.Title != i.Title {
		t.Errorf("a look saved %+v", now)
	}
	if shown.Title != "Checkout fails" || shown.Updates[0].Body != "Cards are refused." || shown.Updates[0].State != "identified" || shown.Stage != status.Published {
		t.Errorf("previewed %+v", shown)
	}
	b.post(path+"/review", with(typed, "component."+checkout, "", "component."+search, "partial_outage")).want(t, http.StatusOK, ">Publish and notify 2</button>")

	b.post(path+"/review", with(typed, "title", "")).want(t, http.StatusUnprocessableEntity, "Nothing was published: say in a few words", "Cards are refused.", `aria-describedby="title-problem"`)
	b.post(path, with(typed, "do", "publish", "title", "")).want(t, http.StatusUnprocessableEntity, "Nothing was published", "Cards are refused.", "Who gets what")
	if back := b.post(path, with(typed, "do", "save")).Header.Get("Location"); back != path+"/review?done=saved" {
		t.Errorf("saved, and sent to %q", back)
	}
	b.post(path, with(typed, "do", "publish", "title", "Payments fail")).want(t, http.StatusConflict, "Payments fail") // of the version before
	typed = inputs(b.get(path+"/review").body, path)
	b.post(path, with(typed, "do", "publish", "title", "Payments fail")).want(t, http.StatusSeeOther)
	now := s.issue(i.ID)
	if now.Title != "Payments fail" || now.State != status.Identified || now.Impact != status.ImpactMajor || len(now.Components) != 1 || !now.Public() {
		t.Errorf("published %+v", now)
	}
}

func TestAChannelIsLeftOutOfAPublication(t *testing.T) {
	s := newSite(t, func(cfg *web.Config) { cfg.Channels = []string{"team-chat"} })
	for n := range 3 {
		s.subscribed("reader"+string(rune('a'+n))+"@example.com", true)
	}
	i := s.draft()
	b := s.signedIn(status.Responder)
	path := "/admin/issues/" + i.ID
	page := b.get(path + "/review")
	page.want(t, http.StatusOK, "Publish, notify 3 and post to team-chat", "team-chat: one message")
	typed := inputs(page.body, path)
	if got := typed["tell"]; len(got) < 2 || got[0] != "email" {
		t.Fatalf("ticked at first: %v", got)
	}
	typed["tell"] = []string{"team-chat"}
	b.post(path+"/review", typed).want(t, http.StatusOK, ">Publish and post to team-chat</button>", `name="tell" value="email">`)
	b.post(path, with(typed, "do", "publish")).want(t, http.StatusSeeOther)
	if now := s.issue(i.ID); !now.Public() || now.Updates[0].Silent {
		t.Errorf("published: %+v", now)
	}
	b.get(path).want(t, http.StatusOK, "left out channels for", "email")
}

func TestAPublicationWithAllChannelsLeftOutIsSilent(t *testing.T) {
	s := newSite(t)
	s.subscribed("reader@example.com", true)
	i := s.draft()
	b := s.signedIn(status.Responder)
	path := "/admin/issues/" + i.ID
	typed := inputs(b.get(path+"/review").body, path)
	typed.Del("tell")
	b.post(path+"/review", typed).want(t, http.StatusOK, ">Publish</button>")
	b.post(path, with(typed, "do", "publish")).want(t, http.StatusSeeOther)
	if now := s.issue(i.ID); !now.Public() || !now.Updates[0].Silent {
		t.Errorf("published: %+v", now)
	}
}

func TestAReviewOfWhatSomebodyPublishedMeanwhileLosesNothing(t *testing.T) {
	s := newSite(t)
	i := s.draft()
	b := s.signedIn(status.Responder)
	path := "/admin/issues/" + i.ID
	typed := with(inputs(b.get(path+"/review").body, path), "title", "Typed with care")
	s.revise(status.PublishIssue{EditIssue: status.EditIssue{ID: i.ID, Version: i.Version}})
	b.post(path+"/review", typed).want(t, http.StatusConflict, "Typed with care", "only you changed it")
}

func TestAPreviewShowsWhatIsTyped(t *testing.T) {
	s := newSite(t)
	var shown status.Issue
	s.preview = func(i status.Issue) { shown = i }
	i := s.draft()
	b := s.signedIn(status.Responder)
	path := "/admin/issues/" + i.ID
	got := b.post(path+"/preview/page", with(inputs(b.get(path+"/review").body, path), "title", "Typed just now"))
	got.want(t, http.StatusOK, "the page of Typed just now")
	if policy := got.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "sandbox;") {
		t.Errorf("the preview has the policy %q", policy)
	}
	b.get(path+"/preview/mail").want(t, http.StatusOK, "the mail of "+i.Title)
	if shown.Title != i.Title {
		t.Errorf("shown %q", shown.Title)
	}
	s.signedIn(status.Viewer).post(path+"/preview/page", url.Values{}).want(t, http.StatusForbidden)
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
