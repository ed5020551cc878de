package alerts

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v4"

	"github.com/statusbridge/statusbridge/internal/status"
)

// testFile is a rules test file.
type testFile struct {
	RuleFiles []string  `yaml:"rule_files"`
	Start     time.Time `yaml:"start"`
	Interval  string    `yaml:"interval"` // of one step in values
	Tests     []rulesTest
}

type rulesTest struct {
	Name   string
	Series []struct {
		Labels map[string]string
		Values string
		Source string
	}
	Steps  []testStep
	Expect []expectation
	Match  *struct {
		Labels map[string]string
		Source string
	}
	ExpectRules []string `yaml:"expect_rules"`
}

// testStep is something that happens besides the series: a recorded delivery,
// a restart, what an admin does, or what a source answers when it is asked.
type testStep struct {
	At      string
	Deliver string // a file: a webhook body, or a recording of one
	Source  string
	Restart *struct{}
	Admin   *struct {
		Edit map[string]string // title, impact or state of the newest open issue
		Lock []string          // what is edited is held anyway; kept for readers
		Do   string            // publish, dismiss or resolve
	}
	API *struct {
		Source string
		Uptime string
		Active []string // fingerprints
	} `yaml:"api"`
}

type expectation struct {
	At         string
	Issues     *[]expectedIssue
	Broadcasts []expectedBroadcast
}

type expectedIssue struct {
	Rule       string
	Group      map[string]string
	State      string // draft, or the issue's state
	Published  *bool
	Impact     string
	Title      string
	Components map[string]string
	ResolvedBy string `yaml:"resolved_by"`
}

type expectedBroadcast struct {
	Event    string
	Channels []string
	Count    *int
}

// TestResult is what became of one test.
type TestResult struct {
	Name     string   `json:"name"`
	Failures []string `json:"failures"`
}

// TestRules runs a rules test file against the rules it names. The error is
// about the file itself; what the rules got wrong stands in the results.
func TestRules(file string) ([]TestResult, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var f testFile
	if err := yaml.Load(src, &f, yaml.WithKnownFields(), yaml.WithUniqueKeys()); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	rules, err := f.rules(file)
	if err != nil {
		return nil, err
	}
	interval, err := model.ParseDuration(cmp.Or(f.Interval, "1m"))
	if err != nil {
		return nil, fmt.Errorf("%s: interval: %w", file, err)
	}
	results := make([]TestResult, len(f.Tests))
	for n, test := range f.Tests {
		results[n] = TestResult{Name: cmp.Or(test.Name, fmt.Sprintf("test %d", n+1)), Failures: []string{}}
		r := run{trial: newTrial(rules, f.Start), test: test, dir: filepath.Dir(file), interval: time.Duration(interval)}
		if err := r.play(); err != nil {
			r.failures = append(r.failures, err.Error())
		}
		results[n].Failures = append(results[n].Failures, r.failures...)
	}
	return results, nil
}

// rules loads the one rules file that a test file names, beside it.
func (f testFile) rules(file string) (*status.Rules, error) {
	if len(f.RuleFiles) != 1 {
		return nil, fmt.Errorf("%s: rule_files must name one file", file)
	}
	path := f.RuleFiles[0]
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(file), path)
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return LoadRules(path, src, AnyChannel)
}

// run is one test under way.
type run struct {
	*trial
	test     rulesTest
	dir      string
	interval time.Duration
	failures []string
}

func (r *run) fail(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// moment is something to do at a time; at the same time, what happens comes
// before what is expected.
type moment struct {
	at    time.Time
	order int
	do    func() error
}

func (r *run) play() error {
	if r.test.Match != nil {
		r.route()
	}
	moments, err := r.moments()
	if err != nil {
		return err
	}
	slices.SortStableFunc(moments, func(a, b moment) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.order, b.order))
	})
	for _, m := range moments {
		if err := r.until(m.at); err != nil {
			return err
		}
		if err := m.do(); err != nil {
			return err
		}
	}
	return nil
}

// route checks which rules take an alert, without any time.
func (r *run) route() {
	got := []string{}
	for _, m := range r.trial.rules.Route(r.test.Match.Source, r.test.Match.Labels, nil) {
		got = append(got, m.Rule.Name)
	}
	if !slices.Equal(got, r.test.ExpectRules) {
		r.fail("rules: want %v, got %v", r.test.ExpectRules, got)
	}
}

func (r *run) moments() ([]moment, error) {
	var out []moment
	for n, s := range r.test.Series {
		values, err := readValues(s.Values)
		if err != nil {
			return nil, fmt.Errorf("series %d: values: %w", n+1, err)
		}
		alert := &series{source: cmp.Or(s.Source, KindAlertmanager), labels: s.Labels, values: values}
		for step := range values {
			at := r.start.Add(time.Duration(step) * r.interval)
			out = append(out, moment{at, 0, func() error {
				if f, ok := alert.fact(step, r.now); ok {
					r.receive(f)
				}
				return nil
			}})
		}
	}
	for n, s := range r.test.Steps {
		at, err := r.after(s.At)
		if err != nil {
			return nil, fmt.Errorf("step %d: %w", n+1, err)
		}
		out = append(out, moment{at, 1, func() error {
			if err := r.step(s); err != nil {
				return fmt.Errorf("step at %s: %w", s.At, err)
			}
			return nil
		}})
	}
	for n, e := range r.test.Expect {
		at, err := r.after(e.At)
		if err != nil {
			return nil, fmt.Errorf("expectation %d: %w", n+1, err)
		}
		out = append(out, moment{at, 2, func() error { r.check(e); return nil }})
	}
	return out, nil
}

