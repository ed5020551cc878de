package pages

import (
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// An address is what a page that is made on demand is asked for by.
type address struct {
	kind  string // "front", "issue", "maintenance", "month", "component", "uptime", or the name of a file
	id    string // of an issue or maintenance, slug of a component
	form  string // what is wanted of it besides its page, such as "badge.svg"
	month status.Window
}

// address reads a path without its language.
func (p *press) address(path string, now time.Time) (address, bool) {
	parent, id, deep := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch parent {
	case "":
		return address{kind: "front"}, !deep
	case "charts":
		return address{kind: parent}, !deep && len(p.cfg.Charts) > 0
	case cardPath[1:], sitemapPath[1:]:
		return address{kind: parent, form: parent}, !deep
	case "components":
		slug, form, more := strings.Cut(id, "/")
		return address{kind: "component", id: slug, form: form}, idForm(slug) && more == (form != "")
	case "issues", "maintenance":
		if work, ok := strings.CutSuffix(id, ".ics"); ok && parent == "maintenance" {
			return address{kind: parent, id: work, form: "ics"}, idForm(work)
		}
		return address{kind: strings.TrimSuffix(parent, "s"), id: id}, idForm(id)
	case "history", "uptime":
		a := address{kind: map[string]string{"history": "month", "uptime": "uptime"}[parent], month: monthOf(now, p.cfg.TimeZone)}
		if !deep {
			return a, true
		}
		t, err := time.ParseInLocation("2006-01", id, p.cfg.TimeZone)
		a.month = monthOf(t, p.cfg.TimeZone)
		return a, err == nil && t.Year() >= 2000 && !t.After(now)
	}
	return address{}, false
}

// Canonical is the path at which a document stands that was asked for by another
// spelling: with a slash too many or with none behind a language, with a language in
// capitals, or with issues called incidents. Whether there is one is for Demand.
func (p *Publisher) Canonical(path string) string {
	base, rest := "", strings.Trim(path, "/")
	if first, after, _ := strings.Cut(rest, "/"); first != "" {
		if l, plain := p.press.languages.split("/" + strings.ToLower(first)); plain == "/" {
			base, rest = l.base, after
		}
	}
	if rest == "favicon.ico" { // what browsers ask for beside a document without a head
		return "/favicon.svg"
	}
	if id, old := strings.CutPrefix(rest, "incidents/"); old {
		rest = "issues/" + id
	}
	return base + "/" + rest
}

// besides reports whether a document is wanted that stands beside the pages: one
// for programs, in the language of the page only.
func (a address) besides() bool { return a.form != "" }

// idForm keeps what cannot be an id away from the database.
func idForm(s string) bool {
	if s == "" || len(s) > 200 {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
			return false
		}
	}
	return true
}
