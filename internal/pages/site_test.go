package pages

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"golang.org/x/net/html"

	"github.com/statusbridge/statusbridge/internal/status"
)

// A stillClock stands at a time until a test moves it; waiting ends at once.
type stillClock struct{ now time.Time }

func (c *stillClock) Now() time.Time { return c.now }

func (c *stillClock) Wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wake:
		return nil
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// settings compress nothing, which most tests do not look at and which takes longer
// than all the rest.
func settings() Config {
	return Config{Name: "Acme", PublicURL: "https://status.example.com", Mail: true, Uncompressed: true}
}

// served is a configuration as a daemon has it.
func served(cfg Config) Config {
	cfg.Uncompressed = false
	return cfg
}

// published is a publisher that has rendered a view.
func published(t testing.TB, v status.View) *Publisher {
	t.Helper()
	p, _, _ := stage(t, settings(), v)
	return p
}

func stage(t testing.TB, cfg Config, v status.View) (*Publisher, *world, *stillClock) {
	t.Helper()
	w, clock := &world{view: v}, &stillClock{noon}
	p, err := New(cfg, w, clock, quiet())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p, w, clock
}

// body is the content of a document that must be there.
func body(t testing.TB, p *Publisher, path string) string {
	t.Helper()
	doc := p.Find(path)
	if doc == nil {
		var err error
		if doc, err = p.Demand(t.Context(), path); err != nil {
			t.Fatal(err)
		}
	}
	return string(doc.Raw)
}

// A pick finds elements: "main h1", "li.said", "link[rel=icon]", "#past".
func pick(t testing.TB, page, selector string) []*html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	found := []*html.Node{root}
	for _, step := range strings.Fields(selector) {
		var next []*html.Node
		for _, n := range found {
			for d := range n.Descendants() {
				if d.Type == html.ElementNode && matches(d, step) && !slices.Contains(next, d) {
					next = append(next, d)
				}
			}
		}
		found = next
	}
	return found
}

