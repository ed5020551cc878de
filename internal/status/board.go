package status

import (
	"errors"
	"fmt"
	"maps"
	"time"
)

// Board is everything the core decides on: the state of the world at one
// revision. Verbs read it and never change it; Merge is the one that does.
type Board struct {
	Revision int64
	Seed     string // secret; ids are minted from it
	Minted   int64  // how many ids were

	Components   map[string]Component
	Groups       map[string]Group
	Issues       map[string]Issue             // open ones, recent ones, and those asked for
	Maintenances map[string]Maintenance       // likewise
	Series       map[string]MaintenanceSeries // that are not called off
	Corrections  map[string]Correction        // new ones, and those asked for
	Signals      map[SignalKey]Signal
	Tracks       map[TrackKey]Track
	Timers       map[TimerKey]time.Time
	Sources      map[string]SourceState

	members map[TrackKey]map[SignalKey]struct{}
}

// NewBoard returns an empty board. The seed makes its ids unguessable.
func NewBoard(seed string) Board {
	return Board{
		Seed:       seed,
		Components: map[string]Component{}, Groups: map[string]Group{},
		Issues: map[string]Issue{}, Maintenances: map[string]Maintenance{}, Series: map[string]MaintenanceSeries{}, Corrections: map[string]Correction{},
		Signals: map[SignalKey]Signal{}, Tracks: map[TrackKey]Track{},
		Timers: map[TimerKey]time.Time{}, Sources: map[string]SourceState{},
		members: map[TrackKey]map[SignalKey]struct{}{},
	}
}

// Changes is what a verb decided: whole new values of what changed, with the
// reason of each. An empty Changes has no effect at all.
type Changes struct {
	Minted        int64 // ids minted so far, when any were
	Components    map[string]Component
	Groups        map[string]Group
	Issues        map[string]Issue
	Maintenances  map[string]Maintenance
	Series        map[string]MaintenanceSeries
	Corrections   map[string]Correction
	Signals       map[SignalKey]Signal
	Tracks        map[TrackKey]Track
	Timers        map[TimerKey]time.Time // a zero time removes the timer
	Sources       map[string]SourceState
	Samples       []Sample // of the metrics on the page
	Announcements []Announcement
	Withdrawn     []string  // subjects of which nothing that waits to be told is told
	Entries       []Entry   // the audit log, with reasons
	Verdicts      []Verdict // webhooks closed by this change
	// Outcomes say what each alert did, by delivery. Alone they are nothing to
	// save: they are kept with the delivery's verdict.
	Outcomes map[string][]Outcome
	// Result is the id of what the verb created or touched, for its caller.
	Result string
}

// Empty reports whether there is nothing to save.
func (c Changes) Empty() bool {
	return len(c.Components)+len(c.Groups)+len(c.Issues)+len(c.Maintenances)+len(c.Series)+len(c.Corrections)+len(c.Signals)+
		len(c.Tracks)+len(c.Timers)+len(c.Sources)+len(c.Announcements)+len(c.Entries)+len(c.Verdicts)+len(c.Samples)+len(c.Withdrawn) == 0
}

// Public reports whether visitors could see a difference.
func (c Changes) Public() bool {
	return len(c.Components)+len(c.Groups)+len(c.Issues)+len(c.Maintenances)+len(c.Corrections)+len(c.Samples) > 0
}

// Stirring reports whether anybody but the engine itself has to look: visitors
// see a difference, something is to be sent or taken back, or the clock has
// something else to do. Most of what alerts say stirs nothing.
func (c Changes) Stirring() bool {
	return c.Public() || len(c.Series)+len(c.Timers)+len(c.Announcements)+len(c.Withdrawn) > 0
}

// Entry is one line of the audit log: who did what to what, and why.
type Entry struct {
	At      time.Time
	Actor   string // Automation or an account's email
	Action  string // "opened", "published", ...
	Subject string // id of the issue, maintenance or component
	Reason  Reason
	Detail  string // what a person needs to follow the decision
	Before  string // of the fields that changed, readable
	After   string
}

// Reason names why something happened. Reasons are values: the log, the admin,
// `explain` and the tests all use the same.
type Reason string

