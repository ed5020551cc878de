package status

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Turn is how an alert changed.
type Turn string

// The turns of an alert.
const (
	TurnFired   Turn = "fired"
	TurnFlapped Turn = "flapped" // fires again after it had cleared
	TurnCleared Turn = "cleared"
	TurnExpired Turn = "closed without a recovery"
	TurnMerged  Turn = "merged into another alert"
)

// turns are the outcomes that a timeline tells; all others changed nothing that
// people would see.
var turns = map[Did]Turn{
	DidBegin: TurnFired, DidRestart: TurnFired, DidContradict: TurnFired,
	DidStop: TurnCleared, DidLate: TurnCleared, DidExpire: TurnExpired, DidMerge: TurnMerged,
}

// Turning lists the outcomes that are a turn of an alert, in alphabetical order.
func Turning() []Did {
	var list []Did
	for did := range turns {
		list = append(list, did)
	}
	slices.Sort(list)
	return list
}

// Statement is what one delivery said of one alert, and what that did.
type Statement struct {
	Fact
	Did Did
}

// Transition is one turn of one alert.
type Transition struct {
	At       time.Time // by the clock of its source
	SeenAt   time.Time // when we learned of it
	Key      SignalKey
	Labels   map[string]string
	URL      string // where to look in its source, "" if that is not known
	Turn     Turn
	Fires    int    // how often it has fired by then
	Cause    string // why we believe it
	Delivery string // the webhook that told; "" when the source was asked
}

// Timeline tells how alerts came and went, in the order we learned of it: from
// what deliveries said, and from the audit log, which knows the ends that no
// delivery told. The signals give the labels of those.
func Timeline(said []Statement, log []Entry, signals []Signal) []Transition {
	var list []Transition
	for _, s := range said {
		if turn, ok := turns[s.Did]; ok {
			list = append(list, s.transition(turn))
		}
	}
	for _, e := range log {
		if t, ok := e.transition(signals); ok {
			list = append(list, t)
		}
	}
	slices.SortStableFunc(list, func(a, b Transition) int {
		return cmp.Or(a.SeenAt.Compare(b.SeenAt), a.At.Compare(b.At))
	})
	fires, over := map[SignalKey]int{}, map[SignalKey]bool{}
	for n := range list {
		t := &list[n]
		if t.Turn == TurnFired {
			fires[t.Key]++
			if over[t.Key] {
				t.Turn = TurnFlapped
			}
		}
		over[t.Key] = t.Turn == TurnCleared
		t.Fires = fires[t.Key]
	}
	return list
}

func (s Statement) transition(turn Turn) Transition {
	t := Transition{
		At: s.StartsAt, SeenAt: s.ReceivedAt, Key: s.Key(), Labels: s.Labels, URL: s.URL, Turn: turn,
		Cause: "a webhook of " + s.Source + ": " + string(s.Did), Delivery: s.Delivery,
	}
	if turn != TurnFired {
		t.At = s.EndsAt
	}
	if t.At.IsZero() {
		t.At = s.ReceivedAt
	}
	switch {
	case s.ClosedBy != "":
		t.Cause += ", by " + s.ClosedBy
	case s.Did == DidMerge && s.MergedInto != "":
		t.Cause += " " + s.MergedInto
	}
	return t
}

// clearedAlert names an alert in the audit log.
func (k SignalKey) clearedAlert() string { return k.Source + " " + k.Fingerprint }

// transition reads the end of an alert out of a line of the audit log.
func (e Entry) transition(signals []Signal) (Transition, bool) {
	if e.Action != actionCleared {
		return Transition{}, false
	}
	t := Transition{At: e.At, SeenAt: e.At, Turn: TurnCleared, Cause: string(e.Reason)}
	t.Key.Source, t.Key.Fingerprint, _ = strings.Cut(e.Detail, " ")
	for _, s := range signals {
		if s.Key.clearedAlert() == e.Detail {
			t.Key, t.Labels, t.URL = s.Key, s.Labels, s.URL
		}
	}
	return t, true
}

// actionCleared is the line of the audit log about an alert that ended without a
// delivery that says so.
const actionCleared = "cleared"
