// Command statusbridge turns monitoring alerts into honest, human-controlled
// public status. `statusbridge help` lists what it can do.
package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/statusbridge/statusbridge/internal/app"
	"github.com/statusbridge/statusbridge/internal/web"
)

// The exit codes of CONTRACT.
const (
	exitDone    = 0
	exitFailure = 1
	exitUsage   = 2
)

// cli is the whole command line; each command has a file of its own.
type cli struct {
	Config   string `help:"Configuration file; ./statusbridge.yaml if it exists." placeholder:"FILE" type:"path"`
	Database string `help:"sqlite:PATH or postgres://…" placeholder:"DSN"`
	DataDir  string `help:"Where the journal and the last good page are kept." placeholder:"DIR"`
	Rules    string `help:"Which alerts become which issues." placeholder:"FILE"`
	LogLevel string `help:"debug, info, warn or error." placeholder:"LEVEL"`

	Serve   serveCmd   `cmd:"" default:"withargs" help:"Run the daemon (the default)."`
	Demo    demoCmd    `cmd:"" help:"Try it: a made-up status page with a past, and an alert to fire."`
	Migrate migrateCmd `cmd:"" help:"Bring the database schema up to date, or show where it is."`
	RulesDo rulesCmd   `cmd:"" name:"rules" help:"Check rules.yaml and explain what it does with an alert."`
	Explain explainCmd `cmd:"" help:"Show every transition of an issue and its cause."`
	Doctor  doctorCmd  `cmd:"" help:"Look at the running set-up and say what to mend."`
	Setup   setupCmd   `cmd:"" help:"Set up what sends alerts here."`
	Bounce  bounceCmd  `cmd:"" help:"Read a mail that came back from standard input, and stop writing to dead addresses."`
	Admin   adminCmd   `cmd:"" help:"Manage the accounts of the admin."`
	Token   tokenCmd   `cmd:"" help:"Manage the API tokens of programs."`
	Show    configCmd  `cmd:"" name:"config" help:"Show the effective configuration, or what can be set."`
	Export  exportCmd  `cmd:"" help:"Write the public site as static files, for a CDN or a fallback host."`
	Import  importCmd  `cmd:"" help:"Take over components, incidents, maintenance and subscribers from another status page."`
	Backup  backupCmd  `cmd:"" help:"Copy the database while the daemon runs."`
	Restore restoreCmd `cmd:"" help:"Put a backup in the place of the database."`
	Version versionCmd `cmd:"" help:"Print the version."`

	Completion completionCmd `cmd:"" help:"Print what completes commands in a shell."`

	out io.Writer
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	c := &cli{out: stdout}
	if n := len(args); n > 0 && args[n-1] == "help" {
		args = append(args[:n-1:n-1], "--help")
	}
	exited := -1
	parser, err := kong.New(c,
		kong.Name("statusbridge"),
		kong.Description("Turns monitoring alerts into honest, human-controlled public status."),
		kong.UsageOnError(),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		fmt.Fprintln(stderr, "statusbridge:", err)
		return exitFailure
	}
	ctx, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		complain(stderr, misread(parser, args, err))
		return exitUsage
	}
	if err := ctx.Run(c); err != nil {
		var quiet findings
		if !errors.As(err, &quiet) {
			complain(stderr, strings.TrimSpace(err.Error()))
		}
		return exitFailure
	}
	return exitDone
}

// findings is a failure whose report is already printed.
type findings int

func (f findings) Error() string { return fmt.Sprintf("%d findings", int(f)) }

// config reads the configuration with the flags of every command on top.
func (c *cli) config(more func(*app.Config)) (app.Config, error) {
	return app.LoadConfig(c.Config, os.Environ(), c.flags(more))
}

// explain says where each setting of that configuration comes from.
func (c *cli) explain(more func(*app.Config)) ([]web.Setting, error) {
	return app.Explain(c.Config, os.Environ(), c.flags(more))
}

func (c *cli) flags(more func(*app.Config)) func(*app.Config) {
	return func(cfg *app.Config) {
		set(&cfg.Database, c.Database)
		set(&cfg.DataDir, c.DataDir)
		set(&cfg.Rules, c.Rules)
		set(&cfg.Log.Level, c.LogLevel)
		if more != nil {
			more(cfg)
		}
	}
}

func set(to *string, flag string) {
	if flag != "" {
		*to = flag
	}
}

// logger writes text to a terminal and JSON anywhere else, unless told.
func logger(cfg app.Log) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Level)); err != nil {
		return nil, fmt.Errorf("log.level: %q is not debug, info, warn or error", cfg.Level)
	}
	opt := &slog.HandlerOptions{Level: level}
	switch {
	case cfg.Format == "json", cfg.Format == "" && !terminal(os.Stderr):
		return slog.New(slog.NewJSONHandler(os.Stderr, opt)), nil
	case cfg.Format == "text", cfg.Format == "":
		return slog.New(slog.NewTextHandler(os.Stderr, opt)), nil
	}
	return nil, fmt.Errorf("log.format: %q is neither text nor json", cfg.Format)
}

func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
