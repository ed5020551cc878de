package app

import (
	"fmt"

	"go.yaml.in/yaml/v4"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/charts"
	"github.com/statusbridge/statusbridge/internal/status"
)

// Chart is a metric on the page; see docs/metrics.md.
type Chart struct {
	Name      string   `yaml:"name"`
	Type      string   `yaml:"type"` // prometheus or newrelic
	Query     string   `yaml:"query,omitempty"`
	Preset    string   `yaml:"preset,omitempty"`
	App       string   `yaml:"app,omitempty"`
	Unit      string   `yaml:"unit,omitempty"`
	Decimals  *int     `yaml:"decimals,omitempty"`
	Spans     []string `yaml:"spans,omitempty"` // day, week, month
	URL       string   `yaml:"url,omitempty"`
	Username  string   `yaml:"username,omitempty"`
	Password  string   `yaml:"password,omitempty" secret:"whole"`
	Token     string   `yaml:"token,omitempty" secret:"whole"`
	AccountID int      `yaml:"account_id,omitempty"`
	Region    string   `yaml:"region,omitempty"`
	APIKey    string   `yaml:"api_key,omitempty" secret:"whole"`
}

func (c Chart) config() charts.Config {
	return charts.Config{
		Name: c.Name, Type: c.Type, Query: c.Query, Preset: c.Preset, App: c.App, Unit: c.Unit, Decimals: c.Decimals, Spans: c.Spans,
		URL: c.URL, Username: c.Username, Password: c.Password, Token: c.Token, AccountID: c.AccountID, Region: c.Region, APIKey: c.APIKey,
	}
}

// charts are what the collector measures, and what the pages draw of it.
func (c Config) charts() (measured []charts.Config, drawn []status.Chart) {
	for _, chart := range c.Charts {
		measured = append(measured, chart.config())
		drawn = append(drawn, chart.config().Chart())
	}
	return measured, drawn
}

// mostCharts keeps the page small.
const mostCharts = 20

// checkCharts finds what is wrong with the charts of a file, in its place.
func checkCharts(file string, src []byte, list []Chart) error {
	var root yaml.Node
	if err := yaml.Unmarshal(src, &root); err != nil || len(list) == 0 {
		return err
	}
	items := under(root.Content[0], "charts")
	if items == nil || len(items.Content) < len(list) {
		return nil // they come from somewhere else
	}
	var found alerts.Findings
	report := func(n *yaml.Node, text string) {
		found = append(found, alerts.At(file, src, n.Line, n.Column, text))
	}
	seen := map[string]bool{}
	for i, chart := range list {
		item := items.Content[i]
		if item.Kind == yaml.AliasNode {
			item = item.Alias
		}
		for _, p := range chart.config().Check() {
			at := under(item, p.Key)
			if at == nil {
				at = item
			}
			report(at, p.Key+": "+p.Text)
		}
		id := chart.config().Chart().ID
		if seen[id] {
			report(item, fmt.Sprintf("another chart is called %q, too", chart.Name))
		}
		seen[id] = true
	}
	if len(list) > mostCharts {
		report(items.Content[mostCharts], fmt.Sprintf("more than %d charts; visitors look for a few", mostCharts))
	}
	if len(found) == 0 {
		return nil
	}
	return found
}

// under finds the value of a key in a mapping, nil if there is none.
func under(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
