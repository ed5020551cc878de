// Package nerdgraphfake stands in for the part of New Relic's NerdGraph that
// tells of issues. It turns away requests that the real one would turn away, and
// plays its bad days. For tests, and for trying statusbridge out without an
// account.
package nerdgraphfake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Issue is an issue as New Relic has it.
type Issue struct {
	ID          string
	State       string // CREATED, ACTIVATED, DEACTIVATED or CLOSED
	Event       string // the last, such as INCIDENT_ADDED or CLOSE_TTL
	Priority    string
	Title       string
	Entity      string
	Policy      string
	Condition   string
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Muting      string // "" is NOT_MUTED
	MergeReason string
	MergedInto  string
}

// Question is a request that was taken for good.
type Question struct {
	Account int
	IDs     []string // asked for; nil if events were
	Cursor  string
	Since   time.Time // events or a metric asked for; zero if issues were
	NRQL    string    // of a metric, without its time; "" if something else was asked for
	Until   time.Time // of a metric
}

// Answer is one bad answer.
type Answer struct {
	status int
	header map[string]string
	body   string
}

// Refusal is an error in an answer that has status 200. The class is such as
// SERVER_ERROR or TOO_MANY_REQUESTS; message and class may be empty.
func Refusal(class, message string) Answer {
	body, _ := json.Marshal(map[string]any{
		"data":   map[string]any{"actor": map[string]any{"account": nil}},
		"errors": []any{map[string]any{"message": message, "path": []any{"actor", "account", 0}, "extensions": map[string]string{"errorClass": class}}},
	})
	return Answer{status: http.StatusOK, body: string(body)}
}

// RateLimited is a 429 that asks to wait.
func RateLimited(wait time.Duration) Answer {
	return Answer{
		status: http.StatusTooManyRequests, header: map[string]string{"Retry-After": strconv.Itoa(int(wait.Seconds()))},
		body: `{"errors":[{"message":"Too many requests"}]}`,
	}
}

// Unauthorized is the 401 for a key that is no longer good.
func Unauthorized() Answer {
	return Answer{status: http.StatusUnauthorized, body: `{"errors":[{"message":"Invalid credentials provided"}]}`}
}

// Plain is any other answer.
func Plain(status int, body string) Answer { return Answer{status: status, body: body} }

// Hanging sends nothing for as long as the other side waits.
func Hanging() Answer { return Answer{status: -1} }

// Good is an answer as it should be, for use between bad ones.
func Good() Answer { return Answer{} }

// Fake is a running stand-in.
type Fake struct {
	server *httptest.Server
	keys   map[int]string

	mu      sync.Mutex
	page    int
	issues  map[int][]Issue
	hidden  map[string]bool
	metrics map[string]func(minute time.Time) any // by account and NRQL
	script  []Answer
	asked   []Question
	refused []string
	tries   int
	account map[int]*provisions
}

// Start starts a fake that knows the accounts, each by its key. Close it.
func Start(keys map[int]string) *Fake {
	f := &Fake{
		keys: keys, page: 25, issues: map[int][]Issue{}, hidden: map[string]bool{}, account: map[int]*provisions{},
		metrics: map[string]func(time.Time) any{},
	}
	f.server = httptest.NewServer(http.HandlerFunc(f.serve))
	return f
}

// Close ends it, and whatever hangs.
func (f *Fake) Close() {
	f.server.CloseClientConnections()
	f.server.Close()
}

// URL is the address of its only endpoint.
func (f *Fake) URL() string { return f.server.URL + "/graphql" }

// Pages sets how many issues an answer may have.
func (f *Fake) Pages(size int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.page = size
}

// Put adds an issue, or brings it up to date.
func (f *Fake) Put(account int, issue Issue) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.issues[account]
	if n := slices.IndexFunc(all, func(i Issue) bool { return i.ID == issue.ID }); n >= 0 {
		all[n] = issue
		return
	}
	f.issues[account] = append(all, issue)
}

// Plot has the account know a metric: what the NRQL gives for each minute, as it
// stands in the results under "value"; nil is no data.
func (f *Fake) Plot(account int, nrql string, value func(minute time.Time) any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.metrics[strconv.Itoa(account)+" "+nrql] = value
}

func (f *Fake) plots(account int, nrql string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.metrics[strconv.Itoa(account)+" "+nrql] != nil
}

// rows are the results for a metric. The lock is held.
func (f *Fake) rows(q Question) []any {
	value, rows := f.metrics[strconv.Itoa(q.Account)+" "+q.NRQL], []any{}
	for at := q.Since; at.Before(q.Until); at = at.Add(time.Minute) {
		rows = append(rows, map[string]any{"beginTimeSeconds": at.Unix(), "endTimeSeconds": at.Unix() + 60, "value": value(at)})
	}
	return rows
}

