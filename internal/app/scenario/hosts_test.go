package scenario

import (
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp/kb"
)

// host is somebody else's site that embeds the banner.
type host struct {
	policy string // Content-Security-Policy; STATUS is the status page
	css    string // its stylesheet
	js     string // its own script, which runs first
	body   string
	banner string // the lines that embed the banner
}

// strict is as strict as a policy can be with the banner on the page.
const strict = "default-src 'none'; script-src 'self' STATUS; connect-src STATUS; style-src 'self'; img-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"

func (h host) page(status string) string {
	return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>A shop</title>
<link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/host.css"><script src="/host.js"></script></head>
<body><main><h1>A shop</h1><p><label>Find <input id="find"></label></p>` + h.body + `</main>` + strings.ReplaceAll(h.banner, "STATUS", status) + `</body></html>`
}

// serve returns the URL of the site's page.
func (h host) serve(t testing.TB, status string) string {
	t.Helper()
	policy := strings.ReplaceAll(h.policy, "STATUS", status)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, text := "text/html; charset=utf-8", h.page(status)
		switch r.URL.Path {
		case "/host.css":
			kind, text = "text/css", h.css
		case "/host.js":
			kind, text = "text/javascript", h.js
		case "/icon.svg":
			kind, text = "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"/>`
		case "/":
			if policy != "" {
				w.Header().Set("Content-Security-Policy", policy)
			}
		}
		w.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/"
}

// Parts of hosts: the line with the state in it, and how to look at the banner.
const (
	line   = `<script async src="STATUS/banner.js"></script>`
	rootJS = `document.querySelector("statusbridge-banner").shadowRoot`
)

// snippets are the lines that the admin offers, by what they hold.
func snippets(on *person) (pinned, frame string) {
	on.t.Helper()
	page := on.get("/admin/banner")
	for n := range page.doc.Descendants() {
		if n.Data != "code" {
			continue
		}
		switch text := textOf(n); {
		case strings.Contains(text, "integrity="):
			pinned = text
		case strings.Contains(text, "<iframe"):
			frame = text
		}
	}
	if pinned == "" || frame == "" {
		on.t.Fatalf("the admin offers no lines to paste: %s", page.text())
	}
	return pinned, frame
}

// releasedSnippets are the lines that the admin offers with each build of the banner
// that was ever released in the place of today's, held to that build's own hash: as
// they stand on sites that pasted them then.
func releasedSnippets(t *testing.T, pinned string) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../pages/banners/v1.*.js")
	if err != nil || len(files) == 0 {
		t.Fatalf("no builds of the banner are kept: %v", err)
	}
	lines := map[string]string{}
	for _, file := range files {
		script, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		hash := sha512.Sum384(script)
		line := regexp.MustCompile(`v1\.[\w-]+\.js`).ReplaceAllLiteralString(pinned, filepath.Base(file))
		lines[filepath.Base(file)] = regexp.MustCompile(`sha384-[\w+/=]+`).ReplaceAllLiteralString(line, "sha384-"+base64.StdEncoding.EncodeToString(hash[:]))
	}
	return lines
}

// bannerTells waits until the banner's script holds the texts: a browser keeps
// it for a while, also when it came too early.
func (d *daemon) bannerTells(texts ...string) {
	d.t.Helper()
	eventually(d.t, "the banner tells it", func() error {
		script := string(visitor(d).get("/banner.js").body)
		for _, text := range texts {
			if !strings.Contains(script, text) {
				return fmt.Errorf("no %q", text)
			}
		}
		return nil
	})
}

// spoken opens the page and waits until the banner was drawn, also as nothing.
func (b *browser) spoken(url string) string {
	b.t.Helper()
	b.open(url)
	eventually(b.t, "the banner has spoken, or decided to be silent", func() error { return contains(b.ask(`window.renders > 0`), "true") })
	return b.ask(banner)
}

