package scenario

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the program under test, built once with the race detector.
var binary string

// unwatched is the C of SQLite in Go, without the race detector, as `make test`
// builds it: its memory is not that of Go, and the detector looks away there.
const unwatched = "-gcflags=modernc.org/sqlite/lib=-race=false"

// repository is the root of the project.
var repository string

func TestMain(m *testing.M) {
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	// Scenarios wait more than they work: more of them than cores.
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "scenario")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if repository, err = filepath.Abs("../../.."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binary = filepath.Join(dir, "statusbridge")
	build := exec.Command("go", "build", "-race", unwatched, "-ldflags", "-X main.release=v0.0.0-scenario", "-o", binary, "./cmd/statusbridge")
	build.Dir = repository
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	defer func() { quitChromium() }()
	return m.Run()
}
