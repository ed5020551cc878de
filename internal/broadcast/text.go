package broadcast

import (
	"bytes"
	"html"
	"strings"
	"unicode"

	"github.com/microcosm-cc/bluemonday"
	"github.com/rivo/uniseg"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

var (
	markdown = goldmark.New(goldmark.WithExtensions(extension.Linkify, extension.Strikethrough))
	// mailHTML is what of a text's HTML may be in a mail. No image: a remote one
	// would tell on the reader.
	mailHTML = allowMailHTML()
	noHTML   = bluemonday.StrictPolicy()
)

func allowMailHTML() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li",
		"h1", "h2", "h3", "h4", "h5", "h6")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireParseableURLs(true)
	return p
}

// render turns Markdown into HTML that is safe in a mail.
func render(text string) string {
	var b bytes.Buffer
	if err := markdown.Convert([]byte(clean(text)), &b); err != nil {
		return "<p>" + html.EscapeString(clean(text)) + "</p>"
	}
	return clean(mailHTML.Sanitize(b.String())) // again: an entity may stand for any character
}

// plain is the text of Markdown on one line.
func plain(text string) string {
	var b bytes.Buffer
	if err := markdown.Convert([]byte(clean(text)), &b); err != nil {
		return oneLine(text)
	}
	return oneLine(html.UnescapeString(noHTML.Sanitize(b.String())))
}

// firstSentence is the first sentence of a plain text.
func firstSentence(text string) string {
	sentence, _, _ := uniseg.FirstSentenceInString(text, -1)
	return strings.TrimSpace(sentence)
}

// clean removes what no reader sees and attackers love: control characters,
// and those that turn the direction of writing.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r) || bidi(r) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// bidi reports whether the character steers the direction of writing.
func bidi(r rune) bool {
	return r == '\u061c' || r == '\u200e' || r == '\u200f' || (r >= '\u202a' && r <= '\u202e') || (r >= '\u2066' && r <= '\u2069')
}

// oneLine is the clean text with all white space made single blanks.
func oneLine(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }
