package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jmoiron/sqlx"
)

// CountStatements replaces the writing connection by one that counts what is
// sent to the database, BEGIN and COMMIT left out.
func (s *Store) CountStatements() *atomic.Int64 {
	n := &atomic.Int64{}
	s.watchStatements(func(string) { n.Add(1) })
	return n
}

// RecordStatements is CountStatements that keeps their texts.
func (s *Store) RecordStatements() (taken func() []string) {
	var mu sync.Mutex
	var texts []string
	s.watchStatements(func(query string) {
		mu.Lock()
		defer mu.Unlock()
		texts = append(texts, query)
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		out := texts
		texts = nil
		return out
	}
}

func (s *Store) watchStatements(see func(query string)) {
	inner := s.write
	db := sql.OpenDB(watchingConnector{inner.DB, see})
	db.SetMaxOpenConns(1)
	s.closer = append([]func() error{db.Close}, s.closer...)
	s.write = sqlx.NewDb(db, inner.DriverName())
}

// Plan is how SQLite would carry out a statement, a step a line.
func (s *Store) Plan(ctx context.Context, query string) ([]string, error) {
	rows, err := s.read.QueryxContext(ctx, "EXPLAIN QUERY PLAN "+query, make([]any, strings.Count(query, "?"))...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			return nil, err
		}
		plan = append(plan, detail)
	}
	return plan, rows.Err()
}

type watchingConnector struct {
	db  *sql.DB
	see func(query string)
}

func (c watchingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &watchingConn{conn: conn, see: c.see}, nil
}

func (c watchingConnector) Driver() driver.Driver { return c.db.Driver() }

type watchingConn struct {
	conn *sql.Conn
	see  func(query string)
}

func (c *watchingConn) Close() error                              { return c.conn.Close() }
func (c *watchingConn) Begin() (driver.Tx, error)                 { panic("not used") }
func (c *watchingConn) Prepare(query string) (driver.Stmt, error) { panic("not used") }

func (c *watchingConn) BeginTx(ctx context.Context, opts driver.TxOptions) (tx driver.Tx, err error) {
	err = c.conn.Raw(func(raw any) error {
		tx, err = raw.(driver.ConnBeginTx).BeginTx(ctx, opts)
		return err
	})
	return tx, err
}

func (c *watchingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (res driver.Result, err error) {
	c.see(query)
	err = c.conn.Raw(func(raw any) error {
		res, err = raw.(driver.ExecerContext).ExecContext(ctx, query, args)
		return err
	})
	return res, err
}

func (c *watchingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (rows driver.Rows, err error) {
	c.see(query)
	err = c.conn.Raw(func(raw any) error {
		rows, err = raw.(driver.QueryerContext).QueryContext(ctx, query, args)
		return err
	})
	return rows, err
}

// Columns are the columns that the code reads and writes, by table.
func Columns() map[string][]string {
	return map[string][]string{
		components.name: names(components.shape()), groups.name: names(groups.shape()),
		issues.name: names(issues.shape()), maintenances.name: names(maintenances.shape()), series.name: names(series.shape()),
		signals.name: names(signals.shape()), tracks.name: names(tracks.shape()),
		timers.name: names(timers.shape()), entries.name: names(entries.shape()),
		sources.name: names(sources.shape()), rulesVersions.name: names(rulesVersions.shape()),
		webhooks.name: names(webhooks.shape()), announcements.name: names(announcements.shape()),
		dispatches.name: names(dispatches.shape()), channels.name: names(channels.shape()),
		deliveries.name: names(deliveries.shape()), subscribers.name: names(subscribers.shape()),
		accounts.name: names(accounts.shape()), sessions.name: names(sessions.shape()),
		settings.name: names(settings.shape()), corrections.name: names(corrections.shape()),
		samples.name: names(samples.shape()), tokens.name: names(tokens.shape()),
		promises.name: names(promises.shape()), templates.name: names(templates.shape()),
		challenges.name:     names(challenges.shape()),
		authenticators.name: names(authenticators.shape()),
		recoveryCodes.name:  names(recoveryCodes.shape()),
		identities.name:     names(identities.shape()),
		passkeys.name:       names(passkeys.shape()),

		"posts": {"channel", "month", "posts"},
	}
}

// Announced is how many announcements there are.
func (s *Store) Announced(ctx context.Context) int {
	n, err := scalar[int64](ctx, s.read, "SELECT COUNT(*) FROM announcements")
	if err != nil {
		panic(err)
	}
	return int(n)
}

// SplitHosts is splitHosts.
var SplitHosts = splitHosts

// Waiting is how many callers of Apply stand in line.
func (s *Store) Waiting() int {
	s.applies.mu.Lock()
	defer s.applies.mu.Unlock()
	return len(s.applies.waiting)
}

// HoldWebhooks makes callers of SaveWebhook wait in line, until release has
// seen n of them.
func (s *Store) HoldWebhooks() (release func(n int)) {
	q := &s.webhooks
	q.mu.Lock()
	q.busy = true // somebody leads, or so it seems
	q.mu.Unlock()
	return func(n int) {
		for waiting := 0; waiting < n; {
			q.mu.Lock()
			waiting = len(q.waiting)
			q.mu.Unlock()
			runtime.Gosched()
		}
		q.leaders.Go(q.lead)
	}
}

// Heard takes in a notification of another replica.
func (s *Store) Heard(revision int64) { s.wakes.heard(revision) }

// Synchronous is how far SQLite's writer waits for the disk.
func (s *Store) Synchronous(ctx context.Context) (int, error) {
	return scalar[int](ctx, s.write, "PRAGMA synchronous")
}

// Writer is the pool that writes.
func Writer(s *Store) *sqlx.DB { return s.write }

// MigrateStepByStep is how a database of an earlier release gets its schema.
func (s *Store) MigrateStepByStep(ctx context.Context) error {
	p, err := s.provider()
	if err == nil {
		_, err = p.Up(ctx)
	}
	return err
}

// MigrateTo is MigrateStepByStep up to a version.
func (s *Store) MigrateTo(ctx context.Context, version int64) error {
	p, err := s.provider()
	if err == nil {
		_, err = p.UpTo(ctx, version)
	}
	return err
}

// Found is found.
func (s *Store) Found(ctx context.Context, baseline string) (steps int, err error) {
	return s.found(ctx, baseline)
}

// ForgetStep makes the schema look as if a step had not been taken.
func (s *Store) ForgetStep(ctx context.Context, version int64) error {
	_, err := exec(ctx, s.write, "DELETE FROM goose_db_version WHERE version_id = ?", version)
	return err
}

// Texts is the first column of what a query yields.
func (s *Store) Texts(ctx context.Context, query string) (texts []string, err error) {
	err = sqlx.SelectContext(ctx, s.read, &texts, query)
	return texts, err
}

// LoseStatements makes PostgreSQL forget what was prepared, as a pooler seems to.
func (s *Store) LoseStatements(t *testing.T) {
	s.write.SetMaxOpenConns(1)
	if _, err := s.write.Exec("DEALLOCATE ALL"); err != nil {
		t.Fatal(err)
	}
}