// The banner shows what is wrong on each of these sites, and none of them
// complains: both builds, whatever the site does to its visitors' browsers.
func TestTheBannerSpeaksOnEachHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	w.openIssue(humanTitle, "We are looking into it.")
	w.plan("Database upgrade", 24*time.Hour, 26*time.Hour)
	w.bannerTells(humanTitle, "Database upgrade")
	pinned, _ := snippets(w.admin)
	shown := func(text string) func(*testing.T, *browser) {
		return func(t *testing.T, tab *browser) {
			if got := tab.ask(banner); !strings.Contains(got, text) {
				t.Errorf("the banner says %q, want %q", got, text)
			}
		}
	}
	is := func(expression, want string) func(*testing.T, *browser) {
		return func(t *testing.T, tab *browser) {
			if got := tab.ask(expression); got != want {
				t.Errorf("%s is %s, want %s", expression, got, want)
			}
		}
	}
	both := shown(humanTitle)
	with := func(attributes string) string { return strings.Replace(line, " src", " "+attributes+" src", 1) }
	for _, c := range []struct {
		name string
		host host
		also func(*testing.T, *browser)
	}{
		{"a strict policy with Trusted Types", host{policy: strict, banner: line}, both},
		{"a strict policy, held to the hash", host{policy: strict, banner: pinned}, both},
		{"no connection allowed", host{policy: strings.Replace(strict, "connect-src STATUS; ", "", 1), banner: line}, both},
		{
			"a stylesheet that breaks everything",
			host{css: `* { all: unset !important; display: none !important; color: #fff !important; font-size: 1px !important; position: absolute !important; left: -999em !important; opacity: 0 !important; visibility: hidden !important; transform: scale(0) !important }
html, body { display: block !important; visibility: visible !important; opacity: 1 !important; transform: none !important; left: 0 !important; position: static !important }`, banner: line},
			is(`(() => { const r = `+rootJS+`.querySelector("p").getBoundingClientRect(); return r.height > 30 && r.left >= 0 && r.right <= innerWidth && document.querySelector("statusbridge-banner").checkVisibility({ opacityProperty: true, visibilityProperty: true }) })()`, "true"),
		},
		{"a library that extends the prototypes", host{js: `Object.prototype.extra = () => 1; Array.prototype.extra = () => 1; Array.prototype.toJSON = function () { return "[" + this.length + "]" }; String.prototype.extra = 1; Function.prototype.bind = undefined`, banner: line}, both},
		{"storage that throws", host{js: `for (const s of ["localStorage", "sessionStorage"]) Object.defineProperty(window, s, { get() { throw new DOMException("denied", "SecurityError") } })`, banner: line}, both},
		{"storage full of something else", host{js: `localStorage.setItem("statusbridge:seen", "{{{")`, banner: line}, both},
		{"an element that is called as we are", host{body: `<form id="statusbridge" name="statusbridge"><input name="destroy"></form>`, banner: line}, both},
		{"the line twice, and the other build", host{banner: line + line + pinned}, is(`document.querySelectorAll("statusbridge-banner").length`, "1")},
		{"in the head", host{body: "", banner: "", js: `document.head.append(Object.assign(document.createElement("script"), { src: "STATUS/banner.js" }))`}, both},
		{"one global name", host{js: `window.before = new Set(Object.getOwnPropertyNames(window))`, banner: line}, is(`Object.getOwnPropertyNames(window).filter((n) => !before.has(n) && n !== "before" && !n.startsWith("__")).filter((n) => n !== "renders").join()`, "statusbridge")},
		{"at the top", host{banner: with(`data-position="top"`)}, is(`document.querySelector("statusbridge-banner").getBoundingClientRect().top`, "0")},
		{"in its place", host{body: `<statusbridge-banner></statusbridge-banner><p id="after">After</p>`, banner: line}, is(`document.querySelector("statusbridge-banner").getBoundingClientRect().bottom <= document.getElementById("after").getBoundingClientRect().top`, "true")},
		{"in the dark by choice", host{banner: with(`data-theme="dark"`)}, is(`getComputedStyle(`+rootJS+`.querySelector("p")).backgroundColor`, "rgb(23, 29, 37)")},
		{"other components only", host{banner: with(`data-components="search, api"`)}, func(t *testing.T, tab *browser) {
			// The issue names no component and concerns all; the maintenance is about checkout.
			if got := tab.ask(banner); !strings.Contains(got, humanTitle) || strings.Contains(got, "Database upgrade") {
				t.Errorf("the banner says %q", got)
			}
		}},
		{"only what is near", host{banner: with(`data-ahead="12"`)}, func(t *testing.T, tab *browser) {
			if got := tab.ask(banner); strings.Contains(got, "Database upgrade") {
				t.Errorf("the banner says %q", got)
			}
		}},
		{"in German", host{banner: with(`data-lang="de"`)}, shown("Wird untersucht")},
		{"in Portuguese, held to the hash", host{policy: strict, banner: strings.Replace(pinned, "<script", `<script data-lang="pt-BR"`, 1)}, shown("Em investigação")},
		{"in German without a connection", host{policy: strings.Replace(strict, "connect-src STATUS; ", "", 1), banner: strings.Replace(line, "banner.js", "banner.de.js", 1)}, shown("Wird untersucht")},
		{"no constructable stylesheets, but a nonce", host{policy: "default-src 'none'; script-src 'self' STATUS; connect-src STATUS; style-src 'self' 'nonce-abc123'; img-src 'self'", js: `window.CSSStyleSheet = undefined`, banner: with(`data-nonce="abc123"`)}, is(`getComputedStyle(`+rootJS+`.querySelector("p")).display`, "flex")},
		{"right to left", host{js: `document.documentElement.dir = "rtl"`, banner: line}, is(`(() => { const p = `+rootJS+`.querySelector("p"); return p.querySelector("button").getBoundingClientRect().right < p.querySelector("span").getBoundingClientRect().left + 1 })()`, "true")},
		{"on paper", host{banner: line}, func(t *testing.T, tab *browser) {
			tell(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
			is(`getComputedStyle(document.querySelector("statusbridge-banner")).display`, "none")(t, tab)
		}},
		{"no motion wanted", host{banner: line}, func(t *testing.T, tab *browser) {
			is(`getComputedStyle(`+rootJS+`.querySelector("p")).animationName`, "i")(t, tab)
			tab.use(desktop)
			is(`getComputedStyle(`+rootJS+`.querySelector("p")).animationName`, "none")(t, tab)
		}},
		{"taken away and put back", host{banner: line}, func(t *testing.T, tab *browser) {
			is(`(statusbridge.destroy(), document.querySelectorAll("statusbridge-banner").length + typeof window.statusbridge)`, "0undefined")(t, tab)
			tab.ask(`(window.renders = 0, document.body.append(Object.assign(document.createElement("script"), { src: document.querySelector("script[src*=banner]").src })))`)
			eventually(t, "it speaks again", func() error { return contains(tab.ask(banner), humanTitle) })
		}},
		{"somebody types meanwhile", host{policy: strict, js: `window.shift = 0; new PerformanceObserver((l) => l.getEntries().forEach((e) => window.shift += e.value)).observe({ type: "layout-shift", buffered: true });
document.addEventListener("DOMContentLoaded", () => document.getElementById("find").focus())`, body: strings.Repeat("<p>Goods</p>", 60), banner: line}, func(t *testing.T, tab *browser) {
			is(`window.shift`, "0")(t, tab)
			is(`document.activeElement.id`, "find")(t, tab)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.host.js = strings.ReplaceAll(c.host.js, "STATUS", w.url)
			tab := openBrowser(t)
			tab.spoken(c.host.serve(t, w.url))
			c.also(t, tab)
			tab.content()
		})
	}
	for build, line := range releasedSnippets(t, pinned) {
		t.Run("the released build "+build, func(t *testing.T) {
			t.Parallel()
			tab := openBrowser(t)
			if got := tab.spoken(host{policy: strict, banner: line}.serve(t, w.url)); !strings.Contains(got, humanTitle) {
				t.Errorf("the banner says %q: sites that pasted this line see no outage any more", got)
			}
			tab.content()
		})
	}
	t.Run("a file", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "page.html")
		if err := os.WriteFile(file, []byte(strings.NewReplacer("STATUS", w.url).Replace("<!doctype html><title>A file</title>"+line)), 0o600); err != nil {
			t.Fatal(err)
		}
		tab := openBrowser(t)
		if got := tab.spoken("file://" + file); !strings.Contains(got, humanTitle) {
			t.Errorf("the banner says %q", got)
		}
		tab.content()
	})
	t.Run("a sandboxed frame", func(t *testing.T) {
		t.Parallel()
		inner := `<!doctype html><title>Inner</title><script>document.addEventListener("statusbridge:render", (e) => parent.postMessage(e.detail[0].title, "*"))</script>` + strings.ReplaceAll(line, "STATUS", w.url)
		tab := openBrowser(t)
		tab.open(host{js: `addEventListener("message", (e) => window.told = e.data)`, body: `<iframe title="Inner" sandbox="allow-scripts" srcdoc="` + html.EscapeString(inner) + `"></iframe>`}.serve(t, w.url))
		eventually(t, "the banner in the frame has spoken", func() error { return contains(tab.ask("window.told"), humanTitle) })
		tab.content()
	})
	t.Run("the iframe that the admin offers", func(t *testing.T) {
		t.Parallel()
		_, frame := snippets(w.admin)
		page := host{policy: "default-src 'none'; frame-src STATUS; style-src 'self'; script-src 'self'; img-src 'self'", banner: frame}.serve(t, w.url)
		tab := openBrowser(t)
		tab.open(page)
		if refused := tab.complained(); len(refused) > 0 {
			t.Errorf("the frame is refused: %q", refused)
		}
		for _, path := range []string{"/", "/admin/login", "/history"} {
			if policy := visitor(w.daemon).get(path).header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'none'") {
				t.Errorf("%s may be framed: %s", path, policy)
			}
		}
	})
}

