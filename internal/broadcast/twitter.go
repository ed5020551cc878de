package broadcast

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	//lint:ignore SA1019 the only library for v1.1, which some accounts still have
	gotwitter "github.com/dghubble/go-twitter/twitter"
	"github.com/dghubble/oauth1"

	"github.com/statusbridge/statusbridge/internal/status"
)

// The modes say which events become tweets.
const (
	TweetEnds = "first_and_resolved" // the default
	TweetAll  = "all"
	TweetOff  = "off"
)

// The versions of the API.
const (
	TwitterV2 = "v2"
	TwitterV1 = "v1.1"
)

// TwitterConfig is what posting to X needs.
type TwitterConfig struct {
	API            string // v2 (the default) or v1.1
	ConsumerKey    string
	ConsumerSecret string
	AccessToken    string
	AccessSecret   string
	BaseURL        string        // "" is X itself
	Timeout        time.Duration // 0 is ten seconds
	Mode           string        // "" is TweetEnds
	// MonthlyPosts is how many tweets a calendar month (UTC) may have, 0 any.
	// The last one is kept for the end of a story.
	MonthlyPosts int
	Counter      PostCounter // needed with MonthlyPosts
	// WithURL puts the link into the first tweet of a story; X charges much more
	// for a post with a link. Replies never carry one.
	WithURL bool
}

// PostCounter counts the posts of a channel by calendar month.
type PostCounter interface {
	CountPost(ctx context.Context, channel string, now time.Time) error
	Posts(ctx context.Context, channel string, now time.Time) (int, error)
}

// Twitter posts to one account of X. All that knows its API is in this file
// and in twitter_account.go.
type Twitter struct {
	cfg    TwitterConfig
	base   *url.URL // nil: where the library points
	signed *http.Client

	mu   sync.Mutex
	last map[string]attempt // what was tried and has not arrived, by delivery
}

// attempt is a tweet of which it is not known that it was posted.
type attempt struct {
	text    string
	refused bool // X said that it was not
}

// NewTwitter checks the configuration; it does not connect.
func NewTwitter(cfg TwitterConfig) (*Twitter, error) {
	if cfg.API == "" {
		cfg.API = TwitterV2
	}
	if cfg.Mode == "" {
		cfg.Mode = TweetEnds
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.API != TwitterV2 && cfg.API != TwitterV1 {
		return nil, fmt.Errorf("twitter.api is %q: write v2 or v1.1", cfg.API)
	}
	if cfg.Mode != TweetEnds && cfg.Mode != TweetAll && cfg.Mode != TweetOff {
		return nil, fmt.Errorf("twitter.mode is %q: write first_and_resolved, all or off", cfg.Mode)
	}
	for name, value := range map[string]string{
		"consumer_key": cfg.ConsumerKey, "consumer_secret": cfg.ConsumerSecret,
		"access_token": cfg.AccessToken, "access_secret": cfg.AccessSecret,
	} {
		if value == "" {
			return nil, fmt.Errorf("twitter.%s is missing: copy it from the app's page in the X developer portal", name)
		}
	}
	if cfg.MonthlyPosts < 0 || cfg.MonthlyPosts == 1 {
		return nil, fmt.Errorf("twitter.monthly_posts is %d: write 0 for no limit, or at least 2, for a beginning and an end", cfg.MonthlyPosts)
	}
	t := &Twitter{cfg: cfg, last: map[string]attempt{}}
	if cfg.API == TwitterV2 && cfg.BaseURL == "" {
		cfg.BaseURL = "https://api.x.com"
	}
	if cfg.BaseURL != "" {
		base, err := url.Parse(strings.TrimRight(cfg.BaseURL, "/"))
		if err != nil || base.Host == "" {
			return nil, fmt.Errorf("twitter.base_url %q is not a URL: write https://api.x.com", cfg.BaseURL)
		}
		t.base = base
	}
	t.signed = oauth1.NewConfig(cfg.ConsumerKey, cfg.ConsumerSecret).
		Client(oauth1.NoContext, oauth1.NewToken(cfg.AccessToken, cfg.AccessSecret))
	t.signed.Timeout = cfg.Timeout
	// A redirected post would be signed for the wrong address.
	t.signed.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return t, nil
}

// Channel names the channel.
func (t *Twitter) Channel() string { return status.ChannelTwitter }

// Send posts one tweet, in reply to the first of its story if there is one.
//
// X has no idempotency key. When it is not known whether an earlier attempt
// was posted, the account's own newest tweets are looked through first; the
// text stays the one of that attempt, so that X itself, too, refuses it as a
// duplicate if it is there.
func (t *Twitter) Send(ctx context.Context, m Message) (string, error) {
	if reason := skip(m, t.cfg.Mode); reason != "" {
		return "", Skipped{Reason: reason}
	}
	text := Tweet(m, t.cfg.WithURL && m.Root == "")
	before, known := t.tried(m.DeliveryID)
	if known {
		text = before.text
	}
	if m.Attempt > 1 && !before.refused {
		if id := t.find(ctx, text, m); id != "" {
			return t.posted(ctx, m, id), nil
		}
	}
	if err := t.afford(ctx, m); err != nil {
		return "", err
	}
	t.note(m.DeliveryID, attempt{text: text})
	post := t.postV2
	if t.cfg.API == TwitterV1 {
		post = t.postV1
	}
	id, answer, err := post(ctx, text, m.Root)
	if answer == nil {
		return "", fmt.Errorf("reach X: %w", withoutURL(err))
	}
	switch refused := judge(answer, t.cfg.API); {
	case refused == errDuplicate:
		// An attempt before this one went through after all. Its id is worth a
		// question: later tweets of the story answer it.
		return t.posted(ctx, m, t.find(ctx, text, m)), nil
	case refused != nil:
		t.note(m.DeliveryID, attempt{text: text, refused: answer.code < 500})
		return "", refused
	case err != nil:
		// It is posted, but nobody knows its name: replies will stand alone.
		return t.posted(ctx, m, ""), nil
	}
	return t.posted(ctx, m, id), nil
}

// posted forgets the attempts and counts the tweet.
func (t *Twitter) posted(ctx context.Context, m Message, id string) string {
	t.mu.Lock()
	delete(t.last, m.DeliveryID)
	t.mu.Unlock()
	if t.cfg.Counter != nil {
		// A post that is not counted is no reason to post again.
		_ = t.cfg.Counter.CountPost(context.WithoutCancel(ctx), t.Channel(), m.Now)
	}
	return id
}

func (t *Twitter) tried(delivery string) (attempt, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, ok := t.last[delivery]
	return a, ok
}

func (t *Twitter) note(delivery string, a attempt) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.last) > 1000 {
		clear(t.last) // of deliveries that were given up
	}
	t.last[delivery] = a
}

