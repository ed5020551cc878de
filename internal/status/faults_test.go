package status_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fault is a mistake that somebody could make in the engine, as an edit of its
// source, and the invariant of docs/engine.md that it breaks.
type fault struct {
	name      string
	invariant int
	file      string
	old, new  string
}

var faults = []fault{
	{"a repeated statement begins a new episode", 1, "facts.go", "at.After(s.OrderedAt.Add(sameEpisode))", "!at.Before(s.OrderedAt)"},
	{"a retried start that came too late is believed", 1, "facts.go", "f.ReceivedAt.Sub(s.SeenAt) < reassertion:", "false:"},
	{"the end of an earlier episode counts", 2, "facts.go", "if at.Before(s.OrderedAt) {\n\t\treturn s.after(f)", "if false {\n\t\treturn s.after(f)"},
	{"the hold looks at the last of a batch only", 2, "receive.go", "if n+1 == len(facts) ||", "if n+1 == len(facts) || false &&"},
	{"a track forgets its issue", 3, "open.go", "t.IssueID, t.Cleared, t.AttachedTo = i.ID, 0, \"\"", "t.Cleared, t.AttachedTo = 0, \"\""},
	{"one miss is enough", 4, "reconcile.go", "if s.Misses >= missesNeeded {", "if s.Misses >= 1 {"},
	{"an answer that cannot be trusted counts", 4, "reconcile.go", "if !seen.Trusted {", "if false {"},
	{"a firing statement between two misses is forgotten", 4, "facts.go", "s.Misses, s.MissedAt = 0, time.Time{} // its source", "// its source"},
	{"a peer that contradicts is not heard", 4, "facts.go", "return s.begin(f), contradicted", "return s, unchanged"},
	{"issues end while their source is blind", 4, "track.go", "if blind := d.blind(t); blind != \"\" {", "if blind := d.blind(t); false && blind != \"\" {"},
	{"an escalation moves a held impact", 5, "escalate.go", "if i.Automatic(FieldImpact) && (", "if true || (i.Automatic(FieldImpact)) && ("},
	{"a held state is resolved", 5, "track.go", "rule.Resolve.Mode == ResolvePropose || !i.Automatic(FieldState):", "rule.Resolve.Mode == ResolvePropose:"},
	{"evidence edits the issue of a person", 5, "track.go", "t.AttachedTo = e.by\n", "t.AttachedTo = e.by\n\td.note(e.by, e.why)\n"},
	{"the episode that a person ended opens another issue", 5, "track.go", "t.Settled = t.Firing > 0\n\td.c.Tracks", "t.Settled = false\n\td.c.Tracks"},
	{"what waits for a person is published when it fires again", 5, "track.go", "!d.forPerson(rule, t, i.CreatedAt) && ", ""},
	{"a discarded draft has no reason", 6, "track.go", "d.log(Entry{Action: \"dismissed\", Subject: i.ID, Reason: ReasonEndedUnpublished})", "_ = ReasonEndedUnpublished"},
	{"the veto window is skipped", 6, "open.go", "case rule.Open.Publish == PublishAuto && rule.Open.PublishAfter <= 0:", "case rule.Open.Publish == PublishAuto:"},
	{"an issue settles after half its time", 6, "track.go", "due := t.QuietSince.Add(after)", "due := t.QuietSince.Add(after / 2)"},
	{"a restart begins every wait anew", 7, "reconcile.go", "state.Name, state.AskedSince = s.Name, now\n", "state.Name, state.AskedSince = s.Name, now\n\t\tfor k, due := range b.Timers {\n\t\t\td.c.Timers[k] = due.Add(time.Minute)\n\t\t}\n"},
	{"which alerts make a group is known in memory only", 7, "board.go", "\t\tb.Put(s)\n", "\t\tif _, known := b.Signals[s.Key]; known || len(b.Issues) == 0 {\n\t\t\tb.Put(s)\n\t\t}\n\t\tb.Signals[s.Key] = s\n"},
	{"a clock that ran ahead deafens us", 7, "facts.go", "if s.OrderedAt.After(s.SeenAt) &&", "if false &&"},
	{"an opening is announced twice", 8, "open.go", "\t\td.announce(*i, EventOpen, i.Updates[0], d.channels(*i, EventOpen))\n", "\t\td.announce(*i, EventOpen, i.Updates[0], d.channels(*i, EventOpen))\n\t\td.announce(*i, EventOpen, i.Updates[0], d.channels(*i, EventOpen))\n"},
	{"what is published in silence is announced", 8, "open.go", "if !silent && len(i.Updates) > 0 {", "if len(i.Updates) > 0 {"},
	{"the headline knows components only", 9, "overview.go", "floor.rank() > h.rank() && ", "floor.rank() > h.rank() && false && "},
	{"a component shows its last issue, not its worst", 9, "overview.go", "s.Components[id] = from.Worse(to)", "_ = from\n\t\t\ts.Components[id] = to"},
}

