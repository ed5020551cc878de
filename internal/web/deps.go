package web

import (
	"context"
	"html/template"
	"log/slog"
	"net/netip"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/pages"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// Config is what the operator chose.
type Config struct {
	// PublicURL is where visitors find the page. When its host is not a local
	// one, requests for other hosts are refused with 421.
	PublicURL string
	// WebhookSecrets lists the secrets that open the webhook doors, the newest
	// first; two live side by side while one is being replaced.
	WebhookSecrets func() []string
	// TrustedProxies are the networks whose X-Forwarded-For counts.
	TrustedProxies []netip.Prefix
	// ConnectionsPerAddress is how many connections one address may hold, 0 any;
	// trusted proxies and this machine are not counted.
	ConnectionsPerAddress int
	MailConfigured        bool
	TwitterConfigured     bool
	Channels              []string // names of the others
	OperatorChannels      []string // names of those that only operators read
	OperatorMail          bool     // some operators are told by mail
	ChannelKinds          map[string]string
	Webhooks              bool // programs may subscribe
	PrivateWebhooks       bool // at addresses of private networks, too
	PageName              string
	// Languages are those that mails are written in; PageLanguage is who chose
	// none.
	Languages    []Language
	PageLanguage string
	Version      string
	// RequireSecondFactor lets nobody do anything in the admin who signed in with
	// a password only, but set a second factor up.
	RequireSecondFactor bool
	// EncryptionKeys seal the secrets of authenticators, the newest first; without
	// any they are kept as they are.
	EncryptionKeys []string
	// PasswordsOff leaves signing in to the OpenID provider; only accounts in
	// BreakGlass still can with their passwords.
	PasswordsOff bool
	BreakGlass   []string // addresses
	OIDC         OIDC
}

// Language is a language that can be chosen.
type Language struct {
	Tag  string // BCP 47
	Name string // as its speakers call it
}

// Deps are the neighbours the server talks to.
type Deps struct {
	Store  Store
	Pages  Pages
	Intake Intake
	Rules  func() RulesState
	Reload func(ctx context.Context) error
	// Settings tells what is configured, and by whom; nil if nobody knows.
	Settings func(ctx context.Context) Settings
	// TestMail sends a mail to one address at once and tells the server's answer.
	TestMail func(ctx context.Context, recipient string) (answer string, err error)
	// TryChannel asks a chat or webhook whether it would take a message, or sends
	// one that says that it is a test, and tells what came of it.
	TryChannel func(ctx context.Context, name string, send bool) (said string, err error)
	// DryTweet shows what would be posted, and asks X about the keys. What is
	// known is in the answer even with an error.
	DryTweet func(ctx context.Context) (DryTweet, error)
	// Preview writes what publishing an issue would show and send; nil if nothing
	// can.
	Preview func(ctx context.Context, i status.Issue) (Preview, error)
	// Bounces keeps a report of a mail service. Its error is written for the
	// service's log.
	Bounces func(ctx context.Context, report []byte) (kept int, err error)
	Clock   Clock
	Log     *slog.Logger
	// Front comes before all else, even the public page; nil: nothing does. The
	// demo puts its own pages there.
	Front func(*Server) fiber.Handler
}

// DryTweet is a tweet that was not posted.
type DryTweet struct {
	Text          string
	Weight, Limit int    // as X counts
	Sample        bool   // about a made-up issue
	Account       string // that would post it
	Used, Budget  int    // tweets of this month; no budget is 0
}

// RulesState is the rules in force, and what became of the last reload.
type RulesState struct {
	Rules    *status.Rules
	LoadedAt time.Time
	Err      error // of the last reload; the rules before it stay in force
}

// Clock tells the time. Only package app knows the real one.
type Clock interface {
	Now() time.Time
	Wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error
}

// Pages hands out the public documents; *pages.Publisher satisfies it.
type Pages interface {
	Find(path string) *pages.Doc
	Demand(ctx context.Context, path string) (*pages.Doc, error)
	NotFound(path string) *pages.Doc
	Canonical(path string) string
	Late() (bool, time.Time)
	RenderTook() time.Duration
	Frame(lang, title string, body template.HTML) ([]byte, error)
	BannerBuild() (path, integrity string)
	BannerSample(name string, now time.Time) ([]byte, error)
}

// Intake takes webhooks in; *alerts.Intake satisfies it.
type Intake interface {
	Accept(ctx context.Context, kind, source string, body []byte) (alerts.Receipt, error)
	Stats() alerts.IntakeStats
}

// Store is all that is read and written; *store.Store satisfies it. The parts
// are grouped by who reads them.
type Store interface {
	writer
	issues
	calendar
	catalogue
	evidence
	alerts.Past // for back-tests
	outbox
	subscribers
	accounts
	factors
	passkeys
	identities
	tokens
	machines
	backoff
}

type writer interface {
	Apply(ctx context.Context, now time.Time, fn func(status.Board) (status.Changes, error), subjects ...string) (int64, error)
	Ping(ctx context.Context) error
}

type issues interface {
	Issue(ctx context.Context, id string) (status.Issue, error)
	Issues(ctx context.Context, q store.IssueQuery) ([]status.Issue, error)
	MergedInto(ctx context.Context, id string) ([]status.Issue, error)
	Entries(ctx context.Context, subject string, limit int) ([]status.Entry, error)
}

type calendar interface {
	Maintenance(ctx context.Context, id string) (status.Maintenance, error)
	Maintenances(ctx context.Context, limit int) ([]status.Maintenance, error)
	SeriesByID(ctx context.Context, ids []string) (map[string]status.MaintenanceSeries, error)
	SeriesGoing(ctx context.Context) ([]status.MaintenanceSeries, error)
}

type catalogue interface {
	Components(ctx context.Context) ([]status.Component, []status.Group, error)
	ComponentHistory(ctx context.Context, component string, w status.Window) ([]status.Issue, []status.Maintenance, error)
	Corrections(ctx context.Context, component string, limit int) ([]status.Correction, error)
	Templates(ctx context.Context) ([]status.Template, error)
	Template(ctx context.Context, id string) (status.Template, error)
	SaveTemplate(ctx context.Context, t status.Template) (status.Template, error)
	DeleteTemplate(ctx context.Context, id string, version int64) error
}

type evidence interface {
	IssueSignals(ctx context.Context, issueID string) ([]status.Signal, error)
	IssueTracks(ctx context.Context, issueID string) ([]status.TrackKey, error)
	TurningWebhooks(ctx context.Context, keys []status.TrackKey, from, to time.Time, limit int) ([]status.Webhook, error)
	Unmatched(ctx context.Context, limit int) ([]status.Signal, error)
	RuleSignals(ctx context.Context, rule string, limit int) ([]status.Signal, error)
	Webhook(ctx context.Context, id string) (status.Webhook, error)
	Webhooks(ctx context.Context, state status.WebhookState, limit int) ([]status.Webhook, error)
	LastWebhook(ctx context.Context, source string) (time.Time, error)
	Sources(ctx context.Context) ([]status.SourceState, error)
}

type outbox interface {
	DeliveryCounts(ctx context.Context) (map[string]map[status.DeliveryState]int, error)
	Deliveries(ctx context.Context, limit int) ([]status.Delivery, error)
	DeliveriesOf(ctx context.Context, dispatchID string, states []status.DeliveryState, limit int) ([]status.Delivery, error)
	Dispatches(ctx context.Context, subjectID string, limit int) ([]status.Dispatch, error)
	Dispatch(ctx context.Context, id string) (status.Dispatch, error)
	Retry(ctx context.Context, now time.Time, dispatchID, deliveryID string) (int, error)
	Channels(ctx context.Context) ([]status.ChannelState, error)
	PauseChannel(ctx context.Context, channel string, paused bool, who string) error
}

type subscribers interface {
	Subscribe(ctx context.Context, now time.Time, wish status.Subscriber) (status.Subscriber, error)
	SubscribeWebhook(ctx context.Context, now time.Time, wish status.Subscriber) (status.Subscriber, error)
	SubscriberByConfirmToken(ctx context.Context, token string) (status.Subscriber, error)
	ConfirmSubscriber(ctx context.Context, now time.Time, confirmToken string) (status.Subscriber, error)
	SubscriberByToken(ctx context.Context, token string) (status.Subscriber, error)
	SaveSubscriber(ctx context.Context, sub status.Subscriber) error
	Unsubscribe(ctx context.Context, token string) error
	SubscriberCount(ctx context.Context) (int, error)
	Programs(ctx context.Context, event status.Event, components []string) (int, error)
	Recipients(ctx context.Context, event status.Event, components []string) (int, error)
	Audience(ctx context.Context) (status.Audience, error)
	Subscribers(ctx context.Context, text string, limit int) ([]status.Subscriber, error)
	EachSubscriber(ctx context.Context, fn func([]status.Subscriber) error) error
	Import(ctx context.Context, now time.Time, rows []status.Subscriber, confirmed, dry bool) (int, error)
	EraseSubscriber(ctx context.Context, id string) error
}

type accounts interface {
	AccountByEmail(ctx context.Context, email string) (status.Account, error)
	AccountByID(ctx context.Context, id string) (status.Account, error)
	Accounts(ctx context.Context) ([]status.Account, error)
	CreateAccount(ctx context.Context, a status.Account) error
	SaveAccount(ctx context.Context, a status.Account) error
	TouchAccount(ctx context.Context, id string, login time.Time) error
	Sessions(ctx context.Context, accountID string) ([]status.Session, error)
	DeleteSessions(ctx context.Context, accountID string) error
	CreateSession(ctx context.Context, session status.Session) error
	Session(ctx context.Context, idHash string) (status.Session, status.Account, error)
	TouchSession(ctx context.Context, idHash string, seen time.Time) error
	DeleteSession(ctx context.Context, idHash string) error
}

type factors interface {
	Authenticator(ctx context.Context, accountID string) (status.Authenticator, error)
	Authenticators(ctx context.Context) ([]status.Authenticator, error)
	ProposeAuthenticator(ctx context.Context, accountID, secret string) error
	ConfirmAuthenticator(ctx context.Context, a status.Authenticator, hashes []string) error
	RemoveAuthenticator(ctx context.Context, accountID string) error
	ResealAuthenticator(ctx context.Context, accountID, was, sealed string) error
	TakeStep(ctx context.Context, accountID string, step int64) (bool, error)
	RecoveryCodes(ctx context.Context, accountID string) (int, error)
	ReplaceRecoveryCodes(ctx context.Context, accountID string, hashes []string) error
	TakeRecoveryCode(ctx context.Context, accountID, hash string) (bool, error)
	SaveChallenge(ctx context.Context, now time.Time, c status.Challenge) error
	Challenge(ctx context.Context, idHash, purpose string, now time.Time) (status.Challenge, error)
	TakeChallenge(ctx context.Context, idHash, purpose string, now time.Time) (status.Challenge, error)
	StrengthenSession(ctx context.Context, idHash string) error
}

type passkeys interface {
	Passkeys(ctx context.Context, accountID string) ([]status.Passkey, error)
	PasskeyCounts(ctx context.Context) (map[string]int, error)
	Passkey(ctx context.Context, id string) (status.Passkey, error)
	AddPasskey(ctx context.Context, p status.Passkey, most int) error
	UsePasskey(ctx context.Context, p status.Passkey) (bool, error)
	RemovePasskey(ctx context.Context, accountID, id string) error
	RemovePasskeys(ctx context.Context, accountID string) error
}

type identities interface {
	AccountOfIdentity(ctx context.Context, issuer, subject string) (accountID string, err error)
	LinkIdentity(ctx context.Context, issuer, subject, accountID string) error
}

type tokens interface {
	CreateToken(ctx context.Context, t status.Token) error
	Tokens(ctx context.Context) ([]status.Token, error)
	TokenByHash(ctx context.Context, hash string) (status.Token, error)
	TouchToken(ctx context.Context, id string, used time.Time) error
	RevokeToken(ctx context.Context, id string, now time.Time) error
}

// machines is what only the API reads and writes.
type machines interface {
	IssuesAfter(ctx context.Context, state status.IssueState, stage status.Stage, openOnly bool, after store.Place, limit int) ([]status.Issue, error)
	MaintenancesAfter(ctx context.Context, state status.MaintenanceState, after store.Place, limit int) ([]status.Maintenance, error)
	SubscribersAfter(ctx context.Context, text string, after store.Place, limit int) ([]status.Subscriber, error)
	Subscriber(ctx context.Context, id string) (status.Subscriber, error)
	ChangeSubscriber(ctx context.Context, id string, fn func(status.Subscriber) (status.Subscriber, error)) (status.Subscriber, error)
	EntriesAfter(ctx context.Context, subject string, after store.Spot, limit int) ([]status.Entry, []store.Spot, error)
	DispatchesAfter(ctx context.Context, subject string, after store.Place, limit int) ([]status.Dispatch, error)
	RecipientsAfter(ctx context.Context, dispatchID, after string, limit int) ([]status.Delivery, error)
	SignalsAfter(ctx context.Context, firing, unmatched bool, after status.SignalKey, limit int) ([]status.Signal, error)
	FiringCounts(ctx context.Context) (firing, unmatched int, err error)
	Promise(ctx context.Context, p store.Promise, lasting time.Duration) (first store.Promise, claimed bool, err error)
	KeepPromise(ctx context.Context, p store.Promise) error
	BreakPromise(ctx context.Context, name string) error
}

type backoff interface {
	LoginFailures(ctx context.Context, key string) (n int, last time.Time, err error)
	RecordLoginFailure(ctx context.Context, key string, at time.Time) error
	ClearLoginFailures(ctx context.Context, key string) error
}
