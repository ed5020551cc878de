package store

import (
	"context"
	"time"

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
			{"expected", doc(&m.Expected)},
			{"series_id", &m.SeriesID},
			{"occurrence", at(&m.Occurrence)},
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

var series = table[status.MaintenanceSeries]{
	name: "maintenance_series", key: []string{"id"}, revised: true,
	columns: func(s *status.MaintenanceSeries) []column {
		return []column{
			{"id", &s.ID},
			{"version", &s.Version},
			{"title", &s.Title},
			{"body", &s.Body},
			{"components", doc(&s.Components)},
			{"expected", doc(&s.Expected)},
			{"auto_start", &s.AutoStart},
			{"auto_end", &s.AutoEnd},
			{"silent", &s.Silent},
			{"recurrence", &s.Recurrence.Rule},
			{"time_zone", &s.Recurrence.TimeZone},
			{"begins", at(&s.Begins)},
			{"length", &s.Length},
			{"planned", at(&s.Planned)},
			{"plan_at", at(&s.PlanAt)},
			{"ended_at", at(&s.EndedAt)},
			{"created_at", at(&s.CreatedAt)},
			{"updated_at", at(&s.UpdatedAt)},
			{"created_by", &s.CreatedBy},
		}
	},
}

// SeriesByID reads series; those that are not known are not in the map.
func (s *Store) SeriesByID(ctx context.Context, ids []string) (found map[string]status.MaintenanceSeries, err error) {
	named := where("id IN "+s.dialect.elements("?"), list(ids))
	err = collect(ctx, s.read, series, named, &found, func(v status.MaintenanceSeries) string { return v.ID })
	return found, err
}

// SeriesGoing lists the series of which more occurrences will be planned, the
// one that is due soonest first.
func (s *Store) SeriesGoing(ctx context.Context) ([]status.MaintenanceSeries, error) {
	return seriesGoing(ctx, s.read)
}

func seriesGoing(ctx context.Context, h handle) ([]status.MaintenanceSeries, error) {
	return series.list(ctx, h, "WHERE plan_at IS NOT NULL ORDER BY plan_at, id")
}

// repeating lists the series that are going as the public may know them: their next
// occurrences are announced by themselves.
func repeating(ctx context.Context, h handle) ([]status.MaintenanceSeries, error) {
	list, err := seriesGoing(ctx, h)
	for n, s := range list {
		list[n] = status.MaintenanceSeries{ID: s.ID, Version: s.Version, Recurrence: s.Recurrence, Begins: s.Begins, Planned: s.Planned, PlanAt: s.PlanAt}
	}
	return list, err
}

// Again lists when a maintenance takes place again after now, n times at most.
func (s *Store) Again(ctx context.Context, m status.Maintenance, n int, now time.Time) ([]time.Time, error) {
	if m.SeriesID == "" {
		return nil, nil
	}
	plans, err := maintenances.list(ctx, s.read, "WHERE series_id = ? AND state = ?", m.SeriesID, string(status.Scheduled))
	if err != nil {
		return nil, err
	}
	one, err := s.SeriesByID(ctx, []string{m.SeriesID})
	return status.Again(m, plans, one[m.SeriesID].Coming(n), n, now), err
}
