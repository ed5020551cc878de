package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/jmoiron/sqlx"
	"github.com/statusbridge/statusbridge/internal/status"
)

// Store is the database. Its methods may be called from any goroutine.
type Store struct {
	dialect dialect
	path    string // of SQLite's file
	// write is for what must be answered soon, read for everything that only
	// looks, and long for the few statements that may take their time. On
	// SQLite write and long are the same single connection.
	write, read, long *sqlx.DB

	applies  queue[*decision]
	webhooks queue[status.Webhook]
	marks    queue[*mark]
	kept     *keptBoard                     // owned by whoever carries a batch of applies
	health   map[string]status.ChannelState // last saved; owned by whoever carries a batch of marks

	marking struct { // how marks are saved on PostgreSQL; of the same owner
		statement *sqlx.Stmt
		uses      int
	}

	chartsKept chartsKept
	published  published // of the last view
	around     around    // of the same

	wakes  wakes
	closer []func() error // after the pools, in this order
	once   sync.Once
}

// Open prepares the database that dsn names: "sqlite:PATH",
// "sqlite::memory:" (a temporary file, gone after Close) or "postgres://…",
// where several hosts may be given. It does not connect: a database that is
// down shows in the first call that needs it.
func Open(_ context.Context, dsn string) (*Store, error) {
	s := &Store{health: map[string]status.ChannelState{}}
	s.applies = queue[*decision]{carry: s.carryDecisions, most: 512}
	s.webhooks = queue[status.Webhook]{carry: s.carryWebhooks, most: 512}
	s.marks = queue[*mark]{carry: s.carryMarks, most: 512, yields: 3}
	var err error
	switch scheme, rest, _ := strings.Cut(dsn, ":"); scheme {
	case "sqlite":
		err = s.openSQLite(rest)
	case "postgres", "postgresql":
		err = s.openPostgres(dsn)
	default:
		err = fmt.Errorf("database: %q is neither sqlite:PATH nor postgres://USER@HOST/NAME", scheme)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// ErrNoDatabase: there is no file of SQLite where one is looked for.
var ErrNoDatabase = errors.New("there is no database")

// OpenExisting is Open for who only looks: SQLite would leave an empty file behind
// where none is, so that is ErrNoDatabase.
func OpenExisting(ctx context.Context, dsn string) (*Store, error) {
	if dsn == sqliteMemory {
		return nil, fmt.Errorf("%w behind %s but for the program that opened it", ErrNoDatabase, dsn)
	}
	s, err := Open(ctx, dsn)
	if err != nil || s.path == "" {
		return s, err
	}
	if _, err := os.Stat(s.path); errors.Is(err, fs.ErrNotExist) {
		where := s.path
		if whole, err := filepath.Abs(where); err == nil {
			where = whole
		}
		return nil, errors.Join(fmt.Errorf("%w at %s", ErrNoDatabase, where), s.Close())
	}
	return s, nil
}

// Close waits for the transactions under way and lets go of the database.
func (s *Store) Close() error {
	var errs []error
	s.once.Do(func() {
		s.applies.close()
		s.webhooks.close()
		s.marks.close()
		for _, c := range s.closer {
			errs = append(errs, c())
		}
	})
	return errors.Join(errs...)
}

// Ping asks the database for an answer.
func (s *Store) Ping(ctx context.Context) error {
	if _, err := scalar[int64](ctx, s.read, s.dialect.ping); err != nil {
		return fmt.Errorf("the database does not answer: %w", err)
	}
	return nil
}

// Dialect is "sqlite" or "postgres".
func (s *Store) Dialect() string { return s.dialect.name }

// Carried counts what callers have waited for since the start: changes of the
// board, webhooks, marks.
func (s *Store) Carried() uint64 {
	return s.applies.carried.Load() + s.webhooks.carried.Load() + s.marks.carried.Load()
}

// beginner is a pool, or a connection of one.
type beginner interface {
	BeginTxx(ctx context.Context, opts *sql.TxOptions) (*sqlx.Tx, error)
}

// inTx runs fn in a transaction.
func inTx(ctx context.Context, db beginner, fn func(tx *sqlx.Tx) error) error {
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback()
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// look runs reads against one unchanging state of the database.
func (s *Store) look(ctx context.Context, fn func(h handle) error) error {
	tx, err := s.read.BeginTxx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback()
	return fn(tx)
}
