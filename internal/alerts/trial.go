package alerts

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/statusbridge/statusbridge/internal/status"
)

// trial plays what happens on a virtual clock, in a rules test or in a back-test:
// the same core that runs in the daemon, without a second of waiting.
type trial struct {
	rules *status.Rules
	board status.Board
	start time.Time
	now   time.Time
	took  func(status.Changes) // is told what happened
	told  []status.Announcement
	log   []status.Entry
}

func newTrial(r *status.Rules, start time.Time) *trial {
	t := &trial{rules: r, board: status.NewBoard("trial"), start: start, now: start}
	t.took = func(c status.Changes) {
		t.told = append(t.told, c.Announcements...)
		t.log = append(t.log, c.Entries...)
	}
	for _, slug := range ComponentsOf(r) {
		t.revise(status.SaveComponent{Component: status.Component{Name: slug, Slug: slug}})
	}
	t.told, t.log = nil, nil
	return t
}

// ComponentsOf lists the components that rules name; with them a test needs none
// of its own.
func ComponentsOf(r *status.Rules) []string {
	names := map[string]bool{}
	for _, rule := range r.Rules {
		lists := [][]status.RuleComponent{rule.Open.Components}
		for _, e := range rule.Escalate {
			lists = append(lists, e.Components)
		}
		for _, list := range lists {
			for _, c := range list {
				if c.Component != "" {
					names[c.Component] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func (t *trial) merge(c status.Changes) {
	t.board.Merge(c)
	t.took(c)
}

var errRestless = errors.New("the rules never come to rest: a deadline stays due")

// until lets the clock run to a moment; what is due on the way happens.
func (t *trial) until(end time.Time) error {
	for range 10_000 {
		due := t.board.Due()
		if due.IsZero() || due.After(end) {
			t.now = later(t.now, end)
			return nil
		}
		if due.After(t.now) {
			t.now = due
		}
		t.merge(status.Tick(t.board, t.rules, t.now))
	}
	return errRestless
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (t *trial) receive(facts ...status.Fact) status.Changes {
	c := status.Receive(t.board, t.rules, facts, t.now)
	t.merge(c)
	return c
}

func (t *trial) revise(e status.Edit) error {
	c, err := status.Revise(t.board, t.rules, e, "test@localhost", t.now)
	if err == nil {
		t.merge(c)
	}
	return err
}

// sample is one step of a series: F firing, R resolved, _ nothing sent.
type sample byte

// readValues reads `F F R _x20`, in the manner of promtool: xN repeats.
func readValues(s string) ([]sample, error) {
	var out []sample
	for _, word := range strings.Fields(s) {
		letter, times, repeated := strings.Cut(word, "x")
		n := 1
		if repeated {
			if n = atoi(times); n < 1 || n > 100_000 || strings.Trim(times, "0123456789") != "" {
				return nil, fmt.Errorf("%q: x is followed by how often, such as Fx20", word)
			}
		}
		if len(letter) != 1 || !strings.Contains("FR_", letter) {
			return nil, fmt.Errorf("%q is none of F (firing), R (resolved), _ (nothing sent)", word)
		}
		for range n {
			out = append(out, sample(letter[0]))
		}
	}
	return out, nil
}

// series is one alert over time.
type series struct {
	source string
	labels map[string]string
	values []sample
	start  time.Time // of the present episode, zero while it does not fire
}

// fact is what is sent at a step, if anything.
func (s *series) fact(step int, now time.Time) (status.Fact, bool) {
	if step >= len(s.values) || s.values[step] == '_' {
		return status.Fact{}, false
	}
	f := status.Fact{
		Source: s.source, Fingerprint: fingerprint(s.labels), Labels: s.labels, Firing: s.values[step] == 'F',
		ReceivedAt: now, Delivery: fmt.Sprintf("step %d", step),
	}
	if f.Firing {
		if s.start.IsZero() {
			s.start = now
		}
		f.StartsAt = s.start
		return f, true
	}
	f.StartsAt, f.EndsAt = s.start, now
	if s.start.IsZero() {
		f.StartsAt = now
	}
	s.start = time.Time{}
	return f, true
}

// upshot is an issue as expectations speak of it.
type upshot struct {
	issue      status.Issue
	state      string
	components map[string]string
	resolvedBy string
}

// upshots lists the issues there are, the oldest first; discarded drafts are
// none.
func (t *trial) upshots() []upshot {
	var out []upshot
	for _, i := range t.board.Issues {
		if i.Stage == status.Dismissed {
			continue
		}
		o := upshot{issue: i, state: string(i.State), components: map[string]string{}, resolvedBy: i.ResolvedBy}
		if i.Stage == status.Draft {
			o.state = string(status.Draft)
		}
		for _, a := range i.Components {
			c := t.board.Components[a.ComponentID]
			o.components[cmp.Or(c.Slug, a.ComponentID)] = string(a.Status)
		}
		if i.ResolvedBy == status.Automation && slices.ContainsFunc(t.log, func(e status.Entry) bool {
			return e.Subject == i.ID && e.Reason == status.ReasonReconciled
		}) {
			o.resolvedBy = "reconciliation"
		}
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b upshot) int {
		return cmp.Or(a.issue.CreatedAt.Compare(b.issue.CreatedAt), cmp.Compare(a.issue.Group, b.issue.Group), cmp.Compare(a.issue.ID, b.issue.ID))
	})
	return out
}

// newest is the issue that an admin's step is about: the last that is open.
func (t *trial) newest() (status.Issue, error) {
	all := t.upshots()
	for n := len(all) - 1; n >= 0; n-- {
		if all[n].issue.Open() {
			return all[n].issue, nil
		}
	}
	return status.Issue{}, errors.New("there is no open issue for the admin to touch")
}

// after is a moment as tests write it: a duration since the start.
func (t *trial) after(s string) (time.Time, error) {
	d, err := model.ParseDuration(s)
	if err != nil {
		return time.Time{}, fmt.Errorf("at: %q is no duration such as 90s or 5m", s)
	}
	return t.start.Add(time.Duration(d)), nil
}
