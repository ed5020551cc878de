package pages

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// The pages themselves are kept beside the view they were made of: to read and
// render a long history takes longer than a visitor waits, so a restart shows
// what was shown last, and renders meanwhile.

// lastPagesForm is the form of the file; another one is not read.
const lastPagesForm = 2

// lastPages begins the file; the documents follow, one by one.
type lastPages struct {
	Form int    `json:"form"`
	Of   string `json:"of"`
	Docs int    `json:"docs"`
}

// settingsOf stands for all that pages are made of besides the view: what an
// operator chose, and the release by its own documents. Pages of another address,
// name or release are not shown again.
func settingsOf(cfg Config, own *site) (string, error) {
	cfg.DataDir = ""
	chosen, err := json.Marshal(cfg)
	if err != nil {
		return "", fmt.Errorf("what the pages are made of: %w", err)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n", chosen, cfg.TimeZone)
	for _, path := range slices.Sorted(maps.Keys(own.docs)) {
		fmt.Fprintf(h, "%s\n", path)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

type keptDoc struct {
	Path string `json:"path"`
	Doc  *Doc   `json:"doc"`
}

func (k *keeper) pagesFile() string { return filepath.Join(k.dir, "last-pages") }

// resumeWithin is how old kept pages may be: what is older may tell of a world
// that is gone.
const resumeWithin = time.Hour

// loadPages returns the kept documents by path.
func (k *keeper) loadPages(now time.Time) (map[string]*Doc, error) {
	if k.dir == "" {
		return nil, status.ErrNotFound
	}
	f, err := os.Open(k.pagesFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, status.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || now.Sub(info.ModTime()) > resumeWithin {
		return nil, errors.Join(err, status.ErrNotFound)
	}
	d := json.NewDecoder(bufio.NewReaderSize(f, 64<<10))
	var last lastPages
	err = d.Decode(&last)
	if err == nil && last.Form != lastPagesForm {
		err = fmt.Errorf("it is of form %d, want %d", last.Form, lastPagesForm)
	}
	if err == nil && last.Of != k.settings {
		return nil, status.ErrNotFound // another release, or other settings
	}
	docs := make(map[string]*Doc, last.Docs)
	for n := 0; n < last.Docs && err == nil; n++ {
		one := keptDoc{Doc: &Doc{}}
		if err = d.Decode(&one); err == nil {
			one.Doc.packed = one.Doc.Brotli != nil
			docs[one.Path] = one.Doc
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be used and will be written anew: %w", k.pagesFile(), err)
	}
	return docs, nil
}

// savePages keeps the documents of a site that shows a revision.
func (k *keeper) savePages(s *site, now time.Time, rest func()) error {
	if k.dir == "" || s.now == nil || !s.now.late.IsZero() {
		return nil
	}
	if k.pagesKept && k.pagesRevision == s.now.view.Revision {
		return os.Chtimes(k.pagesFile(), now, now)
	}
	err := replaceFile(k.pagesFile(), func(w io.Writer) error {
		e := json.NewEncoder(w)
		err := e.Encode(lastPages{Form: lastPagesForm, Of: k.settings, Docs: len(s.docs)})
		for _, path := range slices.Sorted(maps.Keys(s.docs)) {
			if err == nil {
				err = e.Encode(keptDoc{path, s.docs[path]})
			}
			rest()
		}
		return err
	})
	if err != nil {
		return err
	}
	k.pagesKept, k.pagesRevision = true, s.now.view.Revision
	return os.Chtimes(k.pagesFile(), now, now)
}

// Resume shows the pages that were shown last, if they were lately: for a restart.
// Nothing is known yet: Run, which must follow, renders what is true now.
func (p *Publisher) Resume() bool {
	p.refresh.Lock()
	defer p.refresh.Unlock()
	docs, err := p.keep.loadPages(p.clock.Now())
	if err != nil {
		if !errors.Is(err, status.ErrNotFound) {
			p.log.Warn("the pages that were shown last cannot be used", "err", err)
		}
		return false
	}
	for path, doc := range p.site.Load().docs { // what the kept pages do not have, such as assets
		if docs[path] == nil {
			docs[path] = doc
		}
	}
	p.site.Store(&site{docs: docs})
	p.resumed = make(chan struct{})
	return true
}

// begun ends the time of resumed pages: the first view was rendered, or could not
// be read.
func (p *Publisher) begun() {
	if p.resumed != nil {
		p.resumedOnce.Do(func() { close(p.resumed) })
	}
}
