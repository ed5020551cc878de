package app

import (
	"context"
	"runtime"
	"time"
)

// How often a machine with one core looks how much is written, and the webhooks
// and mails in that time from which a second thread of Go pays.
const (
	spreadEvery = 250 * time.Millisecond
	spreadFrom  = 10
)

// spread chooses how many threads run Go on a machine with one core. Two wait
// for each other's time slices of the kernel: at 64 connections the slowest
// hundredth of the pages then takes ten times as long. One stands still while
// SQLite waits for the disk, which halves the webhooks of a storm, and takes a
// third of the pages from visitors meanwhile. So it is one, and two while SQLite
// has more to write than now and then.
func (d *Daemon) spread(ctx context.Context) error {
	if runtime.NumCPU() > 1 {
		return nil
	}
	threads := 0
	for before := d.store.Carried(); ; {
		want := 1
		now := d.store.Carried()
		if d.store.Dialect() == "sqlite" && now-before >= spreadFrom {
			want = 2
		}
		before = now
		if want != threads {
			runtime.GOMAXPROCS(want)
			threads = want
		}
		if err := d.clock.Wait(ctx, spreadEvery, nil); err != nil {
			return err
		}
	}
}
