package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/app"
	"github.com/statusbridge/statusbridge/internal/status"
)

type setupCmd struct {
	Alertmanager setupAlertmanager `cmd:"" help:"Print the route and the receiver for alertmanager.yml."`
	NewRelic     setupNewRelic     `cmd:"" name:"newrelic" help:"Find or create the destination, channel and workflow in New Relic."`
}

type setupAlertmanager struct {
	Source          string `arg:"" optional:"" help:"A source of rules.yaml; the first of type alertmanager if none is named."`
	Receiver        string `default:"statusbridge" help:"How Alertmanager shall call us."`
	CredentialsFile string `default:"/etc/alertmanager/statusbridge.secret" help:"Where Alertmanager shall read the webhook secret." placeholder:"PATH"`
	PublicURL       string `name:"public-url" help:"Where Alertmanager reaches this installation; public_url if left out." placeholder:"URL"`
}

func (*setupAlertmanager) Help() string {
	return `Add what it prints to alertmanager.yml, put the webhook secret into the credentials file, reload Alertmanager,
and see with statusbridge doctor alertmanager that all is well.`
}

func (s *setupAlertmanager) Run(c *cli) error {
	cfg, err := c.config(nil)
	if err != nil {
		return err
	}
	src, err := c.source(s.Source, alerts.KindAlertmanager)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "# For alertmanager.yml. %s holds the webhook secret:\n# webhook.secret of statusbridge.yaml, or the file webhook.secret in data_dir (%s).\n",
		s.CredentialsFile, cfg.DataDir)
	fmt.Fprint(c.out, alerts.AlertmanagerSetup{
		Source: src, PublicURL: strings.TrimRight(cmp.Or(s.PublicURL, cfg.PublicURL), "/"), Receiver: s.Receiver, CredentialsFile: s.CredentialsFile,
	}.YAML())
	return nil
}

type setupNewRelic struct {
	Source     string `arg:"" optional:"" help:"A source of rules.yaml; the first of type newrelic if none is named."`
	Account    int    `help:"The account's number; account_id of the source if left out." placeholder:"NUMBER"`
	Region     string `enum:",us,eu" default:"" help:"us or eu; region of the source if left out."`
	KeyEnv     string `help:"The environment variable with a user key (NRAK-…); api_key_env of the source, or NEW_RELIC_API_KEY." placeholder:"NAME"`
	Name       string `default:"statusbridge" help:"What the created things are called."`
	Priorities string `default:"CRITICAL,HIGH" help:"Of the issues that are sent, of CRITICAL, HIGH, MEDIUM and LOW." placeholder:"LIST"`
	PublicURL  string `name:"public-url" help:"Where New Relic reaches this installation; public_url if left out." placeholder:"URL"`
	DryRun     bool   `help:"Create nothing; print the requests that would. Without a key New Relic is not asked at all."`
	Output     string `short:"o" enum:"text,json" default:"text" help:"text or json."`
}

func (*setupNewRelic) Help() string {
	return `What is there already is found by its address and left as it is, so the command may be run again.

  NEW_RELIC_API_KEY=NRAK-… statusbridge setup newrelic nr-prod --account 1234567 --dry-run`
}

func (s *setupNewRelic) Run(c *cli) error {
	cfg, err := c.config(nil)
	if err != nil {
		return err
	}
	src, err := c.source(s.Source, alerts.KindNewRelic)
	if err != nil {
		return err
	}
	src.AccountID, src.Region, src.APIKeyEnv = cmp.Or(s.Account, src.AccountID), cmp.Or(s.Region, src.Region), cmp.Or(s.KeyEnv, src.APIKeyEnv)
	if src.AccountID == 0 {
		return fmt.Errorf("which account? add --account NUMBER, or account_id to the source %s in the rules", src.Name)
	}
	set := alerts.NewRelicSetup{
		Source: src, PublicURL: strings.TrimRight(cmp.Or(s.PublicURL, cfg.PublicURL), "/"), Name: s.Name, DryRun: s.DryRun, Getenv: os.Getenv,
	}
	if set.Priorities, err = alerts.ParsePriorities(s.Priorities); err != nil {
		return fmt.Errorf("--priorities: %w", err)
	}
	if set.Secret, err = c.webhookSecret(cfg); err != nil && !s.DryRun {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), setupTime)
	defer cancel()
	steps, err := alerts.SetupNewRelic(ctx, set)
	if s.Output == "json" {
		return errors.Join(json.NewEncoder(c.out).Encode(append([]alerts.SetupStep{}, steps...)), err)
	}
	for _, step := range steps {
		fmt.Fprintf(c.out, "%-12s %-12s %s %s\n", strings.ReplaceAll(step.State, "_", " "), step.What, step.Name, step.ID)
		if step.Note != "" {
			fmt.Fprintf(c.out, "             %s\n", step.Note)
		}
		if err := c.request(alerts.NerdGraphURL(src), step.Request); err != nil {
			return err
		}
	}
	return err
}

var mutationName = regexp.MustCompile(`\bai[A-Za-z]+\(`)

// request prints one that was not sent; -o json has it whole.
func (c *cli) request(url string, raw json.RawMessage) error {
	if raw == nil {
		return nil
	}
	var r struct {
		Query     string          `json:"query"`
		Variables json.RawMessage `json:"variables"`
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return err
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, r.Variables, "    ", "  "); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.out, "    POST %s\n    mutation %s with\n    %s\n", url, strings.TrimSuffix(mutationName.FindString(r.Query), "("), pretty.String())
	return err
}

// setupTime bounds a set-up.
const setupTime = time.Minute

// webhookSecret is the newest secret that opens the webhook doors.
func (c *cli) webhookSecret(cfg app.Config) (string, error) {
	if len(cfg.Webhook.Secret) > 0 {
		return cfg.Webhook.Secret[0], nil
	}
	secret, err := app.KeptSecret(cfg)
	if err != nil {
		return "", fmt.Errorf("there is no webhook secret yet; start statusbridge once, or set webhook.secret: %w", err)
	}
	return secret, nil
}

// source finds a source of the rules by its name, or the first of a type. One
// that is not listed needs no more than its name.
func (c *cli) source(name, kind string) (status.Source, error) {
	rules, file, err := c.rules("")
	if err != nil {
		return status.Source{}, err
	}
	for _, s := range rules.Sources {
		switch {
		case s.Name == name && s.Type != kind:
			return s, fmt.Errorf("the source %s is of type %s in %s", name, s.Type, file)
		case s.Name == name, name == "" && s.Type == kind:
			return s, nil
		}
	}
	return status.Source{Name: cmp.Or(name, kind), Type: kind}, nil
}
