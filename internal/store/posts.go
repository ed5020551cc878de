package store

import (
	"context"
	"fmt"
	"time"
)

// month is how posts are counted: providers bill by the calendar month in UTC.
func month(now time.Time) string { return now.UTC().Format("2006-01") }

// CountPost adds a post to those of the month. Deliveries are deleted after
// the retention; this count stays.
func (s *Store) CountPost(ctx context.Context, channel string, now time.Time) error {
	_, err := exec(ctx, s.write, `INSERT INTO posts (channel, month, posts) VALUES (?, ?, 1)
		ON CONFLICT (channel, month) DO UPDATE SET posts = posts.posts + 1`, channel, month(now))
	if err != nil {
		return fmt.Errorf("count a post: %w", err)
	}
	return nil
}

// Posts is how many posts the channel had in the month of now.
func (s *Store) Posts(ctx context.Context, channel string, now time.Time) (int, error) {
	n, err := scalar[int64](ctx, s.read, "SELECT posts FROM posts WHERE channel = ? AND month = ?", channel, month(now))
	return int(n), err
}
