package deploy_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"go.yaml.in/yaml/v4"
)

// render is what `helm template` does, with the few functions that the chart
// uses: building Helm takes longer than all other tests together. `make chart`
// asks the real one.
func render(t *testing.T, values map[string]any) (map[string]map[string]any, error) {
	t.Helper()
	text, err := os.ReadFile("chart/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{}
	if err := yaml.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	maps.Copy(all, values)
	var set *template.Template
	toYAML := func(v any) (string, error) {
		b, err := yaml.Marshal(v)
		return strings.TrimSuffix(string(b), "\n"), err
	}
	set = template.New("chart").Option("missingkey=error").Funcs(template.FuncMap{
		"include": func(name string, data any) (string, error) {
			var b bytes.Buffer
			err := set.ExecuteTemplate(&b, name, data)
			return b.String(), err
		},
		"nindent": func(n int, s string) string {
			pad := "\n" + strings.Repeat(" ", n)
			return pad + strings.ReplaceAll(s, "\n", pad)
		},
		"toYaml": toYAML,
		"quote":  func(v any) string { return fmt.Sprintf("%q", fmt.Sprint(v)) },
		"default": func(otherwise, v any) any {
			if v == "" {
				return otherwise
			}
			return v
		},
		"join": func(sep string, list []any) string {
			var out []string
			for _, v := range list {
				out = append(out, fmt.Sprint(v))
			}
			return strings.Join(out, sep)
		},
		"trimPrefix": func(p, s string) string { return strings.TrimPrefix(s, p) },
		"trimSuffix": func(p, s string) string { return strings.TrimSuffix(s, p) },
		"int":        func(v any) int { n, _ := v.(int); return n },
		"fail":       func(s string) (string, error) { return "", errors.New(s) },
		"sha256sum":  func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) },
	})
	if _, err := set.ParseGlob("chart/templates/*"); err != nil {
		t.Fatal(err)
	}
	data := map[string]any{
		"Values": all, "Chart": map[string]any{"AppVersion": "1.2.3"}, "Release": map[string]any{"Name": "status", "Namespace": "pages"},
	}
	out := map[string]map[string]any{}
	for _, tmpl := range set.Templates() {
		name := tmpl.Name()
		if filepath.Ext(name) != ".yaml" && name != "NOTES.txt" {
			continue
		}
		var b bytes.Buffer
		if err := set.ExecuteTemplate(&b, name, data); err != nil {
			return nil, err
		}
		if name == "NOTES.txt" || strings.TrimSpace(b.String()) == "" {
			continue
		}
		var object map[string]any
		if err := yaml.Load(b.Bytes(), &object, yaml.WithUniqueKeys()); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, b.String())
		}
		if object != nil {
			out[object["kind"].(string)] = object
		}
	}
	return out, nil
}

// at walks into a document: names of maps and numbers of lists.
func at(t *testing.T, v any, path ...any) any {
	t.Helper()
	for _, p := range path {
		switch p := p.(type) {
		case string:
			v = v.(map[string]any)[p]
		case int:
			v = v.([]any)[p]
		}
	}
	return v
}

func TestTheChartRunsOnePodWithAVolumeUnlessTold(t *testing.T) {
	objects, err := render(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if objects["Ingress"] != nil || len(objects) != 3 {
		t.Errorf("the chart makes %d objects", len(objects))
	}
	pod := at(t, objects["StatefulSet"], "spec", "template", "spec")
	container := at(t, pod, "containers", 0)
	if at(t, container, "image") != "statusbridge:1.2.3" || at(t, pod, "enableServiceLinks") != false ||
		at(t, container, "securityContext", "readOnlyRootFilesystem") != true || at(t, pod, "securityContext", "runAsNonRoot") != true {
		t.Errorf("the pod is %v", pod)
	}
	checkSettings(t, environment(at(t, container, "env")))
	config := at(t, objects["ConfigMap"], "data", "statusbridge.yaml").(string)
	if !strings.Contains(config, "name: Status") {
		t.Errorf("statusbridge.yaml is %q", config)
	}
}

func TestTheChartRunsReplicasOnPostgreSQLBehindAnIngress(t *testing.T) {
	objects, err := render(t, map[string]any{
		"replicas": 3, "postgres": true, "existingSecret": "keys", "rules": "version: 1\nrules: []\n", "publicURL": "https://status.example.com/",
		"ingress": map[string]any{"enabled": true, "className": "nginx", "annotations": map[string]any{"a/b": "c"}, "tlsSecret": "cert"},
	})
	if err != nil {
		t.Fatal(err)
	}
	env := environment(at(t, objects["StatefulSet"], "spec", "template", "spec", "containers", 0, "env"))
	checkSettings(t, env)
	if env["STATUSBRIDGE_DATABASE"] != "file:/run/secrets/statusbridge/database" || env["STATUSBRIDGE_PROXY_TRUSTED"] != "10.0.0.0/8" {
		t.Errorf("the environment is %v", env)
	}
	if host := at(t, objects["Ingress"], "spec", "rules", 0, "host"); host != "status.example.com" {
		t.Errorf("the ingress is for %v", host)
	}
	if rules := at(t, objects["ConfigMap"], "data", "rules.yaml"); rules != "version: 1\nrules: []\n" {
		t.Errorf("rules.yaml is %q", rules)
	}
}

func TestTheChartRefusesReplicasWithoutPostgreSQL(t *testing.T) {
	if _, err := render(t, map[string]any{"replicas": 2}); err == nil || !strings.Contains(err.Error(), "PostgreSQL") {
		t.Errorf("two replicas on SQLite: %v", err)
	}
	if _, err := render(t, map[string]any{"postgres": true}); err == nil || !strings.Contains(err.Error(), "existingSecret") {
		t.Errorf("PostgreSQL without an address: %v", err)
	}
}
