package store

import (
	"cmp"
	"context"
	"slices"

	"github.com/statusbridge/statusbridge/internal/status"
)

var components = table[status.Component]{
	name: "components", key: []string{"id"}, revised: true,
	columns: func(c *status.Component) []column {
		return []column{
			{"id", &c.ID}, {"version", &c.Version}, {"group_id", &c.GroupID}, {"slug", &c.Slug},
			{"name", &c.Name}, {"description", &c.Description}, {"position", &c.Position},
			{"status", &c.Status}, {"hidden", &c.Hidden}, {"start_date", at(&c.StartDate)},
			{"created_at", at(&c.CreatedAt)}, {"updated_at", at(&c.UpdatedAt)}, {"archived", &c.Archived},
		}
	},
}

var groups = table[status.Group]{
	name: "component_groups", key: []string{"id"}, revised: true,
	columns: func(g *status.Group) []column {
		return []column{
			{"id", &g.ID}, {"version", &g.Version}, {"name", &g.Name}, {"description", &g.Description},
			{"position", &g.Position}, {"created_at", at(&g.CreatedAt)}, {"updated_at", at(&g.UpdatedAt)},
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

// pageOrder reads the components and groups that are not archived. A component
// without a group takes its place among the groups.
func pageOrder(ctx context.Context, h handle) ([]status.Component, []status.Group, error) {
	gs, err := groups.list(ctx, h, "WHERE NOT archived")
	if err != nil {
		return nil, nil, err
	}
	cs, err := components.list(ctx, h, "WHERE NOT archived")
	if err != nil {
		return nil, nil, err
	}
	byID := map[string]status.Group{}
	for _, g := range gs {
		byID[g.ID] = g
	}
	slices.SortFunc(gs, func(a, b status.Group) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	place := func(c status.Component) (int, string, string) {
		if g, ok := byID[c.GroupID]; ok {
			return g.Position, g.Name, g.ID
		}
		return c.Position, c.Name, ""
	}
	slices.SortFunc(cs, func(a, b status.Component) int {
		ap, an, ag := place(a)
		bp, bn, bg := place(b)
		return cmp.Or(cmp.Compare(ap, bp), cmp.Compare(an, bn), cmp.Compare(ag, bg),
			cmp.Compare(a.Position, b.Position), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return cs, gs, nil
}
