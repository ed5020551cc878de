package web

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Server answers HTTP.
type Server struct {
	cfg     Config
	site    site
	store   Store
	pages   Pages
	intake  Intake
	rules   func() RulesState
	reload  func(ctx context.Context) error
	mailMe  func(ctx context.Context, recipient string) (answer string, err error)
	channel func(ctx context.Context, name string, send bool) (said string, err error)
	tweet   func(ctx context.Context) (DryTweet, error)
	preview func(ctx context.Context, i status.Issue) (Preview, error)
	bounce  func(ctx context.Context, report []byte) (kept int, err error)
	clock   Clock
	log     *slog.Logger

	app       *fiber.App
	assets    assets
	views     views
	voices    voices
	metrics   *metrics
	passwords passwords
	vault     vault
	provider  *provider          // nil: nobody signs in elsewhere
	relying   *webauthn.WebAuthn // nil: there are no passkeys here
	askers    *limiter           // of subscriptions
	callers   *limiter           // of the API, by token
	strangers *limiter           // addresses that try tokens

	backtests backtests

	refused atomic.Int64 // connections beyond the limit of an address

	settings func(ctx context.Context) Settings // what is configured, and by whom

	guarded []guardedRoute // what the gate protects, for the tests

	done context.Context // ends when Shutdown begins to wait no more
	stop context.CancelFunc
}

// New builds the server; it listens only in Serve.
func New(cfg Config, deps Deps) *Server {
	s := &Server{
		cfg: cfg, site: parseSite(cfg.PublicURL),
		store: deps.Store, pages: deps.Pages, intake: deps.Intake,
		rules: deps.Rules, reload: deps.Reload, mailMe: deps.TestMail, channel: deps.TryChannel, tweet: deps.DryTweet, preview: deps.Preview, bounce: deps.Bounces, clock: deps.Clock, log: deps.Log,
		assets: loadAssets(), views: parseViews(), voices: loadVoices(cfg.PageLanguage), passwords: newPasswords(), backtests: backtests{home: randomToken()[:8]},
		askers: newLimiter(subscribeLimit, subscribeWindow), callers: newLimiter(callsEach, callsWindow), strangers: newLimiter(wrongTokens, callsWindow),
	}
	if s.preview == nil {
		s.preview = func(context.Context, status.Issue) (Preview, error) { return Preview{}, nil }
	}
	if s.settings = deps.Settings; s.settings == nil {
		s.settings = noSettings
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if cfg.OIDC.Issuer != "" {
		s.provider = newProvider(cfg.OIDC, s.site.origin+callbackPath, deps.Clock.Now)
	}
	s.vault = newVault(cfg.EncryptionKeys)
	s.relying = newRelyingParty(s.site, cfg.PageName)
	s.metrics = newMetrics(s)
	s.done, s.stop = context.WithCancel(context.Background())
	s.app = fiber.New(fiber.Config{
		Immutable:                    true, // else parameters are overwritten by later requests
		ErrorHandler:                 s.handleError,
		DisableStartupMessage:        true,
		DisablePreParseMultipartForm: true,
		CaseSensitive:                true,
		StrictRouting:                true,
		BodyLimit:                    bodyLimit,
		ReadBufferSize:               headerLimit,
		WriteBufferSize:              writeBuffer,
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
	})
	s.app.Server().HeaderReceived = s.limitBody
	if deps.Front != nil {
		s.app.Use(deps.Front(s))
	}
	s.route()
	if deps.Front == nil { // else what it adds must come to public pages too
		s.app.Server().Handler = s.front(s.app.Handler())
	}
	return s
}

// route is the whole table, in the order in which it is tried.
func (s *Server) route() {
	s.app.Use(s.servePublic)
	s.app.Use(s.losePatience)
	s.app.Use(refuseEncoded)

	// reached by address from inside, so any Host will do
	s.app.Get("/healthz", handleHealthz)
	s.app.Get("/readyz", s.handleReadyz)
	s.app.Get("/metrics", s.handleMetrics)
	for _, kind := range []string{"alertmanager", "newrelic"} {
		s.app.Post("/hooks/"+kind, s.handleWebhook(kind))
		s.app.Post("/hooks/"+kind+"/:source", s.handleWebhook(kind))
	}

	s.app.Post("/hooks/bounce", s.handleBounce)

	s.app.Use(s.refuseStrangeHost)
	s.app.Get(s.assets.stylesheet, s.serveStylesheet)
	s.app.Get(s.assets.script, serveScript(s.assets.js))
	s.app.Get(s.assets.passkeys, serveScript(s.assets.ceremonies))

	s.routeSubscriptions()
	s.routeAPI()
	s.routeAdmin()
	s.app.Options("/*", s.preflight)
	s.app.Get("/*", s.demandPublic)
	s.app.Use(s.nothingHere)
}

// rescue turns a handler's panic into an error: it must not end the daemon.
func (s *Server) rescue(c *fiber.Ctx, err *error) {
	if p := recover(); p != nil {
		s.log.Error("panic in a handler", "method", c.Method(), "path", c.Path(),
			"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		*err = fiber.ErrInternalServerError
	}
}

// patience bounds what any request may wait for.
const patience = 10 * time.Second

func (s *Server) losePatience(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(s.done, patience)
	defer cancel()
	c.SetUserContext(ctx)
	return c.Next()
}

// App is the Fiber application, for tests and for whoever embeds it.
func (s *Server) App() *fiber.App { return s.app }

// Serve answers on the listener until Shutdown.
func (s *Server) Serve(ln net.Listener) error {
	return s.app.Listener(unhurriedListener{newCrowdListener(patientListener{Listener: ln, clock: s.clock, log: s.log, done: s.done}, s)})
}

// Shutdown stops accepting and waits for requests under way, until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.stop()
	return s.app.ShutdownWithContext(ctx)
}
