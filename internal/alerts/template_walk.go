package alerts

import (
	"reflect"
	"slices"
	"strings"
	"text/template/parse"

	"go.yaml.in/yaml/v4"

	"github.com/statusbridge/statusbridge/internal/status"
)

// treeWalk allows what is known to end soon, and reports all else: there are no
// loops, no variables and no templates in templates. With allowed it also
// keeps labels and annotations that nobody declared public out of texts that
// are published before a person reads them.
type treeWalk struct {
	c       *checker
	node    *yaml.Node
	src     string
	allowed map[string]bool
}

// evidenceFields are the names a template may begin with.
var evidenceFields = func() []string {
	var names []string
	for f := range reflect.TypeFor[status.Evidence]().Fields() {
		names = append(names, f.Name)
	}
	return names
}()

func (w treeWalk) report(n parse.Node, hint, format string, args ...any) {
	line, column := w.c.inside(w.node, runesBefore(w.src, w.start(n)))
	w.c.reportAt(line, column, hint, format, args...)
}

// start is where a node begins. The position of .A.b is that of .b.
func (w treeWalk) start(n parse.Node) int {
	at, text := int(n.Position()), n.String()
	if from := strings.LastIndex(w.src[:min(at+len(text), len(w.src))], text); from >= 0 && from <= at && at < from+len(text) {
		return from
	}
	return at
}

// list walks statements. rebound: inside `with`, where the dot is something
// else.
func (w treeWalk) list(l *parse.ListNode, rebound bool) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.TextNode, *parse.CommentNode:
		case *parse.ActionNode:
			w.pipe(n.Pipe, rebound)
		case *parse.IfNode:
			w.pipe(n.Pipe, rebound)
			w.list(n.List, rebound)
			w.list(n.ElseList, rebound)
		case *parse.WithNode:
			w.pipe(n.Pipe, rebound)
			w.list(n.List, true)
			w.list(n.ElseList, rebound)
		case *parse.RangeNode:
			w.report(n, "len .Alerts counts them", "range is not available in rules")
		default:
			w.report(n, "", "%s is not available in rules", status.Clip(n.String(), 40))
		}
	}
}

func (w treeWalk) pipe(p *parse.PipeNode, rebound bool) {
	if len(p.Decl) > 0 {
		w.report(p, "", "variables are not available in rules")
		return
	}
	for _, cmd := range p.Cmds {
		w.command(cmd, rebound)
	}
}

func (w treeWalk) command(cmd *parse.CommandNode, rebound bool) {
	name := ""
	if f, ok := cmd.Args[0].(*parse.IdentifierNode); ok {
		name = f.Ident
		if !slices.Contains(functionNames(), name) {
			w.report(f, Meant(name, functionNames()), "there is no function %q in rules", status.Clip(name, 40))
		}
	}
	for n, arg := range cmd.Args {
		switch {
		case n == 0 && name != "":
		case w.allowed != nil && n == 1 && name == "len" && isField(arg, "Alerts"):
		case w.allowed != nil && n == 1 && name == "index" && (isField(arg, "GroupLabels") || isField(arg, "CommonLabels")):
			w.indexed(cmd)
		default:
			w.argument(arg, rebound)
		}
	}
}

// indexed checks `index .CommonLabels "name"`.
func (w treeWalk) indexed(cmd *parse.CommandNode) {
	if len(cmd.Args) == 3 {
		if s, ok := cmd.Args[2].(*parse.StringNode); ok {
			w.public(cmd.Args[2], s.Text)
			return
		}
	}
	w.report(cmd, "", "a text that is published by itself must name the label it speaks of")
}

func (w treeWalk) argument(n parse.Node, rebound bool) {
	switch n := n.(type) {
	case *parse.BoolNode, *parse.NilNode, *parse.NumberNode, *parse.StringNode:
	case *parse.IdentifierNode:
		if !slices.Contains(functionNames(), n.Ident) {
			w.report(n, Meant(n.Ident, functionNames()), "there is no function %q in rules", status.Clip(n.Ident, 40))
		}
	case *parse.DotNode:
		if w.allowed != nil && !rebound {
			w.report(n, "", "a text that is published by itself must name what it speaks of")
		}
	case *parse.FieldNode:
		if rebound {
			w.inWith(n)
		} else {
			w.field(n, n.Ident)
		}
	case *parse.VariableNode:
		w.field(n, n.Ident[1:]) // only $ can be: there are no declarations
	case *parse.ChainNode:
		w.argument(n.Node, rebound)
	case *parse.PipeNode:
		w.pipe(n, rebound)
	default:
		w.report(n, "", "%s is not available in rules", status.Clip(n.String(), 40))
	}
}

// inWith checks a field of the value that `with` chose. What that value is, is
// not followed: text published by itself must say it from the top.
func (w treeWalk) inWith(n *parse.FieldNode) {
	if w.allowed != nil {
		w.report(n, "write $"+n.String(), "inside with, a text that is published by itself must begin at $")
	}
}

// field checks .Name and .Name.key.
func (w treeWalk) field(n parse.Node, path []string) {
	switch {
	case len(path) == 0:
		w.argument(&parse.DotNode{Pos: n.Position()}, false)
		return
	case !slices.Contains(evidenceFields, path[0]):
		w.report(n, Meant(path[0], evidenceFields), "alerts have no field .%s: there are %s", status.Clip(path[0], 40), "."+strings.Join(evidenceFields, ", ."))
		return
	case w.allowed == nil:
		return
	}
	switch path[0] {
	case "GroupLabels":
		if len(path) > 1 {
			w.public(n, path[1])
		}
	case "CommonLabels":
		if len(path) > 1 {
			w.public(n, path[1])
			return
		}
		w.report(n, "", "a text that is published by itself must name the label it speaks of")
	case "Alerts", "CommonAnnotations":
		w.report(n, "use labels of public_labels, or publish: confirm",
			"a text that is published by itself must not speak of .%s: it was written for engineers", path[0])
	}
}

// public checks one label.
func (w treeWalk) public(n parse.Node, label string) {
	if w.allowed[label] {
		return
	}
	right := make([]string, 0, len(w.allowed))
	for name := range w.allowed {
		right = append(right, name)
	}
	slices.Sort(right)
	w.report(n, Meant(label, right), "the label %q is neither in public_labels nor in group_by, and this text is published by itself", status.Clip(label, 60))
}

func isField(n parse.Node, name string) bool {
	switch n := n.(type) {
	case *parse.FieldNode:
		return len(n.Ident) == 1 && n.Ident[0] == name
	case *parse.VariableNode:
		return len(n.Ident) == 2 && n.Ident[1] == name
	}
	return false
}
