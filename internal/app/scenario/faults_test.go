package scenario

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// A page with nothing wrong, into which faults are planted.
const soundPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>A page</title><link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/page.css">HEAD</head>
<body><a class="skip" href="#main">Skip to content</a>
<header><nav aria-label="Pages"><a href="/elsewhere">Elsewhere</a></nav></header>
<main id="main"><h1>A page</h1>
<form method="post" action="/">
<p><label>Day <input type="date" name="day"></label></p>
<p><label>Moment <input type="datetime-local" name="moment"></label></p>
<fieldset><legend>Impact</legend><label><input type="radio" name="impact" value="a"> Minor</label> <label><input type="radio" name="impact" value="b" checked> Major</label></fieldset>
<p><button type="submit">Save</button></p>
</form>
<details><summary>More</summary><p><a href="/more">More of it</a></p></details>
<p><time datetime="2026-11-25T10:00:00Z" title="25 Nov 2026, 10:00 UTC">25 Nov, 10:00 UTC</time></p>
BODY</main></body></html>
`

const soundStyle = `
a, button, summary { display: inline-block; min-height: 24px; min-width: 24px }
input { min-width: 24px; min-height: 24px }
.skip:not(:focus) { position: absolute; top: -9em }
.pale { color: #444 } @media (prefers-color-scheme: dark) { body { background: #111; color: #eee } a { color: #9cf } }
.wide { width: 500px; height: 9px }
.bare:focus { outline: none }
.shade { position: fixed; inset: auto 0 0; height: 60px; background: #ccc; color: #000 } .tall { height: 900px }
.tiny { width: 12px; height: 12px; min-width: 0; min-height: 0; padding: 0; margin: 20px }
`

const soundScript = `
for (const t of document.querySelectorAll("time")) t.textContent = new Date(t.dateTime).toLocaleString();
const hold = document.getElementById("hold");
hold?.addEventListener("keydown", (e) => e.key === "Tab" && e.preventDefault());
document.getElementById("back")?.addEventListener("keydown", (e) => { if (e.key === "Tab") { e.preventDefault(); document.querySelector("nav a").focus() } });
document.getElementById("shy")?.addEventListener("focus", () => document.getElementById("next").focus());
if (document.getElementById("late")) document.querySelector("main").append(Object.assign(document.createElement("h2"), { textContent: "Only by script" }));
if (document.getElementById("throws")) throw new Error("planted");
`

// Each check of TestEveryPage finds the fault that is planted for it, and
// nothing in a page that has none.
func TestEachPlantedFaultOfAPageIsFound(t *testing.T) {
	t.Parallel()
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/page.css":
			w.Header().Set("Content-Type", "text/css")
			_, _ = io.WriteString(w, soundStyle)
		case "/page.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, soundScript)
		case "/icon.svg":
			w.Header().Set("Content-Type", "image/svg+xml")
			_, _ = io.WriteString(w, `<svg xmlns="http://www.w3.org/2000/svg"/>`)
		default:
			w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'")
			_, _ = io.WriteString(w, plant(r.URL.Query().Get("body"), r.URL.Query().Has("script")))
		}
	}))
	t.Cleanup(host.Close)
	for _, c := range []struct {
		name, body string
		script     bool
		want       string // "" is nothing
	}{
		{name: "nothing"},
		{name: "nothing, with a script", script: true},
		{name: "a field without a label", body: `<input name="x">`, want: "desktop: axe label"},
		{name: "text that is faint in the dark", body: `<p class="pale">Faint</p>`, want: "dark: axe color-contrast"},
		{name: "a fault within what folds", body: `<details><summary>Fold</summary><img src="/icon.svg"></details>`, want: "axe image-alt"},
		{name: "a fault within a popover", body: `<div popover><img src="/icon.svg"></div>`, want: "axe image-alt"},
		{name: "a control that holds the focus", body: `<button id="hold">Hold</button><button>After</button>`, script: true, want: "trap: the focus does not leave"},
		{name: "a control that sends the focus back", body: `<button id="back">Back</button><button>After</button>`, script: true, want: "trap: the focus goes back"},
		{name: "a control that hands the focus on", body: `<button id="shy">Shy</button><button id="next">Next</button>`, script: true, want: "Tab never reaches"},
		{name: "no ring", body: `<button class="bare">Bare</button>`, want: "nothing shows that <button> Bare has the focus"},
		{name: "something that lies on the focus", body: `<p class="tall"></p><button>Below</button><p class="shade">Shade</p>`, want: "covered or out of view"},
		{name: "a stop without a name", body: `<a href="/x"></a>`, want: "<a>  has no name"},
		{name: "no skip link", body: `NOSKIP`, want: "not a link that skips"},
		{name: "sideways scrolling", body: `<p class="wide"></p>`, want: "320 px: scrolls sideways"},
		{name: "a tiny target", body: `<button class="tiny" aria-label="Tiny"></button>`, want: "target below 24 px"},
		{name: "an inline style", body: `<p style="color:red">Red</p>`, want: "console: "},
		{name: "a script that fails", body: `<p id="throws"></p>`, script: true, want: "console: Uncaught"},
		{name: "a missing file", body: `<img src="https://127.0.0.1:1/x.png" alt="">`, want: "console: "},
		{name: "content that only a script shows", body: `<p id="late"></p>`, script: true, want: "without JavaScript: these are missing"},
		{name: "a time without a zone", body: `<time datetime="2026-11-25T10:00:00">10:00 UTC</time>`, want: "without a zone"},
		{name: "a time that does not say UTC", body: `<time datetime="2026-11-25T10:00:00Z">10:00</time>`, want: "does not say that it is UTC"},
		{name: "a time that loses its UTC", body: `<time datetime="2026-11-25T10:00:00Z">10:00 UTC</time>`, script: true, want: "keeps no UTC in its title"},
		{name: "no heading", body: `NOHEADING`, want: "no <h1>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			address := host.URL + "/?body=" + url.QueryEscape(c.body)
			if c.script {
				address += "&script"
			}
			found := checkPage(openBrowser(t), address, "")
			if c.want == "" && len(found) > 0 || c.want != "" && !strings.Contains(strings.Join(found, "\n"), c.want) {
				t.Errorf("found:\n%s\nwant %q", strings.Join(found, "\n"), c.want)
			}
		})
	}
}

func TestTheHTMLCheckerFindsPlantedFaults(t *testing.T) {
	t.Parallel()
	faults := map[string]string{
		"sound": "", "an id twice": `<p id="main"></p>`, "a block in a paragraph": `<p><div></div></p>`,
		"an attribute that is none": `<p colour="red"></p>`, "an unclosed element": `<p><b>`, "a list without items": `<ul><p></p></ul>`,
	}
	documents := map[string][]byte{}
	for name, body := range faults {
		documents[name] = []byte(plant(body, false))
	}
	found := checkHTML(t, documents)
	for name := range faults {
		if got := len(found[name]) > 0; got != (name != "sound") {
			t.Errorf("%s: found %q", name, found[name])
		}
	}
}

// plant is the sound page with a body put in.
func plant(body string, script bool) string {
	head := ""
	if script {
		head = `<script defer src="/page.js"></script>`
	}
	page := soundPage
	switch body {
	case "NOSKIP":
		body, page = "", strings.Replace(page, `<a class="skip" href="#main">Skip to content</a>`, "", 1)
	case "NOHEADING":
		body, page = "", strings.Replace(page, "<h1>A page</h1>", "", 1)
	}
	return strings.NewReplacer("HEAD", head, "BODY", body).Replace(page)
}
