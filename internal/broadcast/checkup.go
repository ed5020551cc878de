package broadcast

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Checked is what a look at a channel found.
type Checked struct {
	Said string // for people
	// Sure is false when the channel tells nothing without a message: its address
	// answers, whether it takes the message is not known.
	Sure bool
}

// Check looks whether the channel would take a message, without one: whether it
// is reached, and its secret is good.
func (c *Channel) Check(ctx context.Context) (Checked, error) {
	switch c.cfg.Type {
	case Slack:
		return c.checkSlack(ctx)
	case Discord:
		return c.checkDiscord(ctx)
	case Mastodon:
		return c.checkMastodon(ctx)
	case Bluesky:
		return c.sky.check(ctx)
	}
	// A workflow would run, a program would take it for news: only knock.
	code, _, err := c.ask(ctx, http.MethodHead, c.cfg.URL, "")
	if err != nil {
		return Checked{}, err
	}
	if code >= 500 {
		return Checked{}, fmt.Errorf("it answers %d", code)
	}
	return Checked{Said: "it answers; whether it takes a message only a message shows"}, nil
}

// checkSlack sends a message without a text, which Slack refuses as such when
// the address is good, and else because of the address.
func (c *Channel) checkSlack(ctx context.Context) (Checked, error) {
	code, said, err := c.ask(ctx, http.MethodPost, c.cfg.URL, `{"text":""}`)
	if err != nil {
		return Checked{}, err
	}
	if code == http.StatusBadRequest && slices.Contains([]string{"no_text", "invalid_payload"}, strings.TrimSpace(string(said))) {
		return Checked{"Slack knows the address", true}, nil
	}
	return Checked{}, refusedCheck(code, said)
}

func (c *Channel) checkDiscord(ctx context.Context) (Checked, error) {
	code, said, err := c.ask(ctx, http.MethodGet, c.cfg.URL, "")
	if err != nil {
		return Checked{}, err
	}
	var hook struct{ Name string }
	if json.Unmarshal(said, &hook) != nil || code != http.StatusOK {
		return Checked{}, refusedCheck(code, said)
	}
	return Checked{fmt.Sprintf("Discord knows the webhook %q", oneLine(hook.Name)), true}, nil
}

// checkMastodon asks whose the token is. One that may only write must not know.
func (c *Channel) checkMastodon(ctx context.Context) (Checked, error) {
	code, said, err := c.ask(ctx, http.MethodGet, strings.TrimRight(c.cfg.URL, "/")+"/api/v1/accounts/verify_credentials", "")
	if err != nil {
		return Checked{}, err
	}
	var account struct{ Acct string }
	switch {
	case code == http.StatusOK && json.Unmarshal(said, &account) == nil:
		return Checked{"it posts as @" + oneLine(account.Acct), true}, nil
	case code == http.StatusForbidden && strings.Contains(string(said), "scope"):
		return Checked{"Mastodon knows the token", true}, nil
	}
	return Checked{}, refusedCheck(code, said)
}

// check signs in, or uses the session that there is.
func (b *bluesky) check(ctx context.Context) (Checked, error) {
	var who struct {
		Handle string
		Active *bool
		Status string
	}
	err := b.signed(ctx, func(s session) error {
		return b.call(ctx, http.MethodGet, xrpcGetSession, s.Access, nil, &who)
	})
	switch {
	case err != nil:
		return Checked{}, judgeSky(err)
	case who.Active != nil && !*who.Active:
		return Checked{}, fmt.Errorf("the account @%s is %s", oneLine(who.Handle), oneLine(who.Status))
	}
	return Checked{"it posts as @" + oneLine(who.Handle), true}, nil
}

func refusedCheck(code int, said []byte) error {
	err := fmt.Errorf("answer %d: %s", code, cutTo(oneLine(string(said)), 200))
	if code >= 400 && code < 500 && code != http.StatusTooManyRequests {
		return Permanent{Reason: "the address or its secret is no longer good: make a new one", Err: err}
	}
	return err
}

// ask makes a request that posts nothing.
func (c *Channel) ask(ctx context.Context, method, url, body string) (code int, said []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, nil, withoutURL(err)
	}
	req.Header.Set("User-Agent", "statusbridge")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.cfg.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.cfg.Token)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("reach %s: %w", req.URL.Host, withoutURL(err))
	}
	defer resp.Body.Close()
	said, err = io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return resp.StatusCode, said, err
}

// Test sends a message that says that it is one of a trial. id names it.
func (c *Channel) Test(ctx context.Context, id string, now time.Time) (providerID string, err error) {
	m := Message{
		Event: status.EventTest, UpdateID: id, DeliveryID: id + "." + c.cfg.Name, Title: "This is a test",
		State: "Test", Code: "test", Tone: TonePlanned, Body: "Messages of " + c.cfg.PageName + " arrive here. Nothing is wrong.",
		Link: c.cfg.PublicURL, At: now, Queued: now, Now: now, Attempt: 1, letters: new(formLetters),
	}
	providerID, err = c.Send(ctx, m)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("it did not answer in time: %w", err)
	}
	return providerID, err
}
