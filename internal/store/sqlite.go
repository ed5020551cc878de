package store

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
)

// sqliteMemory names a database that is gone when it is closed.
const sqliteMemory = "sqlite::memory:"

// openSQLite opens a file with one writing connection, because SQLite has one
// writer, and some that only read.
func (s *Store) openSQLite(path string) error {
	if path == "" {
		return fmt.Errorf("database: sqlite: needs a path, as in sqlite:statusbridge.db")
	}
	s.dialect = sqliteDialect
	forget := func() error { return nil }
	if "sqlite:"+path == sqliteMemory {
		dir, err := os.MkdirTemp("", "statusbridge-")
		if err != nil {
			return fmt.Errorf("database: %w", err)
		}
		path, forget = filepath.Join(dir, "memory.db"), func() error { return os.RemoveAll(dir) }
	}
	if dir, err := os.Stat(filepath.Dir(path)); err != nil || !dir.IsDir() {
		return fmt.Errorf("database sqlite:%s: there is no folder %s; make it, or set `database` to where it may be", path, filepath.Dir(path))
	}
	s.path = path
	var err error
	// Immediate: a transaction that reads first and writes later must not find
	// another writer in between.
	if s.write, err = sqlitePool(path, "_txlock=immediate"); err != nil {
		return err
	}
	if s.read, err = sqlitePool(path, "_pragma=query_only(1)"); err != nil {
		return err
	}
	s.long = s.write
	s.write.SetMaxOpenConns(1)
	s.write.SetMaxIdleConns(1)
	s.read.SetMaxOpenConns(max(4, runtime.GOMAXPROCS(0)))
	s.read.SetMaxIdleConns(max(4, runtime.GOMAXPROCS(0)))
	s.closer = append(s.closer, s.read.Close, s.write.Close, forget)
	return nil
}

func sqlitePool(path, more string) (*sqlx.DB, error) {
	c, err := sqlite.NewConnector(sqliteDSN(path, more))
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	return sqlx.NewDb(sql.OpenDB(preparing{c}), "sqlite"), nil
}

// sqliteDSN names a file in the form of a URI, whatever its name holds.
// synchronous FULL, because with NORMAL a power cut takes acknowledged
// webhooks along.
func sqliteDSN(path, more string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&" + more
}

// sqliteReading names a file that is looked at and left as it is.
func sqliteReading(path string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?mode=ro&_pragma=query_only(1)&_pragma=busy_timeout(5000)"
}
