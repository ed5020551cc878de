package web

import (
	"bytes"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// Bodies: a webhook of 10,000 alerts has more than 4 MB, so authenticated
// senders get room; nobody else does.
const (
	webhookBodyLimit = 64 << 20
	bodyLimit        = 1 << 20
	importBodyLimit  = 8 << 20 // a list of subscribers, a webhook to try
	headerLimit      = 8 << 10
	writeBuffer      = 9 << 10 // the head and a page with a dozen open issues leave in one piece

	readTimeout        = 5 * time.Second
	webhookReadTimeout = 30 * time.Second
	writeTimeout       = 30 * time.Second
	idleTimeout        = 20 * time.Second
)

// largeForms carry files.
var largeForms = map[string]bool{"/admin/subscribers/import": true, "/admin/rules/try": true, "/admin/rules/backtest": true}

// limitBody runs after the header and before a byte of the body is read.
func (s *Server) limitBody(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if ambiguous(h) {
		h.SetConnectionClose()
		h.Set(ambiguousMark, "1")
	}
	cfg := fasthttp.RequestConfig{MaxRequestBodySize: bodyLimit}
	if h.IsPost() && bytes.HasPrefix(h.RequestURI(), []byte("/hooks/")) && s.knowsSecret(h) {
		cfg.MaxRequestBodySize = webhookBodyLimit
		cfg.ReadTimeout = webhookReadTimeout
	}
	if h.IsPost() && largeForms[string(h.RequestURI())] && len(h.Cookie(s.cookieName())) > 0 {
		cfg.MaxRequestBodySize, cfg.ReadTimeout = importBodyLimit, webhookReadTimeout
	}
	return cfg
}

// refuseEncoded answers 415 to any Content-Encoding: inflating what a stranger
// sent turns 2 kB into 1 GiB.
func refuseEncoded(c *fiber.Ctx) error {
	if len(c.Request().Header.Peek(fiber.HeaderContentEncoding)) > 0 {
		return refusal{code: fiber.StatusUnsupportedMediaType, text: "Send the body without Content-Encoding."}
	}
	return c.Next()
}

// site is the configured public URL, taken apart.
type site struct {
	origin string // https://status.example.com
	host   string // as in Host:, lower case
	local  bool   // not configured for the world: any Host is fine
	secure bool   // https
}

func parseSite(publicURL string) site {
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" {
		return site{local: true}
	}
	host := strings.ToLower(u.Host)
	if name, port, ok := strings.Cut(host, ":"); ok && (u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80") {
		host = name
	}
	return site{
		origin: u.Scheme + "://" + host,
		host:   host,
		local:  isLocalHost(host),
		secure: u.Scheme == "https",
	}
}

// knows reports whether requests for that Host are for us.
func (t site) knows(host []byte) bool {
	if t.local || len(host) == len(t.host) && bytes.EqualFold(host, []byte(t.host)) {
		return true
	}
	return isLocalHost(string(host)) || t.sameDespitePort(string(host))
}

// sameDespitePort accepts the default port written out.
func (t site) sameDespitePort(host string) bool {
	name, port, err := net.SplitHostPort(host)
	return err == nil && (port == "443" || port == "80") && strings.EqualFold(name, t.host)
}

// isLocalHost reports whether host, with or without a port, is this machine.
func isLocalHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && (addr.IsLoopback() || addr.IsUnspecified())
}

// refuseStrangeHost answers 421 to requests meant for some other site.
func (s *Server) refuseStrangeHost(c *fiber.Ctx) error {
	if !s.site.knows(c.Request().Header.Host()) {
		return misdirected
	}
	return c.Next()
}

var misdirected = refusal{code: fiber.StatusMisdirectedRequest, text: "This server does not answer for that host name."}

// ambiguous finds what the parser lets through although proxies may read it
// differently: folded lines, and a length beside chunks. RFC 9112 5.2 and 6.3
// allow to refuse both.
func ambiguous(h *fasthttp.RequestHeader) bool {
	raw := h.RawHeaders()
	if bytes.Contains(raw, []byte("\n ")) || bytes.Contains(raw, []byte("\n\t")) {
		return true
	}
	const chunked = -1 // as the header says; reading the body forgets it
	return h.ContentLength() == chunked && bytes.Contains(bytes.ToLower(raw), []byte("content-length"))
}

// ambiguousMark carries the finding to the handler, for the parser's hook cannot
// refuse. Who sends it is refused as well.
const ambiguousMark = "X-Statusbridge-Ambiguous"

var ambiguousRequest = refusal{code: fiber.StatusBadRequest, text: "The request can be read in two ways."}
