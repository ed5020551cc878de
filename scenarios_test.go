package statusbridge_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// scenarios are the numbers S01 to S54 of docs/engine.md.
const scenarios = 54

// delivered are the scenarios about deliveries, restarts and reconciliation:
// the core alone cannot prove them.
var delivered = []int{5, 12, 14, 15, 16, 17, 19, 22, 23, 24, 25, 26, 28, 29, 30, 33, 36, 37, 50, 51, 52}

// TestEachScenarioHasATest: the number of a scenario stands in the name of its
// tests, such as TestS07 or, for two at once, TestS29S30, and docs/engine.md
// says what it is.
func TestEachScenarioHasATest(t *testing.T) {
	said, err := os.ReadFile("docs/engine.md")
	if err != nil {
		t.Fatal(err)
	}
	proofs := scenarioTests(t, os.DirFS("."))
	for n := 1; n <= scenarios; n++ {
		id := fmt.Sprintf("S%02d", n)
		if len(proofs[id]) == 0 {
			t.Errorf("%s has no test: write one whose name begins with Test%s", id, id)
		}
		if strings.Count(string(said), "| "+id+" |") != 1 {
			t.Errorf("docs/engine.md does not say in one line what %s is", id)
		}
		outside := func(folder string) bool { return folder != "internal/status" }
		if slices.Contains(delivered, n) && !slices.ContainsFunc(proofs[id], outside) {
			t.Errorf("%s is tested in the core only, but it is about more", id)
		}
		delete(proofs, id)
	}
	for id, folders := range proofs {
		t.Errorf("%s in %v is no scenario: docs/engine.md ends with S%d", id, folders, scenarios)
	}
}

var (
	scenarioName   = regexp.MustCompile(`^Test((?:S\d\d)+)[A-Z]`)
	scenarioNumber = regexp.MustCompile(`S\d\d`)
)

// scenarioTests lists the folders with tests of each scenario.
func scenarioTests(t *testing.T, root fs.FS) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := fs.WalkDir(root, "internal", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil {
				continue
			}
			if m := scenarioName.FindStringSubmatch(f.Name.Name); m != nil {
				for _, id := range scenarioNumber.FindAllString(m[1], -1) {
					found[id] = append(found[id], path.Dir(name))
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
