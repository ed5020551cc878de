package pages

import (
	"html/template"
	"maps"
	"reflect"
	"sync"
	"time"
	"unsafe"

	"github.com/statusbridge/statusbridge/internal/status"
)

// A shell is what stands around the content of every page.
type shell struct {
	Lang        string // BCP 47
	Dir         string
	Base        string // what paths in its language begin with
	Home        string // absolute, without a path
	Languages   []alternate
	Name        string
	Title       string // of the document
	Description string
	Canonical   string
	Live        bool   // the script keeps it current
	Class       string // of the state of the whole
	Style       string // URL path
	Script      string
	Icon        string
	Logo        string
	Sprite      template.HTML
	SupportURL  string
	TwitterURL  string
	Mail        bool
	Feeds       []feedLink
	Card        string // absolute URL of the picture for previews
	CardAlt     string
	Facts       map[string]any // about the page, in the words of schema.org
	Late        *moment
	Zone        string // name of the page's time zone, "" when it is UTC
}

// An edition is one state of the world at one moment, with what all pages need
// of it worked out once.
type edition struct {
	view   status.View
	open   []int     // places of the issues that are open
	now    time.Time // whole minutes
	late   time.Time // last successful reading; zero: the view is current
	sum    status.Summary
	head   headline
	lang   *language
	behind *backdrop
	names  map[string]string // of public components, by id
	slugs  map[string]string
	texts  *memo[string, template.HTML]  // rendered bodies by their source: each is shown several times
	bars   *memo[barsKey, barred]        // the days of components
	lines  *memo[lineKey, template.HTML] // components in lists
	rows   *memo[rowKey, madeRow]        // the same, while the clock stands
	cards  *memo[issueKey, issueCard]    // open issues
	items  *memo[issueKey, pastItem]     // issues in lists
	// coming are the times of series that are no maintenances yet
	coming *memo[seriesKey, []time.Time]
	ends   func() ends
	// outages of each component, worked out when first asked for
	outages func() map[string][]status.Outage
}

// A backdrop is what stands behind the pages of all issues: the clock, the state of
// the whole, the names of components and the corrections. An edition with the same
// as the one before shares it.
type backdrop struct {
	now, late   time.Time
	class       string
	names       map[string]string
	corrections []status.Correction
}

func (b *backdrop) same(o *backdrop) bool {
	return b.now.Equal(o.now) && b.late.Equal(o.late) && b.class == o.class && maps.Equal(b.names, o.names) && reflect.DeepEqual(b.corrections, o.corrections)
}

// An alternate is the same page in another language.
type alternate struct {
	Code    string
	Name    string // as its readers call it
	Path    string
	URL     string
	Present bool // the one that is being read
}

// rich is richText, once for each body.
func (e *edition) rich(source string) template.HTML {
	return e.texts.get(source, func() template.HTML { return richText(source) })
}

// said is what an update says.
func (e *edition) said(u status.Update) template.HTML {
	if u.State == status.StatePostmortem {
		return e.texts.get("post-mortem\x00"+u.Body, func() template.HTML { return essay(u.Body) })
	}
	return e.rich(u.Body)
}

// newEdition is the edition that comes after another one; nil: after none.
func newEdition(v status.View, now, late time.Time, old *edition) *edition {
	now = now.UTC().Truncate(time.Minute)
	open := openOf(v.Issues, old)
	e := &edition{
		view: v, open: open, now: now, late: late, sum: overview(v, open, now),
		names: map[string]string{}, slugs: map[string]string{}, texts: newMemo[string, template.HTML](), bars: newMemo[barsKey, barred](),
		lines: newMemo[lineKey, template.HTML](), rows: newMemo[rowKey, madeRow](), cards: newMemo[issueKey, issueCard](), items: newMemo[issueKey, pastItem](),
		coming: newMemo[seriesKey, []time.Time](), lang: english(),
	}
	e.ends = sync.OnceValue(func() ends { return e.findEnds(nil) })
	e.head = headlineOf(v, e.sum)
	e.outages = sync.OnceValue(func() map[string][]status.Outage { return v.OutagesByComponent(now) })
	for _, c := range v.Components {
		e.names[c.ID] = oneLine(c.Name)
		e.slugs[c.ID] = c.Slug
	}
	e.behind = &backdrop{now, late, e.head.Class, e.names, v.Corrections}
	return e
}

// openOf finds the issues that are open. Of those of the edition before, unless nil,
// it is known.
func openOf(list []*status.Issue, old *edition) []int {
	var earlier []*status.Issue
	var known, open []int
	if old != nil {
		earlier, known = old.view.Issues, old.open
	}
	status.Pair(list, earlier, func(n, was int) {
		if was < 0 {
			if list[n].Open() {
				open = append(open, n)
			}
			return
		}
		for len(known) > 0 && known[0] < was {
			known = known[1:]
		}
		if len(known) > 0 && known[0] == was {
			open = append(open, n)
		}
	})
	return open
}

