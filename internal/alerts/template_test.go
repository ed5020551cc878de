package alerts

import (
	"bytes"
	"testing"
	"text/template"
	"time"

	alertmanager "github.com/prometheus/alertmanager/template"
)

// Alertmanager's own package is held to in tests only: linked in it brings 2 MB
// of other packages, and unpacks its web pages at every start.
func TestTemplatesSayWhatAlertmanagerWouldSay(t *testing.T) {
	data := map[string]any{
		"Text": "  disk ÇA sdb-1 o'neill's  ", "List": []string{"a", "b b"}, "Escaped": "a%20b%2Bc",
		"At": time.Date(2026, 1, 5, 9, 30, 0, 0, time.UTC), "Map": map[string]string{"b": "<2>", "a": "1"},
	}
	for _, src := range []string{
		"{{ .Text | toUpper }}{{ .Text | toLower }}", "{{ .Text | title }}", "{{ .Text | trimSpace }}", `{{ .List | join ", " }}`,
		"{{ urlUnescape .Escaped }}", `{{ stringSlice "x" "y" | join "+" }}`, `{{ stringSlice }}`, `{{ .At | date "02 Jan 15:04 MST" }}`,
		`{{ .At | tz "Asia/Tokyo" | date "02 Jan 15:04 MST" }}`, `{{ .At | tz "Nowhere" }}`, `{{ match "^ +disk" .Text }}`,
		`{{ reReplaceAll "(s)d([a-z])" "$2$1" .Text }}`, "{{ toJson .Map }}", "{{ urlUnescape \"%zz\" }}",
		"{{ humanizeDuration 0 }}{{ humanizeDuration 0.0042 }}{{ humanizeDuration -754 }}", "{{ humanizeDuration 93784.5 }}", `{{ humanizeDuration "x" }}`,
	} {
		theirs, theirErr := rendered(src, template.FuncMap(alertmanager.DefaultFuncs), data)
		ours, err := rendered(src, functions, data)
		if ours != theirs || (err == nil) != (theirErr == nil) {
			t.Errorf("%s makes %q (%v), Alertmanager %q (%v)", src, ours, err, theirs, theirErr)
		}
	}
}

func rendered(src string, functions template.FuncMap, data any) (string, error) {
	var out bytes.Buffer
	t, err := template.New("t").Funcs(functions).Parse(src)
	if err == nil {
		err = t.Execute(&out, data)
	}
	return out.String(), err
}
