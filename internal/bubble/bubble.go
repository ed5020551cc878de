// Package bubble runs tests on a clock of their own. It helps tests only.
package bubble

import (
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
)

// one bubble at a time: the number of processors belongs to the process.
var one sync.Mutex

// Test is [synctest.Test] on one processor. Up to Go 1.26 a bubble has one race
// context for all its timers; two goroutines that receive from timers at the same
// instant use it together, and a test with -race then dies of "ThreadSanitizer:
// CHECK failed" now and again (https://github.com/golang/go/issues/78156). Races
// are found on one processor too: they are told by what happened before what.
func Test(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	one.Lock()
	defer one.Unlock()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	synctest.Test(t, f)
}
