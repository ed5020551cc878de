package broadcast

import (
	"bufio"
	"bytes"
	"html"
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	extension "github.com/yuin/goldmark/extension/ast"
	markup "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
)

// readable turns Markdown into plain text as a person would write it in a mail:
// without the stars, links as "text (URL)", lists and quotes kept. What is
// struck out keeps its tildes, or it would say the opposite.
func readable(source string) string {
	src := []byte(clean(source))
	w := plainWriter{src}
	// Clean again: an entity may stand for any character.
	return strings.TrimRight(clean(w.blocks(markdown.Parser().Parse(text.NewReader(src)), "\n\n")), " \n")
}

// plainWriter writes nodes of one parsed text (CommonMark 0.31).
type plainWriter struct{ source []byte }

// blocks writes the blocks in a node, with something between them.
func (w plainWriter) blocks(parent ast.Node, between string) string {
	var parts []string
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		if part := w.block(n); strings.TrimSpace(part) != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, between)
}

func (w plainWriter) block(n ast.Node) string {
	switch n := n.(type) {
	case *ast.List:
		return w.list(n)
	case *ast.Blockquote:
		return indent(w.blocks(n, "\n\n"), "> ", "> ")
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		return indent(strings.TrimRight(string(n.Lines().Value(w.source)), "\n"), "    ", "    ")
	case *ast.ThematicBreak:
		return "---"
	case *ast.HTMLBlock:
		return "" // as in the HTML
	}
	return w.inline(n)
}

func (w plainWriter) list(l *ast.List) string {
	between := "\n"
	if !l.IsTight {
		between = "\n\n"
	}
	var items []string
	number := l.Start
	for n := l.FirstChild(); n != nil; n = n.NextSibling() {
		bullet := "- "
		if l.IsOrdered() {
			bullet = strconv.Itoa(number) + ". "
			number++
		}
		items = append(items, indent(w.blocks(n, between), bullet, strings.Repeat(" ", len(bullet))))
	}
	return strings.Join(items, between)
}

// inline writes the words in a block.
func (w plainWriter) inline(parent ast.Node) string {
	var b strings.Builder
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			b.WriteString(w.words(n.Segment.Value(w.source)))
			if n.SoftLineBreak() || n.HardLineBreak() {
				b.WriteByte('\n')
			}
		case *ast.String:
			b.WriteString(w.words(n.Value))
		case *ast.CodeSpan:
			b.WriteString(w.code(n))
		case *ast.AutoLink:
			b.WriteString(string(n.Label(w.source)))
		case *ast.Link:
			b.WriteString(withAddress(w.inline(n), string(n.Destination)))
		case *extension.Strikethrough:
			b.WriteString("~~" + w.inline(n) + "~~")
		case *ast.RawHTML:
		default: // emphasis, and the words of an image
			b.WriteString(w.inline(n))
		}
	}
	return b.String()
}

// code is what stands between back-ticks, to the letter.
func (w plainWriter) code(span *ast.CodeSpan) string {
	var b strings.Builder
	for n := span.FirstChild(); n != nil; n = n.NextSibling() {
		if t, ok := n.(*ast.Text); ok {
			b.Write(t.Segment.Value(w.source))
		}
	}
	return strings.ReplaceAll(b.String(), "\n", " ")
}

// words resolves back-slashes and entities just as the HTML does.
func (w plainWriter) words(raw []byte) string {
	var b bytes.Buffer
	out := bufio.NewWriter(&b)
	markup.DefaultWriter.Write(out, raw)
	_ = out.Flush() // into memory
	return html.UnescapeString(b.String())
}

// withAddress puts the address behind the words of a link, if it says more than
// they do and may be followed.
func withAddress(words, address string) string {
	scheme, rest, _ := strings.Cut(address, ":")
	switch strings.ToLower(scheme) {
	case "http", "https":
	case "mailto":
		address = rest
	default:
		return words
	}
	if words == "" || words == address {
		return address
	}
	return words + " (" + address + ")"
}

// indent puts something before the first line and before the others; an empty
// line gets no blanks.
func indent(s, first, others string) string {
	lines := strings.Split(s, "\n")
	for n, line := range lines {
		switch {
		case n == 0:
			lines[n] = first + line
		case line == "":
			lines[n] = strings.TrimRight(others, " ")
		default:
			lines[n] = others + line
		}
	}
	return strings.Join(lines, "\n")
}
