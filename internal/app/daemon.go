package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/common/model"
	"golang.org/x/sync/errgroup"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/broadcast"
	"github.com/statusbridge/statusbridge/internal/charts"
	"github.com/statusbridge/statusbridge/internal/pages"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
	"github.com/statusbridge/statusbridge/internal/web"
)

// drain is how long requests under way may take after SIGTERM.
const drain = 10 * time.Second

// Options are what the command line adds to the configuration.
type Options struct {
	Version string
	Migrate bool
	Out     io.Writer // where the first start prints its secrets
	Log     *slog.Logger
	// Reload reads the configuration anew; nil keeps it.
	Reload func() (Config, error)
	// Settings tells what is configured now, and by whom; nil if nobody knows.
	Settings func() ([]web.Setting, error)
	// Front comes before the daemon's own pages; nil: nothing does. For the demo.
	Front func(*web.Server) fiber.Handler
}

// Daemon is the whole program, put together.
type Daemon struct {
	cfg     Config
	opt     Options
	log     *slog.Logger
	clock   Clock
	store   *store.Store
	pages   *pages.Publisher
	intake  *alerts.Intake
	poller  *alerts.Poller
	sending *broadcast.Broadcaster
	mail    *broadcast.Email   // nil: no mail
	twitter *broadcast.Twitter // nil: no tweets
	charts  *charts.Collector
	web     *web.Server

	rules    atomic.Pointer[web.RulesState]
	secrets  atomic.Pointer[[]string]
	reload   sync.Mutex
	channels []*broadcast.Channel
	fresh    string                        // webhook secret to show on a first start
	given    atomic.Pointer[[]web.Setting] // in force
}

// New wires the daemon. It fails on what a person must mend first: bad rules, a
// directory that cannot be written, a SQLite file that cannot be opened. A
// PostgreSQL that does not answer is no reason not to serve the last good page.
func New(ctx context.Context, cfg Config, opt Options) (*Daemon, error) {
	d := &Daemon{cfg: cfg, opt: opt, log: opt.Log}
	if err := d.begin(); err != nil {
		return nil, err
	}
	rules, err := d.loadRules(cfg.Rules)
	if err != nil {
		return nil, err
	}
	d.rules.Store(&web.RulesState{Rules: rules, LoadedAt: d.clock.Now()})
	if err := os.MkdirAll(cfg.DataDir, 0o755); err != nil {
		return nil, fmt.Errorf("data_dir: %w", err)
	}
	d.secrets.Store(&cfg.Webhook.Secret)
	if d.store, err = store.Open(ctx, cfg.Database); err != nil {
		return nil, err
	}
	if err := d.wire(); err != nil {
		return nil, errors.Join(err, d.store.Close())
	}
	return d, nil
}

func (d *Daemon) wire() error {
	senders, err := d.senders()
	if err != nil {
		return err
	}
	measured, _ := d.cfg.charts()
	d.charts = charts.New(measured, d.store, d.clock, d.log)
	site, err := d.cfg.site()
	if err != nil {
		return err
	}
	if d.pages, err = pages.New(site, d.store, d.clock, d.log); err != nil {
		return fmt.Errorf("pages: %w", err)
	}
	rules := func() *status.Rules { return d.rules.Load().Rules }
	d.poller = alerts.NewPoller(alerts.PollerConfig{
		Rules: rules, Applier: d.store, Clock: d.clock, Log: d.log, Getenv: os.Getenv,
		Accept: func(ctx context.Context, kind, source string, body []byte) (alerts.Receipt, error) {
			return d.intake.Accept(ctx, kind, source, body)
		},
	})
	d.intake, err = alerts.NewIntake(alerts.IntakeConfig{
		Inbox: d.store, Applier: d.store, Rules: rules, Nudge: d.poller.Nudge,
		JournalDir: filepath.Join(d.cfg.DataDir, "journal"), Clock: d.clock, NewID: NewID, Log: d.log,
		Pace: intakePace,
	})
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	d.sending = broadcast.New(broadcast.Config{PublicURL: d.cfg.PublicURL}, d.store, d.store, senders, d.clock, d.log)
	proxies, err := d.cfg.proxies()
	if err != nil {
		return err
	}
	d.web = web.New(web.Config{
		PublicURL: d.cfg.PublicURL, WebhookSecrets: func() []string { return *d.secrets.Load() }, TrustedProxies: proxies, ConnectionsPerAddress: d.cfg.Limits.ConnectionsPerAddress,
		MailConfigured: d.cfg.SMTP.URL != "", TwitterConfigured: d.twitter != nil, Webhooks: d.cfg.Subscriptions.Webhooks, PrivateWebhooks: d.cfg.Subscriptions.AllowPrivate, Channels: d.cfg.ChannelNames(), OperatorChannels: d.cfg.OperatorChannels(), OperatorMail: len(d.cfg.SMTP.Operators) > 0, ChannelKinds: d.cfg.channelKinds(),
		PageName: d.cfg.Page.Name, Version: d.opt.Version, Languages: mailLanguages(), PageLanguage: d.cfg.Page.Language,
		RequireSecondFactor: d.cfg.Login.RequireSecondFactor, EncryptionKeys: d.cfg.Login.EncryptionKeys, PasswordsOff: !d.cfg.Login.Passwords,
		BreakGlass: d.cfg.Login.BreakGlass, OIDC: d.cfg.Login.OIDC.web(),
	}, web.Deps{
		Store: d.store, Pages: d.pages, Intake: d.intake, Rules: func() web.RulesState { return *d.rules.Load() },
		Reload: func(context.Context) error { return d.Reload() }, Clock: d.clock, Log: d.log,
		Settings: d.settings, TestMail: d.testMail, TryChannel: d.tryChannel, DryTweet: d.dryTweet, Preview: d.preview, Bounces: d.takeBounces, Front: d.opt.Front,
	})
	return nil
}

