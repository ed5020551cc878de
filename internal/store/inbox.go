package store

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/statusbridge/statusbridge/internal/status"
)

// webhooks keeps bodies compressed: they are JSON that repeats itself, and most
// are never looked at again.
var webhooks = table[status.Webhook]{
	name: "webhooks", key: []string{"id"},
	columns: func(w *status.Webhook) []column {
		return []column{
			{"id", &w.ID},
			{"kind", &w.Kind},
			{"source", &w.Source},
			{"body", (*packed)(&w.Body)},
			{"received_at", at(&w.ReceivedAt)},
			{"state", &w.State},
			{"verdict", &w.Verdict},
			{"events", &w.Events},
			{"outcomes", doc(&w.Outcomes)},
		}
	},
}

// SaveWebhook keeps a delivery before it is understood. When it returns nil the
// delivery is durable. An id that is known already changes nothing, so a call
// whose outcome is unknown may be repeated. Concurrent calls share a
// transaction.
func (s *Store) SaveWebhook(ctx context.Context, w status.Webhook) error {
	if w.State == "" {
		w.State = status.WebhookPending
	}
	body, err := pack(w.Body) // here, where callers do it side by side
	if err != nil {
		return fmt.Errorf("save webhook: %w", err)
	}
	w.Body = body
	return s.webhooks.do(ctx, w)
}

// carryWebhooks saves a batch with one statement.
func (s *Store) carryWebhooks(batch []*ticket[status.Webhook]) error {
	columns := webhooks.shape()
	row := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ") + ")"
	var args []any
	for _, t := range batch {
		w := t.work
		args = append(args, w.ID, w.Kind, w.Source, w.Body, stamp(w.ReceivedAt), string(w.State), w.Verdict, w.Events, doc(&w.Outcomes))
	}
	query := "INSERT INTO webhooks (" + strings.Join(names(columns), ", ") + ") VALUES " +
		strings.TrimSuffix(strings.Repeat(row+", ", len(batch)), ", ") + " ON CONFLICT (id) DO NOTHING"
	if _, err := exec(context.Background(), s.write, query, args...); err != nil {
		return fmt.Errorf("save webhook: %w", err)
	}
	return nil
}

// arrivals are webhooks of which nothing but the arrival is known.
var arrivals = table[status.Webhook]{
	name: "webhooks", key: []string{"id"},
	columns: func(w *status.Webhook) []column {
		return []column{{"id", &w.ID}, {"kind", &w.Kind}, {"source", &w.Source}, {"received_at", at(&w.ReceivedAt)}}
	},
}

// PendingWebhooks lists deliveries that wait to be understood, the oldest
// first. The bodies of those that known reports true of are left out; nil wants
// all.
func (s *Store) PendingWebhooks(ctx context.Context, limit int, known func(id string) bool) ([]status.Webhook, error) {
	tail, args := limited("WHERE state = 'pending' ORDER BY received_at, id", nil, limit)
	all, err := arrivals.list(ctx, s.read, tail, args...)
	if err != nil {
		return nil, err
	}
	var wanted []string
	for n := range all {
		all[n].State = status.WebhookPending
		if known == nil || !known(all[n].ID) {
			wanted = append(wanted, all[n].ID)
		}
	}
	bodies, err := s.bodies(ctx, wanted)
	if err != nil {
		return nil, err
	}
	for n := range all {
		all[n].Body = bodies[all[n].ID]
	}
	return all, nil
}

// bodies reads the bodies of deliveries by their ids.
func (s *Store) bodies(ctx context.Context, ids []string) (map[string][]byte, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := s.read.QueryxContext(ctx, s.read.Rebind("SELECT id, body FROM webhooks WHERE id IN "+s.dialect.elements("?")), list(ids))
	if err != nil {
		return nil, fmt.Errorf("read bodies: %w", err)
	}
	defer rows.Close()
	bodies := map[string][]byte{}
	for rows.Next() {
		var id string
		var body packed
		if err := rows.Scan(&id, &body); err != nil {
			return nil, fmt.Errorf("read bodies: %w", err)
		}
		bodies[id] = body
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read bodies: %w", err)
	}
	return bodies, nil
}

// Webhooks lists deliveries in a state, or in all when it is "", the newest
// first.
func (s *Store) Webhooks(ctx context.Context, state status.WebhookState, limit int) ([]status.Webhook, error) {
	tail, args := "", []any{}
	if state != "" {
		tail, args = "WHERE state = ? ", []any{string(state)}
	}
	tail, args = limited(tail+"ORDER BY received_at DESC, id DESC", args, limit)
	return webhooks.list(ctx, s.read, tail, args...)
}

// verdicts is no table of its own: it shapes the parameter of closeWebhooks.
var verdicts = table[status.Verdict]{
	name: "webhooks", key: []string{"id"},
	columns: func(v *status.Verdict) []column {
		return []column{{"id", &v.WebhookID}, {"state", &v.State}, {"verdict", &v.Text}, {"events", &v.Events}, {"outcomes", doc(&v.Outcomes)}}
	},
}

// closeWebhooks writes what became of deliveries, in the transaction that saves
// their effects.
func (s *Store) closeWebhooks(ctx context.Context, h handle, vs []status.Verdict) error {
	if len(vs) == 0 {
		return nil
	}
	text, err := verdicts.encode(vs)
	if err != nil {
		return fmt.Errorf("close webhooks: %w", err)
	}
	f := s.dialect.field
	_, err = exec(ctx, h, fmt.Sprintf(`
		UPDATE webhooks SET state = v.state, verdict = v.verdict, events = v.events, outcomes = v.outcomes
		FROM (SELECT %s AS id, %s AS state, %s AS verdict, %s AS events, %s AS outcomes FROM %s) AS v
		WHERE webhooks.id = v.id`,
		f("id"), f("state"), f("verdict"), f("events"), f("outcomes"), s.dialect.recordset(verdicts.shape())), text)
	if err != nil {
		return fmt.Errorf("close webhooks: %w", err)
	}
	return nil
}

// packed is a body as the database holds it; reading unpacks it.
type packed []byte

// Scan implements sql.Scanner.
func (p *packed) Scan(src any) error {
	b, ok := src.([]byte)
	if !ok {
		return fmt.Errorf("a body is kept as bytes, not as %T", src)
	}
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("unpack a body: %w", err)
	}
	*p, err = io.ReadAll(r)
	return err
}

// packers are reused, because a fresh one costs most of a megabyte.
var packers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
	return w
}}

func pack(body []byte) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(len(body)/8 + 512) // most come to less
	w := packers.Get().(*gzip.Writer)
	defer packers.Put(w)
	w.Reset(&b)
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Webhook reads one delivery.
func (s *Store) Webhook(ctx context.Context, id string) (status.Webhook, error) {
	return webhooks.one(ctx, s.read, status.ErrNotFound, "WHERE id = ?", id)
}
