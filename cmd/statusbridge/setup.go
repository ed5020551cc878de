package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/status"
)

type setupCmd struct {
	Alertmanager setupAlertmanager `cmd:"" help:"Print the route and the receiver for alertmanager.yml."`
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
