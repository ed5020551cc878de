package broadcast

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	//lint:ignore SA1019 the only library for v1.1, which some accounts still have
	gotwitter "github.com/dghubble/go-twitter/twitter"
	"golang.org/x/text/unicode/norm"
)

// newest is how many of the account's own tweets are looked through. X charges
// for each.
const newest = 10

// own is a tweet of the account, as X gives it back: links are short ones there.
type own struct {
	id, text string
	replyTo  string
	links    map[string]string // short: long
}

// is reports whether it is the tweet of the text.
func (o own) is(text, root string) bool {
	got := html.UnescapeString(o.text)
	for short, long := range o.links {
		got = strings.ReplaceAll(got, short, long)
	}
	return o.replyTo == root && norm.NFC.String(got) == text
}

// find looks for a tweet among the newest of the account; "" if it is not
// there, or if X does not let this app look, which many plans do not.
func (t *Twitter) find(ctx context.Context, text string, m Message) string {
	list := t.ownV2
	if t.cfg.API == TwitterV1 {
		list = t.ownV1
	}
	tweets, err := list(ctx)
	if err != nil {
		return ""
	}
	for _, o := range tweets {
		if o.is(text, m.Root) {
			return o.id
		}
	}
	return ""
}

// userID is the number of the account: access tokens begin with it.
func (t *Twitter) userID() string {
	id, _, _ := strings.Cut(t.cfg.AccessToken, "-")
	return id
}

// get asks v2 and decodes the answer.
func (t *Twitter) get(ctx context.Context, path string, into any) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.base.String()+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := t.signed.Do(req)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 256<<10))
	if err != nil {
		return nil, err
	}
	got := &answer{code: resp.StatusCode, header: resp.Header}
	if resp.StatusCode != http.StatusOK {
		got.read(raw)
		return got, nil
	}
	return got, json.Unmarshal(raw, into)
}

// ownV2 lists the newest tweets through GET /2/users/:id/tweets.
func (t *Twitter) ownV2(ctx context.Context) ([]own, error) {
	var said struct {
		Data []struct {
			ID, Text   string
			Referenced []struct{ Type, ID string } `json:"referenced_tweets"`
			Entities   struct {
				URLs []struct {
					URL      string
					Expanded string `json:"expanded_url"`
				}
			}
		}
	}
	query := url.Values{"max_results": {strconv.Itoa(newest)}, "tweet.fields": {"entities,referenced_tweets"}}
	got, err := t.get(ctx, "/2/users/"+url.PathEscape(t.userID())+"/tweets?"+query.Encode(), &said)
	if err == nil {
		err = judge(got, t.cfg.API)
	}
	if err != nil {
		return nil, err
	}
	var out []own
	for _, d := range said.Data {
		o := own{id: d.ID, text: d.Text, links: map[string]string{}}
		for _, r := range d.Referenced {
			if r.Type == "replied_to" {
				o.replyTo = r.ID
			}
		}
		for _, u := range d.Entities.URLs {
			o.links[u.URL] = u.Expanded
		}
		out = append(out, o)
	}
	return out, nil
}

// ownV1 lists the newest tweets through go-twitter.
func (t *Twitter) ownV1(ctx context.Context) ([]own, error) {
	tweets, _, err := t.v1(ctx).Timelines.UserTimeline(&gotwitter.UserTimelineParams{Count: newest, TweetMode: "extended"})
	if err != nil {
		return nil, err
	}
	var out []own
	for _, d := range tweets {
		o := own{id: d.IDStr, text: d.FullText, replyTo: d.InReplyToStatusIDStr, links: map[string]string{}}
		if d.Entities != nil {
			for _, u := range d.Entities.Urls {
				o.links[u.URL] = u.ExpandedURL
			}
		}
		out = append(out, o)
	}
	return out, nil
}

// v1 is go-twitter's client with our context and host.
func (t *Twitter) v1(ctx context.Context) *gotwitter.Client {
	client := *t.signed
	client.Transport = redirected{ctx: ctx, base: t.base, next: t.signed.Transport}
	return gotwitter.NewClient(&client)
}

// Verify asks X who the keys belong to, and whether they may write. Nothing is
// posted.
func (t *Twitter) Verify(ctx context.Context) (account string, err error) {
	var got *answer
	if t.cfg.API == TwitterV1 {
		user, resp, verr := t.v1(ctx).Accounts.VerifyCredentials(nil)
		if resp == nil {
			return "", fmt.Errorf("reach X: %w", withoutURL(verr))
		}
		got = &answer{code: resp.StatusCode, header: resp.Header}
		var said gotwitter.APIError
		if errors.As(verr, &said) && len(said.Errors) > 0 {
			got.words, got.number = said.Errors[0].Message, said.Errors[0].Code
		}
		if user != nil {
			account = user.ScreenName
		}
	} else {
		var said struct{ Data struct{ Username string } }
		if got, err = t.get(ctx, "/2/users/me", &said); got == nil {
			return "", fmt.Errorf("reach X: %w", err)
		}
		account = said.Data.Username
	}
	if err := judge(got, t.cfg.API); err != nil {
		return "", err
	}
	// X tells with each answer what the token may do.
	if level := got.header.Get("x-access-level"); level != "" && !strings.Contains(level, "write") {
		return account, Permanent{Reason: "the access token may only read: give the app the permission Read and write, then make a new access token"}
	}
	return account, nil
}

// Budget is how many tweets this month has had, and may have; most 0 is any.
func (t *Twitter) Budget(ctx context.Context, m Message) (used, most int, err error) {
	if t.cfg.Counter != nil {
		used, err = t.cfg.Counter.Posts(ctx, t.Channel(), m.Now)
	}
	return used, t.cfg.MonthlyPosts, err
}

// Draft is the text that would be posted for a message.
func (t *Twitter) Draft(m Message) (text string, weight int) {
	text = Tweet(m, t.cfg.WithURL && m.Root == "")
	return text, weigh(text)
}

// TweetLimit is the most that a tweet may weigh.
const TweetLimit = tweetLimit
