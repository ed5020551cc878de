package store

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migration is one step of the schema.
type Migration struct {
	Version int64
	Name    string
	Applied time.Time // zero: pending
}

// Migrate brings the schema up to date and reports how many steps it took. On
// PostgreSQL only one replica does so at a time; the others wait a minute for
// it.
func (s *Store) Migrate(ctx context.Context) (applied int, err error) {
	p, err := s.provider()
	if err != nil {
		return 0, err
	}
	done, err := p.Up(ctx)
	if err != nil {
		if partial, ok := errors.AsType[*goose.PartialError](err); ok {
			return len(partial.Applied), fmt.Errorf("migrate: %w", err)
		}
		return 0, fmt.Errorf("migrate: %w", err)
	}
	// Ids are minted from the seed. It is drawn once in the life of a database.
	_, err = exec(ctx, s.write, "UPDATE board SET seed = ? WHERE seed = ''", rand.Text()+rand.Text())
	if err != nil {
		return len(done), fmt.Errorf("migrate: draw the seed: %w", err)
	}
	return len(done), nil
}

// MigrationStatus lists all steps of the schema, oldest first.
func (s *Store) MigrationStatus(ctx context.Context) ([]Migration, error) {
	p, err := s.provider()
	if err != nil {
		return nil, err
	}
	steps, err := p.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("migration status: %w", err)
	}
	out := make([]Migration, len(steps))
	for i, step := range steps {
		name := strings.TrimSuffix(path.Base(step.Source.Path), ".sql")
		out[i] = Migration{Version: step.Source.Version, Name: name}
		if step.State == goose.StateApplied {
			out[i].Applied = step.AppliedAt
		}
	}
	return out, nil
}

// provider runs the files of this dialect: NAME.sql is for both, NAME-sqlite.sql
// and NAME-postgres.sql for one.
func (s *Store) provider() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	other, dialect := "*-postgres.sql", goose.DialectSQLite3
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger())}
	if s.dialect.name == postgresDialect.name {
		other, dialect = "*-sqlite.sql", goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60), lock.WithUnlockTimeout(1, 5))
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	exclude, err := fs.Glob(files, other)
	if err != nil {
		return nil, err
	}
	options = append(options, goose.WithExcludeNames(exclude))
	return goose.NewProvider(dialect, s.long.DB, files, options...)
}
