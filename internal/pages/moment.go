package pages

import (
	"fmt"
	"strings"
	"time"
)

// A moment is an instant as the page shows it: in UTC, for the script to put
// into the visitor's own zone and words.
type moment struct {
	ISO  string // for machines
	UTC  string // whole, for the title
	Text string
	Form string // "d" with the date, "t" the time of day only
}

// momentAt shows the date as well; the year only when it is not the present one.
func momentAt(t, now time.Time) moment {
	layout := "2 Jan 2006, 15:04 MST"
	if t.UTC().Year() == now.UTC().Year() {
		layout = "2 Jan, 15:04 MST"
	}
	return momentIn(t, layout, "d")
}

// momentUntil is the end of a stretch that began at from: on the same day the
// time is enough.
func momentUntil(from, t, now time.Time) moment {
	if from.UTC().YearDay() == t.UTC().YearDay() && from.UTC().Year() == t.UTC().Year() {
		return momentIn(t, "15:04 MST", "t")
	}
	return momentAt(t, now)
}

func momentIn(t time.Time, layout, form string) moment {
	t = t.UTC()
	return moment{
		ISO: t.Format("2006-01-02T15:04:05Z"), UTC: t.Format("Mon 2 Jan 2006, 15:04:05 MST"),
		Text: t.Format(layout), Form: form,
	}
}

// span words a duration: "2 d 3 h", "1 h 5 min", "4 min", "under a minute".
func span(d time.Duration) string {
	minutes := int(d / time.Minute)
	days, hours, minutes := minutes/(24*60), minutes/60%24, minutes%60
	var parts []string
	if days > 0 {
		parts = append(parts, fmt.Sprintf("%d d", days))
	}
	if hours > 0 {
		parts = append(parts, fmt.Sprintf("%d h", hours))
	}
	if minutes > 0 && days == 0 {
		parts = append(parts, fmt.Sprintf("%d min", minutes))
	}
	if len(parts) == 0 {
		return "under a minute"
	}
	return strings.Join(parts, " ")
}

// lastDays are the starts of the last n days up to the day of now, oldest
// first, and the start of the day after. Days that change the clocks are 23 or
// 25 hours long, as they are.
func lastDays(now time.Time, zone *time.Location, n int) []time.Time {
	y, m, d := now.In(zone).Date()
	days := make([]time.Time, n+1)
	for i := range days {
		days[i] = time.Date(y, m, d-n+1+i, 0, 0, 0, 0, zone)
	}
	return days
}

// latest is the last of the times.
func latest(times ...time.Time) time.Time {
	var last time.Time
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}
