package app

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // the container has no zone files

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v4"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/status"
)

// Config is everything an operator can set. CONTRACT: each key is also an
// environment variable, STATUSBRIDGE_ and the path in upper case with _ between
// its parts. Fields marked secret are masked when printed, and may be
// "file:PATH" to be read from there.
type Config struct {
	Listen    string    `yaml:"listen" unit:"address and port" help:"where it listens; 0.0.0.0:8080 is every network"`
	PublicURL string    `yaml:"public_url" unit:"URL" help:"how visitors reach the page: links in mail and feeds begin with it, and other Host names are refused; it has no path; 'http://' and 'listen' if left out"`
	Database  string    `yaml:"database" secret:"url" unit:"'sqlite:' and a file, or 'postgres://user:password@host/name'" help:"where everything is kept"`
	DataDir   string    `yaml:"data_dir" unit:"folder" help:"journal and last good page; in a container it must outlive it"`
	Rules     string    `yaml:"rules" unit:"file" help:"which alerts become which issues, see [rules](rules.md); the shipped rules stand in while there is no such file"`
	Retention string    `yaml:"retention" unit:"duration, 1h or more" help:"how long webhooks, and messages that are done, are kept"`
	Page      Page      `yaml:"page"`
	Webhook   Webhook   `yaml:"webhook"`
	Proxy     Proxy     `yaml:"proxy"`
	Limits    Limits    `yaml:"limits"`
	Login     Login     `yaml:"login"`
	SMTP      SMTP      `yaml:"smtp"`
	Twitter   Twitter   `yaml:"twitter"`
	Charts    []Chart   `yaml:"charts"`
	Channels  []Channel `yaml:"channels"`
	Drafts    Drafts    `yaml:"drafts"`

	Subscriptions Subscriptions `yaml:"subscriptions"`
	Metrics       Metrics       `yaml:"metrics"`
	Log           Log           `yaml:"log"`
}

// Page is how the public page presents itself.
type Page struct {
	Name       string   `yaml:"name" help:"the heading, and how mail and feeds call the page"`
	TimeZone   string   `yaml:"time_zone" unit:"zone, such as 'Europe/Berlin'" help:"for days and times on the page"`
	Language   string   `yaml:"language" unit:"'en', 'de', 'es', 'fr', 'ja' or 'pt-BR'" help:"the language of the page at '/'"`
	Languages  []string `yaml:"languages" help:"others that the page can be read in, such as at '/de/'; all if left out"`
	Logo       string   `yaml:"logo" unit:"file: SVG, PNG, JPEG or WebP" help:"stands before the name"`
	Accent     string   `yaml:"accent" unit:"colour, such as '#0b5fff'" help:"of links and buttons"`
	CSS        string   `yaml:"css" unit:"file" help:"added to the stylesheet, see [the public page](public-page.md)"`
	SupportURL string   `yaml:"support_url" unit:"URL" help:"where visitors find help"`
	// SecurityContact are the addresses in security.txt, mailto: or https:.
	SecurityContact []string `yaml:"security_contact" unit:"'mailto:' or 'https:'" help:"for '/.well-known/security.txt'"`
	Weights         Weights  `yaml:"weights"`
}

// Weights say how much of an outage counts as downtime, 0 to 1. Maintenance
// never counts.
type Weights struct {
	Major    float64 `yaml:"major" unit:"0 to 1" help:"how much of a major outage counts as downtime"`
	Partial  float64 `yaml:"partial" unit:"0 to 1" help:"how much of a partial outage counts"`
	Degraded float64 `yaml:"degraded" unit:"0 to 1" help:"how much of degraded performance counts"`
}

func (w Weights) status() status.Weights {
	return status.Weights{
		status.MajorOutage: w.Major, status.PartialOutage: w.Partial, status.DegradedPerformance: w.Degraded,
	}
}

// Webhook guards the doors. Several secrets are valid at once, for rotation.
type Webhook struct {
	Secret []string `yaml:"secret" secret:"whole" help:"what senders of alerts must say; the first start makes one if left out; an old and a new one may stand side by side while you change them"`
}

