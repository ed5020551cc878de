package pages

import (
	"bytes"
	"html/template"
	"strings"
	"unicode"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Bodies are written by people in a hurry and by templates over alert labels:
// some Markdown, and no HTML. The parsers for raw HTML and for headings are
// left out, so "<5 ms" and "#1234" stay what they are; what is rendered then
// passes an allow-list, which is the lock in case the parser has a hole.
//
// A post-mortem is written at leisure by a person, and may have headings.
var (
	markdown = newMarkdown()
	essays   = newMarkdown(
		parser.WithBlockParsers(util.Prioritized(parser.NewATXHeadingParser(), 600)),
		parser.WithASTTransformers(util.Prioritized(lowerHeadings{}, 100)),
	)
	allowed        = allowedIn()
	allowedInEssay = allowedIn("h3", "h4")
)

func newMarkdown(more ...parser.Option) goldmark.Markdown {
	p := parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewListParser(), 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(parser.NewAutoLinkParser(), 300),
			util.Prioritized(parser.NewEmphasisParser(), 500),
		),
	)
	p.AddOptions(more...)
	return goldmark.New(
		goldmark.WithParser(p), goldmark.WithExtensions(extension.Linkify), goldmark.WithRendererOptions(html.WithHardWraps()),
	)
}

func allowedIn(more ...string) *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "strong", "em", "code", "pre", "ul", "ol", "li", "blockquote")
	p.AllowElements(more...)
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowRelativeURLs(false)
	p.RequireParseableURLs(true)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	return p
}

// lowerHeadings puts the headings of a text below those of the page around it.
type lowerHeadings struct{}

// Transform is for the parser.
func (lowerHeadings) Transform(doc *ast.Document, _ text.Reader, _ parser.Context) {
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // it never fails
		if h, is := n.(*ast.Heading); is && entering {
			h.Level = min(max(h.Level+1, 3), 4)
		}
		return ast.WalkContinue, nil
	})
}

// richText renders a Markdown body to safe HTML.
func richText(source string) template.HTML { return rendered(source, markdown, allowed) }

// essay is richText with headings.
func essay(source string) template.HTML { return rendered(source, essays, allowedInEssay) }

func rendered(source string, by goldmark.Markdown, allowed *bluemonday.Policy) template.HTML {
	var b bytes.Buffer
	if err := by.Convert([]byte(visible(source)), &b); err != nil {
		return template.HTML("<p>" + template.HTMLEscapeString(source) + "</p>")
	}
	return template.HTML(bytes.TrimSpace(allowed.SanitizeBytes(b.Bytes()))) // #nosec G203: sanitised one line above
}

// oneLine folds white space and drops what could disturb the text around it.
func oneLine(s string) string { return strings.Join(strings.Fields(visible(s)), " ") }

// visible drops control characters, and those that turn the direction of the
// text that follows: alert text may hold anything.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\ufeff':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}
