package web

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// editPage is a page on which one thing of the page's outline is edited, a component or
// a group.
type editPage struct {
	ID      string // "" for a new one
	Version int64
	Sheet   sheet
	Seen    sheet
	Problem map[string]string
	Alert   string
	Diffs   []fieldDiff
}

// outlinePart is what is to be known of a component or a group to answer its form.
type outlinePart struct {
	word   string // what it is called in a sentence
	fields func(directory) []sheetField
	now    func(d directory, id string) (sheet, error)
	send   func(c *fiber.Ctx, code int, view editPage) error
}

// outlinePath is where components and groups are listed.
const outlinePath = "/admin/components"

// answerSaved answers the form that was to save a part of the outline: with what
// others changed meanwhile, or with what must be mended, and always with what was typed.
// It is saved again when somebody only moved it while it was being saved.
func (s *Server) answerSaved(c *fiber.Ctx, part outlinePart, id string, seen, yours sheet, err error, again func() error) error {
	return answers{
		then: outlinePath, done: "saved",
		conflict: func() error {
			d, err := s.directory(c.UserContext())
			if err != nil {
				return err
			}
			now, err := part.now(d, id)
			if err != nil {
				return err
			}
			if shows(form(c), now) {
				return again()
			}
			merged, diffs := merge(part.fields(d), seen, now, yours)
			if settled(diffs) {
				return redirect(c, outlinePath, "saved")
			}
			return part.send(c, http.StatusConflict, editPage{
				ID: id, Sheet: merged, Diffs: diffs,
				Alert: "Nothing was saved yet: somebody else changed this " + part.word + " while you did. Compare, then save again.",
			})
		},
		invalid: func(invalid status.Invalid) error {
			return part.send(c, http.StatusUnprocessableEntity, editPage{ID: id, Sheet: yours, Problem: map[string]string{invalid.Field: invalid.Message}})
		},
	}.answer(c, err)
}

// answerRemoved answers the form that was to remove a part of the outline.
func (s *Server) answerRemoved(c *fiber.Ctx, part outlinePart, err error) error {
	return answers{then: outlinePath, done: "removed", conflict: func() error {
		return part.send(c, http.StatusConflict, editPage{
			ID:    param(c),
			Alert: "Nothing was removed: somebody else changed this " + part.word + " meanwhile. Below is how it stands now.",
		})
	}}.answer(c, err)
}
