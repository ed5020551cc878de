package store

import (
	"context"
	"fmt"
	"time"
)

// pruneChunk bounds the rows of one DELETE, so that nobody waits long for the
// writer.
const pruneChunk = 2000

// prunes are the deletions, each with the moment as its only parameter. What
// the public saw, the audit log and subscribers are never deleted.
var prunes = []struct{ table, key, where string }{
	{"webhooks", "id", "state <> 'pending' AND received_at < ?"},
	{"deliveries", "id", "state <> 'queued' AND created_at < ?"},
	{"sessions", "id_hash", "expires_at < ?"},
	{"login_failures", "name", "last_at < ?"},
	{"rules_versions", "hash", `seen_at < ? AND hash NOT IN (
		SELECT rules_hash FROM issues WHERE state <> 'resolved' AND stage <> 'dismissed')`},
}

// Prune deletes what is older than before and of no more use: webhooks that
// were understood, deliveries that ended, sessions and failures of the past. It
// returns how many rows went.
func (s *Store) Prune(ctx context.Context, before time.Time) (int, error) {
	total := 0
	for _, p := range prunes {
		query := fmt.Sprintf("DELETE FROM %s WHERE %s IN (SELECT %s FROM %s WHERE %s LIMIT %d)",
			p.table, p.key, p.key, p.table, p.where, pruneChunk)
		for {
			res, err := s.write.ExecContext(ctx, s.write.Rebind(query), stamp(before))
			if err != nil {
				return total, fmt.Errorf("prune %s: %w", p.table, err)
			}
			n, err := res.RowsAffected()
			if err != nil {
				return total, fmt.Errorf("prune %s: %w", p.table, err)
			}
			total += int(n)
			if n < pruneChunk {
				break
			}
		}
	}
	return total, nil
}
