package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

type explainCmd struct {
	Issue  string `arg:"" help:"The id of an issue or a maintenance, as in its address."`
	Output string `short:"o" enum:"text,json" default:"text" help:"text or json."`
}

// explanation is one line of it, as machines read it.
type explanation struct {
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`
	Action string    `json:"action"`
	Reason string    `json:"reason"`
	Detail string    `json:"detail,omitempty"`
	Before string    `json:"before,omitempty"`
	After  string    `json:"after,omitempty"`
}

func (e *explainCmd) Run(c *cli) error {
	return c.withStore(func(ctx context.Context, s *store.Store) error {
		head, err := headOf(ctx, s, e.Issue)
		if err != nil {
			return err
		}
		entries, err := s.Entries(ctx, e.Issue, 0)
		if err != nil {
			return err
		}
		slices.Reverse(entries) // the store lists the newest first
		if e.Output == "json" {
			list := make([]explanation, len(entries))
			for n, x := range entries {
				list[n] = explanation{x.At, x.Actor, x.Action, string(x.Reason), x.Detail, x.Before, x.After}
			}
			return json.NewEncoder(c.out).Encode(list)
		}
		fmt.Fprintln(c.out, head)
		for _, x := range entries {
			fmt.Fprintf(c.out, "\n%s  %s %s: %s\n", x.At.UTC().Format("2006-01-02 15:04:05"), x.Actor, x.Action, x.Reason)
			told(c, "   ", x.Detail)
			told(c, "was", x.Before)
			told(c, "now", x.After)
		}
		return nil
	})
}

// told prints a text with its lines under one another.
func told(c *cli, label, text string) {
	if text != "" {
		fmt.Fprintf(c.out, "    %s  %s\n", label, strings.ReplaceAll(text, "\n", "\n         "))
	}
}

// headOf names what is explained.
func headOf(ctx context.Context, s *store.Store, id string) (string, error) {
	i, err := s.Issue(ctx, id)
	if err == nil {
		return fmt.Sprintf("%s (%s, %s, impact %s)%s", i.Title, i.Stage, i.State, i.Impact, ruleOf(i)), nil
	}
	if !errors.Is(err, status.ErrNotFound) {
		return "", err
	}
	m, err := s.Maintenance(ctx, id)
	if errors.Is(err, status.ErrNotFound) {
		return "", fmt.Errorf("there is no issue and no maintenance %s; its id is the last part of its address", id)
	}
	return fmt.Sprintf("%s (maintenance, %s)", m.Title, m.State), err
}

func ruleOf(i status.Issue) string {
	if i.Rule == "" {
		return ", opened by hand"
	}
	return ", by rule " + i.Rule + " for " + i.Group
}
