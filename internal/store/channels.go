package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/statusbridge/statusbridge/internal/status"
)

var channels = table[status.ChannelState]{
	name: "channels", key: []string{"channel"},
	columns: func(c *status.ChannelState) []column {
		return []column{
			{"channel", &c.Channel},
			{"paused", &c.Paused},
			{"paused_by", &c.PausedBy},
			{"sent_at", at(&c.SentAt)},
			{"failed_at", at(&c.FailedAt)},
			{"last_error", &c.LastError},
		}
	},
}

// Channels lists how the channels do that were ever used or paused.
func (s *Store) Channels(ctx context.Context) ([]status.ChannelState, error) {
	return channels.list(ctx, s.read, "ORDER BY channel")
}

// PauseChannel stops or resumes a channel. What is queued stays queued.
func (s *Store) PauseChannel(ctx context.Context, channel string, paused bool, who string) error {
	if !paused {
		who = ""
	}
	_, err := exec(ctx, s.write, `INSERT INTO channels (channel, paused, paused_by, last_error) VALUES (?, ?, ?, '')
		ON CONFLICT (channel) DO UPDATE SET paused = excluded.paused, paused_by = excluded.paused_by`, channel, paused, who)
	if err != nil {
		return fmt.Errorf("pause channel %s: %w", channel, err)
	}
	s.wakes.saved(0)
	return nil
}

// saveHealth notes the last success and the last failure of each channel.
func (s *Store) saveHealth(ctx context.Context, h handle, seen map[string]status.ChannelState) error {
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		c := seen[name]
		if c.SentAt.IsZero() && c.FailedAt.IsZero() || !s.healthNews(name, c) {
			continue
		}
		_, err := exec(ctx, h, `INSERT INTO channels (channel, paused, paused_by, sent_at, failed_at, last_error) VALUES (?, ?, '', ?, ?, ?)
			ON CONFLICT (channel) DO UPDATE SET sent_at = COALESCE(excluded.sent_at, channels.sent_at),
				failed_at = COALESCE(excluded.failed_at, channels.failed_at),
				last_error = CASE WHEN excluded.failed_at IS NULL THEN channels.last_error ELSE excluded.last_error END`,
			name, false, stamp(c.SentAt), stamp(c.FailedAt), c.LastError)
		if err != nil {
			return err
		}
	}
	return nil
}

// healthNews reports whether how a channel does is worth saving: not the
// hundredth success within a second.
func (s *Store) healthNews(channel string, c status.ChannelState) bool {
	last := s.health[channel]
	if c.FailedAt.IsZero() && last.FailedAt.IsZero() && c.SentAt.Sub(last.SentAt).Abs() < time.Second {
		return false
	}
	s.health[channel] = c
	return true
}

// Retry queues deliveries again that were given up: one, when deliveryID is
// given, or all of a dispatch. What bounced is only tried again by name. It
// reports how many.
func (s *Store) Retry(ctx context.Context, now time.Time, dispatchID, deliveryID string) (int, error) {
	where, arg := "state = 'failed' AND (update_id, channel) IN (SELECT update_id, channel FROM dispatches WHERE id = ?)", dispatchID
	if deliveryID != "" {
		where, arg = "state IN ('failed', 'bounced') AND id = ?", deliveryID
	}
	n := 0
	err := inTx(ctx, s.write, func(tx *sqlx.Tx) error {
		_, err := exec(ctx, tx, `UPDATE dispatches SET finished_at = NULL WHERE (update_id, channel) IN (SELECT update_id, channel FROM deliveries WHERE `+where+`)`, arg)
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, tx.Rebind("UPDATE deliveries SET state = 'queued', due_at = ?, attempt = 0 WHERE "+where), stamp(now), arg)
		if err != nil {
			return err
		}
		touched, err := res.RowsAffected()
		n = int(touched)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("retry: %w", err)
	}
	if n > 0 {
		s.wakes.saved(0)
	}
	return n, nil
}
