package store

import (
	"context"
	"fmt"

	"github.com/statusbridge/statusbridge/internal/status"
)

var corrections = table[status.Correction]{
	name: "corrections", key: []string{"id"}, revised: true,
	columns: func(c *status.Correction) []column {
		return []column{
			{"id", &c.ID},
			{"component_id", &c.ComponentID},
			{"from_at", at(&c.From)},
			{"to_at", at(&c.To)},
			{"status", &c.Status},
			{"reason", &c.Reason},
			{"made_by", &c.By},
			{"created_at", at(&c.CreatedAt)},
			{"withdrawn_at", at(&c.WithdrawnAt)},
		}
	},
}

// Corrections lists a component's corrections of uptime, withdrawn ones too,
// the newest first.
func (s *Store) Corrections(ctx context.Context, component string, limit int) ([]status.Correction, error) {
	tail, args := limited("WHERE component_id = ? ORDER BY created_at DESC, id DESC", []any{component}, limit)
	return corrections.list(ctx, s.read, tail, args...)
}

// During reads what the public may know of a window: the issues and the
// maintenances that touched it, and the corrections of it. Components and
// groups are not in it.
func (s *Store) During(ctx context.Context, w status.Window) (status.View, error) {
	var v status.View
	err := s.look(ctx, func(h handle) (err error) {
		from, to := stamp(w.From), stamp(w.To)
		list, err := publicIssues.list(ctx, h, `WHERE stage = 'published' AND started_at < ? AND (resolved_at IS NULL OR resolved_at > ?)
			ORDER BY started_at DESC, id DESC`, to, from)
		if err != nil {
			return err
		}
		v.Maintenances, err = maintenances.list(ctx, h, `WHERE started_at < ? AND (ended_at IS NULL OR ended_at > ?)
			ORDER BY scheduled_for DESC, id DESC`, to, from)
		if err != nil {
			return err
		}
		if v.Corrections, err = publicCorrections(ctx, h, "from_at < ? AND to_at > ?", to, from); err != nil {
			return err
		}
		v.Issues = status.Shared(list)
		return discreet(ctx, h, list, v.Maintenances)
	})
	if err != nil {
		return status.View{}, fmt.Errorf("read a window of the past: %w", err)
	}
	return v, nil
}

// publicCorrections lists those that hold, of components that the public
// knows, without their authors.
func publicCorrections(ctx context.Context, h handle, which string, args ...any) ([]status.Correction, error) {
	list, err := corrections.list(ctx, h, "WHERE withdrawn_at IS NULL AND "+which+`
		AND component_id IN (SELECT id FROM components WHERE NOT hidden AND NOT archived)
		ORDER BY from_at DESC, id DESC`, args...)
	for n := range list {
		list[n].By = ""
	}
	return list, err
}
