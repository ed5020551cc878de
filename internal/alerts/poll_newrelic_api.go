package alerts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/newrelic/newrelic-client-go/v2/pkg/config"
	"github.com/newrelic/newrelic-client-go/v2/pkg/nerdgraph"
	"github.com/newrelic/newrelic-client-go/v2/pkg/region"

	"github.com/statusbridge/statusbridge/internal/status"
)

// The questions. aiIssues is behind an opt-in, and its schema has no promise.
const (
	issuesQuestion = `query($account: Int!, $ids: [ID!]!, $cursor: String) {
  actor { account(id: $account) { aiIssues { issues(filter: {ids: $ids}, cursor: $cursor) {
    issues {
      issueId state eventType priority title description entityNames policyName conditionName
      createdAt activatedAt closedAt updatedAt mutingState mergeReason parentMergeId
    }
    nextCursor
  } } } }
}`
	eventsQuestion = `query($account: Int!, $nrql: Nrql!) {
  actor { account(id: $account) { nrql(query: $nrql) { results } } }
}`
	optIn        = "nerd-graph-unsafe-experimental-opt-in"
	optInto      = "AiIssues"
	mostPages    = 50
	longestReply = 16 << 20
)

// newRelicAPI asks the questions of one poll. It is made anew for each, since
// the library knows no contexts.
type newRelicAPI struct {
	client  nerdgraph.NerdGraph
	line    *newRelicLine
	account int
}

func (p *Poller) newRelicAPI(ctx context.Context, src status.Source) (*newRelicAPI, error) {
	cfg, line, err := newRelicConfig(ctx, src, p.cfg.Getenv, p.cfg.HTTP.Transport)
	if err != nil {
		return nil, err
	}
	line.experimental = true
	return &newRelicAPI{client: nerdgraph.New(cfg), line: line, account: src.AccountID}, nil
}

// newRelicConfig is how New Relic's library reaches a source. transport nil is
// the usual one.
func newRelicConfig(ctx context.Context, src status.Source, getenv func(string) string, transport http.RoundTripper) (config.Config, *newRelicLine, error) {
	cfg := config.New()
	key := strings.TrimSpace(getenv(src.APIKeyEnv))
	if key == "" {
		return cfg, nil, fmt.Errorf("the environment variable %s is empty: it must hold a user key of New Relic that may read account %d; "+
			"or remove api_key_env, and the source is only listened to", src.APIKeyEnv, src.AccountID)
	}
	name := region.US
	if src.Region == "eu" {
		name = region.EU
	}
	place, err := region.Get(name)
	if err != nil {
		return cfg, nil, err
	}
	place.SetNerdGraphBaseURL(src.APIURL) // nothing if empty
	line := &newRelicLine{ctx: ctx, next: transport}
	if line.next == nil {
		line.next = http.DefaultTransport
	}
	cfg.PersonalAPIKey, cfg.HTTPTransport, cfg.Logger = key, line, mute{}
	// The line bounds each question. A time-out of the library's leaks its timer.
	cfg.Timeout = new(time.Duration)
	return cfg, line, cfg.SetRegion(place)
}

// newRelicData is the part of the answers that we ask for.
type newRelicData struct {
	Actor struct {
		Account *struct {
			AIIssues *struct {
				Issues *struct {
					Issues     []newRelicAnswer `json:"issues"`
					NextCursor string           `json:"nextCursor"`
				} `json:"issues"`
			} `json:"aiIssues"`
			NRQL *struct {
				Results []struct {
					Facet jsontext.Value `json:"facet"`
					Event jsontext.Value `json:"event"`
				} `json:"results"`
			} `json:"nrql"`
		} `json:"account"`
	} `json:"actor"`
}

// issues adds what New Relic says of the issues to answers. It reads all pages.
func (a *newRelicAPI) issues(ids []string, answers map[string]newRelicAnswer) error {
	var cursor any // null asks for the first page
	for range mostPages {
		var data newRelicData
		if err := a.ask(issuesQuestion, map[string]any{"ids": ids, "cursor": cursor}, &data); err != nil {
			return err
		}
		account := data.Actor.Account
		if account == nil || account.AIIssues == nil || account.AIIssues.Issues == nil {
			return fmt.Errorf("no word on account %d; may the key read it?", a.account)
		}
		page := account.AIIssues.Issues
		for _, issue := range page.Issues {
			if slices.Contains(ids, issue.ID) {
				answers[issue.ID] = issue
			}
		}
		if page.NextCursor == "" {
			return nil
		}
		cursor = page.NextCursor
	}
	return fmt.Errorf("the answer has no end after %d pages", mostPages)
}

// began lists the issues with events since then whose last event is no end.
func (a *newRelicAPI) began(since time.Time) ([]string, error) {
	nrql := fmt.Sprintf("SELECT latest(event) AS 'event' FROM NrAiIssue FACET issueId SINCE %d LIMIT MAX", since.UnixMilli())
	var data newRelicData
	if err := a.ask(eventsQuestion, map[string]any{"nrql": nrql}, &data); err != nil {
		return nil, err
	}
	if data.Actor.Account == nil || data.Actor.Account.NRQL == nil {
		return nil, fmt.Errorf("no word on account %d; may the key read it?", a.account)
	}
	var ids []string
	for _, row := range data.Actor.Account.NRQL.Results {
		if text(row.Event) != "close" {
			ids = append(ids, text(row.Facet))
		}
	}
	return ids, nil
}

