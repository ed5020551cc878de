package pages

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mmcdole/gofeed"

	"github.com/statusbridge/statusbridge/internal/status"
)

// exported writes a view as files and serves them as a web server does that
// knows nothing of us.
func exported(t *testing.T, v status.View) (dir, served string, report Exported) {
	t.Helper()
	cfg := settings()
	cfg.Mail = false
	p, _, _ := stage(t, cfg, v)
	dir = filepath.Join(t.TempDir(), "site")
	report, err := p.Export(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	return dir, server.URL, report
}

func fetch(t *testing.T, address string) (int, string, []byte) {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), raw
}

func TestAnExportHasNoDeadLink(t *testing.T) {
	_, served, report := exported(t, storm())
	if len(report.Dead) > 0 {
		t.Errorf("dead links: %q", report.Dead)
	}
	seen, queue := map[string]string{"/": "the start"}, []string{"/"}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		code, contentType, raw := fetch(t, served+at)
		if code != http.StatusOK {
			t.Errorf("%s, on %s: %d", at, seen[at], code)
		}
		if !strings.HasPrefix(contentType, "text/html") {
			continue
		}
		for _, link := range linksOf(raw) {
			link = strings.TrimPrefix(link, "https://status.example.com")
			u, err := url.Parse(link)
			if err != nil {
				t.Fatal(err)
			}
			if _, known := seen[u.Path]; u.Host == "" && strings.HasPrefix(u.Path, "/") && !known {
				seen[u.Path] = at
				queue = append(queue, u.Path)
			}
		}
		if strings.Contains(string(raw), "<form") {
			t.Errorf("%s has a form, which a file cannot answer", at)
		}
	}
	for _, path := range []string{"/history", "/uptime", "/issues/st1", "/issues/aa6", "/history/2026-08", "/components/cards", "/history.ics", "/og.png"} {
		if seen[path] == "" {
			t.Errorf("nothing leads to %s", path)
		}
	}
}

func TestAnExportHasWhatTheDaemonServes(t *testing.T) {
	dir, served, report := exported(t, storm())
	cfg := settings()
	cfg.Mail = false
	p, _, _ := stage(t, cfg, storm())
	for path, doc := range p.site.Load().docs {
		_, _, raw := fetch(t, served+path)
		if string(raw) != string(doc.Raw) {
			t.Errorf("%s is another document", path)
		}
	}
	for _, path := range []string{"/components/cards/history.rss", "/components/cards/history.atom", "/updates.json", "/history.rss"} {
		_, _, raw := fetch(t, served+path)
		if f, err := gofeed.NewParser().ParseString(string(raw)); err != nil || len(f.Items) == 0 {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, name := range []string{".nojekyll", "404.html", "_headers", "nginx.conf", "Caddyfile", "components/cards/badge.svg", "maintenance/mm2.ics"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if len(p.press.languages) > 1 {
		other := p.press.languages[1].base
		if code, _, _ := fetch(t, served+other+"/history"); code != http.StatusOK {
			t.Errorf("%s/history: %d", other, code)
		}
	}
	if report.Files < 80 {
		t.Errorf("only %d files", report.Files)
	}
	if info, err := os.Stat(filepath.Join(dir, "history.rss")); err != nil || !info.ModTime().Equal(p.Find("/history.rss").LastModified) {
		t.Errorf("the file is of %v, %v: visitors would be sent it again", info.ModTime(), err)
	}
}

func TestAnExportReplacesOnlyAnExport(t *testing.T) {
	p := published(t, calm())
	dir := filepath.Join(t.TempDir(), "site")
	if _, err := p.Export(t.Context(), dir, nil); err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(dir, "issues", "gone", "index.html")
	if err := os.MkdirAll(filepath.Dir(stale), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stale, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	progress := 0
	if _, err := p.Export(t.Context(), dir, func(done, total int) { progress = max(progress, done) }); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); err == nil {
		t.Error("what is gone from the site is still there")
	}
	if progress == 0 {
		t.Error("nobody was told of any progress")
	}
	mine := t.TempDir()
	if err := os.WriteFile(filepath.Join(mine, "thesis.txt"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Export(t.Context(), mine, nil); err == nil || !strings.Contains(err.Error(), "no export made") {
		t.Errorf("a folder with files of others: %v", err)
	}
	if raw, err := os.ReadFile(filepath.Join(mine, "thesis.txt")); err != nil || string(raw) != "mine" {
		t.Errorf("it was touched: %v", err)
	}
	left, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(left) != 1 {
		t.Errorf("beside the export there is %v, %v", left, err)
	}
}

func TestHostsAreToldTheTypesOfData(t *testing.T) {
	dir, _, _ := exported(t, calm())
	raw, err := os.ReadFile(filepath.Join(dir, "_headers"))
	if err != nil {
		t.Fatal(err)
	}
	for path, contentType := range map[string]string{
		"/history.rss": "application/rss+xml; charset=utf-8", "/history.json": "application/feed+json; charset=utf-8",
		"/api/v2/summary.json": "application/json; charset=utf-8", "/history.ics": "text/calendar; charset=utf-8",
	} {
		if want := path + "\n  Content-Type: " + contentType + "\n  Access-Control-Allow-Origin: *\n"; !strings.Contains(string(raw), want) {
			t.Errorf("_headers does not say %q", want)
		}
	}
	if rules := slices.DeleteFunc(strings.Split(string(raw), "\n"), func(line string) bool { return !strings.HasPrefix(line, "/") }); len(rules) > 90 {
		t.Errorf("%d rules, hosts take 100", len(rules))
	}
}

func TestAnExportNeedsSomethingKnown(t *testing.T) {
	p, err := New(settings(), &world{}, &stillClock{noon}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Export(t.Context(), filepath.Join(t.TempDir(), "site"), nil); err == nil {
		t.Error("an empty site was exported")
	}
}
