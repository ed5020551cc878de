package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/statusbridge/statusbridge"
	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/web"
)

// startPatience is how long the start waits for the database before it serves
// the last good page without it.
const startPatience = 5 * time.Second

// secretSetting is where the generated webhook secret is kept; secretFile is
// its copy on disk, so that the doors open while the database is away.
const (
	secretSetting = "webhook_secret"
	secretFile    = "webhook.secret"
)

// LoadRules reads the rules file; while the default one does not exist, the
// built-in copy of the shipped rules stands in.
//
// channels are the names of the configured channels, see alerts.LoadRules.
func LoadRules(file string, channels ...string) (*status.Rules, error) {
	src, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && file == DefaultRules {
		return alerts.LoadRules("rules.yaml (built in)", statusbridge.Rules, channels...)
	}
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	return alerts.LoadRules(file, src, channels...)
}

// loadRules reads the rules for the channels that there are: new ones begin with
// the next start.
func (d *Daemon) loadRules(file string) (*status.Rules, error) {
	rules, err := LoadRules(file, d.cfg.ChannelNames()...)
	if err == nil {
		rules.Drafts = d.cfg.drafts()
	}
	return rules, err
}

// Reload reads configuration and rules anew. Bad ones change nothing: the old
// rules stay in force, and the error is shown to admins.
func (d *Daemon) Reload() error {
	d.reload.Lock()
	defer d.reload.Unlock()
	old := *d.rules.Load()
	cfg, err := d.cfg, error(nil)
	if d.opt.Reload != nil {
		cfg, err = d.opt.Reload()
	}
	var rules *status.Rules
	if err == nil {
		rules, err = d.loadRules(cfg.Rules)
	}
	if err != nil {
		old.Err = err
		d.rules.Store(&old)
		d.log.Error("reload refused, the old rules stay", "err", err)
		return err
	}
	if len(cfg.Webhook.Secret) > 0 {
		d.secrets.Store(&cfg.Webhook.Secret)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	if err := d.adopt(ctx, rules); err != nil {
		d.log.Warn("rules loaded, but not kept for the issues they open", "err", err)
	}
	d.rules.Store(&web.RulesState{Rules: rules, LoadedAt: d.clock.Now()})
	d.takeOver()
	d.log.Info("rules loaded", "file", rules.File, "hash", rules.Hash, "rules", len(rules.Rules))
	return nil
}

// prepare migrates and, on the first start, makes the admin and the secret. It
// reports whether the database was there: without it the daemon serves the
// last good page, takes webhooks into the journal and goes on trying.
func (d *Daemon) prepare(ctx context.Context) (ready bool, err error) {
	limit, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	if err := d.store.Ping(limit); err != nil {
		if d.store.Dialect() == "sqlite" {
			return false, fmt.Errorf("database %s: %w", d.cfg.Database, err)
		}
		d.log.Error("database does not answer; serving the last good page until it does", "err", err)
		return false, d.keptSecret()
	}
	return true, d.found(ctx)
}

// settleIn goes on trying what prepare could not do.
func (d *Daemon) settleIn(ctx context.Context, ready bool) error {
	for !ready {
		if err := d.clock.Wait(ctx, time.Second, nil); err != nil {
			return err
		}
		limit, cancel := context.WithTimeout(ctx, startPatience)
		if d.store.Ping(limit) == nil {
			err := d.found(ctx)
			ready = err == nil
			if err != nil {
				d.log.Error("database is back but not usable yet", "err", err)
			}
		}
		cancel()
	}
	return nil
}

// found lays the ground in a database that answers.
func (d *Daemon) found(ctx context.Context) (err error) {
	if d.opt.Migrate {
		n, err := d.store.Migrate(ctx)
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		if n > 0 {
			d.log.Info("schema migrated", "steps", n)
		}
	}
	if err := d.resume(ctx); err != nil {
		return err
	}
	d.fresh, err = d.webhookSecret(ctx)
	return err
}

// greet makes the first admin and says how to begin. It comes after the page is
// there: a password hash takes longer than all the rest of a start, and 19 MiB.
func (d *Daemon) greet(ctx context.Context) error {
	password, err := d.firstAdmin(ctx)
	if err != nil {
		return fmt.Errorf("first admin: %w", err)
	}
	if password != "" {
		d.welcome(password, d.fresh)
	}
	debug.FreeOSMemory() // a start needs more than what follows
	return nil
}

// resume prepares the core for going on where it stopped: the rules that opened
// issues stay known, and nothing resolves before the sources have answered.
func (d *Daemon) resume(ctx context.Context) error {
	state := *d.rules.Load()
	rules := *state.Rules // others may be reading the one in force
	if err := d.adopt(ctx, &rules); err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	state.Rules = &rules
	d.rules.Store(&state)
	now := d.clock.Now()
	_, err := d.store.Apply(ctx, now, func(b status.Board) (status.Changes, error) {
		return status.Started(b, state.Rules, now), nil
	})
	return err
}

// adopt keeps a version of the rules, and gives it those by which issues that
// are still open were opened.
func (d *Daemon) adopt(ctx context.Context, rules *status.Rules) error {
	if err := d.store.KeepRules(ctx, rules, d.clock.Now()); err != nil {
		return err
	}
	used, err := d.store.RulesInUse(ctx)
	if err != nil {
		return err
	}
	rules.Past = map[string]*status.Rules{}
	for _, v := range used {
		if v.Hash == rules.Hash {
			continue
		}
		past, err := alerts.LoadRules(v.File, []byte(v.Text), alerts.AnyChannel)
		if err != nil {
			// Written for an older release: the present rules take over.
			d.log.Warn("an earlier version of the rules is no longer understood", "hash", v.Hash, "err", err)
			continue
		}
		rules.Past[v.Hash] = past
	}
	return nil
}

// webhookSecret uses the configured secrets, or the stored one, or makes one.
// It returns the secret to show on a first start.
func (d *Daemon) webhookSecret(ctx context.Context) (string, error) {
	if list := d.cfg.Webhook.Secret; len(list) > 0 {
		return list[0], nil
	}
	secret, err := d.store.Setting(ctx, secretSetting)
	if errors.Is(err, status.ErrNotFound) {
		secret, err = d.store.SetSettingIfAbsent(ctx, secretSetting, newSecret())
	}
	if err != nil {
		return "", fmt.Errorf("webhook secret: %w", err)
	}
	list := []string{secret}
	d.secrets.Store(&list)
	file := filepath.Join(d.cfg.DataDir, secretFile)
	if kept, _ := os.ReadFile(file); string(kept) != secret {
		if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
			d.log.Warn("webhook secret not kept on disk; without the database webhooks will be refused", "err", err)
		}
	}
	return secret, nil
}

