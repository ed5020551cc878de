package scenario

import (
	"testing"

	"github.com/statusbridge/statusbridge/internal/store/pgtest"
)

// onBothDatabases runs a scenario on SQLite and on PostgreSQL.
func onBothDatabases(t *testing.T, scenario func(t *testing.T, dsn string)) {
	t.Helper()
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		scenario(t, "")
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		scenario(t, pgtest.Start(t).NewDatabase(t))
	})
}
