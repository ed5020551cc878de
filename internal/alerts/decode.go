package alerts

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/statusbridge/statusbridge/internal/status"
)

// The kinds of senders.
const (
	KindAlertmanager = "alertmanager"
	KindNewRelic     = "newrelic"
)

// Reading is what a delivery says.
type Reading struct {
	Facts     []status.Fact
	Events    int    // alerts or issues the body speaks of, with or without facts
	Test      bool   // the sender only tried the connection; there are no facts
	Truncated int    // alerts the sender left out of the body
	Note      string // what a person should know about how it was read
}

// Decode reads a delivery. An error makes it a dead letter; its text is meant
// for the person who looks at it.
func Decode(kind, source string, body []byte, receivedAt time.Time, delivery string) (Reading, error) {
	return envelope{source: source, receivedAt: receivedAt, delivery: delivery}.read(kind, body)
}

func (e envelope) read(kind string, body []byte) (Reading, error) {
	switch kind {
	case KindAlertmanager:
		return e.alertmanager(body)
	case KindNewRelic:
		return e.newRelic(body)
	}
	return Reading{}, fmt.Errorf("unknown kind of sender %q", kind)
}

// Recognize reads a body that somebody kept, or a recording that holds one
// under the key body, as whichever of the kinds it can be from. source "" is
// named after the kind.
func Recognize(body []byte, source string, receivedAt time.Time, delivery string, kinds ...string) (string, Reading, error) {
	var recording struct {
		Body jsontext.Value `json:"body"`
	}
	if json.Unmarshal(body, &recording) == nil && len(recording.Body) > 0 {
		body = recording.Body
	}
	var why []string
	for _, kind := range kinds {
		r, err := Decode(kind, cmp.Or(source, kind), body, receivedAt, delivery)
		if err == nil {
			return kind, r, nil
		}
		why = append(why, kind+": "+err.Error())
	}
	return "", Reading{}, fmt.Errorf("no webhook body that is known: %s", strings.Join(why, "; "))
}

// envelope is what we know of a delivery without reading it.
type envelope struct {
	source     string
	receivedAt time.Time
	delivery   string
	known      *knownAlerts
}

// fact starts a fact with what the envelope knows.
func (e envelope) fact() status.Fact {
	return status.Fact{Source: e.source, ReceivedAt: e.receivedAt, Delivery: e.delivery}
}

// times sets the start and end of the fact. Zero times are the only ones that
// are replaced, by the time of receipt: judging clocks is the core's business.
func (e envelope) times(f *status.Fact, start, end time.Time) {
	f.StartsAt = start.UTC()
	if !f.Firing {
		f.EndsAt = end.UTC()
		if end.IsZero() {
			f.EndsAt = e.receivedAt
		}
	}
	if !start.IsZero() {
		return
	}
	f.StartsAt = e.receivedAt
	if !f.EndsAt.IsZero() && f.EndsAt.Before(f.StartsAt) {
		f.StartsAt = f.EndsAt
	}
}

// extra holds the members of an object that we do not know.
type extra map[string]jsontext.Value

// unmarshal reads JSON strictly: a key twice is an error. Unknown keys are
// fine.
func unmarshal(body []byte, into any) error { return unmarshalAt("", body, into) }

// unmarshalAt reads a value that stands at a place of a larger text, which
// errors name.
func unmarshalAt(place string, body []byte, into any) error {
	err := json.Unmarshal(body, into)
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("not valid JSON at byte %d: %w", syntax.ByteOffset, syntax.Err)
	case errors.As(err, &semantic):
		return fmt.Errorf("not the expected shape at %q: a %s is no %s", place+string(semantic.JSONPointer),
			kindName(semantic.JSONKind), typeName(semantic.GoType))
	}
	return err
}

func kindName(k jsontext.Kind) string {
	names := map[jsontext.Kind]string{
		'n': "null", 't': "boolean", 'f': "boolean", '"': "string", '0': "number", '{': "object", '[': "list",
	}
	if n, ok := names[k]; ok {
		return n
	}
	return "value"
}

func typeName(t reflect.Type) string {
	if t == nil {
		return "value that fits"
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "RFC 3339 time"
	case t.Kind() == reflect.String:
		return "string"
	case t.Kind() == reflect.Slice:
		return "list"
	case t.Kind() == reflect.Map, t.Kind() == reflect.Struct:
		return "object"
	}
	return "value that fits"
}

// keysOf lists the JSON keys that a struct knows.
func keysOf[T any]() []string {
	var keys []string
	for f := range reflect.TypeFor[T]().Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			keys = append(keys, name)
		}
	}
	return keys
}

// refuseLookalikes refuses unknown keys that differ from known ones in case
// only: two readers of such a body could understand two different things.
func refuseLookalikes(unknown extra, known []string, where string) error {
	for name := range unknown {
		for _, k := range known {
			if strings.EqualFold(name, k) {
				return fmt.Errorf("%sthe key %q differs from %q in case only", where, name, k)
			}
		}
	}
	return nil
}

// texts reads a string, number, boolean or a list of them as strings. Empty
// ones and repetitions are left out.
func texts(v jsontext.Value) []string {
	switch v.Kind() {
	case '"':
		var s string
		if json.Unmarshal(v, &s) != nil {
			return nil
		}
		if s = strings.TrimSpace(s); s != "" {
			return []string{s}
		}
	case '0', 't', 'f':
		return []string{strings.TrimSpace(string(v))}
	case '[':
		var list []jsontext.Value
		if json.Unmarshal(v, &list) != nil {
			return nil
		}
		var all []string
		seen := map[string]bool{}
		for _, one := range list {
			if one.Kind() == '[' {
				continue
			}
			for _, s := range texts(one) {
				if !seen[s] {
					seen[s] = true
					all = append(all, s)
				}
			}
		}
		return all
	}
	return nil
}

// text is the first of texts, "" if there is none.
func text(v jsontext.Value) string {
	if all := texts(v); len(all) > 0 {
		return all[0]
	}
	return ""
}

// lastMilli bounds times to four-digit years, which every format can write.
var lastMilli = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC).UnixMilli()

// millis reads unix milliseconds, as a number or a string of digits; zero if
// it is anything else.
func millis(v jsontext.Value) time.Time {
	s := text(v)
	ms, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(s, 64) // 1.76e12
		if err != nil || f < 0 || f > float64(lastMilli) {
			return time.Time{}
		}
		ms = int64(f)
	}
	if ms <= 0 || ms > lastMilli {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// webURL returns s if it is an absolute http or https URL, else "".
func webURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https"}, u.Scheme) {
		return ""
	}
	return s
}

// notes joins remarks into one text.
func notes(all []string) string { return strings.Join(all, "; ") }
