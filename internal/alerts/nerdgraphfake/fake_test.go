package nerdgraphfake_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/statusbridge/statusbridge/internal/alerts/nerdgraphfake"
)

const (
	id       = "7d2a1c1e-5f3b-4c52-9b0a-3f1d7c9e2a10"
	question = `query($account: Int!, $ids: [ID!]!, $cursor: String) { actor { account(id: $account) { aiIssues {
		issues(filter: {ids: $ids}, cursor: $cursor) { issues { issueId state eventType updatedAt closedAt parentMergeId } nextCursor } } } } }`
)

// ask sends a good request after a change.
func ask(t *testing.T, f *nerdgraphfake.Fake, change func(r *http.Request, body map[string]any)) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Api-Key", "K")
	r.Header.Set("nerd-graph-unsafe-experimental-opt-in", "AiIssues")
	body := map[string]any{"query": question, "variables": map[string]any{"account": 1, "ids": []string{id}, "cursor": nil}}
	change(r, body)
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r.Body = io.NopCloser(strings.NewReader(string(text)))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestAGoodQuestionIsAnswered(t *testing.T) {
	f := nerdgraphfake.Start(map[int]string{1: "K"})
	defer f.Close()
	f.Put(1, nerdgraphfake.Issue{ID: id, State: "ACTIVATED"})
	got := ask(t, f, func(*http.Request, map[string]any) {})
	if !strings.Contains(got, `"issueId":"`+id+`"`) || strings.Contains(got, "errors") || len(f.Asked()) != 1 {
		t.Errorf("%s %v", got, f.Refused())
	}
}

func TestABadQuestionIsTurnedAway(t *testing.T) {
	variable := func(name string, value any) func(*http.Request, map[string]any) {
		return func(_ *http.Request, body map[string]any) { body["variables"].(map[string]any)[name] = value }
	}
	query := func(was, is string) func(*http.Request, map[string]any) {
		return func(_ *http.Request, body map[string]any) { body["query"] = strings.Replace(question, was, is, 1) }
	}
	header := func(name, value string) func(*http.Request, map[string]any) {
		return func(r *http.Request, _ map[string]any) { r.Header.Set(name, value) }
	}
	many := make([]string, 101)
	for n := range many {
		many[n] = fmt.Sprintf("7d2a1c1e-5f3b-4c52-9b0a-%012d", n)
	}
	for want, change := range map[string]func(*http.Request, map[string]any){
		"instead of POST":        func(r *http.Request, _ map[string]any) { r.Method = http.MethodPut },
		"the content type":       header("Content-Type", "text/plain"),
		"not opted in":           header("nerd-graph-unsafe-experimental-opt-in", ""),
		"the key is not that":    header("Api-Key", "other"),
		"of account 2":           variable("account", 2),
		"101 ids":                variable("ids", many),
		"0 ids":                  variable("ids", []string{}),
		"is there twice":         variable("ids", []string{id, id}),
		"is no id":               variable("ids", []string{"7"}),
		"unknown field":          variable("more", 1),
		"instead of in a variab": query("ids: $ids", `ids: ["`+id+`"]`),
		"the query lacks state":  query("state ", ""),
		"do not match":           query("nextCursor }", "nextCursor"),
	} {
		f := nerdgraphfake.Start(map[int]string{1: "K"})
		got := ask(t, f, change)
		f.Close()
		if refused := f.Refused(); len(refused) != 1 || !strings.Contains(refused[0], want) || !strings.Contains(got, `"errors"`) || len(f.Asked()) != 0 {
			t.Errorf("%q: %q, %s", want, refused, got)
		}
	}
}

const createChannel = `mutation($accountId: Int!, $channel: AiNotificationsChannelInput!) { aiNotificationsCreateChannel(accountId: $accountId, channel: $channel) {
	channel { id } error { x } errors { x } } }`

func TestABadChangeIsTurnedAway(t *testing.T) {
	channel := func(change func(map[string]any)) map[string]any {
		c := map[string]any{
			"name": "n", "type": "WEBHOOK", "product": "IINT", "destinationId": "d-1",
			"properties": []any{map[string]any{"key": "payload", "value": "{{ json issueId }}"}},
		}
		change(c)
		return c
	}
	for want, request := range map[string]map[string]any{
		"":                               {"query": createChannel, "variables": map[string]any{"accountId": 1, "channel": channel(func(map[string]any) {})}},
		"not that of account 2":          {"query": createChannel, "variables": map[string]any{"accountId": 2}},
		"which account":                  {"query": createChannel, "variables": map[string]any{}},
		"the query lacks $channel":       {"query": strings.Replace(createChannel, "$channel: Ai", "$chan: Ai", 1), "variables": map[string]any{"accountId": 1}},
		"the variable more":              {"query": createChannel, "variables": map[string]any{"accountId": 1, "more": 1}},
		"unknown field":                  {"query": createChannel, "variables": map[string]any{"accountId": 1, "channel": channel(func(c map[string]any) { c["colour"] = 1 })}},
		"not a webhook channel":          {"query": createChannel, "variables": map[string]any{"accountId": 1, "channel": channel(func(c map[string]any) { c["product"] = "X" })}},
		"no payload that names":          {"query": createChannel, "variables": map[string]any{"accountId": 1, "channel": channel(func(c map[string]any) { delete(c, "properties") })}},
		"do not match":                   {"query": createChannel + "}", "variables": map[string]any{"accountId": 1}},
		"not an operation that is under": {"query": "mutation { aiNotificationsDeleteChannel }", "variables": map[string]any{"accountId": 1}},
	} {
		f := nerdgraphfake.Start(map[int]string{1: "K"})
		f.Provision(1, func(d *[]nerdgraphfake.Destination, _ *[]nerdgraphfake.Channel, _ *[]nerdgraphfake.Workflow) {
			*d = append(*d, nerdgraphfake.Destination{ID: "d-1"})
		})
		got := ask(t, f, func(_ *http.Request, body map[string]any) {
			body["query"], body["variables"] = request["query"], request["variables"]
		})
		f.Close()
		refused := fmt.Sprint(f.Refused())
		_, channels, _ := f.Provisioned(1)
		if want == "" && (refused != "[]" || len(channels) != 1) || want != "" && (!strings.Contains(refused, want) || len(channels) != 0) {
			t.Errorf("%q: %s, %s", want, refused, got)
		}
	}
}
