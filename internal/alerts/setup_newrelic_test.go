package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/statusbridge/statusbridge/internal/alerts/nerdgraphfake"
	"github.com/statusbridge/statusbridge/internal/status"
)

// account is one of New Relic's, with nothing in it.
type account struct {
	t    *testing.T
	fake *nerdgraphfake.Fake
	set  NewRelicSetup
}

func newAccount(t *testing.T) *account {
	t.Helper()
	f := nerdgraphfake.Start(map[int]string{nrAccount: nrKey})
	t.Cleanup(func() {
		f.Close()
		for _, reason := range f.Refused() {
			t.Errorf("New Relic would have turned away a request: %s", reason)
		}
	})
	return &account{t, f, NewRelicSetup{
		Source:    status.Source{Name: "prod", Type: KindNewRelic, AccountID: nrAccount, APIKeyEnv: "NR_KEY", APIURL: f.URL()},
		PublicURL: "https://status.example.test", Secret: "s3cr3t", Priorities: []string{"CRITICAL"},
		Getenv: func(name string) string { return map[string]string{"NR_KEY": nrKey}[name] },
	}}
}

// run sets up and tells the states of the steps.
func (a *account) run() string {
	a.t.Helper()
	steps, err := SetupNewRelic(a.t.Context(), a.set)
	if err != nil {
		a.t.Fatal(err)
	}
	return states(steps)
}

func states(steps []SetupStep) string {
	var all []string
	for _, s := range steps {
		all = append(all, s.What+" "+s.State)
	}
	return strings.Join(all, ", ")
}

func (a *account) counts() string {
	d, c, w := a.fake.Provisioned(nrAccount)
	return fmt.Sprint(len(d), len(c), len(w))
}

func TestNewRelicIsSetUpOnceHoweverOftenItIsAsked(t *testing.T) {
	a := newAccount(t)
	if got := a.run(); got != "destination created, channel created, workflow created" {
		t.Error(got)
	}
	d, c, w := a.fake.Provisioned(nrAccount)
	if d[0].URL != "https://status.example.test/hooks/newrelic/prod" || d[0].Token != "s3cr3t" || c[0].DestinationID != d[0].ID ||
		c[0].Payload != newRelicPayload || w[0].ChannelID != c[0].ID || w[0].Disabled || !cmp.Equal(w[0].Priorities, []string{"CRITICAL"}) {
		t.Errorf("%+v\n%+v\n%+v", d, c, w)
	}
	if got := a.run(); got != "destination found, channel found, workflow found" || a.counts() != "1 1 1" {
		t.Errorf("again: %s, %s", got, a.counts())
	}
	// Somebody removed the workflow, or the last run broke off before it.
	a.fake.Provision(nrAccount, func(_ *[]nerdgraphfake.Destination, _ *[]nerdgraphfake.Channel, w *[]nerdgraphfake.Workflow) {
		*w = nil
	})
	if got := a.run(); got != "destination found, channel found, workflow created" {
		t.Errorf("in part: %s", got)
	}
}

func TestWhatAPersonMadeInNewRelicIsFoundByItsAddressOnWhateverPage(t *testing.T) {
	a := newAccount(t)
	a.fake.Pages(1)
	a.fake.Provision(nrAccount, func(d *[]nerdgraphfake.Destination, c *[]nerdgraphfake.Channel, w *[]nerdgraphfake.Workflow) {
		for n := range 3 {
			url := fmt.Sprintf("https://other.example.test/%d", n)
			if n == 2 {
				url = "https://status.example.test/hooks/newrelic/prod/"
			}
			*d = append(*d, nerdgraphfake.Destination{ID: fmt.Sprint("D", n), Name: fmt.Sprint("hook ", n), URL: url})
			*c = append(*c, nerdgraphfake.Channel{ID: fmt.Sprint("C", n), Name: "mine", DestinationID: fmt.Sprint("D", n), Payload: newRelicPayload})
			*w = append(*w, nerdgraphfake.Workflow{ID: fmt.Sprint("W", n), Name: fmt.Sprint("mine ", n), ChannelID: fmt.Sprint("C", n), Triggers: []string{"ACTIVATED"}})
		}
	})
	steps, err := SetupNewRelic(t.Context(), a.set)
	if err != nil || states(steps) != "destination found, channel found, workflow found" || a.counts() != "3 3 3" {
		t.Fatalf("%+v %v", steps, err)
	}
	if steps[0].ID != "D2" || steps[1].ID != "C2" || steps[2].ID != "W2" || !strings.Contains(steps[2].Note, "CLOSED") {
		t.Errorf("%+v", steps)
	}
}