// Hide leaves an issue out of all answers about issues.
func (f *Fake) Hide(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hidden[id] = true
}

// Next gives the coming questions, one each, a bad answer.
func (f *Fake) Next(answers ...Answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script = append(f.script, answers...)
}

// Asked are the good questions so far.
func (f *Fake) Asked() []Question {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

// Refused says why requests were turned away.
func (f *Fake) Refused() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.refused)
}

// Tries counts all requests.
func (f *Fake) Tries() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tries
}

func (f *Fake) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var q Question
	provisions := bytes.Contains(body, []byte("aiNotifications")) || bytes.Contains(body, []byte("aiWorkflows"))
	if !provisions && err == nil {
		q, err = f.check(r)
	}
	f.mu.Lock()
	f.tries++
	provisioned := ""
	if provisions && (len(f.script) == 0 || f.script[0].status == 0) {
		provisioned, err = f.provision(r, body)
	}
	var answer Answer
	switch {
	case err != nil:
		f.refused = append(f.refused, err.Error())
		answer = Refusal("BAD_REQUEST", err.Error())
	case len(f.script) > 0:
		answer, f.script = f.script[0], f.script[1:]
	}
	if err == nil && !provisions {
		f.asked = append(f.asked, q)
	}
	switch {
	case answer.status != 0:
	case provisions:
		answer = Answer{status: http.StatusOK, body: provisioned}
	default:
		answer = Answer{status: http.StatusOK, body: f.answer(q)}
	}
	f.mu.Unlock()
	if answer.status < 0 {
		<-r.Context().Done()
		return
	}
	w.Header().Set("Content-Type", "application/json")
	for name, v := range answer.header {
		w.Header().Set(name, v)
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write([]byte(answer.body))
}

var since = regexp.MustCompile(`\bFROM NrAiIssue\b.*\bFACET issueId SINCE (\d+)\b`)

// answer is what the real one would say. The lock is held.
func (f *Fake) answer(q Question) string {
	account := map[string]any{}
	if q.NRQL != "" {
		account["nrql"] = map[string]any{"results": f.rows(q)}
	} else if q.IDs == nil {
		rows := []any{}
		for _, i := range f.issues[q.Account] {
			if i.UpdatedAt.Before(q.Since) {
				continue
			}
			event := map[string]string{"CREATED": "create", "CLOSED": "close", "DEACTIVATED": "close"}[i.State]
			if event == "" {
				event = "activate"
			}
			rows = append(rows, map[string]any{"facet": i.ID, "issueId": i.ID, "event": event})
		}
		account["nrql"] = map[string]any{"results": rows}
	} else {
		account["aiIssues"] = map[string]any{"issues": f.issuePage(q)}
	}
	body, err := json.Marshal(map[string]any{"data": map[string]any{"actor": map[string]any{"account": account}}})
	if err != nil {
		panic(err) // of maps and texts alone
	}
	return string(body)
}

func (f *Fake) issuePage(q Question) map[string]any {
	var all []any
	for _, i := range f.issues[q.Account] {
		if slices.Contains(q.IDs, i.ID) && !f.hidden[i.ID] {
			all = append(all, i.fields())
		}
	}
	from, _ := strconv.Atoi(q.Cursor)
	from = min(max(from, 0), len(all))
	to := min(from+f.page, len(all))
	page := map[string]any{"issues": slices.Concat([]any{}, all[from:to]), "nextCursor": nil}
	if to < len(all) {
		page["nextCursor"] = strconv.Itoa(to)
	}
	return page
}

// fields are those of the schema, lists where it has lists.
func (i Issue) fields() map[string]any {
	closed := any(nil)
	if i.State == "CLOSED" {
		closed = i.UpdatedAt.UnixMilli()
	}
	muting := i.Muting
	if muting == "" {
		muting = "NOT_MUTED"
	}
	return map[string]any{
		"issueId": i.ID, "state": i.State, "eventType": i.Event, "priority": i.Priority, "title": []string{i.Title},
		"description": []string{fmt.Sprintf("Policy: '%s'. Condition: '%s'", i.Policy, i.Condition)},
		"entityNames": []string{i.Entity}, "policyName": []string{i.Policy}, "conditionName": []string{i.Condition},
		"createdAt": i.CreatedAt.UnixMilli(), "activatedAt": i.CreatedAt.UnixMilli(), "closedAt": closed,
		"updatedAt": i.UpdatedAt.UnixMilli(), "mutingState": muting, "mergeReason": orNull(i.MergeReason), "parentMergeId": orNull(i.MergedInto),
	}
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
