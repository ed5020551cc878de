// Package statusbridge_test holds the floor plan: the test that keeps the
// packages as ARCHITECTURE.md draws them.
package statusbridge_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "github.com/statusbridge/statusbridge"

// room is one package of the floor plan.
type room struct {
	may []string // our packages that it may import
	why string   // said when it imports another
}

var rooms = map[string]room{
	"cmd/statusbridge": {
		may: []string{"app", "web", "alerts", "pages", "broadcast", "moving", "store", "status"},
		why: "commands use what they need, and nothing imports them",
	},
	"internal/app": {
		may: []string{"web", "alerts", "charts", "pages", "broadcast", "store", "status"},
		why: "app wires everything below it",
	},
	"internal/web": {
		may: []string{"alerts", "pages", "store", "status"},
		why: "web is the doors; mail and tweets follow from what it saves, it never sends them",
	},
	"internal/alerts": {
		may: []string{"status"},
		why: "alerts states the interfaces it needs, so that it is tested without a database",
	},
	"internal/charts": {
		may: []string{"alerts", "status"},
		why: "charts asks New Relic the way alerts does, and states what it needs of the store",
	},
	"internal/pages": {
		may: []string{"status"},
		why: "pages must answer without a database, so it states the interfaces it needs",
	},
	"internal/broadcast": {
		may: []string{"status"},
		why: "broadcast states the interfaces it needs, so that it is tested without a database",
	},
	"internal/moving": {
		may: []string{"status"},
		why: "moving reads and writes the files of others, and states the interfaces it needs of the store",
	},
	"internal/store": {
		may: []string{"status"},
		why: "store saves what the core decided; it decides nothing",
	},
	"internal/status": {
		why: "the core knows nobody: everything else is built on it",
	},
}

// testRooms help tests only: they start processes and hold clocks.
var testRooms = []string{"internal/bubble", "internal/store/pgtest", "internal/app/scenario"}

// pure is all that the core may import.
var pure = []string{
	"cmp", "crypto/sha256", "encoding/base32", "encoding/hex", "encoding/json", "errors", "fmt", "hash/fnv", "iter",
	"maps", "math", "reflect", "regexp", "slices", "sort", "strconv", "strings", "time", "unicode", "unicode/utf8",
	"github.com/prometheus/alertmanager/pkg/labels",
	"golang.org/x/text/unicode/norm", // Unicode annex 15: a table
	"github.com/teambition/rrule-go", // RFC 5545; reads no clock when it is told where to begin
}

// clocks are the ways to read or wait for the time.
var clocks = []string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTimer", "NewTicker"}

// buckets are names that say nothing: such a package collects whatever has no
// better place.
var buckets = []string{"util", "utils", "common", "types", "models", "model", "service", "services", "manager", "helpers", "helper", "misc", "base", "shared"}

const longest = 500 // lines of a file that people wrote

func TestThePackagesKeepToTheFloorPlan(t *testing.T) {
	for _, finding := range inspect(t, os.DirFS(".")) {
		t.Error(finding)
	}
}

func TestEachBreachOfTheFloorPlanIsFound(t *testing.T) {
	imports := func(pkg, imported string) string { return "package " + pkg + "\n\nimport _ \"" + imported + "\"\n" }
	long := "package web\n" + strings.Repeat("// line\n", longest)
	for _, breach := range []struct{ name, file, source, want string }{
		{"alerts imports store", "internal/alerts/x.go", imports("alerts", module+"/internal/store"), "tested without a database"},
		{"a folder inside pages imports store", "internal/pages/feeds/x.go", imports("feeds", module+"/internal/store"), "without a database"},
		{"web imports broadcast", "internal/web/x.go", imports("web", module+"/internal/broadcast"), "never sends"},
		{"status imports alerts", "internal/status/x.go", imports("status", module+"/internal/alerts"), "knows nobody"},
		{"status reads files", "internal/status/x.go", imports("status", "os"), "pure"},
		{"status prints", "internal/status/x.go", "package status\n\nimport \"fmt\"\n\nfunc f() { fmt.Println() }\n", "fmt.Println"},
		{"a product package imports a helper of tests", "internal/web/x.go", imports("web", module+"/internal/store/pgtest"), "tests only"},
		{"a package that is not on the plan", "internal/queue/x.go", "package queue\n", "ARCHITECTURE.md"},
		{"a clock in broadcast", "internal/broadcast/x.go", "package broadcast\n\nimport \"time\"\n\nvar t = time.Now()\n", "time.Now"},
		{"a clock under another name", "internal/store/x.go", "package store\n\nimport t \"time\"\n\nvar now = t.Now\n", "time.Now"},
		{"a timer", "internal/pages/x.go", "package pages\n\nimport \"time\"\n\nvar c = time.After(1)\n", "time.After"},
		{"a bucket", "internal/web/util/x.go", "package util\n", "says nothing"},
		{"a long file", "internal/web/x.go", long, "501 lines"},
	} {
		t.Run(breach.name, func(t *testing.T) {
			findings := inspect(t, fstest.MapFS{breach.file: {Data: []byte(breach.source)}})
			if len(findings) != 1 || !strings.Contains(findings[0], breach.want) {
				t.Errorf("findings %q, want one that says %q", findings, breach.want)
			}
		})
	}
}

