package web

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// fieldProblem points at what is wrong in a request: in its body (a JSON
// Pointer, RFC 6901) or in its query.
type fieldProblem struct {
	Pointer   string `json:"pointer,omitzero"`
	Parameter string `json:"parameter,omitzero"`
	Detail    string `json:"detail"`
}

// apiBodyLimit is what a body of the API may hold: a long update, or a webhook
// to try rules on.
const apiBodyLimit = 512 << 10

// mediaTypes are those that a body may have. A PATCH is a merge patch (RFC
// 7396) of members that cannot be removed, which reads like any JSON.
var mediaTypes = []string{fiber.MIMEApplicationJSON, "application/merge-patch+json"}

// takeBody reads a body strictly: what is not understood is refused, for a
// misspelt key would do something else than was meant.
func takeBody[T any](c *call) (T, error) {
	var into T
	body := c.BodyRaw()
	kind, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	charset := params["charset"]
	if err != nil || !slices.Contains(mediaTypes, kind) || charset != "" && !strings.EqualFold(charset, "utf-8") ||
		kind != fiber.MIMEApplicationJSON && c.Method() != fiber.MethodPatch {
		c.Set(fiber.HeaderAccept, fiber.MIMEApplicationJSON)
		return into, refusal{code: http.StatusUnsupportedMediaType, text: "Send the body as Content-Type: application/json."}
	}
	if len(body) > apiBodyLimit {
		return into, refusal{code: http.StatusRequestEntityTooLarge, text: "The body is larger than " + itoa(apiBodyLimit>>10) + " KiB."}
	}
	if err := json.Unmarshal(body, &into, json.RejectUnknownMembers(true)); err != nil {
		return into, unreadable(err)
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(body, &members); err != nil {
		return into, refusal{code: http.StatusUnprocessableEntity, text: "The body is not an object.", fields: []fieldProblem{{Detail: "must be an object"}}}
	}
	for name, value := range members {
		if value.Kind() == 'n' {
			return into, badMember("/"+string(jsontext.Pointer("").AppendToken(name))[1:], "must not be null; leave it out instead")
		}
	}
	return into, nil
}

// maybeBody is takeBody for endpoints that need no body.
func maybeBody[T any](c *call) (T, error) {
	if len(c.BodyRaw()) == 0 {
		var none T
		return none, nil
	}
	return takeBody[T](c)
}

func badMember(pointer, detail string) refusal {
	return refusal{
		code: http.StatusUnprocessableEntity, text: strings.TrimPrefix(pointer, "/") + " " + detail + ".",
		fields: []fieldProblem{{Pointer: pointer, Detail: detail}},
	}
}

// unreadable says where a body is not what it should be: 400 for what is no
// JSON, 422 for JSON that does not fit.
func unreadable(err error) error {
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.Is(err, json.ErrUnknownName) && errors.As(err, &semantic):
		return badMember(string(semantic.JSONPointer), "is not known here")
	case errors.As(err, &syntax):
		detail := "is not valid JSON at byte " + fmt.Sprint(syntax.ByteOffset)
		if errors.Is(err, jsontext.ErrDuplicateName) {
			detail = "is there twice"
		}
		r := badMember(string(syntax.JSONPointer), detail)
		r.code = http.StatusBadRequest
		if syntax.JSONPointer == "" {
			r.text = "The body " + detail + "."
		}
		return r
	case errors.As(err, &semantic):
		return badMember(string(semantic.JSONPointer), "is not "+article(semantic.GoType))
	}
	return refusal{code: http.StatusBadRequest, text: "The body cannot be read."}
}

func article(t reflect.Type) string {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == nil:
		return "what fits here"
	case t == timeType:
		return "a moment such as 2026-11-22T03:30:00Z"
	case t.Kind() == reflect.String:
		return "a string"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.Struct, t.Kind() == reflect.Map:
		return "an object"
	}
	return "a number"
}

// memberOf are the fields of the core whose members have other names.
var memberOf = map[string]string{"group": "group_id", "start": "start_date"}

// invalidRefusal points at the member that the core did not like, if the body
// can have it.
func invalidRefusal(e status.Invalid, takes any) refusal {
	r := refusal{code: http.StatusUnprocessableEntity, text: e.Error()}
	name := e.Field
	if other, ok := memberOf[name]; ok {
		name = other
	}
	if takes != nil && slices.Contains(membersOf(reflect.TypeOf(takes)), name) {
		r.fields = []fieldProblem{{Pointer: "/" + name, Detail: e.Message}}
	}
	return r
}

// membersOf lists the JSON names of a struct.
func membersOf(t reflect.Type) []string {
	var names []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
