package store

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"github.com/jmoiron/sqlx"
	_ "modernc.org/sqlite" // the driver
)

// openSQLite opens a file with one writing connection, because SQLite has one
// writer, and some that only read.
func (s *Store) openSQLite(path string) error {
	if path == "" {
		return fmt.Errorf("database: sqlite: needs a path, as in sqlite:statusbridge.db")
	}
	s.dialect = sqliteDialect
	forget := func() error { return nil }
	if path == ":memory:" {
		dir, err := os.MkdirTemp("", "statusbridge-")
		if err != nil {
			return fmt.Errorf("database: %w", err)
		}
		path, forget = filepath.Join(dir, "memory.db"), func() error { return os.RemoveAll(dir) }
	}
	var err error
	// Immediate: a transaction that reads first and writes later must not find
	// another writer in between.
	if s.write, err = sqlx.Open("sqlite", sqliteDSN(path, "_txlock=immediate")); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if s.read, err = sqlx.Open("sqlite", sqliteDSN(path, "_pragma=query_only(1)")); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	s.long = s.write
	s.write.SetMaxOpenConns(1)
	s.write.SetMaxIdleConns(1)
	s.read.SetMaxOpenConns(max(4, runtime.GOMAXPROCS(0)))
	s.read.SetMaxIdleConns(max(4, runtime.GOMAXPROCS(0)))
	s.closer = append(s.closer, s.read.Close, s.write.Close, forget)
	return nil
}

// sqliteDSN names a file in the form of a URI, whatever its name holds.
// synchronous FULL, because with NORMAL a power cut takes acknowledged
// webhooks along.
func sqliteDSN(path, more string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&" + more
}
