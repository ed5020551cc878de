package web

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// postmortemForm writes the post-mortem of an issue.
type postmortemForm struct {
	Body      string
	Published *updateView // as customers read it
	Draft     bool        // what stands here is not published
	May       bool        // it can be published: the issue is public and over
	Problem   string
	Open      bool // the form is unfolded
}

// outline is what an empty post-mortem starts from.
const outline = `## What happened

## Why

## What we do about it
`

func newPostmortemForm(i status.Issue) postmortemForm {
	form := postmortemForm{Body: i.PostmortemDraft, Draft: i.PostmortemDraft != "", May: i.Public() && i.State == status.Resolved}
	if u, is := i.Postmortem(); is {
		form.Published = &updateViews([]status.Update{u})[0]
		if !form.Draft {
			form.Body = u.Body
		}
	}
	if form.Body == "" {
		form.Body = outline
	}
	return form
}

// savePostmortem keeps, publishes or withdraws a post-mortem.
func (s *Server) savePostmortem(c *fiber.Ctx, v visit) error {
	f := form(c)
	id, body := param(c), lines(f.Get("body"))
	then := "/admin/issues/" + id
	var edit status.Edit
	done := "postmortem-saved"
	switch f.Get("do") {
	case "publish":
		edit, done = status.WritePostmortem{ID: id, Version: version(f), Body: body, Publish: true, Notify: f.Get("notify") != ""}, "postmortem"
	case "withdraw":
		return s.decide(c, v, status.WithdrawPostmortem{ID: id, Version: version(f)}, then, "postmortem-withdrawn")
	default:
		edit = status.WritePostmortem{ID: id, Version: version(f), Body: body}
	}
	_, err := s.revise(c.UserContext(), v, edit)
	in := issueInput{postmortem: &postmortemForm{Body: body, Open: true}}
	return answers{
		then: then, done: done,
		conflict: func() error {
			i, err := s.store.Issue(c.UserContext(), id)
			if err != nil {
				return err
			}
			if u, is := i.Postmortem(); i.PostmortemDraft == body || is && u.Body == body && i.PostmortemDraft == "" {
				return redirect(c, then, done) // sent twice
			}
			in.postmortem.Problem = "Not saved yet: the issue changed while you wrote. Your text is still here. Check that it fits, then save it."
			return s.sendIssue(c, http.StatusConflict, in)
		},
		invalid: func(invalid status.Invalid) error {
			in.postmortem.Problem = "Not saved yet: " + invalid.Message + "."
			return s.sendIssue(c, http.StatusUnprocessableEntity, in)
		},
	}.answer(c, err)
}