func matches(n *html.Node, step string) bool {
	step, condition, _ := strings.Cut(strings.TrimSuffix(step, "]"), "[")
	if name, want, ok := strings.Cut(condition, "="); ok && attr(n, name) != want {
		return false
	}
	if tag, id, ok := strings.Cut(step, "#"); ok {
		return attr(n, "id") == id && (tag == "" || tag == n.Data)
	}
	tag, class, ok := strings.Cut(step, ".")
	return (tag == "" || tag == n.Data) && (!ok || slices.Contains(strings.Fields(attr(n, "class")), class))
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// words is the text of an element, white space folded.
func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// texts are the words of all that a selector finds.
func texts(t testing.TB, page, selector string) []string {
	t.Helper()
	var out []string
	for _, n := range pick(t, page, selector) {
		out = append(out, words(n))
	}
	return out
}

func unpack(t testing.TB, r io.Reader, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestEveryTemplateFitsItsStruct(t *testing.T) {
	p, err := newPress(charted())
	if err != nil {
		t.Fatal(err)
	}
	e := newEdition(withMetrics(storm()), noon, noon.Add(-time.Hour), nil)
	over := resolve(e.sum.Active[0], time.Hour, "Over.")
	w := monthOf(noon, time.UTC)
	issues, works := e.within(w)
	component, err := p.component(e, "api")
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]any{
		"front": p.front(e), "issue": p.issue(e, over), "maintenance": p.work(e, e.sum.Running[0]),
		"history": p.month(e, w, issues, works), "component": component, "uptime": p.uptime(e, w, e.view), "charts": p.chartsPage(e), "banner": p.bannerPage(e), "frame": framePage{shell: p.shell(e, "/", "T", "D"), Heading: "H", Body: "<p>B</p>"},
	}
	for name, empty := range pageStructs {
		if _, err := e.render(name, empty, 0); err != nil {
			t.Errorf("with nothing: %v", err)
		}
		if pages[name] == nil {
			t.Fatalf("no filled page of %s is tried", name)
		}
		if _, err := e.render(name, pages[name], 0); err != nil {
			t.Errorf("filled: %v", err)
		}
	}
}

func TestThePageIsInTheOrderPeopleNeed(t *testing.T) {
	page := body(t, published(t, storm()), "/")
	got := texts(t, page, "main h2")
	want := []string{"Active issues", "Maintenance in progress", "Scheduled maintenance", "Components", "Past issues"}
	if !slices.Equal(got, want) {
		t.Errorf("sections %q, want %q", got, want)
	}
	if h1 := texts(t, page, "h1"); !slices.Equal(h1, []string{"Partial System Outage"}) {
		t.Errorf("headline %q", h1)
	}
	if strings.Index(page, `id="subscribe"`) > strings.Index(page, `id="headline"`) {
		t.Error("Subscribe does not stand before the headline")
	}
}

func TestTheTitleAndTheFaviconCarryTheState(t *testing.T) {
	seen := map[string]string{}
	for _, indicator := range []status.ComponentStatus{status.Operational, status.UnderMaintenance, status.DegradedPerformance, status.PartialOutage, status.MajorOutage} {
		v := calm()
		v.Components[0].Status = indicator
		p := published(t, v)
		page := body(t, p, "/")
		title, icon := texts(t, page, "title")[0], attr(pick(t, page, "link[rel=icon]")[0], "href")
		if headline := texts(t, page, "h1")[0]; title != headline+" · Acme" {
			t.Errorf("%s: title %q does not carry %q", indicator, title, headline)
		}
		if p.Find(icon) == nil {
			t.Errorf("%s: no icon at %s", indicator, icon)
		}
		if string(p.Find("/favicon.svg").Raw) != body(t, p, icon) {
			t.Errorf("%s: /favicon.svg shows another state", indicator)
		}
		seen[icon] += string(indicator) + " "
	}
	// Major and partial outages of one of nine components share the indicator "major".
	if len(seen) < 4 {
		t.Errorf("the states share icons: %v", seen)
	}
}

func TestGlyphsDifferInShape(t *testing.T) {
	shapes := map[string]string{}
	for _, g := range glyphs {
		if other, taken := shapes[g.shape]; taken {
			t.Errorf("%s and %s have the same outline", g.class, other)
		}
		shapes[g.shape] = g.class
	}
}

func TestAFreshInstallClaimsNothing(t *testing.T) {
	p := published(t, fresh())
	for path, doc := range p.site.Load().docs {
		if strings.Contains(strings.ToLower(string(doc.Raw)), "operational") && !strings.HasPrefix(path, "/assets/") {
			t.Errorf("%s calls something operational", path)
		}
	}
	page := body(t, p, "/")
	if h1 := texts(t, page, "h1"); !slices.Equal(h1, []string{"No components yet"}) {
		t.Errorf("headline %q", h1)
	}
	if strings.Contains(page, "No issues") {
		t.Error("days before there was anything to watch are called quiet")
	}
}

// Invariant 9: an open published issue with impact and "all operational" never coexist.
func TestNoSurfaceSaysAllIsWellWhileAnIssueIsOpen(t *testing.T) {
	impacts := []status.Impact{status.ImpactMinor, status.ImpactMajor, status.ImpactCritical}
	hits := [][]status.Affected{nil, {hit("api", status.Operational)}, {hit("hidden", status.MajorOutage)}, {hit("api", status.MajorOutage)}}
	for _, base := range []func() status.View{calm, fresh} {
		for _, impact := range impacts {
			for _, h := range hits {
				v := base()
				v.Issues = append(listed(issue("open1", "Something is broken", noon.Add(-time.Hour), impact, h...)), v.Issues...)
				p := published(t, v)
				for path, doc := range p.site.Load().docs {
					text := string(doc.Raw)
					if strings.HasPrefix(doc.ContentType, "text/html") && strings.Contains(text, `href="`+p.press.assets.icons[classOK].path) {
						t.Errorf("%s has the favicon of all is well with impact %s on %v", path, impact, h)
					}
					if strings.Contains(text, "All Systems Operational") || strings.Contains(text, `"indicator":"none"`) || strings.Contains(text, noComponents) {
						t.Errorf("%s says all is well with an open issue of impact %s on %v", path, impact, h)
					}
				}
				for _, l := range p.press.languages {
					if impact != status.ImpactMajor {
						break // the headline is the same
					}
					page := body(t, p, l.base+"/")
					for _, key := range []string{"headline.none", "headline.empty"} {
						if strings.Contains(page, l.say(key)) {
							t.Errorf("in %s all is well with an open issue of impact %s on %v", l.code, impact, h)
						}
					}
				}
				if bytes.Equal(p.Find("/favicon.svg").Raw, p.press.assets.icons[classOK].data) {
					t.Errorf("the favicon says all is well with impact %s on %v", impact, h)
				}
				if !strings.Contains(body(t, p, "/banner.json"), "open1") {
					t.Error("the banner does not tell the open issue")
				}
			}
		}
	}
}

func TestDocumentsAreReadyToSend(t *testing.T) {
	p, _, _ := stage(t, served(settings()), storm())
	for path, doc := range p.site.Load().docs {
		if len(doc.Raw) > 1000 && (doc.Gzip == nil || doc.Brotli == nil) {
			t.Errorf("%s is not compressed", path)
		}
		if doc.Status != 200 || doc.ContentType == "" || doc.CacheControl == "" || doc.LastModified.IsZero() || !strings.HasPrefix(doc.ETag, `W/"`) || len(doc.ETag) < 10 {
			t.Errorf("%s is incomplete: %+v", path, doc)
		}
		if doc.Gzip != nil {
			r, err := gzip.NewReader(bytes.NewReader(doc.Gzip))
			if !bytes.Equal(unpack(t, r, err), doc.Raw) {
				t.Errorf("%s: gzip holds something else", path)
			}
		}
		if doc.Brotli != nil && !bytes.Equal(unpack(t, brotli.NewReader(bytes.NewReader(doc.Brotli)), nil), doc.Raw) {
			t.Errorf("%s: brotli holds something else", path)
		}
		if !slices.Contains(doc.Header, [2]string{"X-Content-Type-Options", "nosniff"}) {
			t.Errorf("%s can be sniffed", path)
		}
		policy := ""
		for _, h := range doc.Header {
			if h[0] == "Content-Security-Policy" {
				policy = h[1]
			}
		}
		if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if (strings.HasPrefix(path, "/assets/") || strings.HasPrefix(path, "/banner/")) != strings.Contains(doc.CacheControl, "immutable") {
			t.Errorf("%s: cached by %q", path, doc.CacheControl)
		}
	}
	for _, path := range []string{"/banner.js", "/banner.json", "/history.rss", "/api/v2/summary.json"} {
		for _, h := range [][2]string{{"Access-Control-Allow-Origin", "*"}, {"Cross-Origin-Resource-Policy", "cross-origin"}} {
			if !slices.Contains(p.Find(path).Header, h) {
				t.Errorf("%s cannot be read by other sites: no %v", path, h)
			}
		}
		if !strings.Contains(p.Find(path).CacheControl, "stale-if-error") {
			t.Errorf("%s is lost with the server: %s", path, p.Find(path).CacheControl)
		}
	}
}

func TestPagesObeyTheirOwnPolicy(t *testing.T) {
	p := published(t, storm())
	for _, path := range []string{"/", "/issues/st1", "/maintenance/mm1", "/history", "/history/2026-08"} {
		page := body(t, p, path)
		root, err := html.Parse(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		for n := range root.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			for _, a := range n.Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
					t.Errorf("%s: <%s %s> is blocked by the policy", path, n.Data, a.Key)
				}
			}
			if n.Data == "style" || n.Data == "script" && attr(n, "src") == "" && attr(n, "type") != "application/ld+json" {
				t.Errorf("%s: inline <%s> is blocked by the policy", path, n.Data)
			}
			for _, name := range []string{"src", "href"} {
				own := attr(n, name)
				if (n.Data == "script" || n.Data == "img" || n.Data == "link" && slices.Contains([]string{"icon", "stylesheet"}, attr(n, "rel"))) && own != "" {
					if p.Find(own) == nil {
						t.Errorf("%s needs %s, which is not ours", path, own)
					}
				}
			}
		}
	}
}