// TestEachPlantedFaultIsCaught builds the engine once with every fault in it (by
// an overlay: nothing is changed), wakes one after the other, and lets the
// properties of random histories look for it.
func TestEachPlantedFaultIsCaught(t *testing.T) {
	page, err := os.ReadFile("../../docs/engine.md")
	if err != nil {
		t.Fatal(err)
	}
	per := map[int]int{}
	for _, f := range faults {
		if per[f.invariant]++; !strings.Contains(string(page), fmt.Sprintf("| %d | %s |", f.invariant, f.name)) {
			t.Errorf("docs/engine.md does not list the fault %q against invariant %d", f.name, f.invariant)
		}
	}
	for n := 1; n <= 9; n++ {
		if per[n] == 0 {
			t.Errorf("no fault is planted against invariant %d", n)
		}
	}
	properties := plantAll(t)
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		if out, err := properties(0); err != nil {
			t.Errorf("the engine as it is, built in the same way, fails: %v\n%s", err, out)
		}
	})
	for n, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			out, err := properties(n + 1)
			found := property.FindSubmatch(out)
			switch {
			case err == nil:
				t.Fatal("not caught: the invariants say nothing against it")
			case found == nil:
				t.Fatalf("the fault does not fail as a property:\n%s", out)
			}
			t.Logf("invariant %d, caught in history %s: %.120s", f.invariant, found[1], found[2])
		})
	}
}

// property finds the test that failed, and why.
var property = regexp.MustCompile(`\[rapid\] (?:failed|panic) after (\d+) tests: (.*)`)

// plantAll builds the tests of the properties with all faults asleep. What it
// returns runs them with one awake, numbered from 1, until something is found.
func plantAll(t *testing.T) (properties func(awake int) ([]byte, error)) {
	t.Helper()
	folder, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	replace := map[string]string{}
	put := func(file, text string) {
		replace[filepath.Join(folder, file)] = filepath.Join(dir, file)
		write(t, filepath.Join(dir, file), []byte(text))
	}
	put("awake.go", "package status\n\nimport (\n\"os\"\n\"strconv\"\n)\n\nvar awake, _ = strconv.Atoi(os.Getenv(\"STATUSBRIDGE_FAULT\"))\n")
	planted := map[string]string{}
	for n, f := range faults {
		if planted[f.file] == "" {
			planted[f.file] = source(t, f.file)
		}
		planted[f.file] = f.plant(t, n+1, planted[f.file])
	}
	for file, text := range planted {
		put(file, text)
	}
	overlay, program := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "properties")
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	write(t, overlay, list)
	build := exec.Command("go", "test", "-c", "-o", program, "-overlay", overlay, "-vet=off", "-ldflags=-s -w", ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("a fault does not compile: %v\n%s", err, out)
	}
	return func(awake int) ([]byte, error) {
		cmd := exec.Command(program, "-test.run", "^(TestInvariantsHoldInEveryHistory|TestFactsInAnyOrder.*|TestDeliveriesTakenTogether.*)$",
			"-test.failfast", "-rapid.nofailfile", "-rapid.shrinktime=0s")
		cmd.Env = append(os.Environ(), "STATUSBRIDGE_HISTORY_STEPS=100000", fmt.Sprint("STATUSBRIDGE_FAULT=", awake))
		return cmd.CombinedOutput()
	}
}

// plant adds to text, which is the file with other faults in it, a copy of the
// function that the fault is in. The function hands over to its copy, which has
// the fault, while number n is awake.
func (f fault) plant(t *testing.T, n int, text string) string {
	t.Helper()
	original := source(t, f.file)
	if n := strings.Count(original, f.old); n != 1 {
		t.Fatalf("%s holds %q %d times, want once: the engine has changed, so mend the fault", f.file, f.old, n)
	}
	tree, err := parser.ParseFile(token.NewFileSet(), "", original, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(original, f.old)
	for _, decl := range tree.Decls {
		// The file is the only one of its set: a position is an offset from 1.
		begin, end := int(decl.Pos())-1, int(decl.End())-1
		if fn, ok := decl.(*ast.FuncDecl); ok && begin <= at && at < end {
			name := fmt.Sprint("fault", n)
			call := name + "(" + strings.Join(names(fn.Type.Params), ", ") + ")"
			if fn.Recv != nil {
				call = names(fn.Recv)[0] + "." + call
			}
			if fn.Type.Results == nil {
				call += "; return"
			} else {
				call = "return " + call
			}
			head := original[begin:fn.Body.Lbrace]
			faulty := strings.Replace(original[begin:end], f.old, f.new, 1)
			return strings.Replace(text, head, fmt.Sprintf("%s if awake == %d { %s };", head, n, call), 1) +
				"\n" + strings.Replace(faulty, fn.Name.Name+"(", name+"(", 1) + "\n"
		}
	}
	t.Fatalf("%s: %q is in no function", f.file, f.old)
	return ""
}

// names are those of parameters, or of a receiver.
func names(list *ast.FieldList) []string {
	var all []string
	for _, field := range list.List {
		for _, name := range field.Names {
			all = append(all, name.Name)
		}
	}
	return all
}

func source(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
