package web

import (
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
)

// The admin can be used by single keys. They are a convenience: everything they
// reach is a link, a button or a field. WCAG 2.1, 2.1.4, asks for a way to turn
// them off; that is kept in the browser, for it is a matter of its keyboard.

// keyView is a key and what it does.
type keyView struct{ Key, Does string }

// adminKeys are those of assets/admin.js; in pages, data-key names what a key
// reaches.
var adminKeys = []keyView{
	{"j", "the next issue of a list"},
	{"k", "the one before"},
	{"p", "review and publish"},
	{"e", "edit"},
	{"d", "to the button that dismisses"},
	{"u", "post an update"},
	{"n", "new issue"},
	{"q", "the queue"},
	{"?", "this list"},
}

const keysOff = "off"

func (s *Server) keysCookie() string { return s.cookieName() + "-keys" }

// keys are those of the person's browser, none when they are turned off.
func (s *Server) keys(c *fiber.Ctx) []keyView {
	if c.Cookies(s.keysCookie()) == keysOff {
		return nil
	}
	return adminKeys
}

// saveKeys turns the keys off in this browser, or on again.
func (s *Server) saveKeys(c *fiber.Ctx, _ visit) error {
	if form(c).Get("keys") == keysOff {
		s.setCookie(c, s.keysCookie(), keysOff, 365*24*time.Hour)
		return redirect(c, "/admin/profile", "keys-off")
	}
	s.setCookie(c, s.keysCookie(), "", 0)
	return redirect(c, "/admin/profile", "keys-on")
}

// serveScript sends a script whose address names its content.
func serveScript(js []byte) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, "text/javascript; charset=utf-8")
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
		c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
		return c.Status(http.StatusOK).Send(js)
	}
}
