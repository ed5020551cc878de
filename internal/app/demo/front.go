package demo

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/web"
)

//go:embed templates/*.html style.css
var files embed.FS

var (
	views   = template.Must(template.ParseFS(files, "templates/*.html"))
	policy  = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	letters = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
)

// front comes before the daemon's pages: it serves those of the demo, and puts
// the strip under all others.
func (t *tour) front(s *web.Server) fiber.Handler {
	t.server = s
	return func(c *fiber.Ctx) error {
		path := strings.TrimSuffix(c.Path(), "/")
		if path != "/demo" && !strings.HasPrefix(path, "/demo/") {
			return t.underStrip(c)
		}
		if !here(c) {
			return c.Status(http.StatusForbidden).SendString("The demo answers this machine only.")
		}
		c.Set(fiber.HeaderCacheControl, "no-store")
		if c.Method() == fiber.MethodPost {
			return t.act(c, path)
		}
		return t.show(c, path)
	}
}

// here reports whether a request comes from the demo's own pages, or from a
// person who typed the address: no other site may press its buttons.
func here(c *fiber.Ctx) bool {
	host := string(c.Request().Header.Host())
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	local := strings.EqualFold(host, "localhost") || err == nil && addr.IsLoopback()
	switch c.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return local
	}
	return local && c.Method() == fiber.MethodGet
}

func (t *tour) show(c *fiber.Ctx, path string) error {
	switch path {
	case "/demo":
		return t.page(c, "tour.html", "The demo", nil)
	case appPath:
		t.saw(path)
		return t.page(c, "app.html", "Example Shop", nil)
	case mailPath:
		t.saw(path)
		return t.page(c, "mail.html", "Mail that was sent", t.mails())
	case tweetsPath:
		t.saw(path)
		return t.page(c, "tweets.html", "Tweets that were posted", t.tweets())
	case "/demo/style.css":
		css, err := files.ReadFile("style.css")
		c.Set(fiber.HeaderContentType, "text/css; charset=utf-8")
		return errors.Join(err, c.Send(css))
	}
	if n, found := strings.CutPrefix(path, mailPath+"/"); found {
		return t.letter(c, n)
	}
	return c.Status(http.StatusNotFound).SendString("There is no such page in the demo. It begins at /demo")
}

func (t *tour) act(c *fiber.Ctx, path string) error {
	next, err := "/demo", error(nil)
	switch path {
	case "/demo/fire":
		err = t.fire(c.UserContext())
	case "/demo/end":
		err, next = t.end(c.UserContext()), "/"
	case "/demo/sign-in":
		err, next = t.server.Admit(c, onCall), "/admin"
	case "/demo/prometheus/api/v1/query_range":
		return measured(c)
	default:
		return c.SendStatus(http.StatusNotFound)
	}
	if err != nil {
		t.log.Error("the demo's button failed", "path", path, "err", err)
		return c.Status(http.StatusInternalServerError).SendString("That did not work: " + err.Error())
	}
	return c.Redirect(next, http.StatusSeeOther)
}

// measured answers as the HTTP API of Prometheus does.
func measured(c *fiber.Ctx) error {
	from, err := strconv.ParseInt(c.FormValue("start"), 10, 64)
	to, err2 := strconv.ParseInt(c.FormValue("end"), 10, 64)
	if err != nil || err2 != nil || to-from > 24*3600 {
		return c.SendStatus(http.StatusBadRequest)
	}
	values := [][2]any{}
	for at := from; at <= to; at += 60 {
		values = append(values, [2]any{at, strconv.FormatFloat(responseTime(time.Unix(at, 0)), 'f', 1, 64)})
	}
	body, err := json.Marshal(map[string]any{"status": "success", "data": map[string]any{
		"resultType": "matrix", "result": []any{map[string]any{"metric": map[string]string{}, "values": values}},
	}})
	c.Set(fiber.HeaderContentType, "application/json")
	return errors.Join(err, c.Send(body))
}

// page is what a template is given.
type page struct {
	Title string
	Tour  progress
	Data  any
}

func (t *tour) page(c *fiber.Ctx, name, title string, data any) error {
	p, err := t.look(c.UserContext())
	if err != nil {
		return err
	}
	var body bytes.Buffer
	if err := views.ExecuteTemplate(&body, name, page{Title: title, Tour: p, Data: data}); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentSecurityPolicy, policy)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
	return c.Send(body.Bytes())
}

// underStrip lets the daemon answer, and puts the strip under a page.
func (t *tour) underStrip(c *fiber.Ctx) error {
	if c.Method() != fiber.MethodGet || !strings.Contains(c.Get(fiber.HeaderAccept), "text/html") {
		return c.Next()
	}
	for _, h := range []string{fiber.HeaderAcceptEncoding, fiber.HeaderIfNoneMatch, fiber.HeaderIfModifiedSince} {
		c.Request().Header.Del(h)
	}
	ctx := c.UserContext() // the daemon ends its own with the answer
	if err := c.Next(); err != nil {
		return err
	}
	body, end := c.Response().Body(), []byte("</body>")
	at := bytes.LastIndex(body, end)
	if !bytes.HasPrefix(c.Response().Header.ContentType(), []byte("text/html")) || at < 0 || bytes.Contains(body, []byte(`class="framed"`)) {
		return nil
	}
	t.saw(c.Path())
	p, err := t.look(ctx)
	if err != nil {
		return err
	}
	var strip bytes.Buffer
	if err := views.ExecuteTemplate(&strip, "strip", p); err != nil {
		return err
	}
	c.Response().SetBodyRaw(bytes.Join([][]byte{body[:at], strip.Bytes(), body[at:]}, nil))
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Response().Header.Del(fiber.HeaderETag)
	return nil
}
