package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

//go:embed templates
var templateFiles embed.FS

// views are the templates: admin pages each with the layout.
type views struct {
	admin map[string]func() *template.Template
}

var viewFuncs = template.FuncMap{
	"utc":     utc,
	"day":     func(t time.Time) string { return t.UTC().Format("2 Jan 2006") },
	"rfc":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"dict":    dict,
	"counted": counted,
}

// dict lets one template hand several things to another.
func dict(pairs ...any) (map[string]any, error) {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: key %d is no string", i)
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}

// parseViews names the pages; each is parsed when it is first shown, for all of
// them together take longer than the rest of a start. A broken one panics: the
// files are embedded, so what a test has seen parsed parses always.
func parseViews() views {
	layout := sync.OnceValue(func() *template.Template {
		return template.Must(template.New("").Funcs(viewFuncs).Option("missingkey=error").
			ParseFS(templateFiles, "templates/layout/*.html"))
	})
	v := views{admin: map[string]func() *template.Template{}}
	names, err := fs.Glob(templateFiles, "templates/admin/*.html")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		v.admin[path.Base(name)] = sync.OnceValue(func() *template.Template {
			return template.Must(template.Must(layout().Clone()).ParseFS(templateFiles, name))
		})
	}
	return v
}

// page is what the layout of the admin needs around Data.
type page struct {
	Title  string
	Nav    string // which entry of the menu is the present one
	Notice string // what was just done
	Also   string // path of a script that only this page has
	Data   any

	// filled by render
	CSRF       string
	Name, Role string // "" when nobody is signed in
	Respond    bool   // may act on issues
	Manage     bool   // may change everything
	Drafts     int
	PageName   string
	Stylesheet string
	Script     string
	Keys       []keyView // none: they are turned off
	Version    string
}

// render fills the layout and sends it; a page is whole or not sent.
func (s *Server) render(c *fiber.Ctx, code int, name string, p page) error {
	p.PageName, p.Stylesheet, p.Version = s.cfg.PageName, s.assets.stylesheet, s.cfg.Version
	if p.PageName == "" {
		p.PageName = "Status"
	}
	if v, ok := c.Locals(visitKey{}).(visit); ok {
		p.CSRF, p.Name, p.Role = v.session.CSRF, v.name(), string(v.account.Role)
		p.Respond, p.Manage = v.may(status.Responder), v.may(status.Admin)
		p.Keys, p.Script = s.keys(c), s.assets.script
		c.Set(fiber.HeaderContentSecurityPolicy, adminPolicy)
		if p.Drafts == 0 {
			p.Drafts = s.countDrafts(c)
		}
	}
	if p.Also != "" {
		c.Set(fiber.HeaderContentSecurityPolicy, alsoPolicy)
	}
	if p.Notice == "" {
		p.Notice = notices[c.Query("done")]
	}
	t, ok := s.views.admin[name]
	if !ok {
		return fmt.Errorf("there is no template %s", name)
	}
	var b bytes.Buffer
	if err := t().ExecuteTemplate(&b, "layout", p); err != nil {
		return fmt.Errorf("template %s: %w", name, err)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Status(code).Send(b.Bytes())
}

// mostDrafts bounds the confirm queue on one page.
const mostDrafts = 100

func (s *Server) countDrafts(c *fiber.Ctx) int {
	drafts, err := s.store.Issues(c.UserContext(), draftQuery)
	if err != nil {
		return 0 // a count in the menu is no reason to show nothing at all
	}
	n, now := 0, s.clock.Now()
	for _, i := range drafts {
		if !i.Snoozed(now) {
			n++
		}
	}
	return n
}

var draftQuery = store.IssueQuery{Stages: []status.Stage{status.Draft}, OpenOnly: true, Limit: mostDrafts}

// notices say what was done, after the redirect that follows a form.
var notices = map[string]string{
	"saved":                "Saved.",
	"published":            "Published. Customers can see it now.",
	"undone":               "Taken back. It is a draft again, and nobody was told.",
	"snoozed":              "Put off. It comes back by itself, or when it gets another impact.",
	"woken":                "Back in the queue.",
	"claimed":              "It is yours.",
	"released":             "Nobody looks after it any more.",
	"deleted":              "Deleted. The audit log keeps it.",
	"silently":             "Published silently. Nobody was notified.",
	"dismissed":            "Dismissed. These alerts will not draft it again.",
	"updated":              "Update posted.",
	"resolved":             "Resolved. Well done.",
	"handed-back":          "Handed back to automation.",
	"kept":                 "Kept as it is. Automation suggests it no more.",
	"opened":               "Opened.",
	"keys-off":             "The keys are off in this browser.",
	"keys-on":              "The keys are on.",
	"merged":               "Merged. This one goes on for both.",
	"postmortem":           "Post-mortem published. Customers can read it now.",
	"postmortem-saved":     "Saved for its authors. Customers do not see it.",
	"postmortem-withdrawn": "Withdrawn. Its words are kept below.",
	"extended":             "Extended. The page shows the new end.",
	"scheduled":            "Maintenance scheduled.",
	"removed":              "Removed. History keeps it.",
	"moved":                "Order changed.",
	"template-removed":     "Removed. What was written with it stays.",
	"retried":              "Queued again.",
	"paused":               "Paused. What is queued stays queued until you resume.",
	"resumed":              "Resumed.",
	"imported":             "Imported.",
	"erased":               "Erased. Nothing here names that address any more.",
	"reloaded":             "Rules reloaded.",
	"replayed":             "Taken in again. What it did appears below as soon as it is processed; reload to see it.",
	"fired":                "Test alert sent. Its draft appears here as soon as the rule's hold is over; reload to see it.",
	"revoked":              "Revoked. It opens nothing any more.",
	"signed-out":           "Signed out there.",
	"passkey-added":        "Added. From now on it signs you in.",
	"passkey-removed":      "Removed. It opens nothing here any more.",
	"cleared":              "Test alert cleared.",
}

// redirect ends an action: a reload must not repeat it.
func redirect(c *fiber.Ctx, path, done string) error {
	return c.Redirect(path+"?done="+done, http.StatusSeeOther)
}

func (s *Server) showAdminError(c *fiber.Ctx, r refusal) error {
	s.protect(c)
	if _, signedIn := c.Locals(visitKey{}).(visit); !signedIn {
		if v, err := s.visitOf(c.UserContext(), c.Cookies(s.cookieName())); err == nil {
			c.Locals(visitKey{}, v)
		}
	}
	err := s.render(c, r.code, "problem.html", page{Title: http.StatusText(r.code), Data: r.text})
	if err != nil {
		s.log.Error("cannot show an error page", "err", err)
		return c.Status(r.code).SendString(r.text)
	}
	return nil
}

func utc(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2 Jan, 15:04 UTC")
}

// roughly writes a duration as a person would say it.
func roughly(d time.Duration) string {
	unit := func(n int, word string) string {
		if n == 1 {
			return "1 " + word
		}
		return strconv.Itoa(n) + " " + word + "s"
	}
	switch {
	case d < time.Minute:
		return unit(max(int(d/time.Second), 1), "second")
	case d < 2*time.Hour:
		return unit(int(d/time.Minute), "minute")
	case d < 48*time.Hour:
		return unit(int(d/time.Hour), "hour")
	}
	return unit(int(d/(24*time.Hour)), "day")
}

func itoa(n int) string { return strconv.Itoa(n) }

// clip shortens to at most n bytes without cutting a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
