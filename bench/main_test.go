package bench

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Settings of the harness, as `make bench` passes them on.
var (
	rounds  = number("BENCH_ROUNDS", 5)
	seconds = number("BENCH_SECONDS", 5) // of one round of one peer
	peerURL = os.Getenv("BENCH_PEER")    // any other server, asked for "/" as well
)

func number(name string, otherwise int) int {
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		return otherwise
	}
	return n
}

// The server has one core, the load the other.
const (
	serverCore = "0"
	loadCore   = "1"
)

const (
	pinnedMark = "BENCH_PINNED"
	serveMark  = "BENCH_SERVE" // the folder that the bare Fiber server serves
)

// binary is the daemon under test, built once.
var binary string

func TestMain(m *testing.M) {
	if dir := os.Getenv(serveMark); dir != "" {
		fmt.Fprintln(os.Stderr, serveBare(dir))
		os.Exit(1)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return complain(err)
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "statusbridge")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "../cmd/statusbridge")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return complain(fmt.Errorf("build the daemon: %w\n%s", err, out))
	}
	return m.Run()
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, "bench:", err)
	return 1
}

// pinLoad moves this process, and what it starts from now on, to the core of
// the load.
func pinLoad(t testing.TB) {
	t.Helper()
	if runtime.NumCPU() < 2 {
		return
	}
	out, err := exec.Command("taskset", "-a", "-c", "-p", loadCore, strconv.Itoa(os.Getpid())).CombinedOutput()
	if err != nil {
		t.Fatalf("taskset: %v\n%s(apt-get install -y util-linux)", err, out)
	}
}

// pinned is a command on the server's core.
func pinned(name string, args ...string) *exec.Cmd {
	if runtime.NumCPU() < 2 {
		return exec.Command(name, args...)
	}
	return exec.Command("taskset", append([]string{"-c", serverCore, name}, args...)...)
}

// start runs a command until the test ends.
func start(t testing.TB, cmd *exec.Cmd) *os.Process {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(cmd.Process) })
	return cmd.Process
}

func stop(p *os.Process) {
	_ = p.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _, _ = p.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(15 * time.Second):
		_ = p.Kill()
		<-done
	}
}

// usage is what a process has used so far.
type usage struct {
	cpu time.Duration // of all its threads, in ticks of 10 ms
	rss int64         // bytes
}

func usageOf(t testing.TB, p *os.Process) usage {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid))
	if err != nil {
		t.Fatal(err)
	}
	// proc(5): after the name in brackets come state (3), utime (14), stime (15), rss (24).
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	field := func(n int) int64 { v, _ := strconv.ParseInt(fields[n-3], 10, 64); return v }
	return usage{
		cpu: time.Duration(field(14)+field(15)) * (time.Second / 100),
		rss: field(24) * int64(os.Getpagesize()),
	}
}

// kilobytes is a line of /proc/PID/status, see proc(5): RssAnon is memory of the
// process alone, VmHWM the most that it ever had.
func kilobytes(t testing.TB, p *os.Process, line string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), line)
	kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return kb
}

func median[T cmp.Ordered](list []T) T {
	var none T
	if len(list) == 0 {
		return none
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// quantile of a sorted list.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

var figuresFile sync.Mutex

// report prints a figure beside its goal, and adds it as one line of JSON to the
// file that BENCH_FIGURES names.
func report(t testing.TB, name string, value float64, unit, goal string) {
	t.Helper()
	t.Logf("%-58s %12.4g %-10s goal %s", name, value, unit, goal)
	file := os.Getenv("BENCH_FIGURES")
	if file == "" {
		return
	}
	line, err := json.Marshal(struct {
		Figure string  `json:"figure"`
		Value  float64 `json:"value"`
		Unit   string  `json:"unit"`
		Goal   string  `json:"goal"`
		At     string  `json:"at"`
		Commit string  `json:"commit"`
	}{name, value, unit, goal, time.Now().UTC().Format(time.RFC3339), commit()})
	if err != nil {
		t.Fatal(err)
	}
	figuresFile.Lock()
	defer figuresFile.Unlock()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
}

var commit = sync.OnceValue(func() string {
	out, _ := exec.Command("git", "describe", "--always", "--dirty").Output()
	return strings.TrimSpace(string(out))
})