func TestADryRunCreatesNothingAndShowsWhatTheLibraryWouldSend(t *testing.T) {
	for _, key := range []string{nrKey, ""} {
		a := newAccount(t)
		a.set.DryRun, a.set.Getenv = true, func(string) string { return key }
		steps, err := SetupNewRelic(t.Context(), a.set)
		if err != nil || states(steps) != "destination would_create, channel would_create, workflow would_create" || a.counts() != "0 0 0" {
			t.Fatalf("%+v %v", steps, err)
		}
		if asked := a.fake.Tries() > 0; asked != (key != "") {
			t.Errorf("key %q: New Relic was asked: %v", key, asked)
		}
		for n, name := range []string{"aiNotificationsCreateDestination", "aiNotificationsCreateChannel", "aiWorkflowsCreateWorkflow"} {
			recorded, err := os.ReadFile("testdata/nerdgraph/" + name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			// The account, ids, names and the payload are the recording's own.
			text := strings.NewReplacer("12345", fmt.Sprint(nrAccount), "s3cr3t", "***", "d-1", "DESTINATION-ID", "c-1", "CHANNEL-ID").Replace(string(recorded))
			var want, got struct {
				Query     string
				Variables map[string]any
			}
			if err := json.Unmarshal([]byte(text), &want); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(steps[n].Request, &got); err != nil {
				t.Fatal(err)
			}
			if name == "aiNotificationsCreateChannel" {
				payload := want.Variables["channel"].(map[string]any)["properties"].([]any)[0].(map[string]any)
				payload["value"] = newRelicPayload
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s differs from what New Relic's library was recorded to send:\n%s", name, diff)
			}
		}
	}
}

func TestNewRelicsBadDaysStopASetUpAndSayWhy(t *testing.T) {
	for _, tt := range []struct {
		name string
		bad  []nerdgraphfake.Answer
		want string
		done string
	}{
		{"an error inside a good answer", []nerdgraphfake.Answer{nerdgraphfake.Refusal("ACCESS_DENIED", "no")}, "look up destinations: refused: ACCESS_DENIED", ""},
		{"too many requests", []nerdgraphfake.Answer{nerdgraphfake.RateLimited(time.Minute)}, "429", ""},
		{"a bad key", []nerdgraphfake.Answer{nerdgraphfake.Unauthorized()}, "is the key a user key", ""},
		{
			"in the middle",
			[]nerdgraphfake.Answer{nerdgraphfake.Good(), nerdgraphfake.Good(), nerdgraphfake.Good(), nerdgraphfake.Plain(502, "<html>")},
			"look up channels: answered 502", "destination created",
		},
		{
			"while it creates",
			[]nerdgraphfake.Answer{nerdgraphfake.Good(), nerdgraphfake.Good(), nerdgraphfake.Refusal("SERVER_ERROR", "oops")},
			"create the destination statusbridge: refused: SERVER_ERROR: oops", "",
		},
		{
			"a refusal in the data",
			[]nerdgraphfake.Answer{nerdgraphfake.Good(), nerdgraphfake.Good(), nerdgraphfake.Plain(200, `{"data":{"aiNotificationsCreateDestination":{"destination":null,"error":{"details":"d","fields":[{"field":"url","message":"must be https"}]},"errors":[]}}}`)},
			"refused: d: url must be https", "",
		},
		{"an empty answer", []nerdgraphfake.Answer{nerdgraphfake.Good(), nerdgraphfake.Good(), nerdgraphfake.Plain(200, `{"data":{"aiNotificationsCreateDestination":{}}}`)}, "names no reason and no id", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newAccount(t)
			a.fake.Next(tt.bad...)
			steps, err := SetupNewRelic(t.Context(), a.set)
			if err == nil || !strings.Contains(err.Error(), tt.want) || states(steps) != tt.done || strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("%v, done %q", err, states(steps))
			}
			if got := a.run(); !strings.HasSuffix(got, "workflow created") || a.counts() != "1 1 1" {
				t.Errorf("the next try: %s, %s", got, a.counts())
			}
		})
	}
	t.Run("silence", func(t *testing.T) {
		a := newAccount(t)
		a.fake.Next(nerdgraphfake.Hanging())
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := SetupNewRelic(ctx, a.set); err == nil || !strings.Contains(err.Error(), "look up destinations") {
			t.Error(err)
		}
	})
	t.Run("a name that is taken", func(t *testing.T) {
		a := newAccount(t)
		a.fake.Provision(nrAccount, func(d *[]nerdgraphfake.Destination, _ *[]nerdgraphfake.Channel, _ *[]nerdgraphfake.Workflow) {
			*d = append(*d, nerdgraphfake.Destination{ID: "x", Name: "statusbridge", URL: "https://elsewhere.example.test"})
		})
		if _, err := SetupNewRelic(t.Context(), a.set); err == nil || !strings.Contains(err.Error(), "name must be unique") {
			t.Error(err)
		}
	})
}

