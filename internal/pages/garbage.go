package pages

import (
	"runtime"
	"runtime/metrics"
)

// collectEarly collects garbage while nobody waits. News is when memory is needed, so
// that Go would do it in the middle of one, which on a machine with one core then
// takes three times as long. It does nothing before half of what Go lets grow has.
func collectEarly() {
	heap := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/goal:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(heap)
	live, goal, grown := heap[0].Value.Uint64(), heap[1].Value.Uint64(), heap[2].Value.Uint64()
	if grown > live/2+goal/2 {
		runtime.GC()
	}
}
