package charts

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/statusbridge/statusbridge/internal/status"
)

// The types of sources.
const (
	Prometheus = "prometheus"
	NewRelic   = "newrelic"
)

// Config is a chart as an operator sets it up.
type Config struct {
	Name     string
	Type     string // Prometheus or NewRelic
	Query    string // PromQL or NRQL
	Preset   string // New Relic: a query that is known by name, for an App
	App      string
	Unit     string
	Decimals *int // nil is the preset's, or 2
	Spans    []string

	URL      string // of a Prometheus; of NerdGraph, in place of the region's
	Username string // Prometheus: basic authentication
	Password string
	Token    string // Prometheus: a bearer token

	AccountID int // New Relic
	Region    string
	APIKey    string
}

// A Problem is what is wrong with a key of a Config.
type Problem struct{ Key, Text string }

// preset is a query for an application that New Relic's agents watch. They are
// the ones of its own APM summary page, over the metrics that every agent sends.
type preset struct {
	nrql     string // the WHERE comes behind
	unit     string
	decimals int
}

var presets = map[string]preset{
	"apdex":         {"SELECT apdex(apm.service.apdex) AS 'value' FROM Metric", "", 2},
	"response_time": {"SELECT average(apm.service.transaction.duration) * 1000 AS 'value' FROM Metric", "ms", 0},
	"throughput":    {"SELECT rate(count(apm.service.transaction.duration), 1 minute) AS 'value' FROM Metric", "rpm", 0},
	"error_rate":    {"SELECT count(apm.service.error.count) / count(apm.service.transaction.duration) * 100 AS 'value' FROM Metric", "%", 2},
	"cpu":           {"SELECT average(apm.service.cpu.usertime.utilization) * 100 AS 'value' FROM Metric", "%", 1},
	"memory":        {"SELECT average(apm.service.memory.physical) AS 'value' FROM Metric", "MB", 0},
}

func presetNames() []string {
	return []string{"apdex", "response_time", "throughput", "error_rate", "cpu", "memory"}
}

// nrql is the query without the clauses of time.
func (c Config) nrql() string {
	if c.Preset == "" {
		return strings.TrimSpace(c.Query)
	}
	quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	return presets[c.Preset].nrql + " WHERE appName = '" + quote.Replace(c.App) + "'"
}

// Chart is what people see of it.
func (c Config) Chart() status.Chart {
	p := presets[c.Preset]
	out := status.Chart{ID: status.Slug(c.Name), Name: strings.TrimSpace(c.Name), Unit: cmp.Or(c.Unit, p.unit), Decimals: 2, Spans: c.Spans}
	if c.Preset != "" {
		out.Decimals = p.decimals
	}
	if c.Decimals != nil {
		out.Decimals = *c.Decimals
	}
	if len(out.Spans) == 0 {
		for _, s := range status.Spans {
			out.Spans = append(out.Spans, s.Name)
		}
	}
	return out
}

// taken are the clauses that the collector writes itself, or that would make
// more than one line.
var taken = regexp.MustCompile(`(?i)\b(SINCE|UNTIL|TIMESERIES|FACET|COMPARE\s+WITH)\b`)

var quotedText = regexp.MustCompile(`'(\\.|[^'\\])*'|"(\\.|[^"\\])*"`)

// Check says all that is wrong with it.
func (c Config) Check() []Problem {
	var out []Problem
	wrong := func(bad bool, key, format string, args ...any) {
		if bad {
			out = append(out, Problem{key, fmt.Sprintf(format, args...)})
		}
	}
	wrong(status.Slug(c.Name) == "", "name", "a chart needs a name with a letter or digit in it")
	wrong(len(c.Name) > 80, "name", "is longer than 80 bytes")
	wrong(len(c.Unit) > 12, "unit", "is longer than 12 bytes")
	wrong(c.Decimals != nil && (*c.Decimals < 0 || *c.Decimals > 6), "decimals", "must lie between 0 and 6")
	for _, s := range c.Spans {
		wrong(!slices.ContainsFunc(status.Spans, func(k status.Span) bool { return k.Name == s }), "spans", "%q is none of day, week, month", s)
	}
	wrong(c.URL != "" && !isWebAddress(c.URL), "url", "is no http or https address without a password in it")
	switch c.Type {
	case Prometheus:
		wrong(c.URL == "", "url", "where is the Prometheus? Write it like http://prometheus:9090")
		wrong(c.Query == "", "query", "a PromQL query that gives one series is missing")
		wrong(c.Token != "" && c.Username != "", "token", "a token or a username, not both")
		for key, set := range map[string]bool{"preset": c.Preset != "", "app": c.App != "", "account_id": c.AccountID != 0, "region": c.Region != "", "api_key": c.APIKey != ""} {
			wrong(set, key, "is a key of charts of type newrelic")
		}
	case NewRelic:
		out = append(out, c.checkNewRelic()...)
	default:
		wrong(true, "type", "must be prometheus or newrelic")
	}
	slices.SortFunc(out, func(a, b Problem) int { return strings.Compare(a.Key, b.Key) })
	return out
}

func (c Config) checkNewRelic() []Problem {
	var out []Problem
	wrong := func(bad bool, key, format string, args ...any) {
		if bad {
			out = append(out, Problem{key, fmt.Sprintf(format, args...)})
		}
	}
	_, known := presets[c.Preset]
	wrong(c.AccountID <= 0, "account_id", "whose metrics? Write the number of the account")
	wrong(c.APIKey == "", "api_key", "a user key is needed, such as file:/run/secrets/newrelic or env:NEW_RELIC_API_KEY")
	wrong(c.Region != "" && c.Region != "us" && c.Region != "eu", "region", "must be us or eu")
	wrong(c.Preset != "" && !known, "preset", "%q is none of %s", c.Preset, strings.Join(presetNames(), ", "))
	wrong(c.Preset != "" && c.App == "", "app", "a preset needs the name of the application")
	wrong(c.Preset == "" && c.App != "", "app", "is for presets; a query names the application itself")
	wrong((c.Preset == "") == (c.Query == ""), "query", "write a query or a preset (%s), not both", strings.Join(presetNames(), ", "))
	clause := taken.FindString(quotedText.ReplaceAllString(c.Query, "''"))
	wrong(clause != "", "query", "may not say %s: it is asked minute by minute, and a chart draws one line", strings.ToUpper(clause))
	for key, set := range map[string]bool{"username": c.Username != "", "password": c.Password != "", "token": c.Token != ""} {
		wrong(set, key, "is a key of charts of type prometheus")
	}
	return out
}

func isWebAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && u.User == nil && (u.Scheme == "http" || u.Scheme == "https")
}
