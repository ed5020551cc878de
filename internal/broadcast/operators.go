package broadcast

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// operatorsJoin is for how long after a message to operators what follows is
// gathered: the first draft of a storm is told at once, all others as one.
const operatorsJoin = time.Minute

// Called is a draft in a message to operators.
type Called struct {
	ID, Title string
	Impact    status.Impact
	Affected  []Affected
	Alerts    int    // that fire
	Lead      string // what the first of them says, "" if nothing
	Since     time.Time
	Ended     string // what became of it, "" while it waits
	Link      string // to it in the admin
}

// call is a draft that a message to operators may speak of.
type call struct {
	events []status.Event // that were ordered to be told
	issue  status.Issue
	alerts []status.Signal
	ended  status.Entry // the line of the log about its end, if it was dismissed
}

// news reports whether operators are to hear of the draft as it is by now: one
// that was dealt with before they heard of it wakes nobody, and one that waits
// again is not over.
func (c call) news() bool {
	first := slices.Contains(c.events, status.EventDraft)
	if c.issue.Waits() {
		return first || slices.Contains(c.events, status.EventDraftWaits)
	}
	return !first && slices.Contains(c.events, status.EventDraftDone)
}

// calls finds the drafts that a delivery to operators is about.
func (w *worker) calls(ctx context.Context, d status.Delivery) ([]call, error) {
	var list []call
	for _, id := range append([]string{d.UpdateID}, d.Joined...) {
		of, ok := status.ParseCall(id)
		if !ok {
			continue
		}
		if at := slices.IndexFunc(list, func(c call) bool { return c.issue.ID == of.IssueID }); at >= 0 {
			list[at].events = append(list[at].events, of.Event)
			continue
		}
		i, err := w.library.Issue(ctx, of.IssueID)
		if errors.Is(err, status.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", of.IssueID, err)
		}
		c := call{events: []status.Event{of.Event}, issue: i}
		if i.Waits() {
			c.alerts, err = w.library.IssueSignals(ctx, i.ID)
		} else if i.Stage == status.Dismissed {
			c.ended, err = w.lastSaid(ctx, i.ID, "dismissed")
		}
		if err != nil {
			return nil, fmt.Errorf("read about %s: %w", i.ID, err)
		}
		list = append(list, c)
	}
	return list, nil
}

// lastSaid is the newest line of the log about an issue that tells of an action.
func (w *worker) lastSaid(ctx context.Context, id, action string) (status.Entry, error) {
	entries, err := w.library.Entries(ctx, id, 20)
	for _, e := range entries {
		if e.Action == action {
			return e, err
		}
	}
	return status.Entry{}, err
}

// composeCalls writes to operators. What has become of the drafts by now counts,
// not what was so when the message was ordered.
func composeCalls(list []call, components []status.Component, publicURL string) (Message, error) {
	list = slices.DeleteFunc(slices.Clone(list), func(c call) bool { return !c.news() })
	if len(list) == 0 {
		return Message{}, Skipped{Reason: "no draft waits any more that operators were to hear of"}
	}
	slices.SortStableFunc(list, func(a, b call) int { // who waits first, of those the worst, of those the oldest
		return cmp.Or(order(b.issue.Waits())-order(a.issue.Waits()), b.issue.Impact.Rank()-a.issue.Impact.Rank(),
			a.issue.StartedAt.Compare(b.issue.StartedAt))
	})
	base := strings.TrimRight(publicURL, "/")
	m := Message{letters: new(formLetters), Link: base + "/admin", LinkWords: "Open the queue"}
	waiting := 0
	for _, c := range list {
		if c.issue.Waits() {
			waiting++
		}
		m.Drafts = append(m.Drafts, c.called(components, base))
	}
	first, told := m.Drafts[0], list[0]
	m.SubjectID, m.Title, m.Impact, m.Began = first.ID, first.Title, first.Impact, first.Since
	switch {
	case waiting == 0:
		m.Event, m.State, m.Tone, m.LinkWords = status.EventDraftDone, "Dealt with", ToneGood, "Look at it"
	case slices.ContainsFunc(list[:waiting], func(c call) bool { return slices.Contains(c.events, status.EventDraft) }):
		m.Event, m.State = status.EventDraft, "A draft waits"
	default:
		m.Event, m.State = status.EventDraftWaits, "A draft still waits"
	}
	if waiting > 0 {
		m.Tone = ToneKnown
		if told.issue.Impact.Rank() >= status.ImpactMajor.Rank() {
			m.Tone = ToneTrouble
		}
	}
	m.Code = string(m.Event)
	if waiting == 1 {
		m.Link, m.LinkWords = first.Link, "Review and publish"
	}
	if len(list) > 1 {
		m.several(waiting)
		return m, nil
	}
	m.Link, m.Affected, m.Facts = first.Link, first.Affected, first.facts()
	return m, nil
}

// mostCalled is how many drafts a message lists.
const mostCalled = 10