// The reasons.
const (
	ReasonHoldElapsed      Reason = "alerts fired for the whole hold"
	ReasonRuleAuto         Reason = "the rule publishes by itself"
	ReasonVetoElapsed      Reason = "nobody vetoed within publish_after"
	ReasonQuiet            Reason = "all alerts stopped"
	ReasonSettled          Reason = "quiet for resolve.after"
	ReasonRefired          Reason = "alerts fired again before it settled"
	ReasonEndedUnpublished Reason = "alerts stopped before anybody published it"
	ReasonHeld             Reason = "a person holds this field"
	ReasonPerson           Reason = "decided by a person"
	ReasonSchedule         Reason = "the schedule says so"
	ReasonUnknownComponent Reason = "the rule names a component that does not exist"
	ReasonTemplate         Reason = "a template failed; the rule's name stands in"
	ReasonSeverity         Reason = "the alerts' severity or number changed"
	ReasonEscalation       Reason = "an escalation of the rule was reached"
	ReasonDeescalation     Reason = "an escalation of the rule no longer holds"
	ReasonReopened         Reason = "fired again within reopen_within"
	ReasonFlapping         Reason = "fires and clears too often; held open"
	ReasonConfirmTimeout   Reason = "nobody confirmed within confirm_timeout"
	ReasonUnanswered       Reason = "nobody has published or dismissed it"
	ReasonBreaker          Reason = "too many issues were published by themselves; a person decides"
	ReasonInterval         Reason = "outside the rule's time intervals"
	ReasonMaintenance      Reason = "its components are under maintenance"
	ReasonUnexpected       Reason = "an alert that the maintenance does not expect has joined"
	ReasonInhibited        Reason = "another open issue explains it"
	ReasonManualIssue      Reason = "a person has opened an issue for its components"
	ReasonUnrecovered      Reason = "the source closed the alert without a recovery"
	ReasonBlind            Reason = "the source is stale or has not answered yet; nothing resolves meanwhile"
	ReasonDisagree         Reason = "peers disagree: one says resolved, another firing"
	ReasonReconciled       Reason = "absent from its source twice"
	ReasonSilenced         Reason = "silenced at its source"
	ReasonMerged           Reason = "merged into another alert at its source"
)

// ErrConflict: what was edited changed since it was read.
var ErrConflict = errors.New("it was changed by somebody else meanwhile")

// ErrNotFound: there is no such thing.
var ErrNotFound = errors.New("not found")

// Invalid is an input a person can mend.
type Invalid struct {
	Field   string
	Message string
}

func (e Invalid) Error() string { return fmt.Sprintf("%s: %s", e.Field, e.Message) }

// Merge puts saved changes onto the board. Only the owner of the board, which
// is the store under its lock, may call it.
func (b *Board) Merge(c Changes) {
	if c.Minted > b.Minted {
		b.Minted = c.Minted
	}
	maps.Copy(b.Components, c.Components)
	maps.Copy(b.Groups, c.Groups)
	maps.Copy(b.Issues, c.Issues)
	maps.Copy(b.Maintenances, c.Maintenances)
	maps.Copy(b.Series, c.Series)
	maps.Copy(b.Corrections, c.Corrections)
	maps.Copy(b.Tracks, c.Tracks)
	maps.Copy(b.Sources, c.Sources)
	for _, s := range c.Signals {
		b.Put(s)
	}
	for k, due := range c.Timers {
		if due.IsZero() {
			delete(b.Timers, k)
		} else {
			b.Timers[k] = due
		}
	}
}

// Put adds or replaces a signal and its place in the tracks.
func (b *Board) Put(s Signal) {
	for _, t := range b.Signals[s.Key].Tracks {
		delete(b.members[t], s.Key)
	}
	b.Signals[s.Key] = s
	for _, t := range s.Tracks {
		if b.members[t] == nil {
			b.members[t] = map[SignalKey]struct{}{}
		}
		b.members[t][s.Key] = struct{}{}
	}
}

// Due is the earliest moment at which Tick has something to do, zero if none.
func (b Board) Due() time.Time {
	var due time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (due.IsZero() || t.Before(due)) {
			due = t
		}
	}
	for _, t := range b.Timers {
		sooner(t)
	}
	for _, m := range b.Maintenances {
		sooner(m.next())
	}
	for _, s := range b.Series {
		sooner(s.PlanAt)
	}
	return due
}

// next is when the clock moves the maintenance on, zero if it does not.
func (m Maintenance) next() time.Time {
	switch {
	case m.State == Scheduled && m.AutoStart:
		return m.ScheduledFor
	case m.Running() && m.AutoEnd:
		return m.ScheduledUntil
	}
	return time.Time{}
}
