package app

import (
	"context"
	"runtime"
	"time"
)

// How often a machine with one core looks how much is written, and the webhooks
// and mails in that time from which a second thread of Go pays: 240 a second.
const (
	spreadEvery = 250 * time.Millisecond
	spreadFrom  = 60
)

// spread chooses how many threads run Go on a machine with one core. With two the
// slowest hundredth of the pages takes ten times as long at 64 connections: the
// kernel lets either run for some milliseconds, while pages wait for the other. One
// stands still while SQLite waits for the disk, which halves the webhooks of a storm.
// So it is one, and two while more comes than batches make bearable.
func (d *Daemon) spread(ctx context.Context) error {
	if runtime.NumCPU() > 1 {
		return nil
	}
	runtime.GOMAXPROCS(1)
	if d.store.Dialect() != "sqlite" {
		return nil
	}
	for {
		before := d.store.Carried()
		if err := d.clock.Wait(ctx, spreadEvery, nil); err != nil {
			return err
		}
		threads := 1
		if d.store.Carried()-before >= spreadFrom {
			threads = 2
		}
		runtime.GOMAXPROCS(threads) // stops nothing when it is so already
	}
}