// overview is that of a view, for which no issue counts that is over.
func overview(v status.View, open []int, now time.Time) status.Summary {
	issues := v.Issues
	v.Issues = make([]*status.Issue, len(open))
	for n, at := range open {
		v.Issues[n] = issues[at]
	}
	return status.Overview(v, now)
}

// after takes over from the edition before what needs not be made again.
func (e *edition) after(old *edition) *edition {
	if old != nil {
		if e.behind.same(old.behind) {
			e.behind = old.behind
		}
		e.texts, e.bars, e.lines, e.rows = old.texts.next(), old.bars.next(), old.lines.next(), old.rows.next()
		e.coming = old.coming.next()
		if maps.Equal(e.names, old.names) {
			e.cards, e.items = old.cards.next(), old.items.next()
		}
		e.ends = sync.OnceValue(func() ends { return e.findEnds(old) })
		e.ends() // now, that no chain of old editions is kept
	}
	return e
}

// take takes over all that was worked out for an edition that shows the same.
func (e *edition) take(same *edition) {
	e.texts, e.bars, e.lines, e.rows, e.cards, e.items = same.texts, same.bars, same.lines, same.rows, same.cards, same.items
	e.coming, e.outages, e.ends, e.behind = same.coming, same.outages, same.ends, same.behind
}

// in is the edition in a language.
func (e *edition) in(l *language) *edition {
	other := *e
	other.lang = l
	return &other
}

// path is where a page stands in the language of the edition.
func (e *edition) path(path string) string { return e.lang.base + path }

// headline is the state of the whole for people.
func (e *edition) headline() string { return e.lang.say(headlineKeys[e.head.Text]) }

// shows reports whether another edition would look exactly like this one. A list
// of issues is the same when it is at the same place: to compare a long one takes
// longer than to find while rendering that nothing changed.
func (e *edition) shows(other *edition) bool {
	a, b := e.view, other.view
	if len(a.Issues) != len(b.Issues) || unsafe.SliceData(a.Issues) != unsafe.SliceData(b.Issues) {
		return false
	}
	a.Revision, b.Revision, a.Issues, b.Issues = 0, 0, nil, nil
	return e.now.Equal(other.now) && e.late.Equal(other.late) && reflect.DeepEqual(a, b)
}

// changed is when anything that visitors can see last changed, zero if nothing
// ever did. Private work on an issue does not count.
func (e *edition) changed() time.Time { return e.ends().changed }

func issueChanged(i *status.Issue) time.Time {
	last := latest(i.PublishedAt, i.ResolvedAt)
	for n := range i.Updates {
		last = latest(last, i.Updates[n].DisplayAt, i.Updates[n].EditedAt)
	}
	return last
}

func workChanged(m status.Maintenance) time.Time {
	last := latest(m.CreatedAt, m.StartedAt, m.EndedAt)
	for _, u := range m.Updates {
		last = latest(last, u.DisplayAt, u.EditedAt)
	}
	return last
}

// shell dresses a page: path is its own, without a language; title is what it is
// about.
func (p *press) shell(e *edition, path, title, description string) shell {
	s := shell{
		Lang: e.lang.code, Dir: e.lang.say("language.dir"), Base: e.lang.base, Home: p.cfg.PublicURL, Name: p.cfg.Name, Description: description,
		Canonical: p.cfg.PublicURL + e.path(path), Class: e.head.Class, Style: p.assets.style.path, Script: p.assets.script.path,
		Sprite: p.assets.sprite, SupportURL: p.cfg.SupportURL, TwitterURL: p.cfg.TwitterURL, Mail: p.cfg.Mail,
		Feeds: p.feedLinks(e, "/history", p.cfg.Name),
	}
	if s.Title = p.cfg.Name; title != "" {
		s.Title = title + " · " + p.cfg.Name
	}
	for _, l := range p.languages {
		s.Languages = append(s.Languages, alternate{
			Code: l.code, Name: l.say("language.name"), Path: l.base + path, URL: p.cfg.PublicURL + l.base + path, Present: l == e.lang,
		})
	}
	s.Card, s.CardAlt, s.Facts = p.cfg.PublicURL+cardPath, p.cfg.Name, p.facts(s)
	if len(s.Languages) == 1 {
		s.Languages = nil
	}
	if !e.late.IsZero() {
		at := e.moment(e.late)
		s.Late = &at
	}
	s.Icon = p.assets.icons[s.Class].path
	if p.assets.logo != nil {
		s.Logo = p.assets.logo.path
	}
	if zone := p.cfg.TimeZone.String(); zone != "UTC" && zone != "Etc/UTC" {
		s.Zone = zone
	}
	return s
}

// live has the script keep the page current.
func live(s shell) shell {
	s.Live = true
	return s
}
