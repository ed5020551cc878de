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
// and the one update of it to tell about.
type Story struct {
	Event       status.Event
	Issue       *status.Issue
	Maintenance *status.Maintenance
	UpdateID    string
	// Components give the names; what is hidden or missing is not spoken of.
	Components []status.Component
}

// Message is what is to be said, before a channel gives it its form, and to
// whom.
type Message struct {
	Event     status.Event
	SubjectID string
	UpdateID  string
	Title     string // of the issue or maintenance
	State     string // in words: "Investigating", "In progress"
	Tone      Tone
	Body      string // Markdown
	Affected  []Affected
	At        time.Time // when the update was made
	Facts     []string  // short lines such as the window of a maintenance
	// Since is the state that was reached after this update, when the message
	// is so late that this matters; "" otherwise.
	Since string
	// Over is set when the story ended after this update.
	Over bool
	Link string // the update on the page; "" for a confirmation

	Recipient string
	Token     string    // opaque, for the recipient's own links
	Queued    time.Time // when it was decided to send it
	Late      bool      // an attempt before this one failed
	Root      string    // what the provider called the first message of this story
}

// Affected is a component in a message.
type Affected struct {
	Name  string
	State string // in words, "" when it no longer matters
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
	string(status.Scheduled):     {"Scheduled", TonePlanned},
	string(status.InProgress):    {"In progress", TonePlanned},
	string(status.Verifying):     {"Verifying", TonePlanned},
	string(status.Completed):     {"Completed", ToneGood},
	string(status.Cancelled):     {"Cancelled", ToneGood},
}

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
	m := Message{Event: s.Event, UpdateID: s.UpdateID}
	switch {
	case s.Issue != nil:
		return composeIssue(m, *s.Issue, s.Components, publicURL)
	case s.Maintenance != nil:
		return composeMaintenance(m, *s.Maintenance, s.Components, publicURL)
	}
	return m, Permanent{Reason: "there is neither an issue nor a maintenance to tell about"}
}

func composeIssue(m Message, i status.Issue, components []status.Component, publicURL string) (Message, error) {
	if !i.Public() {
		return m, Permanent{Reason: fmt.Sprintf("issue %s is not public", i.ID)}
	}
	m.SubjectID, m.Title = i.ID, i.Title
	m.Link = link(publicURL, "issues", i.ID, m.UpdateID)
	u, err := m.tell(i.Updates)
	if err != nil {
		return m, err
	}
	m.Over = m.Since != "" && i.State == status.Resolved
	m.Affected = names(i.Components, components, u.State != string(status.Resolved))
	if u.State == string(status.Resolved) && !i.StartedAt.IsZero() && i.ResolvedAt.After(i.StartedAt) {
		m.Facts = append(m.Facts, fmt.Sprintf("It lasted %s, from %s to %s.",
			lasted(i.ResolvedAt.Sub(i.StartedAt)), stamp(i.StartedAt), stamp(i.ResolvedAt)))
	}
	return m, nil
}

func composeMaintenance(m Message, w status.Maintenance, components []status.Component, publicURL string) (Message, error) {
	m.SubjectID, m.Title = w.ID, w.Title
	m.Link = link(publicURL, "maintenance", w.ID, m.UpdateID)
	u, err := m.tell(w.Updates)
	if err != nil {
		return m, err
	}
	if strings.TrimSpace(m.Body) == "" {
		m.Body = w.Body
	}
	m.Over = m.Since != "" && w.Over()
	m.Affected = names(under(w.Components), components, false)
	if u.State == string(status.Scheduled) || u.State == string(status.InProgress) {
		m.Facts = append(m.Facts, fmt.Sprintf("Planned from %s to %s (%s).",
			stamp(w.ScheduledFor), stamp(w.ScheduledUntil), lasted(w.ScheduledUntil.Sub(w.ScheduledFor))))
	}
	return m, nil
}

// tell fills in what the update says.
func (m *Message) tell(updates []status.Update) (status.Update, error) {
	at := slices.IndexFunc(updates, func(u status.Update) bool { return u.ID == m.UpdateID })
	if at < 0 {
		return status.Update{}, Permanent{Reason: fmt.Sprintf("update %s is no longer part of %s", m.UpdateID, m.SubjectID)}
	}
	u := updates[at]
	m.State, m.Tone = say(u.State)
	m.Body, m.At = u.Body, u.DisplayAt
	if m.At.IsZero() {
		m.At = u.CreatedAt
	}
	if last := updates[len(updates)-1]; last.State != u.State {
		m.Since, _ = say(last.State)
	}
	return u, nil
}

// ComposeConfirm asks an address whether it was its owner who subscribed.
func ComposeConfirm(updateID, token string) Message {
	return Message{Event: status.EventConfirm, UpdateID: updateID, SubjectID: updateID, Token: token}
}

// to addresses the message.
func (m Message) to(d status.Delivery, root string) Message {
	m.Recipient, m.Token, m.Queued, m.Late, m.Root = d.Recipient, d.Token, d.CreatedAt, d.Attempt > 1, root
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
			named.State = componentWords[a.Status]
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
func stamp(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// lasted writes a length of time in the two largest units that matter.
func lasted(d time.Duration) string {
	minutes := int64(d.Round(time.Minute) / time.Minute)
	days, hours, minutes := minutes/(24*60), minutes/60%24, minutes%60
	switch {
	case days > 0:
		return join(count(days, "day"), count(hours, "hour"))
	case hours > 0:
		return join(count(hours, "hour"), count(minutes, "minute"))
	case minutes > 0:
		return count(minutes, "minute")
	}
	return "less than a minute"
}

func count(n int64, unit string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ")
}
