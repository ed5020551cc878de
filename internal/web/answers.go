package web

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// answers is what a form gets for a decision: when it was carried out, when what
// it is about changed meanwhile (409), and when a person can mend it (422). What
// is nil is answered like any other error, by handleError.
type answers struct {
	then, done string // where to go when it was carried out, and what to say there
	conflict   func() error
	invalid    func(status.Invalid) error
}

// answer sends the one that fits how the decision ended.
func (a answers) answer(c *fiber.Ctx, err error) error {
	invalid, refused := errors.AsType[status.Invalid](err)
	switch {
	case err == nil:
		return redirect(c, a.then, a.done)
	case errors.Is(err, status.ErrConflict) && a.conflict != nil:
		return a.conflict()
	case refused && a.invalid != nil:
		return a.invalid(invalid)
	}
	return err
}
