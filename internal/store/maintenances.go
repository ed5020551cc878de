package store

import (
	"context"

	"github.com/statusbridge/statusbridge/internal/status"
)

var maintenances = table[status.Maintenance]{
	name: "maintenances", key: []string{"id"}, revised: true,
	columns: func(m *status.Maintenance) []column {
		return []column{
			{"id", &m.ID},
			{"version", &m.Version},
			{"title", &m.Title},
			{"body", &m.Body},
			{"state", &m.State},
			{"components", doc(&m.Components)},
			{"scheduled_for", at(&m.ScheduledFor)},
			{"scheduled_until", at(&m.ScheduledUntil)},
			{"auto_start", &m.AutoStart},
			{"auto_end", &m.AutoEnd},
			{"created_at", at(&m.CreatedAt)},
			{"updated_at", at(&m.UpdatedAt)},
			{"started_at", at(&m.StartedAt)},
			{"ended_at", at(&m.EndedAt)},
			{"created_by", &m.CreatedBy},
			{"updates", doc(&m.Updates)},
		}
	},
}

func trimMaintenance(m *status.Maintenance) {
	maintenances.trim(m)
	m.Updates = trimUpdates(m.Updates)
}

// Maintenance reads one maintenance.
func (s *Store) Maintenance(ctx context.Context, id string) (status.Maintenance, error) {
	return maintenances.one(ctx, s.read, status.ErrNotFound, "WHERE id = ?", id)
}

// Maintenances lists maintenances, the latest ScheduledFor first.
func (s *Store) Maintenances(ctx context.Context, limit int) ([]status.Maintenance, error) {
	tail, args := limited("ORDER BY scheduled_for DESC, id DESC", nil, limit)
	return maintenances.list(ctx, s.read, tail, args...)
}