func TestWhatTheFloorPlanAllowsIsNotReported(t *testing.T) {
	house := fstest.MapFS{
		"internal/app/clock.go":         {Data: []byte("package app\n\nimport \"time\"\n\nvar now = time.Now\n")},
		"internal/web/x.go":             {Data: []byte("package web\n\nimport _ \"" + module + "/internal/alerts\"\n")},
		"internal/store/x_test.go":      {Data: []byte("package store\n\nimport _ \"" + module + "/internal/store/pgtest\"\n\nimport \"time\"\n\nvar now = time.Now\n")},
		"internal/pages/generated.go":   {Data: []byte("// Code generated by x. DO NOT EDIT.\n\npackage pages\n" + strings.Repeat("//\n", 600))},
		"internal/alerts/newrelic/x.go": {Data: []byte("package newrelic\n\nimport _ \"" + module + "/internal/status\"\n")},
	}
	if findings := inspect(t, house); len(findings) > 0 {
		t.Errorf("findings: %q", findings)
	}
}

// fasthttp before 1.77 reads one request where a proxy reads two.
func TestFasthttpRefusesSmuggledRequests(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{with .Replace}}{{.Version}}{{else}}{{.Version}}{{end}}", "github.com/valyala/fasthttp").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	version := strings.TrimSpace(string(out))
	if !atLeast(version, 1, 77) {
		t.Errorf("fasthttp is %s; Fiber needs v1.77.0 or newer here, because older ones accept smuggled requests", version)
	}
	for _, old := range []string{"v1.51.0", "v1.76.9", "v0.99.0", ""} {
		if atLeast(old, 1, 77) {
			t.Errorf("%q passes for v1.77.0", old)
		}
	}
}

func atLeast(version string, major, minor int) bool {
	var a, b int
	if _, err := fmt.Sscanf(version, "v%d.%d.", &a, &b); err != nil {
		return false
	}
	return a > major || a == major && b >= minor
}

// inspect returns what breaks the floor plan, a sentence each.
func inspect(t *testing.T, root fs.FS) []string {
	t.Helper()
	var findings []string
	for _, top := range []string{"cmd", "internal"} {
		if _, err := fs.Stat(root, top); err != nil {
			continue
		}
		err := fs.WalkDir(root, top, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
				return err
			}
			source, err := fs.ReadFile(root, name)
			if err != nil {
				return err
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, name, source, parser.ParseComments)
			if err != nil {
				return err
			}
			for _, f := range slices.Concat(ofImports(name, file), ofClocks(name, set, file), ofShape(name, source, file)) {
				findings = append(findings, name+": "+f)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return findings
}

// roomOf finds the package on the plan that a folder belongs to.
func roomOf(folder string) (string, bool) {
	for ; folder != "."; folder = path.Dir(folder) {
		if _, ok := rooms[folder]; ok {
			return folder, true
		}
	}
	return "", false
}

func ofImports(name string, file *ast.File) []string {
	folder := path.Dir(name)
	if folder == "internal" || slices.Contains(testRooms, folder) {
		return nil
	}
	home, ok := roomOf(folder)
	if !ok {
		return []string{"this package is not on the floor plan; give it a place in ARCHITECTURE.md and here, or put the code where it belongs"}
	}
	var findings []string
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		ours, isOurs := strings.CutPrefix(imported, module+"/")
		switch {
		case !isOurs:
			if home == "internal/status" && !slices.Contains(pure, imported) {
				findings = append(findings, fmt.Sprintf("imports %s; the core is pure: it decides, others read and write", imported))
			}
		case slices.Contains(testRooms, ours):
			findings = append(findings, fmt.Sprintf("imports %s, which is for tests only", ours))
		default:
			there, _ := roomOf(ours)
			if there != home && !slices.Contains(rooms[home].may, strings.TrimPrefix(there, "internal/")) {
				findings = append(findings, fmt.Sprintf("imports %s: %s", ours, rooms[home].why))
			}
		}
	}
	return findings
}

// ofClocks finds what reads the time, and what prints from the core.
func ofClocks(name string, set *token.FileSet, file *ast.File) []string {
	folder := path.Dir(name)
	home, _ := roomOf(folder)
	if !strings.HasPrefix(folder, "internal") || home == "internal/app" || slices.Contains(testRooms, folder) {
		return nil
	}
	names := map[string]string{} // as the file calls it: import path
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		called := path.Base(imported)
		if spec.Name != nil {
			called = spec.Name.Name
		}
		names[called] = imported
	}
	var findings []string
	ast.Inspect(file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		line := set.Position(sel.Pos()).Line
		switch {
		case names[x.Name] == "time" && slices.Contains(clocks, sel.Sel.Name):
			findings = append(findings, fmt.Sprintf("line %d: time.%s; only internal/app knows the clock, others are given one, so that tests own the time", line, sel.Sel.Name))
		case home == "internal/status" && names[x.Name] == "fmt" && strings.HasPrefix(sel.Sel.Name, "Print"):
			findings = append(findings, fmt.Sprintf("line %d: fmt.%s; the core is pure", line, sel.Sel.Name))
		}
		return true
	})
	return findings
}

func ofShape(name string, source []byte, file *ast.File) []string {
	var findings []string
	if slices.Contains(buckets, file.Name.Name) {
		findings = append(findings, fmt.Sprintf("a package called %s says nothing; name it after what it provides", file.Name.Name))
	}
	if lines := strings.Count(string(source), "\n"); lines > longest && !ast.IsGenerated(file) {
		findings = append(findings, fmt.Sprintf("%d lines, more than %d: it has two reasons to change; split it", lines, longest))
	}
	return findings
}
