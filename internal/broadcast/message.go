package broadcast

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Story is all that a message can be written from: an issue or a maintenance
// and the update of it to tell about.
type Story struct {
	Event       status.Event
	Issue       *status.Issue
	Maintenance *status.Maintenance
	Again       []time.Time // when the maintenance takes place again
	UpdateID    string
	Joined      []string // later updates that are told with it
	// Components give the names; what is hidden or missing is not spoken of.
	Components []status.Component
}

// Message is what is to be said, before a channel gives it its form, and to
// whom. What it says in words is English; the codes beside them are for channels
// that speak other languages.
type Message struct {
	Event     status.Event
	SubjectID string
	UpdateID  string
	Title     string // of the issue or maintenance
	State     string // in words: "Investigating", "In progress"
	Code      string // of the state, a key of stateWords
	Tone      Tone
	Body      string // Markdown
	Affected  []Affected
	At        time.Time // when the update was made
	Facts     []string  // short lines such as the window of a maintenance
	Span      Span      // the same, for other languages
	Again     []time.Time
	// Earlier is what was said before it and not told yet, the newest first.
	Earlier []Passage
	// Since is the state that was reached after this update, when the message
	// is so late that this matters; "" otherwise.
	Since     string
	SinceCode string
	Impact    status.Impact // of an issue
	Began     time.Time     // an issue, or when a maintenance is planned to
	// Over is set when the story ended after this update.
	Over bool
	Link string // the update on the page; "" for a confirmation
	// LinkWords say where the link leads, "" is to the status page.
	LinkWords string
	Drafts    []Called // that a message to operators is about

	Recipient  string
	Token      string    // opaque, for the recipient's own links
	Language   string    // the recipient's, "" is the page's
	TimeZone   string    // the recipient's, "" is the page's
	DeliveryID string    // names the message when it comes back; the same for each attempt
	Attempt    int       // from 1
	Now        time.Time // when this attempt begins
	Named      bool      // a rule names the channel for this event
	Queued     time.Time // when it was decided to send it
	Late       bool      // so late that what happened since is worth saying
	Root       string    // what the provider called the first message of this story

	letters *formLetters // what was written for others of its recipients
}

// Passage is an update told together with a later one.
type Passage struct {
	State, Code string
	Body        string
	At          time.Time
}

// Span is the time that a message is about.
type Span struct {
	Kind        SpanKind
	From, Until time.Time
}

// SpanKind says what the time means; "" is no span at all.
type SpanKind string

// The kinds of spans.
const (
	SpanLasted  SpanKind = "lasted"  // of an issue that is over
	SpanPlanned SpanKind = "planned" // of a maintenance
)

// Affected is a component in a message.
type Affected struct {
	Name   string
	State  string                 // in words, "" when it no longer matters
	Status status.ComponentStatus // the same as a code
}

// Tone is how serious a message is: it picks glyph and colour.
type Tone string

// The tones.
const (
	ToneTrouble Tone = "trouble" // nobody knows yet
	ToneKnown   Tone = "known"   // the cause is found
	ToneWatched Tone = "watched" // mended, being watched
	ToneGood    Tone = "good"    // over
	TonePlanned Tone = "planned" // maintenance
)

var stateWords = map[string]struct {
	word string
	tone Tone
}{
	string(status.Investigating): {"Investigating", ToneTrouble},
	string(status.Identified):    {"Identified", ToneKnown},
	string(status.Monitoring):    {"Monitoring", ToneWatched},
	string(status.Resolved):      {"Resolved", ToneGood},
	status.StateMerged:           {"Merged", ToneKnown},
	status.StatePostmortem:       {"Post-mortem", ToneGood},
	string(status.Scheduled):     {"Scheduled", TonePlanned},
	string(status.InProgress):    {"In progress", TonePlanned},
	string(status.Verifying):     {"Verifying", TonePlanned},
	string(status.Completed):     {"Completed", ToneGood},
	string(status.Cancelled):     {"Cancelled", ToneGood},
	codeMoved:                    {"Rescheduled", TonePlanned},
	codeReminder:                 {"Reminder", TonePlanned},
}

// Codes for what is no state but is told like one.
const (
	codeMoved    = "moved"
	codeReminder = "reminder"
)

