package web

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"syscall"
	"time"
)

// patientListener outlives shortages. fasthttp ends Serve on any error of
// Accept; running out of file descriptors for a moment must not end the daemon.
type patientListener struct {
	net.Listener
	clock Clock
	log   *slog.Logger
	done  context.Context
}

var shortages = []error{
	syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED,
}

func (l patientListener) Accept() (net.Conn, error) {
	const first, most = 5 * time.Millisecond, time.Second
	pause := first
	for {
		conn, err := l.Listener.Accept()
		if err == nil || !isShortage(err) {
			return conn, err
		}
		if pause == first || pause == most {
			l.log.Warn("cannot accept connections, trying again", "err", err)
		}
		if waitErr := l.clock.Wait(l.done, pause, nil); waitErr != nil {
			return nil, err
		}
		pause = min(pause*2, most)
	}
}

func isShortage(err error) bool {
	for _, shortage := range shortages {
		if errors.Is(err, shortage) {
			return true
		}
	}
	return false
}