// axe and Tab find nothing wrong with the banner on a page, and who dismisses
// it by keyboard sees it no more until there is news.
func TestTheBannerIsDismissedByKeyboardUntilThereIsNews(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	issue := w.openIssue(humanTitle, "We are looking into it.")
	w.plan("Database upgrade", 24*time.Hour, 26*time.Hour)
	w.bannerTells(humanTitle, "Database upgrade")
	url := host{policy: strict, css: "a, button, input { min-height: 24px; min-width: 24px }", banner: line}.serve(t, w.url)
	tab := openBrowser(t)
	for _, s := range []screen{desktop, dark, phone} {
		tab.use(s)
		tab.spoken(url)
		tab.visit(url, "")
		eventually(t, "the banner is there", func() error { return contains(tab.ask(banner), humanTitle) })
		for _, f := range tab.axe() {
			t.Errorf("%s: %s", s.name, f)
		}
	}
	inBanner := `(` + rootJS + `.activeElement?.getAttribute("aria-label") ?? "")`
	for range 6 {
		if tab.press(kb.Tab); strings.Contains(tab.ask(inBanner), "Dismiss: "+humanTitle) {
			break
		}
	}
	tab.ask(`document.addEventListener("statusbridge:dismiss", (e) => window.gone = e.detail.title)`)
	tab.press(kb.Enter)
	if got := tab.ask("window.gone"); got != humanTitle {
		t.Errorf("dismissed is %q", got)
	}
	if got := tab.ask(inBanner); !strings.Contains(got, "Database upgrade") {
		t.Errorf("after the dismissal the focus is on %q, not on the next row", got)
	}
	if got := tab.spoken(url); strings.Contains(got, humanTitle) || !strings.Contains(got, "Database upgrade") {
		t.Errorf("on the next page the banner says %q", got)
	}
	f := w.admin.get("/admin/issues/" + issue).form("/admin/issues/" + issue + "/update")
	f.set("state", "identified")
	f.set("body", "We found it.")
	f.press("Post")
	eventually(t, "the news are shown", func() error { return contains(tab.spoken(url), humanTitle) })
	tab.content()
}

