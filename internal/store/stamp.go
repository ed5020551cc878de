package store

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// stamp keeps a time as integer unix milliseconds in UTC, and the zero time as
// NULL. It is the only place where times meet the database.
type stamp time.Time

// at ties a column to a time.
func at(t *time.Time) *stamp { return (*stamp)(t) }

// trim rounds a time down to what the database keeps, so that a value in memory
// equals the one that a replica loads.
func trim(t time.Time) time.Time { return t.Truncate(time.Millisecond).UTC() }

// Value implements driver.Valuer.
func (s stamp) Value() (driver.Value, error) {
	t := time.Time(s)
	if t.IsZero() {
		return nil, nil
	}
	return t.UnixMilli(), nil
}

// Scan implements sql.Scanner.
func (s *stamp) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*s = stamp{}
	case int64:
		*s = stamp(time.UnixMilli(v).UTC())
	default:
		return fmt.Errorf("a time is kept as integer milliseconds, not as %T", src)
	}
	return nil
}
