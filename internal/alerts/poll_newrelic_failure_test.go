package alerts

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/alerts/nerdgraphfake"
	"github.com/statusbridge/statusbridge/internal/bubble"
	"github.com/statusbridge/statusbridge/internal/status"
)

func TestABadAnswerConcludesNothingAndIsNotAskedAgainAtOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		answer nerdgraphfake.Answer
		want   string
	}{
		"an error inside a 200":              {nerdgraphfake.Refusal("VALIDATION", "Cannot query field"), "VALIDATION: Cannot query field"},
		"one that the library tries again":   {nerdgraphfake.Refusal("SERVER_ERROR", "try later"), "SERVER_ERROR: try later"},
		"one that the library overlooks":     {nerdgraphfake.Refusal("", ""), "refused"},
		"too many requests inside a 200":     {nerdgraphfake.Refusal("TOO_MANY_REQUESTS", "slow down"), "TOO_MANY_REQUESTS"},
		"429, wait an hour":                  {nerdgraphfake.RateLimited(time.Hour), "429 Too Many Requests"},
		"a key that is no longer good":       {nerdgraphfake.Unauthorized(), "still good"},
		"an account that is not there":       {nerdgraphfake.Plain(200, `{"data":{"actor":{"account":null}}}`), "no word on account 1234567"},
		"a page of a proxy":                  {nerdgraphfake.Plain(200, "<h1>Hello</h1>"), "not what NerdGraph answers"},
		"a gateway in trouble":               {nerdgraphfake.Plain(502, "<h1>Bad gateway</h1>"), "502 Bad Gateway"},
		"a redirection to another place":     {nerdgraphfake.Plain(301, ""), "301 Moved"},
		"no JSON where there should be some": {nerdgraphfake.Plain(200, ""), "not what NerdGraph answers"},
	} {
		for question := range 2 { // the one for events, or the one for issues
			t.Run(name, func(t *testing.T) {
				w := newNRWorld(t)
				w.believes(t, issueID)
				w.fake.Put(nrAccount, ended(issueID, "INCIDENT_CLOSED"))
				w.fake.Put(nrAccount, open(issueNumber(1)))
				if question == 1 {
					w.fake.Next(nerdgraphfake.Good())
				}
				w.fake.Next(tt.answer)
				w.poll(t)
				if s := w.source("prod"); !strings.Contains(s.Err, tt.want) || !s.AnsweredAt.IsZero() || !w.blind("prod") {
					t.Errorf("source %+v", s)
				}
				if !w.signal(issueID).Firing || w.signal(issueNumber(1)).Firing || w.fake.Tries() != question+1 {
					t.Errorf("after %d requests %+v", w.fake.Tries(), w.db.signals())
				}
				w.poll(t)
				if s := w.source("prod"); s.Err != "" || w.signal(issueID).Firing || !w.signal(issueNumber(1)).Firing {
					t.Errorf("the next poll: %+v, %+v", s, w.db.signals())
				}
			})
		}
	}
}

func TestASourceThatIsBusyIsLeftAloneForAsLongAsItSays(t *testing.T) {
	w := newNRWorld(t)
	w.fake.Next(nerdgraphfake.RateLimited(10 * time.Minute))
	for range 10 {
		w.poller.Nudge("prod")
		w.poller.pollDue(t.Context())
		w.clock.pass(time.Minute)
	}
	if n := w.fake.Tries(); n != 1 {
		t.Errorf("asked %d times within ten minutes", n)
	}
	w.poller.pollDue(t.Context())
	if s := w.source("prod"); w.fake.Tries() == 1 || s.Err != "" {
		t.Errorf("not asked again: %+v", s)
	}
	for header, want := range map[string]time.Duration{"": 0, "-1": 0, "soon": 0, "7": 7 * time.Second, "99999999999": time.Hour, "900000": time.Hour} {
		if got := retryAfter(http.Header{"Retry-After": {header}}); got != want {
			t.Errorf("%q: %s", header, got)
		}
	}
}

func TestARemarkOnDeprecationIsNoError(t *testing.T) {
	w := newNRWorld(t)
	w.fake.Next(nerdgraphfake.Plain(200, `{"data":{"actor":{"account":{"nrql":{"results":[]}}}},"errors":[{"message":"This field is deprecated! Use another."}]}`))
	w.poll(t)
	if s := w.source("prod"); s.Err != "" {
		t.Errorf("source %+v", s)
	}
}

func TestAnAPIThatHangsIsGivenUp(t *testing.T) {
	w := newNRWorld(t)
	w.believes(t, issueID)
	w.poller.patience = 50 * time.Millisecond
	w.fake.Next(nerdgraphfake.Hanging())
	w.poll(t)
	if s := w.source("prod"); !strings.Contains(s.Err, context.DeadlineExceeded.Error()) || !w.blind("prod") || !w.signal(issueID).Firing {
		t.Errorf("source %+v", s)
	}
}

