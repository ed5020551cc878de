package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/app"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

type explainCmd struct {
	Issue  string `arg:"" help:"The id of an issue or a maintenance, as in its address."`
	All    bool   `help:"Also the webhooks that brought nothing new."`
	Output string `short:"o" enum:"text,json" default:"text" help:"text or json."`
}

func (*explainCmd) Help() string {
	return `What was decided and why, from the audit log, and between it what the webhooks said of the issue's alerts, as
long as they are kept (retention). Times are UTC.`
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
		head, i, err := headOf(ctx, s, e.Issue)
		if err != nil {
			return err
		}
		entries, err := s.Entries(ctx, e.Issue, 0)
		if err != nil {
			return err
		}
		// At the same moment, what was said comes before what was made of it.
		list, err := e.said(ctx, s, i)
		if err != nil {
			return err
		}
		for _, x := range slices.Backward(entries) { // the store lists the newest first
			list = append(list, explanation{x.At, x.Actor, x.Action, string(x.Reason), x.Detail, x.Before, x.After})
		}
		slices.SortStableFunc(list, func(a, b explanation) int { return a.At.Compare(b.At) })
		if e.Output == "json" {
			return json.NewEncoder(c.out).Encode(list)
		}
		fmt.Fprintln(c.out, head)
		for _, x := range list {
			fmt.Fprintf(c.out, "\n%s  %s %s: %s\n", x.At.UTC().Format("2006-01-02 15:04:05"), x.Actor, x.Action, x.Reason)
			told(c, "   ", x.Detail)
			told(c, "was", x.Before)
			told(c, "now", x.After)
		}
		return nil
	})
}

// before is how long before the start of an issue its alerts may have begun to
// come: a hold, and clocks that differ.
const before = time.Hour

// said lists what webhooks said of the alerts behind an issue.
func (e *explainCmd) said(ctx context.Context, s *store.Store, i status.Issue) ([]explanation, error) {
	out := []explanation{}
	if i.Rule == "" {
		return out, nil
	}
	from, to := i.StartedAt.Add(-before), app.Clock{}.Now()
	if !i.Open() {
		to = i.UpdatedAt.Add(time.Second)
	}
	track := status.TrackKey{Rule: i.Rule, Group: i.Group}
	err := s.EachWebhook(ctx, from, to, true, func(w status.Webhook) error {
		for _, o := range w.Outcomes {
			idle := o.Did == status.DidNothing || o.Did == status.DidDetails
			if !slices.Contains(o.Tracks, track) || idle && !e.All {
				continue
			}
			noun := "alerts"
			if o.Alerts == 1 {
				noun = "alert"
			}
			out = append(out, explanation{
				At: w.ReceivedAt, Actor: w.Source, Action: "reported", Reason: string(o.Did), Detail: fmt.Sprintf("%d %s, webhook %s", o.Alerts, noun, w.ID),
			})
		}
		return nil
	})
	return out, err
}

// told prints a text with its lines under one another.
func told(c *cli, label, text string) {
	if text != "" {
		fmt.Fprintf(c.out, "    %s  %s\n", label, strings.ReplaceAll(text, "\n", "\n         "))
	}
}

// headOf names what is explained.
func headOf(ctx context.Context, s *store.Store, id string) (string, status.Issue, error) {
	i, err := s.Issue(ctx, id)
	if err == nil {
		return fmt.Sprintf("%s (%s, %s, impact %s)%s", i.Title, i.Stage, i.State, i.Impact, ruleOf(i)), i, nil
	}
	if !errors.Is(err, status.ErrNotFound) {
		return "", i, err
	}
	m, err := s.Maintenance(ctx, id)
	if errors.Is(err, status.ErrNotFound) {
		return "", i, fmt.Errorf("there is no issue and no maintenance %s; its id is the last part of its address", id)
	}
	return fmt.Sprintf("%s (maintenance, %s)", m.Title, m.State), i, err
}

func ruleOf(i status.Issue) string {
	if i.Rule == "" {
		return ", opened by hand"
	}
	return ", by rule " + i.Rule + " for " + i.Group
}
