package web

import (
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// guardedRoute is an admin route and what it takes to enter.
type guardedRoute struct {
	method, path string
	role         status.Role
}

// adminHandler is a page or an action for somebody who passed the gate.
type adminHandler func(c *fiber.Ctx, v visit) error

// read registers an admin page.
func (s *Server) read(path string, role status.Role, h adminHandler) {
	s.guard(fiber.MethodGet, path, role, h)
}

// act registers an admin action.
func (s *Server) act(path string, role status.Role, h adminHandler) {
	s.guard(fiber.MethodPost, path, role, h)
}

// guard is the one gate: no admin route exists beside it but the login.
func (s *Server) guard(method, path string, role status.Role, h adminHandler) {
	s.guarded = append(s.guarded, guardedRoute{method, path, role})
	s.app.Add(method, path, s.pass(role, h))
	if method == fiber.MethodGet {
		s.app.Add(fiber.MethodHead, path, s.pass(role, h))
	}
}

func (s *Server) pass(role status.Role, h adminHandler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		s.protect(c)
		v, err := s.visitOf(c.UserContext(), c.Cookies(s.cookieName()))
		if errors.Is(err, errSignedOut) {
			return s.askToSignIn(c)
		}
		if err != nil {
			return err
		}
		c.Locals(visitKey{}, v)
		if !isRead(c.Method()) {
			if err := s.checkForgery(c, v.session.CSRF); err != nil {
				return err
			}
		}
		if !v.may(role) {
			return refusal{code: http.StatusForbidden, text: "Your account is a " + string(v.account.Role) + "; this takes a " + string(role) + ". Ask an admin of this page."}
		}
		if s.cfg.RequireSecondFactor && !v.session.SecondFactor && !beforeSecond(c.Path()) {
			return askForSecond(c)
		}
		return h(c, v)
	}
}

// beforeSecond says what may be done while a second factor is required and
// missing: set it up, or leave.
func beforeSecond(path string) bool {
	for _, setUp := range []string{secondPath, passkeysPath} {
		if path == setUp || strings.HasPrefix(path, setUp+"/") {
			return true
		}
	}
	return path == "/admin/logout"
}

func askForSecond(c *fiber.Ctx) error {
	target := secondPath
	if next := safeNext(c.OriginalURL()); isRead(c.Method()) && next != "" && next != "/admin" {
		target += "?next=" + url.QueryEscape(next)
	}
	return c.Redirect(target, http.StatusSeeOther)
}

type visitKey struct{}

// askToSignIn sends to the login and remembers where the person was going. A
// form that was being sent is not repeated: its page is shown again.
func (s *Server) askToSignIn(c *fiber.Ctx) error {
	next := c.OriginalURL()
	if !isRead(c.Method()) {
		next = c.Path()
		if ref, err := url.Parse(c.Get(fiber.HeaderReferer)); err == nil && safeNext(ref.Path) != "" {
			next = ref.Path
		}
	}
	target := "/admin/login"
	if next = safeNext(next); next != "" && next != "/admin" {
		target += "?next=" + url.QueryEscape(next)
	}
	return c.Redirect(target, http.StatusSeeOther)
}

// safeNext keeps a login's target inside the admin of this very site.
func safeNext(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return ""
	}
	clean := u.Path == "/admin" || strings.HasPrefix(u.Path, "/admin/")
	if !clean || strings.ContainsAny(next, "\\\r\n\t") || strings.Contains(u.Path, "//") || strings.Contains(u.Path, "..") ||
		strings.HasPrefix(u.Path, "/admin/login") || strings.HasPrefix(u.Path, "/admin/logout") {
		return ""
	}
	u.Fragment = ""
	return u.String()
}

// checkForgery proves that a form was sent from our own page by the person
// whose session it is.
func (s *Server) checkForgery(c *fiber.Ctx, token string) error {
	if !s.sameOrigin(c) {
		return refusal{code: http.StatusForbidden, text: "This form was sent from another site, so nothing was done."}
	}
	given := form(c).Get("csrf")
	if token == "" || subtle.ConstantTimeCompare([]byte(given), []byte(token)) != 1 {
		return refusal{code: http.StatusForbidden, text: "This form is out of date, so nothing was done. Go back, load the page again and repeat it."}
	}
	return nil
}

// sameOrigin believes what browsers say about where a request comes from. A
// request that carries neither header comes from no current browser, and still
// needs the token.
func (s *Server) sameOrigin(c *fiber.Ctx) bool {
	switch c.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return false
	}
	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" || origin == s.site.origin {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false // "null" among others
	}
	host := string(c.Request().Header.Host())
	return strings.EqualFold(u.Host, host) && (s.site.local || isLocalHost(host))
}

// form reads a posted form, and only from the body: nothing that changes
// something is taken from a URL. A file is the text that is in it.
func form(c *fiber.Ctx) url.Values {
	kind, _, _ := strings.Cut(c.Get(fiber.HeaderContentType), ";")
	if strings.EqualFold(strings.TrimSpace(kind), fiber.MIMEMultipartForm) {
		return formWithFiles(c)
	}
	if !strings.EqualFold(strings.TrimSpace(kind), fiber.MIMEApplicationForm) {
		return url.Values{}
	}
	values, err := url.ParseQuery(string(c.BodyRaw()))
	if err != nil {
		return url.Values{}
	}
	return values
}

func formWithFiles(c *fiber.Ctx) url.Values {
	sent, err := c.MultipartForm()
	if err != nil {
		return url.Values{}
	}
	values := url.Values(sent.Value)
	for name, files := range sent.File {
		f, err := files[0].Open()
		if err != nil {
			continue
		}
		text, err := io.ReadAll(f) // no larger than the body, which is bounded
		f.Close()
		if err == nil {
			values.Set(name, string(text))
		}
	}
	return values
}
