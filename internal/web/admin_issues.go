package web

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

var (
	anyIssue     = store.IssueQuery{Limit: 1}
	recentIssues = store.IssueQuery{Limit: 200}
)

const issuesOnPage = 50

type issuesPage struct {
	Filters []option
	Cards   []issueCard
	Older   string // link to the next page, "" at the end
}

// issueFilters are the views of the list; the first one is the default.
var issueFilters = []struct {
	name, label string
	query       store.IssueQuery
}{
	{"open", "Open", store.IssueQuery{OpenOnly: true}},
	{"drafts", "Drafts", draftQuery},
	{"public", "Public", store.IssueQuery{Stages: []status.Stage{status.Published}}},
	{"internal", "Internal", store.IssueQuery{Stages: []status.Stage{status.Internal}}},
	{"dismissed", "Dismissed", store.IssueQuery{Stages: []status.Stage{status.Dismissed}}},
	{"all", "All", store.IssueQuery{}},
}

func (s *Server) showIssues(c *fiber.Ctx, _ visit) error {
	ctx := c.UserContext()
	pick := max(slices.IndexFunc(issueFilters, func(f struct {
		name, label string
		query       store.IssueQuery
	},
	) bool {
		return f.name == c.Query("show")
	}), 0)
	query := issueFilters[pick].query
	query.Limit = issuesOnPage
	if before, err := time.Parse(time.RFC3339Nano, c.Query("before")); err == nil {
		query.Before = before
	}
	issues, err := s.store.Issues(ctx, query)
	if err != nil {
		return err
	}
	d, err := s.directory(ctx)
	if err != nil {
		return err
	}
	view := issuesPage{}
	for n, f := range issueFilters {
		view.Filters = append(view.Filters, option{f.name, f.label, n == pick})
	}
	if view.Cards, err = s.cards(ctx, issues, d); err != nil {
		return err
	}
	if len(issues) == issuesOnPage {
		view.Older = "/admin/issues?show=" + issueFilters[pick].name + "&before=" + issues[len(issues)-1].CreatedAt.UTC().Format(time.RFC3339Nano)
	}
	return s.render(c, http.StatusOK, "issues.html", page{Title: "Issues", Nav: "issues", Data: view})
}

func (s *Server) showIssue(c *fiber.Ctx, _ visit) error {
	return s.sendIssue(c, http.StatusOK, issueInput{})
}

// issueInput is what a person typed and could not be saved, and why.
type issueInput struct {
	sheet   sheet // of the edit form
	update  *updateForm
	invalid status.Invalid
	alert   string
	said    map[string]string // updates reworded, by id
	// postmortem as it was typed
	postmortem *postmortemForm
}

// homeless is what was typed into a form that the issue has no more: an update
// of what is a draft again, the words of an update that was deleted.
func (in issueInput) homeless(i status.Issue) string {
	switch {
	case in.update != nil && (i.Stage == status.Draft || i.Stage == status.Dismissed):
		return in.update.Body
	case in.postmortem != nil && !i.Public():
		return in.postmortem.Body
	case in.sheet != nil && i.Stage == status.Dismissed:
		return in.sheet["title"] + "\n\n" + in.sheet["body"]
	}
	for id, body := range in.said {
		if !slices.ContainsFunc(i.Updates, func(u status.Update) bool { return u.ID == id }) {
			return body
		}
	}
	return ""
}

func (s *Server) sendIssue(c *fiber.Ctx, code int, in issueInput) error {
	view, err := s.issuePage(c.UserContext(), param(c), in)
	if err != nil {
		return err
	}
	return s.render(c, code, "issue.html", page{Title: view.Card.Title, Nav: "issues", Data: view})
}

// saveIssue edits the issue; on a draft its buttons also publish.
func (s *Server) saveIssue(c *fiber.Ctx, v visit) error {
	id, f := param(c), form(c)
	now, err := s.store.Issue(c.UserContext(), id)
	if err != nil {
		return err
	}
	seen := seenSheet(f, issueSheet(now))
	yours := readIssueSheet(f, seen)
	edit := editOf(id, version(f), yours)
	var decision status.Edit = edit
	then, done := "/admin/issues/"+id, "saved"
	reviewed := f.Get("from") == "review" && now.Stage == status.Draft
	switch f.Get("do") {
	case "publish":
		left := leftOut(f, s.outlets())
		decision, done = status.PublishIssue{EditIssue: edit, Except: left, Silent: len(left) > 0 && len(f["tell"]) == 0}, "published"
	case "publish-silently":
		decision, done = status.PublishIssue{EditIssue: edit, Silent: true}, "silently"
	default:
		if reviewed {
			then += "/review"
		}
	}
	_, err = s.revise(c.UserContext(), v, decision)
	return answers{
		then: then, done: done,
		conflict: func() error { return s.settleIssue(c, seen, yours) },
		invalid: func(invalid status.Invalid) error {
			if reviewed {
				return s.sendReview(c, v, http.StatusUnprocessableEntity, now, yours, invalid)
			}
			return s.sendIssue(c, http.StatusUnprocessableEntity, issueInput{sheet: yours, invalid: invalid})
		},
	}.answer(c, err)
}