// Whatever the status host does, the site is left alone: no script error, no
// breach of its policy, nothing shown that was not well-formed.
func TestTheBannerIsSilentAboutABrokenStatusHost(t *testing.T) {
	t.Parallel()
	d := launch(t, setup{})
	pinned, _ := snippets(admin(d))
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := "http://" + closed.Addr().String()
	_ = closed.Close()
	answer := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			_, _ = io.WriteString(w, text)
		}
	}
	for _, c := range []struct {
		name string
		does http.HandlerFunc // nil: nobody listens
		says string
	}{
		{"500", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `{"v":1,"issues":[{"id":"a","title":"An error page"}]}`)
		}, ""},
		{"garbage", answer("<html>Bad gateway"), ""},
		{"another form", answer(`{"v":2,"issues":[{"id":"a","title":"From the future"}]}`), ""},
		{"nothing", answer(""), ""},
		{"null", answer("null"), ""},
		{"no CORS", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"v":1,"issues":[{"id":"a","title":"Not for you"}]}`)
		}, ""},
		{"a hang", func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}, ""},
		{"nobody", nil, ""},
		{"odd types", answer(`{"v":1,"issues":"abc","maintenances":[1,null,"x",{"id":1},{"id":2,"title":{"a":1},"components":5}]}`), ""},
		{"hostile links and titles", answer(`{"v":1,"lang":"en","dismiss":"Dismiss","issues":[{"id":"a","rev":"1","class":"down","title":"<img src=x onerror=alert(1)>","state":"<b>x</b>","url":"javascript:alert(1)","components":[]}],"maintenances":[{"id":"__proto__","title":"data","state":"","url":"data:text/html,x"}]}`), "<img src=x onerror=alert(1)>"},
		{"a flood", answer(`{"v":1,"more":"{n} more","issues":[` + strings.TrimSuffix(strings.Repeat(`{"id":"a","rev":"1","title":"`+strings.Repeat("x", 500)+`","url":"https://x"},`, 200), ",") + `]}`), "197 more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			source := dead
			if c.does != nil {
				server := httptest.NewServer(c.does)
				t.Cleanup(server.Close)
				source = server.URL
			}
			h := host{
				policy: strings.Replace(strict, "connect-src STATUS", "connect-src "+source, 1),
				js:     `window.said = ""; for (const e of ["render", "error"]) document.addEventListener("statusbridge:" + e, () => said += e + " ")`,
				banner: strings.Replace(pinned, "<script", `<script data-src="`+source+`/state.json"`, 1),
			}
			tab := openBrowser(t)
			tab.open(h.serve(t, d.url))
			eventually(t, "it has tried", func() error {
				if said := tab.ask("said"); said == "" && c.name != "a hang" {
					return fmt.Errorf("no event")
				}
				return contains(tab.ask(`!!document.querySelector("statusbridge-banner")`), "true")
			})
			got := tab.ask(banner)
			if c.says == "" && got != "" || !strings.Contains(got, c.says) {
				t.Errorf("after %qthe banner says %q, want %q", tab.ask("said"), got, c.says)
			}
			if links := tab.ask(`[...` + rootJS + `.querySelectorAll("a")].map((a) => a.protocol).filter((p) => !/^(https?:)?:?$/.test(p)).join()`); links != "" {
				t.Errorf("there are links to %s", links)
			}
			for _, complaint := range tab.complained() {
				// What the browser itself reports about a request that failed is not ours to hush.
				if !regexp.MustCompile(`^Failed to load resource|^Access to fetch at`).MatchString(complaint) {
					t.Errorf("the page complains: %s", complaint)
				}
			}
		})
	}
}

// docs/banner.md names each attribute and event of the script, and no other.
func TestTheBannersDocumentNamesWhatItHas(t *testing.T) {
	t.Parallel()
	names := func(file, pattern string) []string {
		text, err := os.ReadFile(filepath.Join(repository, file))
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			list = append(list, m[1])
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	const script, document = "internal/pages/assets/banner.js", "docs/banner.md"
	for what, patterns := range map[string][2]string{
		"attributes": {`\bset\.([a-z]+)`, `data-([a-z]+)`},
		"events":     {`\btell\("([a-z]+)"`, "`statusbridge:([a-z]+)"},
	} {
		has, told := names(script, patterns[0]), names(document, patterns[1])
		if !slices.Equal(has, told) || len(has) < 3 {
			t.Errorf("the banner has the %s %q, its document names %q", what, has, told)
		}
	}
}