// Proxy names the networks whose X-Forwarded-For is believed.
type Proxy struct {
	Trusted []string `yaml:"trusted" unit:"networks or addresses, such as '10.0.0.0/8'" help:"whose 'X-Forwarded-For' is believed, see [deploying](deploy.md)"`
}

// Limits keep one client from taking what all need.
type Limits struct {
	ConnectionsPerAddress int `yaml:"connections_per_address" unit:"connections, 0 is any" help:"how many one address (of IPv6, one /64) may hold at once; those of 'proxy.trusted' and of this machine are not counted, so behind a proxy let the proxy limit its clients"`
}

// SMTP is how mail leaves; without a URL there is no mail.
type SMTP struct {
	URL         string `yaml:"url" secret:"url" unit:"'smtp://user:password@host:587?tls=starttls'" help:"the mail server, see [mail](mail.md); without it there is no mail"`
	From        string `yaml:"from" unit:"address" help:"the sender; needed with 'smtp.url'"`
	ReplyTo     string `yaml:"reply_to" unit:"address" help:"where answers go"`
	Connections int    `yaml:"connections" help:"to the mail server at once"`
	Coalesce    string `yaml:"coalesce" unit:"duration, at most 1h" help:"for how long updates of one issue are gathered after a mail, to be told as one"`
	DKIM        DKIM   `yaml:"dkim"`
	// Operators are told of drafts that wait.
	Operators []string `yaml:"operators" unit:"addresses" help:"who gets a mail when a draft waits to be published, see [chat and webhooks](channels.md#operators)"`
}

// Subscriptions say how visitors may subscribe, besides by mail.
type Subscriptions struct {
	Webhooks     bool `yaml:"webhooks" help:"whether programs may subscribe, see [chat and webhooks](channels.md)"`
	AllowPrivate bool `yaml:"allow_private" help:"permits their addresses to be of a private network, and plain http"`
}

// Drafts say when operators are told of a draft again.
type Drafts struct {
	RemindAfter string `yaml:"remind_after" unit:"duration, '0s' is never" help:"how long a draft waits before operators are told once more, see [who is told of drafts](channels.md#operators)"`
}

// DKIM signs mail; without keys the mail server may. Selectors and keys belong
// together in order.
type DKIM struct {
	Domain   string   `yaml:"domain" help:"which domain signs; if left out, the mail server may"`
	Selector []string `yaml:"selector" help:"one for each key"`
	Key      []string `yaml:"key" secret:"whole" unit:"private keys in PEM" help:"RSA or Ed25519, in the order of the selectors"`
}

// Twitter is how tweets leave; without a consumer key there are none.
type Twitter struct {
	API            string `yaml:"api" unit:"'v2' or 'v1.1'" help:"which API takes the tweets"`
	ConsumerKey    string `yaml:"consumer_key" secret:"whole" help:"of the app, see [X](twitter.md); without it there are no tweets"`
	ConsumerSecret string `yaml:"consumer_secret" secret:"whole" help:"of the app"`
	AccessToken    string `yaml:"access_token" secret:"whole" help:"of the account"`
	AccessSecret   string `yaml:"access_secret" secret:"whole" help:"of the account"`
	BaseURL        string `yaml:"base_url" unit:"URL" help:"another address of the API, for tests and proxies"`
	Mode           string `yaml:"mode" unit:"'first_and_resolved', 'all' or 'off'" help:"which updates are tweeted"`
	WithURL        bool   `yaml:"with_url" help:"the first tweet has the link of the issue"`
	MonthlyPosts   int    `yaml:"monthly_posts" help:"how many tweets a calendar month may have, 0 is any; the last one is kept for the end of an issue"`
}

// Metrics is a listener of its own for /metrics, without authorisation.
type Metrics struct {
	Listen string `yaml:"listen" unit:"address and port" help:"a listener of its own for '/metrics', without authorisation, see [monitoring](monitoring.md)"`
}

