package pages

import (
	"html/template"
	"strconv"
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

// html is the moment as an element.
func (m moment) html() template.HTML {
	return template.HTML(`<time datetime="` + m.ISO + `" title="` + template.HTMLEscapeString(m.UTC) + // #nosec G203: escaped
		`" data-form="` + m.Form + `">` + template.HTMLEscapeString(m.Text) + `</time>`)
}

// moment shows the date as well; the year only when it is not the present one.
func (e *edition) moment(t time.Time) moment {
	day := e.lang.day(t.UTC())
	if t.UTC().Year() == e.now.UTC().Year() {
		day = e.lang.dayMonth(t.UTC())
	}
	return e.lang.momentOf(t, e.lang.say("date.moment", "day", day, "time", timeOfDay(t)), "d")
}

// until is the end of a stretch that began at from: on the same day the time is
// enough.
func (e *edition) until(from, t time.Time) moment {
	if from.UTC().YearDay() == t.UTC().YearDay() && from.UTC().Year() == t.UTC().Year() {
		return e.lang.momentOf(t, timeOfDay(t), "t")
	}
	return e.moment(t)
}

func (l *language) momentOf(t time.Time, text, form string) moment {
	t = t.UTC()
	return moment{
		ISO: t.Format("2006-01-02T15:04:05Z"), Text: text, Form: form,
		UTC: l.say("date.whole", "weekday", l.say("weekday."+strconv.Itoa(int(t.Weekday()))), "day", l.day(t), "time", t.Format("15:04:05 MST")),
	}
}

func timeOfDay(t time.Time) string { return t.UTC().Format("15:04 MST") }

// The parts of a date, as the language's patterns name them.
func (l *language) date(key string, t time.Time) string {
	month := strconv.Itoa(int(t.Month()))
	return l.say(key, "d", t.Day(), "mon", l.say("mon."+month), "month", l.say("month."+month), "m", int(t.Month()), "y", t.Year())
}

// day is such as 22 Nov 2026, dayMonth 22 Nov, longDay 22 November 2026, month
// November 2026; each of the time in its own zone.
func (l *language) day(t time.Time) string      { return l.date("date.day", t) }
func (l *language) dayMonth(t time.Time) string { return l.date("date.day_month", t) }
func (l *language) longDay(t time.Time) string  { return l.date("date.long", t) }
func (l *language) month(t time.Time) string    { return l.date("date.month", t) }

// days names the days from first to last.
func (l *language) days(first, last time.Time) string {
	switch {
	case first.Equal(last):
		return l.day(last)
	case first.Year() != last.Year():
		return l.say("date.range", "from", l.day(first), "to", l.day(last))
	case first.Month() != last.Month():
		return l.say("date.range", "from", l.dayMonth(first), "to", l.day(last))
	}
	month := strconv.Itoa(int(last.Month()))
	return l.say("date.range_month", "from", first.Day(), "d", last.Day(), "mon", l.say("mon."+month), "m", int(last.Month()), "y", last.Year())
}

// span words a duration: "2 d 3 h", "1 h 5 min", "4 min", "under a minute".
func (l *language) span(d time.Duration) string {
	minutes := int(d / time.Minute)
	days, hours, minutes := minutes/(24*60), minutes/60%24, minutes%60
	var parts []string
	if days > 0 {
		parts = append(parts, l.say("span.days", "n", days))
	}
	if hours > 0 {
		parts = append(parts, l.say("span.hours", "n", hours))
	}
	if minutes > 0 && days == 0 {
		parts = append(parts, l.say("span.minutes", "n", minutes))
	}
	if len(parts) == 0 {
		return l.say("span.short")
	}
	return strings.Join(parts, l.say("span.join"))
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