// conflictPage shows both versions and keeps what was typed.
type conflictPage struct {
	Card    issueCard
	Diffs   []fieldDiff
	Form    issueForm
	Newer   []status.Update
	Public  bool
	Respond bool
}

// settleIssue answers an edit of an issue that changed meanwhile.
func (s *Server) settleIssue(c *fiber.Ctx, seen, yours sheet) error {
	ctx := c.UserContext()
	i, err := s.store.Issue(ctx, param(c))
	if err != nil {
		return err
	}
	d, err := s.directory(ctx)
	if err != nil {
		return err
	}
	merged, diffs := merge(issueFields(d), seen, issueSheet(i), yours)
	wantedPublic := form(c).Get("do") != "" && form(c).Get("do") != "save"
	if settled(diffs) && (!wantedPublic || i.Public()) {
		return redirect(c, "/admin/issues/"+i.ID, "saved") // sent twice
	}
	signals, err := s.store.IssueSignals(ctx, i.ID)
	if err != nil {
		return err
	}
	view := conflictPage{Card: s.card(i, signals, d), Diffs: diffs, Form: d.issueForm(i, merged), Public: i.Public()}
	return s.render(c, http.StatusConflict, "conflict.html", page{Title: "Changed meanwhile: " + i.Title, Nav: "issues", Data: view})
}

// publishIssue makes a draft public as it is.
func (s *Server) publishIssue(c *fiber.Ctx, v visit) error {
	f := form(c)
	edit := status.PublishIssue{EditIssue: status.EditIssue{ID: param(c), Version: version(f)}, Silent: f.Get("silent") != ""}
	done := "published"
	if edit.Silent {
		done = "silently"
	}
	return s.decide(c, v, edit, "/admin/issues/"+param(c), done) // where it can be taken back
}

func (s *Server) dismissIssue(c *fiber.Ctx, v visit) error {
	return s.decide(c, v, status.DismissIssue{ID: param(c), Version: version(form(c))}, "/admin", "dismissed")
}

// handBackIssue gives a field back to automation; keepIssue declines what
// automation suggests for it.
func (s *Server) handBackIssue(c *fiber.Ctx, v visit) error {
	return s.settleField(c, v, "handed-back", func(f url.Values, fields []status.Field) status.Edit {
		return status.HandBack{ID: param(c), Version: version(f), Fields: fields}
	})
}

func (s *Server) keepIssue(c *fiber.Ctx, v visit) error {
	return s.settleField(c, v, "kept", func(f url.Values, fields []status.Field) status.Edit {
		return status.KeepFields{ID: param(c), Version: version(f), Fields: fields}
	})
}

func (s *Server) settleField(c *fiber.Ctx, v visit, done string, decision func(f url.Values, fields []status.Field) status.Edit) error {
	f := form(c)
	field := status.Field(f.Get("field"))
	if !slices.Contains(status.Fields, field) {
		return refusal{code: http.StatusUnprocessableEntity, text: "There is no such field of an issue."}
	}
	then := "/admin/issues/" + param(c)
	if f.Get("from") == "queue" {
		then = "/admin"
	}
	return s.decide(c, v, decision(f, []status.Field{field}), then, done)
}

// decide carries out a decision that has no text to lose. On a conflict the
// issue is shown as it is now, to be decided on again, unless it already is
// what was wanted.
func (s *Server) decide(c *fiber.Ctx, v visit, edit status.Edit, then, done string) error {
	_, err := s.revise(c.UserContext(), v, edit)
	return answers{
		then: then, done: done,
		conflict: func() error {
			i, err := s.store.Issue(c.UserContext(), param(c))
			if err != nil {
				return err
			}
			if fulfilled(i, edit) {
				return redirect(c, then, done)
			}
			return s.sendIssue(c, http.StatusConflict, issueInput{
				alert: "Nothing was done: this changed after you loaded it. Below is how it stands now. Read it, then decide again.",
			})
		},
		invalid: func(invalid status.Invalid) error {
			return s.sendIssue(c, http.StatusUnprocessableEntity, issueInput{alert: "Nothing was done: " + invalid.Message + "."})
		},
	}.answer(c, err)
}

