package app

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/statusbridge/statusbridge/internal/alerts"
)

// field is one leaf of Config.
type field struct {
	path   string // as in YAML: smtp.url
	secret string // "", "whole" or "url" (only its password)
	value  reflect.Value
}

// fields walks the leaves of a configuration.
func fields(cfg *Config) []field { return leaves(reflect.ValueOf(cfg).Elem(), "") }

func leaves(v reflect.Value, prefix string) []field {
	var out []field
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		name = prefix + name
		switch f := v.Field(i); {
		case f.Kind() == reflect.Struct:
			out = append(out, leaves(f, name+".")...)
			continue
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct:
			for n := range f.Len() { // none of them has a name in the environment
				out = append(out, leaves(f.Index(n), fmt.Sprintf("%s[%d].", name, n))...)
			}
			continue
		}
		out = append(out, field{name, v.Type().Field(i).Tag.Get("secret"), v.Field(i)})
	}
	return out
}

func (f field) env() string {
	return "STATUSBRIDGE_" + strings.ToUpper(strings.ReplaceAll(f.path, ".", "_"))
}

// set reads a value as the environment writes it; lists are separated by commas.
func (f field) set(s string) error {
	switch f.value.Interface().(type) {
	case string:
		f.value.SetString(s)
	case bool:
		b, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", s)
		}
		f.value.SetBool(b)
	case float64:
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return fmt.Errorf("%q is not a number", s)
		}
		f.value.SetFloat(n)
	case int:
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("%q is no whole number", s)
		}
		f.value.SetInt(int64(n))
	case []string:
		var list []string
		for _, part := range strings.Split(s, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
		f.value.Set(reflect.ValueOf(list))
	}
	return nil
}

// fromEnvironment applies STATUSBRIDGE_… variables. One that names no key is an
// error: it would be a setting that silently does nothing.
func fromEnvironment(cfg *Config, environ []string) error {
	byName := map[string]field{}
	for _, f := range fields(cfg) {
		byName[f.env()] = f
	}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		if !strings.HasPrefix(name, "STATUSBRIDGE_") {
			continue
		}
		f, ok := byName[name]
		if !ok {
			hint := alerts.Meant(name, slices.Collect(maps.Keys(byName)))
			if hint != "" {
				hint = ", " + strings.TrimSuffix(hint, "?")
			}
			return fmt.Errorf("environment: %s names no setting%s; `statusbridge config print` lists them", name, hint)
		}
		if err := f.set(value); err != nil {
			return fmt.Errorf("environment: %s: %w", name, err)
		}
	}
	return nil
}

// readSecrets replaces "file:PATH" by what the file holds, and "env:NAME" by
// that environment variable.
func readSecrets(cfg *Config) error {
	read := func(f field, s string) (string, error) {
		if name, ok := strings.CutPrefix(s, "env:"); ok {
			value := strings.TrimSpace(os.Getenv(name))
			if value == "" {
				return "", fmt.Errorf("%s: the environment variable %s is empty", f.path, name)
			}
			return value, nil
		}
		path, ok := strings.CutPrefix(s, "file:")
		if !ok {
			return s, nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("%s: %w", f.path, err)
		}
		return strings.TrimSpace(string(b)), nil
	}
	for _, f := range fields(cfg) {
		if f.secret == "" {
			continue
		}
		if list, ok := f.value.Interface().([]string); ok {
			out := make([]string, len(list))
			for i, s := range list {
				var err error
				if out[i], err = read(f, s); err != nil {
					return err
				}
			}
			f.value.Set(reflect.ValueOf(out))
			continue
		}
		s, err := read(f, f.value.String())
		if err != nil {
			return err
		}
		f.value.SetString(s)
	}
	return nil
}

// Print writes the effective configuration as YAML, secrets masked.
func (c Config) Print() (string, error) {
	c.Webhook.Secret, c.Charts = slices.Clone(c.Webhook.Secret), slices.Clone(c.Charts)
	c.Login.EncryptionKeys, c.SMTP.DKIM.Key = slices.Clone(c.Login.EncryptionKeys), slices.Clone(c.SMTP.DKIM.Key)
	c.Channels = slices.Clone(c.Channels)
	for i := range c.Channels {
		c.Channels[i].Secret = slices.Clone(c.Channels[i].Secret)
	}
	for _, f := range fields(&c) {
		mask(f)
	}
	b, err := yaml.Dump(c)
	return string(b), err
}

const masked = "********"

func mask(f field) {
	switch v := f.value.Interface().(type) {
	case []string:
		if f.secret != "" {
			for i := range v {
				v[i] = masked
			}
		}
	case string:
		if f.secret == "whole" && v != "" {
			f.value.SetString(masked)
		}
		if u, err := url.Parse(v); f.secret == "url" && err == nil && u.User != nil {
			if _, has := u.User.Password(); has {
				f.value.SetString(u.Redacted())
			}
		}
	}
}
