package broadcast

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/broadcast/twitterfake"
	"github.com/statusbridge/statusbridge/internal/status"
)

func fakeX(t *testing.T) *twitterfake.Fake {
	t.Helper()
	f, err := twitterfake.Start(twitterfake.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func poster(t *testing.T, f *twitterfake.Fake, change ...func(*TwitterConfig)) *Twitter {
	t.Helper()
	k := twitterfake.TestKeys
	cfg := TwitterConfig{
		ConsumerKey: k.ConsumerKey, ConsumerSecret: k.ConsumerSecret, AccessToken: k.AccessToken, AccessSecret: k.AccessSecret,
		BaseURL: f.URL(), WithURL: true,
	}
	for _, c := range change {
		c(&cfg)
	}
	x, err := NewTwitter(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.signed.CloseIdleConnections)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return x
}

// versions runs the test with both versions of the API.
func versions(t *testing.T, test func(t *testing.T, api func(*TwitterConfig))) {
	for _, v := range []string{TwitterV2, TwitterV1} {
		t.Run(v, func(t *testing.T) { test(t, func(c *TwitterConfig) { c.API = v }) })
	}
}

func tweetOf(t *testing.T, event status.Event, update, root string) Message {
	i := checkoutDown()
	return mustCompose(t, issueStory(event, i, update)).to(status.Delivery{Recipient: "twitter", Attempt: 1}, root, noon)
}

func TestTheFirstTweetHasALinkAndRepliesHaveNone(t *testing.T) {
	versions(t, func(t *testing.T, api func(*TwitterConfig)) {
		f := fakeX(t)
		x := poster(t, f, api)
		root, err := x.Send(t.Context(), tweetOf(t, status.EventOpen, "u1", ""))
		if err != nil || root == "" {
			t.Fatalf("id %q, %v; refused: %v", root, err, f.Refused())
		}
		if _, err := x.Send(t.Context(), tweetOf(t, status.EventResolve, "u3", root)); err != nil {
			t.Fatal(err)
		}
		tweets := f.Tweets()
		if len(tweets) != 2 || tweets[0].ID != root || tweets[0].ReplyTo != "" || tweets[1].ReplyTo != root {
			t.Fatalf("tweets %+v", tweets)
		}
		if !strings.HasSuffix(tweets[0].Text, " https://status.example.com/issues/i1#update-u1") {
			t.Errorf("the first has no link: %q", tweets[0].Text)
		}
		if want := "✅ Resolved: Checkout is unavailable in eu-west. Checkout has recovered. Affects Checkout, Payments."; tweets[1].Text != want {
			t.Errorf("the reply is %q, want %q", tweets[1].Text, want)
		}
		if tweets[0].API != x.cfg.API {
			t.Errorf("posted through %s", tweets[0].API)
		}
	})
}

func TestTextOfAllKindsIsSignedRight(t *testing.T) {
	versions(t, func(t *testing.T, api func(*TwitterConfig)) {
		f := fakeX(t)
		x := poster(t, f, api)
		for _, title := range []string{"100% + & = ? ~ * ( ) ! '", "日本語 👨‍👩‍👧", "a;b,c\"d\\e"} {
			m := tweetOf(t, status.EventOpen, "u1", "")
			m.Title = title
			if _, err := x.Send(t.Context(), m); err != nil {
				t.Errorf("%q: %v; refused: %v", title, err, f.Refused())
			}
		}
	})
}

func TestRateLimitsAndOutagesAreWaitedOut(t *testing.T) {
	reset := time.Now().Add(7 * time.Minute).Truncate(time.Second)
	unavailableUntil := twitterfake.Unavailable()
	unavailableUntil.Header = map[string]string{"x-rate-limit-reset": strconv.FormatInt(reset.Unix(), 10)}
	daily := twitterfake.RateLimited(reset.Add(time.Hour))
	daily.Header["x-rate-limit-remaining"] = "17"
	daily.Header["x-app-limit-24hour-remaining"], daily.Header["x-app-limit-24hour-reset"] = "0", strconv.FormatInt(reset.Unix(), 10)
	soon := twitterfake.Unavailable()
	soon.Header = map[string]string{"Retry-After": "30"}
	versions(t, func(t *testing.T, api func(*TwitterConfig)) {
		for name, c := range map[string]struct {
			answer twitterfake.Answer
			want   RetryAfter
		}{
			"429":                     {twitterfake.RateLimited(reset), RetryAfter{At: reset}},
			"429 of the day":          {daily, RetryAfter{At: reset}},
			"503 with a reset":        {unavailableUntil, RetryAfter{At: reset}},
			"503 with Retry-After":    {soon, RetryAfter{After: 30 * time.Second}},
			"503 as proxies give one": {twitterfake.Unavailable(), RetryAfter{}},
		} {
			f := fakeX(t)
			f.Next(c.answer)
			_, err := poster(t, f, api).Send(t.Context(), tweetOf(t, status.EventOpen, "u1", ""))
			got, asked := errors.AsType[RetryAfter](err)
			if err == nil || asked != (c.want != RetryAfter{}) || !got.At.Equal(c.want.At) || got.After != c.want.After {
				t.Errorf("%s: %v asks to wait until %v or for %v, want %v or %v", name, err, got.At, got.After, c.want.At, c.want.After)
			}
			if _, permanent := errors.AsType[Permanent](err); permanent {
				t.Errorf("%s is permanent: %v", name, err)
			}
		}
	})
}

func TestADuplicateCountsAsSent(t *testing.T) {
	versions(t, func(t *testing.T, api func(*TwitterConfig)) {
		f := fakeX(t)
		x := poster(t, f, api)
		f.Blind() // so only the refusal tells
		f.Next(twitterfake.Broken())
		m := tweetOf(t, status.EventOpen, "u1", "")
		if _, err := x.Send(t.Context(), m); err == nil {
			t.Fatal("a post without an answer counts as sent")
		}
		m.Attempt = 2
		m.Title = "Edited meanwhile" // the text of the first attempt is kept, or X would not know it again
		if id, err := x.Send(t.Context(), m); err != nil || id != "" {
			t.Errorf("the second attempt: id %q, %v; want it to count as sent", id, err)
		}
		if n := len(f.Tweets()); n != 1 {
			t.Errorf("%d tweets, want one", n)
		}
	})
}

func TestATimeOutIsResolvedByLookingWithoutASecondTweet(t *testing.T) {
	versions(t, func(t *testing.T, api func(*TwitterConfig)) {
		for _, root := range []string{"", "1700000000000000009"} {
			f := fakeX(t)
			f.Next(twitterfake.Broken())
			m := tweetOf(t, status.EventOpen, "u1", root)
			m.Title = "Checkout <b> & pay"
			if _, err := poster(t, f, api).Send(t.Context(), m); err == nil {
				t.Fatal("a post without an answer counts as sent")
			}
			m.Attempt = 2
			tries := f.Tries()
			// Another process: it remembers nothing.
			id, err := poster(t, f, api).Send(t.Context(), m)
			if err != nil || len(f.Tweets()) != 1 || id != f.Tweets()[0].ID {
				t.Errorf("reply to %q: id %q, %v, tweets %+v", root, id, err, f.Tweets())
			}
			if f.Reads() != 1 || f.Tries() != tries+1 {
				t.Errorf("%d looks, %d requests more; want one look and no post", f.Reads(), f.Tries()-tries)
			}
		}
	})
}

func TestWhatTheTimeOutLostIsPosted(t *testing.T) {
	versions(t, func(t *testing.T, api func(*TwitterConfig)) {
		f := fakeX(t)
		x := poster(t, f, api)
		f.Next(twitterfake.Lost())
		m := tweetOf(t, status.EventOpen, "u1", "")
		if _, err := x.Send(t.Context(), m); err == nil {
			t.Fatal("a post without an answer counts as sent")
		}
		m.Attempt = 2
		if id, err := x.Send(t.Context(), m); err != nil || id == "" || len(f.Tweets()) != 1 {
			t.Errorf("id %q, %v, tweets %+v", id, err, f.Tweets())
		}
	})
}

func TestAfterARefusalNobodyPaysForLooking(t *testing.T) {
	f := fakeX(t)
	x := poster(t, f)
	f.Next(twitterfake.RateLimited(time.Now().Add(time.Minute)))
	m := tweetOf(t, status.EventOpen, "u1", "")
	if _, err := x.Send(t.Context(), m); err == nil {
		t.Fatal("a 429 counts as sent")
	}
	m.Attempt = 2
	if _, err := x.Send(t.Context(), m); err != nil || f.Reads() != 0 || len(f.Tweets()) != 1 {
		t.Errorf("%v, %d looks, tweets %v", err, f.Reads(), f.Tweets())
	}
}

// tally counts posts in memory.
type tally struct {
	n      int
	broken error
}

func (c *tally) CountPost(context.Context, string, time.Time) error { c.n++; return nil }

func (c *tally) Posts(context.Context, string, time.Time) (int, error) { return c.n, c.broken }

func TestTheLastTweetOfTheMonthIsForAnEnd(t *testing.T) {
	f, count := fakeX(t), &tally{}
	x := poster(t, f, func(c *TwitterConfig) { c.MonthlyPosts, c.Counter = 2, count })
	open := tweetOf(t, status.EventOpen, "u1", "")
	if _, err := x.Send(t.Context(), open); err != nil || count.n != 1 {
		t.Fatalf("%v, %d are counted", err, count.n)
	}
	open.Title = "Another outage"
	_, err := x.Send(t.Context(), open)
	if _, permanent := errors.AsType[Permanent](err); !permanent || !strings.Contains(err.Error(), "1 of the 2 tweets of this month are used up") {
		t.Errorf("a second beginning: %v", err)
	}
	if _, err := x.Send(t.Context(), tweetOf(t, status.EventResolve, "u3", "")); err != nil || count.n != 2 {
		t.Errorf("the end: %v, %d are counted", err, count.n)
	}
	if _, err := x.Send(t.Context(), tweetOf(t, status.EventResolve, "u2", "")); err == nil || len(f.Tweets()) != 2 {
		t.Errorf("beyond the budget: %v, %d tweets", err, len(f.Tweets()))
	}
	count.broken = errors.New("no database")
	_, err = x.Send(t.Context(), tweetOf(t, status.EventResolve, "u2", ""))
	if _, permanent := errors.AsType[Permanent](err); err == nil || permanent {
		t.Errorf("while nobody can count: %v, want an error that passes", err)
	}
}

func TestARuleThatNamesTheFeedStandsAboveItsMode(t *testing.T) {
	f := fakeX(t)
	m := tweetOf(t, status.EventUpdate, "u2", "")
	m.Named = true
	if _, err := poster(t, f).Send(t.Context(), m); err != nil || len(f.Tweets()) != 1 {
		t.Errorf("%v, tweets %v", err, f.Tweets())
	}
}

func TestTheKeysAreVerifiedWithoutAPost(t *testing.T) {
	versions(t, func(t *testing.T, api func(*TwitterConfig)) {
		f := fakeX(t)
		x := poster(t, f, api)
		if account, err := x.Verify(t.Context()); err != nil || account != "status" {
			t.Errorf("account %q, %v", account, err)
		}
		f.ReadOnlyToken()
		if _, err := x.Verify(t.Context()); err == nil || !strings.Contains(err.Error(), "may only read") {
			t.Errorf("a token that may only read: %v", err)
		}
		if _, err := poster(t, f, api, func(c *TwitterConfig) { c.AccessSecret = "old" }).Verify(t.Context()); err == nil || !strings.Contains(err.Error(), "does not accept the keys") {
			t.Errorf("a wrong secret: %v", err)
		}
		f.Close()
		if _, err := x.Verify(t.Context()); err == nil || !strings.Contains(err.Error(), "reach X") {
			t.Errorf("nobody there: %v", err)
		}
		if len(f.Tweets()) != 0 {
			t.Errorf("tweets %v", f.Tweets())
		}
	})
}

func TestADeadTokenIsNoReasonToTryAgain(t *testing.T) {
	versions(t, func(t *testing.T, api func(*TwitterConfig)) {
		for want, answer := range map[string]twitterfake.Answer{
			"does not accept the keys": twitterfake.Unauthorized(),
			"Read and write":           twitterfake.ReadOnly(),
			"set twitter.api to v2":    twitterfake.NoAccess(),
			"credits":                  twitterfake.NoCredits(),
		} {
			f := fakeX(t)
			f.Next(answer)
			_, err := poster(t, f, api).Send(t.Context(), tweetOf(t, status.EventOpen, "u1", ""))
			if _, permanent := errors.AsType[Permanent](err); !permanent || !strings.Contains(err.Error(), want) {
				t.Errorf("error is %v, want a permanent one that says %q", err, want)
			}
		}
	})
}

func TestWrongSecretsAreRefused(t *testing.T) {
	versions(t, func(t *testing.T, api func(*TwitterConfig)) {
		for name, spoil := range map[string]func(*TwitterConfig){
			"consumer secret": func(c *TwitterConfig) { c.ConsumerSecret += "x" },
			"access secret":   func(c *TwitterConfig) { c.AccessSecret = "guessed" },
			"consumer key":    func(c *TwitterConfig) { c.ConsumerKey = "other" },
			"access token":    func(c *TwitterConfig) { c.AccessToken = "other" },
		} {
			f := fakeX(t)
			_, err := poster(t, f, api, spoil).Send(t.Context(), tweetOf(t, status.EventOpen, "u1", ""))
			if _, permanent := errors.AsType[Permanent](err); !permanent || len(f.Tweets()) != 0 || len(f.Refused()) != 1 {
				t.Errorf("%s: %v, tweets %v", name, err, f.Tweets())
			}
		}
	})
}

func TestTheModeSaysWhatIsTweeted(t *testing.T) {
	want := map[string]string{
		TweetEnds: "open resolve maintenance_scheduled maintenance_ended maintenance_cancelled",
		TweetAll:  "open update resolve maintenance_scheduled maintenance_started maintenance_ended maintenance_cancelled",
		TweetOff:  "",
	}
	for mode, want := range want {
		f := fakeX(t)
		x := poster(t, f, func(c *TwitterConfig) { c.Mode = mode })
		var sent []string
		for _, event := range []status.Event{
			status.EventOpen, status.EventUpdate, status.EventResolve, status.EventMaintenanceScheduled, status.EventMaintenanceStarted,
			status.EventMaintenanceEnded, status.EventMaintenanceCancelled,
		} {
			m := tweetOf(t, event, "u3", "")
			m.Title = string(event)
			_, err := x.Send(t.Context(), m)
			if err == nil {
				sent = append(sent, string(event))
			} else if _, skipped := errors.AsType[Skipped](err); !skipped {
				t.Errorf("%s: %v", event, err)
			}
		}
		if got := strings.Join(sent, " "); got != want || len(f.Tweets()) != len(sent) {
			t.Errorf("mode %s tweets %q, want %q", mode, got, want)
		}
	}
}

func TestTheBeginningIsNotTweetedAfterTheEnd(t *testing.T) {
	f := fakeX(t)
	x := poster(t, f)
	m := tweetOf(t, status.EventOpen, "u1", "")
	m.Late = true
	_, err := x.Send(t.Context(), m)
	if _, skipped := errors.AsType[Skipped](err); !skipped || len(f.Tweets()) != 0 {
		t.Errorf("error is %v, tweets %v", err, f.Tweets())
	}
}

func TestAnXThatHangsIsLeft(t *testing.T) {
	versions(t, func(t *testing.T, api func(*TwitterConfig)) {
		f := fakeX(t)
		x := poster(t, f, api)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := x.Send(ctx, tweetOf(t, status.EventOpen, "u1", ""))
		if !errors.Is(err, context.Canceled) || len(f.Tweets()) != 0 {
			t.Errorf("error is %v", err)
		}
		if x.signed.Timeout != 10*time.Second {
			t.Errorf("the time-out is %v", x.signed.Timeout)
		}
	})
}

func TestAWrongTwitterConfigurationSaysWhatToMend(t *testing.T) {
	good := TwitterConfig{ConsumerKey: "a", ConsumerSecret: "b", AccessToken: "c", AccessSecret: "d"}
	x, err := NewTwitter(good)
	if err != nil || x.base.String() != "https://api.x.com" || x.cfg.Mode != TweetEnds {
		t.Fatalf("%+v, %v", x, err)
	}
	for want, change := range map[string]func(*TwitterConfig){
		"twitter.api": func(c *TwitterConfig) { c.API = "v3" }, "twitter.mode": func(c *TwitterConfig) { c.Mode = "some" },
		"twitter.base_url": func(c *TwitterConfig) { c.BaseURL = "x" }, "twitter.consumer_key": func(c *TwitterConfig) { c.ConsumerKey = "" },
		"twitter.consumer_secret": func(c *TwitterConfig) { c.ConsumerSecret = "" }, "twitter.access_token": func(c *TwitterConfig) { c.AccessToken = "" },
		"twitter.access_secret": func(c *TwitterConfig) { c.AccessSecret = "" },
	} {
		cfg := good
		change(&cfg)
		if _, err := NewTwitter(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v", want, err)
		}
	}
}
