package store

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// around is what stands around the issues of the last view. An alert changes
// issues; to find that nothing else did is quicker than to read a hundred
// components. What it hands out is shared: nobody may change it.
type around struct {
	mu       sync.Mutex
	seed     string // of the board: another one is another database
	revision int64
	since    time.Time
	hidden   map[string]bool // components

	components   []status.Component // in the order of the page
	groups       []status.Group
	maintenances []status.Maintenance
	corrections  []status.Correction
	repeating    []status.MaintenanceSeries
}

// No row of these is ever deleted, and each says at which revision it was saved.
const changedAround = `SELECT COUNT(*) FROM (
	SELECT id FROM components WHERE revision > ?
	UNION ALL SELECT id FROM component_groups WHERE revision > ?
	UNION ALL SELECT id FROM maintenances WHERE revision > ?
	UNION ALL SELECT id FROM maintenance_series WHERE revision > ?
	UNION ALL SELECT id FROM corrections WHERE revision > ?) AS changed`

// read puts what stands around the issues at the head onto a view, and returns the
// components that are hidden.
func (a *around) read(ctx context.Context, h handle, head boardHead, since time.Time, v *status.View) (hidden map[string]bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	same, err := a.stands(ctx, h, head, since)
	if err == nil && !same {
		err = a.renew(ctx, h, head, since)
	}
	v.Components, v.Groups, v.Maintenances, v.Corrections, v.Repeating = a.components, a.groups, a.maintenances, a.corrections, a.repeating
	return a.hidden, err
}

// stands reports whether what is remembered is what the head has.
func (a *around) stands(ctx context.Context, h handle, head boardHead, since time.Time) (bool, error) {
	if a.seed != head.Seed || !a.since.Equal(since) || a.revision > head.Revision {
		return false, nil
	}
	if a.revision < head.Revision {
		changed, err := scalar[int64](ctx, h, changedAround, a.revision, a.revision, a.revision, a.revision, a.revision)
		if err != nil || changed > 0 {
			return false, err
		}
	}
	a.revision = head.Revision
	return true, nil
}

func (a *around) renew(ctx context.Context, h handle, head boardHead, since time.Time) (err error) {
	a.seed = "" // nothing is remembered unless all could be read
	if a.hidden, err = hiddenComponents(ctx, h); err != nil {
		return err
	}
	if a.components, a.groups, err = pageOrder(ctx, h); err != nil {
		return err
	}
	a.components = slices.DeleteFunc(a.components, func(c status.Component) bool { return c.Hidden })
	a.maintenances, err = maintenances.list(ctx, h, `
		WHERE state NOT IN ('completed', 'cancelled') OR ended_at >= ? OR scheduled_until >= ?
			OR id IN (SELECT id FROM (SELECT id FROM maintenances ORDER BY scheduled_for DESC, id DESC LIMIT ?) AS newest)
		ORDER BY scheduled_for DESC, id DESC`, stamp(since), stamp(since), newestKept)
	if err != nil {
		return err
	}
	for n := range a.maintenances {
		discreetWork(&a.maintenances[n], a.hidden)
	}
	if a.repeating, err = repeating(ctx, h); err != nil {
		return err
	}
	if a.corrections, err = publicCorrections(ctx, h, "to_at >= ?", stamp(since)); err != nil {
		return err
	}
	a.seed, a.revision, a.since = head.Seed, head.Revision, since
	return nil
}
