package alerts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheShippedRulesPassTheirOwnTests(t *testing.T) {
	results, err := TestRules("../../rules_test.yaml")
	if err != nil || len(results) < 8 {
		t.Fatalf("%d tests, %v", len(results), err)
	}
	for _, r := range results {
		for _, f := range r.Failures {
			t.Errorf("%s: %s", r.Name, f)
		}
	}
}

// trialOf runs one test of a file against the shipped rules.
func trialOf(t *testing.T, test string) ([]TestResult, error) {
	t.Helper()
	rules, err := filepath.Abs("../../rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "rules_test.yaml")
	text := "rule_files: [" + rules + "]\nstart: 2026-01-05T09:00:00Z\ninterval: 30s\ntests:\n" + test
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return TestRules(file)
}

const outage = `  - name: x
    series: [{ labels: { alertname: CheckoutDown, service: checkout, region: eu, severity: critical }, values: 'Fx20 R _x40' }]
`

func TestAnExpectationThatDoesNotHoldSaysWhatIsInstead(t *testing.T) {
	for expect, want := range map[string]string{
		`{ at: 5m, issues: [] }`:                                            "want 0 issues, got 1",
		`{ at: 5m, issues: [{ state: resolved }] }`:                         `state: want "resolved", got "investigating"`,
		`{ at: 5m, issues: [{ published: false }] }`:                        "published: want false, got true",
		`{ at: 5m, issues: [{ title: T }] }`:                                `got "Checkout is unavailable in eu"`,
		`{ at: 5m, issues: [{ components: { api: major_outage } }] }`:       `got "not affected"`,
		`{ at: 5m, issues: [{ group: { region: us } }] }`:                   "group: want",
		`{ at: 20m, broadcasts: [{ event: open, count: 2 }] }`:              "was told 1 times, want 2",
		`{ at: 20m, broadcasts: [{ event: update, channels: [twitter] }] }`: "want [twitter]",
	} {
		results, err := trialOf(t, outage+"    expect: ["+expect+"]\n")
		if err != nil || len(results[0].Failures) != 1 || !strings.Contains(results[0].Failures[0], want) {
			t.Errorf("%s: got %v, %v", expect, results, err)
		}
	}
}

func TestMistakesInATestFileAreErrors(t *testing.T) {
	for test, want := range map[string]string{
		"  - { name: x, serie: [] }\n":                                                             "serie",
		"  - { name: x, series: [{ labels: { a: b }, values: 'F Q' }] }\n":                         "none of F",
		"  - { name: x, series: [{ labels: { a: b }, values: 'Fxx' }] }\n":                         "how often",
		"  - { name: x, expect: [{ at: soon }] }\n":                                                "no duration",
		"  - { name: x, steps: [{ at: 1m }] }\n":                                                   "nothing to do",
		"  - { name: x, steps: [{ at: 1m, deliver: no-such-file.json }] }\n":                       "no-such-file.json",
		"  - { name: x, steps: [{ at: 1m, admin: { do: publish } }] }\n":                           "no open issue",
		"  - { name: x, match: { labels: { alertname: Nope } }, expect_rules: [checkout-down] }\n": "want [checkout-down], got []",
	} {
		results, err := trialOf(t, test)
		said := ""
		if err != nil {
			said = err.Error()
		} else {
			said = strings.Join(results[0].Failures, "\n")
		}
		if !strings.Contains(said, want) {
			t.Errorf("%s: got %q, want %q", test, said, want)
		}
	}
}

func TestRecordedDeliveriesRestartsAndAnswersOfTheSourcePlayAsInTheDaemon(t *testing.T) {
	captures, err := filepath.Abs("testdata/alertmanager")
	if err != nil {
		t.Fatal(err)
	}
	results, err := trialOf(t, `  - name: x
    steps:
      - { at: 0s, deliver: `+captures+`/27-ha-split-brain-1.json, source: prod }
      - { at: 1s, deliver: `+captures+`/27-ha-split-brain-2.json, source: prod }
      - { at: 30s, restart: {} }
      - { at: 4m, admin: { edit: { title: Ours }, lock: [title], do: publish } }
      - { at: 5m, api: { source: prod, uptime: 1m, active: [] } }
      - { at: 6m, api: { source: prod, uptime: 1h, active: [] } }
      - { at: 7m, api: { source: prod, uptime: 1h, active: [] } }
    expect:
      - { at: 3m, issues: [{ rule: anything-critical, state: draft }] }
      - { at: 11m, issues: [{ state: investigating, title: Ours }] }
      - { at: 13m, issues: [{ state: resolved, title: Ours, resolved_by: reconciliation }] }
`)
	if err != nil || len(results[0].Failures) != 0 {
		t.Errorf("%v, %v", results, err)
	}
}
