package pages

import (
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// How many of the next times of what repeats are told, and how many are counted:
// beyond that it is as good as endless.
const (
	againShown   = 3
	againCounted = 60
)

// repeats says that a maintenance is one of several.
type repeats struct {
	Words string // "every first Sunday of the month, 02:00 (Europe/Berlin)"; "": no short sentence says it
	Next  []occasion
	More  string // what follows them, in words; "": nothing, or Words tell it
}

// occasion is a time at which a maintenance takes place again.
type occasion struct {
	At   moment
	Path string // of its page, "" as long as it has none
}

// seriesKey is what the times to come of a series depend on.
type seriesKey struct {
	id      string
	version int64
}

// again lists the next times at which a maintenance takes place again, and says
// what follows them.
func (e *edition) again(m status.Maintenance) (next []time.Time, more string) {
	next = status.Again(m, e.view.Maintenances, e.coming.get(e.seriesKey(m), func() []time.Time {
		s, _ := e.repeating(m)
		return s.Coming(againCounted)
	}), againCounted, e.now)
	switch follow := len(next) - againShown; {
	case follow <= 0:
		return next, ""
	case len(next) < againCounted:
		more = e.lang.say("front.more", "n", follow)
	case e.rhythm(m) == "":
		more = "…"
	}
	return next[:againShown], more
}

func (e *edition) seriesKey(m status.Maintenance) seriesKey {
	s, _ := e.repeating(m)
	return seriesKey{m.SeriesID, s.Version}
}

// repeating finds the series of a maintenance, if more of it is to come.
func (e *edition) repeating(m status.Maintenance) (s status.MaintenanceSeries, goes bool) {
	for _, s := range e.view.Repeating {
		if s.ID == m.SeriesID {
			return s, true
		}
	}
	return s, false
}

// repeats is nil for a maintenance that does not take place again.
func (e *edition) repeats(m status.Maintenance) *repeats {
	again, more := e.again(m)
	if len(again) == 0 {
		return nil
	}
	r := &repeats{Words: e.rhythm(m), More: more}
	for _, t := range again {
		next := occasion{At: e.moment(t)}
		for _, o := range e.view.Maintenances {
			if o.SeriesID == m.SeriesID && o.State == status.Scheduled && o.ScheduledFor.Equal(t) {
				next.Path = e.path("/maintenance/" + o.ID)
			}
		}
		r.Next = append(r.Next, next)
	}
	return r
}

// folded leaves out of plans, the soonest first, what only repeats one before: the
// same work of the same series, as long as it lies ahead. What somebody changed
// stands for itself.
func folded(plans iter.Seq2[int, status.Maintenance]) []status.Maintenance {
	var out []status.Maintenance
	for _, m := range plans {
		if m.State != status.Scheduled {
			out = append(out, m)
			continue
		}
		told := slices.ContainsFunc(out, func(o status.Maintenance) bool {
			return m.SeriesID != "" && o.SeriesID == m.SeriesID && o.State == status.Scheduled && o.Title == m.Title && o.Body == m.Body && slices.Equal(o.Components, m.Components)
		})
		if !told {
			out = append(out, m)
		}
	}
	return out
}

// rhythm says how a maintenance repeats as long as it goes on, "" when no short
// sentence does. It names the time zone that is kept: elsewhere it may be another day.
func (e *edition) rhythm(m status.Maintenance) string {
	s, goes := e.repeating(m)
	p, plain := s.Recurrence.Pattern(s.Begins)
	if !goes || !plain {
		return ""
	}
	zone, err := s.Recurrence.Zone()
	if err != nil {
		return ""
	}
	var days []string
	for _, day := range p.Days {
		days = append(days, e.lang.say("day."+strconv.Itoa(int(day))))
	}
	which := e.lang.say("repeats."+p.Unit, "days", e.lang.list(days), "nth", e.lang.say("nth."+strconv.Itoa(p.Nth)))
	return e.lang.say("repeats.at", "which", which, "time", s.Begins.In(zone).Format("15:04"), "zone", zone.String())
}

// repeatsText says in plain text how a maintenance repeats and when it takes place
// again, "" when it does not.
func (e *edition) repeatsText(m status.Maintenance) string {
	var dates, lines []string
	again, more := e.again(m)
	for _, t := range again {
		dates = append(dates, e.feedTime(t))
	}
	if len(dates) == 0 {
		return ""
	}
	if more != "" {
		dates = append(dates, more)
	}
	if how := e.rhythm(m); how != "" {
		lines = append(lines, e.lang.pair(e.lang.say("repeats"), how))
	}
	lines = append(lines, e.lang.pair(e.lang.say("repeats.next"), strings.Join(dates, e.lang.say("semicolon"))))
	return strings.Join(lines, "\n")
}
