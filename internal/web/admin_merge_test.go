package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestTwoIssuesAreMergedAfterALook(t *testing.T) {
	s := newSite(t)
	into := s.issue(s.revise(status.OpenIssue{Title: "Database down", Body: "We look.", Publish: true}))
	i := s.draft()
	s.revise(status.PublishIssue{EditIssue: status.EditIssue{ID: i.ID, Version: i.Version}})
	b := s.signedIn(status.Responder)
	path := "/admin/issues/" + i.ID
	b.get(path).want(t, http.StatusOK, "Merge into another issue", `<option value="`+into.ID+`">Database down (Public)`)
	look := b.get(path + "/merge?into=" + into.ID)
	look.want(t, http.StatusOK, "This one ends", i.Title, "This one goes on for both", "Database down", "We continue there.")
	if now := s.issue(i.ID); now.MergedInto != "" {
		t.Fatal("looking merged them")
	}
	typed := inputs(look.body, path+"/merge")
	typed.Set("body", "See the other one.")
	s.revise(status.PostUpdate{ID: into.ID, Body: "News."})
	b.post(path+"/merge", typed).want(t, http.StatusConflict, "Nothing was merged", "See the other one.")
	typed = with(inputs(b.get(path+"/merge?into="+into.ID).body, path+"/merge"), "body", "See the other one.")
	for range 2 { // pressed twice
		if to := b.post(path+"/merge", typed).Header.Get("Location"); to != "/admin/issues/"+into.ID+"?done=merged" {
			t.Errorf("merged, and sent to %q", to)
		}
	}
	now := s.issue(i.ID)
	if now.MergedInto != into.ID || now.Updates[len(now.Updates)-1].Body != "See the other one." {
		t.Errorf("merged: %+v", now)
	}
	b.get(path).want(t, http.StatusOK, "Merged into", "Database down", "To part them again")
	page := b.get("/admin/issues/" + into.ID)
	page.want(t, http.StatusOK, "Goes on for", i.Title, "1 alert firing")
	if strings.Contains(page.body, "Merge into another issue") {
		t.Error("there is nothing else to merge it into")
	}
	b.get("/admin/audit").want(t, http.StatusOK, "merged another issue into")
	s.signedIn(status.Viewer).post(path+"/merge", url.Values{}).want(t, http.StatusForbidden)
	b.get(path+"/merge?into=nothing").want(t, http.StatusNotFound)
}

func TestAPostmortemIsWrittenPublishedAndWithdrawn(t *testing.T) {
	s := newSite(t)
	id := s.revise(status.OpenIssue{Title: "Slow", Body: "We look.", Publish: true})
	b := s.signedIn(status.Responder)
	path := "/admin/issues/" + id
	page := b.get(path)
	page.want(t, http.StatusOK, "Write a post-mortem", "once the issue is resolved", "What we do about it")
	write := func(do, body string) answer {
		return b.post(path+"/postmortem", with(inputs(b.get(path).body, path+"/postmortem"), "do", do, "body", body))
	}
	write("publish", "It was DNS.").want(t, http.StatusUnprocessableEntity, "Not saved yet: the issue goes on", "It was DNS.")
	write("save", "It was DNS?").want(t, http.StatusSeeOther)
	b.get(path).want(t, http.StatusOK, "draft, customers do not see it", "It was DNS?")

	stale := inputs(b.get(path).body, path+"/postmortem")
	resolved := status.Resolved
	s.revise(status.PostUpdate{ID: id, State: &resolved, Body: "Done."})
	b.post(path+"/postmortem", with(stale, "do", "publish", "body", "Typed with care.")).want(t, http.StatusConflict, "changed while you wrote", "Typed with care.")
	write("publish", "It was DNS.").want(t, http.StatusSeeOther)
	b.get(path).want(t, http.StatusOK, "Post-mortem, published", "Withdraw it", "Publish the new words")
	if u, is := s.issue(id).Postmortem(); !is || u.Body != "It was DNS." || !u.Silent {
		t.Errorf("published %+v", u)
	}
	write("withdraw", "").want(t, http.StatusSeeOther)
	if _, is := s.issue(id).Postmortem(); is {
		t.Error("it is still public")
	}
}
