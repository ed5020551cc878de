package store

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/statusbridge/statusbridge/internal/status"
)

// Takeout gets everything that people may take along when they move out, a
// table after the other. The values of a row are string, int64, float64, bool,
// time.Time (zero: never) or jsontext.Value.
type Takeout interface {
	Table(name string, columns []string) error
	Row(values []any) error
}

// taken is a table as a takeout reads it. What it keeps to itself, or is of no
// use anywhere else, is not among the columns.
type taken struct {
	name    string
	columns []string
	each    func(ctx context.Context, h handle, row func([]any) error) error
}

// takeouts are the tables in the order of a takeout. Tables in which secrets
// stand list what leaves, so that a new column stays here until somebody has
// thought about it. What is in no list stays here.
var takeouts = []taken{
	take(groups), take(components), take(issues), take(maintenances), take(series), take(corrections), take(templates), take(entries),
	take(subscribers, "id", "email", "components", "scope", "language", "time_zone", "confirmed_at", "created_at", "suppressed_at", "suppressed_why", "contact"),
	take(deliveries, "id", "event", "subject_id", "update_id", "channel", "recipient", "subscriber_id", "language", "time_zone", "state",
		"attempt", "created_at", "sent_at", "provider_id"),
	take(accounts, "id", "email", "name", "role", "disabled", "created_at", "last_login_at"),
	take(tokens, "id", "name", "scopes", "created_by", "created_at", "last_used_at", "expires_at", "revoked_at"),
	take(rulesVersions), take(signals), take(webhooks, "id", "kind", "source", "body", "received_at", "state", "verdict", "events", "outcomes"), take(samples),
}

func take[T any](t table[T], only ...string) taken {
	columns := names(t.shape())
	if only != nil {
		columns = slices.DeleteFunc(columns, func(name string) bool { return !slices.Contains(only, name) })
	}
	return taken{name: t.name, columns: columns, each: func(ctx context.Context, h handle, row func([]any) error) error {
		rows, err := h.QueryxContext(ctx, h.Rebind("SELECT "+strings.Join(names(t.shape()), ", ")+" FROM "+t.name+" ORDER BY "+strings.Join(t.key, ", ")))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var v T
			all := t.columns(&v)
			if err := rows.Scan(fields(all)...); err != nil {
				return err
			}
			values := make([]any, 0, len(columns))
			for _, c := range all {
				if !slices.Contains(columns, c.name) {
					continue
				}
				value, err := c.plain()
				if err != nil {
					return fmt.Errorf("%s: %w", c.name, err)
				}
				values = append(values, value)
			}
			if err := row(values); err != nil {
				return err
			}
		}
		return rows.Err()
	}}
}

// plain is the value of a column as others read it.
func (c column) plain() (any, error) {
	switch f := c.field.(type) {
	case *stamp:
		return time.Time(*f), nil
	case *packed:
		return string(*f), nil
	case document:
		text, err := json.Marshal(f.into, plainJSON)
		return jsontext.Value(text), err
	}
	switch v := reflect.ValueOf(c.field).Elem(); v.Kind() {
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.Float64:
		return v.Float(), nil
	default:
		return v.Int(), nil
	}
}

// plainJSON spells times as RFC 3339, which the documents in the database do
// not.
var plainJSON = json.JoinOptions(
	jsonOptions,
	json.WithMarshalers(json.JoinMarshalers(
		json.MarshalToFunc(func(enc *jsontext.Encoder, t time.Time) error {
			if t.IsZero() {
				return enc.WriteToken(jsontext.Null)
			}
			return enc.WriteToken(jsontext.String(t.UTC().Format(time.RFC3339Nano)))
		}),
		json.MarshalToFunc(func(enc *jsontext.Encoder, k status.TrackKey) error {
			return enc.WriteToken(jsontext.String(k.String()))
		}),
		json.MarshalToFunc(func(enc *jsontext.Encoder, u status.Update) error {
			return json.MarshalEncode(enc, update(u))
		}),
	)),
)

// TakeOut hands everything to out, as it was at one moment. progress is told
// how many rows are done.
func (s *Store) TakeOut(ctx context.Context, out Takeout, progress func(done, total int)) error {
	return s.look(ctx, func(h handle) error { return takeOut(ctx, h, out, progress) })
}

func takeOut(ctx context.Context, h handle, out Takeout, progress func(done, total int)) error {
	done, total := 0, 0
	for _, t := range takeouts {
		n, err := scalar[int](ctx, h, "SELECT COUNT(*) FROM "+t.name)
		if err != nil {
			return err
		}
		total += n
	}
	for _, t := range takeouts {
		if err := out.Table(t.name, t.columns); err != nil {
			return err
		}
		err := t.each(ctx, h, func(values []any) error {
			done++
			progress(done, total)
			return out.Row(values)
		})
		if err != nil {
			return fmt.Errorf("take out %s: %w", t.name, err)
		}
	}
	return nil
}
