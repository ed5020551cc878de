package pages

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Demand returns the document of a path, making it if it is an older issue,
// maintenance or month. Several callers at once share one making. What is made
// is remembered until the next revision, and used beyond that while the source
// does not answer. status.ErrNotFound: there is nothing at this path.
func (p *Publisher) Demand(ctx context.Context, path string) (*Doc, error) {
	s := p.site.Load()
	if doc := s.docs[path]; doc != nil {
		return doc, nil
	}
	a, ok := p.press.address(path, p.clock.Now())
	if !ok {
		return nil, fmt.Errorf("page %s: %w", path, status.ErrNotFound)
	}
	if s.now == nil {
		return nil, fmt.Errorf("page %s: nothing is known yet", path)
	}
	old, revision := p.memory.get(path)
	if old != nil && revision == s.now.view.Revision {
		return old, nil
	}
	made, err, _ := p.flight.Do(path, func() (any, error) {
		// One caller works for all: it must not stop when that one leaves.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		defer cancel()
		doc, err := p.make(ctx, s, a, path, old)
		if err != nil {
			return nil, err
		}
		p.memory.put(path, s.now.view.Revision, doc)
		return doc, nil
	})
	switch {
	case err == nil:
		return made.(*Doc), nil
	case old != nil && !errors.Is(err, status.ErrNotFound):
		return old, nil
	}
	return nil, fmt.Errorf("page %s: %w", path, err)
}

// make renders an old page, from the view in memory when that holds it.
func (p *Publisher) make(ctx context.Context, s *site, a address, path string, old *Doc) (*Doc, error) {
	e := s.now
	var raw []byte
	var err error
	switch a.kind {
	case "issue":
		var i status.Issue
		if i, err = p.findIssue(ctx, e, a.id); err != nil {
			return nil, err
		}
		raw, err = e.render("issue", p.press.issue(e, i))
	case "maintenance":
		var m status.Maintenance
		if m, err = p.findWork(ctx, e, a.id); err != nil {
			return nil, err
		}
		raw, err = e.render("maintenance", p.press.work(e, m))
	default:
		issues, works := e.within(a.month)
		if a.month.From.Before(p.press.historyStart(e.now)) {
			if issues, works, err = p.source.Month(ctx, a.month); err != nil {
				return nil, err
			}
		}
		raw, err = e.render("history", p.press.month(e, a.month, issues, works))
	}
	if err != nil {
		return nil, err
	}
	sh := newShelf(map[string]*Doc{path: old}, p.clock.Now())
	return sh.put(path, oldKind, raw), nil
}

func (p *Publisher) findIssue(ctx context.Context, e *edition, id string) (status.Issue, error) {
	for _, i := range e.view.Issues {
		if i.ID == id {
			return i, nil
		}
	}
	i, err := p.source.PublicIssue(ctx, id)
	if err == nil && !i.Public() {
		err = status.ErrNotFound
	}
	return i, err
}

func (p *Publisher) findWork(ctx context.Context, e *edition, id string) (status.Maintenance, error) {
	for _, m := range e.view.Maintenances {
		if m.ID == id {
			return m, nil
		}
	}
	return p.source.PublicMaintenance(ctx, id)
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
	revision int64
	doc      *Doc
}

func newMemory(limit int) *memory {
	return &memory{limit: limit, order: list.New(), by: map[string]*list.Element{}}
}

// get returns what is known of a path and of which revision it is.
func (m *memory) get(path string) (*Doc, int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	el, ok := m.by[path]
	if !ok {
		return nil, 0
	}
	m.order.MoveToFront(el)
	r := el.Value.(remembered)
	return r.doc, r.revision
}

func (m *memory) put(path string, revision int64, doc *Doc) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if el, ok := m.by[path]; ok {
		m.order.Remove(el)
	}
	m.by[path] = m.order.PushFront(remembered{path, revision, doc})
	if m.order.Len() > m.limit {
		oldest := m.order.Back()
		m.order.Remove(oldest)
		delete(m.by, oldest.Value.(remembered).path)
	}
}
