package pages

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/feature/plural"

	"github.com/statusbridge/statusbridge/internal/status"
)

func tongue(t *testing.T, code string) *language {
	t.Helper()
	l, err := loadLanguage(code)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// blanks are the names of what is filled into a phrase.
func (p phrase) blanks() []string {
	set := map[string]bool{}
	for _, form := range p {
		for _, part := range form {
			if part.blank != "" {
				set[part.blank] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// dates may leave out or choose parts as the language writes them.
var dateParts = []string{"d", "mon", "month", "m", "y"}

func TestEveryLanguageSaysTheSameThings(t *testing.T) {
	en := tongue(t, "en")
	for _, code := range languageCodes() {
		l := tongue(t, code)
		for _, key := range slices.Sorted(maps.Keys(en.phrases)) {
			said, known := l.phrases[key]
			if !known {
				t.Errorf("%s does not say %q", code, key)
				continue
			}
			drop := func(names []string) []string {
				if !strings.HasPrefix(key, "date.") {
					return names
				}
				return slices.DeleteFunc(names, func(n string) bool { return slices.Contains(dateParts, n) })
			}
			if want, got := drop(en.phrases[key].blanks()), drop(said.blanks()); !slices.Equal(want, got) {
				t.Errorf("%s: %q has the blanks %q, want %q", code, key, got, want)
			}
			for form, parts := range said {
				if len(parts) == 0 {
					t.Errorf("%s: %q says nothing in form %v", code, key, form)
				}
			}
			if len(en.phrases[key]) == 1 {
				continue
			}
			for _, n := range []int{0, 1, 2, 3, 5, 11, 21, 100} {
				form := plural.Cardinal.MatchPlural(l.tag, n, 0, 0, 0, 0)
				if _, ok := said[form]; !ok {
					t.Errorf("%s: %q has no form for %d", code, key, n)
				}
			}
		}
		for key := range l.phrases {
			if _, known := en.phrases[key]; !known {
				t.Errorf("%s says %q, which en does not", code, key)
			}
		}
	}
}

// composed are the keys that the code puts together.
func composed() []string {
	var keys []string
	for _, s := range status.ComponentStatuses {
		keys = append(keys, "status."+string(s), "inline."+string(s))
	}
	for _, i := range status.Impacts {
		keys = append(keys, "impact."+string(i))
	}
	for _, s := range status.IssueStates {
		keys = append(keys, "issue."+string(s))
	}
	keys = append(keys, "issue."+status.StateMerged, "issue."+status.StatePostmortem)
	for _, s := range status.MaintenanceStates {
		keys = append(keys, "work."+string(s))
	}
	for _, s := range status.Spans {
		keys = append(keys, "chart."+s.Name)
	}
	for n := range 12 {
		keys = append(keys, fmt.Sprintf("month.%d", n+1), fmt.Sprintf("mon.%d", n+1))
	}
	for n := range 7 {
		keys = append(keys, fmt.Sprintf("weekday.%d", n), fmt.Sprintf("day.%d", n))
	}
	for _, nth := range []int{-1, 1, 2, 3, 4} {
		keys = append(keys, fmt.Sprintf("nth.%d", nth))
	}
	keys = append(keys, "repeats.day", "repeats.week", "repeats.month")
	return keys
}

func TestEveryPhraseIsUsedAndEveryUseIsAPhrase(t *testing.T) {
	en, used := tongue(t, "en"), map[string]bool{}
	for _, key := range composed() {
		used[key] = true
	}
	quoted := regexp.MustCompile(`"([a-z_]+(?:\.[a-z_]+)*)"`)
	said := regexp.MustCompile(`\b(?:say|tell|date)\(?\s?"([a-z_.0-9]*[a-z_0-9])"`)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || !slices.Contains([]string{".go", ".html"}, filepath.Ext(path)) {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range quoted.FindAllSubmatch(source, -1) {
			used[string(m[1])] = true
		}
		for _, m := range said.FindAllSubmatch(source, -1) {
			if _, known := en.phrases[string(m[1])]; !known {
				t.Errorf("%s says %q, which is no phrase", path, m[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range slices.Sorted(maps.Keys(en.phrases)) {
		if !used[key] {
			t.Errorf("nothing says %q", key)
		}
	}
	for _, key := range composed() {
		if _, known := en.phrases[key]; !known {
			t.Errorf("%q is said and is no phrase", key)
		}
	}
}

// What the core says of the whole is what people read in English, word for word.
func TestEveryHeadlineOfTheCoreHasAPhrase(t *testing.T) {
	for text, key := range headlineKeys {
		if got := english().say(key); got != text {
			t.Errorf("%s says %q, want %q", key, got, text)
		}
	}
	for _, all := range []bool{false, true} {
		for _, s := range status.ComponentStatuses {
			v := calm()
			v.Issues, v.Maintenances = nil, nil
			for n := range v.Components {
				if n == 0 || all {
					v.Components[n].Status = s
				}
			}
			if e := newEdition(v, noon, time.Time{}, nil); headlineKeys[e.head.Text] == "" {
				t.Errorf("no phrase for %q", e.head.Text)
			}
		}
	}
}

func TestAPhraseEscapesWhatItIsFilledWith(t *testing.T) {
	got := english().tell("pair", "name", "<b>", "value", link("/issues/a", "x & <y>"))
	if want := `&lt;b&gt;: <a href="/issues/a">x &amp; &lt;y&gt;</a>`; string(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestALanguageThatThereIsNotIsRefused(t *testing.T) {
	cfg := settings()
	cfg.Language = "tlh"
	if _, err := newPress(cfg); err == nil || !strings.Contains(err.Error(), "want one of") {
		t.Errorf("%v, want the languages that there are", err)
	}
}

func TestABrokenLanguageFileIsRefusedWithTheReason(t *testing.T) {
	phrases, err := readPhrases([]byte(`{"calm": "All is {well}", "n": {"one": "{n} day", "other": "{n} days"}}`))
	if err != nil || len(phrases) != 2 || len(phrases["n"]) != 2 {
		t.Fatalf("%v, %v", phrases, err)
	}
	for file, why := range map[string]string{
		`[]`:                                "want an object",
		`{"calm": 1}`:                       "calm: want an object",
		`{"calm": "a", "calm": "b"}`:        "duplicate",
		`{"n": {"other": 1}}`:               "n: other: want a string",
		`{"n": {"one": "a day"}}`:           `n: no form "other"`,
		`{"n": {"some": "a", "other": ""}}`: `"some" is no plural category`,
		`{"calm": "a"`:                      "EOF",
	} {
		if _, err := readPhrases([]byte(file)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %s", file, err, why)
		}
	}
}
