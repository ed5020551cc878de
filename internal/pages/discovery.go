package pages

import "time"

// What a page's head tells programs: where the feeds are, and what the page is
// about.

// A feedLink is a feed that programs can find from a page.
type feedLink struct {
	Type  string
	Title string
	Path  string
}

// feedLinks are the forms of the feed at a path without its ending.
func (p *press) feedLinks(e *edition, path, about string) []feedLink {
	return []feedLink{
		{"application/rss+xml", e.lang.say("feed.rss", "name", about), p.cfg.PublicURL + path + ".rss"},
		{"application/atom+xml", e.lang.say("feed.atom", "name", about), p.cfg.PublicURL + path + ".atom"},
		{"application/feed+json", e.lang.say("feed.json", "name", about), p.cfg.PublicURL + path + ".json"},
		{"text/calendar", e.lang.say("feed.calendar", "name", about), p.cfg.PublicURL + path + ".ics"},
	}
}

// facts describe a page as JSON-LD, in the words of https://schema.org/WebPage.
func (p *press) facts(s shell) map[string]any {
	return map[string]any{
		"@context": "https://schema.org", "@type": "WebPage", "name": s.Title, "description": s.Description,
		"url": s.Canonical, "inLanguage": s.Lang,
		"isPartOf": map[string]any{"@type": "WebSite", "name": p.cfg.Name, "url": p.cfg.PublicURL + "/"},
	}
}

// tellState puts the state of the whole into the head of the front page. Others
// must not change with what they do not show.
func (p *press) tellState(e *edition, s *shell) {
	c := p.card(e)
	s.Card, s.CardAlt = c.address(p.cfg.PublicURL), c.alt()
	if t := e.changed(); !t.IsZero() {
		s.Facts["dateModified"] = t.UTC().Format(time.RFC3339)
	}
}
