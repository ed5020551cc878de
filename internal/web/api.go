package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// The API for machines: everything that the admin does, under apiRoot.
const apiRoot = "/api/v1"

// endpoint is a route of the API: how it is called, what its token must be
// allowed to, and what goes in and out. The OpenAPI document is made from these.
type endpoint struct {
	method, path string // the path as in OpenAPI: /issues/{id}
	scope        status.TokenScope
	says         string // what it does, in a line
	takes        any    // the body, nil for none
	gives        any    // the body of the answer, nil for none
	code         int    // of the answer
	query        []parameter
	paged        bool // takes limit and cursor
	versioned    bool // takes If-Match
	do           func(*Server, *call) (reply, error)
}

// parameter is something that can be asked for in the query.
type parameter struct {
	name, says string
	oneOf      []string // nil: any text
}

// call is one request of somebody who may make it.
type call struct {
	*fiber.Ctx
	who     status.Token
	version int64 // of If-Match; 0 is any
}

// visit lets a machine use what people use.
func (c *call) visit() visit { return visit{account: status.Account{Email: c.who.Actor()}} }

// id is the path's. One that cannot be ours finds nothing.
func (c *call) id() string { return param(c.Ctx) }

// reply is an answer: what it shows, and how to name it.
type reply struct {
	code     int // 0: the one of the endpoint
	body     any
	version  int64  // becomes the ETag; 0 has none
	location string // of what was made
	next     string // cursor of the page that follows, "" for none
}

func (s *Server) routeAPI() {
	s.app.Get(apiRoot+"/openapi.json", s.sendOpenAPI)
	for _, e := range endpoints {
		path := apiRoot + strings.NewReplacer("{", ":", "}", "").Replace(e.path)
		s.app.Add(e.method, path, s.answerAPI(e))
		if e.method == fiber.MethodGet {
			s.app.Add(fiber.MethodHead, path, s.answerAPI(e))
		}
	}
	s.app.All(apiRoot+"/*", refuseMethod)
}

// callsEach bounds what one token may ask for.
const (
	callsEach   = 600
	callsWindow = time.Minute
)

// answerAPI is an endpoint behind the gate of tokens.
func (s *Server) answerAPI(e endpoint) fiber.Handler {
	gate := s.withToken(e.scope, func(c *fiber.Ctx, token status.Token) error {
		return s.answerCall(&call{Ctx: c, who: token}, e)
	})
	return func(c *fiber.Ctx) error {
		s.protectAPI(c)
		return s.slowStrangers(c, gate(c))
	}
}

func (s *Server) answerCall(c *call, e endpoint) (err error) {
	if !s.callers.allow(c.who.ID, s.clock.Now()) {
		return refusal{code: http.StatusTooManyRequests, retryAfter: int(callsWindow / time.Second), text: "More than " + itoa(callsEach) + " requests in a minute. Wait."}
	}
	if e.versioned {
		if c.version, err = ifMatch(c.Get(fiber.HeaderIfMatch)); err != nil {
			return err
		}
	}
	if err := e.checkQuery(c.Ctx); err != nil {
		return err
	}
	if e.method == fiber.MethodPost {
		return s.once(c, e)
	}
	return s.carryOut(c, e)
}

func (s *Server) carryOut(c *call, e endpoint) error {
	r, err := e.do(s, c)
	if errors.Is(err, status.ErrConflict) && c.version > 0 {
		return refusal{code: http.StatusPreconditionFailed, text: "It has another version by now. Get it again, and repeat the change with its ETag."}
	}
	var invalid status.Invalid
	if errors.As(err, &invalid) {
		return invalidRefusal(invalid, e.takes)
	}
	if err != nil {
		return err
	}
	return e.send(c.Ctx, r)
}

