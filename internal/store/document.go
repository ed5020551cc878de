package store

import (
	"bytes"
	"database/sql/driver"
	"fmt"
	"reflect"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/statusbridge/statusbridge/internal/status"
)

// document keeps a map or a list as JSON text; nil is NULL, so that "none
// given" and "none" stay different.
type document struct {
	into any // pointer to the map or slice
}

func doc(into any) document { return document{into} }

// Value implements driver.Valuer.
func (d document) Value() (driver.Value, error) {
	if d.isNil() {
		return nil, nil
	}
	text, err := toJSON(d.into)
	return string(text), err
}

func (d document) isNil() bool { return reflect.ValueOf(d.into).Elem().IsNil() }

// Scan implements sql.Scanner.
func (d document) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(v), d.into, jsonOptions)
	case []byte:
		return json.Unmarshal(v, d.into, jsonOptions)
	}
	return fmt.Errorf("a document is kept as text, not as %T", src)
}

func toJSON(v any) ([]byte, error) {
	text, err := json.Marshal(v, jsonOptions)
	return withoutNUL(text), err
}

// list is a JSON array of strings, the parameter of dialect.elements.
func list[T ~string](values []T) string {
	if values == nil {
		values = []T{}
	}
	text, _ := toJSON(values) // strings always marshal
	return string(text)
}

// update is a status.Update as documents spell it. The conversion between the
// two stops compiling when they drift apart.
type update struct {
	ID        string          `json:"id"`
	SubjectID string          `json:"subject_id"`
	State     string          `json:"state"`
	Body      string          `json:"body"`
	Changes   []status.Change `json:"changes"`
	By        string          `json:"by"`
	CreatedAt time.Time       `json:"created_at"`
	DisplayAt time.Time       `json:"display_at"`
	EditedAt  time.Time       `json:"edited_at"`
	Silent    bool            `json:"silent"`
}

// jsonOptions: times are milliseconds inside documents too; track keys are
// strings, so that SQL can look for one; what is nil stays nil.
var jsonOptions = json.JoinOptions(
	json.WithMarshalers(json.JoinMarshalers(
		json.MarshalToFunc(func(enc *jsontext.Encoder, t time.Time) error {
			if t.IsZero() {
				return enc.WriteToken(jsontext.Null)
			}
			return enc.WriteToken(jsontext.Int(t.UnixMilli()))
		}),
		json.MarshalToFunc(func(enc *jsontext.Encoder, k status.TrackKey) error {
			return enc.WriteToken(jsontext.String(k.String()))
		}),
		json.MarshalToFunc(func(enc *jsontext.Encoder, u status.Update) error {
			return json.MarshalEncode(enc, update(u))
		}),
	)),
	json.WithUnmarshalers(json.JoinUnmarshalers(
		json.UnmarshalFromFunc(func(dec *jsontext.Decoder, t *time.Time) error {
			var ms *int64
			if err := json.UnmarshalDecode(dec, &ms); err != nil || ms == nil {
				return err
			}
			*t = time.UnixMilli(*ms).UTC()
			return nil
		}),
		json.UnmarshalFromFunc(func(dec *jsontext.Decoder, k *status.TrackKey) error {
			var s string
			err := json.UnmarshalDecode(dec, &s)
			*k = status.ParseTrackKey(s)
			return err
		}),
		json.UnmarshalFromFunc(func(dec *jsontext.Decoder, u *status.Update) error {
			var kept update
			err := json.UnmarshalDecode(dec, &kept)
			*u = status.Update(kept)
			return err
		}),
	)),
	json.FormatNilSliceAsNull(true),
	json.FormatNilMapAsNull(true),
	json.Deterministic(true),
	jsontext.AllowInvalidUTF8(true), // hostile labels: bad bytes become U+FFFD
	jsontext.AllowDuplicateNames(true),
)

// withoutNUL replaces escaped NUL characters by U+FFFD, because PostgreSQL
// keeps none in text. Senders of alerts may put anything into a label.
func withoutNUL(text []byte) []byte {
	const nul, instead = `\u0000`, `\ufffd`
	if !bytes.Contains(text, []byte(nul)) {
		return text
	}
	for i := 0; i+len(nul) <= len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		if string(text[i:i+len(nul)]) == nul {
			copy(text[i:], instead)
		}
		i++ // past what the backslash escapes
	}
	return text
}
