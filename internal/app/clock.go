package app

import (
	"context"
	"time"
)

// Clock is the real one: UTC, to the millisecond, as the database keeps times.
type Clock struct{}

// Now is the present moment.
func (Clock) Now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// Wait returns nil when d has passed or wake fires, and the context's error
// when that is done first.
func (Clock) Wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	t := time.NewTimer(max(d, 0))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
	case <-wake:
	}
	return nil
}
