package status

import "time"

// MaintenanceState is where a planned maintenance stands.
type MaintenanceState string

// The maintenance states, in order.
const (
	Scheduled  MaintenanceState = "scheduled"
	InProgress MaintenanceState = "in_progress"
	Verifying  MaintenanceState = "verifying"
	Completed  MaintenanceState = "completed"
	Cancelled  MaintenanceState = "cancelled"
)

// MaintenanceStates lists the states in order.
var MaintenanceStates = []MaintenanceState{Scheduled, InProgress, Verifying, Completed, Cancelled}

// Valid reports whether s is one of the five states.
func (s MaintenanceState) Valid() bool { return rank(MaintenanceStates, s) >= 0 }

// Maintenance is planned work that customers are told about beforehand.
type Maintenance struct {
	ID             string
	Version        int64
	Title          string
	Body           string // Markdown
	State          MaintenanceState
	Components     []string // component ids
	ScheduledFor   time.Time
	ScheduledUntil time.Time
	AutoStart      bool // goes to in_progress by the clock
	AutoEnd        bool // goes to completed by the clock
	CreatedAt      time.Time
	UpdatedAt      time.Time
	StartedAt      time.Time // zero: not yet
	EndedAt        time.Time // completed or cancelled
	CreatedBy      string
	Updates        []Update  // oldest first
	Expected       []string  // matchers of alerts that the work sets off, besides those of its components
	SeriesID       string    // "": it does not repeat
	Occurrence     time.Time // when the series puts it, wherever it was moved to
}

// Running reports whether the work is under way.
func (m Maintenance) Running() bool { return m.State == InProgress || m.State == Verifying }

// Over reports whether nothing more will happen.
func (m Maintenance) Over() bool { return m.State == Completed || m.State == Cancelled }
