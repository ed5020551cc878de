package pages

import (
	"runtime"
	"testing"
)

func TestGarbageIsCollectedEarlyWhenThereIsMuchOfIt(t *testing.T) {
	forced := func() uint32 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.NumForcedGC
	}
	runtime.GC()
	before := forced()
	collectEarly()
	if n := forced() - before; n != 0 {
		t.Errorf("collected %d times when there was nothing", n)
	}
	for range 1000 { // Go itself begins anew each time its goal is reached
		garbage = make([]byte, 64<<10)
		if collectEarly(); forced() > before {
			return
		}
	}
	t.Error("never collected early")
}

var garbage []byte // what nobody holds any more is not made at all otherwise
