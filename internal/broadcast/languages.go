package broadcast

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

//go:embed languages/*.json
var languageFiles embed.FS

// language is how mails speak, one file each.
type language struct {
	Tag        string                            `json:"tag"` // BCP 47, such as pt-BR
	Name       string                            `json:"name"`
	States     map[string]string                 `json:"states"` // by code
	Components map[status.ComponentStatus]string `json:"components"`
	Phrases    map[string]string                 `json:"phrases"`
	// Says translates what automation says when a person says nothing.
	Says   map[string]string    `json:"says"`
	Units  map[string][2]string `json:"units"` // one, several
	Less   string               `json:"less"`  // than a minute
	Colon  string               `json:"colon"`
	Date   string               `json:"date"` // of {d} {m} {month} {y} {time} {zone}
	Months [12]string           `json:"months"`
}

// languages are all there are, by tag; English is always among them.
var languages = loadLanguages()

// loadLanguages panics on a broken file: they are embedded, so a build that
// starts once starts always.
func loadLanguages() map[string]*language {
	files, err := languageFiles.ReadDir("languages")
	if err != nil {
		panic(err)
	}
	all := map[string]*language{}
	for _, f := range files {
		text, err := languageFiles.ReadFile(path.Join("languages", f.Name()))
		if err != nil {
			panic(err)
		}
		l := new(language)
		if err := json.Unmarshal(text, l); err != nil {
			panic(fmt.Errorf("language %s: %w", f.Name(), err))
		}
		all[l.Tag] = l
	}
	return all
}

// Language is one that mails are written in.
type Language struct {
	Tag  string
	Name string // as its speakers call it
}

// Languages lists them in the order of their tags.
func Languages() []Language {
	var list []Language
	for _, l := range languages {
		list = append(list, Language{l.Tag, l.Name})
	}
	slices.SortFunc(list, func(a, b Language) int { return strings.Compare(a.Tag, b.Tag) })
	return list
}

// speak finds a language by the tags, the first that is known; "pt" finds pt-BR.
func speak(tags ...string) *language {
	for _, tag := range tags {
		if l, known := languages[tag]; known {
			return l
		}
		for _, l := range Languages() {
			primary, _, _ := strings.Cut(l.Tag, "-")
			if strings.EqualFold(tag, l.Tag) || strings.EqualFold(tag, primary) {
				return languages[l.Tag]
			}
		}
	}
	return languages["en"]
}

// Say fills in a phrase.
func (l *language) Say(key string, args ...any) string {
	phrase, known := l.Phrases[key]
	if !known {
		phrase = languages["en"].Phrases[key]
	}
	if len(args) == 0 {
		return phrase
	}
	return fmt.Sprintf(phrase, args...)
}

// state is the word for a state.
func (l *language) state(code, word string) string {
	if s, known := l.States[code]; known {
		return s
	}
	return word
}

// body translates what automation said; what a person wrote stays.
func (l *language) body(text string) string {
	if s, known := l.Says[text]; known {
		return s
	}
	return text
}

// moment writes a time in a zone.
func (l *language) moment(t time.Time, zone *time.Location) string {
	t = t.In(zone)
	name := t.Format("MST")
	if strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-") {
		name = "UTC" + name // a zone without a name of its own
	}
	return strings.NewReplacer("{d}", strconv.Itoa(t.Day()), "{m}", strconv.Itoa(int(t.Month())), "{month}", l.Months[t.Month()-1],
		"{y}", strconv.Itoa(t.Year()), "{time}", t.Format("15:04"), "{zone}", name).Replace(l.Date)
}

// duration writes a length of time in the two largest units that matter.
func (l *language) duration(d time.Duration) string {
	minutes := int64(d.Round(time.Minute) / time.Minute)
	days, hours, minutes := minutes/(24*60), minutes/60%24, minutes%60
	switch {
	case days > 0:
		return join(l.count(days, "day"), l.count(hours, "hour"))
	case hours > 0:
		return join(l.count(hours, "hour"), l.count(minutes, "minute"))
	case minutes > 0:
		return l.count(minutes, "minute")
	}
	return l.Less
}

func (l *language) count(n int64, unit string) string {
	if n == 0 {
		return ""
	}
	word := l.Units[unit][1]
	if n == 1 {
		word = l.Units[unit][0]
	}
	return strconv.FormatInt(n, 10) + " " + word
}

// again says when a maintenance takes place again.
func (l *language) again(times []time.Time, zone *time.Location) string {
	var dates []string
	for _, t := range times {
		dates = append(dates, l.moment(t, zone))
	}
	return l.Say("repeats", strings.Join(dates, " · "))
}

// span says when something was or is to be.
func (l *language) span(m Message, zone *time.Location) []string {
	length := l.duration(m.Span.Until.Sub(m.Span.From))
	from, until := l.moment(m.Span.From, zone), l.moment(m.Span.Until, zone)
	switch m.Span.Kind {
	case SpanLasted:
		return []string{l.Say("lasted", length, from, until)}
	case SpanPlanned:
		facts := []string{l.Say("planned", from, until, length)}
		if m.Event == status.EventMaintenanceReminder && m.Span.From.After(m.Queued) {
			facts = append(facts, l.Say("begins", l.duration(m.Span.From.Sub(m.Queued))))
		}
		if len(m.Again) > 0 {
			facts = append(facts, l.again(m.Again, zone))
		}
		return facts
	}
	return nil
}
