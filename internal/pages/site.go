package pages

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// A site is everything the public gets at one moment. It never changes.
type site struct {
	docs   map[string]*Doc
	now    *edition        // nil: nothing is known yet
	leaves map[string]leaf // of pages, by path
	serial int64           // grows with every rendering
	// dressed: all is new, and pages of single issues show the state of the present
	// around them, too.
	dressed bool
}

// A leaf is what a page was rendered from. The same content gives the same page.
type leaf struct {
	subject any // an issue or a maintenance, nil on other pages
	content any // for the template
	live    bool
	behind  *backdrop // of the page of an issue
}

// site renders what must be new at once: the front page, open issues that changed,
// what programs read, the banner in the language of the page, and whatever else is
// about something that changed. What can be a moment older without telling anything
// wrong is taken from the old site, and dress renders it: the feeds, which readers
// ask for every few minutes, the banner in other languages, and pages whose own
// subject is as it was. What did not change is not rendered or compressed again.
func (p *press) site(e *edition, old *site, now time.Time) (*site, error) {
	s := p.shelf(old, now)
	s.hasty = true
	p.assets.put(s)
	s.put("/favicon.svg", iconKind, p.assets.icons[e.head.Class].data)
	for _, put := range []func(*shelf, *edition) error{p.putFront, p.putOpen, p.putAPI, p.putBanner, p.putFeeds, p.putWellKnown, p.putCharts, p.putPages} {
		if err := put(s, e); err != nil {
			return nil, err
		}
	}
	made := &site{docs: s.docs, now: e, leaves: s.leaves, serial: old.serial + 1}
	return made, made.putVersion(s)
}

// dress is the site with its feeds and all banners, and with the pages of single issues
// as they are with the present state around them: its icon, and the notice that the
// page may be late. It gives up with nil as soon as it is not wanted any more.
func (p *press) dress(old *site, now time.Time, wanted func() bool) (*site, error) {
	s := p.shelf(old, now)
	s.docs, s.leaves, s.wanted = maps.Clone(old.docs), maps.Clone(old.leaves), wanted
	for _, put := range []func(*shelf, *edition) error{p.putOpen, p.putBanner, p.putFeeds, p.putCharts, p.putPages} {
		if err := put(s, old.now); err != nil {
			return nil, err
		}
	}
	if !wanted() {
		return nil, nil
	}
	made := &site{docs: s.docs, now: old.now, leaves: s.leaves, serial: old.serial, dressed: true}
	return made, made.putVersion(s)
}

// shelve renders a page, unless it would be the same as on the old site.
func (e *edition) shelve(s *shelf, path, name string, k kind, l leaf) error {
	s.leaves[path] = l
	if was := s.old.leaves[path]; was.content != nil && reflect.DeepEqual(was.content, l.content) {
		s.docs[path] = s.old.docs[path]
		return nil
	}
	raw, err := e.render(name, l.content, s.sizeOf(path))
	if err == nil {
		s.put(path, k, raw)
	}
	return err
}

// keep takes a page of a single subject from the old site when there is no time: one
// about the same, or none at all if it is over, since what is missing is made when
// somebody asks for it.
func (s *shelf) keep(path string, subject any, over bool) bool {
	was, known := s.old.leaves[path]
	if !s.hasty || !known && !over || known && !reflect.DeepEqual(was.subject, subject) {
		return false
	}
	if known {
		s.docs[path], s.leaves[path] = s.old.docs[path], was
	}
	return true
}

// keepDocs takes documents from the old site when there is no time and it has them.
func (s *shelf) keepDocs(paths ...string) bool {
	if !s.hasty || s.old.now == nil {
		return false
	}
	for _, path := range paths {
		s.docs[path] = s.old.docs[path]
	}
	return true
}

// putFront shelves what people look at first.
func (p *press) putFront(s *shelf, e *edition) error {
	return e.shelve(s, "/", "front", htmlKind, leaf{content: p.front(e), live: true})
}

// putOpen shelves the pages of open issues.
func (p *press) putOpen(s *shelf, e *edition) error {
	for _, i := range e.sum.Active {
		if !s.wanted() {
			return nil
		}
		if s.keep("/issues/"+i.ID, i, false) {
			continue
		}
		if err := p.putIssue(s, e, i); err != nil {
			return err
		}
	}
	return nil
}

