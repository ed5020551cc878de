package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/jmoiron/sqlx"
)

// column ties a column to the field that it keeps: a pointer to a string,
// number or bool, a *stamp, or a document.
type column struct {
	name  string
	field any
}

func (c column) sqlType() string {
	switch c.field.(type) {
	case *stamp:
		return "bigint"
	case document:
		return "text"
	}
	switch reflect.TypeOf(c.field).Elem().Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "boolean"
	case reflect.Float64:
		return "double precision"
	}
	return "bigint"
}

// encode writes the field as a JSON value.
func (c column) encode(enc *jsontext.Encoder) error {
	switch f := c.field.(type) {
	case *stamp:
		v, _ := f.Value()
		if v == nil {
			return enc.WriteToken(jsontext.Null)
		}
		return enc.WriteToken(jsontext.Int(v.(int64)))
	case document:
		if f.isNil() {
			return enc.WriteToken(jsontext.Null)
		}
		return json.MarshalEncode(enc, f.into, jsonOptions)
	}
	v := reflect.ValueOf(c.field).Elem()
	switch v.Kind() {
	case reflect.String:
		return enc.WriteToken(jsontext.String(v.String()))
	case reflect.Bool:
		return enc.WriteToken(jsontext.Bool(v.Bool()))
	case reflect.Float64:
		return enc.WriteToken(jsontext.Float(v.Float()))
	}
	return enc.WriteToken(jsontext.Int(v.Int()))
}

// table describes how an entity is kept. Everything that reads or writes it
// follows this one list of columns.
type table[T any] struct {
	name    string
	key     []string
	columns func(*T) []column
	// revised tables carry the revision of the board that saved a row last, so
	// that a replica loads only what others changed.
	revised bool
}

// handle is a pool or a transaction.
type handle interface {
	sqlx.QueryerContext
	sqlx.ExecerContext
	Rebind(query string) string
}

func (t table[T]) shape() []column { return t.columns(new(T)) }

func names(columns []column) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = c.name
	}
	return out
}

func fields(columns []column) []any {
	out := make([]any, len(columns))
	for i, c := range columns {
		out[i] = c.field
	}
	return out
}

// list reads the rows that the tail of the query (WHERE, ORDER BY, ...) picks.
func (t table[T]) list(ctx context.Context, h handle, tail string, args ...any) ([]T, error) {
	return t.read(ctx, h, "SELECT "+strings.Join(names(t.shape()), ", ")+" FROM "+t.name+" "+tail, args...)
}

