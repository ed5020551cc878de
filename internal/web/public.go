package web

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"time"
	"unsafe"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/statusbridge/statusbridge/internal/pages"
	"github.com/statusbridge/statusbridge/internal/status"
)

// front answers every request. A public document is one lookup and prebuilt
// bytes: it costs no allocation and pays for nothing that the admin needs. All
// else, refusals too, is for Fiber.
func (s *Server) front(behind fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		defer s.survive(ctx)
		h := &ctx.Request.Header
		if !h.IsGet() && !h.IsHead() || h.ConnectionClose() && len(h.Peek(ambiguousMark)) > 0 {
			behind(ctx)
			return
		}
		path, _, asked := bytes.Cut(h.RequestURI(), []byte("?"))
		doc := s.pages.Find(unsafe.String(unsafe.SliceData(path), len(path))) // only looked at
		if doc == nil || !s.site.knows(h.Host()) {
			behind(ctx)
			return
		}
		as := encodingFor(h, doc)
		headOf(doc, as).CopyTo(&ctx.Response.Header)
		if asked {
			setRefresh(ctx)
		}
		sendBody(ctx, doc, as)
	}
}

// survive keeps a panic from ending the daemon.
func (s *Server) survive(ctx *fasthttp.RequestCtx) {
	if p := recover(); p != nil {
		s.log.Error("panic in a handler", "path", string(ctx.Path()), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		ctx.Error("Something went wrong here.", http.StatusInternalServerError)
	}
}

// servePublic refuses what front let through, and stands in for it where Fiber
// is asked directly.
func (s *Server) servePublic(c *fiber.Ctx) (err error) {
	defer s.rescue(c, &err)
	if h := &c.Request().Header; h.ConnectionClose() && len(h.Peek(ambiguousMark)) > 0 {
		return ambiguousRequest
	}
	if !isRead(c.Method()) {
		return c.Next()
	}
	doc := s.pages.Find(c.Path())
	if doc == nil {
		return c.Next()
	}
	if !s.site.knows(c.Request().Header.Host()) {
		return misdirected
	}
	return s.sendDoc(c, doc)
}

func isRead(method string) bool { return method == fiber.MethodGet || method == fiber.MethodHead }

// sendDoc answers with a document, or with 304 when the visitor has it. It
// never writes to the document's bytes: they are everybody's.
func (s *Server) sendDoc(c *fiber.Ctx, doc *pages.Doc) error {
	ctx := c.Context()
	as := encodingFor(&ctx.Request.Header, doc)
	writeHead(&ctx.Response.Header, doc, as)
	setRefresh(ctx)
	sendBody(ctx, doc, as)
	return nil
}

// unchanged evaluates the preconditions of a GET in the order of RFC 9110
// 13.2.2: If-None-Match, and only without it If-Modified-Since.
func unchanged(h *fasthttp.RequestHeader, doc *pages.Doc) bool {
	if len(h.Peek(fiber.HeaderIfNoneMatch)) > 0 {
		return slices.ContainsFunc(h.PeekAll(fiber.HeaderIfNoneMatch), func(list []byte) bool { return matchesETag(list, doc.ETag) })
	}
	since := h.Peek(fiber.HeaderIfModifiedSince)
	if len(since) == 0 || doc.LastModified.IsZero() {
		return false
	}
	t, err := fasthttp.ParseHTTPDate(since)
	return err == nil && !doc.LastModified.Truncate(time.Second).After(t)
}

// demandPublic serves what is not rendered ahead: old issues and months,
// components, uptime, all pages in other languages. A page asked for by another
// spelling of its address is shown where it is.
func (s *Server) demandPublic(c *fiber.Ctx) error {
	path := c.Path()
	doc, err := s.pages.Demand(c.UserContext(), path)
	switch {
	case err == nil:
		return s.sendDoc(c, doc)
	case !errors.Is(err, status.ErrNotFound):
		s.log.Error("cannot render a page on demand", "path", path, "err", err)
		return refusal{code: http.StatusServiceUnavailable, text: "This page cannot be shown right now. The current status still can.", retryAfter: 30}
	}
	at := s.pages.Canonical(path)
	if at == path {
		return err
	}
	if _, gone := s.pages.Demand(c.UserContext(), at); gone != nil { // never to where nothing is
		return err
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=3600")
	return c.Redirect(at, http.StatusMovedPermanently)
}

// preflight answers a browser that asks before another site's script reads a
// document with headers of its own. Only what anybody may read says yes.
func (s *Server) preflight(c *fiber.Ctx) error {
	doc, err := s.pages.Demand(c.UserContext(), c.Path())
	if err != nil {
		return c.Next()
	}
	c.Set(fiber.HeaderAllow, "GET, HEAD, OPTIONS")
	for _, field := range doc.Header {
		if field[0] == fiber.HeaderAccessControlAllowOrigin {
			c.Set(field[0], field[1])
			c.Set(fiber.HeaderAccessControlAllowMethods, "GET, HEAD")
			c.Set(fiber.HeaderAccessControlAllowHeaders, "*")
			c.Set(fiber.HeaderAccessControlMaxAge, "86400")
		}
	}
	return c.SendStatus(http.StatusNoContent)
}

// nothingHere ends the route table. Who asks a public path with the wrong method is
// told so.
func (s *Server) nothingHere(c *fiber.Ctx) error {
	if s.pages.Find(c.Path()) != nil {
		c.Set(fiber.HeaderAllow, "GET, HEAD")
		return fiber.ErrMethodNotAllowed
	}
	return status.ErrNotFound
}