// Log is what goes to standard error.
type Log struct {
	Level  string `yaml:"level" unit:"'debug', 'info', 'warn' or 'error'" help:"what is written to standard error"`
	Format string `yaml:"format" unit:"'text' or 'json'" help:"text on a terminal and JSON elsewhere if left out"`
}

// DefaultConfigFile is read when it exists and no other is named.
const DefaultConfigFile = "statusbridge.yaml"

// DefaultRules is the rules file when none is named; the built-in rules stand
// in while it does not exist.
const DefaultRules = "rules.yaml"

func defaults() Config {
	return Config{
		Listen: "127.0.0.1:8080", Database: "sqlite:statusbridge.db", DataDir: ".", Rules: DefaultRules, Retention: "30d",
		Page: Page{Name: "Status", TimeZone: "UTC", Language: "en", Weights: Weights{
			Major: status.DefaultWeights[status.MajorOutage], Partial: status.DefaultWeights[status.PartialOutage],
			Degraded: status.DefaultWeights[status.DegradedPerformance],
		}},
		Limits:  Limits{ConnectionsPerAddress: 1000},
		Login:   Login{Passwords: true, BreakGlass: []string{FirstAdmin}},
		SMTP:    SMTP{Connections: 16, Coalesce: "60s"},
		Drafts:  Drafts{RemindAfter: "10m"},
		Twitter: Twitter{API: "v2", Mode: "first_and_resolved", WithURL: true},
		Log:     Log{Level: "info"},

		Subscriptions: Subscriptions{Webhooks: true},
	}
}

// LoadConfig reads the file ("" is DefaultConfigFile, if it is there), lets the
// environment override it, then override (the flags), reads secrets from their
// files and checks the whole.
func LoadConfig(file string, environ []string, override func(*Config)) (Config, error) {
	cfg := defaults()
	if err := readConfig(cmp.Or(file, DefaultConfigFile), file != "", &cfg); err != nil {
		return cfg, err
	}
	if err := fromEnvironment(&cfg, environ); err != nil {
		return cfg, err
	}
	if override != nil {
		override(&cfg)
	}
	if err := readSecrets(&cfg); err != nil {
		return cfg, err
	}
	if err := cfg.complete(); err != nil {
		return cfg, err
	}
	return cfg, cfg.checkChannels(cmp.Or(file, DefaultConfigFile))
}

func readConfig(file string, must bool, cfg *Config) (err error) {
	src, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && !must {
		return nil
	}
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if empty(src) {
		return nil
	}
	defer func() {
		if err == nil {
			err = checkCharts(file, src, cfg.Charts)
		}
	}()
	err = yaml.Load(src, cfg, yaml.WithKnownFields(), yaml.WithUniqueKeys())
	var several *yaml.LoadErrors
	var one *yaml.LoadError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &several):
	case errors.As(err, &one):
		several = &yaml.LoadErrors{Errors: []*yaml.LoadError{one}}
	default:
		return fmt.Errorf("configuration %s: %w", file, err)
	}
	var found alerts.Findings
	for _, e := range several.Errors {
		found = append(found, misplaced(alerts.At(file, src, e.Mark.Line, e.Mark.Column, e.Message)))
	}
	return found
}

// misplaced words the finding of a key that is none as a person would, and
// suggests the nearest one.
func misplaced(f alerts.Finding) alerts.Finding {
	key := unknownKey.FindStringSubmatch(f.Message)
	if key == nil {
		return f
	}
	var keys []string
	for _, s := range Settings() {
		keys = append(keys, strings.Split(s.Key, ".")...)
	}
	f.Message, f.Suggestion = fmt.Sprintf("there is no setting %q here", key[1]), alerts.Meant(key[1], keys)
	if f.Suggestion == "" {
		f.Suggestion = "`statusbridge config reference` lists them"
	}
	return f
}

