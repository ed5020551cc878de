package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/app"
	"github.com/statusbridge/statusbridge/internal/status"
)

type doctorCmd struct {
	Part   string `arg:"" optional:"" help:"alertmanager, newrelic, smtp, twitter, channels, database or rules; all if none is named."`
	Send   string `placeholder:"NAME" help:"Send a test message to this channel; with the part channels."`
	Output string `short:"o" enum:"text,json" default:"text" help:"text or json."`
}

func (*doctorCmd) Help() string {
	return `It reads the configuration here, and what the senders say of themselves; it changes nothing, and posts nothing without --send. Exit code 1 if
anything should be mended.

  statusbridge doctor alertmanager
  statusbridge doctor channels --send NAME`
}

// doctorTime bounds a look at everything.
const doctorTime = 2 * time.Minute

func (d *doctorCmd) Run(c *cli) error {
	cfg, err := c.config(nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), doctorTime)
	defer cancel()
	bar := newProgress("parts")
	var checks []status.Check
	switch {
	case d.Send == "":
		checks, err = app.Doctor(ctx, cfg, d.Part, bar.show)
	case d.Part != "channels":
		err = errors.New("--send belongs to: statusbridge doctor channels --send NAME")
	default:
		checks, err = app.SendTest(ctx, cfg, d.Send)
	}
	bar.end()
	if err != nil {
		return err
	}
	found := 0
	for _, one := range checks {
		if one.Finding() {
			found++
		}
	}
	if d.Output == "json" {
		err = json.NewEncoder(c.out).Encode(map[string]any{"checks": checks, "findings": found})
	} else {
		for _, one := range checks {
			show(c, one)
		}
	}
	if err == nil && found > 0 {
		return findings(found)
	}
	return err
}

func show(c *cli, one status.Check) {
	word := fmt.Sprintf("%-4s", one.State)
	switch one.State {
	case status.CheckOK:
		word = paint(c.out, green, word)
	case status.CheckWarn:
		word = paint(c.out, yellow, word)
	case status.CheckFail:
		word = paint(c.out, red, "FAIL")
	}
	fmt.Fprintf(c.out, "%s  %s: %s\n", word, one.Name, strings.ReplaceAll(one.What, "\n", "\n      "))
	if one.Mend != "" {
		fmt.Fprintf(c.out, "      mend: %s\n", one.Mend)
	}
}
