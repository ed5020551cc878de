package pages

import (
	"fmt"
	"math"
	"strconv"
)

// luminance is the relative luminance of a colour "#rrggbb" as WCAG 2 defines
// it, 0 for black to 1 for white.
func luminance(hex string) float64 {
	channel := func(s string) float64 {
		n, _ := strconv.ParseUint(s, 16, 8) // the form is checked by Config.complete
		c := float64(n) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(hex[1:3]) + 0.7152*channel(hex[3:5]) + 0.0722*channel(hex[5:7])
}

// contrast is the ratio of two colours as WCAG 2 defines it, 1 to 21.
func contrast(a, b string) float64 {
	light, dark := luminance(a), luminance(b)
	if dark > light {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}

// seen is the contrast at which a shape is told from its ground.
const seen = 3

// apartFrom moves a colour towards another one until it is seen on a ground.
func apartFrom(ground, hex, towards string) string {
	for share := 0.0; share < 1; share += 0.05 {
		if colour := blend(hex, towards, share); contrast(colour, ground) >= seen {
			return colour
		}
	}
	return towards
}

// blend is a colour with a share, 0 to 1, of another.
func blend(a, b string, share float64) string {
	out := "#"
	for n := 1; n < 7; n += 2 {
		x, _ := strconv.ParseUint(a[n:n+2], 16, 8) // the form is checked by Config.complete
		y, _ := strconv.ParseUint(b[n:n+2], 16, 8)
		out += fmt.Sprintf("%02x", int(math.Round(float64(x)*(1-share)+float64(y)*share)))
	}
	return out
}
