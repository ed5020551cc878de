package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/broadcast"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// patient is the set-up that is looked at.
type patient struct {
	cfg   Config
	store *store.Store // nil when the database does not answer
	err   error        // why not
}

// examiners look at one part each, in this order. To have another part looked
// at, add a line.
var examiners = []struct {
	part string
	look func(context.Context, *patient) []status.Check
}{
	{"database", lookAtDatabase},
	{"rules", lookAtRules},
	{alerts.KindAlertmanager, lookAtSources(alerts.KindAlertmanager)},
	{alerts.KindNewRelic, lookAtSources(alerts.KindNewRelic)},
	{"smtp", lookAtSMTP},
	{"twitter", lookAtTwitter},
	{"channels", lookAtChannels},
}

// DoctorParts lists what Doctor can look at.
func DoctorParts() []string {
	var out []string
	for _, e := range examiners {
		out = append(out, e.part)
	}
	return out
}

// Doctor looks at the running set-up from here: at one part, or at all if part
// is "". It changes nothing. told hears how many parts are done.
func Doctor(ctx context.Context, cfg Config, part string, told func(done, total int)) ([]status.Check, error) {
	if part != "" && !slices.Contains(DoctorParts(), part) {
		return nil, fmt.Errorf("there is nothing called %q to look at; there are %s", part, strings.Join(DoctorParts(), ", "))
	}
	p := &patient{cfg: cfg}
	if p.store, p.err = openExisting(ctx, cfg); p.err == nil {
		defer p.store.Close()
	}
	var out []status.Check
	for n, e := range examiners {
		if part == "" || part == e.part {
			out = append(out, e.look(ctx, p)...)
			told(n+1, len(examiners))
		}
	}
	return out, nil
}