// KeptSecret is the webhook secret that the first start made and kept on disk.
func KeptSecret(cfg Config) (string, error) {
	kept, err := os.ReadFile(filepath.Join(cfg.DataDir, secretFile))
	return string(kept), err
}

// keptSecret opens the doors with the secret that an earlier start kept.
func (d *Daemon) keptSecret() error {
	if len(d.cfg.Webhook.Secret) > 0 {
		return nil
	}
	if kept, err := KeptSecret(d.cfg); err == nil {
		d.secrets.Store(&[]string{kept})
	}
	return nil
}

// firstAdmin makes admin@localhost when there is no account yet, and returns
// its password; "" when there was one.
func (d *Daemon) firstAdmin(ctx context.Context) (string, error) {
	accounts, err := d.store.Accounts(ctx)
	if err != nil || len(accounts) > 0 {
		return "", err
	}
	password := web.NewPassword()
	hash, err := web.HashPassword(password)
	if err != nil {
		return "", err
	}
	err = d.store.CreateAccount(ctx, status.Account{
		ID: NewID(), Email: FirstAdmin, Name: "Admin", Role: status.Admin, PasswordHash: hash, CreatedAt: d.clock.Now(),
	})
	var taken status.Invalid
	if errors.As(err, &taken) {
		return "", nil // another replica was faster and printed its password
	}
	return password, err
}

// FirstAdmin is the account of the first start.
const FirstAdmin = "admin@localhost"

// welcome prints, once, what a person needs to begin.
func (d *Daemon) welcome(password, secret string) {
	base := d.cfg.PublicURL
	local := "http://" + d.cfg.Listen
	fmt.Fprintf(d.opt.Out, `
statusbridge is set up. This is shown once; keep it.

  admin     %s  %s
  secret    %s
  page      %s/
  queue     %s/admin

Fire a test alert. It appears in the queue; publish it there and it is on the page:

  %s

`, FirstAdmin, password, secret, base, base, TestAlert(local, secret))
}

// TestAlert is a shell command that posts an alert which the shipped rules turn
// into a draft at once.
func TestAlert(base, secret string) string {
	return `curl -fsS -H 'Authorization: Bearer ` + secret + `' -H 'Content-Type: application/json' ` + cmp.Or(base, "http://127.0.0.1:8080") +
		`/hooks/alertmanager -d '{"version":"4","status":"firing","receiver":"statusbridge","alerts":[{"status":"firing",` +
		`"labels":{"alertname":"StatusbridgeTest","service":"example"},"annotations":{"summary":"A test alert"},` +
		`"startsAt":"'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'","endsAt":"0001-01-01T00:00:00Z"}]}'`
}

var letters = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)

func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, see its documentation
	return letters.EncodeToString(b)
}

// NewID makes an id that nobody can guess.
func NewID() string { return random(15) }

func newSecret() string { return random(25) }
