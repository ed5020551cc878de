package pages

import (
	"bytes"
	"fmt"
	"html/template"
	"sync"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// A press turns a view and a moment into documents. It decides nothing and
// remembers nothing.
type press struct {
	cfg       Config
	assets    assets
	languages languages
	spoken    languages // all there are, for the banner
	small     sync.Map  // *language by code, for pages that belong to no address
}

func newPress(cfg Config) (*press, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	p := &press{cfg: cfg}
	if p.assets, err = loadAssets(cfg); err != nil {
		return nil, err
	}
	if p.languages, err = loadLanguages(cfg.Language, cfg.Languages); err != nil {
		return nil, err
	}
	for _, code := range languageCodes() {
		l, err := loadLanguage(code)
		if err != nil {
			return nil, err
		}
		p.spoken = append(p.spoken, l)
	}
	return p, nil
}

// pageStructs names the templates and what each is given.
var pageStructs = map[string]any{
	"front": frontPage{}, "issue": issuePage{}, "maintenance": workPage{}, "history": historyPage{},
	"component": componentPage{}, "uptime": uptimePage{}, "frame": framePage{}, "banner": bannerPage{}, "charts": chartsPage{},
}

// A framePage is a small page around a body from elsewhere.
type framePage struct {
	shell
	Heading string
	Body    template.HTML
}

// render fills a template, whole or not at all. The page will be about so long, as far
// as that is known.
func (e *edition) render(name string, page any, size int) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(size + size/16)
	if err := e.lang.page(name).ExecuteTemplate(&b, "page", page); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// historyStart is how far back a view must reach for all that is rendered ahead.
func (p *press) historyStart(now time.Time) time.Time {
	first, months := lastDays(now, p.cfg.TimeZone, barDays)[0], lastMonths(now, p.cfg.TimeZone)[0]
	if months.From.Before(first) {
		return months.From
	}
	return first
}

func (p *press) putFeeds(s *shelf, e *edition) error {
	if s.keepDocs(feedPaths()...) {
		return nil
	}
	for _, f := range []feed{p.history(e), p.updates(e)} {
		for ending, form := range feedForms {
			if !s.wanted() {
				return nil
			}
			raw, err := form.write(p, f)
			if err != nil {
				return err
			}
			s.put(f.path+ending, form.kind, raw)
		}
	}
	s.put("/history.ics", calendarKind, p.calendar(e, e.lang.say("feed.works", "name", p.cfg.Name), e.view.Maintenances))
	return nil
}

func (p *press) putAPI(s *shelf, e *edition) error {
	for path, doc := range p.api(e).documents() {
		raw, err := jsonBytes(doc)
		if err != nil {
			return err
		}
		s.put(path, jsonKind, raw)
	}
	return nil
}

// blank is the site before anything is known: it says so, with status 503, and
// the banner stays silent.
func (p *press) blank(now time.Time) (*site, error) {
	s := p.shelf(nil, now)
	p.assets.put(s)
	p.putStanding(s, now)
	s.put("/favicon.svg", iconKind, p.assets.icons[classNone].data)
	s.put("/banner.js", bannerKind, p.assets.banner.with([]byte("null")))
	for path, build := range p.assets.banners {
		s.put(path, frozenKind, build)
	}
	e := p.unknown(now)
	title := e.lang.say("unavailable.title")
	raw, err := e.render("frame", framePage{
		shell: live(p.shell(e, "/", title, title)), Heading: title, Body: "<p>" + e.lang.tell("unavailable.text") + "</p>",
	}, 0)
	if err != nil {
		return nil, err
	}
	for _, path := range []string{"/", "/history", monthPath(now, p.cfg.TimeZone)} {
		s.putStatus(503, path, downKind, raw)
	}
	missing := []byte(`{"error":"the status is not available yet, try again soon"}` + "\n")
	for _, path := range append(apiPaths(), "/banner.json", "/version.json") {
		s.putStatus(503, path, kind{jsonKind.contentType, never, dataHeader}, missing)
	}
	for _, path := range feedPaths() {
		s.putStatus(503, path, kind{textKind.contentType, never, dataHeader}, []byte("The feed is not available yet, try again soon.\n"))
	}
	return &site{docs: s.docs}, nil // not packed: it is gone in a moment
}

// edition is the state of the world in the language of the page, after another one.
func (p *press) edition(v status.View, now, late time.Time, old *edition) *edition {
	return newEdition(v, now, late, old).in(p.languages[0])
}

// unknown is the edition before anything is known.
func (p *press) unknown(now time.Time) *edition {
	return p.edition(status.View{}, now, time.Time{}, nil)
}

// lost is what a page says at an address that holds nothing.
func (l *language) lost() template.HTML {
	return "<p>" + l.tell("missing.text") + `</p>
<ul class="ways"><li><a href="/">` + l.tell("missing.status") + `</a></li><li><a href="/history">` + l.tell("missing.history") + "</a></li></ul>"
}

// frame renders a small page around a body.
func (p *press) frame(e *edition, path, title string, body template.HTML) ([]byte, error) {
	f := framePage{shell: p.shell(e, path, title, title), Heading: title, Body: body}
	f.Late, f.Languages, f.Canonical, f.Card = nil, nil, "", "" // it belongs to no address
	f.Script = ""                                               // nothing on it moves, and the policy of forms allows none
	return e.render("frame", f, 0)
}

// notFound is the page for an address that holds nothing, by language. One that
// cannot be rendered is left out.
func (p *press) notFound(now time.Time) map[string]*Doc {
	docs := map[string]*Doc{}
	for _, l := range p.languages {
		e := p.unknown(now).in(l)
		if raw, err := p.frame(e, "/", l.say("missing.title"), l.lost()); err == nil {
			docs[l.code] = newDoc(404, htmlKind, raw, entityTag(raw), now)
		}
	}
	return docs
}
