package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Programs of others read the page of one installation that has an issue and a
// maintenance.
func TestProgramsOfOthersReadThePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	issue := w.openIssue("Payments fail", "We are looking into it.")
	work := w.plan("Disks are replaced", 24*time.Hour, 25*time.Hour)
	eventually(t, "the API tells both", func() error {
		doc := string(visitor(w.daemon).get("/api/v2/summary.json").body)
		if !strings.Contains(doc, issue) || !strings.Contains(doc, work) {
			return fmt.Errorf("%s", doc)
		}
		return nil
	})
	t.Run("documents are told apart from what a program has", func(t *testing.T) { conditional(t, w.daemon, work) })
	t.Run("a browser may ask before a script of another site reads", func(t *testing.T) { preflight(t, w.daemon) })
	t.Run("the commands of docs/api.md work as they stand", func(t *testing.T) { commandsOfThePage(t, w.daemon) })
	t.Run("nginx serves an export, and no link in it is dead", func(t *testing.T) { staticCopy(t, w.daemon) })
	t.Run("rsstail reads the feeds", func(t *testing.T) { feedReader(t, w.daemon) })
	t.Run("Atlassian's widget shows the state, unchanged", func(t *testing.T) { statusWidget(t, w.daemon) })

	// It asks https://ID.statuspage.io; told to use a proxy, it sends the whole
	// address in clear to that: to the daemon, which is called so from now on.
	w.stop()
	text, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	w.write(w.config, string(text)+"public_url: https://example.statuspage.io\n")
	w.start()
	t.Run("statuspage.js reads every document, unchanged", func(t *testing.T) { statuspageJS(t, w.daemon) })
}

