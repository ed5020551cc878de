package pages

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Exported tells what an export wrote.
type Exported struct {
	Files int
	Dead  []string // links that lead nowhere, each with the page it is on
}

// exportMark is in every folder that an export made: only such a folder, or an
// empty one, is replaced.
const exportMark = ".statusbridge-export"

// Export writes the whole public site as files that any web server can serve
// from the root of a host: all that is kept ahead, and all that can be reached
// from there. The folder is put in place whole at the end. progress is told how
// many documents of those known so far are written.
func (p *Publisher) Export(ctx context.Context, dir string, progress func(done, total int)) (Exported, error) {
	if p.site.Load().now == nil {
		return Exported{}, errors.New("export: nothing is known yet")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Exported{}, err
	}
	if err := mayReplace(dir); err != nil {
		return Exported{}, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return Exported{}, err
	}
	made, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-*")
	if err != nil {
		return Exported{}, err
	}
	defer os.RemoveAll(made) // after the exchange it is what was there before
	if err := os.Chmod(made, 0o755); err != nil {
		return Exported{}, err
	}
	x := exporter{Publisher: p, root: made, progress: progress, from: map[string]string{}}
	if err := x.run(ctx); err != nil {
		return x.report, fmt.Errorf("export: %w", err)
	}
	if err := exchange(made, dir); err != nil {
		return x.report, fmt.Errorf("export: put the files in place: %w; a mount point cannot be replaced: export into a folder in it", err)
	}
	return x.report, nil
}

// mayReplace refuses to take away what an export did not make.
func mayReplace(dir string) error {
	list, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(list) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, exportMark)); err != nil {
		return fmt.Errorf("export: %s holds files that no export made; name an empty or a new folder", dir)
	}
	return nil
}

type exporter struct {
	*Publisher
	root     string
	progress func(done, total int)
	queue    []string
	from     map[string]string // what is or was queued, and the page that links to it
	report   Exported
}

func (x *exporter) run(ctx context.Context) error {
	s := x.site.Load()
	for _, known := range slices.Sorted(maps.Keys(s.docs)) {
		x.want(known, "")
	}
	for _, known := range x.press.allBesides(s.now) {
		x.want(known, "")
	}
	for n := 0; n < len(x.queue); n++ {
		at := x.queue[n]
		doc, err := x.Demand(ctx, at)
		switch {
		case errors.Is(err, status.ErrNotFound):
			x.report.Dead = append(x.report.Dead, at+" on "+x.from[at])
			continue
		case err != nil:
			return err
		}
		if err := x.write(fileOf(at, doc), doc); err != nil {
			return err
		}
		x.follow(at, doc)
		if x.progress != nil {
			x.progress(n+1, len(x.queue))
		}
	}
	if err := x.write("404.html", x.NotFound("/")); err != nil {
		return err
	}
	for name, text := range map[string]string{
		exportMark:  "Made by `statusbridge export`. The next export replaces this folder as a whole.\n",
		".nojekyll": "", "_headers": hostHeaders(s), "nginx.conf": nginxHeaders(), "Caddyfile": caddyHeaders(),
	} {
		if err := os.WriteFile(filepath.Join(x.root, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// want queues a path once.
func (x *exporter) want(to, from string) {
	if _, queued := x.from[to]; !queued {
		x.from[to] = from
		x.queue = append(x.queue, to)
	}
}

// fileOf is the file of a document: pages have no ending, so each is the index
// of a folder.
func fileOf(at string, doc *Doc) string {
	if strings.HasPrefix(doc.ContentType, "text/html") {
		return path.Join(at, "index.html")
	}
	return at
}

// write also dates the file, so that a web server tells visitors that they have
// it already.
func (x *exporter) write(name string, doc *Doc) error {
	file := filepath.Join(x.root, filepath.FromSlash(path.Clean("/"+name)))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(file, doc.Raw, 0o644); err != nil {
		return err
	}
	x.report.Files++
	return os.Chtimes(file, doc.LastModified, doc.LastModified)
}

// follow queues what a document links to on this site.
func (x *exporter) follow(at string, doc *Doc) {
	switch {
	case doc.isPage():
		for _, link := range linksOf(doc.Raw) {
			x.own(link, at)
		}
	case at == sitemapPath:
		var m sitemap
		_ = xml.Unmarshal(doc.Raw, &m) // it was written here
		for _, entry := range m.URLs {
			x.own(entry.Loc, at)
		}
	}
}

// own queues a link if it stays on this site.
func (x *exporter) own(link, from string) {
	rest, absolute := strings.CutPrefix(link, x.press.cfg.PublicURL+"/")
	if absolute {
		link = "/" + rest
	}
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(u.Path, "/") {
		return
	}
	x.want(u.Path, from)
}

// linksOf lists what a page needs and links to.
func linksOf(page []byte) []string {
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return nil
	}
	var links []string
	for n := range root.Descendants() {
		property := ""
		for _, a := range n.Attr {
			switch {
			case a.Key == "href" || a.Key == "src":
				links = append(links, a.Val)
			case a.Key == "property":
				property = a.Val
			case a.Key == "content" && property == "og:image":
				links = append(links, a.Val)
			}
		}
	}
	return links
}
