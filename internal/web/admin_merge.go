package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// mergePage shows what a merge will do, before it does it.
type mergePage struct {
	From, Into issueCard
	Public     bool // customers follow the one that ends
	Body       string
	Components bool
	Silent     bool
	Alert      string
	Gains      []affectedView // components that the other one takes over
}

// mergeForm offers what an issue can be merged into.
type mergeForm struct {
	Into  []option
	Parts []issueLink // what was merged into it
	Goes  *issueLink  // what goes on in its place
}

// issueLink leads to another issue.
type issueLink struct{ ID, Title string }

// merging reads what an issue can be merged into, and what was.
func (s *Server) merging(ctx context.Context, i status.Issue) (mergeForm, error) {
	var form mergeForm
	if i.MergedInto != "" {
		to, err := s.store.Issue(ctx, i.MergedInto)
		if err != nil && !errors.Is(err, status.ErrNotFound) {
			return form, err
		}
		form.Goes = &issueLink{i.MergedInto, cmp.Or(to.Title, "an issue that is not kept any more")}
	}
	parts, err := s.store.MergedInto(ctx, i.ID)
	if err != nil {
		return form, err
	}
	for _, p := range parts {
		form.Parts = append(form.Parts, issueLink{p.ID, p.Title})
	}
	if !i.Open() {
		return form, nil
	}
	others, err := s.store.Issues(ctx, store.IssueQuery{OpenOnly: true, Limit: mostDrafts})
	for _, o := range others {
		if o.ID != i.ID && (o.Public() || !i.Public()) {
			form.Into = append(form.Into, option{Value: o.ID, Label: o.Title + " (" + stageWords[o.Stage] + ")"})
		}
	}
	return form, err
}

// showMerge asks whether to merge, with what it does.
func (s *Server) showMerge(c *fiber.Ctx, _ visit) error {
	from, into, err := s.mergePair(c, c.Query("into"))
	if err != nil {
		return err
	}
	return s.sendMerge(c, http.StatusOK, from, into, mergePage{
		Body: "This is part of “" + into.Title + "”. We continue there.", Components: true,
	})
}

func (s *Server) mergePair(c *fiber.Ctx, other string) (from, into status.Issue, err error) {
	if from, err = s.store.Issue(c.UserContext(), param(c)); err != nil {
		return from, into, err
	}
	if !validID(other) {
		return from, into, status.ErrNotFound
	}
	into, err = s.store.Issue(c.UserContext(), other)
	return from, into, err
}

func (s *Server) sendMerge(c *fiber.Ctx, code int, from, into status.Issue, view mergePage) error {
	d, err := s.directory(c.UserContext())
	if err != nil {
		return err
	}
	cards, err := s.cards(c.UserContext(), []status.Issue{from, into}, d)
	if err != nil {
		return err
	}
	view.From, view.Into, view.Public = cards[0], cards[1], from.Public()
	view.Gains = d.affected(slices.DeleteFunc(slices.Clone(from.Components), func(a status.Affected) bool { return slices.Contains(into.Components, a) }))
	return s.render(c, code, "merge.html", page{Title: "Merge: " + from.Title, Nav: "issues", Data: view})
}

// mergeIssue merges two issues that are as the person saw them.
func (s *Server) mergeIssue(c *fiber.Ctx, v visit) error {
	f := form(c)
	view := mergePage{Body: lines(f.Get("body")), Components: f.Get("components") != "", Silent: f.Get("silent") != ""}
	from, into, err := s.mergePair(c, f.Get("into"))
	if err != nil {
		return err
	}
	_, err = s.revise(c.UserContext(), v, status.MergeIssue{
		ID: from.ID, Version: version(f), Into: into.ID, IntoVersion: number(f.Get("into-version")),
		Body: view.Body, Components: view.Components, Silent: view.Silent,
	})
	if err != nil && from.MergedInto == into.ID {
		err = nil // sent twice
	}
	return answers{
		then: "/admin/issues/" + into.ID, done: "merged",
		conflict: func() error {
			view.Alert = "Nothing was merged: one of the two changed after you loaded this page. Below is how they stand now. Read it, then decide again."
			return s.sendMerge(c, http.StatusConflict, from, into, view)
		},
		invalid: func(invalid status.Invalid) error {
			view.Alert = "Nothing was merged: " + invalid.Message + "."
			return s.sendMerge(c, http.StatusUnprocessableEntity, from, into, view)
		},
	}.answer(c, err)
}