// conditional: exact types, open to all, 304 for whoever has it already.
func conditional(t *testing.T, d *daemon, work string) {
	types := map[string]string{
		"/history.rss": "application/rss+xml; charset=utf-8", "/history.atom": "application/atom+xml; charset=utf-8",
		"/history.json": "application/feed+json; charset=utf-8", "/history.ics": "text/calendar; charset=utf-8",
		"/updates.rss": "application/rss+xml; charset=utf-8", "/updates.atom": "application/atom+xml; charset=utf-8",
		"/components/checkout/history.rss": "application/rss+xml; charset=utf-8", "/components/checkout/history.atom": "application/atom+xml; charset=utf-8",
		"/maintenance/" + work + ".ics": "text/calendar; charset=utf-8", "/components/checkout/badge.svg": "image/svg+xml; charset=utf-8",
		"/badge.svg": "image/svg+xml; charset=utf-8", "/og.png": "image/png", "/version.json": "application/json; charset=utf-8",
	}
	for _, name := range []string{"summary", "status", "components", "incidents", "incidents/unresolved", "scheduled-maintenances", "scheduled-maintenances/active", "scheduled-maintenances/upcoming"} {
		types["/api/v2/"+name+".json"] = "application/json; charset=utf-8"
	}
	ask := func(path, header, value string) (*http.Response, []byte) {
		req, err := http.NewRequest(http.MethodGet, d.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if header != "" {
			req.Header.Set(header, value)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, body
	}
	for path, contentType := range types {
		// What was just decided may be rendered between two readings, once.
		eventually(t, path+" comes as it should, and is the same until there is news", func() error {
			first, body := ask(path, "", "")
			_, again := ask(path, "", "")
			h := first.Header
			if first.StatusCode != http.StatusOK || h.Get("Content-Type") != contentType || h.Get("Access-Control-Allow-Origin") != "*" || len(body) == 0 {
				return fmt.Errorf("%s %s, open to %q, %d bytes", first.Status, h.Get("Content-Type"), h.Get("Access-Control-Allow-Origin"), len(body))
			}
			if !bytes.Equal(body, again) {
				return errors.New("two readings differ")
			}
			for header, value := range map[string]string{"If-None-Match": h.Get("ETag"), "If-none-match": strings.TrimPrefix(h.Get("ETag"), "W/"), "If-Modified-Since": h.Get("Last-Modified")} {
				if resp, body := ask(path, header, value); resp.StatusCode != http.StatusNotModified || len(body) > 0 {
					return fmt.Errorf("with %s: %s it answers %s and %d bytes", header, value, resp.Status, len(body))
				}
			}
			return nil
		})
	}
}

func preflight(t *testing.T, d *daemon) {
	for path, open := range map[string]bool{"/api/v2/summary.json": true, "/components/checkout/history.atom": true, "/": false, "/admin": false} {
		req, err := http.NewRequest(http.MethodOptions, d.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", "https://app.example.com")
		req.Header.Set("Access-Control-Request-Method", "GET")
		req.Header.Set("Access-Control-Request-Headers", "x-requested-with")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Access-Control-Allow-Origin") == "*" && resp.Header.Get("Access-Control-Allow-Headers") == "*"; got != open {
			t.Errorf("%s: %s, open to other sites: %v, want %v", path, resp.Status, got, open)
		}
	}
}

func commandsOfThePage(t *testing.T, d *daemon) {
	text, err := os.ReadFile(filepath.Join(repository, "docs", "api.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 6 {
		t.Fatalf("only %d blocks were found", len(blocks))
	}
	fill := strings.NewReplacer("https://status.example.com", d.url, "statusbridge export", binary+" --config "+d.config+" export")
	for _, b := range blocks {
		cmd := exec.Command("sh", "-eu", "-c", fill.Replace(b[1]))
		cmd.Dir, cmd.Env = t.TempDir(), environment()
		out, err := cmd.CombinedOutput()
		if err != nil || len(out) == 0 {
			t.Errorf("%s\n%v: %s", b[1], err, out)
		}
		if strings.Contains(b[1], "# 304") && strings.TrimSpace(string(out)) != "304" {
			t.Errorf("%s\nanswers %s", b[1], out)
		}
	}
}

// staticCopy exports the site and has nginx serve it as the export says.
func staticCopy(t *testing.T, d *daemon) {
	dir := t.TempDir()
	site, port := filepath.Join(dir, "site"), freePort(t)
	if out, errs, code := d.command("", "--config", d.config, "export", site); code != 0 || errs != "" {
		t.Fatalf("export: %d %s%s", code, out, errs)
	}
	temp := ""
	for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp += fmt.Sprintf("%s_temp_path %s/%s; ", name, dir, name)
	}
	conf := filepath.Join(dir, "nginx.conf")
	d.write(conf, fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log stderr; events {}
http { include /etc/nginx/mime.types; access_log off; %[2]s
server { listen 127.0.0.1:%[3]d; root %[4]s; include %[4]s/nginx.conf; } }
`, dir, temp, port, site))
	nginx := exec.Command(tool(t, "nginx"), "-c", conf)
	if err := nginx.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = nginx.Process.Kill(); _ = nginx.Wait() }()
	served := fmt.Sprintf("http://127.0.0.1:%d", port)
	eventually(t, "nginx answers", func() error { return isOK(served + "/") })
	reader := &person{t: t, base: served, origin: served, cookies: map[string]string{}}
	seen, queue := map[string]bool{"/": true}, []string{"/", "/history.rss", "/history.json", "/api/v2/summary.json", "/badge.svg"}
	for len(queue) > 0 {
		p := reader.get(queue[0])
		if p.status != http.StatusOK {
			t.Errorf("%s: %d", queue[0], p.status)
		}
		queue = queue[1:]
		if !strings.HasPrefix(p.header.Get("Content-Type"), "text/html") {
			public, err := client.Get(d.url + p.path)
			if err != nil {
				t.Fatal(err)
			}
			public.Body.Close()
			for _, name := range []string{"Content-Type", "Access-Control-Allow-Origin"} {
				if got, want := p.header.Get(name), public.Header.Get(name); got != want {
					t.Errorf("%s: %s is %q, the daemon says %q", p.path, name, got, want)
				}
			}
			continue
		}
		for _, link := range p.links() {
			link, _, _ = strings.Cut(strings.TrimPrefix(link, d.url), "#")
			if strings.HasPrefix(link, "/") && !seen[link] {
				seen[link] = true
				queue = append(queue, link)
			}
		}
	}
	if len(seen) < 20 {
		t.Errorf("only %d pages were found", len(seen))
	}
}

func feedReader(t *testing.T, d *daemon) {
	for path, want := range map[string]string{
		"/history.rss": "Title: Payments fail", "/history.atom": "Title: Payments fail",
		"/updates.rss": "Title: Investigating: Payments fail", "/components/checkout/history.rss": "Title: Maintenance: Disks are replaced",
	} {
		out, err := exec.Command(tool(t, "rsstail"), "-1", "-n", "50", "-l", "-u", d.url+path).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v: %s", path, err, out)
		}
	}
}

// nodeModule is a file of an npm package that scripts/tools installed.
func nodeModule(t *testing.T, path ...string) string {
	t.Helper()
	file := filepath.Join(append([]string{repository, ".tools", "node", "node_modules"}, path...)...)
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("%v; run: make tools", err)
	}
	return file
}

// statusWidget is on a page of another site.
func statusWidget(t *testing.T, d *daemon) {
	widget := nodeModule(t, "@statuspage", "status-widget", "dist", "index.js")
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/widget.js" {
			http.ServeFile(w, r, widget)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!DOCTYPE html><title>Host</title><link rel="icon" href="data:,"><statuspage-widget src=%q></statuspage-widget><script src="/widget.js"></script>`, d.url)
	}))
	defer host.Close()
	b := openBrowser(t)
	b.open(host.URL)
	eventually(t, "the widget shows the state", func() error {
		return contains(b.ask(`(e => (e.shadowRoot ?? e).textContent)(document.querySelector("statuspage-widget"))`), "Minor Service Outage")
	}) // what it complains about itself is not ours
}