func (r *run) step(s testStep) error {
	switch {
	case s.Deliver != "":
		return r.deliver(s)
	case s.Restart != nil:
		r.merge(status.Started(r.board, r.trial.rules, r.now))
		return nil
	case s.API != nil:
		seen := status.Seen{Source: s.API.Source, Trusted: true, Active: map[string]status.SeenAlert{}}
		if up, err := model.ParseDuration(cmp.Or(s.API.Uptime, "1h")); err != nil {
			return fmt.Errorf("uptime: %w", err)
		} else if time.Duration(up) <= minUptime {
			seen.Trusted = false
		}
		for _, fp := range s.API.Active {
			seen.Active[fp] = status.SeenAlert{}
		}
		r.merge(status.Reconcile(r.board, r.trial.rules, seen, r.now))
		return nil
	case s.Admin != nil:
		return r.admin(s)
	}
	return errors.New("says nothing to do: deliver, restart, admin or api")
}

// deliver takes in a recorded body, whoever it is from.
func (r *run) deliver(s testStep) error {
	path := s.Deliver
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.dir, path)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, reading, err := Recognize(body, s.Source, r.now, s.Deliver+s.At, KindAlertmanager, KindNewRelic)
	if err != nil {
		return err
	}
	r.receive(reading.Facts...)
	return nil
}

// admin does to the newest open issue what a person would.
func (r *run) admin(s testStep) error {
	i, err := r.newest()
	if err != nil {
		return err
	}
	if len(s.Admin.Edit) > 0 {
		e := status.EditIssue{ID: i.ID}
		for field, value := range s.Admin.Edit {
			switch status.Field(field) {
			case status.FieldTitle:
				e.Title = &value
			case status.FieldImpact:
				impact := status.Impact(value)
				e.Impact = &impact
			case status.FieldState:
				state := status.IssueState(value)
				e.State = &state
			default:
				return fmt.Errorf("edit: %q is not title, impact or state", field)
			}
		}
		if err := r.revise(e); err != nil {
			return err
		}
	}
	switch s.Admin.Do {
	case "":
		return nil
	case "publish":
		return r.revise(status.PublishIssue{EditIssue: status.EditIssue{ID: i.ID}})
	case "dismiss":
		return r.revise(status.DismissIssue{ID: i.ID})
	case "resolve":
		state := status.Resolved
		return r.revise(status.PostUpdate{ID: i.ID, State: &state})
	}
	return fmt.Errorf("do: %q is not publish, dismiss or resolve", s.Admin.Do)
}

// check compares what is with what is expected.
func (r *run) check(e expectation) {
	if e.Issues != nil {
		got := r.upshots()
		if len(got) != len(*e.Issues) {
			r.fail("at %s: want %d issues, got %d%s", e.At, len(*e.Issues), len(got), list(got))
			return
		}
		for n, want := range *e.Issues {
			for _, diff := range want.differs(got[n]) {
				r.fail("at %s: issue %d: %s", e.At, n+1, diff)
			}
		}
	}
	for _, b := range e.Broadcasts {
		r.checkBroadcast(e.At, b)
	}
}

func (r *run) checkBroadcast(at string, want expectedBroadcast) {
	n := 0
	for _, a := range r.told {
		if string(a.Event) != want.Event {
			continue
		}
		n++
		if want.Channels != nil && !slices.Equal(a.Channels, want.Channels) {
			r.fail("at %s: %s is told on %v, want %v", at, want.Event, a.Channels, want.Channels)
		}
	}
	if want.Count != nil && n != *want.Count {
		r.fail("at %s: %s was told %d times, want %d", at, want.Event, n, *want.Count)
	}
}

// differs lists what of an issue is not as expected; what the expectation does
// not mention is free.
func (want expectedIssue) differs(got upshot) []string {
	var out []string
	say := func(what, want, got string) {
		if want != "" && want != got {
			out = append(out, fmt.Sprintf("%s: want %q, got %q", what, want, got))
		}
	}
	say("rule", want.Rule, got.issue.Rule)
	say("state", want.State, got.state)
	say("impact", want.Impact, string(got.issue.Impact))
	say("title", want.Title, got.issue.Title)
	say("resolved_by", want.ResolvedBy, got.resolvedBy)
	if want.Published != nil && *want.Published != got.issue.Public() {
		out = append(out, fmt.Sprintf("published: want %v, got %v", *want.Published, got.issue.Public()))
	}
	if want.Group != nil {
		say("group", status.GroupKey(want.Group), status.GroupKey(got.issue.GroupLabels))
	}
	for slug, st := range want.Components {
		say("component "+slug, st, cmp.Or(got.components[slug], "not affected"))
	}
	return out
}

// list names issues for a failure.
func list(all []upshot) string {
	var b strings.Builder
	for _, o := range all {
		fmt.Fprintf(&b, "\n    %s %s %q", o.issue.Rule, o.state, o.issue.Title)
	}
	return b.String()
}
