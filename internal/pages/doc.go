// Package pages makes everything the public gets: the status page, issues,
// maintenance, history, feeds, the Statuspage API and the banner.
//
// All of it is rendered ahead into finished bytes and held in one immutable
// site behind one atomic pointer, so a visitor costs a map lookup and a copy,
// and sees a page even while the database is down. The press turns a
// status.View and a moment into documents and decides nothing; the Publisher
// keeps the site current, keeps the last good view on disk, and says so on the
// page when it cannot.
package pages

import (
	"context"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Source is where the public facts come from.
type Source interface {
	View(ctx context.Context, since time.Time) (status.View, error)
	PublicIssue(ctx context.Context, id string) (status.Issue, error)
	PublicMaintenance(ctx context.Context, id string) (status.Maintenance, error)
	Month(ctx context.Context, w status.Window) ([]status.Issue, []status.Maintenance, error)
	During(ctx context.Context, w status.Window) (status.View, error)
	// Revision is that of a view read now.
	Revision(ctx context.Context) (int64, error)
}

// Clock tells the time and waits.
type Clock interface {
	Now() time.Time
	// Wait returns nil when d has passed or wake fired, the context's error
	// when it is done.
	Wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error
}