func statuspageJS(t *testing.T, d *daemon) {
	script := fmt.Sprintf(`
const { Statuspage } = require(%q);
const assert = require("assert");
(async () => {
	const page = new Statuspage("example");
	const summary = await page.summary();
	assert.equal(summary.page.name, "Example Cloud");
	assert.equal(summary.page.url, "https://example.statuspage.io");
	assert.ok(summary.page.updated_at instanceof Date);
	assert.equal(summary.components[0].name, "Checkout");
	assert.equal(summary.status.indicator, "minor");
	assert.deepEqual((await page.status()).status, summary.status);
	assert.deepEqual((await page.components()).components, summary.components);
	for (const list of [summary, await page.allIncidents(), await page.unresolvedIncidents()]) {
		const [incident] = list.incidents;
		assert.equal(incident.name, "Payments fail");
		assert.equal(incident.incident_updates[0].body, "We are looking into it.");
		assert.equal(incident.resolved_at, null);
		assert.ok(incident.created_at instanceof Date);
	}
	for (const list of [summary, await page.allScheduledMaintenances(), await page.upcomingScheduledMaintenances()])
		assert.ok(list.scheduled_maintenances[0].scheduled_until - list.scheduled_maintenances[0].scheduled_for === 3600e3);
	assert.deepEqual((await page.activeScheduledMaintenances()).scheduled_maintenances, []);
	console.log("read");
})().catch((e) => { console.error(e.response ? e.response.status : e); process.exit(1); });
`, nodeModule(t, "statuspage.js"))
	cmd := exec.Command(tool(t, "node"), "-e", script)
	cmd.Env = append(environment(), "https_proxy="+d.url, "HTTPS_PROXY="+d.url, "no_proxy=", "NO_PROXY=")
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "read\n" {
		t.Errorf("%v: %s", err, out)
	}
}