// openExisting opens the database if it is there: looking must not create one.
func openExisting(ctx context.Context, cfg Config) (*store.Store, error) {
	s, err := store.OpenExisting(ctx, cfg.Database)
	if err != nil {
		return nil, err
	}
	limit, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	if err := s.Ping(limit); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func check(name string, state status.CheckState, mend, format string, args ...any) status.Check {
	return status.Check{Name: name, State: state, What: fmt.Sprintf(format, args...), Mend: mend}
}

func lookAtDatabase(ctx context.Context, p *patient) []status.Check {
	if p.err != nil {
		return []status.Check{check("database", status.CheckFail, "run this in the folder where statusbridge runs, start statusbridge once, or mend `database`", "%v", p.err)}
	}
	steps, err := p.store.MigrationStatus(ctx)
	if err != nil {
		return []status.Check{check("database", status.CheckFail, "", "%v", err)}
	}
	out := []status.Check{check("database", status.CheckOK, "", "%s answers", p.store.Dialect())}
	if pending := store.Pending(steps); len(pending) > 0 {
		out = append(out, check("database: schema", status.CheckFail, "run: statusbridge migrate up", "%d steps are missing", len(pending)))
	}
	if path, isFile := strings.CutPrefix(p.cfg.Database, "sqlite:"); isFile && runtime.GOOS != "windows" {
		if info, err := os.Stat(path); err == nil && info.Mode()&0o004 != 0 {
			out = append(out, check("database: file", status.CheckWarn, "run: chmod o-rwx "+path+"*", "everybody on this machine may read %s, which holds secrets", path))
		}
	}
	if segments, _ := filepath.Glob(filepath.Join(p.cfg.DataDir, "journal", "*.journal")); len(segments) > 0 {
		out = append(out, check("journal", status.CheckWarn, "it drains by itself once the daemon runs and the database answers", "webhooks wait in it for the database"))
	}
	if dead, err := p.store.Webhooks(ctx, status.WebhookDead, 1); err == nil && len(dead) > 0 {
		out = append(out, check("webhooks", status.CheckWarn, "see them in the admin under Alerts",
			"there are dead letters; the last came %s from %s and %s", dead[0].ReceivedAt.Format("2006-01-02 15:04"), dead[0].Source, dead[0].Verdict))
	}
	return out
}

// lookAtRules loads them, and finds the components they name in vain.
func lookAtRules(ctx context.Context, p *patient) []status.Check {
	rules, err := LoadRules(p.cfg.Rules, p.cfg.ChannelNames()...)
	if err != nil {
		return []status.Check{check("rules", status.CheckFail, "run: statusbridge rules check", "%v", err)}
	}
	out := []status.Check{check("rules", status.CheckOK, "", "%s: %d rules", rules.File, len(rules.Rules))}
	if p.store == nil {
		return out
	}
	components, _, err := p.store.Components(ctx)
	if err != nil {
		return append(out, check("rules: components", status.CheckFail, "", "%v", err))
	}
	known := map[string]bool{}
	for _, c := range components {
		known[c.Slug] = !c.Archived
	}
	var missing []string
	for _, slug := range alerts.ComponentsOf(rules) {
		if !known[slug] {
			missing = append(missing, slug)
		}
	}
	// Before the first component is made, the shipped rules name none in vain.
	if len(missing) > 0 && len(known) > 0 {
		out = append(out, check("rules: components", status.CheckWarn, "create them in the admin, or mend the rules", "no such component: %s", strings.Join(missing, ", ")))
	}
	return out
}

func lookAtSources(kind string) func(context.Context, *patient) []status.Check {
	return func(ctx context.Context, p *patient) []status.Check {
		rules, err := LoadRules(p.cfg.Rules, p.cfg.ChannelNames()...)
		if err != nil {
			return []status.Check{check(kind, status.CheckFail, "run: statusbridge rules check", "the rules cannot be loaded")}
		}
		cfg := alerts.DoctorConfig{
			Rules: rules, PublicURL: p.cfg.PublicURL, Getenv: os.Getenv, Now: Clock{}.Now,
		}
		if p.store != nil {
			cfg.LastWebhook = p.store.LastWebhook
			if cfg.States, err = p.store.Sources(ctx); err != nil {
				return []status.Check{check(kind, status.CheckFail, "", "%v", err)}
			}
		}
		return alerts.Doctor(ctx, kind, cfg)
	}
}

// dialTimeout bounds the look at a mail server.
const dialTimeout = 5 * time.Second

func lookAtSMTP(ctx context.Context, p *patient) []status.Check {
	if p.cfg.SMTP.URL == "" {
		return []status.Check{check("smtp", status.CheckOff, "", "smtp.url is not set: no mail")}
	}
	mail, err := p.cfg.mailer()
	if err != nil {
		return []status.Check{check("smtp", status.CheckFail, "", "%v", err)}
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	said, err := mail.Check(ctx)
	if err != nil {
		return []status.Check{check("smtp", status.CheckFail, "see that this machine may reach it and that the password is right; many providers block port 25", "%v", err)}
	}
	checks := []status.Check{check("smtp", status.CheckOK, "", "%s", said)}
	if strings.HasPrefix(p.cfg.PublicURL, "http://") && !localURL(p.cfg.PublicURL) {
		checks = append(checks, check("smtp", status.CheckWarn, "serve the page by https and set public_url",
			"public_url is not https: mail programs offer no one-click unsubscribe"))
	}
	return checks
}

// localURL reports whether only this machine reaches the URL: a trial.
func localURL(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && address.IsLoopback()
}

// lookAtTwitter asks X who the keys belong to. Nothing is posted.
func lookAtTwitter(ctx context.Context, p *patient) []status.Check {
	t := p.cfg.Twitter
	if t.ConsumerKey == "" || t.Mode == broadcast.TweetOff {
		return []status.Check{check("twitter", status.CheckOff, "", "not set up: no tweets")}
	}
	twitter, err := p.cfg.poster(nil)
	if err != nil {
		return []status.Check{check("twitter", status.CheckFail, "set all four keys under twitter", "%v", err)}
	}
	account, err := twitter.Verify(ctx)
	if err != nil {
		return []status.Check{check("twitter", status.CheckFail, "", "%v", err)}
	}
	out := []status.Check{check("twitter", status.CheckOK, "", "X knows the keys: they post as @%s", account)}
	if t.MonthlyPosts == 0 || p.store == nil {
		return out
	}
	used, err := p.store.Posts(ctx, status.ChannelTwitter, Clock{}.Now())
	switch {
	case err != nil:
		return append(out, check("twitter: budget", status.CheckFail, "", "%v", err))
	case used*10 >= t.MonthlyPosts*9:
		return append(out, check("twitter: budget", status.CheckWarn, "raise twitter.monthly_posts", "%d of %d tweets of this month are used up", used, t.MonthlyPosts))
	}
	return append(out, check("twitter: budget", status.CheckOK, "", "%d of %d tweets of this month are used", used, t.MonthlyPosts))
}