func (d *Daemon) senders() ([]broadcast.Sender, error) {
	var out []broadcast.Sender
	if d.cfg.SMTP.URL != "" {
		var err error
		if d.mail, err = d.cfg.mailer(); err != nil {
			return nil, err
		}
		out = append(out, d.mail)
		if len(d.cfg.SMTP.Operators) > 0 {
			operators, err := d.cfg.operatorMail()
			if err != nil {
				return nil, err
			}
			out = append(out, operators)
		}
	}
	if t := d.cfg.Twitter; t.ConsumerKey != "" && t.Mode != broadcast.TweetOff {
		var err error
		if d.twitter, err = d.cfg.poster(d.store); err != nil {
			return nil, err
		}
		out = append(out, d.twitter)
	}
	if d.cfg.Subscriptions.Webhooks {
		out = append(out, broadcast.NewWebhooks(broadcast.WebhooksConfig{
			PageName: d.cfg.Page.Name, PublicURL: d.cfg.PublicURL, AllowPrivate: d.cfg.Subscriptions.AllowPrivate,
		}, d.store))
	}
	var err error
	d.channels, err = d.cfg.channels()
	for _, channel := range d.channels {
		out = append(out, channel)
	}
	return out, err
}

// intakePace is what an alert may have to wait for others in a storm: little
// beside the hold of any rule, and enough that a commit carries many. A hundred
// webhooks a second are a storm to it; with half the pace they were not, and each
// cost visitors a transaction.
const intakePace = 50 * time.Millisecond

// Run serves until ctx is done, then drains: no new request is taken, those
// under way finish, and what is queued stays queued in the database.
func (d *Daemon) Run(ctx context.Context) error {
	defer d.store.Close()
	ln, err := net.Listen("tcp", d.cfg.Listen)
	if err != nil {
		advice := "set `listen` to a free port of this machine, such as 127.0.0.1:8081"
		if errors.Is(err, syscall.EADDRINUSE) {
			advice = "is another statusbridge running? otherwise " + advice
		}
		return fmt.Errorf("%w; %s", err, advice)
	}
	var scraped net.Listener
	if d.cfg.Metrics.Listen != "" {
		if scraped, err = net.Listen("tcp", d.cfg.Metrics.Listen); err != nil {
			return errors.Join(fmt.Errorf("%w; set `metrics.listen` to a free port", err), ln.Close())
		}
		defer scraped.Close()
	}
	ready, err := d.prepare(ctx)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	if ready && !d.pages.Resume() {
		if err = d.pages.Begin(ctx); err != nil {
			d.log.Warn("page not rendered yet", "err", err)
		}
	}
	if !ready || err != nil {
		d.pages.Recall()
	}
	d.log.Info("listening", "address", ln.Addr().String(), "public_url", d.cfg.PublicURL, "version", d.opt.Version)

	// Work outlives the listener: what was acknowledged while draining is
	// still processed or stays in the inbox.
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	g, work := errgroup.WithContext(work)
	g.Go(func() error { return d.web.Serve(ln) })
	if scraped != nil {
		g.Go(func() error { return d.web.ServeMetrics(work, scraped) })
	}
	g.Go(func() error { return d.reconcile(work, ready) })
	g.Go(func() error { return d.tick(work) })
	g.Go(func() error { return d.prune(work) })
	g.Go(func() error { return d.overhear(work) })
	g.Go(func() error { return d.spread(work) })
	g.Go(func() error { return d.charts.Run(work) })
	g.Go(func() error { return d.intake.Run(work) })
	g.Go(func() error { return d.watched(work, d.pages.Run) })
	g.Go(func() error { return d.watched(work, d.sending.Run) })
	g.Go(func() error {
		select {
		case <-ctx.Done():
		case <-work.Done():
		}
		d.log.Info("stopping")
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		err := d.web.Shutdown(limit)
		stopWork()
		return err
	})
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	d.log.Info("stopped")
	return nil
}

