package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/statusbridge/statusbridge/internal/app/demo"
)

type demoCmd struct {
	Listen string `help:"Address to listen on; 127.0.0.1:8080, or a free port if that is taken." placeholder:"HOST:PORT"`
}

func (*demoCmd) Help() string {
	return `A made-up shop with 90 days behind it: its status page, an issue that is open, maintenance ahead. Fire an alert,
publish what it drafts, and look at the mail, the tweet and the banner that follow. Needs no configuration, sends
nothing anywhere, and leaves no file behind.

  statusbridge demo`
}

func (d *demoCmd) Run(c *cli) error {
	level := slog.LevelWarn // what a newcomer is to read is not between lines of a log
	if c.LogLevel != "" {
		if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
			return err
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	return demo.Run(ctx, demo.Options{Listen: d.Listen, Version: version(), Out: c.out, Log: log})
}
