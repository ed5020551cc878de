package pages

import (
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// The fonts of what is drawn here. They know Latin, Greek and Cyrillic.
var (
	regular = sync.OnceValue(func() *sfnt.Font { return mustParseFont(goregular.TTF) })
	bold    = sync.OnceValue(func() *sfnt.Font { return mustParseFont(gobold.TTF) })
)

func mustParseFont(data []byte) *sfnt.Font {
	f, err := opentype.Parse(data)
	if err != nil {
		panic(err) // it is embedded
	}
	return f
}

// faceOf is a font at a size in pixels. It must not be shared by goroutines.
func faceOf(f *sfnt.Font, size float64) font.Face {
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		panic(err) // the options are ours
	}
	return face
}

// textWidth is how many pixels a text takes in an ordinary sans serif. A letter
// that our font lacks is reckoned as wide as it is high.
func textWidth(s string, size int) int {
	face := faceOf(regular(), float64(size))
	var width fixed.Int26_6
	for _, r := range s {
		if w, known := face.GlyphAdvance(r); known && draws(regular(), r) {
			width += w
		} else {
			width += fixed.I(size)
		}
	}
	return width.Ceil()
}

// draws reports whether the font has the letter.
func draws(f *sfnt.Font, r rune) bool {
	n, err := f.GlyphIndex(nil, r)
	return err == nil && n != 0
}

// drawable is the text if the font has most of its letters, else "": boxes in
// place of letters tell nobody anything.
func drawable(f *sfnt.Font, s string) string {
	kept := strings.Map(func(r rune) rune {
		if draws(f, r) {
			return r
		}
		return -1
	}, s)
	if 2*len(kept) < len(s) {
		return ""
	}
	return strings.Join(strings.Fields(kept), " ")
}

// wrapped breaks a text into at most so many lines of a width in pixels; what
// is left over ends in an ellipsis.
func wrapped(face font.Face, s string, width, lines int) []string {
	fits := func(s string) bool { return font.MeasureString(face, s).Ceil() <= width }
	var out []string
	words := strings.Fields(s)
	for len(words) > 0 && len(out) < lines {
		n := 1
		for n < len(words) && fits(strings.Join(words[:n+1], " ")) {
			n++
		}
		line := strings.Join(words[:n], " ")
		if last := len(out) == lines-1; last && n < len(words) || !fits(line) {
			letters := []rune(line)
			for len(letters) > 1 && !fits(string(letters)+"…") {
				letters = letters[:len(letters)-1]
			}
			line = strings.TrimRight(string(letters), " ") + "…"
		}
		out, words = append(out, line), words[n:]
	}
	return out
}
