package app

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/statusbridge/statusbridge/internal/web"
)

// reloads are the settings that a reload takes over; the others wait for the
// next start.
var reloads = map[string]bool{"rules": true, "webhook.secret": true}

// Explain says of each setting what it is, secrets masked, and what gave it: a
// file, a variable of the environment, a flag, or nobody. It takes what
// LoadConfig takes.
func Explain(file string, environ []string, override func(*Config)) ([]web.Setting, error) {
	cfg, err := LoadConfig(file, environ, override)
	if err != nil {
		return nil, err
	}
	named := cmp.Or(file, DefaultConfigFile)
	from, err := givenByFile(named)
	if err != nil {
		return nil, err
	}
	raw := defaults() // secrets as references, what is derived left out
	if err := errors.Join(readConfig(named, file != "", &raw), fromEnvironment(&raw, environ)); err != nil {
		return nil, err
	}
	variables := map[string]bool{}
	for _, line := range environ {
		name, _, _ := strings.Cut(line, "=")
		variables[name] = true
	}
	before := map[string]string{}
	for _, f := range fields(&raw) {
		if variables[f.env()] {
			from[f.path] = f.env()
		}
		before[f.path] = plain(f)
	}
	if override != nil {
		override(&raw)
	}
	known := map[string]Setting{}
	for _, s := range Settings() {
		known[s.Key] = s
	}
	final := fields(&cfg)
	var out []web.Setting
	for n, f := range fields(&raw) {
		if plain(f) != before[f.path] {
			from[f.path] = "--" + Flags[f.path]
		}
		key := item.ReplaceAllString(f.path, "[]")
		first, _, nested := strings.Cut(key, ".")
		section := "Where things are"
		if nested {
			section = cmp.Or(headings[first], first)
		}
		out = append(out, web.Setting{
			Section: section, Key: f.path, Value: shown(f, final[n]), Given: from[f.path], Meaning: known[key].Meaning,
			Reloads: reloads[f.path], Whole: plain(final[n]),
		})
	}
	return out, nil
}

var item = regexp.MustCompile(`\[\d+\]`)

// givenByFile lists the keys that a file has, each with the file's name. No
// file has none.
func givenByFile(file string) (map[string]string, error) {
	src, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && empty(src) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	var all any
	if err := yaml.Load(src, &all); err != nil {
		return nil, fmt.Errorf("configuration %s: %w", file, err)
	}
	from := map[string]string{}
	var walk func(v any, path string)
	walk = func(v any, path string) {
		switch v := v.(type) {
		case map[string]any:
			for name, inner := range v {
				walk(inner, strings.TrimPrefix(path+"."+name, "."))
			}
		case []any:
			for n, inner := range v {
				if _, nested := inner.(map[string]any); nested {
					walk(inner, fmt.Sprintf("%s[%d]", path, n))
				}
			}
			from[path] = file
		default:
			from[path] = file
		}
	}
	walk(all, "")
	return from, nil
}

// plain is a value as the environment writes it.
func plain(f field) string {
	v := f.value
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	if list, ok := v.Interface().([]string); ok {
		return strings.Join(list, ", ")
	}
	return fmt.Sprint(v.Interface())
}

// shown is what a person may see: of a secret only where it is kept.
func shown(raw, final field) string {
	if raw.secret == "" {
		return plain(final)
	}
	var parts []string
	list, several := raw.value.Interface().([]string)
	if !several {
		list = []string{raw.value.String()}
	}
	for _, s := range list {
		switch {
		case strings.HasPrefix(s, "file:"), strings.HasPrefix(s, "env:"):
			parts = append(parts, s)
		case raw.secret == "url":
			copied := reflect.New(reflect.TypeFor[string]()).Elem()
			copied.SetString(s)
			mask(field{secret: "url", value: copied})
			parts = append(parts, copied.String())
		case s != "":
			parts = append(parts, masked)
		}
	}
	return strings.Join(parts, ", ")
}