func TestADoctorFindsWhatIsWrongInNewRelic(t *testing.T) {
	look := func(a *account, change func(*status.Source)) string {
		src := a.set.Source
		change(&src)
		var bad []string
		for _, c := range Doctor(t.Context(), KindNewRelic, DoctorConfig{
			Rules: &status.Rules{Sources: []status.Source{src}}, PublicURL: a.set.PublicURL, Getenv: a.set.Getenv, Now: func() time.Time { return received },
			LastWebhook: func(context.Context, string) (time.Time, error) { return received.Add(-time.Hour), nil },
		}) {
			if c.Finding() {
				bad = append(bad, fmt.Sprintf("%s %s: %s", c.State, strings.TrimPrefix(c.Name, "newrelic prod: "), c.What))
			}
		}
		return strings.Join(bad, "; ")
	}
	same := func(*status.Source) {}
	change := func(do func(d *nerdgraphfake.Destination, c *nerdgraphfake.Channel, w *nerdgraphfake.Workflow)) func(*account) {
		return func(a *account) {
			a.fake.Provision(nrAccount, func(d *[]nerdgraphfake.Destination, c *[]nerdgraphfake.Channel, w *[]nerdgraphfake.Workflow) {
				do(&(*d)[0], &(*c)[0], &(*w)[0])
			})
		}
	}
	type (
		dest = nerdgraphfake.Destination
		chnl = nerdgraphfake.Channel
		flow = nerdgraphfake.Workflow
	)
	for _, tt := range []struct {
		name   string
		spoil  func(*account)
		source func(*status.Source)
		want   string
	}{
		{"all is well", func(*account) {}, same, ""},
		{"it is only listened to", func(*account) {}, func(s *status.Source) { s.APIKeyEnv = "" }, ""},
		{"no key", func(*account) {}, func(s *status.Source) { s.APIKeyEnv = "NONE" }, "fail key: the environment variable NONE is empty"},
		{"another's key", func(a *account) { a.fake.Next(nerdgraphfake.Unauthorized()) }, same, "fail poll: asking which issues began"},
		{"no right to issues", func(a *account) { a.fake.Next(nerdgraphfake.Good(), nerdgraphfake.Refusal("ACCESS_DENIED", "")) }, same, "fail poll: asking about an issue"},
		{"another address", change(func(d *dest, _ *chnl, _ *flow) { d.URL = "https://old.example.test" }), same, "fail destination: none sends to https://status.example.test/hooks/newrelic/prod"},
		{"off", change(func(d *dest, _ *chnl, _ *flow) { d.Inactive = true }), same, "fail destination: statusbridge is not active"},
		{"failing", change(func(d *dest, _ *chnl, _ *flow) { d.Status = "AUTH_ERROR" }), same, "warn destination: statusbridge has the status AUTH_ERROR"},
		{"no channel", change(func(_ *dest, c *chnl, _ *flow) { c.DestinationID = "other" }), same, "fail channel: statusbridge has none"},
		{"another payload", change(func(_ *dest, c *chnl, _ *flow) { c.Payload = `{"id": {{ json issueId }}}` }), same, "warn channel: statusbridge: it has a payload of its own"},
		{"no workflow", change(func(_ *dest, _ *chnl, w *flow) { w.ChannelID = "other" }), same, "fail workflow: none sends to statusbridge"},
		{"a workflow that is off", change(func(_ *dest, _ *chnl, w *flow) { w.Disabled = true }), same, "warn workflow: statusbridge: it is switched off"},
		{"ends are not told", change(func(_ *dest, _ *chnl, w *flow) { w.Triggers = []string{"ACTIVATED"} }), same, "warn workflow: statusbridge: it does not tell when an issue is CLOSED"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newAccount(t)
			a.run()
			tt.spoil(a)
			if got := look(a, tt.source); tt.want == "" && got != "" || !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