var componentWords = map[status.ComponentStatus]string{
	status.Operational:         "operational",
	status.UnderMaintenance:    "under maintenance",
	status.DegradedPerformance: "degraded performance",
	status.PartialOutage:       "partial outage",
	status.MajorOutage:         "major outage",
}

// Compose writes the message about one update. An update that is gone or a
// subject that the public may not see is a Permanent error: it is not told.
func Compose(s Story, publicURL string) (Message, error) {
	m := Message{Event: s.Event, UpdateID: s.UpdateID, letters: new(formLetters)}
	switch {
	case s.Issue != nil:
		return composeIssue(m, *s.Issue, s, publicURL)
	case s.Maintenance != nil:
		return composeMaintenance(m, *s.Maintenance, s, publicURL)
	}
	return m, Permanent{Reason: "there is neither an issue nor a maintenance to tell about"}
}

func composeIssue(m Message, i status.Issue, s Story, publicURL string) (Message, error) {
	if !i.Public() {
		return m, Permanent{Reason: fmt.Sprintf("issue %s is not public", i.ID)}
	}
	m.SubjectID, m.Title, m.Impact, m.Began = i.ID, i.Title, i.Impact, i.StartedAt
	u, err := m.tell(i.Updates, s.Joined)
	if err != nil {
		return m, err
	}
	m.Link = link(publicURL, "issues", i.ID, u.ID)
	m.Over = m.Since != "" && i.State == status.Resolved
	m.Affected = names(i.Components, s.Components, u.State != string(status.Resolved) && u.State != status.StatePostmortem)
	if u.State == string(status.Resolved) && !i.StartedAt.IsZero() && i.ResolvedAt.After(i.StartedAt) {
		m.Span = Span{SpanLasted, i.StartedAt, i.ResolvedAt}
		m.Facts = append(m.Facts, fmt.Sprintf("It lasted %s, from %s to %s.",
			lasted(i.ResolvedAt.Sub(i.StartedAt)), stamp(i.StartedAt), stamp(i.ResolvedAt)))
	}
	return m, nil
}

func composeMaintenance(m Message, w status.Maintenance, s Story, publicURL string) (Message, error) {
	m.SubjectID, m.Title, m.Began = w.ID, w.Title, w.ScheduledFor
	if s.Event == status.EventMaintenanceReminder {
		return composeReminder(m, w, s, publicURL)
	}
	u, err := m.tell(w.Updates, s.Joined)
	if err != nil {
		return m, err
	}
	m.Link = link(publicURL, "maintenance", w.ID, u.ID)
	if u.Body == status.SaysMoved {
		m.Code = codeMoved
		m.State, m.Tone = say(codeMoved)
	}
	if strings.TrimSpace(m.Body) == "" {
		m.Body = w.Body
	}
	m.Over = m.Since != "" && w.Over()
	m.Affected = names(under(w.Components), s.Components, false)
	switch u.State {
	case string(status.Scheduled):
		m.plan(w, s.Again)
	case string(status.InProgress):
		m.plan(w, nil)
	}
	return m, nil
}

// composeReminder calls a maintenance to mind that is still to come. It is no
// update: the link leads to the page of the maintenance.
func composeReminder(m Message, w status.Maintenance, s Story, publicURL string) (Message, error) {
	if w.State != status.Scheduled {
		return m, Permanent{Reason: fmt.Sprintf("maintenance %s is %s by now", w.ID, w.State)}
	}
	m.Code = codeReminder
	m.State, m.Tone = say(codeReminder)
	m.Body, m.Affected = w.Body, names(under(w.Components), s.Components, false)
	m.Link, _, _ = strings.Cut(link(publicURL, "maintenance", w.ID, ""), "#")
	m.plan(w, s.Again)
	return m, nil
}

// plan says when a maintenance is to be, and when again.
func (m *Message) plan(w status.Maintenance, again []time.Time) {
	m.Span = Span{SpanPlanned, w.ScheduledFor, w.ScheduledUntil}
	m.Facts = append(m.Facts, fmt.Sprintf("Planned from %s to %s (%s).",
		stamp(w.ScheduledFor), stamp(w.ScheduledUntil), lasted(w.ScheduledUntil.Sub(w.ScheduledFor))))
	if m.Again = again; len(again) > 0 {
		m.Facts = append(m.Facts, languages["en"].again(again, time.UTC))
	}
}

