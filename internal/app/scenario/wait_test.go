package scenario

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"testing"
	"time"
)

// patience is how long a step may take on a busy machine.
const patience = 30 * time.Second

// eventually tries until try returns nil, and fails with its last error.
func eventually(t testing.TB, what string, try func() error) {
	t.Helper()
	within(t, patience, what, try)
}

// within is eventually with a deadline of its own.
func within(t testing.TB, limit time.Duration, what string, try func() error) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	again := time.NewTicker(25 * time.Millisecond)
	defer again.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("%s: not within %v: %v", what, limit, err)
		case <-again.C:
		}
	}
}

// stays checks that something remains so for a while.
func stays(t testing.TB, span time.Duration, what string, check func() error) {
	t.Helper()
	end := time.NewTimer(span)
	defer end.Stop()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		if err := check(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		select {
		case <-end.C:
			return
		case <-again.C:
		}
	}
}

// freePort finds a port to listen on, below those that the system hands out
// for outgoing connections, so that none of ours takes it meanwhile.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 15000 + rand.IntN(15000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		_ = l.Close()
		return port
	}
	t.Fatal("no free port")
	return 0
}

// tool finds a program that the tests need.
func tool(t testing.TB, name string) string {
	t.Helper()
	file, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v; run: make tools", err)
	}
	return file
}
