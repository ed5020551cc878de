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
	Name      string   `yaml:"name" help:"heading of the chart, and the key under which its samples are kept"`
	Type      string   `yaml:"type" unit:"'prometheus' or 'newrelic'" help:"whom it asks, see [metrics on the page](metrics.md)"`
	Query     string   `yaml:"query,omitempty" unit:"PromQL or NRQL" help:"what gives one number"`
	Preset    string   `yaml:"preset,omitempty" unit:"'apdex', 'response_time', 'throughput', 'error_rate', 'cpu' or 'memory'" help:"instead of a query; New Relic"`
	App       string   `yaml:"app,omitempty" help:"the application of a preset"`
	Unit      string   `yaml:"unit,omitempty" help:"stands after the numbers, such as 'ms'"`
	Decimals  *int     `yaml:"decimals,omitempty" help:"of the numbers"`
	Spans     []string `yaml:"spans,omitempty" unit:"'day', 'week', 'month'" help:"which stretches of time are drawn; all if left out"`
	URL       string   `yaml:"url,omitempty" unit:"URL" help:"of Prometheus; another address of New Relic, for tests and proxies"`
	Username  string   `yaml:"username,omitempty" help:"for basic authentication at Prometheus"`
	Password  string   `yaml:"password,omitempty" secret:"whole" help:"for basic authentication at Prometheus"`
	Token     string   `yaml:"token,omitempty" secret:"whole" help:"bearer token for Prometheus"`
	AccountID int      `yaml:"account_id,omitempty" help:"of New Relic"`
	Region    string   `yaml:"region,omitempty" unit:"'us' or 'eu'" help:"of New Relic, 'us' if left out"`
	APIKey    string   `yaml:"api_key,omitempty" secret:"whole" help:"a user key of New Relic"`
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