// unknownKey is how yaml says it.
var unknownKey = regexp.MustCompile(`^field (\S+) not found in type`)

// empty reports whether a file says nothing: only comments and blank lines.
func empty(src []byte) bool {
	for _, line := range strings.Split(string(src), "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return false
		}
	}
	return true
}

// wholeHost reads the address of a site that has its host for itself: cookies of
// the admin, robots.txt and security.txt are never shared with another.
func wholeHost(address string) (string, error) {
	address = strings.TrimRight(address, "/")
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "", fmt.Errorf("%q is not an address such as https://status.example.com", address)
	case u.User != nil:
		return "", fmt.Errorf("%s must not hold a name or password: everybody reads it", u.Redacted())
	case u.Path != "" || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("%s must end with its host: give the page a host of its own, such as https://status.example.com", address)
	}
	return address, nil
}

// complete derives what was left out and refuses what cannot work.
func (c *Config) complete() error {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %q is not host:port, such as 127.0.0.1:8080", c.Listen)
	}
	if _, _, err := net.SplitHostPort(c.Metrics.Listen); c.Metrics.Listen != "" && err != nil {
		return fmt.Errorf("metrics.listen: %q is not host:port, such as 127.0.0.1:9100", c.Metrics.Listen)
	}
	if c.PublicURL == "" {
		if host == "" || host == "0.0.0.0" || host == "::" {
			host = "localhost"
		}
		c.PublicURL = "http://" + net.JoinHostPort(host, port)
	}
	if c.PublicURL, err = wholeHost(c.PublicURL); err != nil {
		return fmt.Errorf("public_url: %w", err)
	}
	if _, err := time.LoadLocation(c.Page.TimeZone); err != nil {
		return fmt.Errorf("page.time_zone: %q is not a zone such as Europe/Berlin", c.Page.TimeZone)
	}
	if d, err := model.ParseDuration(c.Retention); err != nil || time.Duration(d) < time.Hour {
		return fmt.Errorf("retention: %q is no duration of an hour or more, such as 30d", c.Retention)
	}
	if _, err := c.proxies(); err != nil {
		return err
	}
	if c.Limits.ConnectionsPerAddress < 0 {
		return errors.New("limits.connections_per_address: must be 0 (any number) or more")
	}
	if err := c.Login.check(); err != nil {
		return err
	}
	if c.SMTP.URL != "" && c.SMTP.From == "" {
		return errors.New("smtp.from: say who the mail is from, such as status@example.com")
	}
	if d, err := model.ParseDuration(c.SMTP.Coalesce); err != nil || time.Duration(d) > time.Hour {
		return fmt.Errorf("smtp.coalesce: %q is no duration of at most an hour, such as 60s", c.SMTP.Coalesce)
	}
	if d, err := model.ParseDuration(c.Drafts.RemindAfter); err != nil || d != 0 && time.Duration(d) < time.Minute {
		return fmt.Errorf("drafts.remind_after: %q is no duration of a minute or more, such as 10m; 0s is never", c.Drafts.RemindAfter)
	}
	for _, address := range c.SMTP.Operators {
		if a, err := mail.ParseAddress(address); err != nil || a.Address != address {
			return fmt.Errorf("smtp.operators: %q is not an address such as oncall@example.com", address)
		}
	}
	if len(c.SMTP.Operators) > 0 && c.SMTP.URL == "" {
		return errors.New("smtp.operators: without smtp.url they would get no mail")
	}
	if !strings.HasPrefix(c.Database, "sqlite:") && !strings.HasPrefix(c.Database, "postgres://") && !strings.HasPrefix(c.Database, "postgresql://") {
		return errors.New("database: must begin with sqlite: or postgres://")
	}
	return nil
}

func (c Config) proxies() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range c.Proxy.Trusted {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, aerr := netip.ParseAddr(s)
			if aerr != nil {
				return nil, fmt.Errorf("proxy.trusted: %q is neither a network such as 10.0.0.0/8 nor an address", s)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p)
	}
	return out, nil
}
