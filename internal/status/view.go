package status

import "time"

// View is what the public may know at one revision: no draft, no internal or
// dismissed issue, no hidden or archived component is in it.
//
// Views share their issues, which nobody may change: what is at the same place in
// memory is the same, and of a long history hardly anything is copied.
type View struct {
	Revision     int64
	Components   []Component   // by group position, then position, then name
	Groups       []Group       // by position, then name
	Issues       []*Issue      // published: all open ones and those of the history window; newest start first
	Maintenances []Maintenance // scheduled, running and those of the history window; newest ScheduledFor first
	Corrections  []Correction  // those that hold, of the history window; newest From first
	Charts       []Series      // of the metrics, by id
	// Repeating are the series of which more is to come: when, and nothing else.
	Repeating []MaintenanceSeries
}

// Shared are issues as a view holds them.
func Shared(list []Issue) []*Issue {
	out := make([]*Issue, len(list))
	for n := range list {
		out[n] = &list[n]
	}
	return out
}

// Indicator sums the page up in one word, as the Statuspage API does.
type Indicator string

// The indicators.
const (
	IndicatorNone        Indicator = "none"
	IndicatorMinor       Indicator = "minor"
	IndicatorMajor       Indicator = "major"
	IndicatorCritical    Indicator = "critical"
	IndicatorMaintenance Indicator = "maintenance"
)

// Headline is the state of the whole in one line.
type Headline struct {
	Indicator   Indicator
	Description string // "All Systems Operational", "Partial System Outage", ...
	// Component is the name of the only component that is hit, "" otherwise.
	Component string
}

// Summary is the present as every public surface shows it.
type Summary struct {
	Headline   Headline
	Components map[string]ComponentStatus // by component id: the worst of all causes
	Groups     map[string]ComponentStatus // by group id: the worst of its components
	Active     []Issue                    // open, newest start first
	Running    []Maintenance              // soonest end first
	Upcoming   []Maintenance              // soonest start first
}

// Outage is a stretch of time in which one component was not well.
type Outage struct {
	ComponentID string
	Status      ComponentStatus
	From        time.Time
	To          time.Time // now, for one that goes on
	SubjectID   string    // the issue or maintenance
}

// Window is a half-open stretch of time [From, To).
type Window struct {
	From time.Time
	To   time.Time
}

// Weights say how much of an outage counts as downtime, 0 to 1 a status.
type Weights map[ComponentStatus]float64

// DefaultWeights: a major outage counts whole, a partial one as 0.3 of it,
// degraded performance and maintenance not at all.
var DefaultWeights = Weights{MajorOutage: 1, PartialOutage: 0.3}
