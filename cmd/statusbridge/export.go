package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/statusbridge/statusbridge/internal/app"
	"github.com/statusbridge/statusbridge/internal/moving"
	"github.com/statusbridge/statusbridge/internal/store"
)

type exportCmd struct {
	Dir    string        `arg:"" help:"A new folder, an empty one, or one of an earlier export, which is replaced whole." type:"path"`
	Format string        `enum:"site,json,csv" default:"site" help:"site: the public site; json or csv: everything in the database but secrets, a file for each table, into a new folder."`
	Every  time.Duration `help:"Go on and export again and again, such as 1m." placeholder:"DURATION"`
}

func (*exportCmd) Help() string {
	return `Writes every page, feed, API document, badge and asset, for any web server or a host of static sites, so that
there is a page even when this machine is gone. What has to be told to a server lies beside the files: _headers,
nginx.conf, Caddyfile. Forms need the daemon and are left out.

  statusbridge export --every 1m /srv/fallback/site

With --format json or csv it writes everything that the database knows, drafts, subscribers and alerts included, for
moving out or for a report. Passwords, tokens and keys stay here.

  statusbridge export --format csv statusbridge-data`
}

func (x *exportCmd) Run(c *cli) error {
	if x.Format != "site" {
		return x.takeOut(c)
	}
	if x.Every != 0 && x.Every < time.Second {
		return errors.New("--every: at least 1s")
	}
	cfg, err := c.config(nil)
	if err != nil {
		return err
	}
	log, err := logger(cfg.Log)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := existing(ctx, cfg.Database)
	if err != nil {
		return err
	}
	defer s.Close()
	to, err := app.NewExporter(cfg, s, log)
	if err != nil {
		return err
	}
	for {
		err := x.once(ctx, c, to)
		if x.Every == 0 || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return err
		}
		if err != nil { // the last export stays, the next may succeed
			log.Error("not exported", "err", err)
		}
		if (app.Clock{}).Wait(ctx, x.Every, nil) != nil {
			return nil
		}
	}
}

// once exports and says what came of it.
func (x *exportCmd) once(ctx context.Context, c *cli, to app.Exporter) error {
	bar := newProgress("documents")
	report, err := to.Export(ctx, x.Dir, bar.show)
	bar.end()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s  %d files in %s\n", app.Clock{}.Now().UTC().Format(time.RFC3339), report.Files, x.Dir)
	for _, link := range report.Dead {
		fmt.Fprintln(os.Stderr, "statusbridge: dead link:", link)
	}
	return nil
}

// takeOut writes the tables of the database.
func (x *exportCmd) takeOut(c *cli) error {
	if x.Every != 0 {
		return errors.New("--every repeats the export of the site only; name a new folder for each export of the data")
	}
	return c.withStoreFor(takeOutTime, existing, func(ctx context.Context, s *store.Store) error {
		files, err := moving.NewFiles(x.Dir, moving.Format(x.Format))
		if err != nil {
			return fmt.Errorf("export: %w", err)
		}
		bar := newProgress("rows")
		err = s.TakeOut(ctx, files, bar.show)
		bar.end()
		if err = errors.Join(err, files.Close()); err != nil {
			return fmt.Errorf("export: %w", err)
		}
		fmt.Fprintf(c.out, "%d rows in %d files in %s\n", files.Rows, files.Tables, x.Dir)
		return nil
	})
}

// takeOutTime bounds an export of the data.
const takeOutTime = 6 * time.Hour
