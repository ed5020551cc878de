package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Setting is a line of the configuration.
type Setting struct {
	Section string // of the reference
	Key     string // as in YAML: smtp.url
	Value   string // masked when it is a secret, "" if nothing is set
	Given   string // by which file, variable or flag; "" is nobody: the default
	Meaning string // in Markdown
	Reloads bool   // a reload takes a change over, no start is needed
	Whole   string // the value itself, to compare; never shown
}

// Settings is the configuration in force, and what it would be if it were read
// now.
type Settings struct {
	InForce []Setting
	Now     []Setting
	Err     error // why it cannot be read now
}

type settingsPage struct {
	Sections []settingsSection
	Problem  string
	Changed  int
	Reload   bool // would take a change over
	Version  string
}

type settingsSection struct {
	Title, Anchor string
	Given         []settingView
	Defaults      []settingView
}

type settingView struct {
	Setting
	Meaning []phrase
	Secret  bool
	Changed bool // since it was read
	Next    string
}

// phrase is a piece of a sentence, perhaps a name as it is typed.
type phrase struct {
	Text string
	Code bool
}

// reference is where each setting is described.
const reference = "https://github.com/statusbridge/statusbridge/blob/main/docs/configuration.md"

func (s *Server) showSettings(c *fiber.Ctx, _ visit) error {
	view := settingsPage{Version: s.cfg.Version}
	state := s.settings(c.UserContext())
	if state.Err != nil {
		view.Problem = state.Err.Error()
	}
	now := map[string]Setting{}
	for _, setting := range state.Now {
		now[setting.Key] = setting
	}
	for _, setting := range state.InForce {
		v := settingView{Setting: setting, Meaning: phrases(setting.Meaning)}
		if next, read := now[setting.Key]; state.Err == nil && (!read || next.Whole != setting.Whole) {
			v.Changed, v.Next = true, next.Value
			view.Changed++
			view.Reload = view.Reload || setting.Reloads
		}
		view.add(v)
	}
	return s.render(c, http.StatusOK, "settings.html", page{Title: "Settings", Nav: "settings", Data: view})
}

func (p *settingsPage) add(v settingView) {
	if n := len(p.Sections); n == 0 || p.Sections[n-1].Title != v.Section {
		p.Sections = append(p.Sections, settingsSection{Title: v.Section, Anchor: anchor(v.Section)})
	}
	section := &p.Sections[len(p.Sections)-1]
	if v.Given != "" || v.Changed {
		section.Given = append(section.Given, v)
	} else {
		section.Defaults = append(section.Defaults, v)
	}
}

// anchor is how GitHub names a heading.
func anchor(title string) string {
	keep := func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '(' || r == ')':
			return -1
		}
		return r
	}
	return reference + "#" + strings.Map(keep, strings.ToLower(title))
}

// phrases reads the little Markdown that meanings are written in: `names`, and
// links, of which the words stay.
func phrases(text string) []phrase {
	var out []phrase
	for n, part := range strings.Split(text, "`") {
		if n%2 == 0 {
			for {
				before, rest, ok := strings.Cut(part, "](")
				_, after, closed := strings.Cut(rest, ")")
				if !ok || !closed {
					break
				}
				at := strings.LastIndexByte(before, '[')
				if at < 0 {
					break
				}
				part = before[:at] + before[at+1:] + after
			}
		}
		if part != "" {
			out = append(out, phrase{part, n%2 == 1})
		}
	}
	return out
}

func noSettings(context.Context) Settings { return Settings{} }
