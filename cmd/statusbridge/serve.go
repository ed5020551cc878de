package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/statusbridge/statusbridge/internal/app"
	"github.com/statusbridge/statusbridge/internal/web"
)

type serveCmd struct {
	Listen    string `help:"Address to listen on." placeholder:"HOST:PORT"`
	PublicURL string `name:"public-url" help:"Where visitors find the page." placeholder:"URL"`
	NoMigrate bool   `help:"Do not bring the schema up to date at start."`
}

func (s *serveCmd) Run(c *cli) error {
	flags := func(cfg *app.Config) {
		set(&cfg.Listen, s.Listen)
		set(&cfg.PublicURL, s.PublicURL)
	}
	load := func() (app.Config, error) { return c.config(flags) }
	cfg, err := load()
	if err != nil {
		return err
	}
	log, err := logger(cfg.Log)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	d, err := app.New(ctx, cfg, app.Options{
		Version: version(), Migrate: !s.NoMigrate, Out: c.out, Log: log, Reload: load,
		Settings: func() ([]web.Setting, error) { return c.explain(flags) },
	})
	if err != nil {
		return err
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	go func() {
		for {
			select {
			case <-hup:
				_ = d.Reload() // logged there, and shown to admins
			case <-ctx.Done():
				return
			}
		}
	}()
	return d.Run(ctx)
}
