package alerts

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/statusbridge/statusbridge/internal/status"
)

func load(t *testing.T, src string) *status.Rules {
	t.Helper()
	r, err := LoadRules("rules.yaml", []byte(src))
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	return r
}

func findings(t *testing.T, src string) Findings {
	t.Helper()
	r, err := LoadRules("rules.yaml", []byte(src))
	var all Findings
	if !errors.As(err, &all) || r != nil {
		t.Fatalf("rules %v, error %v\n%s", r, err, src)
	}
	return all
}

// rule is a file with one rule that has the given keys, from line 5 on.
func rule(keys ...string) string {
	return "version: 1\nsources: {nr: {type: newrelic}}\npublic_labels: [service]\nrules:\n- name: r\n" + strings.Join(keys, "\n") + "\n"
}

const (
	all   = "  matchers: []"
	title = "  open: {title: T}"
)

func TestTheShippedRulesLoadWithoutFindings(t *testing.T) {
	src, err := os.ReadFile("../../rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r := load(t, string(src))
	routed := func(source string, labels map[string]string) []string {
		var names []string
		for _, m := range r.Route(source, labels, nil) {
			names = append(names, m.Rule.Name)
		}
		return names
	}
	for want, labels := range map[string]map[string]string{
		"test":              {"alertname": "StatusbridgeTest"},
		"not-production":    {"alertname": "CheckoutDown", "severity": "critical", "env": "staging"},
		"checkout-down":     {"alertname": "CheckoutDown", "severity": "critical"},
		"api-latency":       {"alertname": "HighLatency", "service": "api"},
		"newrelic-payments": {"policy": "Payments golden signals", "priority": "HIGH"},
		"anything-critical": {"alertname": "Other", "severity": "page"},
	} {
		if got := routed("nr-prod", labels); !slices.Equal(got, []string{want}) {
			t.Errorf("%v goes to %v, want %s", labels, got, want)
		}
	}
	test, _ := r.Find("test")
	text, err := test.Open.Title(status.Evidence{CommonAnnotations: map[string]string{"summary": "A first test alert"}})
	if err != nil || text != "A first test alert" || test.For != 0 || test.Open.Publish != status.PublishConfirm {
		t.Errorf("%q %v: %+v", text, err, test)
	}
	auto, _ := r.Find("checkout-down")
	if auto.Open.Publish != status.PublishAuto || auto.Open.PublishAfter != 3*time.Minute {
		t.Errorf("%+v", auto.Open)
	}
	never, _ := r.Find("not-production")
	if never.Open.Publish != status.PublishNever {
		t.Errorf("%+v", never.Open)
	}
}

func TestARuleIsWhatItsKeysSay(t *testing.T) {
	r := load(t, `version: 1
sources:
  am: {type: alertmanager}
  nr: {type: newrelic}
severity:
  - {matchers: ['severity="page"'], level: critical, impact: major}
defaults: {for: 30s, open: {publish: auto}, resolve: {mode: manual, after: 1h, monitoring_first: true}, unmatched: drop}
public_labels: [env]
rules:
  - name: short
    matchers: []
    open: {title: Short}
  - name: long
    source: nr
    matchers: ['a="1"', 'b=~"x|y", c!="z"']
    group_by: [region, env]
    continue: true
    for: 1h30m
    open:
      title: 'Down in {{ .GroupLabels.region }}'
      body: |
        Since {{ .StartedAt | tz "UTC" | date "15:04" }}
        for {{ humanizeDuration .DurationSeconds }}
      impact: critical
      components: [{component: api, status: major_outage}]
      publish: auto
      publish_after: 3m
    resolve: {mode: auto, after: 0s, monitoring_first: false, body: "Over in {{ .GroupLabels.env | toUpper }}"}
    broadcast: {open: [email, twitter], resolve: []}
`)
	if diff := cmp.Diff([]status.Source{{Name: "am", Type: "alertmanager"}, {Name: "nr", Type: "newrelic"}}, r.Sources); diff != "" {
		t.Error(diff)
	}
	if len(r.Hash) != 64 || r.File != "rules.yaml" || !r.DropUnmatched || !strings.HasPrefix(string(r.Source), "version") {
		t.Errorf("%+v", r)
	}
	if s := r.Severity[0]; s.Level != "critical" || s.Impact != status.ImpactMajor || s.Matchers.String() != `{severity="page"}` {
		t.Errorf("%+v", s)
	}
	short, long := r.Rules[0], r.Rules[1]
	if short.For != 30*time.Second || short.Open.Publish != status.PublishAuto || short.Resolve.Mode != status.ResolveManual ||
		short.Resolve.After != time.Hour || !short.Resolve.MonitoringFirst || short.Broadcast != nil || short.Open.Body != nil {
		t.Errorf("defaults are not taken: %+v", short)
	}
	if long.Source != "nr" || long.Matchers.String() != `{a="1",b=~"x|y",c!="z"}` || !long.Continue || long.For != 90*time.Minute ||
		!slices.Equal(long.GroupBy, []string{"region", "env"}) {
		t.Errorf("%+v", long)
	}
	if o := long.Open; o.Impact != status.ImpactCritical || o.PublishAfter != 3*time.Minute ||
		len(o.Components) != 1 || o.Components[0].Component != "api" || o.Components[0].Status != status.MajorOutage {
		t.Errorf("%+v", o)
	}
	if long.Resolve.Mode != status.ResolveAuto || long.Resolve.After != 0 || long.Resolve.MonitoringFirst {
		t.Errorf("%+v", long.Resolve)
	}
	want := map[status.Event][]string{"open": {"email", "twitter"}, "update": {}, "resolve": {}}
	if diff := cmp.Diff(want, long.Broadcast); diff != "" {
		t.Error(diff)
	}
	ev := status.Evidence{
		GroupLabels: map[string]string{"region": "eu", "env": "prod"}, DurationSeconds: 90,
		StartedAt: time.Date(2026, 1, 5, 10, 30, 0, 0, time.FixedZone("", 3600)),
	}
	for text, want := range map[string]status.Text{
		"Down in eu": long.Open.Title, "Since 09:30\nfor 1m 30s\n": long.Open.Body, "Over in PROD": long.Resolve.Body,
	} {
		if got, err := want(ev); got != text || err != nil {
			t.Errorf("%q (%v), want %q", got, err, text)
		}
	}
}

func TestWithoutDefaultsTheFileTakesOurs(t *testing.T) {
	r := load(t, rule(all, title)).Rules[0]
	want := status.Resolve{Mode: status.ResolveAuto, After: 5 * time.Minute}
	if r.For != 2*time.Minute || r.Open.Publish != status.PublishConfirm || r.Resolve.Mode != want.Mode || r.Resolve.After != want.After {
		t.Errorf("%+v", r)
	}
}

func TestEveryMistakeIsFoundInItsPlace(t *testing.T) {
	long := strings.Repeat("x", 9000)
	for _, tt := range []struct{ name, src, place, message, hint string }{
		{"no yaml", "version: [1\nrules: 2\n", "2:6", "not valid YAML", ""},
		{"a tab", "version: 1\nrules:\n\t- a\n", "3:1", "not valid YAML", ""},
		{"nothing", "# only\n", "1:1", "exactly one YAML document", ""},
		{"two documents", "version: 1\n---\nversion: 1\n", "1:1", "exactly one YAML document", ""},
		{"a list", "- a\n", "1:1", "the file must be a mapping", ""},
		{"no version", "rules: []\n", "1:1", "version is missing", "version: 1"},
		{"another version", "version: 2\n", "1:10", `version is "2"`, ""},
		{"unknown key", "version: 1\nrule: []\n", "2:1", `unknown key "rule"`, `"rules"`},
		{"a key that is near", rule(all, title, "  escalates: []"), "8:3", `unknown key "escalates" in a rule`, `"escalate"`},
		{"key twice", rule(all, title, "  for: 1m", "  for: 2m"), "9:3", `the key "for" is there twice in a rule, first in line 8`, ""},
		{"key of another case", rule(all, title, "  For: 1m"), "8:3", `unknown key "For"`, `"for"`},
		{"merge key", rule(all, title, "  <<: {for: 1m}"), "8:3", `unknown key "<<"`, ""},
		{"source without type", "version: 1\nsources: {a: {}}\n", "2:11", "the source a has no type", ""},
		{"source type", "version: 1\nsources: {a: {type: newrelik}}\n", "2:21", "alertmanager or newrelic", `"newrelic"`},
		{"source name", "version: 1\nsources: {a/b: {type: newrelic}}\n", "2:11", "cannot stand in a URL", ""},
		{"source keys of a later release", "version: 1\nsources: {a: {type: newrelic, token: x}}\n", "2:31", `unknown key "token"`, ""},
		{"severity without matchers", "version: 1\nseverity: [{level: info, impact: none}]\n", "2:12", "has no matchers", ""},
		{"severity level", "version: 1\nseverity: [{matchers: [], level: critcal, impact: none}]\n", "2:34", "level is", `"critical"`},
		{"severity without level", "version: 1\nseverity: [{matchers: [], impact: none}]\n", "2:12", "no level", ""},
		{"severity without impact", "version: 1\nseverity: [{matchers: [], level: info}]\n", "2:12", "no impact", ""},
		{"default publish", "version: 1\ndefaults: {open: {publish: yes}}\n", "2:28", "auto, confirm or never", ""},
		{"unmatched", "version: 1\ndefaults: {unmatched: dorp}\n", "2:23", "inbox or drop", `"drop"`},
		{"no name", "version: 1\nrules:\n  - matchers: []\n    open: {title: T}\n", "3:5", "rule 1 has no name", ""},
		{"name twice", rule(all, title) + "- name: r\n  matchers: []\n  open: {title: T}\n", "8:3", `the rule name "r" is taken in line 5`, ""},
		{"name with a control character", "version: 1\nrules:\n- name: \"a\\x1fb\"\n  matchers: []\n  open: {title: T}\n", "3:9", "control character", ""},
		{"no matchers", rule(title), "5:3", "the rule r has no matchers", "matchers: []"},
		{"matchers as a text", rule(`  matchers: 'a="1"'`, title), "6:13", "matchers must be a list", `[a="1"]`},
		{"bad matcher", rule(`  matchers: ['ok="1"', 'a==']`, title), "6:27", "not a matcher", ""},
		{"bad regexp", rule(`  matchers: ['a=~"("']`, title), "6:15", "missing closing )", ""},
		{"half a matcher", rule(`  matchers: ['a=']`, title), "6:17", "not a matcher", ""},
		{"empty matcher", rule(`  matchers: ['']`, title), "6:14", "the matcher is empty", ""},
		{"unknown source", rule(all, title, "  source: mr"), "8:11", `the source "mr" is not among sources`, `"nr"`},
		{"group_by is a text", rule(all, title, "  group_by: region"), "8:13", "group_by must be a list", "[region]"},
		{"group_by twice", rule(all, title, "  group_by: [a, b, a]"), "8:20", `"a" is there twice`, ""},
		{"group by all", rule(all, title, "  group_by: ['...']"), "8:14", "one issue of every alert", ""},
		{"continue", rule(all, title, "  continue: yes"), "8:13", "true or false", ""},
		{"duration", rule(all, title, "  for: 5 minutes"), "8:8", "no duration", `"5m"`},
		{"go duration", rule(all, title, "  for: 1.5h"), "8:8", "no duration", `"1h30m"`},
		{"empty duration", rule(all, title, "  for:"), "8:7", "must be a text, not nothing", ""},
		{"no open", rule(all), "5:3", "no open.title", ""},
		{"no title", rule(all, "  open: {body: B}"), "7:9", "has no title", ""},
		{"empty title", rule(all, "  open: {title: ' '}"), "7:17", "title is empty", ""},
		{"impact", rule(all, "  open: {title: T, impact: majr}"), "7:28", "none, minor, major or critical", `"major"`},
		{"component without status", rule(all, "  open: {title: T, components: [{component: a}]}"), "7:33", "without its status", ""},
		{"component without name", rule(all, "  open: {title: T, components: [{status: major_outage}]}"), "7:33", "without its name", ""},
		{"component twice", rule(all, "  open: {title: T, components: [{component: a, status: major_outage}, {component: a, status: major_outage}]}"), "7:83", "there twice", ""},
		{"status", rule(all, "  open: {title: T, components: [{component: a, status: mayor_outage}]}"), "7:56", "status is", `"major_outage"`},
		{"operational", rule(all, "  open: {title: T, components: [{component: a, status: operational}]}"), "7:56", "status is", ""},
		{"veto without auto", rule(all, "  open: {title: T, publish: confirm, publish_after: 1m}"), "7:38", "no effect", ""},
		{"resolve mode", rule(all, title, "  resolve: {mode: proposed}"), "8:19", "auto, monitoring, propose or manual", `"propose"`},
		{"channel", rule(all, title, "  broadcast: {open: [emial]}"), "8:22", "webhooks or rss", `"email"`},
		{"event", rule(all, title, "  broadcast: {opened: [email]}"), "8:15", `unknown key "opened"`, `"open"`},
		{"template syntax", rule(all, `  open: {title: 'A {{ .Rule'}`), "7:18", "unclosed action", ""},
		{"unknown field", rule(all, `  open: {title: 'A {{ .GroupLabel.a }}'}`), "7:23", "no field .GroupLabel", `"GroupLabels"`},
		{"unknown field in a branch", rule(all, `  open: {title: '{{ if false }}{{ .Nope }}{{ end }}'}`), "7:35", "no field .Nope", ""},
		{"unknown function", rule(all, `  open: {title: '{{ .Rule | toUper }}'}`), "7:29", `no function "toUper"`, `"toUpper"`},
		{"wall clock", rule(all, `  open: {title: '{{ since .StartedAt }}'}`), "7:21", `no function "since"`, ""},
		{"range", rule(all, `  open: {title: '{{ range .Alerts }}x{{ end }}'}`), "7:27", "range is not available", ""},
		{"define", rule(all, `  open: {title: 'a{{ define "x" }}x{{ end }}'}`), "7:22", "define and block", ""},
		{"block", rule(all, `  open: {title: '{{ block "x" . }}x{{ end }}'}`), "7:21", "define and block", ""},
		{"template in a template", rule(all, `  open: {title: '{{ template "title" . }}'}`), "7:30", "is not available", ""},
		{"variable", rule(all, `  open: {title: '{{ $x := .Rule }}{{ $x }}'}`), "7:21", "variables are not available", ""},
		{"fails on poor evidence", rule(all, `  open: {title: '{{ (index .Alerts 0).URL }}'}`), "7:22", "index out of range", ""},
		{"fails when run", rule(all, `  open: {title: '{{ .Alerts.Firing }}'}`), "7:28", "can't evaluate field Firing", ""},
		{"bad time zone", rule(all, `  open: {title: '{{ .StartedAt | tz "Mars/Base" }}'}`), "7:34", "Mars/Base", ""},
		{"too long a source", rule(all, `  open: {title: '`+long+`'}`), "7:17", "longer than 8192 bytes", ""},
		{"too long a text", rule(all, `  open: {title: '`+long[:5000]+`'}`), "7:17", "more than 4096 bytes", ""},
		{"a wide printf", rule(all, `  open: {title: '{{ printf "%100000d" 1 }}'}`), "7:21", "width or precision", ""},
		{"in a block", rule(all, "  open:", "    title: T", "    body: |", "      First line.", "      Ünd {{ .Nope }}"), "11:14", "no field .Nope", ""},
	} {
		t.Run(tt.name, func(t *testing.T) { findsMistake(t, tt.src, tt.place, tt.message, tt.hint) })
	}
}

func findsMistake(t *testing.T, src, place, message, hint string) {
	t.Helper()
	got := findings(t, src)
	f := got[0]
	if at := fmt.Sprintf("%d:%d", f.Line, f.Column); len(got) != 1 || at != place ||
		!strings.Contains(f.Message, message) || !strings.Contains(f.Suggestion, hint) {
		t.Errorf("want %s %s (%s), got\n%v", place, message, hint, got)
	}
}

func TestAllMistakesAreFoundAtOnceInTheOrderOfLines(t *testing.T) {
	got := findings(t, `version: 1
colour: red
rules:
  - name: a
    matchers: ['x=']
    for: soon
    open: {title: '{{ .Nope }}', impact: bad}
  - name: a
    matchers: [no]
`)
	var lines []int
	for _, f := range got {
		lines = append(lines, f.Line)
	}
	if !slices.Equal(lines, []int{2, 5, 6, 7, 7, 8, 8, 9}) {
		t.Errorf("lines %v:\n%v", lines, got)
	}
}

func TestAFindingShowsItsLineWithACaret(t *testing.T) {
	got := findings(t, rule(all, title, "  for: 5 minutes"))
	want := `rules.yaml:8:8: for is "5 minutes", which is no duration (did you mean "5m"?)
    for: 5 minutes
         ^`
	if got.Error() != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestAnExcerptOfALongLineIsCutAroundTheCaret(t *testing.T) {
	got := excerpt(strings.Repeat("a", 300)+"!"+strings.Repeat("b", 300), 301)
	line, caret, _ := strings.Cut(got, "\n")
	if len(line) != excerptWidth+2 || line[strings.Index(caret, "^")] != '!' {
		t.Error(got)
	}
	if got := excerpt("\tx: y", 5); got != "  \tx: y\n  \t   ^" {
		t.Errorf("%q", got)
	}
}

func TestTextsPublishedByThemselvesSpeakOfPublicLabelsOnly(t *testing.T) {
	auto := func(text string) string {
		return rule(all, "  group_by: [region]", "  open:", "    publish: auto", "    title: '"+text+"'")
	}
	for _, fine := range []string{
		`{{ .GroupLabels.region }} {{ .CommonLabels.service }} {{ $.CommonLabels.region }}`,
		`{{ index .CommonLabels "service" }} {{ .Severity }} {{ len .Alerts }} {{ .Firing }} {{ .DurationSeconds }}`,
		`{{ with .GroupLabels.region }}in {{ . }}{{ else }}everywhere{{ end }}`,
		`{{ with .GroupLabels.region }}{{ . }} {{ $.CommonLabels.service }}{{ end }}`,
		`{{ .GroupLabels }} {{ .StartedAt.Year }}`,
	} {
		load(t, auto(fine))
	}
	for _, leak := range []string{
		`{{ .CommonLabels.instance }}`, `{{ .GroupLabels.instance }}`, `{{ $.CommonLabels.instance }}`,
		`{{ index .CommonLabels "instance" }}`, `{{ index .CommonLabels .Rule }}`, `{{ .CommonLabels }}`,
		`{{ .CommonLabels | toJson }}`, `{{ toJson . }}`, `{{ . }}`, `{{ $ }}`, `{{ .CommonAnnotations.summary }}`,
		`{{ if .Alerts }}{{ (index .Alerts 0).Labels.service }}{{ end }}`, `{{ printf "%s" .CommonLabels.instance }}`,
		`{{ with .CommonLabels }}{{ .instance }}{{ end }}`, `{{ with .GroupLabels }}{{ .instance }}{{ end }}`,
		`{{ with $ }}{{ .CommonLabels.instance }}{{ end }}`, `{{ if eq .CommonLabels.instance "a" }}x{{ end }}`,
		`{{ len (index .Alerts 0).Labels }}`, `{{ (.CommonLabels).instance }}`,
	} {
		got := findings(t, auto(leak))
		if got[0].Line != 10 {
			t.Errorf("%s: %v", leak, got)
		}
	}
	resolve := rule(all, "  open: {title: T, publish: auto}", "  resolve: {body: '{{ .CommonLabels.instance }}'}")
	if got := findings(t, resolve); got[0].Line != 8 {
		t.Error(got)
	}
	// Who confirms an issue reads its beginning. What automation says later, nobody
	// has read before; nor what a time-out publishes.
	confirmed := strings.Replace(resolve, "publish: auto", "publish: confirm", 1)
	if got := findings(t, confirmed); got[0].Line != 8 {
		t.Error(got)
	}
	load(t, strings.Replace(confirmed, "resolve: {", "resolve: {mode: propose, ", 1))
	load(t, strings.Replace(resolve, "publish: auto", "publish: never", 1))
	worse := rule(all, title, "  escalate: [{when: 'alerts > 3', set: {impact: major}, body: '{{ .CommonLabels.instance }}'}]")
	if got := findings(t, worse); got[0].Line != 8 {
		t.Error(got)
	}
	waits := rule(all, "  open: {title: '{{ .CommonLabels.instance }}', publish: confirm, confirm_timeout: {after: 5m, then: publish}}")
	if got := findings(t, waits); got[0].Line != 7 {
		t.Error(got)
	}
	load(t, strings.Replace(waits, "then: publish", "then: keep", 1))
}

func TestALabelCannotMakeATemplateBurnTime(t *testing.T) {
	r := load(t, rule(all, `  open: {title: '{{ printf .CommonLabels.a 1 2 }}'}`))
	for _, format := range []string{strings.Repeat("%999999d", 500), "%.99999999f", "%*d", "%[2]*[1]d", "%-01000d"} {
		if _, err := r.Rules[0].Open.Title(status.Evidence{CommonLabels: map[string]string{"a": format}}); err == nil {
			t.Errorf("%.20q was carried out", format)
		}
	}
	if s, err := r.Rules[0].Open.Title(status.Evidence{CommonLabels: map[string]string{"a": "%3d %02d%%"}}); s != "  1 02%" || err != nil {
		t.Errorf("%q %v", s, err)
	}
}

func TestATemplateThatLoadedDoesNotFailOnHostileLabels(t *testing.T) {
	r := load(t, rule(all, `  open: {title: '{{ .CommonLabels.a | js | js | js | html | urlquery | toJson | reReplaceAll "." "<$0>" }}'}`))
	text, err := r.Rules[0].Open.Title(status.Evidence{CommonLabels: map[string]string{"a": strings.Repeat("\\\"<€", 1<<20)}})
	if err != nil || len(text) > maxOutput+len("…") || !strings.HasSuffix(text, "…") {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

func TestAnAliasStandsForWhatItNames(t *testing.T) {
	r := load(t, rule("  matchers: &m ['a=\"1\"']", title)+"- {name: s, matchers: *m, open: {title: T}}\n")
	if got := r.Rules[1].Matchers.String(); got != `{a="1"}` {
		t.Error(got)
	}
	findings(t, "version: 1\nrules: &r [*r]\n")
}

func TestRulesNameChannelsByTypeOrByTheirConfiguredName(t *testing.T) {
	src := []byte(rule(all, title, "  broadcast: {open: [email, slack-ops], resolve: [slack-opps]}"))
	_, err := LoadRules("rules.yaml", src, "slack-ops", "tickets")
	found, _ := err.(Findings)
	if len(found) != 1 || found[0].Line != 8 || found[0].Column != 51 || found[0].Suggestion != `did you mean "slack-ops"?` ||
		!strings.Contains(found[0].Message, "tickets") {
		t.Errorf("findings: %v", err)
	}
	r, err := LoadRules("rules.yaml", src, AnyChannel)
	if err != nil || !slices.Equal(r.Rules[0].Broadcast[status.EventOpen], []string{"email", "slack-ops"}) {
		t.Errorf("without the configuration: %v", err)
	}
	if _, err = LoadRules("rules.yaml", []byte(rule(all, title, "  broadcast: {open: ['*']}")), AnyChannel); err == nil || strings.Contains(err.Error(), "*,") {
		t.Errorf("a star: %v", err)
	}
}

func FuzzLoadRules(f *testing.F) {
	shipped, err := os.ReadFile("../../rules.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(shipped)
	f.Add([]byte(rule(all, title)))
	f.Fuzz(func(t *testing.T, src []byte) {
		r, err := LoadRules("rules.yaml", src)
		if err == nil {
			for _, one := range r.Rules {
				for _, text := range []status.Text{one.Open.Title, one.Open.Body, one.Resolve.Body} {
					if text == nil {
						continue
					}
					for _, ev := range samples() {
						if s, err := text(ev); err != nil || len(s) > maxOutput+len("…") {
							t.Fatal(len(s), err)
						}
					}
				}
			}
			return
		}
		var all Findings
		if !errors.As(err, &all) || len(all) == 0 || r != nil {
			t.Fatalf("%v %v", r, err)
		}
		for _, f := range all {
			if f.Line < 1 || f.Column < 1 || f.Message == "" {
				t.Fatalf("%+v", f)
			}
		}
	})
}
