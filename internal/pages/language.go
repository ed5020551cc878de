package pages

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"iter"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/feature/plural"
	xlanguage "golang.org/x/text/language"
)

//go:embed languages/*.json
var languageFiles embed.FS

// A language is the interface in one language. What people write stays as they
// wrote it.
type language struct {
	code string // BCP 47, such as pt-BR
	tag  xlanguage.Tag
	// base is what its paths begin with, such as /pt-br; "" for the language
	// of the page.
	base string
	// other is the language that people write in, when it is not this one.
	other   string
	phrases map[string]phrase

	wording sync.Mutex
	pages   map[string]*template.Template // see page
}

// A phrase is what is said for a key, with a form for each plural category
// that the language has; one without plural has the form Other only.
type phrase map[plural.Form][]piece

// A piece of a phrase is text, or the name of what is filled in.
type piece struct{ text, blank string }

// loadLanguage reads the file of a language.
func loadLanguage(code string) (*language, error) {
	raw, err := languageFiles.ReadFile("languages/" + code + ".json")
	if err != nil {
		return nil, fmt.Errorf("page.language %q: want one of %s", code, strings.Join(languageCodes(), ", "))
	}
	tag, err := xlanguage.Parse(code)
	if err != nil {
		return nil, err
	}
	l := &language{code: code, tag: tag, base: "/" + strings.ToLower(code), pages: map[string]*template.Template{}}
	if l.phrases, err = phrasesOf(code, raw); err != nil {
		return nil, fmt.Errorf("language %s: %w", code, err)
	}
	return l, nil
}

// known holds what phrasesOf has read; each file is needed more than once.
var known sync.Map

func phrasesOf(code string, raw []byte) (map[string]phrase, error) {
	if kept, ok := known.Load(code); ok {
		return kept.(map[string]phrase), nil
	}
	phrases, err := readPhrases(raw)
	if err == nil {
		known.Store(code, phrases)
	}
	return phrases, err
}

// english is what an edition is in until it is told otherwise.
var english = sync.OnceValue(func() *language {
	l, err := loadLanguage("en")
	if err != nil {
		panic(err) // it is embedded
	}
	l.base = ""
	return l
})

// languageCodes lists the languages there are files of.
func languageCodes() []string {
	files, _ := languageFiles.ReadDir("languages") // it is embedded
	var codes []string
	for _, f := range files {
		codes = append(codes, strings.TrimSuffix(f.Name(), path.Ext(f.Name())))
	}
	return codes
}

var pluralForms = map[string]plural.Form{
	"zero": plural.Zero, "one": plural.One, "two": plural.Two, "few": plural.Few, "many": plural.Many, "other": plural.Other,
}

// readPhrases reads the file of a language: an object of strings, or of objects
// with a string for each plural category of CLDR.
//
// It goes from token to token, since each start reads all files.
func readPhrases(raw []byte) (map[string]phrase, error) {
	d := jsontext.NewDecoder(bytes.NewReader(raw)) // it refuses a key that stands twice
	out := map[string]phrase{}
	for key, err := range entries(d) {
		if err != nil {
			return nil, err
		}
		if d.PeekKind() == jsontext.KindString {
			text, err := d.ReadToken()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			out[key] = phrase{plural.Other: pieces(text.String())}
			continue
		}
		p := phrase{}
		for name, err := range entries(d) {
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			form, known := pluralForms[name]
			if !known {
				return nil, fmt.Errorf("%s: %q is no plural category", key, name)
			}
			text, err := d.ReadToken()
			if err == nil && text.Kind() != jsontext.KindString {
				err = fmt.Errorf("want a string, not %s", text.Kind())
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", key, name, err)
			}
			p[form] = pieces(text.String())
		}
		if p[plural.Other] == nil {
			return nil, fmt.Errorf("%s: no form \"other\"", key)
		}
		out[key] = p
	}
	return out, nil
}

// entries are the keys of the object that a decoder stands before; whoever ranges
// over them reads the value of each.
func entries(d *jsontext.Decoder) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		begin, err := d.ReadToken()
		if err == nil && begin.Kind() != jsontext.KindBeginObject {
			err = fmt.Errorf("want an object, not %s", begin.Kind())
		}
		for err == nil && d.PeekKind() != jsontext.KindEndObject {
			var key jsontext.Token
			if key, err = d.ReadToken(); err == nil && !yield(key.String(), nil) {
				return
			}
		}
		if err == nil {
			_, err = d.ReadToken()
		}
		if err != nil {
			yield("", err)
		}
	}
}

// pieces takes a text apart at its {blanks}.
func pieces(text string) []piece {
	out := []piece{}
	for text != "" {
		before, rest, found := strings.Cut(text, "{")
		if before != "" {
			out = append(out, piece{text: before})
		}
		if !found {
			break
		}
		var name string
		name, text, _ = strings.Cut(rest, "}")
		out = append(out, piece{blank: name})
	}
	return out
}

// say words a key. args are names and what fills their blanks: strings, whole
// numbers, and template.HTML, which only tell may be given. The number called
// n decides on the plural.
func (l *language) say(key string, args ...any) string {
	return l.fill(key, args, func(s string) string { return s })
}

