package pages

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/statusbridge/statusbridge/internal/status"
)

// How long the source may take to answer, and how soon it is asked again.
const (
	readTimeout = 10 * time.Second
	lateTimeout = time.Second // for a visitor, while it is known not to answer
	firstRetry  = time.Second
	lastRetry   = 30 * time.Second
)

// Publisher keeps the public site current. Find may be called by anybody at
// any time; it never waits.
type Publisher struct {
	press    *press
	source   Source
	clock    Clock
	log      *slog.Logger
	site     atomic.Pointer[site]
	notFound func() map[string]*Doc // by language

	saving    sync.Mutex
	keep      keeper
	good      atomic.Pointer[goodView] // to be kept
	restUntil time.Time

	took    atomic.Int64 // nanoseconds of the last rendering
	refresh sync.Mutex   // one rendering at a time
	read    time.Time    // last successful reading
	failing bool
	dressBy time.Time // when the pages of the past must show the present state, too
	ledger  status.Ledger

	// resumed ends when what is known takes the place of resumed pages; nil without.
	resumed     chan struct{}
	resumedOnce sync.Once

	flight singleflight.Group
	memory *memory
}

// New makes a publisher whose pages say that nothing is known yet.
func New(cfg Config, source Source, clock Clock, log *slog.Logger) (*Publisher, error) {
	press, err := newPress(cfg)
	if err != nil {
		return nil, err
	}
	p := &Publisher{press: press, source: source, clock: clock, log: log, memory: newMemory(512), keep: keeper{dir: cfg.DataDir}}
	now := clock.Now()
	p.notFound = sync.OnceValue(func() map[string]*Doc { return press.notFound(now) })
	s, err := press.blank(now)
	if err != nil {
		return nil, err
	}
	p.site.Store(s)
	p.keep.settings, err = settingsOf(press.cfg, s)
	return p, err
}

// Recall shows the last good view from the data directory, marked late, if there
// is one: for a start without a database.
func (p *Publisher) Recall() {
	p.refresh.Lock()
	defer p.refresh.Unlock()
	p.recall()
}

func (p *Publisher) recall() {
	view, read, err := p.keep.load()
	if errors.Is(err, status.ErrNotFound) {
		return
	}
	if err == nil {
		p.read = read
		now := p.clock.Now()
		var s *site
		if s, err = p.press.site(p.press.edition(view, now, read, nil), p.site.Load(), now); err == nil {
			p.site.Store(s)
			return
		}
	}
	p.log.Warn("the last good view cannot be used", "err", err)
}

// Run keeps the site current until ctx is done: it renders when woken, at the
// turn of each minute for what the clock alone changes, and looks every few
// seconds in between, which also makes up for a wake that was lost.
func (p *Publisher) Run(ctx context.Context, wake <-chan struct{}) error {
	retry := firstRetry
	var saving sync.WaitGroup
	defer func() {
		saving.Wait()
		p.save(func() {}, true)
	}()
	for {
		wait := min(untilNextMinute(p.clock.Now()), lookEvery)
		if err := p.Begin(ctx); err != nil && ctx.Err() == nil {
			wait, retry = min(wait, retry), min(2*retry, lastRetry)
		} else {
			retry = firstRetry
		}
		rests := breaths{clock: p.clock} // the first at once: who asks for the news gets it now
		p.finish(func() bool {
			rests.draw(ctx)
			return len(wake) == 0 && ctx.Err() == nil
		})
		saving.Go(func() {
			rests := breaths{p.clock, p.clock.Now()}
			p.save(func() { rests.draw(ctx) }, false)
			if len(wake) == 0 {
				collectEarly()
			}
		})
		if err := p.clock.Wait(ctx, wait, wake); err != nil {
			return err
		}
	}
}

// Breaths are drawn by work that may wait. Where there is one core, who comes with an
// alert or for a page would else wait for a time slice, which is longer than all that
// they want.
type breaths struct {
	clock Clock
	last  time.Time
}

// What is done in one breath, and how long it takes to draw the next.
const (
	breath  = time.Millisecond
	between = time.Millisecond
)

func (b *breaths) draw(ctx context.Context) {
	if b.clock.Now().Sub(b.last) < breath {
		return
	}
	_ = b.clock.Wait(ctx, between, nil) // its end is seen elsewhere
	b.last = b.clock.Now()
}

// restBetweenSaves is how many times as long as a save the disk then has rest:
// the view of a long history takes a while to write, and in a storm it changes
// many times a second.
const restBetweenSaves = 20

// save keeps the last view on disk, one caller at a time, and unless it must be
// not too often; the next look makes up for it. It rests between the parts.
func (p *Publisher) save(rest func(), must bool) {
	if must {
		p.saving.Lock()
	} else if !p.saving.TryLock() {
		return
	}
	defer p.saving.Unlock()
	now := p.clock.Now()
	good := p.good.Load()
	if good == nil || !must && now.Before(p.restUntil) {
		return
	}
	if err := p.keep.save(good.view, good.read, rest); err != nil {
		p.log.Warn("the last good view cannot be kept", "err", err)
	}
	if err := p.keep.savePages(p.site.Load(), good.read, rest); err != nil {
		p.log.Warn("the pages cannot be kept for a restart", "err", err)
	}
	end := p.clock.Now()
	p.restUntil = end.Add(restBetweenSaves * end.Sub(now))
}

// lookEvery is how often the view is read without a wake: a database that died
// wakes nobody, and visitors are to know that the page may be late.
const lookEvery = 10 * time.Second

