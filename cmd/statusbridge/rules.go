package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	shipped "github.com/statusbridge/statusbridge"
	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/app"
	"github.com/statusbridge/statusbridge/internal/status"
)

type rulesCmd struct {
	Check    rulesCheck    `cmd:"" help:"Report everything that is wrong in a rules file; exit 1 if anything is."`
	Test     rulesTest     `cmd:"" help:"Play a file of tests against its rules on a virtual clock; exit 1 if one fails."`
	Explain  rulesExplain  `cmd:"" help:"Show what the rules do with the alerts of a webhook body, and why."`
	Example  rulesExample  `cmd:"" help:"Print the rules that statusbridge brings along, to begin your own with."`
	Schema   rulesSchema   `cmd:"" help:"Print the JSON Schema of rules files, for completion and checking in editors."`
	Backtest rulesBacktest `cmd:"" help:"Replay stored webhooks through rules, and compare with the issues that were opened."`
}

type rulesCheck struct {
	File   string `arg:"" optional:"" help:"The configured rules if none is named."`
	Output string `short:"o" enum:"text,json" default:"text" help:"text or json."`
}

func (r *rulesCheck) Run(c *cli) error {
	rules, file, err := c.rules(r.File)
	found, isFindings := err.(alerts.Findings)
	if err != nil && !isFindings {
		return err
	}
	if r.Output == "json" {
		if found == nil {
			found = alerts.Findings{}
		}
		if err := json.NewEncoder(c.out).Encode(map[string]any{"file": file, "findings": found}); err != nil {
			return err
		}
		if len(found) > 0 {
			return findings(len(found))
		}
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s: %d rules, no findings\n", rules.File, len(rules.Rules))
	return nil
}

type rulesExample struct{}

func (rulesExample) Help() string {
	return `They are in force while there is no rules.yaml. To change them, begin with a copy:

  statusbridge rules example > rules.yaml`
}

func (rulesExample) Run(c *cli) error {
	_, err := c.out.Write(shipped.Rules)
	return err
}

type rulesSchema struct{}

func (rulesSchema) Help() string {
	return `Save it beside your rules and name it in their first line; editors with a YAML language server do the rest:

  statusbridge rules schema > rules.schema.json
  # yaml-language-server: $schema=rules.schema.json`
}

func (rulesSchema) Run(c *cli) error {
	schema, err := alerts.RulesSchema()
	if err != nil {
		return err
	}
	_, err = c.out.Write(schema)
	return err
}

type rulesTest struct {
	File   string `arg:"" optional:"" default:"rules_test.yaml" help:"The tests."`
	Output string `short:"o" enum:"text,json" default:"text" help:"text or json."`
}

func (r *rulesTest) Run(c *cli) error {
	results, err := alerts.TestRules(r.File)
	if err != nil {
		return err
	}
	failed := 0
	for _, t := range results {
		if len(t.Failures) > 0 {
			failed++
		}
	}
	if r.Output == "json" {
		if err := json.NewEncoder(c.out).Encode(results); err != nil {
			return err
		}
	} else {
		for _, t := range results {
			if len(t.Failures) == 0 {
				fmt.Fprintf(c.out, "%s    %s\n", paint(c.out, green, "ok"), t.Name)
				continue
			}
			fmt.Fprintf(c.out, "%s  %s\n    %s\n", paint(c.out, red, "FAIL"), t.Name, strings.Join(t.Failures, "\n    "))
		}
		fmt.Fprintf(c.out, "%d passed, %d failed\n", len(results)-failed, failed)
	}
	if failed > 0 {
		return findings(failed)
	}
	return nil
}

// rules loads the named file, or the configured one. A named one may be looked
// at where the configuration is not, such as in CI: then no channel is unknown.
func (c *cli) rules(file string) (*status.Rules, string, error) {
	cfg, err := c.config(nil)
	channels := cfg.ChannelNames()
	switch {
	case file == "" && err != nil:
		return nil, "", err
	case file == "":
		file = cfg.Rules
	case err != nil || len(channels) == 0:
		channels = []string{alerts.AnyChannel}
	}
	rules, err := app.LoadRules(file, channels...)
	return rules, file, err
}

type rulesExplain struct {
	Payload string `arg:"" type:"existingfile" help:"A webhook body, or a recording of one under the key body."`
	File    string `help:"The rules; the configured ones if none are named." placeholder:"FILE"`
	Kind    string `enum:"auto,alertmanager,newrelic" default:"auto" help:"Who sent it."`
	Source  string `help:"The SOURCE of its webhook address." placeholder:"NAME"`
	Output  string `short:"o" enum:"text,json" default:"text" help:"text or json."`
}

// explained is what became of one alert.
type explained struct {
	Fingerprint string            `json:"fingerprint"`
	Firing      bool              `json:"firing"`
	Labels      map[string]string `json:"labels"`
	Severity    string            `json:"severity"`
	Tries       []status.Try      `json:"rules"`
}

func (r *rulesExplain) Run(c *cli) error {
	rules, _, err := c.rules(cmp.Or(r.File, ""))
	if err != nil {
		return err
	}
	kind, reading, err := r.read()
	if err != nil {
		return err
	}
	source := cmp.Or(r.Source, kind)
	list := []explained{}
	for _, f := range reading.Facts {
		level, _ := rules.Level(source, f.Labels, f.Lists)
		list = append(list, explained{f.Fingerprint, f.Firing, f.Labels, level, rules.Try(source, f.Labels, f.Lists)})
	}
	if r.Output == "json" {
		return json.NewEncoder(c.out).Encode(list)
	}
	fmt.Fprintf(c.out, "%s, %d alerts%s\n", kind, reading.Events, note(reading))
	for _, e := range list {
		state := map[bool]string{true: "firing", false: "resolved"}[e.Firing]
		fmt.Fprintf(c.out, "\n%s %s, severity %s\n", state, status.GroupKey(e.Labels), e.Severity)
		for _, t := range e.Tries {
			fmt.Fprintf(c.out, "  %-24s %s\n", t.Rule, t.Why)
		}
	}
	return nil
}

func note(r alerts.Reading) string {
	words := ""
	if r.Test {
		words += ", a test of the connection"
	}
	if r.Note != "" {
		words += ", " + r.Note
	}
	return words
}

// read decodes the payload as whichever sender it can be from.
func (r *rulesExplain) read() (string, alerts.Reading, error) {
	body, err := os.ReadFile(r.Payload)
	if err != nil {
		return "", alerts.Reading{}, err
	}
	kinds := []string{alerts.KindAlertmanager, alerts.KindNewRelic}
	if r.Kind != "auto" {
		kinds = []string{r.Kind}
	}
	kind, reading, err := alerts.Recognize(body, r.Source, app.Clock{}.Now(), "", kinds...)
	if err != nil {
		return "", alerts.Reading{}, fmt.Errorf("%s: %w", r.Payload, err)
	}
	return kind, reading, nil
}