// tell is say for a page: text is escaped, and HTML may fill a blank.
func (l *language) tell(key string, args ...any) template.HTML {
	return template.HTML(l.fill(key, args, template.HTMLEscapeString)) // #nosec G203: all text is escaped
}

func (l *language) fill(key string, args []any, escape func(string) string) string {
	p, known := l.phrases[key]
	if !known {
		return escape(key) // a test finds it
	}
	var b strings.Builder
	for _, part := range p.form(l, args) {
		if part.blank == "" {
			b.WriteString(escape(part.text))
			continue
		}
		switch v := argument(args, part.blank).(type) {
		case template.HTML:
			b.WriteString(string(v))
		case int:
			b.WriteString(strconv.Itoa(v))
		case string:
			b.WriteString(escape(v))
		}
	}
	return b.String()
}

func (p phrase) form(l *language, args []any) []piece {
	n, counts := argument(args, "n").(int)
	if counts && len(p) > 1 {
		if text, ok := p[plural.Cardinal.MatchPlural(l.tag, n, 0, 0, 0, 0)]; ok {
			return text
		}
	}
	return p[plural.Other]
}

// argument finds a value in a list of names and values.
func argument(args []any, name string) any {
	for n := 0; n+1 < len(args); n += 2 {
		if args[n] == name {
			return args[n+1]
		}
	}
	return nil
}

// written marks what people wrote, which stays in their language.
func (l *language) written() template.HTMLAttr {
	if l.other == "" {
		return ""
	}
	return template.HTMLAttr(` lang="` + l.other + `"`) // #nosec G203: the code of a language
}

// isolated is a name that somebody gave: its direction touches nothing else.
func isolated(name string) template.HTML {
	return "<bdi>" + template.HTML(template.HTMLEscapeString(name)) + "</bdi>" // #nosec G203: escaped
}

func link(path, text string) template.HTML {
	return template.HTML(`<a href="` + template.HTMLEscapeString(path) + `">` + template.HTMLEscapeString(text) + "</a>") // #nosec G203: escaped
}

// names lists names that people gave.
func (l *language) names(list []string) template.HTML {
	shown, rest := fold(list, hitsShown)
	more := ""
	if len(rest) > 0 {
		more = " " + l.say("front.more", "n", len(rest))
	}
	parts := make([]string, len(shown))
	for n, name := range shown {
		parts[n] = string(isolated(name))
	}
	return template.HTML(strings.Join(parts, template.HTMLEscapeString(l.say("comma"))) + template.HTMLEscapeString(more)) // #nosec G203: escaped
}

// pair is "name: value".
func (l *language) pair(name, value string) string {
	return l.say("pair", "name", name, "value", value)
}

// list joins parts of a sentence.
func (l *language) list(parts []string) string { return strings.Join(parts, l.say("comma")) }

// percent rounds down: only what never failed has 100%.
func (l *language) percent(share float64) string {
	return l.say("percent", "number", strings.Replace(hundredths(share), ".", l.say("decimal"), 1))
}

// languages are those that the page is read in, its own first.
type languages []*language

// loadLanguages loads the language of the page and the others offered.
func loadLanguages(own string, others []string) (languages, error) {
	var all languages
	for _, code := range append([]string{own}, others...) {
		if slices.ContainsFunc(all, func(l *language) bool { return l.code == code }) {
			continue
		}
		other := own
		if len(all) == 0 {
			other = ""
		}
		l, err := sharedLanguage(code, other)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

// shared holds the languages of all sites of this process by a sharedKey, so that a
// second site, as tests make hundreds, needs not word its pages again.
var shared sync.Map

type sharedKey struct{ code, other string }

// sharedLanguage is a language of a page that people write in another one, or the
// language of the page itself.
func sharedLanguage(code, other string) (*language, error) {
	key := sharedKey{code, other}
	if l, known := shared.Load(key); known {
		return l.(*language), nil
	}
	l, err := loadLanguage(code)
	if err != nil {
		return nil, err
	}
	if l.other = other; other == "" {
		l.base = ""
	}
	kept, _ := shared.LoadOrStore(key, l)
	return kept.(*language), nil
}

// split finds the language of a path, and the path without it.
func (all languages) split(path string) (*language, string) {
	first, rest, slash := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	for _, l := range all {
		if first != strings.ToLower(l.code) {
			continue
		}
		if !slash {
			rest = ""
		}
		return l, "/" + rest
	}
	return all[0], path
}

// tongue is a language for a page that belongs to no address: one of those the
// page is read in, or any other there is; else that of the page.
func (p *press) tongue(code string) *language {
	for _, l := range p.languages {
		if code == "" || l.code == code {
			return l
		}
	}
	if l, known := p.small.Load(code); known {
		return l.(*language)
	}
	if !slices.Contains(languageCodes(), code) {
		return p.languages[0]
	}
	l, err := loadLanguage(code)
	if err != nil {
		return p.languages[0]
	}
	l.base = "" // it has no pages of its own
	p.small.Store(code, l)
	return l
}