// afford refuses what the budget of the month does not cover.
func (t *Twitter) afford(ctx context.Context, m Message) error {
	if t.cfg.MonthlyPosts == 0 || t.cfg.Counter == nil {
		return nil
	}
	n, err := t.cfg.Counter.Posts(ctx, t.Channel(), m.Now)
	if err != nil {
		return fmt.Errorf("count the tweets of this month: %w", err)
	}
	limit := t.cfg.MonthlyPosts
	if !ends(m.Event) {
		limit-- // the last is for an end
	}
	if n >= limit {
		return Permanent{Reason: fmt.Sprintf("%d of the %d tweets of this month are used up: raise twitter.monthly_posts and retry", n, t.cfg.MonthlyPosts)}
	}
	return nil
}

// ends reports whether the event is the end of a story.
func ends(e status.Event) bool {
	return e == status.EventResolve || e == status.EventMaintenanceEnded || e == status.EventMaintenanceCancelled
}

// skip says why the message is not for a feed of this mode, "" if it is. A rule
// that names the channel for the event stands above the mode.
func skip(m Message, mode string) string {
	if mode == TweetOff {
		return "tweets are off"
	}
	if !m.Event.Milestone() && mode == TweetEnds && !m.Named {
		return "only the first and the last update of a story are told here"
	}
	if m.Event == status.EventMaintenanceStarted && mode == TweetEnds {
		return "only the first and the last update of a story are told here"
	}
	if m.Late && m.Over {
		return "it is over, and the end is told by itself"
	}
	return ""
}

// answer is what X said.
type answer struct {
	code   int
	header http.Header
	words  string // from the body, for people
	number int    // of the v1.1 error
}

