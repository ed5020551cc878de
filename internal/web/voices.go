package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/text/language"
)

//go:embed languages/*.json
var voiceFiles embed.FS

// voice is how the pages around a subscription speak: one file each.
type voice struct {
	tag     string
	phrases map[string]string
	public  func() *template.Template // parsed when it is first asked for
}

// voices are all there are; the first is the one of the page.
type voices struct {
	all     []*voice
	matcher language.Matcher
}

// loadVoices panics on a broken file: they are embedded, so a build that starts
// once starts always. A test parses the templates of each.
func loadVoices(own string) voices {
	files, err := voiceFiles.ReadDir("languages")
	if err != nil {
		panic(err)
	}
	var v voices
	for _, f := range files {
		text, err := voiceFiles.ReadFile(path.Join("languages", f.Name()))
		if err != nil {
			panic(err)
		}
		one := &voice{tag: strings.TrimSuffix(f.Name(), ".json")}
		if err := json.Unmarshal(text, &one.phrases); err != nil {
			panic(fmt.Errorf("language %s: %w", one.tag, err))
		}
		one.public = sync.OnceValue(func() *template.Template {
			return template.Must(template.New("").Funcs(viewFuncs).Funcs(template.FuncMap{"say": one.say}).
				ParseFS(templateFiles, "templates/public/*.html"))
		})
		v.all = append(v.all, one)
	}
	home := func(tag string) bool {
		primary, _, _ := strings.Cut(own, "-")
		return tag == own || tag == primary || own == "" && tag == "en"
	}
	if !slices.ContainsFunc(v.all, func(o *voice) bool { return home(o.tag) }) {
		own = "en"
	}
	slices.SortStableFunc(v.all, func(a, b *voice) int {
		switch {
		case home(a.tag) == home(b.tag):
			return 0
		case home(a.tag):
			return -1
		}
		return 1
	})
	var tags []language.Tag
	for _, o := range v.all {
		tags = append(tags, language.MustParse(o.tag))
	}
	v.matcher = language.NewMatcher(tags)
	return v
}

// say words a key; pairs are names and what fills their {blanks}.
func (v *voice) say(key string, pairs ...string) string {
	text, known := v.phrases[key]
	if !known {
		return key // a test finds it
	}
	for n := 0; n+1 < len(pairs); n += 2 {
		text = strings.ReplaceAll(text, "{"+pairs[n]+"}", pairs[n+1])
	}
	return text
}

// voice is the language to answer in: what the subscriber chose, what the form
// or the link says, what the browser asks for, that of the page.
func (s *Server) voice(c *fiber.Ctx, chosen string) *voice {
	for _, wanted := range []string{chosen, form(c).Get("language"), c.Query("lang")} {
		for _, v := range s.voices.all {
			if wanted != "" && strings.EqualFold(v.tag, wanted) {
				return v
			}
		}
	}
	asked, _, err := language.ParseAcceptLanguage(clip(c.Get(fiber.HeaderAcceptLanguage), 200))
	if err != nil || len(asked) == 0 {
		return s.voices.all[0]
	}
	if _, at, sure := s.voices.matcher.Match(asked...); sure > language.Low {
		return s.voices.all[at]
	}
	return s.voices.all[0]
}

// sendPart sends a page around a subscription.
func (s *Server) sendPart(c *fiber.Ctx, code int, v *voice, title, name string, data any) error {
	var b bytes.Buffer
	if err := v.public().ExecuteTemplate(&b, name, data); err != nil {
		return fmt.Errorf("template %s: %w", name, err)
	}
	c.Set(fiber.HeaderContentLanguage, v.tag)
	c.Vary(fiber.HeaderAcceptLanguage)
	return s.sendFrameIn(c, code, v.tag, v.say(title), template.HTML(b.String())) // made by html/template
}
