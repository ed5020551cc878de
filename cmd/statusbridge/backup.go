package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/statusbridge/statusbridge/internal/app"
	"github.com/statusbridge/statusbridge/internal/store"
)

type backupCmd struct {
	File string `arg:"" help:"A new file." type:"path"`
}

func (*backupCmd) Help() string {
	return `Copies the SQLite database while the daemon runs, and checks the copy. It holds secrets: only its owner may
read it. On PostgreSQL this prints the pg_dump line that does the same.

  statusbridge backup "statusbridge-$(date +%F).db"`
}

type restoreCmd struct {
	File  string `arg:"" help:"What backup wrote." type:"path"`
	Force bool   `help:"Replace a database that is there; it is kept under another name."`
}

func (*restoreCmd) Help() string {
	return `Puts a backup of the SQLite database in its place; stop the daemon first. On PostgreSQL this prints the
pg_restore line that does the same.

  statusbridge restore --force statusbridge-2026-11-25.db`
}

func (b *backupCmd) Run(c *cli) error {
	return c.move(existing, func(ctx context.Context, s *store.Store) error {
		bar := newProgress("bytes")
		defer bar.end()
		size, _ := s.Size(ctx) // only for the bar
		done := watchFile(ctx, b.File+store.PartialSuffix, size, bar)
		err := s.Backup(ctx, b.File)
		done()
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s is a whole copy; keep rules.yaml and statusbridge.yaml with it\n", b.File)
		return nil
	}, func(dsn string) { fmt.Fprintln(c.out, dumpLine(dsn, b.File)) })
}

func (r *restoreCmd) Run(c *cli) error {
	return c.move(store.Open, func(ctx context.Context, s *store.Store) error {
		bar := newProgress("bytes")
		kept, err := s.Restore(ctx, r.File, r.Force, bar.show)
		bar.end()
		if err != nil {
			return err
		}
		if kept != "" {
			fmt.Fprintf(c.out, "the database that was there is %s now\n", kept)
		}
		queued, err := s.Queued(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s is restored; start the daemon\n", r.File)
		if queued > 0 {
			fmt.Fprintf(c.out, "%d messages waited when the copy was made; they go out when the daemon starts, a second time if they went out since\n", queued)
		}
		return nil
	}, func(dsn string) { fmt.Fprintln(c.out, restoreLine(dsn, r.File, r.Force)) })
}

// move opens the configured database without a limit of time: how long a copy
// takes depends on its size. For PostgreSQL it calls line instead.
func (c *cli) move(open opener, do func(context.Context, *store.Store) error, line func(dsn string)) error {
	cfg, err := c.config(nil)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(cfg.Database, "sqlite:") {
		line(cfg.Database)
		return nil
	}
	if cfg.Database == "sqlite::memory:" {
		return errors.New("database: sqlite::memory: is gone when the daemon stops; there is nothing to copy")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := open(ctx, cfg.Database)
	if err != nil {
		return err
	}
	defer s.Close()
	return do(ctx, s)
}

// watchFile shows how a file grows to its size, until done is called.
func watchFile(ctx context.Context, file string, size int64, bar *progress) (done func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for (app.Clock{}).Wait(ctx, 200*time.Millisecond, nil) == nil {
			if info, err := os.Stat(file); err == nil && size > 0 {
				bar.show(int(min(info.Size(), size)), int(size))
			}
		}
	}()
	return func() { cancel(); <-ended }
}

func dumpLine(dsn, file string) string {
	return password(dsn) + "pg_dump --format=custom --no-owner --file=" + quoted(file) + " " + quoted(forLibpq(dsn))
}

func restoreLine(dsn, file string, force bool) string {
	clean := ""
	if force {
		clean = "--clean --if-exists "
	}
	return password(dsn) + "pg_restore --no-owner --single-transaction --exit-on-error " + clean + "--dbname=" + quoted(forLibpq(dsn)) + " " + quoted(file)
}

// password asks for one by name, because a secret has no place on a command
// line.
func password(dsn string) string {
	if u, err := url.Parse(dsn); err == nil && u.User != nil {
		if _, has := u.User.Password(); has {
			return `PGPASSWORD="$PASSWORD" `
		}
	}
	return ""
}

// forLibpq leaves out the password, and what only lib/pq understands.
func forLibpq(dsn string) string {
	scheme, rest, _ := strings.Cut(dsn, "://")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	if at := strings.LastIndex(rest[:end], "@"); at >= 0 {
		user, _, _ := strings.Cut(rest[:at], ":")
		rest = user + rest[at:]
	}
	path, query, _ := strings.Cut(rest, "?")
	if params, err := url.ParseQuery(query); err == nil {
		params.Del("binary_parameters")
		params.Del("password")
		if query = params.Encode(); query != "" {
			path += "?" + query
		}
	}
	return scheme + "://" + path
}

// quoted is one word of a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
