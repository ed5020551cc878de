package web_test

import (
	"bytes"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/web"
)

// described is the OpenAPI document, able to judge answers.
type described struct {
	t        *testing.T
	doc      map[string]any
	compiler *jsonschema.Compiler
	seen     map[string]bool // operations that were judged
}

func describe(t *testing.T, s *site) *described {
	t.Helper()
	got := s.browser().get("/api/v1/openapi.json")
	got.want(t, http.StatusOK)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(got.body))
	if err != nil {
		t.Fatal(err)
	}
	d := &described{t: t, doc: doc.(map[string]any), compiler: jsonschema.NewCompiler(), seen: map[string]bool{}}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return d
}

// schema compiles the schema at a JSON pointer.
func (d *described) schema(steps ...string) *jsonschema.Schema {
	d.t.Helper()
	for n, step := range steps {
		steps[n] = strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(step)
	}
	s, err := d.compiler.Compile("openapi.json#/" + strings.Join(steps, "/"))
	if err != nil {
		d.t.Fatalf("%v: %v", steps, err)
	}
	return s
}

// judge holds a request and its answer against what is described.
func (d *described) judge(e web.Endpoint, body string, got answer) {
	d.t.Helper()
	method := strings.ToLower(e.Method)
	at := []string{"paths", e.Path, method, "responses", "default", "content", "application/problem+json", "schema"}
	op := d.doc["paths"].(map[string]any)[e.Path].(map[string]any)[method].(map[string]any)
	if got.StatusCode < 400 {
		d.seen[e.Method+" "+e.Path] = true
		var code string
		for c := range op["responses"].(map[string]any) {
			if c != "default" {
				code = c
			}
		}
		if code != strconv.Itoa(got.StatusCode) {
			d.t.Errorf("%s %s answers %d, described is %s", e.Method, e.Path, got.StatusCode, code)
		}
		if code == "204" {
			return
		}
		at = []string{"paths", e.Path, method, "responses", code, "content", "application/json", "schema"}
		if body != "" {
			d.valid(e, d.schema("paths", e.Path, method, "requestBody", "content", "application/json", "schema"), body)
		}
	} else if got.Header.Get("Content-Type") != "application/problem+json" {
		d.t.Errorf("%s %s answers %d as %s", e.Method, e.Path, got.StatusCode, got.Header.Get("Content-Type"))
	}
	d.valid(e, d.schema(at...), got.body)
}

func (d *described) valid(e web.Endpoint, schema *jsonschema.Schema, text string) {
	d.t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(text)))
	if err == nil {
		err = schema.Validate(v)
	}
	if err != nil {
		d.t.Errorf("%s %s: %v\n%s", e.Method, e.Path, err, text)
	}
}

func TestTheOpenAPIDocumentDescribesWhatIsAnswered(t *testing.T) {
	s := newSite(t)
	d := describe(t, s)
	bot := s.machine(status.TokenAdmin)
	call := func(method, path, body, id string, header ...string) answer {
		t.Helper()
		at := slices.IndexFunc(web.Endpoints(), func(e web.Endpoint) bool { return e.Method == method && e.Path == path })
		if at < 0 {
			t.Fatalf("there is no %s %s", method, path)
		}
		got := bot.do(method, strings.ReplaceAll(path, "{id}", id), body, append([]string{"If-Match", "*"}, header...)...)
		d.judge(web.Endpoints()[at], body, got)
		return got
	}
	group := call("POST", "/groups", `{"name":"Shop","description":"All of it"}`, "").text(t, "id")
	call("PATCH", "/groups/{id}", `{"name":"The shop"}`, group)
	call("GET", "/groups/{id}", "", group)
	call("GET", "/groups", "", "")
	component := call("POST", "/components", `{"name":"Checkout","group_id":"`+group+`","position":0}`, "").text(t, "id")
	call("PATCH", "/components/{id}", `{"description":"Pays","start_date":"2026-01-01T00:00:00Z"}`, component)
	call("GET", "/components/{id}", "", "checkout")
	call("GET", "/components", "", "")

	draft := s.draft()
	call("PATCH", "/issues/{id}", `{"title":"Checkout is down","components":[{"component":"checkout","status":"major_outage"}]}`, draft.ID)
	call("GET", "/issues/{id}", "", draft.ID)
	call("GET", "/issues/{id}/alerts", "", draft.ID)
	call("GET", "/alerts", "", "")
	call("POST", "/issues/{id}/publish", `{"impact":"critical"}`, draft.ID)
	call("POST", "/issues/{id}/hand-back", `{"fields":["title"]}`, draft.ID)
	words := call("POST", "/templates", `{"name":"Soon","body":"{components} will be back soon.","state":"identified"}`, "").text(t, "id")
	call("PATCH", "/templates/{id}", `{"title":"Trouble with {components}"}`, words)
	call("GET", "/templates/{id}", "", words)
	call("GET", "/templates", "", "")
	call("POST", "/issues/{id}/updates", `{"template":"`+words+`"}`, draft.ID)
	call("DELETE", "/templates/{id}", "", words)
	call("POST", "/issues/{id}/keep", `{"fields":["state"]}`, draft.ID)
	call("POST", "/issues/{id}/updates", `{"body":"Found it.","state":"identified"}`, draft.ID)
	call("POST", "/issues/{id}/resolve", `{"body":"Mended."}`, draft.ID)
	call("PUT", "/issues/{id}/postmortem", `{"body":"It was DNS.","publish":true,"notify":true}`, draft.ID)
	call("DELETE", "/issues/{id}/postmortem", "", draft.ID)
	one := call("POST", "/issues", `{"title":"one","body":"b","publish":true}`, "").text(t, "id")
	two := call("POST", "/issues", `{"title":"two","body":"b","publish":true}`, "").text(t, "id")
	call("POST", "/issues/{id}/merge", `{"into":"`+two+`","components":true}`, one)
	other := call("POST", "/issues", `{"title":"a","body":"b","started_at":"2026-01-05T08:00:00Z"}`, "").text(t, "id")
	call("POST", "/issues/{id}/dismiss", `{}`, other)
	call("GET", "/issues", "", "")

	plan := call("POST", "/maintenance", `{"title":"New disks","scheduled_for":"2026-02-01T02:00:00Z","scheduled_until":"2026-02-01T03:00:00Z","components":["checkout"]}`, "").text(t, "id")
	call("PATCH", "/maintenance/{id}", `{"scheduled_until":"2026-02-01T04:00:00Z"}`, plan)
	call("POST", "/maintenance/{id}/updates", `{"state":"in_progress","body":"We begin."}`, plan)
	call("GET", "/maintenance/{id}", "", plan)
	call("GET", "/maintenance", "", "")

	sub := call("POST", "/subscribers", `{"email":"jo@example.com","components":["checkout"],"scope":"milestones"}`, "").text(t, "id")
	s.confirm(t, sub)
	call("GET", "/subscribers/{id}", "", sub)
	call("PATCH", "/subscribers/{id}", `{"scope":"all","components":[],"language":"de","time_zone":"Europe/Berlin"}`, sub)
	call("GET", "/subscribers", "", "")
	told := s.tell(t)
	call("GET", "/deliveries", "", "")
	call("GET", "/deliveries/{id}", "", told)
	call("GET", "/deliveries/{id}/recipients", "", told)
	call("POST", "/deliveries/{id}/retry", `{}`, told)
	call("DELETE", "/subscribers/{id}", "", sub)

	call("GET", "/rules", "", "")
	call("GET", "/sources", "", "")
	call("GET", "/audit", "", "")
	call("POST", "/rules/dry-run", `{"payload":`+alertBody+`}`, "")
	call("POST", "/reload", `{}`, "")
	call("DELETE", "/components/{id}", "", component)
	call("DELETE", "/groups/{id}", "", group)

	call("GET", "/issues/{id}", "", "none")                    // 404
	call("POST", "/issues", `{"titel":"a"}`, "")               // 422 with a pointer
	call("PATCH", "/issues/{id}", `{}`, other, "If-Match", "") // 428
	for _, e := range web.Endpoints() {
		if !d.seen[e.Method+" "+e.Path] {
			t.Errorf("%s %s was not judged", e.Method, e.Path)
		}
	}
}