func TestAPollIsBoundedInTimeHoweverSlowNewRelicIs(t *testing.T) {
	for name, tt := range map[string]struct{ each, want time.Duration }{
		"one question that hangs":                {each: time.Hour, want: askTimeout},
		"page after page, each just soon enough": {each: askTimeout - time.Second, want: newRelicPatience},
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				belief := newRelicBelief{signals: map[string][]status.Signal{issueID: {{Firing: true}}}}
				p := NewPoller(PollerConfig{
					Getenv: func(string) string { return nrKey },
					HTTP: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
						select {
						case <-time.After(tt.each): // by the clock of the bubble
						case <-r.Context().Done():
							return nil, r.Context().Err()
						}
						return reply(r, 200, []byte(`{"data":{"actor":{"account":{"nrql":{"results":[]},`+
							`"aiIssues":{"issues":{"issues":[],"nextCursor":"more"}}}}}}`)), nil
					})},
				})
				start := time.Now()
				_, err := p.askNewRelic(t.Context(), status.Source{AccountID: nrAccount}, belief)
				if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took != tt.want {
					t.Errorf("after %v: %v", took, err)
				}
			})
		})
	}
}

func TestAnIssueThatWasNotAskedForIsLeftOut(t *testing.T) {
	w := newNRWorld(t)
	w.believes(t, issueID)
	w.fake.Next(nerdgraphfake.Good(), nerdgraphfake.Plain(200, `{"data":{"actor":{"account":{"aiIssues":{"issues":{"issues":[`+
		`{"issueId":"`+issueNumber(1)+`","state":"ACTIVATED","updatedAt":1763837000000}]}}}}}}`))
	w.poll(t)
	if got := w.db.signals(); len(got) != 1 || w.blind("prod") {
		t.Errorf("signals %+v", got)
	}
}

func TestAPollThatIsInterruptedSaysNothingAboutTheSource(t *testing.T) {
	w := newNRWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.poller.cfg.HTTP = &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		cancel()
		return nil, context.Canceled
	})}
	w.poller.Poll(ctx, w.rules, w.src)
	if s := w.source("prod"); s.Err != "" {
		t.Errorf("source %+v", s)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestASourceIsBlindWhenNothingItSaysCanBeKept(t *testing.T) {
	w := newNRWorld(t)
	w.fake.Put(nrAccount, open(issueID))
	w.poller.cfg.Accept = func(context.Context, string, string, []byte) (Receipt, error) {
		return Receipt{}, errors.New("disk full")
	}
	w.poll(t)
	if s := w.source("prod"); !strings.Contains(s.Err, "disk full") || !w.blind("prod") {
		t.Errorf("source %+v", s)
	}
}

func TestAnAnswerWithoutEndIsLeft(t *testing.T) {
	w := newNRWorld(t)
	w.believes(t, issueID)
	w.fake.Next(nerdgraphfake.Good())
	for range mostPages {
		w.fake.Next(nerdgraphfake.Plain(200, `{"data":{"actor":{"account":{"aiIssues":{"issues":{"issues":[],"nextCursor":"more"}}}}}}`))
	}
	w.poll(t)
	if s := w.source("prod"); !strings.Contains(s.Err, "no end") {
		t.Errorf("source %+v", s)
	}
}

func TestAMissingKeyIsNamedAndTheSourceIsBlind(t *testing.T) {
	w := newNRWorld(t)
	w.believes(t, issueID)
	w.env["NR_KEY"] = " "
	w.poll(t)
	if s := w.source("prod"); !strings.Contains(s.Err, "NR_KEY is empty") || !w.blind("prod") || w.fake.Tries() != 0 {
		t.Errorf("source %+v", s)
	}
}

func TestAnIssueInAStateThatWeDoNotKnowHidesNoOther(t *testing.T) {
	w := newNRWorld(t)
	strange := open(issueNumber(1))
	strange.State = "SNOOZED"
	w.fake.Put(nrAccount, strange)
	w.fake.Put(nrAccount, open(issueNumber(2)))
	w.poll(t)
	if w.signal(issueNumber(1)).Firing || !w.signal(issueNumber(2)).Firing || w.blind("prod") {
		t.Errorf("signals %+v", w.db.signals())
	}
}

func TestRegionsHaveTheirAddressUnlessAnotherIsNamed(t *testing.T) {
	for want, src := range map[string]status.Source{
		"https://api.newrelic.com/graphql":    {},
		"https://api.eu.newrelic.com/graphql": {Region: "eu"},
		"http://proxy:8080/graphql":           {Region: "eu", APIURL: "http://proxy:8080/graphql"},
	} {
		got := ""
		p := NewPoller(PollerConfig{Getenv: func(string) string { return nrKey }, HTTP: &http.Client{
			Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				got = r.URL.String()
				return nil, errors.New("enough")
			}),
		}})
		if _, err := p.askNewRelic(t.Context(), src, newRelicBelief{}); err == nil || !strings.Contains(err.Error(), "enough") || got != want {
			t.Errorf("asked %s, want %s; error %v", got, want, err)
		}
	}
}
