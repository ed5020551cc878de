package alerts

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// BacktestReport is what a back-test found. Issues are ordered by their start.
type BacktestReport struct {
	Rules     string       `json:"rules"`
	From      time.Time    `json:"from"`
	To        time.Time    `json:"to"`
	Webhooks  int          `json:"webhooks"`
	Alerts    int          `json:"alerts"`
	Unread    int          `json:"unread"`    // webhooks that are dead letters
	Unmatched int          `json:"unmatched"` // beginnings of alerts that no rule wants
	Issues    []Comparison `json:"issues"`
	Warnings  []string     `json:"warnings"`
}

// Change says what the candidate rules make of an issue.
type Change string

// The changes.
const (
	ChangeNone    Change = "same"
	ChangeOpened  Change = "opened"     // only by the candidates
	ChangeMissing Change = "not_opened" // only then
	ChangeDiffers Change = "differs"
)

// Comparison sets an issue as it was beside the issue as it would have been.
type Comparison struct {
	Change      Change       `json:"change"`
	Was         *PastIssue   `json:"was"`
	Would       *PastIssue   `json:"would"`
	Differences []Difference `json:"differences"`
}

// Difference is one thing that would have been otherwise.
type Difference struct {
	What  string `json:"what"`
	Was   string `json:"was"`
	Would string `json:"would"`
}

// PastIssue is an issue from its start to its end.
type PastIssue struct {
	ID         string            `json:"id,omitempty"` // of those that were
	Rule       string            `json:"rule"`
	Group      string            `json:"group"`
	Title      string            `json:"title"`
	Impact     status.Impact     `json:"impact"`
	Public     string            `json:"public"` // by_itself, by_a_person, no
	Components map[string]string `json:"components"`
	StartedAt  time.Time         `json:"started_at"`
	OpenedAt   time.Time         `json:"opened_at"`
	EndedAt    *time.Time        `json:"ended_at"` // null: still open
	EndedBy    string            `json:"ended_by,omitempty"`
}

// Count is how many issues are of a change.
func (r BacktestReport) Count(c Change) int {
	n := 0
	for _, i := range r.Issues {
		if i.Change == c {
			n++
		}
	}
	return n
}

// sameEnd is how far apart two ends are no difference: polls and deliveries are
// not to the second.
const sameEnd = time.Minute

// report compares what was with what would have been.
func (r *replay) report(was []status.Issue) BacktestReport {
	out := BacktestReport{
		Rules: r.rules.File, From: r.cfg.From, To: r.cfg.To, Webhooks: r.webhooks, Alerts: r.alerts, Unread: r.unread,
		Unmatched: r.unmatched, Issues: []Comparison{}, Warnings: slices.AppendSeq([]string{}, maps.Keys(r.warnings)),
	}
	slices.Sort(out.Warnings)
	var would []status.Issue
	for _, i := range r.issues {
		if i.Origin == status.FromAlert {
			would = append(would, i)
		}
	}
	slices.SortFunc(would, byStart)
	slices.SortFunc(was, byStart)
	mates := r.pair(was, would)
	taken := map[string]bool{}
	within := func(i status.Issue) bool { return !i.CreatedAt.Before(r.cfg.From) }
	for _, w := range was {
		mate, ok := mates[w.ID]
		taken[mate.ID] = ok
		switch {
		case ok && (within(w) || within(mate)):
			out.Issues = append(out.Issues, r.compare(w, mate))
		case !ok && within(w):
			out.Issues = append(out.Issues, Comparison{Change: ChangeMissing, Was: r.past(w, w.ID), Differences: []Difference{}})
		}
	}
	for _, w := range would {
		if !taken[w.ID] && within(w) {
			out.Issues = append(out.Issues, Comparison{Change: ChangeOpened, Would: r.past(w, ""), Differences: []Difference{}})
		}
	}
	slices.SortStableFunc(out.Issues, func(a, b Comparison) int { return a.start().Compare(b.start()) })
	return out
}

func (c Comparison) start() time.Time {
	if c.Was != nil {
		return c.Was.StartedAt
	}
	return c.Would.StartedAt
}

