package store

import (
	"context"

	"github.com/statusbridge/statusbridge/internal/status"
)

var components = table[status.Component]{
	name: "components", key: []string{"id"}, revised: true,
	columns: func(c *status.Component) []column {
		return []column{
			{"id", &c.ID},
			{"version", &c.Version},
			{"group_id", &c.GroupID},
			{"slug", &c.Slug},
			{"name", &c.Name},
			{"description", &c.Description},
			{"position", &c.Position},
			{"status", &c.Status},
			{"hidden", &c.Hidden},
			{"start_date", at(&c.StartDate)},
			{"created_at", at(&c.CreatedAt)},
			{"updated_at", at(&c.UpdatedAt)},
			{"archived", &c.Archived},
		}
	},
}

var groups = table[status.Group]{
	name: "component_groups", key: []string{"id"}, revised: true,
	columns: func(g *status.Group) []column {
		return []column{
			{"id", &g.ID},
			{"version", &g.Version},
			{"name", &g.Name},
			{"description", &g.Description},
			{"position", &g.Position},
			{"created_at", at(&g.CreatedAt)},
			{"updated_at", at(&g.UpdatedAt)},
			{"archived", &g.Archived},
		}
	},
}

// Components lists what admins work with, hidden components included and
// archived ones not, in the order of the page.
func (s *Store) Components(ctx context.Context) ([]status.Component, []status.Group, error) {
	var cs []status.Component
	var gs []status.Group
	err := s.look(ctx, func(h handle) (err error) {
		cs, gs, err = pageOrder(ctx, h)
		return err
	})
	return cs, gs, err
}

// pageOrder reads the components and groups that are not archived, in the
// order of the page.
func pageOrder(ctx context.Context, h handle) ([]status.Component, []status.Group, error) {
	gs, err := groups.list(ctx, h, "WHERE NOT archived ORDER BY id")
	if err != nil {
		return nil, nil, err
	}
	cs, err := components.list(ctx, h, "WHERE NOT archived ORDER BY id")
	if err != nil {
		return nil, nil, err
	}
	status.Order(cs, gs)
	return cs, gs, nil
}