// putIssue shelves the page of an issue. When neither that nor what is behind it
// changed, it is not even looked what would stand on it.
func (p *press) putIssue(s *shelf, e *edition, i status.Issue) error {
	path := "/issues/" + i.ID
	alone := i.MergedInto == "" && len(e.ends().parts[i.ID]) == 0 // it tells of no other issue
	if was := s.old.leaves[path]; alone && was.behind == e.behind && reflect.DeepEqual(was.subject, i) {
		s.docs[path], s.leaves[path] = s.old.docs[path], was
		return nil
	}
	l := leaf{subject: i, content: p.issue(e, i), live: true}
	if alone {
		l.behind = e.behind
	}
	return e.shelve(s, path, "issue", htmlKind, l)
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
		if old++; old > keptAhead || !s.wanted() {
			break
		}
		if i.ResolvedAt.After(recent) && !s.keep("/issues/"+i.ID, *i, true) {
			if err := p.putIssue(s, e, *i); err != nil {
				return err
			}
		}
	}
	for _, m := range e.view.Maintenances {
		path := "/maintenance/" + m.ID
		if m.Over() && !m.EndedAt.After(recent) || s.keep(path, m, true) {
			continue
		}
		if err := e.shelve(s, path, "maintenance", htmlKind, leaf{subject: m, content: p.work(e, m), live: true}); err != nil {
			return err
		}
	}
	return p.putMonth(s, e)
}

// putMonth shelves the history of the present month, unless it is so long that
// it would take longer than all the rest: then whoever asks waits a moment.
func (p *press) putMonth(s *shelf, e *edition) error {
	w, path := monthOf(e.now, p.cfg.TimeZone), monthPath(e.now, p.cfg.TimeZone)
	if !s.keep(path, nil, true) {
		issues, works := e.within(w)
		if len(issues)+len(works) > keptAhead {
			delete(s.docs, path)
			delete(s.docs, "/history")
			delete(s.leaves, path)
			return nil
		}
		if err := e.shelve(s, path, "history", htmlKind, leaf{content: p.month(e, w, issues, works)}); err != nil {
			return err
		}
	}
	if doc := s.docs[path]; doc != nil {
		s.docs["/history"] = doc
	}
	return nil
}

// versionDoc tells the script of a page whether to fetch it anew.
type versionDoc struct {
	Revision int64             `json:"revision"` // that last changed a page
	Pages    map[string]string `json:"pages"`    // ETag without quotes, by path
}

// versions are those of the pages that stay current in open browsers.
func (made *site) versions() map[string]string {
	list := make(map[string]string, len(made.leaves))
	for path, l := range made.leaves {
		if l.live {
			list[path] = made.docs[path].version()
		}
	}
	return list
}

// putVersion adds version.json. Most revisions change nothing that visitors
// see; then it stays as it is, so open browsers get a 304.
func (made *site) putVersion(s *shelf) error {
	const path = "/version.json"
	versions := made.versions()
	if s.old.now != nil && maps.Equal(s.old.versions(), versions) {
		made.docs[path] = s.old.docs[path]
		return nil
	}
	raw, err := jsonBytes(versionDoc{Revision: made.now.view.Revision, Pages: versions})
	if err == nil {
		s.put(path, jsonKind, raw)
	}
	return err
}

// pack is the site with all documents compressed as well as they can be, as far
// as it came while that was wanted.
func (s *site) pack(wanted func() bool) *site {
	better := map[*Doc]*Doc{}
	for _, path := range slices.Sorted(maps.Keys(s.docs)) { // the front page comes first
		doc := s.docs[path]
		if doc.packed || better[doc] != nil {
			continue
		}
		if done := doc.pack(wanted); done != nil {
			better[doc] = done
		}
		if !wanted() {
			break
		}
	}
	if len(better) == 0 {
		return s
	}
	made := *s
	made.docs = make(map[string]*Doc, len(s.docs))
	for path, doc := range s.docs {
		if done := better[doc]; done != nil {
			doc = done
		}
		made.docs[path] = doc
	}
	return &made
}
