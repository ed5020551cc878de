package alerts

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestEachRecipeOfTheCookbookDoesWhatItSays(t *testing.T) {
	page, err := os.ReadFile("../../docs/cookbook.md")
	if err != nil {
		t.Fatal(err)
	}
	recipes := strings.Split(string(page), "\n## ")[1:]
	if len(recipes) < 10 {
		t.Errorf("%d recipes", len(recipes))
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	for _, recipe := range recipes {
		title, _, _ := strings.Cut(recipe, "\n")
		t.Run(title, func(t *testing.T) {
			dir := t.TempDir()
			found := blocks.FindAllStringSubmatch(recipe, -1)
			if len(found) != 2 {
				t.Fatalf("%d blocks, want the rules and their tests", len(found))
			}
			for name, text := range map[string]string{
				"rules.yaml":      found[0][1],
				"rules_test.yaml": "rule_files: [rules.yaml]\nstart: 2026-01-05T09:00:00Z\n" + found[1][1],
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			results, err := TestRules(filepath.Join(dir, "rules_test.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				for _, f := range r.Failures {
					t.Errorf("%s: %s", r.Name, f)
				}
			}
		})
	}
}

func TestTheWebhooksThatTheReadmePlaysFindTheirShippedRule(t *testing.T) {
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := LoadRules("rules.yaml", text, AnyChannel)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?s)hooks/(\w+)/([\w-]+) -d '(\{.*?\})'`).FindAllStringSubmatch(string(page), -1) {
		_, reading, err := Recognize([]byte(m[3]), m[2], time.Unix(1764000000, 0), "d", m[1])
		if err != nil || len(reading.Facts) != 1 {
			t.Fatalf("%s: %+v, %v", m[1], reading, err)
		}
		for _, to := range rules.Route(m[2], reading.Facts[0].Labels, reading.Facts[0].Lists) {
			found[to.Rule.Name] = true
		}
	}
	if len(found) != 2 || !found["test"] || !found["newrelic-payments"] {
		t.Errorf("found the rules %v", found)
	}
}
