package status

import "time"

// Edit is one decision of a person. The types below are all there are.
// Version is the version that the person saw; 0 is "whatever it is now" and is
// for machines only. A different present version is ErrConflict.
type Edit interface {
	// Subjects are the ids the edit needs on the board.
	Subjects() []string
	revise(d *desk, who string) error
}

// OpenIssue opens an issue by hand. It belongs to people whole.
type OpenIssue struct {
	Title      string
	Body       string
	State      IssueState // "" is investigating
	Impact     Impact     // "" is minor
	Components []Affected
	StartedAt  time.Time // zero is now
	Publish    bool      // false keeps a draft
	Silent     bool      // tell nobody
}

// EditIssue changes fields of an issue; a nil field stays as it is. What it
// changes is held against automation from then on.
type EditIssue struct {
	ID         string
	Version    int64
	Title      *string
	Impact     *Impact
	State      *IssueState
	Components *[]Affected
	// Body rewrites the opening update.
	Body *string
}

// PublishIssue makes a draft public, with the last edits of the reviewer.
type PublishIssue struct {
	EditIssue
	Silent bool
	Except []string // channels that are left out this time
}

// DismissIssue discards a draft.
type DismissIssue struct {
	ID      string
	Version int64
}

// PostUpdate adds a statement to an issue. A state, an impact or components
// that differ from the present ones are held from then on.
type PostUpdate struct {
	ID         string
	Version    int64
	Body       string
	State      *IssueState // Resolved ends the issue
	Impact     *Impact
	Components *[]Affected
	Silent     bool
}

// HandBack gives fields back to automation, which brings them up to date.
type HandBack struct {
	ID      string
	Version int64
	Fields  []Field
}

// SaveComponent creates (ID "") or changes a component.
type SaveComponent struct{ Component }

// SaveGroup creates (ID "") or changes a group.
type SaveGroup struct{ Group }

// ArchiveComponent removes a component from the page; history keeps it.
type ArchiveComponent struct {
	ID      string
	Version int64
}

// ArchiveGroup removes a group; its components then stand alone.
type ArchiveGroup struct {
	ID      string
	Version int64
}

// Reorder puts components and groups in the order of their ids. It is no change of
// what anybody edits, so it asks for no version; what it does not name stays.
type Reorder struct{ Components, Groups []string }

// SaveMaintenance schedules (ID "") or changes a maintenance. Of the
// Maintenance, the title, body, components, expected alerts, times and auto flags are read.
type SaveMaintenance struct {
	Maintenance
	Silent bool
	// Recurrence makes it repeat, or changes how it does; nil leaves that as it
	// is, an empty rule ends it.
	Recurrence *Recurrence
	Later      bool // all later occurrences of its series, too
}

// PostMaintenanceUpdate adds a statement to a maintenance, and with a state
// moves it: in_progress starts it early, completed ends it, cancelled calls it
// off.
type PostMaintenanceUpdate struct {
	ID      string
	Version int64
	State   MaintenanceState // "" stays
	Body    string
	Later   bool // with cancelled: all later occurrences of its series, too
	Silent  bool
}
