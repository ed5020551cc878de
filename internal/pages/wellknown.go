package pages

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// What robots and researchers look for: robots.txt, the sitemap, security.txt.

const (
	sitemapPath  = "/sitemap.xml"
	securityPath = "/.well-known/security.txt"
)

// robots keeps crawlers out of what is for people with an account or a letter.
func (p *press) robots() []byte {
	return []byte("User-agent: *\nDisallow: /admin\nDisallow: /subscriptions\nDisallow: /unsubscribe\n\nSitemap: " + p.cfg.PublicURL + sitemapPath + "\n")
}

// mapped is how many issues the sitemap lists, the newest. A sitemap may have
// 50,000 addresses in all; older issues are found through their months.
const mapped = 200

type sitemap struct {
	XMLName xml.Name      `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
	URLs    []sitemapPage `xml:"url"`
}

type sitemapPage struct {
	Loc      string `xml:"loc"`
	Modified string `xml:"lastmod,omitempty"`
}

// maxSitemap is how many addresses a sitemap may list.
const maxSitemap = 50_000

// sitemap lists the public pages in every language, the latest months and
// issues if there are too many (https://www.sitemaps.org/protocol.html).
func (p *press) sitemap(e *edition) ([]byte, error) {
	changed := map[string]time.Time{"/": e.changed(), "/uptime": {}}
	for _, c := range e.view.Components {
		changed[componentPath(c)] = time.Time{}
	}
	for _, i := range e.view.Issues[:min(len(e.view.Issues), mapped)] {
		changed["/issues/"+i.ID] = issueChanged(i)
	}
	for _, m := range e.view.Maintenances {
		changed["/maintenance/"+m.ID] = workChanged(m)
	}
	for _, path := range p.months(e) {
		changed[path] = time.Time{}
	}
	paths := slices.SortedFunc(maps.Keys(changed), func(a, b string) int {
		// What has no date stands for the present.
		return cmp.Or(cmp.Compare(lastmod(changed[b]), lastmod(changed[a])), cmp.Compare(a, b))
	})
	var doc sitemap
	for _, path := range paths[:min(len(paths), maxSitemap/len(p.languages))] {
		modified := ""
		if at := changed[path]; !at.IsZero() {
			modified = at.UTC().Format(time.RFC3339)
		}
		for _, l := range p.languages {
			doc.URLs = append(doc.URLs, sitemapPage{p.cfg.PublicURL + l.base + path, modified})
		}
	}
	return xmlBytes(doc)
}

// lastmod is the time in seconds; without one, that of what is latest.
func lastmod(t time.Time) int64 {
	if t.IsZero() {
		return math.MaxInt64
	}
	return t.Unix()
}

// months are the pages of history that may hold something, the latest first.
func (p *press) months(e *edition) []string {
	var out []string
	for w := monthOf(e.now, p.cfg.TimeZone); w.To.After(e.beginning()); w = (status.Window{From: w.From.AddDate(0, -1, 0), To: w.From}) {
		out = append(out, monthPath(w.From, p.cfg.TimeZone))
	}
	return out
}

// security is security.txt of RFC 9116, nil without a contact. It says that it
// is good for at least six months from now on, and changes once a month.
func (p *press) security(now time.Time) []byte {
	if len(p.cfg.SecurityContacts) == 0 {
		return nil
	}
	var b strings.Builder
	for _, contact := range p.cfg.SecurityContacts {
		fmt.Fprintf(&b, "Contact: %s\n", contact)
	}
	y, m, _ := now.UTC().Date()
	fmt.Fprintf(&b, "Expires: %s\n", time.Date(y, m+7, 1, 0, 0, 0, 0, time.UTC).Format(time.RFC3339))
	fmt.Fprintf(&b, "Preferred-Languages: %s\n", p.cfg.Language)
	fmt.Fprintf(&b, "Canonical: %s\n", p.cfg.PublicURL+securityPath)
	return []byte(b.String())
}

func (p *press) putWellKnown(s *shelf, e *edition) error {
	s.put("/badge.svg", badgeKind, p.badge(p.cfg.Name, look{e.head.Class, e.headline()}))
	p.putStanding(s, e.now)
	return nil
}

// putStanding shelves what does not depend on any state.
func (p *press) putStanding(s *shelf, now time.Time) {
	s.put("/robots.txt", textKind, p.robots())
	if raw := p.security(now); raw != nil {
		s.put(securityPath, textKind, raw)
	}
}

func (d *Doc) isPage() bool { return d.Status == 200 && strings.HasPrefix(d.ContentType, "text/html") }
