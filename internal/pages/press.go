package pages

import (
	"bytes"
	"fmt"
	"html/template"
	"maps"
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
		l, err := loadPhrases(code)
		if err != nil {
			return nil, err
		}
		p.spoken = append(p.spoken, l)
	}
	return p, nil
}

// parsePages parses the templates of all pages, to say what they say in the
// language.
func (l *language) parsePages() (map[string]*template.Template, error) {
	pages := map[string]*template.Template{}
	for name := range pageStructs {
		set, err := l.parseTemplates("base", "parts", "plots", name)
		if err != nil {
			return nil, err
		}
		pages[name] = set
	}
	return pages, nil
}

// parseTemplates parses files into one set. Indentation is for us, not for the
// wire; it is taken out of the source, for in what people write it may matter.
func (l *language) parseTemplates(names ...string) (*template.Template, error) {
	set := template.New("").Funcs(template.FuncMap{"say": l.tell, "time": moment.html, "name": isolated, "names": l.names, "link": link, "written": l.written})
	for _, name := range names {
		source, err := templateFiles.ReadFile("templates/" + name + ".html")
		if err != nil {
			return nil, err
		}
		if _, err := set.Parse(squeeze(string(source), "{{/*", "*/}}")); err != nil {
			return nil, fmt.Errorf("page template %s: %w", name, err)
		}
	}
	return set, nil
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

// render fills a template, whole or not at all.
func (e *edition) render(name string, page any) ([]byte, error) {
	var b bytes.Buffer
	if err := e.lang.pages[name].ExecuteTemplate(&b, "page", page); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// A site is everything the public gets at one moment. It never changes.
type site struct {
	docs     map[string]*Doc
	now      *edition          // nil: nothing is known yet
	versions map[string]string // of the pages that stay current in open browsers
	serial   int64             // grows with every rendering
}

// historyStart is how far back a view must reach for all that is rendered ahead.
func (p *press) historyStart(now time.Time) time.Time {
	first, months := lastDays(now, p.cfg.TimeZone, barDays)[0], lastMonths(now, p.cfg.TimeZone)[0]
	if months.From.Before(first) {
		return months.From
	}
	return first
}

// site renders all that is kept ahead. What did not change since the old site
// is taken from it.
//
// early, unless nil, gets a site as soon as what most people look at is new: the
// front page, open issues, the state for programs and the banner. All else is of
// the old site then.
func (p *press) site(e *edition, old *site, now time.Time, early func(*site)) (*site, error) {
	var before map[string]*Doc
	if old != nil {
		before = old.docs
	}
	s := newShelf(before, now)
	p.assets.put(s)
	s.put("/favicon.svg", iconKind, p.assets.icons[e.head.Class].data)
	made := &site{docs: s.docs, now: e, versions: s.live, serial: 1}
	if old != nil {
		made.serial = old.serial + 1
	}
	for _, put := range []func(*shelf, *edition) error{p.putFront, p.putAPI, p.putBanner} {
		if err := put(s, e); err != nil {
			return nil, err
		}
	}
	if early != nil && old != nil && old.now != nil {
		mixed, err := made.over(old, s)
		if err != nil {
			return nil, err
		}
		early(mixed)
	}
	for _, put := range []func(*shelf, *edition) error{p.putPages, p.putCharts, p.putFeeds, p.putWellKnown} {
		if err := put(s, e); err != nil {
			return nil, err
		}
	}
	return made, made.putVersion(s, old)
}

// over is a site whose first documents are new and the others old.
func (made *site) over(old *site, s *shelf) (*site, error) {
	mixed := &site{docs: maps.Clone(old.docs), now: made.now, versions: maps.Clone(old.versions), serial: made.serial}
	maps.Copy(mixed.docs, made.docs)
	maps.Copy(mixed.versions, made.versions)
	aside := newShelf(s.old, s.now)
	aside.docs = mixed.docs
	return mixed, mixed.putVersion(aside, old)
}

// putFront shelves what people look at first.
func (p *press) putFront(s *shelf, e *edition) error {
	if err := e.shelve(s, "/", "front", p.front(e)); err != nil {
		return err
	}
	for _, i := range e.sum.Active {
		if err := e.shelve(s, "/issues/"+i.ID, "issue", p.issue(e, i)); err != nil {
			return err
		}
	}
	return nil
}

// shelve renders a page that stays current in open browsers.
func (e *edition) shelve(s *shelf, path, name string, page any) error {
	raw, err := e.render(name, page)
	if err == nil {
		s.live[path] = s.put(path, htmlKind, raw).version()
	}
	return err
}

// keptAhead is how many issues that are over have their pages rendered ahead, and
// how long a month may be for that. What is beyond is made when asked for.
const keptAhead = 100

func (p *press) putPages(s *shelf, e *edition) error {
	recent, old := lastDays(e.now, p.cfg.TimeZone, pastDays)[0], 0
	for _, i := range e.view.Issues {
		if i.Open() {
			continue // on the shelf already
		}
		if old++; old <= keptAhead && i.ResolvedAt.After(recent) {
			if err := e.shelve(s, "/issues/"+i.ID, "issue", p.issue(e, i)); err != nil {
				return err
			}
		}
	}
	for _, m := range e.view.Maintenances {
		if !m.Over() || m.EndedAt.After(recent) {
			if err := e.shelve(s, "/maintenance/"+m.ID, "maintenance", p.work(e, m)); err != nil {
				return err
			}
		}
	}
	w := monthOf(e.now, p.cfg.TimeZone)
	issues, works := e.within(w)
	if len(issues)+len(works) > keptAhead {
		return nil // it would take longer than all the rest: whoever asks waits a moment
	}
	raw, err := e.render("history", p.month(e, w, issues, works))
	if err != nil {
		return err
	}
	path := monthPath(e.now, p.cfg.TimeZone)
	s.docs["/history"] = s.put(path, htmlKind, raw)
	return nil
}

// versionDoc tells the script of a page whether to fetch it anew.
type versionDoc struct {
	Revision int64             `json:"revision"` // that last changed a page
	Pages    map[string]string `json:"pages"`    // ETag without quotes, by path
}

// putVersion adds version.json. Most revisions change nothing that visitors
// see; then it stays as it is, so open browsers get a 304.
func (made *site) putVersion(s *shelf, old *site) error {
	const path = "/version.json"
	if old != nil && maps.Equal(old.versions, made.versions) {
		made.docs[path] = old.docs[path]
		return nil
	}
	raw, err := jsonBytes(versionDoc{Revision: made.now.view.Revision, Pages: made.versions})
	if err == nil {
		s.put(path, jsonKind, raw)
	}
	return err
}

func (p *press) putFeeds(s *shelf, e *edition) error {
	for _, f := range []feed{p.history(e), p.updates(e)} {
		for ending, form := range feedForms {
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
	s := newShelf(nil, now)
	p.assets.put(s)
	p.putStanding(s, now)
	s.put("/favicon.svg", iconKind, p.assets.icons[classNone].data)
	s.put("/banner.js", bannerKind, p.assets.banner.with([]byte("null")))
	e := p.unknown(now)
	title := e.lang.say("unavailable.title")
	raw, err := e.render("frame", framePage{
		shell: live(p.shell(e, "/", title, title)), Heading: title, Body: "<p>" + e.lang.tell("unavailable.text") + "</p>",
	})
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
	return &site{docs: s.docs}, nil
}

// edition is the state of the world in the language of the page.
func (p *press) edition(v status.View, now, late time.Time) *edition {
	return newEdition(v, now, late).in(p.languages[0])
}

// unknown is the edition before anything is known.
func (p *press) unknown(now time.Time) *edition {
	return p.edition(status.View{}, now, time.Time{})
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
	return e.render("frame", f)
}

// notFound is the page for an address that holds nothing.
func (p *press) notFound(now time.Time) (*Doc, error) {
	e := p.unknown(now)
	raw, err := p.frame(e, "/", e.lang.say("missing.title"), e.lang.lost())
	if err != nil {
		return nil, err
	}
	return newDoc(404, htmlKind, raw, now), nil
}
