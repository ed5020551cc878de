package alerts

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"strings"
	"text/template"
	"text/template/parse"
	"time"
	"unicode/utf8"

	"github.com/prometheus/common/helpers/templates"
	"go.yaml.in/yaml/v4"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Bounds of templates, in bytes. What a template makes of long labels is cut,
// not refused: attackers write labels, and a title must come out all the same.
const (
	maxTemplate = 8 << 10
	maxOutput   = 4 << 10
)

// template compiles a text of a rule. allowed are the labels it may speak of,
// nil for all.
func (c *checker) template(n *yaml.Node, what string, allowed map[string]bool) status.Text {
	src, ok := c.text(n, what)
	if !ok {
		return nil
	}
	if len(src) > maxTemplate {
		c.report(n, "", "%s is longer than %d bytes", what, maxTemplate)
		return nil
	}
	before := len(c.findings)
	tree := c.parseTemplate(n, what, src)
	if tree == nil {
		return nil
	}
	w := treeWalk{c: c, node: n, src: src, allowed: allowed}
	w.list(tree.Root, false)
	if len(c.findings) > before {
		return nil
	}
	t, err := template.New(what).Option("missingkey=zero").Funcs(functions).AddParseTree(what, tree)
	if err != nil {
		c.report(n, "", "%s: %v", what, err)
		return nil
	}
	text := func(ev status.Evidence) (string, error) {
		var out boundedText
		if err := t.Execute(&out, ev); err != nil {
			return "", err
		}
		return out.String(), nil
	}
	c.tryTemplate(n, what, src, t)
	return text
}

// templateError finds the place in text/template's messages.
var templateError = regexp.MustCompile(`^template: [^:]*:(\d+)(?::(\d+))?: (?:executing "[^"]*" at )?`)

// parseTemplate leaves functions unchecked, so that the walk can report an
// unknown one in its place.
func (c *checker) parseTemplate(n *yaml.Node, what, src string) *parse.Tree {
	tree := parse.New(what)
	tree.Mode = parse.SkipFuncCheck
	set := map[string]*parse.Tree{}
	if _, err := tree.Parse(src, "", "", set); err != nil {
		c.reportTemplate(n, what, src, err)
		return nil
	}
	for name := range set {
		if name != what {
			line, column := c.inside(n, runesBefore(src, max(strings.Index(src, "define"), strings.Index(src, "block"), 0)))
			c.reportAt(line, column, "", "%s: define and block are not available in rules", what)
			return nil
		}
	}
	if tree.Root == nil {
		tree.Root = &parse.ListNode{NodeType: parse.NodeList}
	}
	return tree
}

func (c *checker) reportTemplate(n *yaml.Node, what, src string, err error) {
	message, offset := err.Error(), 0
	if m := templateError.FindStringSubmatch(message); m != nil {
		message = message[len(m[0]):]
		lines := strings.SplitAfter(src, "\n")
		for _, l := range lines[:min(atoi(m[1])-1, len(lines))] {
			offset += len(l)
		}
		offset += atoi(m[2])
	}
	line, column := c.inside(n, runesBefore(src, offset))
	c.reportAt(line, column, "", "%s: %s", what, message)
}

// tryTemplate runs a template on evidence of several kinds: what fails here
// would fail in the middle of an outage.
func (c *checker) tryTemplate(n *yaml.Node, what, src string, t *template.Template) {
	for _, ev := range samples() {
		var out boundedText
		if err := t.Execute(&out, ev); err != nil {
			c.reportTemplate(n, what, src, err)
			return
		}
		if out.cut {
			c.report(n, "", "%s makes more than %d bytes of sample alerts", what, maxOutput)
			return
		}
	}
}

// samples are the poorest evidence there can be, an ordinary one and a crowd.
func samples() []status.Evidence {
	at := time.Date(2026, 1, 5, 9, 30, 0, 0, time.UTC)
	labels := map[string]string{"alertname": "Sample", "severity": "critical", "service": "sample", "region": "eu"}
	notes := map[string]string{"summary": "Sample is down", "description": "d"}
	one := status.EvidenceAlert{Status: "firing", Labels: labels, Annotations: notes, StartsAt: at, URL: "https://example.test/"}
	ordinary := status.Evidence{
		Rule: "sample", Source: "sample", Severity: "critical", GroupLabels: labels, CommonLabels: labels,
		CommonAnnotations: notes, Alerts: []status.EvidenceAlert{one}, Firing: 1, StartedAt: at, DurationSeconds: 754,
	}
	crowd := ordinary
	crowd.CommonLabels, crowd.CommonAnnotations, crowd.Alerts = nil, nil, nil
	for range status.MaxEvidence {
		crowd.Alerts = append(crowd.Alerts, one)
	}
	crowd.Firing, crowd.DurationSeconds = 10_000, 1e7
	return []status.Evidence{{}, ordinary, crowd}
}

