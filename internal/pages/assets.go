package pages

import (
	"embed"
	"fmt"
	"html/template"
	"strings"
)

//go:embed assets templates/*.html
var assetFiles embed.FS

// An asset is a file whose URL names its content, so it may be kept for ever.
type asset struct {
	path string
	kind kind
	data []byte
}

func newAsset(ext string, k kind, data []byte) asset {
	return asset{path: "/assets/" + checksum(data) + ext, kind: k, data: data}
}

// assets are the files that pages refer to.
type assets struct {
	style  asset
	script asset
	logo   *asset
	icons  map[string]asset // by class
	sprite template.HTML    // the glyphs, for use within a page
	banner bannerBuild

	banners map[string][]byte // all builds that never change, by path
}

func loadAssets(cfg Config) (assets, error) {
	a := assets{icons: map[string]asset{}}
	style := Palette() + squeeze(mustRead("assets/page.css"), "/*", "*/")
	if len(cfg.Charts) > 0 { // a page without them is not to grow
		style += squeeze(mustRead("assets/charts.css"), "/*", "*/")
	}
	style += accentStyle(cfg.Accent)
	if cfg.CSS != "" {
		own, err := readCSS(cfg.CSS)
		if err != nil {
			return a, err
		}
		style += own
	}
	a.style = newAsset(".css", cssKind, []byte(style))
	a.script = newAsset(".js", scriptKind, []byte(squeeze(mustRead("assets/page.js"), "//", "\n")))
	a.banner = newBannerBuild(mustRead(minifiedBanner))
	var err error
	if a.banners, err = loadBanners(bannerFiles); err != nil {
		return a, fmt.Errorf("former banners: %w", err)
	}
	a.banners[a.banner.path] = a.banner.script
	var sprite strings.Builder
	sprite.WriteString(`<svg class="sprite" aria-hidden="true" width="0" height="0">`)
	for _, g := range glyphs {
		a.icons[g.class] = newAsset(".svg", kind{"image/svg+xml", forever, assetHeader}, []byte(g.icon()))
		sprite.WriteString(g.symbol())
	}
	sprite.WriteString(`</svg>`)
	a.sprite = template.HTML(sprite.String()) // #nosec G203: of constants
	if cfg.Logo != "" {
		ext, contentType, data, err := readLogo(cfg.Logo)
		if err != nil {
			return a, err
		}
		logo := newAsset(ext, kind{contentType, forever, assetHeader}, data)
		a.logo = &logo
	}
	return a, nil
}

// put shelves all assets.
func (a assets) put(s *shelf) {
	all := []asset{a.style, a.script}
	for _, g := range glyphs {
		all = append(all, a.icons[g.class])
	}
	if a.logo != nil {
		all = append(all, *a.logo)
	}
	for _, f := range all {
		s.put(f.path, f.kind, f.data)
	}
}

// Palette is the part of a stylesheet that names the colours, light and dark, of the
// page and of the admin.
func Palette() string { return squeeze(mustRead("assets/palette.css"), "/*", "*/") }

func mustRead(name string) string {
	b, err := assetFiles.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(b)
}

// squeeze drops comments that begin a line, indentation and empty lines. It
// knows no syntax, so our own files keep to what it can handle: no comment
// behind code, no string over several lines.
func squeeze(source, open, shut string) string {
	var out strings.Builder
	for source != "" {
		line, rest, _ := strings.Cut(source, "\n")
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, open) {
			_, source, _ = strings.Cut(source[strings.Index(source, open)+len(open):], shut)
			continue
		}
		if source = rest; line != "" {
			out.WriteString(line + "\n")
		}
	}
	return out.String()
}

// The backgrounds that the operator's colour stands on, of palette.css.
const (
	lightGround = "#f4f6f8"
	darkGround  = "#0e1217"
)

// accentStyle sets the operator's colour on buttons and on the band over the
// page. Where it would hardly differ from the background, it is darkened, or
// lightened in the dark, until a button is seen (WCAG 2.2, 1.4.11: 3 to 1);
// letters on it are black or white, whichever is easier to read.
func accentStyle(hex string) string {
	if hex == "" {
		return ""
	}
	set := func(colour string) string {
		on := "#fff"
		if contrast(colour, "#000000") > contrast(colour, "#ffffff") {
			on = "#000"
		}
		return fmt.Sprintf(":root{--accent:%[1]s;--band:%[1]s;--on-accent:%[2]s}", colour, on)
	}
	return set(apartFrom(lightGround, hex, "#000000")) + "\n@media (prefers-color-scheme:dark){" + set(apartFrom(darkGround, hex, "#ffffff")) + "}\n"
}

// A glyph is the mark of a state. All are 16 by 16, one filled outline with
// the mark cut out of it, so the silhouettes differ without any colour.
type glyph struct {
	class string
	fill  string // of the favicon
	shape string // outline
	mark  string // drawn over it in white
}

var glyphs = []glyph{
	{classOK, "#198649", `<circle cx="8" cy="8" r="8"/>`, `<path d="m4.5 8.3 2.4 2.4 4.6-5"/>`},
	{classWork, "#2563d9", `<rect width="15" height="15" x=".5" y=".5" rx="3.5"/>`, `<path d="M8 4v4.2l2.8 1.7"/>`},
	{classSlow, "#a26700", `<path d="M8 0q.8 0 1.4.6l6 6a2 2 0 0 1 0 2.8l-6 6a2 2 0 0 1-2.8 0l-6-6a2 2 0 0 1 0-2.8l6-6Q7.2 0 8 0z"/>`, `<path d="M5 8h6"/>`},
	{classPart, "#c94b0b", `<path d="M6.3 1.5a2 2 0 0 1 3.4 0l6 11a2 2 0 0 1-1.7 3H2a2 2 0 0 1-1.7-3z"/>`, `<path d="M8 5.5v4M8 12.2v.1"/>`},
	{classDown, "#cc2b24", `<path d="M4.7 0h6.6L16 4.7v6.6L11.3 16H4.7L0 11.3V4.7z"/>`, `<path d="m5.3 5.3 5.4 5.4m0-5.4-5.4 5.4"/>`},
	{classNone, "#6b7480", `<path d="M8 0a8 8 0 1 0 0 16A8 8 0 0 0 8 0m0 3a5 5 0 1 1 0 10A5 5 0 0 1 8 3"/>`, ``},
}

// symbol is the glyph for use in a page; the stylesheet colours it.
func (g glyph) symbol() string {
	return `<symbol id="g-` + g.class + `" viewBox="0 0 16 16">` + g.shape + `<g class="mark">` + g.mark + `</g></symbol>`
}

// icon is the glyph as a favicon.
func (g glyph) icon() string {
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 18 18"><g fill="` + g.fill + `">` + g.shape +
		`</g><g fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">` + g.mark + `</g></svg>`
}
