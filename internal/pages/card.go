package pages

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"strconv"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// The card is the picture that chats and social networks show beside a link to
// the page: the present state, in the size they ask for.
const (
	cardPath   = "/og.png"
	cardWidth  = 1200
	cardHeight = 630
	cardMargin = 80
)

// A card is what the picture tells.
type card struct {
	name     string // of the page
	class    string
	headline string
	detail   string
}

func (p *press) card(e *edition) card {
	var news []string
	for _, i := range e.sum.Active {
		news = append(news, oneLine(i.Title))
	}
	if len(news) == 0 {
		for _, m := range e.sum.Running {
			news = append(news, oneLine(m.Title))
		}
	}
	if len(news) == 0 && e.head.Component != "" {
		news = append(news, oneLine(e.head.Component))
	}
	return card{p.cfg.Name, e.head.Class, e.headline(), strings.Join(news, " · ")}
}

// address is where the picture is. Those who keep it ask again when it changed.
func (c card) address(publicURL string) string {
	return publicURL + cardPath + "?v=" + checksum([]byte(strings.Join([]string{c.name, c.class, c.headline, c.detail}, "\x00")))
}

// alt tells the picture in words.
func (c card) alt() string {
	text := c.name + ": " + c.headline
	if c.detail != "" {
		text += ". " + c.detail
	}
	return text
}

var (
	cardGround = color.RGBA{0x14, 0x18, 0x1f, 0xff}
	cardBright = color.RGBA{0xff, 0xff, 0xff, 0xff}
	cardSoft   = color.RGBA{0xc3, 0xca, 0xd4, 0xff}
)

// png draws the card.
func (c card) png() ([]byte, error) {
	s := sheet{image.NewRGBA(image.Rect(0, 0, cardWidth, cardHeight))}
	draw.Draw(s, s.Bounds(), image.NewUniform(cardGround), image.Point{}, draw.Src)
	tone := colourOf(glyphOf(c.class).fill)
	draw.Draw(s, image.Rect(0, cardHeight-24, cardWidth, cardHeight), image.NewUniform(tone), image.Point{}, draw.Src)
	s.glyph(c.class, tone, cardMargin, 190, 150)

	const width = cardWidth - 2*cardMargin
	s.words(regular(), 44, cardSoft, cardMargin, 120, width, 1, c.name)
	const beside = cardMargin + 150 + 50
	// One line stands at the middle of the glyph, two around it.
	top := 291
	if len(wrapped(faceOf(bold(), 76), drawable(bold(), c.headline), cardWidth-beside-cardMargin, 2)) > 1 {
		top = 246
	}
	s.words(bold(), 76, cardBright, beside, top, cardWidth-beside-cardMargin, 2, c.headline)
	s.words(regular(), 40, cardSoft, cardMargin, 440, width, 3, c.detail)
	var b bytes.Buffer
	if err := png.Encode(&b, s); err != nil {
		return nil, fmt.Errorf("draw the card: %w", err)
	}
	return b.Bytes(), nil
}

// colourOf reads #rrggbb.
func colourOf(hex string) color.RGBA {
	n, _ := strconv.ParseUint(hex[1:], 16, 32) // our own constants
	return color.RGBA{byte(n >> 16), byte(n >> 8), byte(n), 0xff}
}

// A sheet is a picture that can be drawn on.
type sheet struct{ *image.RGBA }

// words sets a text from the left end of its first line's base on.
func (s sheet) words(f *sfnt.Font, size float64, c color.Color, x, y, width, lines int, text string) {
	face := faceOf(f, size)
	for n, line := range wrapped(face, drawable(f, text), width, lines) {
		d := font.Drawer{Dst: s, Src: image.NewUniform(c), Face: face, Dot: fixed.P(x, y+int(float64(n)*size*1.2))}
		d.DrawString(line)
	}
}

// A point in the 16 by 16 units of glyphs.
type point struct{ x, y float64 }

// outlines are the silhouettes of the glyphs as polygons, without their round
// corners; marks are the strokes on them.
var (
	outlines = map[string][]point{
		classOK:   circle(8, 8, 7),
		classWork: {{1.5, 1.5}, {14.5, 1.5}, {14.5, 14.5}, {1.5, 14.5}},
		classSlow: {{8, 1.5}, {14.5, 8}, {8, 14.5}, {1.5, 8}},
		classPart: {{8, 2}, {14.5, 14}, {1.5, 14}},
		classDown: {{5.1, 1}, {10.9, 1}, {15, 5.1}, {15, 10.9}, {10.9, 15}, {5.1, 15}, {1, 10.9}, {1, 5.1}},
		classNone: circle(8, 8, 6.5),
	}
	marks = map[string][][]point{
		classOK:   {{{4.5, 8.3}, {6.9, 10.7}, {11.5, 5.7}}},
		classWork: {{{8, 4}, {8, 8.2}, {10.8, 9.9}}},
		classSlow: {{{5, 8}, {11, 8}}},
		classPart: {{{8, 5.5}, {8, 9.5}}, {{8, 12.2}, {8, 12.3}}},
		classDown: {{{5.3, 5.3}, {10.7, 10.7}}, {{10.7, 5.3}, {5.3, 10.7}}},
	}
)

func circle(x, y, radius float64) []point {
	points := make([]point, 72)
	for n := range points {
		sin, cos := math.Sincos(2 * math.Pi * float64(n) / float64(len(points)))
		points[n] = point{x + radius*cos, y + radius*sin}
	}
	return points
}

// glyph draws the glyph of a class, so many pixels wide.
func (s sheet) glyph(class string, tone color.Color, x, y, size int) {
	scale := float64(size) / 16
	place := func(points []point) []point {
		out := make([]point, len(points))
		for n, p := range points {
			out[n] = point{float64(x) + p.x*scale, float64(y) + p.y*scale}
		}
		return out
	}
	outline := place(outlines[class])
	if class != classNone { // which is a ring
		s.fill(tone, outline)
	}
	s.stroke(tone, 2*scale, append(outline, outline[0]))
	for _, mark := range marks[class] {
		s.stroke(cardBright, 2*scale, place(mark))
	}
}

// fill paints a polygon. Only as much is rasterised as it covers.
func (s sheet) fill(c color.Color, points []point) {
	left, top, right, bottom := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, p := range points {
		left, top, right, bottom = min(left, p.x), min(top, p.y), max(right, p.x), max(bottom, p.y)
	}
	box := image.Rect(int(left), int(top), int(right)+2, int(bottom)+2)
	r := vector.NewRasterizer(box.Dx(), box.Dy())
	for n, p := range points {
		x, y := float32(p.x-float64(box.Min.X)), float32(p.y-float64(box.Min.Y))
		if n == 0 {
			r.MoveTo(x, y)
		} else {
			r.LineTo(x, y)
		}
	}
	r.ClosePath()
	r.Draw(s, box, image.NewUniform(c), image.Point{})
}

// stroke paints a line with round ends and corners.
func (s sheet) stroke(c color.Color, width float64, points []point) {
	for n, p := range points {
		s.fill(c, circle(p.x, p.y, width/2))
		if n == 0 {
			continue
		}
		q := points[n-1]
		length := math.Hypot(p.x-q.x, p.y-q.y)
		if length == 0 {
			continue
		}
		dx, dy := (p.y-q.y)/length*width/2, (q.x-p.x)/length*width/2
		s.fill(c, []point{{q.x + dx, q.y + dy}, {p.x + dx, p.y + dy}, {p.x - dx, p.y - dy}, {q.x - dx, q.y - dy}})
	}
}
