package alerts

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Finding is one thing that is wrong in a rules file, and where.
type Finding struct {
	File       string
	Line       int // from 1
	Column     int // from 1, in characters
	Message    string
	Excerpt    string // the line, and below it a caret under the column
	Suggestion string // how to mend it, "" if we do not know
}

// OneOf makes the words for a text that should be one of a few, and suggests the
// nearest.
func OneOf(got string, right []string) (message, suggestion string) {
	return fmt.Sprintf("is %q, but must be %s", status.Clip(got, 60), oneOf(right)), Meant(got, right)
}

// At makes a finding about a place in a text, for files that are not rules.
func At(file string, src []byte, line, column int, message string) Finding {
	c := &checker{file: file, lines: strings.Split(string(src), "\n")}
	c.reportAt(line, column, "", "%s", message)
	return c.findings[0]
}

// String is the finding as a compiler would print it.
func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message)
	if f.Suggestion != "" {
		b.WriteString(" (" + f.Suggestion + ")")
	}
	if f.Excerpt != "" {
		b.WriteString("\n" + f.Excerpt)
	}
	return b.String()
}

// Findings is everything that is wrong in a rules file, in the order of its
// lines.
type Findings []Finding

// Error prints all findings.
func (all Findings) Error() string {
	lines := make([]string, len(all))
	for n, f := range all {
		lines[n] = f.String()
	}
	return strings.Join(lines, "\n")
}

func (all Findings) sort() {
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// excerptWidth bounds how much of a line is shown, in characters.
const excerptWidth = 120

// excerpt shows a line with a caret under the column.
func excerpt(line string, column int) string {
	runes := []rune(strings.TrimRight(line, "\r\n"))
	at := min(max(column-1, 0), len(runes))
	from := 0
	if at > excerptWidth*3/4 {
		from = at - excerptWidth/2
	}
	to := min(from+excerptWidth, len(runes))
	pad := make([]rune, 0, at-from)
	for _, r := range runes[from:at] {
		if r != '\t' {
			r = ' '
		}
		pad = append(pad, r)
	}
	return "  " + string(runes[from:to]) + "\n  " + string(pad) + "^"
}

// Meant suggests the nearest of the words that would have been right.
func Meant(got string, right []string) string {
	best, least := "", 3
	if utf8.RuneCountInString(got) < 4 {
		least = 2
	}
	for _, w := range right {
		d := distance(strings.ToLower(got), strings.ToLower(w))
		if d < least {
			best, least = w, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", best)
}

// distance counts the letters to add, drop, replace or swap with their
// neighbour to get from a to b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range y {
		rows[0][j+1] = j + 1
	}
	for i := range x {
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			d := min(rows[i][j+1]+1, rows[i+1][j]+1, rows[i][j]+cost)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				d = min(d, rows[i-1][j-1]+1)
			}
			rows[i+1][j+1] = d
		}
	}
	return rows[len(x)][len(y)]
}

// oneOf lists words for a message: `a, b or c`.
func oneOf(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
