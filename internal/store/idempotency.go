package store

import (
	"context"
	"fmt"
	"time"
)

// Promise is what became of a request that may be sent again under one key.
type Promise struct {
	Name      string // whose key, and which
	Request   string // hash of what was asked
	CreatedAt time.Time
	Code      int // of the answer; 0 while there is none
	Header    string
	Body      string
}

var promises = table[Promise]{
	name: "idempotency_keys", key: []string{"name"},
	columns: func(p *Promise) []column {
		return []column{
			{"name", &p.Name},
			{"request", &p.Request},
			{"created_at", at(&p.CreatedAt)},
			{"code", &p.Code},
			{"header", &p.Header},
			{"body", &p.Body},
		}
	},
}

// Promise claims a key for a request, after forgetting keys older than lasting. It
// reports false, and what is known of the request that was first, when the key
// is taken: of two at the same moment just one gets it.
func (s *Store) Promise(ctx context.Context, p Promise, lasting time.Duration) (first Promise, claimed bool, err error) {
	if _, err := exec(ctx, s.write, "DELETE FROM idempotency_keys WHERE created_at < ?", stamp(p.CreatedAt.Add(-lasting))); err != nil {
		return Promise{}, false, fmt.Errorf("forget idempotency keys: %w", err)
	}
	n, err := promises.insert(ctx, s.write, s.dialect, keep, 0, []Promise{p})
	if err != nil || n > 0 {
		return p, n > 0, err
	}
	first, err = promises.one(ctx, s.write, errKeyGone, "WHERE name = ?", p.Name)
	return first, false, err
}

// errKeyGone is rare: between two statements the first request failed and gave
// its key back.
var errKeyGone = fmt.Errorf("the idempotency key was given back this moment; send the request again")

// KeepPromise notes the answer that asking again gets.
func (s *Store) KeepPromise(ctx context.Context, p Promise) error {
	_, err := promises.update(ctx, s.write, &p)
	return err
}

// BreakPromise gives a key back, after a request that did nothing.
func (s *Store) BreakPromise(ctx context.Context, name string) error {
	_, err := exec(ctx, s.write, "DELETE FROM idempotency_keys WHERE name = ?", name)
	return err
}
