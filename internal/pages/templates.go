package pages

import (
	"html/template"
	"sync"
)

// Templates are parsed when a page is first made of them: to parse all pages in
// all languages takes longer than the rest of a start. A broken one panics, for
// they are embedded: what a test has seen parsed parses always.

// page is the template of a page, worded in the language.
func (l *language) page(name string) *template.Template {
	l.wording.Lock()
	defer l.wording.Unlock()
	set, parsed := l.pages[name]
	if !parsed {
		set = template.Must(drafts()[name]().Clone()).Funcs(l.words())
		l.pages[name] = set
	}
	return set
}

// words are the functions by which templates speak.
func (l *language) words() template.FuncMap {
	return template.FuncMap{"say": l.tell, "time": moment.html, "name": isolated, "names": l.names, "link": link, "written": l.written}
}

// drafts are the pages before they are worded, which all languages share.
var drafts = sync.OnceValue(func() map[string]func() *template.Template {
	around := sync.OnceValue(func() *template.Template {
		set := template.New("").Funcs((&language{}).words())
		for _, name := range []string{"base", "parts", "plots"} {
			template.Must(set.Parse(templateSource(name)))
		}
		return set
	})
	pages := map[string]func() *template.Template{}
	for name := range pageStructs {
		pages[name] = sync.OnceValue(func() *template.Template {
			return template.Must(template.Must(around().Clone()).Parse(templateSource(name)))
		})
	}
	return pages
})

// templateSource reads a template. Indentation is for us, not for the wire; it
// is taken out of the source, for in what people write it may matter.
func templateSource(name string) string {
	return squeeze(mustRead("templates/"+name+".html"), "{{/*", "*/}}")
}
