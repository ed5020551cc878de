package charts

import (
	"reflect"
	"testing"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestAMistakeNamesItsKey(t *testing.T) {
	prom := Config{Name: "Load", Type: Prometheus, URL: "http://prometheus:9090/x", Query: "up"}
	nr := Config{Name: "Apdex", Type: NewRelic, AccountID: 1, APIKey: "k", Preset: "apdex", App: "Shop"}
	own := nr
	own.Preset, own.App, own.Query = "", "", "SELECT count(*) FROM T WHERE name = 'since then'"
	many := 7
	for _, tt := range []struct {
		base   Config
		change func(*Config)
		want   string
	}{
		{prom, func(*Config) {}, ""},
		{nr, func(*Config) {}, ""},
		{own, func(*Config) {}, ""},
		{prom, func(c *Config) { c.Name = "…" }, "name"},
		{prom, func(c *Config) { c.Type = "graphite" }, "type"},
		{prom, func(c *Config) { c.URL = "" }, "url"},
		{prom, func(c *Config) { c.URL = "http://u:p@h" }, "url"},
		{prom, func(c *Config) { c.Query = "" }, "query"},
		{prom, func(c *Config) { c.APIKey = "k" }, "api_key"},
		{prom, func(c *Config) { c.Token, c.Username = "t", "u" }, "token"},
		{prom, func(c *Config) { c.Spans = []string{"year"} }, "spans"},
		{prom, func(c *Config) { c.Decimals = &many }, "decimals"},
		{nr, func(c *Config) { c.AccountID = 0 }, "account_id"},
		{nr, func(c *Config) { c.APIKey = "" }, "api_key"},
		{nr, func(c *Config) { c.Region = "mars" }, "region"},
		{nr, func(c *Config) { c.Preset = "mood" }, "preset"},
		{nr, func(c *Config) { c.App = "" }, "app"},
		{nr, func(c *Config) { c.Query = "SELECT 1" }, "query"},
		{nr, func(c *Config) { c.Token = "t" }, "token"},
		{own, func(c *Config) { c.Query += " facet host" }, "query"},
		{own, func(c *Config) { c.Query += " SINCE 1 day ago" }, "query"},
	} {
		c := tt.base
		tt.change(&c)
		var keys []string
		for _, p := range c.Check() {
			keys = append(keys, p.Key)
		}
		var want []string
		if tt.want != "" {
			want = []string{tt.want}
		}
		if !reflect.DeepEqual(keys, want) {
			t.Errorf("%+v: %v, want %v", c, c.Check(), want)
		}
	}
}

func TestAChartShowsWhatItsPresetSays(t *testing.T) {
	none := 0
	for _, tt := range []struct {
		c    Config
		want status.Chart
	}{
		{Config{Name: " Error rate ", Preset: "error_rate"}, status.Chart{ID: "error-rate", Name: "Error rate", Unit: "%", Decimals: 2, Spans: []string{"day", "week", "month"}}},
		{Config{Name: "Load", Unit: "x", Decimals: &none, Spans: []string{"day"}}, status.Chart{ID: "load", Name: "Load", Unit: "x", Spans: []string{"day"}}},
	} {
		if got := tt.c.Chart(); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%+v, want %+v", got, tt.want)
		}
	}
}
