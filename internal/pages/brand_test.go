package pages

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestAnyAccentCanBeSeenAndReadInLightAndDark(t *testing.T) {
	set := regexp.MustCompile(`--accent:(#\w{6});--band:#\w{6};--on-accent:#(\w)`)
	for _, hex := range []string{"#ffffff", "#000000", "#ffff00", "#0b5fff", "#777777", "#f4f6f8", "#0e1217", "#00ff88", "#8b0000"} {
		schemes := set.FindAllStringSubmatch(accentStyle(hex), -1)
		if len(schemes) != 2 {
			t.Fatalf("%s: %s", hex, accentStyle(hex))
		}
		for n, ground := range []string{lightGround, darkGround} {
			colour, on := schemes[n][1], "#"+strings.Repeat(schemes[n][2], 6)
			if c := contrast(colour, ground); c < 3 {
				t.Errorf("%s on %s: a button of %s has contrast %.2f", hex, ground, colour, c)
			}
			if c := contrast(colour, on); c < 4.5 {
				t.Errorf("%s on %s: letters have contrast %.2f", hex, ground, c)
			}
		}
	}
	if got := accentStyle("#0b5fff"); !strings.HasPrefix(got, ":root{--accent:#0b5fff;") {
		t.Errorf("a colour that is seen is changed: %s", got)
	}
}

// The grounds are those of the stylesheet.
func TestTheGuardKnowsTheBackgrounds(t *testing.T) {
	mists := regexp.MustCompile(`--mist: (#\w+);`).FindAllStringSubmatch(mustRead("assets/palette.css"), -1)
	if len(mists) != 2 || mists[0][1] != lightGround || mists[1][1] != darkGround {
		t.Errorf("palette.css has %v", mists)
	}
}

func TestTheOperatorsStylesAreAddedUnderAChecksum(t *testing.T) {
	file := filepath.Join(t.TempDir(), "own.css")
	write := func(css string) {
		if err := os.WriteFile(file, []byte(css), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg := settings()
	cfg.CSS = file
	write("h1 { font-family: serif }")
	p, _, _ := stage(t, cfg, calm())
	first := p.Stylesheet()
	if !strings.HasSuffix(string(p.Find(first).Raw), "h1 { font-family: serif }") || !strings.Contains(body(t, p, "/"), first) {
		t.Error("the operator's styles are not in the stylesheet of the page")
	}
	write("h1 { font-family: monospace }")
	p, _, _ = stage(t, cfg, calm())
	if p.Stylesheet() == first {
		t.Error("other styles have the same address, which is cached for ever")
	}
	for _, bad := range []string{"@import url(x.css);", "\xff", strings.Repeat(" ", maxCSS+1)} {
		write(bad)
		if _, err := newPress(cfg); err == nil || !strings.Contains(err.Error(), "page.css") {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

func TestEachPageCanBeReadInEachLanguage(t *testing.T) {
	p := published(t, storm())
	for _, l := range p.press.languages[1:] {
		for _, path := range []string{"/", "/history/2026-11", "/uptime", "/components/api", "/issues/st1", "/issues/aa1", "/maintenance/mm1"} {
			page := body(t, p, l.base+path)
			html := pick(t, page, "html")[0]
			if attr(html, "lang") != l.code || attr(html, "dir") == "" {
				t.Errorf("%s%s is said to be in %q", l.base, path, attr(html, "lang"))
			}
			for _, a := range pick(t, page, "a") {
				href := attr(a, "href")
				if own := strings.HasPrefix(href, "/") && !strings.Contains(href, ".") && attr(a, "hreflang") == ""; own && !strings.HasPrefix(href, l.base+"/") {
					t.Errorf("%s%s leads out of its language to %s", l.base, path, href)
				}
			}
			alternates := map[string]string{}
			for _, link := range pick(t, page, "link[rel=alternate]") {
				if code := attr(link, "hreflang"); code != "" {
					alternates[code] = attr(link, "href")
				}
			}
			if len(alternates) != len(p.press.languages)+1 || alternates["x-default"] != "https://status.example.com"+path || alternates[l.code] != "https://status.example.com"+l.base+path {
				t.Errorf("%s%s: other languages %v", l.base, path, alternates)
			}
			if alternates[l.code] != attr(pick(t, page, "link[rel=canonical]")[0], "href") {
				t.Errorf("%s%s is canonical elsewhere", l.base, path)
			}
			if strings.Contains(page, "{") && strings.Contains(strings.Split(page, "<body>")[1], "{") {
				t.Errorf("%s%s has a blank that nothing fills", l.base, path)
			}
		}
	}
	german := body(t, p, "/de/")
	for _, want := range []string{"Teilausfall", "Aktuelle Störungen", "Card payments and payouts are failing", "22. Nov., 10:37 UTC", "99,82 %", "1 frühere Meldung"} {
		if !strings.Contains(german, want) {
			t.Errorf("the German page lacks %q", want)
		}
	}
	if text := pick(t, german, ".text")[0]; attr(text, "lang") != "en" {
		t.Error("what people wrote in English is read out as German")
	}
	for _, path := range []string{"/en/", "/en/uptime"} { // the language of the page
		if !strings.Contains(body(t, p, path), `lang="en"`) {
			t.Errorf("%s is not the page in its own language", path)
		}
	}
	for _, path := range []string{"/tlh/", "/DE/", "/de/nowhere", "/de/de/"} {
		if _, err := p.Demand(t.Context(), path); err == nil {
			t.Errorf("%s is a page", path)
		}
	}
}

func TestALanguageIsKeptCurrentLikeThePage(t *testing.T) {
	p, w, clock := stage(t, settings(), calm())
	before := body(t, p, "/de/")
	if doc, err := p.Demand(t.Context(), "/de/"); err != nil || string(doc.Raw) != before || doc.CacheControl != soon {
		t.Errorf("asked again: %v", err)
	}
	w.fail(errDead)
	clock.now = clock.now.Add(5 * 60e9)
	_ = p.Refresh(t.Context())
	if page := body(t, p, "/de/"); !strings.Contains(page, "Neuigkeiten können sich seit") {
		t.Error("a late page does not say so")
	}
	w.fail(nil)
	w.change(storms)
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if page := body(t, p, "/de/"); !strings.Contains(page, "Dashboard loads slowly") || strings.Contains(page, "verspäten") {
		t.Error("what happened is not on the page")
	}
}

func TestOnlyTheLanguagesThatAreWantedAreThere(t *testing.T) {
	cfg := settings()
	cfg.Language, cfg.Languages = "de", []string{"en"}
	p, _, _ := stage(t, cfg, calm())
	if page := body(t, p, "/"); !strings.Contains(page, "Alle Systeme in Betrieb") {
		t.Error("the page is not in its language")
	}
	if page := body(t, p, "/en/"); !strings.Contains(page, "All Systems Operational") {
		t.Error("the other language is not there")
	}
	if _, err := p.Demand(t.Context(), "/fr/"); err == nil {
		t.Error("a language that is not wanted is there")
	}
	if api := body(t, p, "/api/v2/status.json"); !strings.Contains(api, "All Systems Operational") {
		t.Errorf("machines are told in another language: %s", api)
	}
}

// storms changes a calm view to a stormy one.
func storms(v *status.View) {
	next := storm()
	v.Issues, v.Maintenances = next.Issues, next.Maintenances
}
