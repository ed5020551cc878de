package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"

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
	begin := sync.OnceFunc(func() { beginFile(path) })
	if s.write, err = sqlitePool(path, "_txlock=immediate", begin); err != nil {
		return err
	}
	if s.read, err = sqlitePool(path, "_pragma=query_only(1)", begin); err != nil {
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

// beginFile makes the file, if it is not there, for its owner alone: it will hold hashes
// of passwords and the webhook secret. SQLite would let everybody read it, and takes
// the mode of this file for those beside it. One that is there must not be opened
// here: to close it would end the locks of this process (fcntl(2)).
func beginFile(path string) {
	if f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err == nil {
		_ = f.Close()
	} // SQLite says what is wrong
}

// founding is a connector that begins the file before anybody connects.
type founding struct {
	driver.Connector
	begin func()
}

func (f founding) Connect(ctx context.Context) (driver.Conn, error) {
	f.begin()
	return f.Connector.Connect(ctx)
}

func sqlitePool(path, more string, begin func()) (*sqlx.DB, error) {
	c, err := sqlite.NewConnector(sqliteDSN(path, more))
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	return sqlx.NewDb(sql.OpenDB(preparing{founding{c, begin}}), "sqlite"), nil
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