// postV2 posts through POST /2/tweets.
func (t *Twitter) postV2(ctx context.Context, text, root string) (string, *answer, error) {
	body := map[string]any{"text": text}
	if root != "" {
		body["reply"] = map[string]string{"in_reply_to_tweet_id": root}
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return "", nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.base.String()+"/2/tweets", bytes.NewReader(encoded))
	if err != nil {
		return "", nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := t.signed.Do(req)
	if err != nil {
		return "", nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	got := &answer{code: resp.StatusCode, header: resp.Header}
	if err != nil {
		return "", got, err
	}
	got.read(raw)
	var said struct{ Data struct{ ID string } }
	err = json.Unmarshal(raw, &said)
	return said.Data.ID, got, err
}

// read takes the words of a refusal, in the forms of v2 and of v1.1.
func (a *answer) read(raw []byte) {
	var said struct {
		Title  string
		Detail string
		Errors []struct {
			Message string
			Code    int
		}
	}
	if json.Unmarshal(raw, &said) != nil {
		return // from something between us and X
	}
	if a.words = said.Detail; a.words == "" {
		a.words = said.Title
	}
	if len(said.Errors) > 0 {
		a.number = said.Errors[0].Code
		if a.words == "" {
			a.words = said.Errors[0].Message
		}
	}
}

// postV1 posts through go-twitter, which speaks v1.1.
func (t *Twitter) postV1(ctx context.Context, text, root string) (string, *answer, error) {
	params := &gotwitter.StatusUpdateParams{}
	if root != "" {
		id, err := strconv.ParseInt(root, 10, 64)
		if err != nil {
			return "", nil, fmt.Errorf("tweet id %q is not a number: %w", root, err)
		}
		params.InReplyToStatusID = id
	}
	tweet, resp, err := t.v1(ctx).Statuses.Update(text, params)
	if resp == nil {
		return "", nil, err
	}
	got := &answer{code: resp.StatusCode, header: resp.Header}
	var said gotwitter.APIError
	if errors.As(err, &said) && len(said.Errors) > 0 {
		got.words, got.number = said.Errors[0].Message, said.Errors[0].Code
	}
	return tweet.IDStr, got, err
}

// redirected gives go-twitter's requests a context and another host, which it
// has no options for. It comes before the signing.
type redirected struct {
	ctx  context.Context
	base *url.URL
	next http.RoundTripper
}

func (r redirected) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(r.ctx)
	if r.base != nil {
		req.URL.Scheme, req.URL.Host, req.Host = r.base.Scheme, r.base.Host, r.base.Host
	}
	return r.next.RoundTrip(req)
}

var errDuplicate = errors.New("the tweet is there already")

// judge says what X's answer means: nil is posted.
func judge(a *answer, api string) error {
	said := fmt.Errorf("answer %d of X: %s", a.code, cutTo(oneLine(a.words), 200))
	duplicate := a.number == 187 || strings.Contains(strings.ToLower(a.words), "duplicate")
	switch {
	case a.code >= 200 && a.code < 300:
		return nil
	case a.code == http.StatusForbidden && duplicate:
		return errDuplicate
	case a.code == 453 || a.number == 453:
		return Permanent{Reason: "this X app has no access to API " + api + ": set twitter.api to v2, or ask X for a higher access level", Err: said}
	case a.code == http.StatusPaymentRequired:
		return Permanent{Reason: "the credits of this X app are used up: buy more in the X developer console", Err: said}
	case a.code == http.StatusUnauthorized:
		return Permanent{Reason: "X does not accept the keys: check the consumer key and the access token, they may be revoked, and the clock", Err: said}
	case a.code == http.StatusForbidden:
		return Permanent{Reason: "X does not let this app post: it needs the permission Read and write, and an access token made after that", Err: said}
	case a.code == http.StatusTooManyRequests, a.code >= 500:
		return waitFor(a, said)
	case a.code == http.StatusRequestTimeout, a.code == http.StatusTooEarly:
		return said
	}
	return Permanent{Reason: "X refuses the tweet", Err: said}
}

// waitFor reads when to come back. X has one window a quarter of an hour and
// two a day; the last of those that are used up counts.
func waitFor(a *answer, said error) error {
	var at time.Time
	for _, window := range []string{"x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour"} {
		if left := a.header.Get(window + "-remaining"); left != "" && left != "0" {
			continue
		}
		reset, err := strconv.ParseInt(a.header.Get(window+"-reset"), 10, 64)
		if err == nil && time.Unix(reset, 0).After(at) {
			at = time.Unix(reset, 0)
		}
	}
	if !at.IsZero() {
		return RetryAfter{At: at, Err: said}
	}
	if seconds, err := strconv.Atoi(a.header.Get("Retry-After")); err == nil && seconds > 0 {
		return RetryAfter{After: time.Duration(seconds) * time.Second, Err: said}
	}
	return said
}
