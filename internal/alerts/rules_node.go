package alerts

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v4"

	"github.com/statusbridge/statusbridge/internal/status"
)

// checker walks the tree of a rules file and collects what is wrong in it. It
// works on nodes, not on structs, because only nodes know lines and columns,
// and because one mistake must not hide the next.
type checker struct {
	file     string
	lines    []string
	findings Findings
	channels []string // the names that are configured
	// knows, if set, is told the keys that each mapping may have: by it a test
	// holds the schema against the loader.
	knows func(n *yaml.Node, keys []string)
}

// report adds a finding at a node.
func (c *checker) report(n *yaml.Node, suggestion, format string, args ...any) {
	c.reportAt(n.Line, n.Column, suggestion, format, args...)
}

func (c *checker) reportAt(line, column int, suggestion, format string, args ...any) {
	f := Finding{
		File: c.file, Line: max(line, 1), Column: max(column, 1),
		Message: fmt.Sprintf(format, args...), Suggestion: suggestion,
	}
	if line >= 1 && line <= len(c.lines) {
		f.Excerpt = excerpt(c.lines[line-1], f.Column)
	}
	c.findings = append(c.findings, f)
}

// plain follows an alias to what it stands for.
func plain(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// kindOf names a node for people.
func kindOf(n *yaml.Node) string {
	switch {
	case isNull(n):
		return "nothing"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	}
	return fmt.Sprintf("%q", status.Clip(n.Value, 40))
}

// object is a mapping whose keys were checked.
type object struct {
	node *yaml.Node
	keys map[string]*yaml.Node
	vals map[string]*yaml.Node
}

// has returns the value of a key, nil if the key is not there.
func (o object) has(key string) *yaml.Node { return o.vals[key] }

// at returns the node of the key, or the mapping if it is not there.
func (o object) at(key string) *yaml.Node {
	if k := o.keys[key]; k != nil {
		return k
	}
	return o.node
}

// object reads a mapping that may have the known keys only, each once.
func (c *checker) object(n *yaml.Node, what string, known ...string) (object, bool) {
	o := object{node: n, keys: map[string]*yaml.Node{}, vals: map[string]*yaml.Node{}}
	if c.knows != nil {
		c.knows(n, known)
	}
	c.pairs(n, what, func(key, value *yaml.Node) {
		for _, k := range known {
			if key.Value == k {
				o.keys[k], o.vals[k] = key, plain(value)
				return
			}
		}
		c.report(key, Meant(key.Value, known), "unknown key %q in %s", status.Clip(key.Value, 60), what)
	})
	return o, plain(n).Kind == yaml.MappingNode
}

// pairs visits the keys of a mapping. A key that is there twice is reported,
// and only its first value is visited.
func (c *checker) pairs(n *yaml.Node, what string, visit func(key, value *yaml.Node)) {
	n = plain(n)
	if n.Kind != yaml.MappingNode {
		c.report(n, "", "%s must be a mapping of keys to values, not %s", what, kindOf(n))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := plain(n.Content[i])
		if key.Kind != yaml.ScalarNode {
			c.report(key, "", "a key of %s must be a word, not %s", what, kindOf(key))
			continue
		}
		if line, twice := seen[key.Value]; twice {
			c.report(key, "", "the key %q is there twice in %s, first in line %d", status.Clip(key.Value, 60), what, line)
			continue
		}
		seen[key.Value] = key.Line
		visit(key, n.Content[i+1])
	}
}

// list returns the elements of a list; nil and a finding if it is none.
func (c *checker) list(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		hint := ""
		if n.Kind == yaml.ScalarNode && !isNull(n) {
			hint = fmt.Sprintf("write [%s]", status.Clip(n.Value, 40))
		}
		c.report(n, hint, "%s must be a list, not %s", what, kindOf(n))
		return nil
	}
	out := make([]*yaml.Node, len(n.Content))
	for i, e := range n.Content {
		out[i] = plain(e)
	}
	return out
}

// text returns a scalar as it is written.
func (c *checker) text(n *yaml.Node, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		c.report(n, "", "%s must be a text, not %s", what, kindOf(n))
		return "", false
	}
	return n.Value, true
}

// texts returns a list of texts, none empty and none twice.
func (c *checker) texts(n *yaml.Node, what, one string) []string {
	out := []string{}
	seen := map[string]bool{}
	for _, e := range c.list(n, what) {
		s, ok := c.text(e, one)
		switch {
		case !ok:
		case strings.TrimSpace(s) == "":
			c.report(e, "", "%s is empty", one)
		case seen[s]:
			c.report(e, "", "%s %q is there twice", one, status.Clip(s, 60))
		default:
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// word returns a text that must be one of a few.
func (c *checker) word(n *yaml.Node, what string, right []string) (string, bool) {
	s, ok := c.text(n, what)
	if !ok {
		return "", false
	}
	for _, w := range right {
		if s == w {
			return s, true
		}
	}
	c.report(n, Meant(s, right), "%s is %q, but must be %s", what, status.Clip(s, 60), oneOf(right))
	return "", false
}

// boolean returns true or false; YAML's other spellings are not taken, since
// half of all readers take them for texts.
func (c *checker) boolean(n *yaml.Node, what string) bool {
	s, ok := c.word(n, what, []string{"true", "false"})
	return ok && s == "true"
}

var wordyDuration = regexp.MustCompile(`^(\d+)\s*(s|sec|m|min|h|hour|hr|d|day|w|week)[a-z]*$`)

// duration reads a duration as Prometheus writes it.
func (c *checker) duration(n *yaml.Node, what string) time.Duration {
	s, ok := c.text(n, what)
	if !ok {
		return 0
	}
	d, err := model.ParseDuration(s)
	if err == nil {
		return time.Duration(d)
	}
	hint := "write it like 90s, 5m or 1h30m"
	if m := wordyDuration.FindStringSubmatch(strings.ToLower(strings.TrimSpace(s))); m != nil {
		hint = fmt.Sprintf("did you mean %q?", m[1]+m[2][:1])
	} else if g, err := time.ParseDuration(s); err == nil && g > 0 {
		hint = fmt.Sprintf("did you mean %q?", model.Duration(g).String())
	}
	c.report(n, hint, "%s is %q, which is no duration", what, status.Clip(s, 60))
	return 0
}

// inside is where the character at an offset of a scalar's value stands in the
// file, as well as it can be told: the scalar's own place if it was folded or
// escaped.
func (c *checker) inside(n *yaml.Node, offset int) (line, column int) {
	value := []rune(n.Value)
	offset = min(max(offset, 0), len(value))
	if n.Style&yaml.LiteralStyle != 0 {
		before := string(value[:offset])
		row := strings.Count(before, "\n")
		line = n.Line + 1 + row
		if line <= len(c.lines) {
			source, text := c.lines[line-1], strings.Split(n.Value, "\n")[row]
			if indent := strings.Index(source, text); text != "" && indent >= 0 && strings.TrimSpace(source[:indent]) == "" {
				return line, indent + 1 + len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))
			}
		}
		return n.Line, n.Column
	}
	quote := 0
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		quote = 1
	}
	if n.Line < 1 || n.Line > len(c.lines) {
		return n.Line, n.Column
	}
	source := []rune(c.lines[n.Line-1])
	from := n.Column - 1 + quote
	if from+len(value) <= len(source) && string(source[from:from+len(value)]) == n.Value {
		return n.Line, from + 1 + offset
	}
	return n.Line, n.Column
}
