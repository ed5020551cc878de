package status

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Template is words to begin an update with. It is nothing that the public sees.
type Template struct {
	ID       string
	Name     string     // on its button
	Title    string     // of a new issue; "" leaves the title alone
	State    IssueState // that goes with the words; "" leaves the state alone
	Body     string     // Markdown with placeholders
	Position int
	// Maintenance ones are for updates about maintenance, which has states of its
	// own; the others are for issues.
	Maintenance bool
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Placeholders are what the words of a template may name, in braces: {title}.
var Placeholders = []string{"title", "components", "impact", "state", "started", "duration"}

var placeholder = regexp.MustCompile(`\{([a-z_]+)\}`)

// Check says what is wrong with a template, by Invalid.
func (t Template) Check() error {
	switch {
	case t.Name == "":
		return Invalid{"name", "its button needs a name"}
	case len(t.Name) > 60:
		return Invalid{"name", "is longer than 60 bytes, too long for a button"}
	case len(t.Title) > MaxTitle:
		return Invalid{"title", "is longer than 200 bytes"}
	case strings.TrimSpace(t.Body) == "":
		return Invalid{"body", "say what it writes"}
	case len(t.Body) > MaxBody:
		return Invalid{"body", "is longer than 20,000 bytes"}
	case t.Maintenance && t.State != "":
		return Invalid{"state", "is that of an issue; maintenance moves on by its own buttons"}
	case t.State != "" && !t.State.Valid():
		return Invalid{"state", "is not investigating, identified, monitoring or resolved"}
	}
	for field, text := range map[string]string{"title": t.Title, "body": t.Body} {
		for _, found := range placeholder.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(Placeholders, found[1]) {
				return Invalid{field, "there is no placeholder " + found[0] + "; there are {" + strings.Join(Placeholders, "}, {") + "}"}
			}
		}
	}
	return nil
}

// Fill writes the template with a value for each of Placeholders. Braces around
// anything else stay.
func (t Template) Fill(values map[string]string) (title, body string) {
	fill := func(text string) string {
		return placeholder.ReplaceAllStringFunc(text, func(found string) string {
			if value, known := values[strings.Trim(found, "{}")]; known {
				return value
			}
			return found
		})
	}
	return oneLine(fill(t.Title)), strings.TrimSpace(fill(t.Body))
}