func (a *newRelicAPI) ask(question string, variables map[string]any, into *newRelicData) error {
	variables["account"] = a.account
	return a.line.carry(func() error { return a.client.QueryWithResponse(question, variables, into) })
}

// NerdGraph asks questions of New Relic's GraphQL API. It is made anew for each
// few that belong together, since the library knows no contexts.
type NerdGraph struct {
	client nerdgraph.NerdGraph
	line   *newRelicLine
}

// NewNerdGraph makes a client that asks until ctx is done. where is the region,
// us or eu; "" is us. address, if it is not "", is asked in its place.
func NewNerdGraph(ctx context.Context, key, where, address string) (*NerdGraph, error) {
	src := status.Source{Region: where, APIURL: address}
	cfg, line, err := newRelicConfig(ctx, src, func(string) string { return key }, nil)
	if err != nil {
		return nil, err
	}
	return &NerdGraph{nerdgraph.New(cfg), line}, nil
}

// Ask puts one question, once, and reads the data of the answer. Errors inside a
// good answer are errors.
func (n *NerdGraph) Ask(question string, variables map[string]any, into any) error {
	return n.line.carry(func() error { return n.client.QueryWithResponse(question, variables, into) })
}

// newRelicLine carries the questions. It bounds them in time, and lets no
// failure pass to the library: that would try again by itself, asleep for as
// long as a Retry-After says, and overlook errors in answers that look good. The
// next poll is our next attempt.
type newRelicLine struct {
	ctx     context.Context
	next    http.RoundTripper
	refused error // why the last question got no answer
	// experimental: the questions are about what New Relic gives no promise for.
	experimental bool
}

// carry lets the library ask; the error is the line's own if it refused.
func (l *newRelicLine) carry(ask func() error) error {
	l.refused = nil
	err := ask()
	if l.refused != nil {
		return l.refused
	}
	return err
}

// RoundTrip sends one question.
func (l *newRelicLine) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := l.exchange(r)
	if l.refused = err; err != nil {
		return reply(r, http.StatusBadRequest, []byte("{}")), nil // of all, the library takes this for final
	}
	return reply(r, http.StatusOK, body), nil
}

func reply(r *http.Request, code int, body []byte) *http.Response {
	return &http.Response{
		StatusCode: code, Status: http.StatusText(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

func (l *newRelicLine) exchange(r *http.Request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(l.ctx, askTimeout)
	defer cancel()
	r = r.Clone(ctx)
	if l.experimental {
		r.Header.Set(optIn, optInto)
	}
	resp, err := l.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, longestReply+1))
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		return nil, fmt.Errorf("answered %s: is the key a user key, and still good?", resp.Status)
	case resp.StatusCode != http.StatusOK:
		return nil, busy{fmt.Errorf("answered %s", resp.Status), retryAfter(resp.Header)}
	case len(body) > longestReply:
		return nil, errors.New("the answer is too long to be one")
	}
	return body, errorsInside(body)
}

// busy is the error of a server that says when to come again.
type busy struct {
	error
	wait time.Duration // 0 if it does not say
}

// longestWait bounds what a Retry-After may ask for: what webhooks lose should
// be found within the hour.
const longestWait = time.Hour

// retryAfter reads the seconds of a Retry-After (RFC 9110, section 10.2.3); its
// other form, a date, is not used by New Relic.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(min(seconds, 1<<20))*time.Second, longestWait)
}

// RetryAfter is how long the server that gave an error asks to be left alone; 0
// if it does not say.
func RetryAfter(err error) time.Duration {
	var b busy
	errors.As(err, &b) // or it is the zero
	return b.wait
}

// deprecation begins the errors that New Relic adds to good answers.
const deprecation = "This field is deprecated!"

// errorsInside finds the errors that come with status 200. Half an answer is
// none: nobody can tell which half is missing.
func errorsInside(body []byte) error {
	var answer struct {
		Errors []struct {
			Message    string `json:"message"`
			Extensions struct {
				Class string `json:"errorClass"`
			} `json:"extensions"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("the answer is not what NerdGraph answers: %w", err)
	}
	var all []error
	for _, e := range answer.Errors {
		if !strings.HasPrefix(e.Message, deprecation) {
			all = append(all, fmt.Errorf("refused: %s", strings.Join(nonEmpty(e.Extensions.Class, status.Clip(e.Message, 300)), ": ")))
		}
	}
	return errors.Join(all...)
}

// isWebAddress reports whether s may stand as api_url.
func isWebAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && u.User == nil && (u.Scheme == "http" || u.Scheme == "https")
}

// mute keeps the library from writing to a log of its own.
type mute struct{}

func (mute) Error(string, ...any) {}
func (mute) Warn(string, ...any)  {}
func (mute) Info(string, ...any)  {}
func (mute) Debug(string, ...any) {}
func (mute) Trace(string, ...any) {}
func (mute) SetLevel(string)      {}