// reconcile waits until the database is there, then keeps asking the sources
// what they have.
func (d *Daemon) reconcile(ctx context.Context, ready bool) error {
	if err := d.settleIn(ctx, ready); err != nil {
		return err
	}
	if err := d.greet(ctx); err != nil {
		return err
	}
	return d.poller.Run(ctx)
}

// watched runs a level-triggered worker that each commit wakes.
func (d *Daemon) watched(ctx context.Context, run func(context.Context, <-chan struct{}) error) error {
	wake, stop := d.store.Changed()
	defer stop()
	return run(ctx, wake)
}

// tick lets the clock act: it sleeps until something is due, or a commit may
// have changed what is.
func (d *Daemon) tick(ctx context.Context) error {
	wake, stop := d.store.Changed()
	defer stop()
	for {
		pause := d.tickOnce(ctx)
		if err := d.clock.Wait(ctx, pause, wake); err != nil {
			return err
		}
	}
}

// overhearEvery is how soon the page shows what `statusbridge import` or another
// command wrote into the file of SQLite.
const overhearEvery = time.Second

// overhear asks SQLite for what other processes wrote.
func (d *Daemon) overhear(ctx context.Context) error {
	if d.store.Dialect() != "sqlite" {
		return nil // it is told
	}
	for {
		_ = d.store.Overhear(ctx) // who reads and writes says that the database fails
		if err := d.clock.Wait(ctx, overhearEvery, nil); err != nil {
			return err
		}
	}
}

// pruneEvery is how often old rows are looked for.
const pruneEvery = time.Hour

// prune keeps the database from growing for ever.
func (d *Daemon) prune(ctx context.Context) error {
	keep, err := model.ParseDuration(d.cfg.Retention)
	if err != nil {
		return err
	}
	for {
		n, err := d.store.Prune(ctx, d.clock.Now().Add(-time.Duration(keep)))
		if err == nil {
			_, err = d.store.PruneSamples(ctx, d.clock.Now())
		}
		if err != nil && ctx.Err() == nil {
			d.log.Warn("old rows not deleted, will try again", "err", err)
		} else if n > 0 {
			d.log.Info("old rows deleted", "rows", n, "older_than", d.cfg.Retention)
		}
		if err := d.clock.Wait(ctx, pruneEvery, nil); err != nil {
			return err
		}
	}
}

// The ticker's longest sleep, and the shortest after a failure or a deadline
// that another replica is about to serve.
const (
	tickAtLeast = 30 * time.Second
	tickAtMost  = 200 * time.Millisecond
)

func (d *Daemon) tickOnce(ctx context.Context) time.Duration {
	due, err := d.store.Due(ctx)
	now := d.clock.Now()
	switch {
	case err != nil:
		return tickAtMost * 5
	case due.IsZero():
		return tickAtLeast
	case due.After(now):
		return min(due.Sub(now), tickAtLeast)
	}
	_, err = d.store.Apply(ctx, now, func(b status.Board) (status.Changes, error) {
		return status.Tick(b, d.rules.Load().Rules, d.clock.Now()), nil
	})
	if err != nil && ctx.Err() == nil {
		d.log.Warn("tick not saved, will try again", "err", err)
		return tickAtMost * 5
	}
	return tickAtMost
}
