package pages

import (
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
