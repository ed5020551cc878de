package status

import "time"

// Impact is how much an issue hurts, in the words of the Statuspage API.
type Impact string

// The impacts, mildest first.
const (
	ImpactNone     Impact = "none"
	ImpactMinor    Impact = "minor"
	ImpactMajor    Impact = "major"
	ImpactCritical Impact = "critical"
)

// Impacts lists the impacts, mildest first.
var Impacts = []Impact{ImpactNone, ImpactMinor, ImpactMajor, ImpactCritical}

// Rank orders impacts: a higher rank is worse, -1 is not an impact.
func (i Impact) Rank() int { return rank(Impacts, i) }

// Valid reports whether i is one of the four impacts.
func (i Impact) Valid() bool { return i.Rank() >= 0 }

// IssueState is where an issue stands.
type IssueState string

// The issue states, in the order an issue usually takes.
const (
	Investigating IssueState = "investigating"
	Identified    IssueState = "identified"
	Monitoring    IssueState = "monitoring"
	Resolved      IssueState = "resolved"
)

// IssueStates lists the states in their usual order.
var IssueStates = []IssueState{Investigating, Identified, Monitoring, Resolved}

// Valid reports whether s is one of the four states.
func (s IssueState) Valid() bool { return rank(IssueStates, s) >= 0 }

// Stage says who may see an issue.
type Stage string

// The stages. Only a published issue has any public effect.
const (
	Draft     Stage = "draft"     // in the confirm queue
	Published Stage = "published" // public
	Dismissed Stage = "dismissed" // discarded before it was public
	Internal  Stage = "internal"  // rule says publish: never
)

// Origin says who opened an issue.
type Origin string

// The origins.
const (
	FromAlert Origin = "alert"
	Manual    Origin = "manual"
)

// Field names a part of an issue that a person can hold against automation.
type Field string

// The fields that can be held.
const (
	FieldTitle      Field = "title"
	FieldImpact     Field = "impact"
	FieldState      Field = "state"
	FieldComponents Field = "components"
	FieldBody       Field = "body" // of the opening update
)

// Fields lists all that can be held, in display order.
var Fields = []Field{FieldTitle, FieldImpact, FieldState, FieldComponents, FieldBody}

// Hold records who took a field from automation, and when.
type Hold struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Affected is a component as an issue or a maintenance touches it.
type Affected struct {
	ComponentID string          `json:"component_id"`
	Status      ComponentStatus `json:"status"`
}

// Change of one component's status by one update of an issue.
type Change struct {
	ComponentID string          `json:"component_id"`
	Name        string          `json:"name"` // as it was called then
	Old         ComponentStatus `json:"old"`
	New         ComponentStatus `json:"new"`
}

// Update is one public statement about an issue or a maintenance.
type Update struct {
	ID        string
	SubjectID string // the issue or maintenance
	State     string // IssueState or MaintenanceState
	Body      string // Markdown
	Changes   []Change
	By        string // Automation or an account's email
	CreatedAt time.Time
	DisplayAt time.Time // shown to people; feeds and uptime use it too
	EditedAt  time.Time // zero: as first written
	Silent    bool      // nobody was notified
}

// Automation is the actor of every change that no person made.
const Automation = "automation"

// Issue is one disturbance, from the first alert to its end.
type Issue struct {
	ID         string
	Version    int64 // grows by one with every saved change, but claims and snoozes
	Title      string
	State      IssueState
	Impact     Impact
	Stage      Stage
	Origin     Origin
	Components []Affected
	Held       map[Field]Hold
	// Suggestions are proposals of automation, at most one a field.
	Suggestions []Suggestion
	// Notes are private remarks of automation for admins.
	Notes []Note

	Rule        string // "" when opened by hand
	Group       string // canonical group labels, see GroupKey
	GroupLabels map[string]string

	Confirmed   bool   // a person published or opened it
	PublishedBy string // the person who did, "" for automation

	// Who looks after it, and until when a person has put the draft off. Neither
	// changes the version.
	ClaimedBy    string
	ClaimedAt    time.Time
	SnoozedBy    string
	SnoozedUntil time.Time
	// CalledAt is when operators were first told that the draft waits; zero: they
	// were not.
	CalledAt time.Time

	ResolvedBy string
	MergedInto string // the issue that goes on in its place, see MergeIssue
	// PostmortemDraft is what its authors write and have not published.
	PostmortemDraft string

	RulesHash    string    // of the rules.yaml it was opened by; it finishes with them
	Escalated    []int     // the rule's escalations that have been reached
	Flapping     bool      // comes and goes; held open
	RecurrenceOf string    // an earlier issue of the same rule and group
	AnnouncedAt  time.Time // of the last announced update, for update.throttle

	StartedAt    time.Time // when the disturbance began, as far as is known
	CreatedAt    time.Time
	PublishedAt  time.Time // zero: never public
	MonitoringAt time.Time
	ResolvedAt   time.Time
	UpdatedAt    time.Time

	Updates []Update // oldest first
}

// Note is a private remark of automation.
type Note struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// Open reports whether the issue is neither resolved nor dismissed.
func (i Issue) Open() bool { return i.State != Resolved && i.Stage != Dismissed }

// Public reports whether visitors may see the issue.
func (i Issue) Public() bool { return i.Stage == Published }

// Holds reports whether a person holds the field: automation must not move it.
func (i Issue) Holds(f Field) bool { _, held := i.Held[f]; return held }

// Automatic reports whether automation may change the field. An issue opened
// by hand belongs to people whole.
func (i Issue) Automatic(f Field) bool { return i.Origin == FromAlert && !i.Holds(f) }
