package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/prometheus/common/model"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/app"
	"github.com/statusbridge/statusbridge/internal/store"
)

type rulesBacktest struct {
	File   string `arg:"" optional:"" help:"The candidate rules; the configured ones if none are named."`
	Since  string `default:"30d" help:"How far back, such as 7d or 12h; no farther than webhooks are kept (retention)." placeholder:"DURATION"`
	All    bool   `help:"List the issues that would be the same, too."`
	Output string `short:"o" enum:"text,json" default:"text" help:"text or json."`
}

func (*rulesBacktest) Help() string {
	return `Nothing is changed: the candidates only read. What people did is not replayed, so a draft that somebody
confirmed stays a draft here. Exit code 1 if any issue would have been otherwise.

  statusbridge rules backtest --since 7d new-rules.yaml`
}

// backtestTime bounds a back-test.
const backtestTime = 30 * time.Minute

func (r *rulesBacktest) Run(c *cli) error {
	since, err := model.ParseDuration(r.Since)
	if err != nil || since <= 0 {
		return fmt.Errorf("--since: %q is no duration such as 30d or 12h", r.Since)
	}
	rules, _, err := c.rules(r.File)
	if err != nil {
		return err
	}
	var report alerts.BacktestReport
	err = c.withStoreFor(backtestTime, existing, func(ctx context.Context, s *store.Store) error {
		bar := newProgress("webhooks")
		defer bar.end()
		now := app.Clock{}.Now()
		report, err = alerts.Backtest(ctx, alerts.BacktestConfig{
			Past: s, Rules: rules, From: now.Add(-time.Duration(since)), To: now, Progress: bar.show,
		})
		return err
	})
	if err != nil {
		return err
	}
	if r.Output == "json" {
		err = json.NewEncoder(c.out).Encode(report)
	} else {
		err = r.print(c, report)
	}
	if different := len(report.Issues) - report.Count(alerts.ChangeNone); err == nil && different > 0 {
		return findings(different)
	}
	return err
}

// marks stand before the lines of a comparison, as in a diff.
var marks = map[alerts.Change]string{
	alerts.ChangeNone: "=", alerts.ChangeOpened: "+", alerts.ChangeMissing: "-", alerts.ChangeDiffers: "~",
}

func (r *rulesBacktest) print(c *cli, report alerts.BacktestReport) error {
	fmt.Fprintf(c.out, "%s on what was received since %s: %d webhooks, %d alerts\n\n",
		report.Rules, report.From.UTC().Format("2006-01-02 15:04"), report.Webhooks, report.Alerts)
	listed := 0
	t := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	for _, i := range report.Issues {
		if i.Change == alerts.ChangeNone && !r.All {
			continue
		}
		listed++
		is := cmp.Or(i.Would, i.Was)
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", marks[i.Change], is.StartedAt.UTC().Format("2006-01-02 15:04"), lasted(is), is.Impact, is.Rule, is.Title)
		for _, d := range i.Differences {
			fmt.Fprintf(t, "\t\t\t\t%s\t%s -> %s\n", d.What, d.Was, d.Would)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if listed > 0 {
		fmt.Fprintln(c.out)
	}
	fmt.Fprintf(c.out, "+ %d more would have opened   - %d would not have   ~ %d would differ   = %d the same\n",
		report.Count(alerts.ChangeOpened), report.Count(alerts.ChangeMissing), report.Count(alerts.ChangeDiffers), report.Count(alerts.ChangeNone))
	if report.Unmatched > 0 {
		fmt.Fprintf(c.out, "%d times an alert began that no rule wants\n", report.Unmatched)
	}
	if report.Unread > 0 {
		fmt.Fprintf(c.out, "%d webhooks could not be read\n", report.Unread)
	}
	if len(report.Warnings) > 0 {
		fmt.Fprintf(c.out, "warning: %s\n", strings.Join(report.Warnings, "\nwarning: "))
	}
	return nil
}

func lasted(i *alerts.PastIssue) string {
	if i.EndedAt == nil {
		return "open"
	}
	return model.Duration(i.EndedAt.Sub(i.StartedAt).Round(time.Second)).String()
}
