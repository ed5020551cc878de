package status

import "slices"

// Did is what one statement about an alert changed. Like reasons, these are
// values: the admin, `explain` and the tests all use the same.
type Did string

// What a statement may do.
const (
	DidBegin      Did = "began to fire"
	DidRestart    Did = "a newer episode began"
	DidContradict Did = "fires although another peer says that it ended"
	DidStop       Did = "ended"
	DidExpire     Did = "closed without a recovery"
	DidMerge      Did = "merged into another alert"
	DidDetails    Did = "details changed"
	DidNothing    Did = "nothing new"
	DidStale      Did = "older than what was known"
	DidLate       Did = "ended before it was seen firing"
	DidBeat       Did = "the heartbeat of its source"
	DidTest       Did = "a test of the connection"
	DidMore       Did = "not kept one by one"
)

// Outcome is what alerts that follow one another in a delivery did. Which alerts
// they are is their place among the facts of the delivery, which reads the same
// whenever its body is read again.
type Outcome struct {
	Alerts int        `json:"alerts"` // how many
	Did    Did        `json:"did"`
	Tracks []TrackKey `json:"tracks"` // rules that took them; none: no rule wants them
}

// maxOutcomes bounds the outcomes of one delivery: ten thousand alerts of as
// many groups must not become a document of their own.
const maxOutcomes = 200

// addOutcome counts one more alert, together with those before it if they did
// the same.
func addOutcome(list []Outcome, did Did, tracks []TrackKey) []Outcome {
	if len(list) == maxOutcomes {
		last := &list[len(list)-1]
		last.Did, last.Tracks, last.Alerts = DidMore, nil, last.Alerts+1
		return list
	}
	if n := len(list); n > 0 && list[n-1].Did == did && slices.Equal(list[n-1].Tracks, tracks) {
		list[n-1].Alerts++
		return list
	}
	return append(list, Outcome{1, did, tracks})
}

// did notes what became of a fact.
func (d *desk) did(f Fact, what Did, tracks []TrackKey) {
	if f.Delivery == "" {
		return
	}
	if d.c.Outcomes == nil {
		d.c.Outcomes = map[string][]Outcome{}
	}
	d.c.Outcomes[f.Delivery] = addOutcome(d.c.Outcomes[f.Delivery], what, tracks)
}

// didOf names a shift.
func didOf(what shift, known bool, f Fact, old Signal) Did {
	switch what {
	case started:
		return DidBegin
	case restarted:
		return DidRestart
	case contradicted:
		return DidContradict
	case stopped:
		return DidStop
	case expired:
		return DidExpire
	case noted:
		if !known {
			return DidLate
		}
	}
	// Peers differ by milliseconds on when an alert began; only an end, or a stamp
	// of the source's own, tells what is old.
	if (!f.Firing || !f.OrderedAt.IsZero()) && f.stamp().Before(old.OrderedAt) {
		return DidStale
	}
	if what == noted {
		return DidDetails
	}
	return DidNothing
}
