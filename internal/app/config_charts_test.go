package app

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/statusbridge/statusbridge/internal/alerts"
)

const twoCharts = `
charts:
  - name: Response time
    type: newrelic
    account_id: 1
    api_key: env:OUR_CANARY
    preset: response_time
    app: Shop
  - { name: Load, type: prometheus, url: 'http://prometheus:9090', query: up, password: canary-password, username: u }
`

func TestChartsAreReadWithTheirSecrets(t *testing.T) {
	t.Setenv("OUR_CANARY", "canary-key ")
	cfg, err := LoadConfig(write(t, "c.yaml", twoCharts), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	measured, drawn := cfg.charts()
	if len(drawn) != 2 || drawn[0].ID != "response-time" || drawn[0].Unit != "ms" || measured[0].APIKey != "canary-key" || measured[1].Password != "canary-password" {
		t.Errorf("measured %+v, drawn %+v", measured, drawn)
	}
	text, err := cfg.Print()
	if err != nil || strings.Contains(text, "canary") || !strings.Contains(text, "name: Load") {
		t.Errorf("printed %s (%v)", text, err)
	}
	if cfg.Charts[0].APIKey != "canary-key" {
		t.Error("printing masked the configuration itself")
	}
}

func TestTheExamplesOfTheDocsAreAccepted(t *testing.T) {
	t.Setenv("NEW_RELIC_API_KEY", "k")
	t.Setenv("MIMIR_TOKEN", "t")
	for file, want := range map[string]int{"metrics.md": 2, "sources.md": 1} {
		text, err := os.ReadFile("../../docs/" + file)
		if err != nil {
			t.Fatal(err)
		}
		blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
		if len(blocks) != want {
			t.Errorf("%s has %d examples, want %d", file, len(blocks), want)
		}
		for _, b := range blocks {
			if file == "sources.md" {
				_, err = alerts.LoadRules(file, []byte(b[1]))
			} else {
				_, err = LoadConfig(write(t, "c.yaml", b[1]), nil, nil)
			}
			if err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

func TestAMistakeInAChartNamesItsLineAndColumn(t *testing.T) {
	for change, want := range map[[2]string]string{
		{"app: Shop", "app: Shop\n    colour: red"}:          ":9:5",
		{"preset: response_time", "preset: mood"}:            ":7:13: preset: \"mood\" is none of apdex",
		{"    account_id: 1\n", ""}:                          ":3:5: account_id: whose metrics?",
		{"query: up", "query: up, spans: [day, year]"}:       "spans: \"year\" is none of day, week, month",
		{"name: Load", "name: response-time"}:                ":9:5: another chart is called \"response-time\", too",
		{"account_id: 1", "account_id: many"}:                ":5:",
		{"env:OUR_CANARY", "env:OUR_OTHER"}:                  "charts[0].api_key: the environment variable OUR_OTHER is empty",
		{"type: newrelic", "type: newrelic\n    token: x"}:   "token: is a key of charts of type prometheus",
		{"http://prometheus:9090", "ftp://prometheus:9090/"}: ":9:42: url: is no http",
	} {
		t.Setenv("OUR_CANARY", "canary-key")
		text := strings.Replace(twoCharts, change[0], change[1], 1)
		_, err := LoadConfig(write(t, "c.yaml", text), nil, nil)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary-key") {
			t.Errorf("%s: got %v, want %s", change[1], err, want)
		}
	}
}
