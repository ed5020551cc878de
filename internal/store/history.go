package store

import (
	"context"
	"fmt"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// historyPage is how many webhooks are held in memory at a time.
const historyPage = 500

// heads are webhooks without their bodies.
var heads = table[status.Webhook]{
	name: "webhooks", key: []string{"id"},
	columns: func(w *status.Webhook) []column {
		var out []column
		for _, c := range webhooks.columns(w) {
			if c.name != "body" {
				out = append(out, c)
			}
		}
		return out
	},
}

// EachWebhook visits the webhooks received from a moment on and before another,
// the oldest first; heads alone come without their bodies and are cheap. It
// stops at the first error of visit. While it runs others may write.
func (s *Store) EachWebhook(ctx context.Context, from, to time.Time, headsOnly bool, visit func(status.Webhook) error) error {
	t := webhooks
	if headsOnly {
		t = heads
	}
	after, id := stamp(from), ""
	for {
		page, err := t.list(ctx, s.read, `WHERE (received_at > ? OR received_at = ? AND id > ?) AND received_at >= ? AND received_at < ?
			ORDER BY received_at, id LIMIT ?`, after, after, id, after, stamp(to), historyPage)
		if err != nil {
			return err
		}
		for _, w := range page {
			if err := visit(w); err != nil {
				return err
			}
		}
		if len(page) < historyPage {
			return nil
		}
		last := page[len(page)-1]
		after, id = stamp(last.ReceivedAt), last.ID
	}
}

// CountWebhooks is how many webhooks EachWebhook would visit.
func (s *Store) CountWebhooks(ctx context.Context, from, to time.Time) (int, error) {
	n, err := scalar[int64](ctx, s.read, "SELECT COUNT(*) FROM webhooks WHERE received_at >= ? AND received_at < ?", stamp(from), stamp(to))
	return int(n), err
}

// IssuesBetween lists the issues that alerts opened and that were open at any
// moment from from on and before to, the oldest first; those that were
// dismissed count as open until then.
func (s *Store) IssuesBetween(ctx context.Context, from, to time.Time) ([]status.Issue, error) {
	return issues.list(ctx, s.read, `WHERE origin = 'alert' AND created_at < ?
		AND (resolved_at IS NULL AND stage <> 'dismissed' OR resolved_at >= ? OR stage = 'dismissed' AND updated_at >= ?)
		ORDER BY created_at, id`, stamp(to), stamp(from), stamp(from))
}

// LastWebhook is when the last webhook of a source was received; zero if none
// is kept.
func (s *Store) LastWebhook(ctx context.Context, source string) (time.Time, error) {
	// By the index on time, the newest first: of a source that is alive, few rows
	// are looked at. An index by source would cost each webhook, to spare a person
	// who looks at a silent one a moment.
	return earliest(ctx, s.read, "SELECT MAX(received_at) FROM (SELECT received_at FROM webhooks WHERE source = ? ORDER BY received_at DESC LIMIT 1) AS newest", source)
}

// TurningWebhooks lists the webhooks received from a moment on and before
// another in which an alert of the tracks fired, cleared or was closed, the
// newest first. Those that repeat what is known are left out.
func (s *Store) TurningWebhooks(ctx context.Context, keys []status.TrackKey, from, to time.Time, limit int) ([]status.Webhook, error) {
	var tracks, dids []string
	for _, k := range keys {
		tracks = append(tracks, k.String())
	}
	for _, d := range status.Turning() {
		dids = append(dids, string(d))
	}
	d := s.dialect
	turning := fmt.Sprintf("%s IN %s AND EXISTS (SELECT 1 FROM %s AS t WHERE t.value IN %s)",
		d.member("o.value", "did"), d.elements("?"), d.elements("COALESCE("+d.member("o.value", "tracks")+", '[]')"), d.elements("?"))
	tail, args := limited(fmt.Sprintf(`WHERE received_at >= ? AND received_at < ? AND outcomes IS NOT NULL
		AND EXISTS (SELECT 1 FROM %s AS o WHERE %s) ORDER BY received_at DESC, id DESC`, d.elements("outcomes"), turning),
		[]any{stamp(from), stamp(to), list(dids), list(tracks)}, limit)
	return webhooks.list(ctx, s.read, tail, args...)
}
