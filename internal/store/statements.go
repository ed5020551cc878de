package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"maps"
)

// preparing is a connector whose connections keep their statements prepared:
// SQLite takes longer to read the text of most of ours than to run them, and
// the texts are few and always the same.
type preparing struct{ driver.Connector }

// mostPrepared bounds the statements that a connection keeps. Texts beyond it
// are made up as they go, and not worth keeping.
const mostPrepared = 128

func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &preparedConn{connection: c.(connection), ready: map[string]*preparedStmt{}}, nil
}

// connection is what the SQLite driver's connections can do.
type connection interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// preparedConn runs a text by the statement that it prepared for it. One
// goroutine uses it at a time, says database/sql.
type preparedConn struct {
	connection
	ready map[string]*preparedStmt
}

// preparedStmt is busy while rows of it are read: the same text then needs
// another statement.
type preparedStmt struct {
	statement
	busy bool
}

type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// statementFor returns the statement of a text, and how to give it back.
func (c *preparedConn) statementFor(ctx context.Context, text string) (st *preparedStmt, done func() error, err error) {
	st, known := c.ready[text]
	if !known || st.busy {
		fresh, err := c.PrepareContext(ctx, text)
		if err != nil {
			return nil, nil, err
		}
		st = &preparedStmt{statement: fresh.(statement)}
		if known || len(c.ready) >= mostPrepared {
			return st, st.Close, nil
		}
		c.ready[text] = st
	}
	st.busy = true
	return st, func() error { st.busy = false; return nil }, nil
}

func (c *preparedConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	st, done, err := c.statementFor(ctx, text)
	if err != nil {
		return nil, err
	}
	res, err := st.ExecContext(ctx, args)
	return res, errors.Join(err, done())
}

func (c *preparedConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	st, done, err := c.statementFor(ctx, text)
	if err != nil {
		return nil, err
	}
	rows, err := st.QueryContext(ctx, args)
	if err != nil {
		return nil, errors.Join(err, done())
	}
	return &preparedRows{rows, done}, nil
}

// Close gives the prepared statements back before the connection.
func (c *preparedConn) Close() error {
	var errs []error
	for st := range maps.Values(c.ready) {
		errs = append(errs, st.Close())
	}
	clear(c.ready)
	return errors.Join(append(errs, c.connection.Close())...)
}

// preparedRows give their statement back when they are closed.
type preparedRows struct {
	driver.Rows
	done func() error
}

func (r *preparedRows) Close() error { return errors.Join(r.Rows.Close(), r.done()) }
