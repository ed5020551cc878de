package broadcast

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// holding is what a worker has claimed and not begun, and until when it is its
// own.
type holding struct {
	mu      sync.Mutex
	waiting map[string]status.Delivery // by id
	until   time.Time                  // when the lease of those that wait ends
}

func hold(claimed []status.Delivery, claimedAt time.Time) *holding {
	h := &holding{waiting: make(map[string]status.Delivery, len(claimed)), until: claimedAt.Add(lease)}
	for _, d := range claimed {
		h.waiting[d.ID] = d
	}
	return h
}

// begin takes a delivery to send it. It is false when its lease does not last
// until then, or is lost.
func (h *holding) begin(id string, lasts time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ours := h.waiting[id]; !ours || h.until.Before(lasts) {
		return false
	}
	delete(h.waiting, id)
	return true
}

func (h *holding) rest() []status.Delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Values(h.waiting))
}

// kept notes which deliveries are still ours, and for how long.
func (h *holding) kept(ids []string, until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.DeleteFunc(h.waiting, func(id string, _ status.Delivery) bool { return !slices.Contains(ids, id) })
	h.until = until
}

// renew keeps the lease on what waits for a free hand, until stop.
func (w *worker) renew(ctx context.Context, h *holding) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for w.b.clock.Wait(ctx, renewEvery, nil) == nil {
			waiting := h.rest()
			if len(waiting) == 0 {
				return
			}
			now := w.b.clock.Now()
			ids, err := w.b.outbox.RenewLeases(ctx, waiting, now, lease)
			if err != nil {
				if ctx.Err() == nil {
					w.b.log.Warn("leases could not be renewed", "channel", w.channel, "err", err)
				}
				continue
			}
			h.kept(ids, now.Add(lease))
		}
	}()
	return func() { cancel(); <-done }
}