// fulfilled reports whether the issue already is what the edit asks for: a
// button pressed twice, or two people of one mind.
func fulfilled(i status.Issue, edit status.Edit) bool {
	switch e := edit.(type) {
	case status.PublishIssue:
		return i.Stage == status.Published
	case status.DismissIssue:
		return i.Stage == status.Dismissed
	case status.SnoozeIssue:
		return !e.Until.IsZero() && i.SnoozedUntil.Equal(e.Until) || e.Until.IsZero() && i.SnoozedUntil.IsZero()
	case status.DeleteUpdate:
		return !slices.ContainsFunc(i.Updates, func(u status.Update) bool { return u.ID == e.UpdateID })
	case status.HandBack:
		return !slices.ContainsFunc(e.Fields, i.Holds)
	case status.WithdrawPostmortem:
		_, published := i.Postmortem()
		return !published
	case status.KeepFields:
		return !slices.ContainsFunc(i.Waiting(), func(sg status.Suggestion) bool { return slices.Contains(e.Fields, sg.Field) })
	}
	return false
}

// blankIssue is what a new issue starts from.
var blankIssue = status.Issue{State: status.Investigating, Impact: status.ImpactMinor}

// showNewIssue is for disturbances that no alert saw.
func (s *Server) showNewIssue(c *fiber.Ctx, _ visit) error {
	return s.sendNewIssue(c, http.StatusOK, issueSheet(blankIssue), "", status.Invalid{})
}

type newIssuePage struct {
	Form    issueForm
	Started string
	Notify  string
}

func (s *Server) sendNewIssue(c *fiber.Ctx, code int, sh sheet, started string, invalid status.Invalid) error {
	d, err := s.directory(c.UserContext())
	if err != nil {
		return err
	}
	view := newIssuePage{Form: d.issueForm(status.Issue{}, sh), Started: started}
	view.Form.New = true
	if view.Form.Wordings, err = s.wordings(c.UserContext(), "/admin/issues/new", true); err != nil {
		return err
	}
	if invalid.Field != "" {
		view.Form.Problem[invalid.Field] = invalid.Message
	}
	if view.Notify, err = s.whoIsTold(c.UserContext()); err != nil {
		return err
	}
	return s.render(c, code, "issue_new.html", page{Title: "New issue", Nav: "issues", Data: view})
}

func (s *Server) openIssue(c *fiber.Ctx, v visit) error {
	f := form(c)
	sh := readIssueSheet(f, issueSheet(blankIssue))
	if f.Has("template") {
		d, err := s.directory(c.UserContext())
		if err == nil {
			err = s.fillSheet(c.UserContext(), f, blankIssue, d, sh)
		}
		if err != nil {
			return err
		}
		return s.sendNewIssue(c, http.StatusOK, sh, f.Get("started"), status.Invalid{})
	}
	started, err := parseLocal("started_at", f.Get("started"))
	edit := status.OpenIssue{
		Title: sh["title"], Body: sh["body"], State: status.IssueState(sh["state"]), Impact: status.Impact(sh["impact"]),
		Components: parseAffected(sh["components"]), StartedAt: started,
		Publish: f.Get("do") != "draft", Silent: f.Get("do") == "publish-silently",
	}
	id := ""
	if err == nil && edit.Body == "" {
		err = status.Invalid{Field: "body", Message: "tell customers what you know so far"}
	}
	if err == nil {
		id, err = s.create(c.UserContext(), v, edit, func(b status.Board, since time.Time) string {
			for _, i := range b.Issues {
				if i.Origin == status.Manual && i.Title == edit.Title && !i.CreatedAt.Before(since) &&
					len(i.Updates) > 0 && i.Updates[0].By == v.account.Email && i.Updates[0].Body == edit.Body {
					return i.ID
				}
			}
			return ""
		})
	}
	done := "published"
	switch {
	case !edit.Publish:
		done = "saved"
	case edit.Silent:
		done = "silently"
	}
	return answers{then: "/admin/issues/" + id, done: done, invalid: func(invalid status.Invalid) error {
		return s.sendNewIssue(c, http.StatusUnprocessableEntity, sh, f.Get("started"), invalid)
	}}.answer(c, err)
}
