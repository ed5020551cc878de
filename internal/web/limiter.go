package web

import (
	"sync"
	"time"
)

// limiter counts events a key in fixed windows. It is small and forgets:
// losing it in a restart harms nobody.
type limiter struct {
	most   int
	window time.Duration

	mu   sync.Mutex
	seen map[string]tally
}

type tally struct {
	since time.Time
	n     int
}

// maxTallies bounds the memory that a flood of addresses can take.
const maxTallies = 10_000

func newLimiter(most int, window time.Duration) *limiter {
	return &limiter{most: most, window: window, seen: map[string]tally{}}
}

// allow counts one event and reports whether it is within the limit.
func (l *limiter) allow(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, known := l.seen[key]
	if !known && len(l.seen) >= maxTallies {
		l.forget(now)
	}
	if !known || now.Sub(t.since) >= l.window {
		t = tally{since: now}
	}
	t.n++
	l.seen[key] = t
	return t.n <= l.most
}

func (l *limiter) forget(now time.Time) {
	for key, t := range l.seen {
		if now.Sub(t.since) >= l.window {
			delete(l.seen, key)
		}
	}
	if len(l.seen) >= maxTallies {
		clear(l.seen)
	}
}
