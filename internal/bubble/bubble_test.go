package bubble_test

import (
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/bubble"
)

// Without the one processor this test dies within a second under -race.
func TestManyTimersAtTheSameInstantSurviveTheRaceDetector(t *testing.T) {
	bubble.Test(t, func(*testing.T) {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 10_000 {
					<-time.NewTimer(0).C
				}
			})
		}
		all.Wait()
	})
}