func byStart(a, b status.Issue) int {
	return cmp.Or(a.StartedAt.Compare(b.StartedAt), a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
}

// pair finds, for each issue that was, the one that it would have been: of the
// same rule and group, or else of the same alerts, at the same time.
func (r *replay) pair(was, would []status.Issue) map[string]status.Issue {
	byTrack := map[status.TrackKey][]status.Issue{}
	for _, w := range would {
		key := trackOf(w)
		byTrack[key] = append(byTrack[key], w)
	}
	linked := map[status.TrackKey][]status.TrackKey{}
	for l := range r.links {
		if l.was != l.would {
			linked[l.was] = append(linked[l.was], l.would)
		}
	}
	mates, taken := map[string]status.Issue{}, map[string]bool{}
	choose := func(w status.Issue, keys []status.TrackKey) {
		var best status.Issue
		for _, key := range keys {
			for _, c := range byTrack[key] {
				if !taken[c.ID] && together(w, c) && (best.ID == "" || apart(w, c) < apart(w, best) ||
					apart(w, c) == apart(w, best) && byStart(c, best) < 0) {
					best = c
				}
			}
		}
		if best.ID != "" {
			mates[w.ID], taken[best.ID] = best, true
		}
	}
	for _, w := range was {
		choose(w, []status.TrackKey{trackOf(w)})
	}
	for _, w := range was {
		if _, ok := mates[w.ID]; !ok {
			choose(w, linked[trackOf(w)])
		}
	}
	return mates
}

func trackOf(i status.Issue) status.TrackKey { return status.TrackKey{Rule: i.Rule, Group: i.Group} }

// endOf is when an issue was over; zero while it is open.
func endOf(i status.Issue) time.Time {
	switch {
	case i.Stage == status.Dismissed:
		return i.UpdatedAt
	case i.State == status.Resolved:
		return i.ResolvedAt
	}
	return time.Time{}
}

func together(a, b status.Issue) bool {
	before := func(end, start time.Time) bool { return !end.IsZero() && end.Before(start) }
	return !before(endOf(a), b.StartedAt) && !before(endOf(b), a.StartedAt)
}

func apart(a, b status.Issue) time.Duration { return a.StartedAt.Sub(b.StartedAt).Abs() }

func (r *replay) past(i status.Issue, id string) *PastIssue {
	p := &PastIssue{
		ID: id, Rule: i.Rule, Group: i.Group, Title: i.Title, Impact: i.Impact, Public: publicity(i),
		Components: map[string]string{}, StartedAt: i.StartedAt, OpenedAt: i.CreatedAt, EndedBy: i.ResolvedBy,
	}
	for _, a := range i.Components {
		p.Components[cmp.Or(r.slugs[a.ComponentID], a.ComponentID)] = string(a.Status)
	}
	if end := endOf(i); !end.IsZero() {
		p.EndedAt = &end
	}
	return p
}

// publicity says how an issue becomes public.
func publicity(i status.Issue) string {
	switch {
	case i.Stage == status.Internal:
		return "no"
	case i.Stage == status.Published && !i.Confirmed:
		return "by_itself"
	}
	return "by_a_person"
}

// compare lists what differs. What a person took over then is no fault of rules.
func (r *replay) compare(w, c status.Issue) Comparison {
	out := Comparison{Change: ChangeNone, Was: r.past(w, w.ID), Would: r.past(c, ""), Differences: []Difference{}}
	say := func(what, was, would string) {
		if was != would {
			out.Change = ChangeDiffers
			out.Differences = append(out.Differences, Difference{what, was, would})
		}
	}
	say("rule", w.Rule, c.Rule)
	say("group", w.Group, c.Group)
	if w.Automatic(status.FieldTitle) {
		say("title", w.Title, c.Title)
	}
	if w.Automatic(status.FieldImpact) {
		say("impact", string(w.Impact), string(c.Impact))
	}
	if w.Automatic(status.FieldComponents) {
		say("components", out.Was.components(), out.Would.components())
	}
	// A person's yes or no says nothing of what the rule would have done alone.
	dismissed := w.Stage == status.Dismissed && !r.discarded[w.ID]
	if !dismissed && !(w.Confirmed && publicity(c) != "no") {
		say("public", publicity(w), publicity(c))
	}
	if w.CreatedAt.Sub(c.CreatedAt).Abs() > sameEnd {
		say("opened after", w.CreatedAt.Sub(w.StartedAt).Round(time.Second).String(), c.CreatedAt.Sub(c.StartedAt).Round(time.Second).String())
	}
	byPerson := dismissed || w.ResolvedBy != "" && w.ResolvedBy != status.Automation || !w.Automatic(status.FieldState)
	if a, b := endOf(w), endOf(c); !byPerson && (a.IsZero() != b.IsZero() || a.Sub(b).Abs() > sameEnd) {
		say("duration", lasting(w), lasting(c))
	}
	return out
}

func lasting(i status.Issue) string {
	end := endOf(i)
	if end.IsZero() {
		return "still open"
	}
	return end.Sub(i.StartedAt).Round(time.Second).String()
}

// components writes them in one line.
func (p PastIssue) components() string {
	var all []string
	for _, slug := range slices.Sorted(maps.Keys(p.Components)) {
		all = append(all, fmt.Sprintf("%s %s", slug, p.Components[slug]))
	}
	return cmp.Or(strings.Join(all, ", "), "none")
}