const alertBody = `{"version":"4","status":"firing","receiver":"statusbridge","groupKey":"{}:{}","truncatedAlerts":0,"groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"http://am","alerts":[{"status":"firing","labels":{"alertname":"Down","service":"shop"},"annotations":{"summary":"is down"},"startsAt":"2026-01-05T08:00:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prom","fingerprint":"abc"}]}`

// confirm clicks the link of the confirmation mail.
func (s *site) confirm(t *testing.T, subscriber string) {
	t.Helper()
	sub, err := s.store.Subscriber(t.Context(), subscriber)
	if err == nil {
		_, err = s.store.ConfirmSubscriber(t.Context(), s.clock.Now(), sub.ConfirmToken)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// tell queues the mails about what was announced, and returns the id of one
// message.
func (s *site) tell(t *testing.T) string {
	t.Helper()
	if _, _, err := s.store.FanOut(t.Context(), s.clock.Now(), []status.Outlet{{Channel: status.ChannelEmail}}); err != nil {
		t.Fatal(err)
	}
	told, err := s.store.Dispatches(t.Context(), "", 1)
	if err != nil || len(told) != 1 {
		t.Fatalf("told %v (%v)", told, err)
	}
	return told[0].ID
}

func TestTheOpenAPIDocumentNamesEachRouteAndItsScope(t *testing.T) {
	s := newSite(t)
	d := describe(t, s)
	if d.doc["openapi"] != "3.1.0" {
		t.Errorf("it is %v", d.doc["openapi"])
	}
	described := 0
	for path, item := range d.doc["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			if method == "parameters" {
				continue
			}
			described++
			at := slices.IndexFunc(web.Endpoints(), func(e web.Endpoint) bool {
				return e.Path == path && strings.EqualFold(e.Method, method)
			})
			if at < 0 {
				t.Errorf("%s %s is described and does not exist", method, path)
				continue
			}
			scopes := op.(map[string]any)["security"].([]any)[0].(map[string]any)["token"].([]any)
			if len(scopes) != 1 || scopes[0] != string(web.Endpoints()[at].Scope) {
				t.Errorf("%s %s takes %s, described is %v", method, path, web.Endpoints()[at].Scope, scopes)
			}
		}
	}
	if described != len(web.Endpoints()) {
		t.Errorf("%d operations are described, there are %d", described, len(web.Endpoints()))
	}
}

func TestThePageOnRESTListsEachRoute(t *testing.T) {
	text, err := os.ReadFile("../../docs/rest.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range web.Endpoints() {
		if line := "| `" + e.Method + " " + e.Path + "` | `" + string(e.Scope) + "` |"; strings.Count(string(text), line) != 1 {
			t.Errorf("docs/rest.md lacks %s", line)
		}
	}
	if n := strings.Count(string(text), "/{id}` |") + strings.Count(string(text), "| `GET /issues` |"); n < 10 {
		t.Errorf("only %d rows were found", n)
	}
}
