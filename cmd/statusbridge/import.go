package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/statusbridge/statusbridge/internal/app"
	"github.com/statusbridge/statusbridge/internal/moving"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

type importCmd struct {
	Statuspage importStatuspage `cmd:"" help:"From Atlassian Statuspage: its address, documents of its API, its CSV of subscribers."`
	Cachet     importCachet     `cmd:"" help:"From Cachet 2: its address, or lists of its API."`
	Atom       importAtom       `cmd:"" help:"From an Atom feed: its past, an entry an incident."`
}

// importFlags are the same for all.
type importFlags struct {
	Sources []string `arg:"" name:"source" help:"Addresses and files, several at once."`
	Apply   bool     `xor:"how" help:"Do it. Without this nothing is changed."`
	DryRun  bool     `xor:"how" help:"Only say what would become of everything; so it is anyway without --apply."`
	Output  string   `short:"o" enum:"text,json" default:"text" help:"text or json."`
}

const importHelp = `Says of each group, component, incident, maintenance and subscriber whether it is created, skipped or failed, and
why. Nothing is changed without --apply. Once more it takes over what is new. Nobody is told about anything. Exit code 1
if something failed.

`

type importStatuspage struct {
	importFlags
	Ask bool `help:"Ask subscribers by mail before they get anything; otherwise those who confirmed there are confirmed here."`
}

func (*importStatuspage) Help() string {
	return importHelp + `  statusbridge import statuspage https://status.example.com
  statusbridge import statuspage --apply components.json incidents-*.json subscribers.csv`
}

type importCachet struct {
	importFlags
	TimeZone string `default:"UTC" help:"Of Cachet's times, which name none." placeholder:"ZONE"`
}

func (*importCachet) Help() string {
	return importHelp + `  statusbridge import cachet --time-zone Europe/Berlin https://cachet.example.com`
}

type importAtom struct{ importFlags }

func (*importAtom) Help() string {
	return importHelp + `  statusbridge import atom --apply https://status.example.com/history.atom`
}

func (i *importStatuspage) Run(c *cli) error {
	return i.run(c, i.Ask, func(ctx context.Context) (moving.Page, error) {
		var lists, documents []moving.Source
		sources, err := moving.ReadStatuspage(ctx, i.Sources)
		if err != nil {
			return moving.Page{}, err
		}
		for _, s := range sources {
			if strings.HasSuffix(s.Name, ".csv") {
				lists = append(lists, s)
			} else {
				documents = append(documents, s)
			}
		}
		page, err := moving.Statuspage(documents...)
		if err != nil {
			return page, err
		}
		for _, list := range lists {
			p, err := moving.Subscribers(list, page.Components)
			if err != nil {
				return page, err
			}
			page.Merge(p)
		}
		return page, nil
	})
}

func (i *importCachet) Run(c *cli) error {
	zone, err := time.LoadLocation(i.TimeZone)
	if err != nil {
		return fmt.Errorf("--time-zone: %q is no zone such as Europe/Berlin", i.TimeZone)
	}
	return i.run(c, false, func(ctx context.Context) (moving.Page, error) {
		sources, err := moving.ReadCachet(ctx, i.Sources)
		if err != nil {
			return moving.Page{}, err
		}
		return moving.Cachet(zone, sources...)
	})
}

func (i *importAtom) Run(c *cli) error {
	return i.run(c, false, func(ctx context.Context) (moving.Page, error) {
		var sources []moving.Source
		for _, name := range i.Sources {
			s, err := moving.Read(ctx, name)
			if err != nil {
				return moving.Page{}, err
			}
			sources = append(sources, s)
		}
		return moving.Atom(sources...)
	})
}

// importTime bounds an import.
const importTime = 6 * time.Hour

func (i *importFlags) run(c *cli, ask bool, read func(context.Context) (moving.Page, error)) error {
	var landings []status.Landing
	open := store.Open
	if !i.Apply {
		open = imagined
	}
	err := c.withStoreFor(importTime, open, func(ctx context.Context, s *store.Store) error {
		page, err := read(ctx)
		if err != nil {
			return fmt.Errorf("import: %w; nothing was changed", err)
		}
		if i.Apply {
			if _, err := s.Migrate(ctx); err != nil {
				return err
			}
		}
		bar := newProgress("things")
		defer bar.end()
		move := moving.Move{Store: s, Now: app.Clock{}.Now(), Dry: !i.Apply, Ask: ask, Progress: bar.show}
		landings, err = move.In(ctx, page)
		if err != nil {
			return fmt.Errorf("import: %w; say it again to go on where it stopped", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return i.print(c, landings)
}

// imagined opens a database for a dry run. Where none is, or nothing in it, it is one
// without a file: what would become of everything can be said before the first start.
func imagined(ctx context.Context, dsn string) (*store.Store, error) {
	s, err := store.OpenExisting(ctx, dsn)
	if errors.Is(err, store.ErrNoDatabase) {
		return blank(ctx)
	}
	if err != nil || s.Ping(ctx) != nil {
		return s, err
	}
	steps, err := s.MigrationStatus(ctx)
	pending := len(store.Pending(steps))
	if err == nil && pending == 0 {
		return s, nil
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return nil, err
	}
	if pending == len(steps) {
		return blank(ctx)
	}
	return nil, fmt.Errorf("%d steps of the schema are missing, and a dry run changes nothing: say `statusbridge migrate up` first, or --apply", pending)
}

// blank is a database without a file.
func blank(ctx context.Context) (*store.Store, error) {
	s, err := store.Open(ctx, "sqlite::memory:")
	if err != nil {
		return nil, err
	}
	if _, err := s.Migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (i *importFlags) print(c *cli, landings []status.Landing) error {
	count := map[status.Fate]int{}
	t := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	for _, l := range landings {
		count[l.Fate]++
		if i.Output == "text" {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", l.Fate, l.Kind, l.ID, status.Clip(l.Name, 60), l.Why)
		}
	}
	failed := count[status.FateFailed]
	if i.Output == "json" {
		err := json.NewEncoder(c.out).Encode(map[string]any{
			"applied": i.Apply, "created": count[status.FateCreated], "skipped": count[status.FateSkipped], "failed": failed, "items": landings,
		})
		return errors.Join(err, failures(failed))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "\n%d created, %d skipped, %d failed\n", count[status.FateCreated], count[status.FateSkipped], failed)
	if !i.Apply {
		fmt.Fprintln(c.out, "this was a dry run, nothing was changed; --apply does it")
	}
	return failures(failed)
}

// failures is an error for one or more.
func failures(n int) error {
	if n == 0 {
		return nil
	}
	return findings(n)
}
