package demo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/app"
	"github.com/statusbridge/statusbridge/internal/broadcast/smtpsink"
	"github.com/statusbridge/statusbridge/internal/broadcast/twitterfake"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
	"github.com/statusbridge/statusbridge/internal/web"
)

// Who is on call, and the webhook secret. It opens only this demo, which
// listens on this machine.
const (
	onCall    = "robin@example.com"
	secret    = "demo-secret"
	chartName = "API response time"
)

//go:embed rules.yaml
var rules []byte

// Options are what the command line says.
type Options struct {
	Listen  string // "" is 127.0.0.1:8080, or any free port when that is taken
	Version string
	Out     io.Writer
	Log     *slog.Logger
}

// Run serves the demo until ctx is done, and leaves nothing behind.
func Run(ctx context.Context, o Options) (err error) {
	dir, err := os.MkdirTemp("", "statusbridge-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	address, err := pick(o.Listen)
	if err != nil {
		return err
	}
	mailbox, err := smtpsink.Start(smtpsink.Options{})
	if err != nil {
		return err
	}
	defer mailbox.Close()
	x, err := twitterfake.Start(twitterfake.Options{Now: app.Clock{}.Now})
	if err != nil {
		return err
	}
	defer x.Close()
	cfg, err := configure(dir, address, mailbox.URL(), x.URL())
	if err != nil {
		return err
	}
	past, password, err := prepare(ctx, cfg)
	if err != nil {
		return err
	}
	defer past.Close()
	tour := newTour(cfg.PublicURL, past, mailbox, x, o.Log)
	d, err := app.New(ctx, cfg, app.Options{Version: o.Version, Migrate: true, Out: io.Discard, Log: o.Log, Front: tour.front})
	if err != nil {
		return err
	}
	greet(o.Out, cfg.PublicURL, password)
	return d.Run(ctx)
}

// pick finds the address to listen on.
func pick(listen string) (string, error) {
	candidates := []string{listen}
	if listen == "" {
		candidates = []string{"127.0.0.1:8080", "127.0.0.1:0"}
	}
	var last error
	for _, c := range candidates {
		ln, err := net.Listen("tcp", c)
		if err != nil {
			last = err
			continue
		}
		defer ln.Close()
		return ln.Addr().String(), nil
	}
	return "", fmt.Errorf("%w; name another with --listen 127.0.0.1:PORT", last)
}

// configure writes the configuration down and reads it, as a person would. It
// holds no address outside this machine.
func configure(dir, address, smtp, x string) (app.Config, error) {
	file := filepath.Join(dir, "rules.yaml")
	if err := os.WriteFile(file, rules, 0o600); err != nil {
		return app.Config{}, err
	}
	keys := twitterfake.TestKeys
	return app.LoadConfig(os.DevNull, nil, func(c *app.Config) {
		c.Listen, c.DataDir, c.Rules = address, dir, file
		c.Database = "sqlite:" + filepath.Join(dir, "statusbridge.db")
		c.Page.Name = "Example Shop"
		c.Webhook.Secret = []string{secret}
		c.SMTP.URL, c.SMTP.From, c.SMTP.Coalesce = smtp, "Example Shop <status@example.com>", "1s"
		c.SMTP.Operators = []string{onCall}
		c.Twitter.ConsumerKey, c.Twitter.ConsumerSecret = keys.ConsumerKey, keys.ConsumerSecret
		c.Twitter.AccessToken, c.Twitter.AccessSecret, c.Twitter.BaseURL = keys.AccessToken, keys.AccessSecret, x
		none := 0
		c.Charts = []app.Chart{{Name: chartName, Type: "prometheus", Query: "response_time", Unit: "ms", Decimals: &none, URL: "http://" + address + "/demo/prometheus"}}
	})
}

// prepare fills the database, and opens it for the tour to look at.
func prepare(ctx context.Context, cfg app.Config) (s *store.Store, password string, err error) {
	loaded, err := alerts.LoadRules("rules.yaml", rules)
	if err != nil {
		return nil, "", err
	}
	if s, err = store.Open(ctx, cfg.Database); err != nil {
		return nil, "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if _, err = s.Migrate(ctx); err != nil {
		return nil, "", err
	}
	now := app.Clock{}.Now()
	if err = s.KeepRules(ctx, loaded, now); err != nil {
		return nil, "", err
	}
	if err = seed(ctx, s, loaded, now); err != nil {
		return nil, "", err
	}
	password = web.NewPassword()
	hash, err := web.HashPassword(password)
	if err != nil {
		return nil, "", err
	}
	err = s.CreateAccount(ctx, status.Account{ID: app.NewID(), Email: onCall, Name: "Robin", Role: status.Admin, PasswordHash: hash, CreatedAt: now})
	return s, password, err
}

func greet(out io.Writer, base, password string) {
	fmt.Fprintf(out, `
The demo runs. Nothing leaves this machine; Ctrl-C ends it and leaves nothing behind.

  begin     %s/demo
  page      %s/
  admin     %s  %s

Fire an alert from here, or click the button:

  %s

`, base, base, onCall, password, curl(base))
}
