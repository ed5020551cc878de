package alerts

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/alerts/nerdgraphfake"
	"github.com/statusbridge/statusbridge/internal/status"
)

const (
	nrAccount = 1234567
	nrKey     = "NRAK-TEST"
)

// nrWorld is New Relic on one side and an intake on the other.
type nrWorld struct {
	*bench
	fake   *nerdgraphfake.Fake
	poller *Poller
	env    map[string]string
	rules  *status.Rules
	src    status.Source
}

func newNRWorld(t *testing.T) *nrWorld {
	t.Helper()
	w := &nrWorld{fake: nerdgraphfake.Start(map[int]string{nrAccount: nrKey, 42: "NRAK-OTHER"}), env: map[string]string{"NR_KEY": nrKey}}
	t.Cleanup(func() {
		w.fake.Close()
		for _, reason := range w.fake.Refused() {
			t.Errorf("New Relic would have turned away a request: %s", reason)
		}
	})
	w.src = status.Source{Name: "prod", Type: KindNewRelic, AccountID: nrAccount, APIKeyEnv: "NR_KEY", APIURL: w.fake.URL()}
	rules, err := LoadRules("rules.yaml", []byte("version: 1\nrules: [{name: all, matchers: [], for: 0s, open: {title: T, publish: auto}}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	w.rules = rules
	w.rules.Sources = []status.Source{w.src}
	w.bench = newBench(t, func(c *IntakeConfig) { c.Rules = func() *status.Rules { return w.rules } })
	w.poller = NewPoller(PollerConfig{
		Rules: func() *status.Rules { return w.rules }, Applier: w.db, Accept: w.Accept, Clock: w.clock,
		Getenv: func(name string) string { return w.env[name] },
	})
	_, err = w.db.Apply(t.Context(), received, func(b status.Board) (status.Changes, error) {
		return status.Started(b, w.rules, received), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// poll asks all sources once and takes in what is found.
func (w *nrWorld) poll(t *testing.T) {
	t.Helper()
	for _, src := range w.rules.Sources {
		w.poller.Poll(t.Context(), w.rules, src)
	}
	w.work(t)
	w.clock.pass(time.Minute)
}

func (c *worldClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (w *nrWorld) source(name string) status.SourceState {
	w.db.mu.Lock()
	defer w.db.mu.Unlock()
	return w.db.board.Sources[name]
}

func (w *nrWorld) blind(name string) bool {
	w.db.mu.Lock()
	defer w.db.mu.Unlock()
	return w.db.board.Blind(w.rules, name, w.clock.Now())
}

// hooks counts the deliveries taken in so far.
func (w *nrWorld) hooks() int {
	w.db.mu.Lock()
	defer w.db.mu.Unlock()
	return len(w.db.hooks)
}

func (w *nrWorld) signal(id string) status.Signal {
	return w.db.signals()[fmt.Sprintf("%d/%s", nrAccount, id)]
}

// believes lets the webhook of an activated issue arrive.
func (w *nrWorld) believes(t *testing.T, ids ...string) {
	t.Helper()
	for _, id := range ids {
		w.accept(t, KindNewRelic, fmt.Sprintf(`{"statusbridge":1,"accountId":%d,"issueId":%q,"state":"ACTIVATED","trigger":"STATE_CHANGE",`+
			`"priority":"HIGH","title":"Slow","createdAt":%d,"updatedAt":%d,"tags":{"team":["payments"]}}`,
			nrAccount, id, began.UnixMilli(), began.UnixMilli()))
	}
	w.work(t)
}

var began = received.Add(-10 * time.Minute)

func issueNumber(n int) string { return fmt.Sprintf("7d2a1c1e-5f3b-4c52-9b0a-%012d", n) }

// open is an issue that is active; ended is the same after its end.
func open(id string) nerdgraphfake.Issue {
	return nerdgraphfake.Issue{
		ID: id, State: "ACTIVATED", Event: "INCIDENT_ADDED", Priority: "HIGH", Title: "Slow", Entity: "checkout-api",
		Policy: "Golden Signals", Condition: "Latency", CreatedAt: began, UpdatedAt: began,
	}
}

func ended(id, event string) nerdgraphfake.Issue {
	i := open(id)
	i.State, i.Event, i.UpdatedAt = "CLOSED", event, received.Add(-time.Minute)
	return i
}

func TestAnIssueWhoseWebhookGotLostIsFoundByAsking(t *testing.T) {
	w := newNRWorld(t)
	w.fake.Put(nrAccount, open(issueID))
	w.fake.Put(nrAccount, ended(issueNumber(1), "INCIDENT_CLOSED"))
	w.poll(t)
	s := w.signal(issueID)
	if !s.Firing || s.Labels["condition"] != "Latency" || s.Labels["priority"] != "HIGH" || s.Labels["title"] != "Slow" ||
		s.Labels["entity"] != "checkout-api" || !s.StartsAt.Equal(began) || !strings.HasSuffix(s.URL, "/accounts/1234567/issues/"+issueID) {
		t.Errorf("signal %+v", s)
	}
	before := w.hooks()
	w.poll(t)
	if w.hooks() != before {
		t.Error("what is known was delivered again")
	}
	for _, q := range w.fake.Asked() {
		if len(q.IDs) > 1 {
			t.Errorf("asked about an issue that began and ended unseen: %v", q.IDs)
		}
	}
	if w.source("prod").AnsweredAt.IsZero() || w.blind("prod") {
		t.Errorf("after a good answer %+v", w.source("prod"))
	}
}

func TestAnIssueWhoseCloseGotLostResolves(t *testing.T) {
	for _, state := range []string{"CLOSED", "DEACTIVATED"} {
		t.Run(state, func(t *testing.T) {
			w := newNRWorld(t)
			w.believes(t, issueID)
			end := ended(issueID, "INCIDENT_CLOSED")
			end.State = state
			w.fake.Put(nrAccount, end)
			w.poll(t)
			if s := w.signal(issueID); s.Firing || !s.EndsAt.Equal(end.UpdatedAt) || s.Labels["team"] != "payments" {
				t.Errorf("signal %+v", s)
			}
		})
	}
}

func TestAnIssueThatTheAnswerLacksGoesOn(t *testing.T) {
	w := newNRWorld(t)
	w.believes(t, issueID)
	w.fake.Put(nrAccount, ended(issueID, "INCIDENT_CLOSED"))
	w.fake.Hide(issueID)
	for range 5 {
		w.poll(t)
	}
	if s := w.signal(issueID); !s.Firing || s.Misses != 0 {
		t.Errorf("absence counted: %+v", s)
	}
}

func TestACloseByAgeIsProposedOnceAndResolvesNothing(t *testing.T) {
	w := newNRWorld(t)
	w.believes(t, issueID)
	w.fake.Put(nrAccount, ended(issueID, "CLOSE_TTL"))
	w.poll(t)
	if s := w.signal(issueID); !s.Firing {
		t.Errorf("it resolved: %+v", s)
	}
	proposed := false
	for _, i := range w.db.board.Issues {
		proposed = proposed || len(i.Suggestions) == 1 && i.Suggestions[0].Value == string(status.Resolved)
	}
	if !proposed {
		t.Errorf("nothing was proposed: %+v", w.db.board.Issues)
	}
	before := w.hooks()
	w.poll(t)
	if w.hooks() != before {
		t.Error("the same close was delivered again")
	}
}

func TestAMergedIssueHandsOverItsEvidence(t *testing.T) {
	child, parent := issueNumber(1), issueNumber(2)
	merged := ended(child, "USER_ACTION")
	merged.MergedInto, merged.MergeReason = parent, "correlated"
	t.Run("when the webhook of the merge got lost", func(t *testing.T) {
		w := newNRWorld(t)
		w.believes(t, child)
		w.fake.Put(nrAccount, merged)
		w.fake.Put(nrAccount, open(parent))
		w.poll(t)
		if c, p := w.signal(child), w.signal(parent); c.Firing || !p.Firing {
			t.Errorf("child %+v\nparent %+v", c, p)
		}
	})
	t.Run("when the webhook came without naming the parent", func(t *testing.T) {
		w := newNRWorld(t)
		w.believes(t, child)
		w.accept(t, KindNewRelic, fmt.Sprintf(`{"statusbridge":1,"accountId":%d,"issueId":%q,"state":"CLOSED","trigger":"MERGE_REQUEST",`+
			`"createdAt":%d,"updatedAt":%d}`, nrAccount, child, began.UnixMilli(), merged.UpdatedAt.UnixMilli()))
		w.work(t)
		w.fake.Put(nrAccount, merged)
		w.poll(t)
		if c, p := w.signal(child), w.signal(parent); c.Firing || !p.Firing || p.Labels["team"] != "payments" {
			t.Errorf("child %+v\nparent %+v", c, p)
		}
	})
}

func TestAMutedIssueOpensNothingAndOneThatFiresIsSilenced(t *testing.T) {
	w := newNRWorld(t)
	w.believes(t, issueNumber(1))
	for n := range 2 {
		muted := open(issueNumber(n + 1))
		muted.Muting = "FULLY_MUTED"
		w.fake.Put(nrAccount, muted)
	}
	w.poll(t)
	if s := w.signal(issueNumber(1)); !s.Firing || !s.Suppressed {
		t.Errorf("the one that fired: %+v", s)
	}
	if s := w.signal(issueNumber(2)); s.Firing {
		t.Errorf("a muted issue opened: %+v", s)
	}
}

func TestMoreThanAHundredIssuesAreAskedInChunksAndPages(t *testing.T) {
	w := newNRWorld(t)
	w.fake.Pages(30)
	var ids []string
	for n := range 250 {
		ids = append(ids, issueNumber(n))
		w.fake.Put(nrAccount, ended(ids[n], "INCIDENT_CLOSED"))
	}
	w.believes(t, ids...)
	w.poll(t)
	for _, id := range ids {
		if w.signal(id).Firing {
			t.Fatalf("%s still fires", id)
		}
	}
	chunks := map[int]int{} // questions by the number of their ids
	for _, q := range w.fake.Asked() {
		chunks[len(q.IDs)]++
	}
	// 100 issues are four pages of 30, and 50 are two.
	if chunks[100] != 8 || chunks[50] != 2 || chunks[0] != 1 {
		t.Errorf("questions by ids: %v", chunks)
	}
}

func TestWhatBeginsIsTakenInBeforeWhatEnds(t *testing.T) {
	w := newNRWorld(t)
	w.believes(t, issueNumber(1))
	w.fake.Put(nrAccount, ended(issueNumber(1), "INCIDENT_CLOSED"))
	w.fake.Put(nrAccount, open(issueNumber(2)))
	w.poll(t)
	if first, second := string(w.db.hook("w0002").Body), string(w.db.hook("w0003").Body); !strings.Contains(first, issueNumber(2)) ||
		!strings.Contains(second, issueNumber(1)) {
		t.Errorf("first %s\nsecond %s", first, second)
	}
}

func TestEachAccountIsAskedWithItsKeyAboutItsIssues(t *testing.T) {
	w := newNRWorld(t)
	other := w.src
	other.Name, other.AccountID, other.APIKeyEnv = "other", 42, "OTHER_KEY"
	w.rules.Sources = append(w.rules.Sources, other)
	w.env["OTHER_KEY"] = "NRAK-OTHER"
	w.believes(t, issueNumber(1))
	// Two that nobody can be asked about: each came from the other account's source.
	for source, account := range map[string]int{"prod": 42, "other": nrAccount} {
		body := fmt.Sprintf(`{"statusbridge":1,"accountId":%d,"issueId":%q,"state":"ACTIVATED","updatedAt":2}`, account, issueNumber(3))
		if _, err := w.Accept(t.Context(), KindNewRelic, source, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	w.work(t)
	w.fake.Put(nrAccount, ended(issueNumber(1), "INCIDENT_CLOSED"))
	w.fake.Put(42, open(issueNumber(2)))
	w.poll(t)
	got := w.db.signals()
	if got[fmt.Sprintf("%d/%s", nrAccount, issueNumber(1))].Firing || !got["42/"+issueNumber(2)].Firing {
		t.Errorf("signals %+v", got)
	}
	want := map[int]string{nrAccount: issueNumber(1), 42: issueNumber(2)}
	for _, q := range w.fake.Asked() {
		if q.IDs != nil && (len(q.IDs) != 1 || q.IDs[0] != want[q.Account]) {
			t.Errorf("account %d was asked about %s", q.Account, q.IDs)
		}
	}
}

func TestASignalWithoutAccountEndsToo(t *testing.T) {
	w := newNRWorld(t)
	w.accept(t, KindNewRelic, fmt.Sprintf(`{"id":%q,"state":"ACTIVATED","title":"T","createdAt":1,"updatedAt":2}`, issueID))
	w.work(t)
	w.fake.Put(nrAccount, ended(issueID, "INCIDENT_CLOSED"))
	w.poll(t)
	if got := w.db.signals(); len(got) != 1 || got[issueID].Firing {
		t.Errorf("signals %+v", got)
	}
}

func TestIncidentsOfTheClassicKindAreLeftAlone(t *testing.T) {
	w := newNRWorld(t)
	w.accept(t, KindNewRelic, string(capture(t, KindNewRelic, "20-legacy-open.json")))
	w.work(t)
	for range 3 {
		w.poll(t)
	}
	if s := w.db.signals()["1234567/987654"]; !s.Firing || s.Misses != 0 || w.blind("prod") {
		t.Errorf("signal %+v, source %+v", s, w.source("prod"))
	}
}

func TestEventsAreReadSinceTheLastGoodPollAndABit(t *testing.T) {
	w := newNRWorld(t)
	w.poll(t)
	answered := w.source("prod").AnsweredAt
	w.fake.Next(nerdgraphfake.Refusal("SERVER_ERROR", "sorry"))
	w.poll(t)
	w.poll(t)
	want := []time.Time{received.Add(-firstLook), answered.Add(-overlap), answered.Add(-overlap)}
	for n, q := range w.fake.Asked() {
		if !q.Since.Equal(want[n]) {
			t.Errorf("question %d asks since %v, want %v", n, q.Since, want[n])
		}
	}
}

func TestOnlyAnEndNamesTheIssueItWasMergedInto(t *testing.T) {
	for state, want := range map[string]string{"CLOSED": "7/" + issueNumber(2), "DEACTIVATED": "7/" + issueNumber(2), "ACTIVATED": ""} {
		f := newRelicFact(t, fmt.Sprintf(`{"statusbridge":1,"accountId":7,"issueId":%q,"mergedInto":%q,"state":%q,"trigger":"MERGE_REQUEST"}`,
			issueNumber(1), issueNumber(2), state))
		if f.MergedInto != want {
			t.Errorf("%s: merged into %q, want %q", state, f.MergedInto, want)
		}
	}
}
