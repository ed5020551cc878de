package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/statusbridge/statusbridge/internal/app"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
	"github.com/statusbridge/statusbridge/internal/web"
)

type tokenCmd struct {
	Create tokenCreate `cmd:"" help:"Create an API token. It is printed once."`
	List   tokenList   `cmd:"" help:"List the API tokens."`
	Revoke tokenRevoke `cmd:"" help:"Revoke an API token at once."`
}

// commandLine is who does what commands do, in the audit log.
const commandLine = "command line"

type tokenCreate struct {
	Name    string   `arg:"" help:"What it is for."`
	Scopes  []string `name:"scope" default:"read" help:"What it may do: read, issues:write, maintenance:write, components:write, subscribers:write, rules:write, admin. Several are separated by commas."`
	Expires string   `help:"How long it is valid, such as 90d; for ever when left out." placeholder:"DURATION"`
}

func (t *tokenCreate) Run(c *cli) error {
	now := app.Clock{}.Now()
	secret, hash := web.NewToken()
	token := status.Token{ID: app.NewID(), Name: strings.TrimSpace(t.Name), Hash: hash, CreatedBy: commandLine, CreatedAt: now}
	for _, s := range t.Scopes {
		token.Scopes = append(token.Scopes, status.TokenScope(s))
	}
	if t.Expires != "" {
		d, err := model.ParseDuration(t.Expires)
		if err != nil {
			return fmt.Errorf("expires: %q is no duration such as 90d", t.Expires)
		}
		token.ExpiresAt = now.Add(time.Duration(d))
	}
	if err := token.Check(now); err != nil {
		return err
	}
	return c.withStoreFor(quick, store.Open, func(ctx context.Context, s *store.Store) error {
		if _, err := s.Migrate(ctx); err != nil {
			return err
		}
		if err := s.CreateToken(ctx, token); err != nil {
			return err
		}
		if err := record(ctx, s, "created a token", token.Name+" with "+strings.Join(t.Scopes, ", ")); err != nil {
			return err
		}
		fmt.Fprintln(c.out, secret)
		return nil
	})
}

// record writes what a command did to the audit log.
func record(ctx context.Context, s *store.Store, action, detail string) error {
	now := app.Clock{}.Now()
	_, err := s.Apply(ctx, now, func(status.Board) (status.Changes, error) {
		return status.Record(commandLine, action, detail, now), nil
	})
	return err
}

type tokenList struct{}

func (tokenList) Run(c *cli) error {
	return c.withStore(func(ctx context.Context, s *store.Store) error {
		tokens, err := s.Tokens(ctx)
		if err != nil {
			return err
		}
		now := app.Clock{}.Now()
		for _, t := range tokens {
			fmt.Fprintf(c.out, "%s  %-24s  %-40s  %s\n", t.ID, t.Name, scopesOf(t), stateOf(t, now))
		}
		if len(tokens) == 0 {
			fmt.Fprintln(c.out, "there are no tokens; `statusbridge token create NAME` makes one")
		}
		return nil
	})
}

func scopesOf(t status.Token) string {
	var list []string
	for _, s := range t.Scopes {
		list = append(list, string(s))
	}
	return strings.Join(list, ",")
}

func stateOf(t status.Token, now time.Time) string {
	date := func(what string, t time.Time) string { return what + " " + t.UTC().Format(time.RFC3339) }
	switch {
	case !t.RevokedAt.IsZero():
		return date("revoked", t.RevokedAt)
	case !t.Valid(now):
		return date("expired", t.ExpiresAt)
	case t.LastUsedAt.IsZero():
		return "never used"
	}
	return date("last used", t.LastUsedAt)
}

type tokenRevoke struct {
	Token string `arg:"" name:"token" help:"Its name or id."`
}

func (t *tokenRevoke) Run(c *cli) error {
	return c.withStore(func(ctx context.Context, s *store.Store) error {
		tokens, err := s.Tokens(ctx)
		if err != nil {
			return err
		}
		now := app.Clock{}.Now()
		for _, known := range tokens {
			if known.ID != t.Token && known.Name != t.Token || !known.RevokedAt.IsZero() {
				continue
			}
			if err := s.RevokeToken(ctx, known.ID, now); err != nil {
				return err
			}
			if err := record(ctx, s, "revoked a token", known.Name); err != nil {
				return err
			}
			fmt.Fprintf(c.out, "%s is revoked\n", known.Name)
			return nil
		}
		return errors.New("there is no token " + t.Token + " that could be revoked; `statusbridge token list` shows them")
	})
}
