package store

import (
	"context"

	"github.com/statusbridge/statusbridge/internal/status"
)

type setting struct{ name, value string }

var settings = table[setting]{
	name: "settings", key: []string{"name"},
	columns: func(s *setting) []column { return []column{{"name", &s.name}, {"value", &s.value}} },
}

// Setting reads a value that was set.
func (s *Store) Setting(ctx context.Context, name string) (string, error) {
	v, err := settings.one(ctx, s.read, status.ErrNotFound, "WHERE name = ?", name)
	return v.value, err
}

// SetSetting sets a value.
func (s *Store) SetSetting(ctx context.Context, name, value string) error {
	return write(ctx, s.write, s.dialect, settings, 0, []setting{{name, value}})
}

// SetSettingIfAbsent sets a value unless there is one, and returns what is
// kept: replicas that start together agree on it.
func (s *Store) SetSettingIfAbsent(ctx context.Context, name, value string) (string, error) {
	if _, err := settings.insert(ctx, s.write, s.dialect, keep, 0, []setting{{name, value}}); err != nil {
		return "", err
	}
	v, err := settings.one(ctx, s.write, status.ErrNotFound, "WHERE name = ?", name)
	return v.value, err
}
