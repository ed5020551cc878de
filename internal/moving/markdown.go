package moving

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

var (
	blankLines = regexp.MustCompile(`\n{3,}`)
	// looksLikeHTML keeps texts with "a < b" as they are.
	looksLikeHTML = regexp.MustCompile(`</?[a-zA-Z][^>]*>|&(#\d+|#x[0-9a-fA-F]+|[a-z]+);`)
)

// markdown turns the HTML of other status pages into the Markdown of updates:
// paragraphs, breaks, lists, emphasis, code and links. Other elements leave
// their text. What has no HTML in it stays as it is.
func markdown(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if !looksLikeHTML.MatchString(text) {
		return strings.TrimSpace(text)
	}
	var b strings.Builder
	var links []string
	z := html.NewTokenizer(strings.NewReader(text))
	for {
		switch z.Next() {
		case html.ErrorToken: // the end
			lines := strings.Split(b.String(), "\n")
			for n, l := range lines {
				lines[n] = strings.TrimRight(l, " ")
			}
			return strings.TrimSpace(blankLines.ReplaceAllString(strings.Join(lines, "\n"), "\n\n"))
		case html.TextToken:
			b.WriteString(string(z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if t.Data == "a" {
				b.WriteString("[")
				links = append(links, href(t))
			} else {
				b.WriteString(opening[t.Data])
			}
			if t.Data == "script" || t.Data == "style" {
				z.Next() // its text
			}
		case html.EndTagToken:
			t := z.Token()
			if n := len(links); t.Data == "a" && n > 0 {
				b.WriteString("](" + links[n-1] + ")")
				links = links[:n-1]
			} else {
				b.WriteString(closing[t.Data])
			}
		}
	}
}

var opening = map[string]string{
	"br": "  \n", "p": "\n\n", "div": "\n\n", "ul": "\n\n", "ol": "\n\n", "li": "\n- ", "strong": "**", "b": "**", "em": "*", "i": "*",
	"code": "`", "h1": "\n\n## ", "h2": "\n\n## ", "h3": "\n\n### ", "h4": "\n\n### ", "blockquote": "\n\n> ", "hr": "\n\n---\n\n",
}

var closing = map[string]string{
	"p": "\n\n", "div": "\n\n", "ul": "\n\n", "ol": "\n\n", "strong": "**", "b": "**", "em": "*", "i": "*", "code": "`",
	"h1": "\n\n", "h2": "\n\n", "h3": "\n\n", "h4": "\n\n", "blockquote": "\n\n",
}

func href(t html.Token) string {
	for _, a := range t.Attr {
		if a.Key == "href" && (strings.HasPrefix(a.Val, "https://") || strings.HasPrefix(a.Val, "http://") || strings.HasPrefix(a.Val, "mailto:")) {
			return a.Val
		}
	}
	return ""
}

// plain is a name or a short description: its entities as what they stand for,
// its lines as one. Other pages hand out some of theirs escaped.
func plain(text string) string { return strings.Join(strings.Fields(html.UnescapeString(text)), " ") }

// described is a description, which has one line here and no links: the text
// of its HTML.
func described(text string) string {
	if !looksLikeHTML.MatchString(text) {
		return plain(text)
	}
	var b strings.Builder
	for z := html.NewTokenizer(strings.NewReader(text)); ; {
		switch z.Next() {
		case html.ErrorToken: // the end
			return plain(b.String())
		case html.TextToken:
			b.WriteString(string(z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			if t := z.Token(); t.Data == "br" || t.Data == "p" || t.Data == "li" {
				b.WriteString(" ")
			}
		}
	}
}
