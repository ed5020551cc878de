package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/statusbridge/statusbridge/internal/store"
)

type migrateCmd struct {
	Up     migrateUp     `cmd:"" help:"Apply what is missing."`
	Status migrateStatus `cmd:"" help:"List the steps and when each was applied."`
}

type (
	migrateUp     struct{}
	migrateStatus struct{}
)

func (migrateUp) Run(c *cli) error {
	return c.withStoreFor(quick, store.Open, func(ctx context.Context, s *store.Store) error {
		n, err := s.Migrate(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%d steps applied, the schema is up to date\n", n)
		return nil
	})
}

func (migrateStatus) Run(c *cli) error {
	return c.withStore(func(ctx context.Context, s *store.Store) error {
		list, err := s.MigrationStatus(ctx)
		if err != nil {
			return err
		}
		for _, m := range list {
			applied := "pending"
			if !m.Applied.IsZero() {
				applied = m.Applied.UTC().Format(time.RFC3339)
			}
			fmt.Fprintf(c.out, "%5d  %-20s  %s\n", m.Version, applied, m.Name)
		}
		return nil
	})
}

// quick bounds what a person waits for.
const quick = time.Minute

// withStore opens the configured database, which is there already, for a command
// that is quick.
func (c *cli) withStore(do func(context.Context, *store.Store) error) error {
	return c.withStoreFor(quick, existing, do)
}

// opener is store.Open, which makes a database where none is, or one that does not.
type opener func(ctx context.Context, dsn string) (*store.Store, error)

// existing opens a database for a command that has nothing to do without one.
func existing(ctx context.Context, dsn string) (*store.Store, error) {
	s, err := store.OpenExisting(ctx, dsn)
	if errors.Is(err, store.ErrNoDatabase) {
		err = fmt.Errorf("%w; run this in the folder where statusbridge runs, or name its database with --database sqlite:PATH", err)
	}
	return s, err
}

// withStoreFor opens the configured database for so long at most.
func (c *cli) withStoreFor(limit time.Duration, open opener, do func(context.Context, *store.Store) error) error {
	cfg, err := c.config(nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	s, err := open(ctx, cfg.Database)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Ping(ctx); err != nil {
		return fmt.Errorf("%w; is it running, and is `database` right?", err)
	}
	err = do(ctx, s)
	if err != nil && untouched(ctx, s) {
		return fmt.Errorf("nothing has been kept in this database yet: start statusbridge once, or name another folder's with --database sqlite:PATH (%w)", err)
	}
	return err
}

// untouched reports whether no daemon has ever run on a database.
func untouched(ctx context.Context, s *store.Store) bool {
	steps, err := s.MigrationStatus(ctx)
	return err == nil && len(store.Pending(steps)) == len(steps)
}