// tell fills in what the update says, or the last of those joined to it, and
// what was said before that. It answers with the one that speaks.
func (m *Message) tell(updates []status.Update, joined []string) (status.Update, error) {
	var told []status.Update
	for _, id := range append([]string{m.UpdateID}, joined...) {
		if at := slices.IndexFunc(updates, func(u status.Update) bool { return u.ID == id }); at >= 0 {
			told = append(told, updates[at])
		}
	}
	if len(told) == 0 {
		return status.Update{}, Permanent{Reason: fmt.Sprintf("update %s is no longer part of %s", m.UpdateID, m.SubjectID)}
	}
	slices.Reverse(told)
	for _, u := range told[1:] {
		p := Passage{Code: u.State, Body: u.Body, At: shown(u)}
		p.State, _ = say(u.State)
		m.Earlier = append(m.Earlier, p)
	}
	u := told[0]
	m.Code = u.State
	m.State, m.Tone = say(u.State)
	m.Body, m.At = u.Body, shown(u)
	if last := updates[len(updates)-1]; last.State != u.State && last.State != status.StatePostmortem {
		m.SinceCode = last.State
		m.Since, _ = say(last.State)
	}
	return u, nil
}

// shown is the time of an update as people see it.
func shown(u status.Update) time.Time {
	if u.DisplayAt.IsZero() {
		return u.CreatedAt
	}
	return u.DisplayAt
}

// ComposeConfirm asks an address whether it was its owner who subscribed, or
// tells it that it is subscribed already.
func ComposeConfirm(event status.Event, updateID string) Message {
	return Message{Event: event, UpdateID: updateID, SubjectID: updateID}
}

// ComposeStopped tells that a program is told no more. Of its address only the
// host is named: the rest may hold a secret, or words that somebody else wrote.
func ComposeStopped(program status.Subscriber, updateID, publicURL string) Message {
	m := Message{Event: status.EventStopped, UpdateID: updateID, SubjectID: updateID}
	m.Link = strings.TrimRight(publicURL, "/") + "/subscriptions/confirm/" + program.ConfirmToken
	if at, err := url.Parse(program.Email); err == nil {
		m.Title = at.Host
	}
	return m
}

// lateAfter is how long a message may take before what happened meanwhile is
// worth saying.
const lateAfter = 5 * time.Minute

// to addresses the message.
func (m Message) to(d status.Delivery, root string, now time.Time) Message {
	m.Recipient, m.Token, m.Language, m.TimeZone, m.DeliveryID = d.Recipient, d.Token, d.Language, d.TimeZone, d.ID
	m.Queued, m.Root, m.Attempt, m.Now, m.Named = d.CreatedAt, root, d.Attempt, now, d.Named
	m.Late = d.Attempt > 1 || !d.CreatedAt.IsZero() && now.Sub(d.CreatedAt) > lateAfter
	return m
}

func say(state string) (string, Tone) {
	if s, known := stateWords[state]; known {
		return s.word, s.tone
	}
	return state, ToneKnown
}

// names looks the components up; the hidden ones stay unnamed.
func names(affected []status.Affected, components []status.Component, states bool) []Affected {
	var out []Affected
	for _, a := range affected {
		at := slices.IndexFunc(components, func(c status.Component) bool { return c.ID == a.ComponentID })
		if at < 0 || components[at].Hidden || components[at].Archived {
			continue
		}
		named := Affected{Name: components[at].Name}
		if states {
			named.State, named.Status = componentWords[a.Status], a.Status
		}
		out = append(out, named)
	}
	return out
}

// under is the components of a maintenance, without a status to tell.
func under(ids []string) []status.Affected {
	out := make([]status.Affected, len(ids))
	for i, id := range ids {
		out[i].ComponentID = id
	}
	return out
}

func link(publicURL, kind, id, updateID string) string {
	return strings.TrimRight(publicURL, "/") + "/" + kind + "/" + url.PathEscape(id) + "#update-" + url.PathEscape(updateID)
}

// stamp writes a moment as everybody can read it.
func stamp(t time.Time) string { return languages["en"].moment(t, time.UTC) }

// lasted writes a length of time in English.
func lasted(d time.Duration) string { return languages["en"].duration(d) }

func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ")
}