// several words a message about more than one draft.
func (m *Message) several(waiting int) {
	more := len(m.Drafts) - 1
	if waiting > 0 {
		more = waiting - 1
	}
	if waiting > 1 {
		m.State = fmt.Sprintf("%d drafts wait", waiting)
	}
	if more > 0 {
		m.Title = fmt.Sprintf("%s, and %d more", cutTo(oneLine(m.Title), 80), more)
	}
	for n, c := range m.Drafts {
		if n == mostCalled {
			m.Facts = append(m.Facts, fmt.Sprintf("and %d more", len(m.Drafts)-n))
			break
		}
		m.Facts = append(m.Facts, "• "+cutTo(oneLine(c.Title), 100)+": "+strings.Join(c.words(), ", "))
	}
}

func order(b bool) int {
	if b {
		return 1
	}
	return 0
}

// called is the draft as it is by now.
func (c call) called(components []status.Component, base string) Called {
	out := Called{
		ID: c.issue.ID, Title: c.issue.Title, Impact: c.issue.Impact, Since: c.issue.StartedAt,
		Affected: names(c.issue.Components, components, true), Link: base + "/admin/issues/" + url.PathEscape(c.issue.ID),
	}
	for _, s := range c.alerts {
		if !s.Firing {
			continue
		}
		if out.Alerts++; out.Alerts == 1 {
			out.Lead = cutTo(oneLine(cmp.Or(s.Annotations["summary"], s.Annotations["description"])), 200)
		}
	}
	if !c.issue.Waits() {
		out.Ended = c.outcome()
	}
	return out
}

// outcome says what became of a draft.
func (c call) outcome() string {
	i := c.issue
	switch {
	case i.MergedInto != "":
		return "merged into another issue"
	case i.Public() && i.PublishedBy != "":
		return "published by " + i.PublishedBy
	case i.Public():
		return "published by its rule"
	case i.Stage == status.Dismissed && c.ended.Actor != "" && c.ended.Actor != status.Automation:
		return "dismissed by " + c.ended.Actor
	case i.Stage == status.Dismissed:
		return "over by itself: its alerts stopped"
	case i.State == status.Resolved && i.ResolvedBy != status.Automation:
		return "resolved by " + i.ResolvedBy
	}
	return "over"
}

// words are the facts of a draft, in short.
func (c Called) words() []string {
	if c.Ended != "" {
		return []string{c.Ended}
	}
	words := []string{"impact " + string(c.Impact)}
	switch c.Alerts {
	case 0:
		words = append(words, "no alert fires any more")
	case 1:
		words = append(words, "1 alert fires")
	default:
		words = append(words, fmt.Sprintf("%d alerts fire", c.Alerts))
	}
	return append(words, "since "+stamp(c.Since))
}

// facts are those of a draft that a message is about alone.
func (c Called) facts() []string {
	if c.Ended != "" {
		return []string{sentence(c.Ended) + " There is nothing to do."}
	}
	facts := []string{sentence(strings.Join(c.words(), ", "))}
	if c.Lead != "" {
		facts = append(facts, "The first alert says: "+c.Lead)
	}
	return append(facts, "It is not public yet.")
}

func sentence(words string) string { return strings.ToUpper(words[:1]) + words[1:] + "." }

// callsPost is what a program of the operators gets: the stable shape, with the
// drafts in place of an incident.
func callsPost(cfg ChannelConfig, m Message) post {
	type component struct {
		Name   string `json:"name"`
		Status string `json:"status,omitempty"`
	}
	drafts := []any{}
	for _, c := range m.Drafts {
		comps := []component{}
		for _, a := range c.Affected {
			comps = append(comps, component{a.Name, string(a.Status)})
		}
		d := map[string]any{
			"id": c.ID, "name": c.Title, "impact": c.Impact, "started_at": utc(c.Since), "components": comps,
			"waiting": c.Ended == "", "link": c.Link,
		}
		if c.Ended == "" {
			d["alerts_firing"] = c.Alerts
		} else {
			d["outcome"] = c.Ended
		}
		drafts = append(drafts, d)
	}
	return post{url: cfg.URL, sign: true, header: map[string]string{"Idempotency-Key": m.DeliveryID}, body: map[string]any{
		"id": m.DeliveryID, "event": m.Event, "created_at": utc(m.Queued),
		"page": map[string]string{"name": cfg.PageName, "url": cfg.PublicURL}, "drafts": drafts,
	}}
}

// OperatorMail tells operators of drafts by mail, on a connection of its own: no
// queue of subscribers is before them.
type OperatorMail struct {
	*Email
	to []string
}

// NewOperatorMail checks the configuration and the addresses; it does not
// connect.
func NewOperatorMail(cfg EmailConfig, addresses []string) (*OperatorMail, error) {
	cfg.Connections = 1
	e, err := NewEmail(cfg)
	if err != nil {
		return nil, err
	}
	return &OperatorMail{e, addresses}, nil
}

// Channel names the channel.
func (o *OperatorMail) Channel() string { return status.ChannelOperators }

// Readers are whom it speaks to.
func (o *OperatorMail) Readers() status.Readers { return status.Operators }

// Recipients are the addresses.
func (o *OperatorMail) Recipients() []string { return o.to }

// Join is for how long what follows is gathered.
func (o *OperatorMail) Join() time.Duration { return operatorsJoin }