func untilNextMinute(now time.Time) time.Duration {
	return now.Truncate(time.Minute).Add(time.Minute).Sub(now)
}

// Refresh reads the view, renders it and keeps it on disk. When it cannot be
// read, the last one is rendered again with a notice, and the error returned.
func (p *Publisher) Refresh(ctx context.Context) error {
	err := p.Begin(ctx)
	p.finish(always)
	if err == nil {
		p.save(func() {}, true)
	}
	return err
}

// restAtMost is how long the pages of the past may show an earlier state around
// them while news comes in all the time.
const restAtMost = time.Second

// finish does what may wait until the news is out: it brings the pages of the past
// up to date and compresses better. It stops when there is news again.
func (p *Publisher) finish(quiet func() bool) {
	p.refresh.Lock()
	defer p.refresh.Unlock()
	s := p.site.Load()
	if s.now == nil {
		return
	}
	if !s.dressed {
		wanted := func() bool { return quiet() || !p.clock.Now().Before(p.dressBy) }
		dressed, err := p.press.dress(s, p.clock.Now(), wanted)
		if err != nil {
			p.log.Error("pages of the past cannot be rendered; the last ones stay", "err", err)
		}
		if dressed == nil {
			return
		}
		s = dressed
		p.site.Store(s)
	}
	p.site.Store(s.pack(quiet))
}

// show puts a site in the place of the old one.
func (p *Publisher) show(s, old *site, now time.Time) {
	if old.dressed || old.now == nil {
		p.dressBy = now.Add(restAtMost)
	}
	p.site.Store(s)
}

// Begin is Refresh without what may wait, which Run sees to.
func (p *Publisher) Begin(ctx context.Context) error {
	p.refresh.Lock()
	defer p.refresh.Unlock()
	defer p.begun()
	view, err := p.look(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	now := p.clock.Now()
	if err != nil {
		if !p.failing {
			p.log.Error("the public view cannot be read; the last one stays", "err", err)
		}
		p.failing = true
		if p.site.Load().now == nil && p.resumed != nil {
			p.recall() // resumed pages do not say that they are late
		}
		return errors.Join(fmt.Errorf("read the public view: %w", err), p.repeat(now))
	}
	if p.failing {
		p.log.Info("the public view can be read again", "revision", view.Revision)
	}
	p.failing, p.read = false, now
	s, err := p.next(p.press.edition(view, now, time.Time{}, p.site.Load().now), now)
	if err != nil {
		p.log.Error("the site cannot be rendered; the last one stays", "err", err)
		return err
	}
	p.show(s, p.site.Load(), now)
	p.good.Store(&goodView{view, now})
	return nil
}

// goodView is a view and when it was true.
type goodView struct {
	view status.View
	read time.Time
}

// next is the site of an edition. Most commits are private and most wakes fall
// into the same minute: then the documents of the present site are those of
// the next.
func (p *Publisher) next(e *edition, now time.Time) (*site, error) {
	old := p.site.Load()
	if old.now == nil || !old.now.shows(e) {
		s, err := p.press.site(p.follow(e, old), old, now)
		p.took.Store(int64(p.clock.Now().Sub(now)))
		return s, err
	}
	e.take(old.now)
	return &site{docs: old.docs, now: e, leaves: old.leaves, serial: old.serial, dressed: old.dressed}, nil
}

// follow lets an edition take over what the last one knew.
func (p *Publisher) follow(e *edition, old *site) *edition {
	outages := p.ledger.Follow(e.view, e.now)
	e.outages = func() map[string][]status.Outage { return outages }
	return e.after(old.now)
}

func (p *Publisher) look(ctx context.Context) (status.View, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	return p.source.View(ctx, p.press.historyStart(p.clock.Now()))
}

// repeat renders the last view again, for the present moment and marked late.
func (p *Publisher) repeat(now time.Time) error {
	old := p.site.Load()
	if old.now == nil {
		return nil
	}
	s, err := p.press.site(p.follow(p.press.edition(old.now.view, now, p.read, old.now), old), old, now)
	if err != nil {
		return err
	}
	p.show(s, old, now)
	return nil
}

// Find returns the document of a path, nil when it is not kept ahead.
func (p *Publisher) Find(path string) *Doc { return p.site.Load().docs[path] }

// RenderTook is how long the last rendering took, zero before the first.
func (p *Publisher) RenderTook() time.Duration { return time.Duration(p.took.Load()) }

// Late reports whether what visitors see may be out of date, and since when;
// with no view at all the moment is zero.
func (p *Publisher) Late() (bool, time.Time) {
	e := p.site.Load().now
	if e == nil {
		return true, time.Time{}
	}
	return !e.late.IsZero(), e.late
}

// NotFound is the document for a path that holds nothing, in the path's language.
func (p *Publisher) NotFound(path string) *Doc {
	l, _ := p.press.languages.split(p.Canonical(path))
	return p.notFound()[l.code]
}

// Stylesheet is the URL path of the stylesheet.
func (p *Publisher) Stylesheet() string { return p.press.assets.style.path }

// Frame renders a small page that looks like the others around a body: for
// subscription forms and errors. lang is the language of the body, "" that of
// the page.
func (p *Publisher) Frame(lang, title string, body template.HTML) ([]byte, error) {
	e := p.site.Load().now
	if e == nil {
		e = p.press.unknown(p.clock.Now())
	}
	return p.press.frame(e.in(p.press.tongue(lang)), "/", title, body)
}
