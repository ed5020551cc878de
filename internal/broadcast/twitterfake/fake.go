// Package twitterfake stands in for X: it takes tweets through both versions
// of its API, checks the OAuth 1.0a signature of each request for real, and
// plays the refusals that X knows. For tests, and for trying statusbridge out
// without posting anything.
package twitterfake

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Keys are those of an app and of an account.
type Keys struct {
	ConsumerKey    string
	ConsumerSecret string
	AccessToken    string
	AccessSecret   string
}

// TestKeys are the keys that are taken unless others are given. The secrets
// hold characters that must be encoded.
var TestKeys = Keys{
	ConsumerKey: "consumer-key", ConsumerSecret: "consumer+secret/&=", AccessToken: "42-token", AccessSecret: "access secret%",
}

// Options of a fake.
type Options struct {
	Address string // to listen on; "" is any free port of this machine
	Keys    Keys   // zero: TestKeys
	// Now judges timestamps, so it must be the clock that the requests are signed by.
	Now func() time.Time
}

// Tweet is a post that was taken.
type Tweet struct {
	ID      string
	Text    string
	ReplyTo string // id of the tweet it answers, "" for none
	API     string // v2 or v1.1
}

// Answer is one bad answer.
type Answer struct {
	Status int
	Header map[string]string
	Body   string
}

// RateLimited is a 429 until the moment.
func RateLimited(reset time.Time) Answer {
	return Answer{
		Status: http.StatusTooManyRequests,
		Header: map[string]string{
			"x-rate-limit-limit": "100", "x-rate-limit-remaining": "0", "x-rate-limit-reset": strconv.FormatInt(reset.Unix(), 10),
		},
		Body: `{"title":"Too Many Requests","detail":"Too Many Requests","type":"about:blank","status":429}`,
	}
}

// Unavailable is a 503 as a proxy gives it, not even JSON.
func Unavailable() Answer {
	return Answer{Status: http.StatusServiceUnavailable, Header: map[string]string{"Content-Type": "text/html"}, Body: "<h1>Over capacity</h1>"}
}

// Duplicate is the 403 for a text that was posted a moment ago.
func Duplicate() Answer { return duplicate("v2") }

// Unauthorized is the 401 for keys that are no longer good.
func Unauthorized() Answer {
	return Answer{Status: http.StatusUnauthorized, Body: `{"title":"Unauthorized","type":"about:blank","status":401,"detail":"Unauthorized"}`}
}

// ReadOnly is the 403 for an app without the permission to write.
func ReadOnly() Answer {
	return Answer{Status: http.StatusForbidden, Body: `{"title":"Forbidden","type":"https://api.twitter.com/2/problems/oauth1-permissions",` +
		`"status":403,"detail":"Your client app is not configured with the appropriate oauth1 app permissions for this endpoint."}`}
}

// NoAccess is the 403 with code 453 for an app whose plan lacks the endpoint.
func NoAccess() Answer {
	return Answer{Status: http.StatusForbidden, Body: `{"errors":[{"message":"You currently have access to a subset of endpoints only.","code":453}]}`}
}

// NoCredits is the 402 for an account that has used up what it paid for.
func NoCredits() Answer {
	return Answer{Status: http.StatusPaymentRequired, Body: `{"title":"CreditsDepleted","status":402,"detail":"The account has no credits to fulfil this request."}`}
}

// Broken closes the connection without an answer, after the tweet was taken.
func Broken() Answer { return Answer{} }

// Lost closes the connection without an answer and without the tweet.
func Lost() Answer { return Answer{Status: -1} }

func duplicate(api string) Answer {
	if api == "v1.1" {
		return Answer{Status: http.StatusForbidden, Body: `{"errors":[{"code":187,"message":"Status is a duplicate."}]}`}
	}
	return Answer{Status: http.StatusForbidden, Body: `{"title":"Forbidden","type":"about:blank","status":403,` +
		`"detail":"You are not allowed to create a Tweet with duplicate content."}`}
}

// Fake is a running stand-in.
type Fake struct {
	keys   Keys
	now    func() time.Time
	url    string
	server *http.Server
	done   chan struct{}

	mu      sync.Mutex
	nonces  map[string]bool
	tweets  []Tweet
	script  []Answer
	blind   bool // reading tweets is not part of the plan
	readers bool // the token may only read
	reads   int  // times that tweets were listed
	refused []string
	arrived chan struct{}
	tries   int
}

// Start starts a fake. Close it.
func Start(opts Options) (*Fake, error) {
	if opts.Address == "" {
		opts.Address = "127.0.0.1:0"
	}
	if opts.Keys == (Keys{}) {
		opts.Keys = TestKeys
	}
	if opts.Now == nil {
		return nil, fmt.Errorf("start the X stand-in: it needs a clock")
	}
	listener, err := net.Listen("tcp", opts.Address)
	if err != nil {
		return nil, fmt.Errorf("start the X stand-in: %w", err)
	}
	f := &Fake{
		keys: opts.Keys, now: opts.Now, url: "http://" + listener.Addr().String(),
		nonces: map[string]bool{}, arrived: make(chan struct{}), done: make(chan struct{}),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2/tweets", f.checked(f.postV2))
	mux.HandleFunc("POST /1.1/statuses/update.json", f.checked(f.postV1))
	mux.HandleFunc("GET /2/users/{id}/tweets", f.checked(f.listV2))
	mux.HandleFunc("GET /1.1/statuses/user_timeline.json", f.checked(f.listV1))
	mux.HandleFunc("GET /2/users/me", f.checked(func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("x-access-level", f.level())
		write(w, http.StatusOK, map[string]any{"data": map[string]string{"id": "42", "name": "Status", "username": "status"}})
	}))
	mux.HandleFunc("GET /1.1/account/verify_credentials.json", f.checked(func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("x-access-level", f.level())
		write(w, http.StatusOK, map[string]any{"id": 42, "id_str": "42", "name": "Status", "screen_name": "status"})
	}))
	f.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(f.done)
		_ = f.server.Serve(listener)
	}()
	return f, nil
}

