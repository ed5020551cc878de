package broadcast

import (
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/bubble"
	"github.com/statusbridge/statusbridge/internal/status"
)

func TestAnIdleBroadcasterHardlyAsks(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		h := open(t, &pen{channel: "email"})
		defer h.stop()
		time.Sleep(time.Hour)
		h.outbox.mu.Lock()
		defer h.outbox.mu.Unlock()
		if most := int(time.Hour/poll) + 2; h.outbox.claims > most {
			t.Errorf("asked %d times in an hour without work, want at most %d", h.outbox.claims, most)
		}
	})
}

func TestAQueueOfAChannelThatIsSwitchedOffIsNoBusyLoop(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		h := open(t, &pen{channel: "email"})
		defer h.stop()
		h.outbox.mu.Lock()
		h.outbox.deliveries = append(h.outbox.deliveries, status.Delivery{ID: "d1", Channel: "twitter", State: status.Queued, DueAt: time.Now()})
		h.outbox.mu.Unlock()
		ring(h.wake)
		time.Sleep(time.Minute)
		h.outbox.mu.Lock()
		defer h.outbox.mu.Unlock()
		if h.outbox.claims > 65 {
			t.Errorf("asked %d times in a minute", h.outbox.claims)
		}
	})
}

func TestALongQueueIsSentWithoutLookingAfterEveryBatch(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		// Nothing is under way while the next are claimed.
		h := openOver(t, &memoryOutbox{subscribers: people(2000), claimTakes: 20 * time.Millisecond}, &pen{channel: "email", parallel: 8})
		defer h.stop()
		h.announce(status.EventOpen, "i1", "u1")
		time.Sleep(900 * time.Millisecond) // until then nothing is looked for by the clock
		if got := h.outbox.states(); got[status.Sent] != 2000 {
			t.Fatalf("deliveries are %v, want 2000 sent", got)
		}
		h.outbox.mu.Lock()
		defer h.outbox.mu.Unlock()
		if h.outbox.looks > 4 { // at the start, when it was announced, when all was sent
			t.Errorf("looked %d times for what is next", h.outbox.looks)
		}
	})
}

func TestALongQueueDoesNotWaitForClaims(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		outbox := &memoryOutbox{subscribers: people(2000), claimTakes: 20 * time.Millisecond}
		mail := &pen{channel: "email", parallel: 8, takes: 10 * time.Millisecond}
		h := openOver(t, outbox, mail)
		defer h.stop()
		began := time.Now()
		h.announce(status.EventOpen, "i1", "u1")
		for outbox.states()[status.Sent] < 2000 {
			time.Sleep(10 * time.Millisecond)
		}
		if took := time.Since(began); took > 2600*time.Millisecond {
			t.Errorf("2,000 messages of 10 ms, 8 at a time, took %v", took)
		}
	})
}
