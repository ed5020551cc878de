package status

import (
	"slices"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// Recurrence says when a maintenance repeats.
type Recurrence struct {
	Rule     string // value of an RRULE, RFC 5545 3.3.10: FREQ=WEEKLY;BYDAY=TU
	TimeZone string // IANA name of the zone whose local time is kept; "" is UTC
}

// Zone is the time zone whose local time is kept. The entity holds its name, not the
// zone: a name is what is stored, compared and sent, and it follows the rules of the
// zone as they change. To look it up is to read a table that the binary carries.
func (r Recurrence) Zone() (*time.Location, error) {
	zone, err := time.LoadLocation(r.TimeZone)
	if err != nil || r.TimeZone == "Local" {
		return nil, Invalid{"time_zone", r.TimeZone + " is no time zone; name one such as Europe/Berlin"}
	}
	return zone, nil
}

// parse reads the rule for occurrences from an instant on. Windows repeat daily
// at most, and all of them at the same local time.
func (r Recurrence) parse(begins time.Time) (*rrule.RRule, error) {
	zone, err := r.Zone()
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(r.Rule, "\r\n") {
		return nil, Invalid{"recurrence", "is one line, such as FREQ=WEEKLY;BYDAY=TU"}
	}
	o, err := rrule.StrToROption(r.Rule)
	switch {
	case err != nil:
		return nil, Invalid{"recurrence", "is no rule of RFC 5545 such as FREQ=WEEKLY;BYDAY=TU: " + err.Error()}
	case o.Freq > rrule.DAILY:
		return nil, Invalid{"recurrence", "repeats more than once a day; FREQ is DAILY, WEEKLY, MONTHLY or YEARLY"}
	case len(o.Byhour)+len(o.Byminute)+len(o.Bysecond)+len(o.Byeaster) > 0 || !o.Dtstart.IsZero():
		return nil, Invalid{"recurrence", "says at which hour; that is when the maintenance begins"}
	case !o.Until.IsZero() && !strings.HasSuffix(r.until(), "Z"):
		return nil, Invalid{"recurrence", "UNTIL is written in UTC, such as UNTIL=20271231T235959Z"}
	}
	o.Dtstart = begins.In(zone)
	rule, err := rrule.NewRRule(*o)
	if err != nil {
		return nil, Invalid{"recurrence", err.Error()}
	}
	return rule, nil
}

func (r Recurrence) until() string {
	for part := range strings.SplitSeq(r.Rule, ";") {
		if value, ok := strings.CutPrefix(strings.ToUpper(part), "UNTIL="); ok {
			return value
		}
	}
	return ""
}

// Check refuses a recurrence that cannot begin when the first occurrence does.
func (r Recurrence) Check(begins time.Time) error {
	rule, err := r.parse(begins)
	if err != nil {
		return err
	}
	first, ok := rule.Iterator()()
	switch {
	case !ok:
		return Invalid{"recurrence", "never comes true"}
	case !first.Equal(begins.Truncate(time.Second)):
		return Invalid{"recurrence", "does not give the day on which it begins; the first that it gives is " + first.Format("Monday, 2 January 2006")}
	}
	return nil
}

// Pattern is a recurrence of which a short sentence says all: every day, every week on
// some days, or every month on the nth of a weekday.
type Pattern struct {
	Unit string         // "day", "week" or "month"
	Days []time.Weekday // of the week, Monday first; one of a month
	Nth  int            // of the month: 1 to 4, or -1 for the last
}

// Pattern finds the pattern of a recurrence that begins at an instant. ok is false for
// one that is richer than a pattern can say. When it ends is no part of it.
func (r Recurrence) Pattern(begins time.Time) (p Pattern, ok bool) {
	rule, err := r.parse(begins)
	if err != nil {
		return p, false
	}
	o := rule.OrigOptions
	if o.Interval > 1 || len(o.Bysetpos)+len(o.Bymonth)+len(o.Bymonthday)+len(o.Byyearday)+len(o.Byweekno) > 0 {
		return p, false
	}
	nth := 0
	for _, day := range o.Byweekday {
		nth = day.N()
		p.Days = append(p.Days, time.Weekday((day.Day()+1)%7))
	}
	slices.SortFunc(p.Days, func(a, b time.Weekday) int { return int(a+6)%7 - int(b+6)%7 })
	switch {
	case o.Freq == rrule.DAILY && len(p.Days) == 0:
		return Pattern{Unit: "day"}, true
	case o.Freq == rrule.WEEKLY && nth == 0:
		if len(p.Days) == 0 {
			p.Days = []time.Weekday{o.Dtstart.Weekday()}
		}
		p.Unit = "week"
		return p, true
	case o.Freq == rrule.MONTHLY && len(p.Days) == 1 && nth >= -1 && nth <= 4 && nth != 0:
		p.Unit, p.Nth = "month", nth
		return p, true
	}
	return p, false
}
