package status

import "time"

// ComponentStatus is the state of one component, in the words of the
// Statuspage API.
type ComponentStatus string

// The component statuses, best first.
const (
	Operational         ComponentStatus = "operational"
	UnderMaintenance    ComponentStatus = "under_maintenance"
	DegradedPerformance ComponentStatus = "degraded_performance"
	PartialOutage       ComponentStatus = "partial_outage"
	MajorOutage         ComponentStatus = "major_outage"
)

// ComponentStatuses lists the statuses, best first.
var ComponentStatuses = []ComponentStatus{Operational, UnderMaintenance, DegradedPerformance, PartialOutage, MajorOutage}

// Rank orders statuses: a higher rank is worse, -1 is no status at all.
func (s ComponentStatus) Rank() int {
	switch s {
	case Operational:
		return 0
	case UnderMaintenance:
		return 1
	case DegradedPerformance:
		return 2
	case PartialOutage:
		return 3
	case MajorOutage:
		return 4
	}
	return -1
}

// Worse returns the worse of two statuses.
func (s ComponentStatus) Worse(other ComponentStatus) ComponentStatus {
	if other.Rank() > s.Rank() {
		return other
	}
	return s
}

// Valid reports whether s is one of the five statuses.
func (s ComponentStatus) Valid() bool { return s.Rank() >= 0 }

// Component is something customers know by name and can be broken.
type Component struct {
	ID          string
	Version     int64
	GroupID     string // "" when it stands alone
	Slug        string // unique; rules.yaml and URLs name components by it
	Name        string
	Description string
	Position    int
	// Status is what a person set by hand; what visitors see is the worst of
	// it, the open issues and running maintenance: see Overview.
	Status    ComponentStatus
	Hidden    bool      // known to rules and admins, not shown to the public
	StartDate time.Time // uptime counts from here; zero: from CreatedAt
	CreatedAt time.Time
	UpdatedAt time.Time
	Archived  bool // removed by an admin; kept because history names it
}

// Since is when uptime starts to count.
func (c Component) Since() time.Time {
	if c.StartDate.IsZero() {
		return c.CreatedAt
	}
	return c.StartDate
}

// Group holds components together on the page.
type Group struct {
	ID          string
	Version     int64
	Name        string
	Description string
	Position    int
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Archived    bool
}

// rank is the index of v in order, -1 when it is not there.
func rank[T comparable](order []T, v T) int {
	for i, o := range order {
		if o == v {
			return i
		}
	}
	return -1
}