// boundedText keeps the first maxOutput bytes.
type boundedText struct {
	b   strings.Builder
	cut bool
}

func (t *boundedText) Write(p []byte) (int, error) {
	if room := maxOutput - t.b.Len(); len(p) > room {
		t.b.Write(p[:max(room, 0)])
		t.cut = true
	} else {
		t.b.Write(p)
	}
	return len(p), nil
}

func (t *boundedText) String() string {
	s := t.b.String()
	if !t.cut {
		return s
	}
	for len(s) > 0 {
		if r, n := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || n > 1 {
			break
		}
		s = s[:len(s)-1]
	}
	return s + "…"
}

func runesBefore(s string, bytes int) int { return utf8.RuneCountInString(s[:min(bytes, len(s))]) }

// functions are those of Alertmanager (a test holds them to its own), with what
// they return bounded at every step: a chain of them must not grow without end. Left out are `since`, which
// reads a clock (rules must give the same answer whenever they are run), and
// the ones that make HTML: no text of a rule is HTML.
var functions = template.FuncMap{
	"toUpper":          func(s string) string { return short(strings.ToUpper(s)) },
	"toLower":          func(s string) string { return short(strings.ToLower(s)) },
	"title":            func(s string) string { return short(titleCase(short(s))) },
	"trimSpace":        func(s string) string { return short(strings.TrimSpace(s)) },
	"join":             func(sep string, all []string) string { return short(strings.Join(all, short(sep))) },
	"urlUnescape":      url.QueryUnescape,
	"stringSlice":      func(all ...string) []string { return all },
	"date":             func(layout string, t time.Time) string { return short(t.Format(short(layout))) },
	"tz":               inZone,
	"humanizeDuration": templates.HumanizeDuration,
	"match":            func(pattern, s string) (bool, error) { return regexp.MatchString(pattern, short(s)) },
	"reReplaceAll":     replaceAll,
	"toJson": func(v any) (string, error) {
		b, err := json.Marshal(v)
		return short(string(b)), err
	},
	"print":    func(all ...any) string { return short(fmt.Sprint(all...)) },
	"printf":   formatted,
	"println":  func(all ...any) string { return short(fmt.Sprintln(all...)) },
	"html":     func(all ...any) string { return short(template.HTMLEscaper(short(fmt.Sprint(all...)))) },
	"js":       func(all ...any) string { return short(template.JSEscaper(short(fmt.Sprint(all...)))) },
	"urlquery": func(all ...any) string { return short(template.URLQueryEscaper(short(fmt.Sprint(all...)))) },
}

// builtins are the functions of text/template itself that stay as they are.
var builtins = []string{"and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "index", "len", "slice"}

// functionNames lists what a template may call.
func functionNames() []string {
	names := append([]string{}, builtins...)
	for name := range maps.Keys(functions) {
		names = append(names, name)
	}
	return names
}

// wide finds verbs of printf that ask for a width or precision of more than
// three digits, or take one from an argument: each could make a megabyte.
var wide = regexp.MustCompile(`%[^a-zA-Z%]*(\d{4}|\*)`)

// formatted is printf, whose format a label might hold.
func formatted(format string, all ...any) (string, error) {
	if format = short(format); wide.MatchString(format) {
		return "", errors.New("printf: the width or precision is too large")
	}
	return short(fmt.Sprintf(format, all...)), nil
}

// titleCase is Alertmanager's title. A caser must not be shared.
func titleCase(s string) string { return cases.Title(language.AmericanEnglish).String(s) }

func inZone(name string, t time.Time) (time.Time, error) {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return t, err
	}
	return t.In(zone), nil
}

// short bounds a value inside a template.
func short(s string) string { return status.Clip(s, maxOutput) }

// replaceAll is Alertmanager's reReplaceAll, which panics on a bad pattern, and
// grows by a factor that a label could set.
func replaceAll(pattern, replacement, s string) (string, error) {
	if len(replacement) > maxOutput/16 {
		return "", errors.New("the replacement is too long")
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return "", err
	}
	return short(re.ReplaceAllString(short(s), replacement)), nil
}
