package store

import (
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3/lock"
)

// dialect holds what the two databases spell differently.
type dialect struct {
	name string
	// ping touches the database itself, not only the connection.
	ping string
	// alone makes others that lay out or change the schema wait for the end of
	// the transaction; holds counts what a database holds already, and with named,
	// what of that has a name.
	alone, holds, named string
	// recordset is a FROM item named r over a JSON array of objects, given as
	// one parameter; field reads one of its columns.
	recordset func(columns []column) string
	field     func(column string) string
	// elements is a subquery of the strings in a JSON array.
	elements func(array string) string
	// member is the text of a member of a JSON object.
	member func(object, name string) string
	// The row locks that SQLite, which has one writer, needs not.
	forUpdate   string // wait for the row
	skipLocked  string // leave rows that another replica works on
	forKeyShare string // the row must not vanish meanwhile
}

var sqliteDialect = dialect{
	name: "sqlite",
	ping: "SELECT 1 FROM sqlite_schema LIMIT 1",
	// Every transaction of the writer is alone.
	holds: "SELECT COUNT(*) FROM sqlite_schema",
	named: " WHERE name = ?",
	// jsonb_each: json_each would write each row out as text again for every column.
	recordset: func([]column) string { return "jsonb_each(?) AS r" },
	field:     func(name string) string { return "r.value ->> '" + name + "'" },
	elements:  func(array string) string { return "(SELECT value FROM json_each(" + array + "))" },
	member:    func(object, name string) string { return object + " ->> '" + name + "'" },
}

var postgresDialect = dialect{
	name: "postgres",
	ping: "SELECT 1",
	// The lock of goose. Its session lock, which replicas of any release take, and
	// this one of a transaction exclude each other.
	alone: fmt.Sprintf("SET LOCAL lock_timeout = '60s'; SELECT pg_advisory_xact_lock(%d)", lock.DefaultLockID),
	holds: "SELECT COUNT(*) FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())",
	named: " AND relname = ?",
	recordset: func(columns []column) string {
		defs := make([]string, len(columns))
		for i, c := range columns {
			defs[i] = c.name + " " + c.sqlType()
		}
		return "json_to_recordset(CAST(? AS json)) AS r(" + strings.Join(defs, ", ") + ")"
	},
	field: func(name string) string { return "r." + name },
	elements: func(array string) string {
		return "(SELECT value FROM json_array_elements_text(CAST(" + array + " AS json)))"
	},
	member:      func(object, name string) string { return "CAST(" + object + " AS json) ->> '" + name + "'" },
	forUpdate:   " FOR UPDATE",
	skipLocked:  " FOR UPDATE SKIP LOCKED",
	forKeyShare: " FOR KEY SHARE OF s",
}

func init() { sqlx.BindDriver("sqlite", sqlx.QUESTION) }