// read runs a query that yields the columns of the table.
func (t table[T]) read(ctx context.Context, h handle, query string, args ...any) ([]T, error) {
	rows, err := h.QueryxContext(ctx, h.Rebind(query), args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t.name, err)
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		var v T
		if err := rows.Scan(fields(t.columns(&v))...); err != nil {
			return nil, fmt.Errorf("read %s: %w", t.name, err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", t.name, err)
	}
	return out, nil
}

// one reads the single row that the tail picks.
func (t table[T]) one(ctx context.Context, h handle, missing error, tail string, args ...any) (T, error) {
	rows, err := t.list(ctx, h, tail, args...)
	if err != nil || len(rows) == 0 {
		var none T
		if err == nil {
			err = missing
		}
		return none, err
	}
	return rows[0], nil
}

// update saves one row under its key and reports whether there is such a row.
func (t table[T]) update(ctx context.Context, h handle, v *T) (bool, error) {
	var set, where []string
	var values, keys []any
	for _, c := range t.columns(v) {
		if t.isKey(c.name) {
			where, keys = append(where, c.name+" = ?"), append(keys, c.field)
		} else {
			set, values = append(set, c.name+" = ?"), append(values, c.field)
		}
	}
	query := "UPDATE " + t.name + " SET " + strings.Join(set, ", ") + " WHERE " + strings.Join(where, " AND ")
	return exec(ctx, h, query, append(values, keys...)...)
}

func (t table[T]) isKey(name string) bool {
	for _, k := range t.key {
		if k == name {
			return true
		}
	}
	return false
}

// onConflict says what happens to a row that is there already.
type onConflict int

const (
	replace onConflict = iota
	keep
)

// insert saves any number of rows with one statement and one parameter: they
// travel as a JSON array. revision is only used by revised tables.
func (t table[T]) insert(ctx context.Context, h handle, d dialect, there onConflict, revision int64, rows []T) (int, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	text, err := t.encode(rows)
	if err != nil {
		return 0, fmt.Errorf("save %s: %w", t.name, err)
	}
	args := []any{text}
	if t.revised {
		args = []any{revision, text}
	}
	res, err := h.ExecContext(ctx, h.Rebind(t.insertSQL(d, there)), args...)
	if err != nil {
		return 0, fmt.Errorf("save %s: %w", t.name, err)
	}
	n, err := res.RowsAffected()
	return int(n), err
}

func (t table[T]) insertSQL(d dialect, there onConflict) string {
	columns := t.shape()
	into := names(columns)
	from := make([]string, len(columns))
	for i, c := range columns {
		from[i] = d.field(c.name)
	}
	if t.revised {
		into, from = append(into, "revision"), append(from, "CAST(? AS bigint)")
	}
	var b strings.Builder
	// WHERE true keeps SQLite from reading ON CONFLICT as a join condition.
	fmt.Fprintf(&b, "INSERT INTO %s (%s) SELECT %s FROM %s WHERE true ON CONFLICT ",
		t.name, strings.Join(into, ", "), strings.Join(from, ", "), d.recordset(columns))
	if there == keep {
		b.WriteString("DO NOTHING")
		return b.String()
	}
	var set []string
	for _, name := range into {
		if !t.isKey(name) {
			set = append(set, name+" = excluded."+name)
		}
	}
	fmt.Fprintf(&b, "(%s) DO UPDATE SET %s", strings.Join(t.key, ", "), strings.Join(set, ", "))
	return b.String()
}

// encode writes rows as a JSON array of objects.
func (t table[T]) encode(rows []T) (string, error) {
	var b bytes.Buffer
	enc := jsontext.NewEncoder(&b, jsonOptions)
	if err := enc.WriteToken(jsontext.BeginArray); err != nil {
		return "", err
	}
	for i := range rows {
		if err := encodeRow(enc, t.columns(&rows[i])); err != nil {
			return "", err
		}
	}
	if err := enc.WriteToken(jsontext.EndArray); err != nil {
		return "", err
	}
	return string(withoutNUL(b.Bytes())), nil
}

func encodeRow(enc *jsontext.Encoder, columns []column) error {
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, c := range columns {
		if err := enc.WriteToken(jsontext.String(c.name)); err != nil {
			return err
		}
		if err := c.encode(enc); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return enc.WriteToken(jsontext.EndObject)
}

// trim rounds the times of a row to what the database keeps.
func (t table[T]) trim(v *T) {
	for _, c := range t.columns(v) {
		if s, ok := c.field.(*stamp); ok {
			*s = stamp(trim(time.Time(*s)))
		}
	}
}

// exec runs a statement and reports whether it touched a row.
func exec(ctx context.Context, h handle, query string, args ...any) (bool, error) {
	res, err := h.ExecContext(ctx, h.Rebind(query), args...)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// scalar reads one value; NULL or no row leaves its zero.
func scalar[V any](ctx context.Context, h handle, query string, args ...any) (V, error) {
	var v sql.Null[V]
	err := h.QueryRowxContext(ctx, h.Rebind(query), args...).Scan(&v)
	if err == sql.ErrNoRows {
		err = nil
	}
	return v.V, err
}

// returning runs a statement that changes rows and yields them as they are now.
func (t table[T]) returning(ctx context.Context, h handle, query string, args ...any) ([]T, error) {
	return t.read(ctx, h, query+" RETURNING "+strings.Join(names(t.shape()), ", "), args...)
}