// needed are the addresses that a browser asks for to show a page.
func needed(t *testing.T, page string) []string {
	t.Helper()
	var paths []string
	for selector, attribute := range map[string]string{
		"script": "src", "img": "src", "link[rel=stylesheet]": "href", "link[rel=icon]": "href",
	} {
		for _, n := range pick(t, page, selector) {
			if path := attr(n, attribute); path != "" {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

func TestBudgets(t *testing.T) {
	v := calm()
	for len(v.Components) < 20 {
		v.Components = append(v.Components, component("more-"+string(rune('a'+len(v.Components))), "Another component", "g-pay"))
	}
	p, _, _ := stage(t, served(settings()), v)
	for _, l := range p.press.languages {
		page, err := p.Demand(t.Context(), l.base+"/")
		if err != nil {
			t.Fatal(err)
		}
		needs := needed(t, string(page.Raw))
		whole, sizes := len(page.Gzip), []int{len(page.Gzip)}
		for _, path := range needs {
			doc := p.Find(path)
			if doc == nil {
				t.Fatalf("%s needs %s, which is not ours", l.code, path)
			}
			size := len(doc.Raw)
			if doc.Gzip != nil {
				size = len(doc.Gzip)
			}
			whole, sizes = whole+size, append(sizes, size)
		}
		t.Logf("first view of 20 components in %s: %d requests, %d bytes %v", l.code, 1+len(needs), whole, sizes)
		if whole > 14_000 || 1+len(needs) > 4 {
			t.Errorf("the first view of 20 components in %s takes %d requests and %d bytes, want at most 4 and 14,000", l.code, 1+len(needs), whole)
		}
	}
	if n := len(p.Find(p.press.assets.script.path).Gzip); n > 3*1024 {
		t.Errorf("the page script takes %d bytes, want at most 3 KiB", n)
	}
	busy, _, _ := stage(t, served(settings()), storm())
	frozen := len(p.Find(p.press.assets.banner.path).Gzip)
	t.Logf("banner: %d bytes with nothing to say, %d in a storm, %d without a state", len(p.Find("/banner.js").Gzip), len(busy.Find("/banner.js").Gzip), frozen)
	if frozen > 3*1024 {
		t.Errorf("the banner without a state takes %d bytes, want at most 3 KiB", frozen)
	}
	if n := len(busy.Find("/banner.js").Gzip); n > 3*1024 {
		t.Errorf("the banner takes %d bytes with five items, want at most 3 KiB", n)
	}
}
