package web

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// sheet is the content of a form, or of the thing it edits, as text by field.
// Three of them tell what happened when two people edit at once: what the
// person saw, what is now, and what the person wants.
type sheet map[string]string

// sheetField is a field of a sheet: its name in the form and for people, and
// how its value reads.
type sheetField struct {
	name, label string
	read        func(value string) string // nil: as it is
}

func (f sheetField) words(value string) string {
	if f.read != nil {
		value = f.read(value)
	}
	if value == "" {
		return "(empty)"
	}
	return value
}

// seenPrefix names the hidden inputs that carry what the person saw.
const seenPrefix = "seen."

// seenSheet is what the form was filled with when it was shown. A form that
// does not say is taken to have shown what is now.
func seenSheet(f url.Values, now sheet) sheet {
	seen := sheet{}
	for name, value := range now {
		seen[name] = value
		if values, ok := f[seenPrefix+name]; ok {
			seen[name] = lines(values[0])
		}
	}
	return seen
}

// shows reports whether a form was filled in on what is there now: others changed
// nothing that it shows, at most the order of a list.
func shows(f url.Values, now sheet) bool {
	for name, value := range now {
		if seen, shown := f[seenPrefix+name]; !shown || lines(seen[0]) != value {
			return false
		}
	}
	return true
}

// fieldDiff is one line of the page that settles a conflict.
type fieldDiff struct {
	Label       string
	Seen        string // before either of the two
	Now, Yours  string
	Clash       bool // both changed it, differently
	TakenOver   bool // only the other one changed it
	OnlyYours   bool
	AlreadySame bool // both changed it to the same
}

// merge keeps every change of yours, takes over what only others changed, and
// lists all that differs from what was seen.
func merge(fields []sheetField, seen, now, yours sheet) (merged sheet, diffs []fieldDiff) {
	merged = sheet{}
	for _, f := range fields {
		s, n, y := seen[f.name], now[f.name], yours[f.name]
		merged[f.name] = y
		if y == s {
			merged[f.name] = n
		}
		if n == s && y == s {
			continue
		}
		diffs = append(diffs, fieldDiff{
			Label: f.label, Seen: f.words(s), Now: f.words(n), Yours: f.words(y),
			Clash: n != s && y != s && n != y, TakenOver: y == s, OnlyYours: n == s, AlreadySame: n == y,
		})
	}
	return merged, diffs
}

// settled reports whether nothing of yours is left to save: sent twice, or two
// people with one thought.
func settled(diffs []fieldDiff) bool {
	for _, d := range diffs {
		if !d.TakenOver && !d.AlreadySame {
			return false
		}
	}
	return true
}

// lines undoes the line ends of browsers.
func lines(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
}

func version(f url.Values) int64 { return number(f.Get("version")) }

// number reads the version that a form carries.
func number(text string) int64 {
	var n int64
	for _, d := range text {
		if d < '0' || d > '9' || n > 1<<50 {
			return -1 // matches no version: a conflict, not a blind overwrite
		}
		n = n*10 + int64(d-'0')
	}
	if n == 0 {
		return -1 // 0 means "whatever it is now", which no person may say
	}
	return n
}

func param(c *fiber.Ctx) string {
	if id := c.Params("id"); validID(id) {
		return id
	}
	return "-" // no id of ours: not found
}

// validID keeps what could never be an id away from the store.
func validID(id string) bool {
	if len(id) < 1 || len(id) > 64 {
		return false
	}
	for _, r := range id {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
			return false
		}
	}
	return true
}
