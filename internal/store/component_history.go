package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/statusbridge/statusbridge/internal/status"
)

// ComponentHistory lists the published issues and the maintenances of a window
// that changed a component, with all that only people of the admin may know.
func (s *Store) ComponentHistory(ctx context.Context, component string, w status.Window) ([]status.Issue, []status.Maintenance, error) {
	var is []status.Issue
	var ms []status.Maintenance
	err := s.look(ctx, func(h handle) (err error) {
		from, to := stamp(w.From), stamp(w.To)
		is, err = issues.list(ctx, h, `WHERE stage = 'published' AND started_at < ? AND (resolved_at IS NULL OR updated_at >= ?)
			ORDER BY started_at DESC, id DESC`, to, from)
		if err != nil {
			return err
		}
		ms, err = maintenances.list(ctx, h, `WHERE started_at < ? AND (ended_at IS NULL OR ended_at >= ?)
			ORDER BY started_at DESC, id DESC`, to, from)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read the history of a component: %w", err)
	}
	is = slices.DeleteFunc(is, func(i status.Issue) bool { return !touches(i.Updates, component) })
	ms = slices.DeleteFunc(ms, func(m status.Maintenance) bool { return !touches(m.Updates, component) })
	return is, ms, nil
}

func touches(updates []status.Update, component string) bool {
	return slices.ContainsFunc(updates, func(u status.Update) bool {
		return slices.ContainsFunc(u.Changes, func(c status.Change) bool { return c.ComponentID == component })
	})
}
