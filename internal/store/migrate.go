package store

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// baselines make what all steps come to, with the record of them: a script for
// each dialect, read off a database that took the steps (make baseline).
//
//go:embed migrations/baseline/*.sql
var baselines embed.FS

// Migration is one step of the schema.
type Migration struct {
	Version int64
	Name    string
	Applied time.Time // zero: pending
}

// Pending lists the steps that were not taken yet.
func Pending(steps []Migration) []Migration {
	return slices.DeleteFunc(slices.Clone(steps), func(m Migration) bool { return !m.Applied.IsZero() })
}

// Migrate brings the schema up to date and reports how many steps it took. On
// PostgreSQL only one replica does so at a time; the others wait a minute for
// it.
func (s *Store) Migrate(ctx context.Context) (applied int, err error) {
	if applied, err = s.step(ctx); err != nil {
		return applied, fmt.Errorf("migrate: %w", err)
	}
	// Ids are minted from the seed. It is drawn once in the life of a database.
	_, err = exec(ctx, s.write, "UPDATE board SET seed = ? WHERE seed = ''", rand.Text()+rand.Text())
	if err != nil {
		return applied, fmt.Errorf("migrate: draw the seed: %w", err)
	}
	return applied, nil
}

// step takes the steps that are missing: mostly none, and in a new database all
// at once.
func (s *Store) step(ctx context.Context) (applied int, err error) {
	all, err := s.known()
	if err != nil {
		return 0, err
	}
	if current, err := s.isCurrent(ctx, all); err != nil || current {
		return 0, err
	}
	script, err := baselines.ReadFile("migrations/baseline/" + s.dialect.name + ".sql")
	if err != nil {
		return 0, err
	}
	founded, err := s.found(ctx, string(script))
	if err != nil || founded == len(all) {
		return founded, err
	}
	p, err := s.provider()
	if err != nil {
		return founded, err
	}
	done, err := p.Up(ctx)
	if partial, ok := errors.AsType[*goose.PartialError](err); ok {
		done = partial.Applied
	}
	return founded + len(done), err
}

// isCurrent reports whether exactly the steps that this program knows were
// taken. A database that cannot say so, perhaps because it is new, is not.
func (s *Store) isCurrent(ctx context.Context, all []Migration) (bool, error) {
	versions, err := database.NewStore(s.gooseDialect(), goose.DefaultTablename)
	if err != nil {
		return false, err
	}
	taken, err := versions.ListMigrations(ctx, s.long.DB)
	if err != nil || len(taken) != len(all)+1 { // and 0, which goose begins with
		return false, nil
	}
	for n, one := range taken[:len(all)] { // the newest first
		if !one.IsApplied || one.Version != all[len(all)-1-n].Version {
			return false, nil
		}
	}
	return true, nil
}

// found runs the baseline in a database that holds nothing yet, and reports how
// many steps it stands for; 0 when the database holds something.
func (s *Store) found(ctx context.Context, baseline string) (steps int, err error) {
	err = inTx(ctx, s.long, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, s.dialect.alone); err != nil {
			return fmt.Errorf("wait for another replica: %w", err)
		}
		if holds, err := scalar[int64](ctx, tx, s.dialect.holds); err != nil || holds > 0 {
			return err
		}
		if _, err := tx.ExecContext(ctx, baseline); err != nil {
			return fmt.Errorf("baseline: %w", err)
		}
		steps, err = scalar[int](ctx, tx, "SELECT COUNT(*) FROM goose_db_version WHERE version_id > 0")
		return err
	})
	return steps, err
}

func (s *Store) gooseDialect() goose.Dialect {
	if s.dialect.name == postgresDialect.name {
		return goose.DialectPostgres
	}
	return goose.DialectSQLite3
}

// known are the steps of this dialect, oldest first, as if all were pending.
func (s *Store) known() (steps []Migration, err error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	for _, file := range files { // sorted
		if strings.HasSuffix(file, s.notOurs()) {
			continue
		}
		version, err := goose.NumericComponent(path.Base(file))
		if err != nil {
			return nil, err
		}
		steps = append(steps, Migration{Version: version, Name: strings.TrimSuffix(path.Base(file), ".sql")})
	}
	return steps, nil
}

// notOurs ends the names of the files that are for the other dialect.
func (s *Store) notOurs() string {
	if s.dialect.name == postgresDialect.name {
		return "-sqlite.sql"
	}
	return "-postgres.sql"
}

// MigrationStatus lists all steps of the schema, oldest first. It only looks.
func (s *Store) MigrationStatus(ctx context.Context) ([]Migration, error) {
	steps, err := s.known()
	if err != nil {
		return nil, err
	}
	versions, err := database.NewStore(s.gooseDialect(), goose.DefaultTablename)
	if err != nil {
		return nil, err
	}
	begun, err := scalar[int](ctx, s.read, s.dialect.holds+s.dialect.named, goose.DefaultTablename)
	if err != nil {
		return nil, fmt.Errorf("migration status: %w", err)
	}
	if begun == 0 {
		return steps, nil
	}
	for n := range steps {
		taken, err := versions.GetMigration(ctx, s.read.DB, steps[n].Version)
		switch {
		case errors.Is(err, database.ErrVersionNotFound):
		case err != nil:
			return nil, fmt.Errorf("migration status: %w", err)
		case taken.IsApplied:
			steps[n].Applied = taken.Timestamp
		}
	}
	return steps, nil
}

// provider runs the files of this dialect: NAME.sql is for both, NAME-sqlite.sql
// and NAME-postgres.sql for one.
func (s *Store) provider() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger())}
	if s.dialect.name == postgresDialect.name {
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60), lock.WithUnlockTimeout(1, 5))
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	exclude, err := fs.Glob(files, "*"+s.notOurs())
	if err != nil {
		return nil, err
	}
	options = append(options, goose.WithExcludeNames(exclude))
	return goose.NewProvider(s.gooseDialect(), s.long.DB, files, options...)
}
