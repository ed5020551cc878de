package pages

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/statusbridge/statusbridge/internal/status"
)

// hostile is what alert labels and careless pastes may hold.
var hostile = []string{
	`<script>alert(1)</script>`,
	`"><img src=x onerror=alert(1)>`,
	`</title><script>alert(1)</script>`,
	`</script><script>alert(1)</script>`,
	`<svg/onload=alert(1)>`,
	`[click](javascript:alert(1))`,
	`[click](JaVaScRiPt&#58;alert(1))`,
	`[click](data:text/html;base64,PHNjcmlwdD4=)`,
	`[click](vbscript:msgbox)`,
	`![x](https://evil.example/pixel.png)`,
	`<javascript:alert(1)>`,
	"[a](<javascript:alert(1)>)",
	"`<b onclick=alert(1)>`",
	`<!--><script>alert(1)</script>-->`,
	`{{.Secret}} ${alert(1)} #{x}`,
	"\u202egnp.exe\u2066 \x00\x1b[31m\x07",
	`'-alert(1)-'`,
	`<iframe srcdoc="<script>alert(1)</script>">`,
	`<a href="https://ok.example" style="position:fixed" onmouseover=alert(1)>x</a>`,
	`]]><script>alert(1)</script>`,
	"\u2028alert(1)\u2029",
	"\xff\xfe broken \xc3\x28",
}

// infected has the text wherever text may come from.
func infected(text string) status.View {
	v := calm()
	i := issue("bad1", text, noon.Add(-time.Hour), status.ImpactMajor, hit("api", status.PartialOutage))
	i.Updates[0].Body, i.Updates[0].Changes[0].Name = text, text
	m := maintenance("bad2", text, noon.Add(time.Hour), noon.Add(2*time.Hour), "api")
	m.Body, m.Updates[0].Body = text, text
	v.Issues, v.Maintenances = append(v.Issues, listed(i, resolve(issue("bad3", text, noon.Add(-3*time.Hour), status.ImpactMinor), time.Hour, text))...), append(v.Maintenances, m)
	for n := range v.Components {
		v.Components[n].Name, v.Components[n].Description = text+" "+v.Components[n].Slug, text
	}
	for n := range v.Groups {
		v.Groups[n].Name, v.Groups[n].Description = text, text
	}
	return v
}

func TestHostileTextIsHarmlessEverywhere(t *testing.T) {
	for _, text := range hostile {
		p := published(t, infected(text))
		for path, doc := range p.site.Load().docs {
			switch {
			case strings.HasPrefix(doc.ContentType, "text/html"):
				inert(t, path, string(doc.Raw))
			case strings.Contains(doc.ContentType, "json"):
				var v any
				if err := json.Unmarshal(doc.Raw, &v); err != nil || strings.ContainsAny(string(doc.Raw), "<>") {
					t.Errorf("%s with %q: %v", path, text, err)
				}
			case strings.HasPrefix(doc.ContentType, "text/javascript") && path == "/banner.js":
				if strings.Contains(string(doc.Raw), "</script") || strings.Contains(string(doc.Raw), "\u2028") {
					t.Errorf("%s breaks out of its state with %q", path, text)
				}
			}
		}
		for _, path := range []string{"/history.rss", "/history.atom"} {
			for _, item := range parsedFeed(t, p, path).Items {
				inert(t, path, "<!DOCTYPE html><html><body>"+item.Description+item.Content+"</body></html>")
			}
		}
	}
}

// inert fails when a page would run or load anything that is not ours.
func inert(t *testing.T, where, page string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script":
			if attr(n, "type") == "application/ld+json" {
				if !json.Valid([]byte(n.FirstChild.Data)) {
					t.Errorf("%s: %s is no JSON", where, n.FirstChild.Data)
				}
				continue
			}
			if !strings.HasPrefix(attr(n, "src"), "/assets/") || n.FirstChild != nil {
				t.Errorf("%s: a script %q", where, attr(n, "src"))
			}
		case "iframe", "object", "embed", "base", "style", "img":
			t.Errorf("%s: <%s>", where, n.Data)
		}
		for _, a := range n.Attr {
			value := strings.ToLower(strings.TrimSpace(a.Val))
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcdoc" {
				t.Errorf("%s: <%s %s>", where, n.Data, a.Key)
			}
			if (a.Key == "href" || a.Key == "src" || a.Key == "action") && !strings.HasPrefix(value, "http") && !strings.HasPrefix(value, "mailto:") && !strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "#") {
				t.Errorf("%s: <%s %s=%q>", where, n.Data, a.Key, a.Val)
			}
		}
	}
	for _, r := range page {
		if r == '\u202e' || r == '\u2066' || r < ' ' && r != '\n' && r != '\t' {
			t.Errorf("%s: character %U disturbs the text around it", where, r)
			return
		}
	}
}

func TestBodiesAreMarkdown(t *testing.T) {
	for source, want := range map[string]string{
		"**bold** and *soft*":            "<p><strong>bold</strong> and <em>soft</em></p>",
		"one\ntwo":                       "<p>one<br>\ntwo</p>",
		"latency <5 ms, #42 is next":     "<p>latency &lt;5 ms, #42 is next</p>",
		"# not a heading":                "<p># not a heading</p>",
		"[site](https://ok.example/a?b)": `<p><a href="https://ok.example/a?b" rel="nofollow noreferrer">site</a></p>`,
		"see https://ok.example.":        `<p>see <a href="https://ok.example" rel="nofollow noreferrer">https://ok.example</a>.</p>`,
		"- a\n- b":                       "<ul>\n<li>a</li>\n<li>b</li>\n</ul>",
		"[x](javascript:alert(1))":       "<p>x</p>",
		"":                               "",
	} {
		if got := string(richText(source)); got != want {
			t.Errorf("%q became %q, want %q", source, got, want)
		}
	}
}

// The allow-list must hold alone, should the Markdown parser ever let HTML by.
func TestTheAllowListHoldsAlone(t *testing.T) {
	for source, want := range map[string]string{
		`<a href="javascript:alert(1)">x</a>`:                  `x`,
		`<a href="data:text/html,x">x</a>`:                     `x`,
		`<a href="//evil.example/">x</a>`:                      `x`,
		`<img src=x onerror=alert(1)>`:                         ``,
		`<p style="position:fixed" onclick="alert(1)">x</p>`:   `<p>x</p>`,
		`<script>alert(1)</script><style>*{}</style>safe`:      `safe`,
		`<form action="https://evil.example"><button>x`:        `x`,
		`<a href="https://ok.example" target="_top">x</a>`:     `<a href="https://ok.example" rel="nofollow noreferrer">x</a>`,
		`<svg><a xlink:href="javascript:alert(1)">x</a></svg>`: `x`,
	} {
		if got := allowed.Sanitize(source); got != want {
			t.Errorf("%q became %q, want %q", source, got, want)
		}
	}
}
