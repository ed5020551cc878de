package store

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/statusbridge/statusbridge/internal/status"
)

var templates = table[status.Template]{
	name: "templates", key: []string{"id"},
	columns: func(t *status.Template) []column {
		return []column{
			{"id", &t.ID},
			{"name", &t.Name},
			{"title", &t.Title},
			{"state", &t.State},
			{"body", &t.Body},
			{"position", &t.Position},
			{"version", &t.Version},
			{"created_at", at(&t.CreatedAt)},
			{"updated_at", at(&t.UpdatedAt)},
			{"maintenance", &t.Maintenance},
		}
	},
}

// Templates lists the templates in the order of their buttons.
func (s *Store) Templates(ctx context.Context) ([]status.Template, error) {
	return templates.list(ctx, s.read, "ORDER BY position, name, id")
}

// Template finds a template by its id.
func (s *Store) Template(ctx context.Context, id string) (status.Template, error) {
	return templates.one(ctx, s.read, status.ErrNotFound, "WHERE id = ?", id)
}

// SaveTemplate keeps a template as a new version: a new one when its version is
// 0, else the next of the version that was seen. Another one that is saved by
// now is ErrConflict.
func (s *Store) SaveTemplate(ctx context.Context, t status.Template) (status.Template, error) {
	err := inTx(ctx, s.write, func(tx *sqlx.Tx) error {
		if err := s.seenTemplate(ctx, tx, t.ID, t.Version); err != nil {
			return err
		}
		t.Version++
		templates.trim(&t)
		return write(ctx, tx, s.dialect, templates, 0, []status.Template{t})
	})
	return t, err
}

// DeleteTemplate removes a template that is as it was seen; version 0 is any.
func (s *Store) DeleteTemplate(ctx context.Context, id string, version int64) error {
	return inTx(ctx, s.write, func(tx *sqlx.Tx) error {
		now, err := templates.one(ctx, tx, status.ErrNotFound, "WHERE id = ?"+s.dialect.forUpdate, id)
		if err != nil {
			return err
		}
		if version != 0 && version != now.Version {
			return status.ErrConflict
		}
		return found(exec(ctx, tx, "DELETE FROM templates WHERE id = ?", id))
	})
}

// seenTemplate locks a template and fails when it is not as it was seen.
func (s *Store) seenTemplate(ctx context.Context, h handle, id string, version int64) error {
	list, err := templates.list(ctx, h, "WHERE id = ?"+s.dialect.forUpdate, id)
	switch {
	case err != nil:
		return err
	case len(list) == 0 && version != 0:
		return status.ErrNotFound
	case len(list) > 0 && list[0].Version != version:
		return status.ErrConflict
	}
	return nil
}