// Close ends it.
func (f *Fake) Close() {
	_ = f.server.Close()
	<-f.done
}

// URL is where it listens.
func (f *Fake) URL() string { return f.url }

// Next gives the coming posts, one each, a bad answer.
func (f *Fake) Next(answers ...Answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script = append(f.script, answers...)
}

// Tweets are all posts so far, oldest first.
func (f *Fake) Tweets() []Tweet {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.tweets)
}

// Tries counts the requests with a good signature.
func (f *Fake) Tries() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tries
}

// Refused says why requests were turned away for their signature.
func (f *Fake) Refused() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.refused)
}

// Wait returns the tweets as soon as there are n.
func (f *Fake) Wait(ctx context.Context, n int) ([]Tweet, error) {
	for {
		f.mu.Lock()
		tweets, arrived := slices.Clone(f.tweets), f.arrived
		f.mu.Unlock()
		if len(tweets) >= n {
			return tweets, nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return tweets, fmt.Errorf("%d of %d tweets came: %w", len(tweets), n, ctx.Err())
		}
	}
}

// checked lets only well-signed requests through.
func (f *Fake) checked(next func(http.ResponseWriter, *http.Request, []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err == nil {
			err = f.verify(r, body)
		}
		if err != nil {
			f.mu.Lock()
			f.refused = append(f.refused, err.Error())
			f.mu.Unlock()
			Unauthorized().write(w)
			return
		}
		f.mu.Lock()
		f.tries++
		f.mu.Unlock()
		next(w, r, body)
	}
}

func (f *Fake) postV2(w http.ResponseWriter, _ *http.Request, body []byte) {
	var post struct {
		Text  string `json:"text"`
		Reply struct {
			To string `json:"in_reply_to_tweet_id"`
		} `json:"reply"`
	}
	if err := json.Unmarshal(body, &post); err != nil {
		Answer{Status: http.StatusBadRequest, Body: `{"title":"Invalid Request","status":400,"detail":"The body is not JSON."}`}.write(w)
		return
	}
	t, bad := f.take(Tweet{Text: post.Text, ReplyTo: post.Reply.To, API: "v2"})
	if bad != nil {
		bad.write(w)
		return
	}
	write(w, http.StatusCreated, map[string]any{"data": map[string]string{"id": t.ID, "text": t.Text}})
}

func (f *Fake) postV1(w http.ResponseWriter, _ *http.Request, body []byte) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		Answer{Status: http.StatusBadRequest, Body: `{"errors":[{"code":214,"message":"Bad request."}]}`}.write(w)
		return
	}
	t, bad := f.take(Tweet{Text: form.Get("status"), ReplyTo: form.Get("in_reply_to_status_id"), API: "v1.1"})
	if bad != nil {
		bad.write(w)
		return
	}
	id, _ := strconv.ParseInt(t.ID, 10, 64)
	write(w, http.StatusOK, map[string]any{"id": id, "id_str": t.ID, "text": t.Text})
}

var tooLong = Answer{Status: http.StatusForbidden, Body: `{"title":"Forbidden","status":403,"detail":"Your Tweet text is too long."}`}

// take keeps the tweet, or says what is wrong with it.
func (f *Fake) take(t Tweet) (Tweet, *Answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var bad *Answer
	if len(f.script) > 0 {
		bad, f.script = &f.script[0], f.script[1:]
		if bad.Status != 0 {
			return t, bad
		}
	}
	if length(t.Text) > 280 || t.Text == "" {
		return t, &tooLong
	}
	if slices.ContainsFunc(f.tweets, func(o Tweet) bool { return o.Text == t.Text }) {
		refusal := duplicate(t.API)
		return t, &refusal
	}
	t.ID = strconv.Itoa(1_700_000_000_000_000_001 + len(f.tweets))
	f.tweets = append(f.tweets, t)
	close(f.arrived)
	f.arrived = make(chan struct{})
	return t, bad
}

var links = regexp.MustCompile(`https?://\S+`)

// length counts roughly as X does; an emoji made of several counts too much.
func length(text string) int {
	rest := links.ReplaceAllString(text, "")
	sum := 23 * len(links.FindAllString(text, -1))
	for _, r := range rest {
		switch {
		case r <= 0x10ff, r >= 0x2000 && r <= 0x200d, r >= 0x2010 && r <= 0x201f, r >= 0x2032 && r <= 0x2037:
			sum++
		default:
			sum += 2
		}
	}
	return sum
}

func (a Answer) write(w http.ResponseWriter) {
	if a.Status <= 0 {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	for key, value := range a.Header {
		w.Header().Set(key, value)
	}
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, a.Body)
}

func write(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
