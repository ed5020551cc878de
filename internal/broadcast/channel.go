package broadcast

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// The types of channels that an operator adds.
const (
	Slack    = "slack"
	Teams    = "teams"
	Discord  = "discord"
	Mastodon = "mastodon"
	Bluesky  = "bluesky"
	Webhook  = "webhook"
)

// ChannelTypes lists them.
var ChannelTypes = []string{Slack, Teams, Discord, Mastodon, Bluesky, Webhook}

// ChannelConfig is a channel of the operator; see docs/channels.md.
type ChannelConfig struct {
	Name         string
	Type         string
	URL          string   // bluesky: of the account's server, https://bsky.social if left out
	User         string   // bluesky: the handle
	Password     string   // bluesky: an app password
	Token        string   // mastodon
	Visibility   string   // mastodon: public (the default), unlisted or private
	Secret       []string // webhook: the signature has one part for each
	Mode         string   // TweetAll (the default) or TweetEnds
	Audience     string   // public (the default) or operators
	AllowPrivate bool     // the address may be one of a private network
	PageName     string
	PublicURL    string
}

// channelName is what a channel may be called: it becomes part of addresses.
var channelName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,38}$`)

// Channel posts to one address of a chat or a program.
type Channel struct {
	cfg    ChannelConfig
	client *http.Client
	form   func(ChannelConfig, Message) (post, error)
	sky    *bluesky // instead of a form, for the one type that takes more than one request
}

// post is what one message becomes on the wire.
type post struct {
	url    string
	body   any
	header map[string]string
	sign   bool
}

// ChannelError is a setting of a channel that cannot work.
type ChannelError struct {
	Channel, Key, Text string
}

func (e ChannelError) Error() string {
	return fmt.Sprintf("channel %q: %s: %s", e.Channel, e.Key, e.Text)
}

// NewChannel checks the configuration; it does not connect. The error is a
// ChannelError.
func NewChannel(cfg ChannelConfig) (*Channel, error) {
	bad := func(key, format string, args ...any) error {
		return ChannelError{cfg.Name, key, fmt.Sprintf(format, args...)}
	}
	forms := map[string]func(ChannelConfig, Message) (post, error){
		Slack: slackPost, Teams: teamsPost, Discord: discordPost, Mastodon: mastodonPost, Webhook: webhookPost,
	}
	if cfg.Type == Bluesky && cfg.URL == "" {
		cfg.URL = skyHost
	}
	u, err := url.Parse(cfg.URL)
	switch {
	case !channelName.MatchString(cfg.Name) || slices.Contains([]string{status.ChannelEmail, status.ChannelTwitter, status.ChannelWebhooks, status.ChannelOperators}, cfg.Name):
		return nil, bad("name", "write small letters, digits and hyphens, and none of email, twitter, webhooks and operators")
	case !slices.Contains(ChannelTypes, cfg.Type):
		return nil, bad("type", "%q is none of %s", cfg.Type, strings.Join(ChannelTypes, ", "))
	case err != nil || u.Host == "":
		return nil, bad("url", "is no address")
	case u.Scheme != "https" && !(u.Scheme == "http" && cfg.AllowPrivate):
		return nil, bad("url", "must begin with https://")
	case cfg.Audience != "" && cfg.Audience != "public" && cfg.Audience != string(status.Operators):
		return nil, bad("audience", "write public or operators")
	case ReadersOf(cfg.Audience) == status.Operators && (cfg.Type == Mastodon || cfg.Type == Bluesky):
		return nil, bad("audience", "what is posted on %s everybody can read: tell operators by slack, teams, discord or webhook", cfg.Type)
	case ReadersOf(cfg.Audience) == status.Operators && cfg.Mode != "":
		return nil, bad("mode", "is for public channels: operators are told of every draft that waits")
	case cfg.Mode != "" && cfg.Mode != TweetAll && cfg.Mode != TweetEnds:
		return nil, bad("mode", "write all or first_and_resolved")
	case cfg.Type == Mastodon && cfg.Token == "":
		return nil, bad("token", "is missing: make an application with the scope write:statuses under Preferences, Development")
	case cfg.Type == Bluesky && cfg.User == "":
		return nil, bad("user", "is missing: write the handle of the account, such as status.example.com")
	case cfg.Type == Bluesky && cfg.Password == "":
		return nil, bad("password", "is missing: make one under Settings, Privacy and security, App passwords")
	case cfg.Visibility != "" && !slices.Contains([]string{"public", "unlisted", "private"}, cfg.Visibility):
		return nil, bad("visibility", "write public, unlisted or private")
	case cfg.Type == Webhook && (len(cfg.Secret) == 0 || slices.ContainsFunc(cfg.Secret, func(s string) bool { return len(s) < 16 })):
		return nil, bad("secret", "needs at least one of 16 characters or more")
	}
	c := &Channel{cfg: cfg, client: postClient(cfg.AllowPrivate), form: forms[cfg.Type]}
	if cfg.Type == Bluesky {
		c.sky = newBluesky(cfg, c.client)
	}
	return c, nil
}

// Channel names the channel.
func (c *Channel) Channel() string { return c.cfg.Name }

// Kind is what rules may call it besides its name.
func (c *Channel) Kind() string { return c.cfg.Type }

// ReadersOf reads the audience of a configured channel.
func ReadersOf(audience string) status.Readers {
	if audience == string(status.Operators) {
		return status.Operators
	}
	return status.ThePublic
}

// Readers are whom the channel speaks to.
func (c *Channel) Readers() status.Readers { return ReadersOf(c.cfg.Audience) }

// Join is for how long what follows is gathered: on channels of operators only.
func (c *Channel) Join() time.Duration {
	if c.Readers() == status.Operators {
		return operatorsJoin
	}
	return 0
}

// Rest closes what is only worth keeping while busy.
func (c *Channel) Rest() { c.client.CloseIdleConnections() }

// Send posts one message.
func (c *Channel) Send(ctx context.Context, m Message) (string, error) {
	if reason := skip(m, c.cfg.Mode); reason != "" {
		return "", Skipped{Reason: reason}
	}
	if c.sky != nil {
		return c.sky.post(ctx, m)
	}
	p, err := c.form(c.cfg, m)
	if err != nil {
		return "", err
	}
	resp, said, err := p.send(ctx, c.client, m.Now, c.cfg.Secret)
	if err != nil {
		return "", err
	}
	if c.cfg.Type == Mastodon && m.Root != "" && resp.StatusCode == http.StatusNotFound {
		m.Root = "" // somebody deleted the first status: this one stands alone
		return c.Send(ctx, m)
	}
	if refused := judgePost(resp, said); refused != nil {
		return "", refused
	}
	var named struct{ ID string }
	_ = json.Unmarshal(said, &named) // chats that answer with no name need none
	return named.ID, nil
}

// send makes the request, and reads the answer.
func (p post) send(ctx context.Context, client *http.Client, now time.Time, secrets []string) (*http.Response, []byte, error) {
	body, err := json.Marshal(p.body)
	if err != nil {
		return nil, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return nil, nil, withoutURL(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "statusbridge")
	for key, value := range p.header {
		req.Header.Set(key, value)
	}
	if p.sign {
		req.Header.Set(SignatureHeader, Sign(body, now, secrets...))
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, fmt.Errorf("reach %s: %w", req.URL.Host, withoutURL(err))
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil && resp.StatusCode < 300 {
		err = nil // it is taken, whatever became of the rest of the answer
	}
	return resp, said, err
}

// judgePost says what an answer means: nil is taken.
func judgePost(resp *http.Response, body []byte) error {
	said := fmt.Errorf("answer %d: %s", resp.StatusCode, cutTo(oneLine(string(body)), 200))
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		asked := resp.Header.Get("Retry-After")
		if seconds, err := strconv.ParseFloat(asked, 64); err == nil && seconds > 0 && seconds < 1e6 {
			return RetryAfter{After: time.Duration(seconds * float64(time.Second)), Err: said}
		}
		if at, err := http.ParseTime(asked); err == nil {
			return RetryAfter{At: at, Err: said}
		}
		// Mastodon's way to say it.
		if at, err := time.Parse(time.RFC3339Nano, resp.Header.Get("X-RateLimit-Reset")); err == nil {
			return RetryAfter{At: at, Err: said}
		}
		return said
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code >= 500:
		return said
	case code >= 300 && code < 400:
		return Permanent{Reason: "the address leads to another one: write that into url", Err: said}
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusNotFound, code == http.StatusGone:
		return Permanent{Reason: "the address or its secret is no longer good: make a new one", Err: said}
	}
	return Permanent{Reason: "the message is refused", Err: said}
}