func (e endpoint) send(c *fiber.Ctx, r reply) error {
	if r.version > 0 {
		c.Set(fiber.HeaderETag, etagOf(r.version))
	}
	if r.location != "" {
		c.Set(fiber.HeaderLocation, apiRoot+r.location)
	}
	if r.next != "" {
		c.Set(fiber.HeaderLink, "<"+r.next+`>; rel="next"`)
	}
	code := max(r.code, e.code)
	if r.body == nil {
		return c.SendStatus(code)
	}
	if isRead(c.Method()) && r.version > 0 && c.Get(fiber.HeaderIfNoneMatch) == etagOf(r.version) {
		return c.SendStatus(http.StatusNotModified)
	}
	body, err := json.Marshal(r.body, json.Deterministic(true), json.FormatNilSliceAsNull(false))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Status(code).Send(append(body, '\n'))
}

// protectAPI sets what every answer carries: it is for one token, once.
func (s *Server) protectAPI(c *fiber.Ctx) {
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	if s.site.secure {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
}

// slowStrangers makes an address wait that tries one token after the other.
func (s *Server) slowStrangers(c *fiber.Ctx, err error) error {
	var r refusal
	if !errors.As(err, &r) || r.code != http.StatusUnauthorized || bearerOf(&c.Request().Header) == "" {
		return err
	}
	c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="statusbridge", error="invalid_token"`) // RFC 6750, 3.1
	if !s.strangers.allow(addrKey(s.clientAddr(c)), s.clock.Now()) {
		return refusal{code: http.StatusTooManyRequests, retryAfter: int(callsWindow / time.Second), text: "Too many wrong tokens from this address. Wait."}
	}
	return err
}

// wrongTokens bounds how many an address may try.
const wrongTokens = 60

// etagOf is the version of a thing as HTTP writes it.
func etagOf(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// ifMatch reads the version that the caller saw; * is any.
func ifMatch(header string) (int64, error) {
	switch header = strings.TrimSpace(header); {
	case header == "":
		return 0, refusal{code: http.StatusPreconditionRequired, text: "Send the ETag of what you saw as If-Match, so that nobody's change is lost; If-Match: * is for whatever it is now."}
	case header == "*":
		return 0, nil
	}
	n, err := strconv.ParseInt(strings.Trim(header, `"`), 10, 64)
	if err != nil || n < 1 || header != etagOf(n) {
		return 0, refusal{code: http.StatusPreconditionFailed, text: `If-Match is no ETag of ours, which look like "3".`}
	}
	return n, nil
}

func (e endpoint) checkQuery(c *fiber.Ctx) (err error) {
	known := e.query
	if e.paged {
		known = append(slices.Clip(known), parameter{name: "limit"}, parameter{name: "cursor"})
	}
	for name, value := range c.Queries() {
		at := slices.IndexFunc(known, func(p parameter) bool { return p.name == name })
		switch {
		case at < 0:
			return badParameter(name, "is not known here")
		case known[at].oneOf != nil && value != "" && !slices.Contains(known[at].oneOf, value):
			return badParameter(name, "is none of "+strings.Join(known[at].oneOf, ", "))
		}
	}
	return nil
}

func badParameter(name, detail string) refusal {
	return refusal{code: http.StatusBadRequest, text: "The parameter " + name + " " + detail + ".", fields: []fieldProblem{{Parameter: name, Detail: detail}}}
}

// refuseMethod answers what no endpoint took.
func refuseMethod(c *fiber.Ctx) error {
	var allow []string
	path := strings.Split(strings.TrimPrefix(c.Path(), apiRoot), "/")
	for _, e := range endpoints {
		if e.matches(path) {
			allow = append(allow, e.method)
			if e.method == fiber.MethodGet {
				allow = append(allow, fiber.MethodHead)
			}
		}
	}
	if c.Path() == apiRoot+"/openapi.json" {
		allow = []string{fiber.MethodGet, fiber.MethodHead}
	}
	if allow == nil {
		return refusal{code: http.StatusNotFound, text: "There is no such address in the API; " + apiRoot + "/openapi.json lists all."}
	}
	c.Set(fiber.HeaderAllow, strings.Join(allow, ", "))
	return fiber.ErrMethodNotAllowed
}

func (e endpoint) matches(path []string) bool {
	pattern := strings.Split(e.path, "/")
	if len(pattern) != len(path) {
		return false
	}
	for n, part := range pattern {
		if part != path[n] && (part == "" || part[0] != '{' || path[n] == "") {
			return false
		}
	}
	return true
}
