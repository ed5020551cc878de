package pages

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Demand returns the document of a path, making it if it is not rendered ahead:
// an older issue, maintenance or month, a component, uptime, and any page in
// another language than the page's own. Several callers at once share one
// making. What is made is remembered while it would be made the same, and used
// beyond that while the source does not answer. status.ErrNotFound: there is
// nothing at this path.
func (p *Publisher) Demand(ctx context.Context, path string) (*Doc, error) {
	s := p.site.Load()
	if s.now == nil && p.resumed != nil { // in a moment it is
		select {
		case <-p.resumed:
			s = p.site.Load()
		case <-ctx.Done():
		}
	}
	l, plain := p.press.languages.split(path)
	if l == p.press.languages[0] {
		if doc := s.docs[plain]; doc != nil {
			return doc, nil
		}
	}
	a, ok := p.press.address(plain, p.clock.Now())
	if !ok || a.besides() && l != p.press.languages[0] {
		return nil, fmt.Errorf("page %s: %w", path, status.ErrNotFound)
	}
	if s.now == nil {
		return nil, fmt.Errorf("page %s: nothing is known yet", path)
	}
	old := p.memory.get(path)
	if old.doc != nil && old.fresh(s) {
		return old.doc, nil
	}
	made, err, _ := p.flight.Do(path, func() (any, error) {
		// One caller works for all: it must not stop when that one leaves.
		patience := readTimeout
		if !s.now.late.IsZero() {
			patience = lateTimeout
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		s, made, read, err := p.whole(ctx, s, l, a)
		if err != nil {
			return nil, err
		}
		k, raw, err := made.finished(s.now.in(l), read)
		if err != nil {
			return nil, err
		}
		doc := p.press.shelf(&site{docs: map[string]*Doc{path: old.doc}}, p.clock.Now()).put(path, k, raw)
		if !doc.packed {
			doc = doc.pack(always)
		}
		p.memory.put(remembered{path: path, serial: s.serial, revision: s.now.view.Revision, read: read, doc: doc})
		return doc, nil
	})
	switch {
	case err == nil:
		return made.(*Doc), nil
	case old.doc != nil && !errors.Is(err, status.ErrNotFound):
		return old.doc, nil
	}
	return nil, fmt.Errorf("page %s: %w", path, err)
}

// A composition is a page and the template for it, or a document in another
// form, finished.
type composition struct {
	name    string
	content any

	kind kind
	raw  []byte

	// strange: it is about components that the view does not know. They are
	// archived, or younger than the view.
	strange bool
}

// whole composes a page, and once more on a newer view where what was read is about
// components that came after the view: an import in another process writes both, and
// its wake may still be on the way. The site is the one it was composed for.
func (p *Publisher) whole(ctx context.Context, s *site, l *language, a address) (*site, composition, bool, error) {
	c, read, err := p.compose(ctx, s.now.in(l), a)
	if err != nil || !c.strange {
		return s, c, read, err
	}
	revision, err := p.source.Revision(ctx)
	if err != nil || revision <= s.now.view.Revision || p.Begin(ctx) != nil {
		return s, c, read, nil
	}
	s = p.site.Load()
	c, read, err = p.compose(ctx, s.now.in(l), a)
	return s, c, read, err
}

// compose makes the page of an address: of the view in memory, or when that
// does not hold it, of what is read from the source.
func (p *Publisher) compose(ctx context.Context, e *edition, a address) (c composition, read bool, err error) {
	if a.besides() {
		return p.composeBesides(ctx, e, a)
	}
	switch a.kind {
	case "front":
		return composition{name: "front", content: p.press.front(e)}, false, nil
	case "component":
		page, err := p.press.component(e, a.id)
		return composition{name: "component", content: page}, false, err
	case "issue":
		i, read, err := p.findIssue(ctx, e, a.id)
		if err != nil {
			return c, read, err
		}
		return composition{name: "issue", content: p.press.issue(e, i), strange: read && e.strange(&i)}, read, nil
	case "maintenance":
		m, read, err := p.findWork(ctx, e, a.id)
		if err != nil {
			return c, read, err
		}
		return composition{name: "maintenance", content: p.press.work(e, m)}, read, nil
	case "charts":
		return composition{name: "charts", content: p.press.chartsPage(e)}, false, nil
	case "uptime":
		view, w := e.view, p.press.uptimeWindow(a.month)
		if read = w.From.Before(p.press.historyStart(e.now)); read {
			if view, err = p.source.During(ctx, w); err != nil {
				return c, read, err
			}
		}
		return composition{name: "uptime", content: p.press.uptime(e, a.month, view)}, read, nil
	}
	issues, works := e.within(a.month)
	if read = a.month.From.Before(p.press.historyStart(e.now)); read {
		var old []status.Issue
		if old, works, err = p.source.Month(ctx, a.month); err != nil {
			return c, read, err
		}
		issues = status.Shared(old)
	}
	return composition{name: "history", content: p.press.month(e, a.month, issues, works), strange: read && e.strange(issues...)}, read, nil
}

// finished is the document. A page that was read from the source is old and
// hardly changes.
func (c composition) finished(e *edition, read bool) (kind, []byte, error) {
	if c.raw != nil {
		return c.kind, c.raw, nil
	}
	raw, err := e.render(c.name, c.content, 0)
	if read {
		return oldKind, raw, err
	}
	return htmlKind, raw, err
}

// strange reports whether issues are about components that the view does not know.
func (e *edition) strange(issues ...*status.Issue) bool {
	return slices.ContainsFunc(issues, func(i *status.Issue) bool {
		return slices.ContainsFunc(e.worst(*i), func(a status.Affected) bool {
			_, known := e.names[a.ComponentID]
			return !known
		})
	})
}

func (p *Publisher) findIssue(ctx context.Context, e *edition, id string) (i status.Issue, read bool, err error) {
	for _, i := range e.view.Issues {
		if i.ID == id {
			return *i, false, nil
		}
	}
	i, err = p.source.PublicIssue(ctx, id)
	if err == nil && !i.Public() {
		err = status.ErrNotFound
	}
	return i, true, err
}

func (p *Publisher) findWork(ctx context.Context, e *edition, id string) (m status.Maintenance, read bool, err error) {
	for _, m := range e.view.Maintenances {
		if m.ID == id {
			return m, false, nil
		}
	}
	m, err = p.source.PublicMaintenance(ctx, id)
	return m, true, err
}

// memory holds the pages that were asked for last, a bounded number of them.
type memory struct {
	mu    sync.Mutex
	limit int
	order *list.List // of remembered, the latest in front
	by    map[string]*list.Element
}

type remembered struct {
	path     string
	serial   int64 // of the site it was made for
	revision int64
	read     bool // from the source, not from the view in memory
	doc      *Doc
}

// fresh reports whether the page would be made the same for a site. One of the
// past depends on what is stored; one of the present on the clock as well.
func (r remembered) fresh(s *site) bool {
	if r.read {
		return r.revision == s.now.view.Revision
	}
	return r.serial == s.serial
}

func newMemory(limit int) *memory {
	return &memory{limit: limit, order: list.New(), by: map[string]*list.Element{}}
}

// get returns what is known of a path.
func (m *memory) get(path string) remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	el, ok := m.by[path]
	if !ok {
		return remembered{}
	}
	m.order.MoveToFront(el)
	return el.Value.(remembered)
}

func (m *memory) put(r remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if el, ok := m.by[r.path]; ok {
		m.order.Remove(el)
	}
	m.by[r.path] = m.order.PushFront(r)
	if m.order.Len() > m.limit {
		oldest := m.order.Back()
		m.order.Remove(oldest)
		delete(m.by, oldest.Value.(remembered).path)
	}
}
