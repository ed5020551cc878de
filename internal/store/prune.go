package store

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// pruneChunk bounds the rows of one DELETE, so that nobody waits long for the
// writer.
const pruneChunk = 2000

// onBoard is how long a board may hold an alert that is over. What is on a board
// must be in the database too.
const onBoard = recent + keepFor

// prune is a deletion. Each parameter of where is the moment.
type prune struct {
	table, key, where string
	grace             time.Duration // by which it must be older than the moment
}

// prunes are the deletions. What the public saw, the audit log and subscribers
// are never deleted.
func (d dialect) prunes() []prune {
	const trackKey = "rule || '\x1f' || group_key" // as status.TrackKey.String spells it
	return []prune{
		{table: "webhooks", key: "id", where: "state <> 'pending' AND received_at < ?"},
		{table: "deliveries", key: "id", where: "state <> 'queued' AND created_at < ?"},
		{table: "sessions", key: "id_hash", where: "expires_at < ?"},
		{table: "challenges", key: "id_hash", where: "expires_at < ?"},
		{table: "login_failures", key: "name", where: "last_at < ?"},
		{table: "rules_versions", key: "hash", where: `seen_at < ? AND hash NOT IN (
			SELECT rules_hash FROM issues WHERE state <> 'resolved' AND stage <> 'dismissed')`},
		{table: "tracks", key: "rule, group_key", grace: onBoard, where: `firing = 0 AND issue_id = '' AND attached_to = '' AND NOT settled
			AND COALESCE(since, 0) < ? AND COALESCE(quiet_since, 0) < ? AND COALESCE(last_ended_at, 0) < ?
			AND ` + trackKey + ` NOT IN (SELECT subject FROM timers)`},
		// The alerts of an open issue stay, however long ago they ended.
		{table: "signals", key: "source, fingerprint", grace: onBoard, where: `NOT firing AND seen_at < ? AND NOT EXISTS (
			SELECT 1 FROM ` + d.elements("COALESCE(signals.tracks, '[]')") + ` AS t
			WHERE t.value IN (SELECT ` + trackKey + ` FROM tracks WHERE issue_id <> ''))`},
	}
}

// Prune deletes what is older than before and of no more use: webhooks that
// were understood, alerts and groups that are over, deliveries that ended,
// sessions and failures of the past. It returns how many rows went.
func (s *Store) Prune(ctx context.Context, before time.Time) (int, error) {
	total := 0
	for _, p := range s.dialect.prunes() {
		query := fmt.Sprintf("DELETE FROM %s WHERE (%s) IN (SELECT %s FROM %s WHERE %s LIMIT %d)",
			p.table, p.key, p.key, p.table, p.where, pruneChunk)
		var moment []any
		for range strings.Count(p.where, "?") {
			moment = append(moment, stamp(before.Add(-p.grace)))
		}
		for {
			res, err := s.write.ExecContext(ctx, s.write.Rebind(query), moment...)
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
