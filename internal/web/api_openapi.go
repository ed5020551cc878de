package web

import (
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

type object = map[string]any

// enums are the string types that hold one of a few words.
var enums = map[reflect.Type][]string{
	reflect.TypeFor[status.IssueState]():       wordsOf(status.IssueStates),
	reflect.TypeFor[status.Impact]():           wordsOf(status.Impacts),
	reflect.TypeFor[status.Stage]():            {string(status.Draft), string(status.Published), string(status.Dismissed), string(status.Internal)},
	reflect.TypeFor[status.Origin]():           {string(status.FromAlert), string(status.Manual)},
	reflect.TypeFor[status.Field]():            wordsOf(status.Fields),
	reflect.TypeFor[status.ComponentStatus]():  wordsOf(status.ComponentStatuses),
	reflect.TypeFor[status.MaintenanceState](): wordsOf(status.MaintenanceStates),
	reflect.TypeFor[status.Scope]():            {string(status.ScopeAll), string(status.ScopeMilestones)},
	reflect.TypeFor[status.DeliveryState]():    {string(status.Queued), string(status.Sent), string(status.Failed), string(status.Bounced)},
}

func wordsOf[T ~string](list []T) []string {
	words := make([]string, len(list))
	for n, w := range list {
		words[n] = string(w)
	}
	return words
}

// openAPI is the document about all endpoints, in OpenAPI 3.1: its schemas are
// JSON Schema 2020-12.
var openAPI = sync.OnceValues(func() ([]byte, error) {
	schemas, paths := object{}, object{}
	problemRef := schemaOf(reflect.TypeFor[problem](), schemas, true)
	for _, e := range endpoints {
		path, ok := paths[e.path].(object)
		if !ok {
			path = object{}
			if strings.Contains(e.path, "{id}") {
				path["parameters"] = []object{{"name": "id", "in": "path", "required": true, "schema": object{"type": "string"}}}
			}
			paths[e.path] = path
		}
		path[strings.ToLower(e.method)] = e.operation(schemas, problemRef)
	}
	return json.Marshal(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "statusbridge", "version": "1",
			"description": "Issues, maintenance, components, subscribers, deliveries, alerts and rules, for machines. Errors are RFC 9457 problem documents. See docs/rest.md.",
		},
		"servers":    []object{{"url": apiRoot}},
		"paths":      paths,
		"components": object{"schemas": schemas, "securitySchemes": object{"token": object{"type": "http", "scheme": "bearer"}}},
	}, json.Deterministic(true), jsontext.WithIndent("  "))
})

// operation is an endpoint in OpenAPI.
func (e endpoint) operation(schemas object, problemRef object) object {
	failure := object{"description": "A problem document", "content": object{"application/problem+json": object{"schema": problemRef}}}
	answer := object{"description": http.StatusText(e.code)}
	if e.gives != nil {
		answer["content"] = object{fiber.MIMEApplicationJSON: object{"schema": schemaOf(reflect.TypeOf(e.gives), schemas, true)}}
	}
	responses := object{itoa(e.code): answer, "default": failure}
	parameters := []object{}
	in := func(where, name, says string, required bool, schema object) {
		parameters = append(parameters, object{"name": name, "in": where, "description": says, "required": required, "schema": schema})
	}
	for _, p := range e.query {
		schema := object{"type": "string"}
		if p.oneOf != nil {
			schema["enum"] = p.oneOf
		}
		in("query", p.name, p.says, false, schema)
	}
	if e.paged {
		in("query", "limit", "how many on a page", false, object{"type": "integer", "minimum": 1, "maximum": pageMost, "default": pageDefault})
		in("query", "cursor", "from next of the page before", false, object{"type": "string"})
	}
	if e.versioned {
		in("header", fiber.HeaderIfMatch, "the ETag of what was seen, or * for whatever it is now", true, object{"type": "string"})
	}
	if e.method == fiber.MethodPost {
		in("header", idempotencyKey, "asked again with the same key within 24 hours, the first answer is given again", false, object{"type": "string", "maxLength": longestKey})
	}
	op := object{
		"operationId": e.operationID(), "summary": e.says, "parameters": parameters, "responses": responses,
		// OpenAPI 3.1 lets any scheme name roles.
		"security": []object{{"token": []string{string(e.scope)}}},
		"tags":     []string{strings.Split(e.path, "/")[1]},
	}
	if e.takes != nil {
		required := len(membersNeeded(reflect.TypeOf(e.takes))) > 0 || e.method == fiber.MethodPatch
		op["requestBody"] = object{"required": required, "content": object{fiber.MIMEApplicationJSON: object{"schema": schemaOf(reflect.TypeOf(e.takes), schemas, false)}}}
	}
	return op
}

// operationID is a name for generators: get-issues-id-alerts.
func (e endpoint) operationID() string {
	return strings.ToLower(e.method) + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(e.path)
}

var notName = regexp.MustCompile(`[^A-Za-z0-9]+`)

// schemaName is what a type is called in the document.
func schemaName(t reflect.Type) string {
	name := t.Name()
	if inner, ok := strings.CutPrefix(name, "list["); ok {
		inner = strings.TrimSuffix(inner[strings.LastIndex(inner, ".")+1:], "]")
		return "list_" + inner
	}
	return notName.ReplaceAllString(name, "_")
}

// schemaOf describes a type, and puts structs among the schemas. What we give
// has all members; of what we take, those that may be left out are not required.
func schemaOf(t reflect.Type, schemas object, gives bool) object {
	switch {
	case t == timeType:
		return object{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[jsontext.Value]():
		return object{}
	case enums[t] != nil:
		return object{"type": "string", "enum": enums[t]}
	}
	switch t.Kind() {
	case reflect.Pointer:
		inner := schemaOf(t.Elem(), schemas, gives)
		if gives {
			return object{"anyOf": []object{inner, {"type": "null"}}}
		}
		return inner
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Slice:
		return object{"type": "array", "items": schemaOf(t.Elem(), schemas, gives)}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": schemaOf(t.Elem(), schemas, gives)}
	case reflect.Struct:
		if t.Name() == "" {
			return object{"type": "object", "additionalProperties": false}
		}
		name := schemaName(t)
		if _, known := schemas[name]; !known {
			schemas[name] = nil // a type may hold itself
			schemas[name] = structSchema(t, schemas, gives)
		}
		return object{"$ref": "#/components/schemas/" + name}
	}
	return object{"type": "integer"}
}

func structSchema(t reflect.Type, schemas object, gives bool) object {
	properties := object{}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		properties[name] = schemaOf(f.Type, schemas, gives)
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if needed := membersNeeded(t); len(needed) > 0 {
		s["required"] = needed
	}
	return s
}

// membersNeeded lists the members that are never left out.
func membersNeeded(t reflect.Type) []string {
	var names []string
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !slices.Contains(strings.Split(options, ","), "omitzero") {
			names = append(names, name)
		}
	}
	return names
}

// sendOpenAPI is for everybody: it describes the program, not this page.
func (s *Server) sendOpenAPI(c *fiber.Ctx) error {
	doc, err := openAPI()
	if err != nil {
		return err
	}
	s.protectAPI(c)
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	c.Set(fiber.HeaderCacheControl, "public, max-age="+itoa(int(time.Hour/time.Second)))
	return c.Send(doc)
}
