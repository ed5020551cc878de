package nerdgraphfake

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mostIDs is how many issues one question may name.
const mostIDs = 100

// request is a GraphQL request over HTTP.
type request struct {
	Query     string `json:"query"`
	Variables struct {
		Account json.Number `json:"account"`
		IDs     []string    `json:"ids"`
		Cursor  *string     `json:"cursor"`
		NRQL    string      `json:"nrql"`
	} `json:"variables"`
}

// check reads a request; the error says what is wrong with it.
func (f *Fake) check(r *http.Request) (Question, error) {
	if r.Method != http.MethodPost || r.URL.Path != "/graphql" {
		return Question{}, fmt.Errorf("%s %s instead of POST /graphql", r.Method, r.URL.Path)
	}
	if got := r.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/json") {
		return Question{}, fmt.Errorf("the content type is %q", got)
	}
	var q request
	decoder := json.NewDecoder(r.Body)
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&q); err != nil {
		return Question{}, fmt.Errorf("not a GraphQL request: %w", err)
	}
	if got := r.Header.Get("Nerd-Graph-Unsafe-Experimental-Opt-In"); got != "AiIssues" && strings.Contains(q.Query, "aiIssues") {
		return Question{}, fmt.Errorf("not opted in to AiIssues but to %q", got)
	}
	account, err := strconv.Atoi(string(q.Variables.Account))
	if err != nil {
		return Question{}, fmt.Errorf("the variable account is %q", q.Variables.Account)
	}
	if key := f.keys[account]; key == "" || r.Header.Get("Api-Key") != key {
		return Question{}, fmt.Errorf("the key is not that of account %d", account)
	}
	asked, err := q.question(account)
	if err == nil && asked.NRQL != "" && !f.plots(account, asked.NRQL) {
		err = fmt.Errorf("NRQL Syntax Error: %s", asked.NRQL)
	}
	return asked, err
}

func (q request) question(account int) (Question, error) {
	if err := wellFormed(q.Query); err != nil {
		return Question{}, err
	}
	v := q.Variables
	for _, value := range append(slices.Clone(v.IDs), string(v.Account)) {
		if strings.Contains(q.Query, value) {
			return Question{}, fmt.Errorf("%q stands in the query instead of in a variable", value)
		}
	}
	if strings.Contains(q.Query, "nrql(query: $nrql, timeout: ") {
		return q.series(account)
	}
	if strings.Contains(q.Query, "nrql(query: $nrql)") {
		if err := asksFor(q.Query, "$account: Int!", "$nrql: Nrql!", "account(id: $account)", "results"); err != nil {
			return Question{}, err
		}
		m := since.FindStringSubmatch(v.NRQL)
		if m == nil || !strings.Contains(v.NRQL, "latest(event) AS 'event'") {
			return Question{}, fmt.Errorf("not the NRQL that is understood here: %s", v.NRQL)
		}
		ms, err := strconv.ParseInt(m[1], 10, 64)
		return Question{Account: account, Since: time.UnixMilli(ms).UTC()}, err
	}
	err := asksFor(q.Query, "$account: Int!", "$ids: [ID!]!", "$cursor: String", "account(id: $account)", "aiIssues",
		"issues(filter: {ids: $ids}, cursor: $cursor)", "nextCursor", "issueId", "state", "eventType", "updatedAt", "closedAt", "parentMergeId")
	if err != nil {
		return Question{}, err
	}
	out := Question{Account: account, IDs: v.IDs}
	if v.Cursor != nil {
		out.Cursor = *v.Cursor
	}
	return out, checkIDs(v.IDs)
}

// mostBuckets is how long a time series may be.
const mostBuckets = 366

var seriesForm = regexp.MustCompile(`^(SELECT .+) TIMESERIES 1 minute SINCE (\d+) UNTIL (\d+)$`)

// series reads a question for a metric by the minute.
func (q request) series(account int) (Question, error) {
	if err := asksFor(q.Query, "$account: Int!", "$nrql: Nrql!", "account(id: $account)", "results"); err != nil {
		return Question{}, err
	}
	m := seriesForm.FindStringSubmatch(q.Variables.NRQL)
	if m == nil {
		return Question{}, fmt.Errorf("NRQL Syntax Error: %s", q.Variables.NRQL)
	}
	from, err := strconv.ParseInt(m[2], 10, 64)
	if err != nil {
		return Question{}, err
	}
	to, err := strconv.ParseInt(m[3], 10, 64)
	if err != nil {
		return Question{}, err
	}
	out := Question{Account: account, NRQL: m[1], Since: time.UnixMilli(from).UTC(), Until: time.UnixMilli(to).UTC()}
	if n := out.Until.Sub(out.Since) / time.Minute; n < 1 || n > mostBuckets {
		return Question{}, fmt.Errorf("TIMESERIES of %d buckets", n)
	}
	return out, nil
}

var wholeUUID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func checkIDs(ids []string) error {
	if len(ids) == 0 || len(ids) > mostIDs {
		return fmt.Errorf("%d ids in one question", len(ids))
	}
	for n, id := range ids {
		if !wholeUUID.MatchString(id) || slices.Contains(ids[:n], id) {
			return fmt.Errorf("%q is no id, or is there twice", id)
		}
	}
	return nil
}

func asksFor(query string, parts ...string) error {
	for _, part := range parts {
		if !strings.Contains(query, part) {
			return fmt.Errorf("the query lacks %s", part)
		}
	}
	return nil
}

// wellFormed checks that brackets match, which a hand-written query gets wrong
// first.
func wellFormed(query string) error {
	var open []rune
	closes := map[rune]rune{')': '(', ']': '[', '}': '{'}
	for _, c := range query {
		switch c {
		case '(', '[', '{':
			open = append(open, c)
		case ')', ']', '}':
			if len(open) == 0 || open[len(open)-1] != closes[c] {
				return errors.New("the brackets of the query do not match")
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return errors.New("the brackets of the query do not match")
	}
	return nil
}
