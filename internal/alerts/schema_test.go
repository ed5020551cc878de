package alerts

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/statusbridge/statusbridge/internal/status"
)

// validator is the schema, read by somebody else's program.
func validator(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := RulesSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("rules.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("rules.schema.json") // checks it against the schema of schemas too
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, src string) error {
	t.Helper()
	var doc any
	if err := yaml.Unmarshal([]byte(src), &doc); err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

func TestWhatTheLoaderTakesTheSchemaTakes(t *testing.T) {
	s := validator(t)
	shipped, err := os.ReadFile("../../rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, src := range map[string]string{
		"rules.yaml": string(shipped), "every key": everyKey, "the least": "version: 1\n",
		"New Relic": "version: 1\nsources: {nr: {type: newrelic, account_id: 42, api_key_env: , region: eu}}\n",
		"durations": "version: 1\nrules: [{name: a, matchers: [], for: 0, reopen_within: 1h30m, open: {title: 7}}]\n",
	} {
		if _, err := LoadRules("rules.yaml", []byte(src)); err != nil {
			t.Errorf("%s: the loader: %v", name, err)
		}
		if err := validate(t, s, src); err != nil {
			t.Errorf("%s: the schema: %v", name, err)
		}
	}
}

func TestWhatTheSchemaRefusesTheLoaderRefuses(t *testing.T) {
	s := validator(t)
	for name, src := range map[string]string{
		"a misspelt key":       rule(all, title, "  group-by: [region]"),
		"a wordy duration":     rule(all, title, "  for: 5 minutes"),
		"a number of minutes":  rule(all, title, "  for: 5"),
		"a word":               rule(all, title, "  resolve: {mode: automatic}"),
		"no matchers":          rule(title),
		"no name":              "version: 1\nrules: [{matchers: [], open: {title: T}}]\n",
		"a text for a list":    rule(all, title, "  group_by: region"),
		"a status":             rule(all, "  open: {title: T, components: [{component: a, status: broken}]}"),
		"a channel":            rule(all, title, "  broadcast: {open: [Carrier Pigeon]}"),
		"min_alerts":           rule(all, title, "  min_alerts: 0"),
		"a source's name":      "version: 1\nsources: {Prod AM: {type: alertmanager}}\n",
		"a source's type":      "version: 1\nsources: {prod: {type: zabbix}}\n",
		"a key for a variable": "version: 1\nsources: {nr: {type: newrelic, account_id: 1, api_key_env: NRAK-1}}\n",
		"no version":           "rules: []\n",
		"another version":      "version: 2\n",
		"an interval's hour":   "version: 1\ntime_intervals: [{name: x, time_intervals: [{times: [{start_time: '25:00', end_time: '26:00'}]}]}]\n",
		"a duration in flap":   "version: 1\ndefaults: {flap: {window: soon}}\n",
	} {
		if _, err := LoadRules("rules.yaml", []byte(src)); err == nil {
			t.Errorf("%s: the loader takes it", name)
		}
		if validate(t, s, src) == nil {
			t.Errorf("%s: the schema takes it", name)
		}
	}
}

// paths names each node of a YAML tree by the keys that lead to it; list
// elements and the names of sources are *.
func paths(n *yaml.Node, at string, into map[*yaml.Node]string) {
	into[n] = at
	for i, child := range n.Content {
		switch {
		case n.Kind == yaml.DocumentNode:
			paths(child, at, into)
		case n.Kind == yaml.SequenceNode:
			paths(child, at+"/*", into)
		case n.Kind == yaml.MappingNode && i%2 == 1:
			key := n.Content[i-1].Value
			if at == "/sources" {
				key = "*"
			}
			paths(child, at+"/"+key, into)
		}
	}
}

// mappings lists the keys of each mapping in a schema, by its path.
func mappings(s schema, at string, into map[string][]string) {
	if properties, ok := s["properties"].(map[string]schema); ok {
		into[at] = slices.Sorted(maps.Keys(properties))
		for name, child := range properties {
			mappings(child, at+"/"+name, into)
		}
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if child, ok := s[key].(schema); ok {
			mappings(child, at+"/*", into)
		}
	}
	for _, key := range []string{"oneOf", "anyOf"} {
		for _, child := range append([]schema{}, asSchemas(s[key])...) {
			mappings(child, at, into)
		}
	}
}

func asSchemas(v any) []schema {
	list, _ := v.([]schema)
	return list
}

func TestTheSchemaAndTheLoaderKnowTheSameKeys(t *testing.T) {
	var doc yaml.Node
	if err := yaml.Load([]byte(everyKey), &doc); err != nil {
		t.Fatal(err)
	}
	where := map[*yaml.Node]string{}
	paths(&doc, "", where)
	loader := map[string][]string{}
	c := &checker{file: "rules.yaml", lines: strings.Split(everyKey, "\n")}
	c.knows = func(n *yaml.Node, keys []string) { loader[where[n]] = slices.Sorted(slices.Values(keys)) }
	c.rules(doc.Content[0], &status.Rules{})
	inSchema := map[string][]string{}
	mappings(rulesSchema(), "", inSchema)
	delete(inSchema, "/time_intervals/*/time_intervals/*/times/*") // read by Alertmanager's own code
	for _, path := range slices.Sorted(maps.Keys(inSchema)) {
		if _, visited := loader[path]; !visited && !strings.HasSuffix(path, "/flap") && !strings.HasSuffix(path, "/require") {
			t.Errorf("the schema has a mapping at %s that the loader did not read in everyKey", path)
		}
	}
	for path, keys := range loader {
		if got := fmt.Sprint(inSchema[path]); got != fmt.Sprint(keys) {
			t.Errorf("%s: the loader knows %v, the schema %v", path, keys, got)
		}
	}
}
