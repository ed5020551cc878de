package pages

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// The measures of a badge, in pixels.
const (
	badgeHeight = 20
	badgeText   = 11 // size of the letters
	badgeMargin = 6
	badgeGlyph  = 12
)

// badge draws a state as a small picture for other pages: a label on grey and
// the state as glyph and word on its colour. Both grounds are its own, so it
// can be read on light and dark pages; and readers that do not see it are told
// by its title.
func (p *press) badge(label string, l look) []byte {
	g := glyphOf(l.Class)
	left := badgeMargin + textWidth(label, badgeText) + badgeMargin
	right := badgeMargin + badgeGlyph + 4 + textWidth(l.Word, badgeText) + badgeMargin
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img" aria-labelledby="t">`, left+right, badgeHeight)
	fmt.Fprintf(&b, `<title id="t">%s: %s</title>`, xmlText(label), xmlText(l.Word))
	fmt.Fprintf(&b, `<clipPath id="r"><rect width="%d" height="%d" rx="4"/></clipPath>`, left+right, badgeHeight)
	fmt.Fprintf(&b, `<g clip-path="url(#r)"><rect width="%d" height="%d" fill="#3d444d"/><rect x="%d" width="%d" height="%d" fill="%s"/></g>`,
		left, badgeHeight, left, right, badgeHeight, g.fill)
	// White on white the mark would vanish: it is cut out in the colour.
	fmt.Fprintf(&b, `<g transform="translate(%d 4) scale(.75)"><g fill="#fff">%s</g><g fill="none" stroke="%s" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">%s</g></g>`,
		left+badgeMargin, g.shape, g.fill, g.mark)
	b.WriteString(`<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">`)
	badgeWords(&b, badgeMargin, label)
	badgeWords(&b, left+badgeMargin+badgeGlyph+4, l.Word)
	b.WriteString("</g></svg>\n")
	return []byte(b.String())
}

// badgeWords writes a text as wide as was reckoned, whatever font there is.
func badgeWords(b *strings.Builder, x int, words string) {
	fmt.Fprintf(b, `<text x="%d" y="14" textLength="%d" lengthAdjust="spacingAndGlyphs">%s</text>`, x, textWidth(words, badgeText), xmlText(words))
}

func xmlText(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a builder takes all
	return b.String()
}

func glyphOf(class string) glyph {
	for _, g := range glyphs {
		if g.class == class {
			return g
		}
	}
	return glyphOf(classNone)
}
