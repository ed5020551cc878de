package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/status"
)

// refusal is an answer whose text was written for the person or machine that
// gets it. Any other error's text stays inside.
type refusal struct {
	code       int
	text       string
	retryAfter int // seconds, 0 for none
	fields     []fieldProblem
}

func (r refusal) Error() string { return r.text }

// refusalOf maps errors to HTTP. This is the only place that does.
func refusalOf(err error) refusal {
	var r refusal
	var invalid status.Invalid
	var fe *fiber.Error
	switch {
	case errors.As(err, &r):
		return r
	case errors.Is(err, status.ErrNotFound):
		return refusal{code: http.StatusNotFound, text: "There is nothing here."}
	case errors.Is(err, status.ErrConflict):
		return refusal{code: http.StatusConflict, text: "It was changed by somebody else meanwhile. Load it again, then repeat your change."}
	case errors.As(err, &invalid):
		return refusal{code: http.StatusUnprocessableEntity, text: invalid.Error()}
	case errors.Is(err, alerts.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return refusal{code: http.StatusServiceUnavailable, text: "Cannot be stored right now. Try again shortly.", retryAfter: 5}
	case errors.As(err, &fe):
		return refusal{code: fe.Code, text: plainText(fe.Code)}
	}
	return refusal{code: http.StatusInternalServerError, text: plainText(http.StatusInternalServerError)}
}

func plainText(code int) string {
	switch code {
	case http.StatusBadRequest:
		return "The request is malformed."
	case http.StatusNotFound:
		return "There is nothing here."
	case http.StatusMethodNotAllowed:
		return "This address does not take that method."
	case http.StatusRequestEntityTooLarge:
		return "The body is too large."
	case http.StatusRequestHeaderFieldsTooLarge:
		return "The header is too large."
	case http.StatusRequestTimeout:
		return "The request came too slowly."
	case http.StatusInternalServerError:
		return "Something went wrong on our side. It was logged."
	}
	return http.StatusText(code)
}

// handleError answers for every handler that failed and for every request that
// could not be read.
func (s *Server) handleError(c *fiber.Ctx, err error) (none error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("panic while answering an error", "panic", fmt.Sprint(p))
			c.Response().Reset()
			c.Status(http.StatusInternalServerError)
		}
	}()
	r := refusalOf(err)
	path := c.Path()
	if r.code == http.StatusRequestEntityTooLarge && strings.HasPrefix(path, "/hooks/") && !s.knowsSecret(&c.Request().Header) {
		r = unauthorized // a large body without the secret was cut off unread
	}
	if r.code >= 500 && r.retryAfter == 0 {
		s.log.Error("request failed", "method", c.Method(), "path", path, "err", err)
	}
	c.Response().ResetBody()
	if r.retryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(r.retryAfter))
	}
	if r.code == http.StatusUnauthorized && len(c.Response().Header.Peek(fiber.HeaderWWWAuthenticate)) == 0 {
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="statusbridge"`)
	}
	if kind, _, ok := hookOf(path); ok {
		s.metrics.webhook(kind, r.code)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	switch {
	case wantsProblem(c, path):
		return sendProblem(c, r)
	case strings.HasPrefix(path, "/admin"):
		return s.showAdminError(c, r)
	}
	return s.showError(c, r)
}

func wantsProblem(c *fiber.Ctx, path string) bool {
	if strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/hooks/") || path == "/metrics" || path == "" {
		return true
	}
	return strings.Contains(c.Get(fiber.HeaderAccept), "json") || strings.HasPrefix(c.Get(fiber.HeaderContentType), "application/json")
}

// problem is an RFC 9457 document.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitzero"`
	// Errors point at what is wrong, as in RFC 9457, 3.
	Errors []fieldProblem `json:"errors,omitzero"`
}

func sendProblem(c *fiber.Ctx, r refusal) error {
	body, err := json.Marshal(problem{Type: "about:blank", Title: http.StatusText(r.code), Status: r.code, Detail: r.text, Errors: r.fields})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/problem+json")
	return c.Status(r.code).Send(body)
}

// showError is the page a visitor gets.
func (s *Server) showError(c *fiber.Ctx, r refusal) error {
	if r.code == http.StatusNotFound {
		if doc := s.pages.NotFound(c.Path()); doc != nil {
			return s.sendDoc(c, doc)
		}
	}
	v, title := s.voices.all[0], http.StatusText(r.code)
	var b bytes.Buffer
	if err := v.public().ExecuteTemplate(&b, "error.html", r.text); err != nil {
		return err
	}
	return s.sendFrameIn(c, r.code, v.tag, title, template.HTML(b.String())) // made by html/template
}

// sendFrameIn sends a small page that looks like the public ones.
func (s *Server) sendFrameIn(c *fiber.Ctx, code int, lang, title string, body template.HTML) error {
	page, err := s.pages.Frame(lang, title, body)
	if err != nil {
		s.log.Error("cannot frame a page", "title", title, "err", err)
		c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
		return c.Status(code).SendString(title)
	}
	s.protect(c)
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Status(code).Send(page)
}

// The policies of pages that are made on request: those of the admin may have
// its one script, those with passkeys another that asks this server, too.
const (
	formPolicy  = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	adminPolicy = formPolicy + "; script-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
	alsoPolicy  = adminPolicy + "; connect-src 'self'"
)

// protect sets the headers of every page that is made on request.
func (s *Server) protect(c *fiber.Ctx) {
	c.Set(fiber.HeaderContentSecurityPolicy, formPolicy)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderXFrameOptions, "DENY")
	// not no-referrer: that makes browsers send "Origin: null" with our forms
	c.Set(fiber.HeaderReferrerPolicy, "same-origin")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set(fiber.HeaderCacheControl, "no-store")
	if s.site.secure {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
}
