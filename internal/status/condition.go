package status

import (
	"slices"
	"time"
)

// Condition is a compiled `when`: terms over alerts, open_for and severity,
// joined by `and` and `or`, of which `and` binds tighter. The zero condition
// always holds.
type Condition struct {
	Text string   // as it was written
	Any  [][]Term // any of these, each all of its terms
}

// Situation is what a condition speaks of.
type Situation struct {
	Alerts   int           // firing
	OpenFor  time.Duration // since the issue opened
	Severity string        // the worst level that fires
}

// Term compares one field of the situation.
type Term struct {
	Field    string // alerts, open_for, severity
	Op       string // >= > <= < == !=
	Number   int
	Duration time.Duration
	Level    string
}

// String is the condition as it was written.
func (c Condition) String() string { return c.Text }

// Holds reports whether the condition is true of the situation.
func (c Condition) Holds(s Situation) bool {
	if len(c.Any) == 0 {
		return true
	}
	return slices.ContainsFunc(c.Any, func(all []Term) bool {
		return !slices.ContainsFunc(all, func(t Term) bool { return !t.holds(s) })
	})
}

func (t Term) holds(s Situation) bool {
	switch t.Field {
	case "alerts":
		return compare(s.Alerts, t.Op, t.Number)
	case "open_for":
		return compare(s.OpenFor, t.Op, t.Duration)
	}
	return compare(rank(Levels, s.Severity), t.Op, rank(Levels, t.Level))
}

func compare[T int | time.Duration](a T, op string, b T) bool {
	switch op {
	case ">=":
		return a >= b
	case ">":
		return a > b
	case "<=":
		return a <= b
	case "<":
		return a < b
	case "!=":
		return a != b
	}
	return a == b
}

// next is the shortest time after openFor at which a term on open_for may
// change, zero if none will.
func (c Condition) next(openFor time.Duration) time.Duration {
	var next time.Duration
	for _, all := range c.Any {
		for _, t := range all {
			if t.Field != "open_for" {
				continue
			}
			at := t.Duration
			if at <= openFor {
				at += time.Millisecond // > and <= flip just after
			}
			if at > openFor && (next == 0 || at < next) {
				next = at
			}
		}
	}
	return next
}
