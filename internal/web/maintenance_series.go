package web

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// weekdays are written as in a rule, Monday first.
var weekdays = []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}

var weekdayWords = map[string]string{
	"MO": "Monday", "TU": "Tuesday", "WE": "Wednesday", "TH": "Thursday", "FR": "Friday", "SA": "Saturday", "SU": "Sunday",
}

var nthWords = map[string]string{"1": "first", "2": "second", "3": "third", "4": "fourth", "-1": "last"}

// The ways to repeat that the form knows. Whatever else RFC 5545 can say is
// written as a rule.
const (
	repeatsDaily   = "daily"
	repeatsWeekly  = "weekly"
	repeatsMonthly = "monthly"
	repeatsLast    = "last"
	repeatsByRule  = "rule"
)

func repeatOptions(chosen string) []option {
	list := []option{
		{Value: "", Label: "Does not repeat"},
		{Value: repeatsDaily, Label: "Every day"},
		{Value: repeatsWeekly, Label: "Every week, on the days ticked below"},
		{Value: repeatsMonthly, Label: "Every month, on the same weekday of it, such as the second Tuesday"},
		{Value: repeatsLast, Label: "Every month, on that weekday's last"},
		{Value: repeatsByRule, Label: "By a rule of my own"},
	}
	for n := range list {
		list[n].Chosen = list[n].Value == chosen
	}
	return list
}

func dayOptions(chosen string) []option {
	var list []option
	for _, day := range weekdays {
		list = append(list, option{day, weekdayWords[day], slices.Contains(strings.Fields(chosen), day)})
	}
	return list
}

// readRepeat reads the fields of a form that say how a maintenance repeats.
func readRepeat(f url.Values, sh sheet) {
	sh["zone"], sh["repeat"] = strings.TrimSpace(f.Get("zone")), f.Get("repeat")
	if sh["zone"] == "" {
		sh["zone"] = time.UTC.String()
	}
	days := slices.DeleteFunc(slices.Clone(weekdays), func(day string) bool { return !slices.Contains(f["days"], day) })
	sh["days"] = strings.Join(days, " ")
	for _, name := range []string{"rule", "last_day", "times"} {
		sh[name] = strings.TrimSpace(f.Get(name))
	}
}

// zone is the time zone that the times of a sheet are in.
func (sh sheet) zone() (*time.Location, error) {
	return status.Recurrence{TimeZone: sh["zone"]}.Zone()
}

// recurrence writes the rule that the fields say, for a maintenance that begins
// at an instant; nil when it does not repeat.
func (sh sheet) recurrence(begins time.Time) (*status.Recurrence, error) {
	zone, err := sh.zone()
	if err != nil {
		return nil, err
	}
	local := begins.In(zone)
	day := weekdays[(int(local.Weekday())+6)%7]
	rule := ""
	switch sh["repeat"] {
	case "":
		return nil, nil
	case repeatsDaily:
		rule = "FREQ=DAILY"
	case repeatsWeekly:
		days := strings.Fields(sh["days"])
		if len(days) == 0 {
			days = []string{day}
		}
		rule = "FREQ=WEEKLY;BYDAY=" + strings.Join(days, ",")
	case repeatsMonthly:
		if local.Day() > 28 {
			return nil, status.Invalid{Field: "recurrence", Message: "has no fifth " + weekdayWords[day] + " in every month; take the last one instead"}
		}
		rule = "FREQ=MONTHLY;BYDAY=" + strconv.Itoa((local.Day()+6)/7) + day
	case repeatsLast:
		rule = "FREQ=MONTHLY;BYDAY=-1" + day
	case repeatsByRule:
		if sh["rule"] == "" {
			return nil, status.Invalid{Field: "recurrence", Message: "write the rule, such as FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"}
		}
		rule = strings.TrimPrefix(sh["rule"], "RRULE:")
	default:
		return nil, status.Invalid{Field: "recurrence", Message: "is none of the choices"}
	}
	end, err := sh.end(zone)
	return &status.Recurrence{Rule: rule + end, TimeZone: sh["zone"]}, err
}

// end is the part of a rule that ends it.
func (sh sheet) end(zone *time.Location) (string, error) {
	switch last, times := sh["last_day"], sh["times"]; {
	case last != "" && times != "":
		return "", status.Invalid{Field: "times", Message: "end it on a day or after a number of times, not both"}
	case last != "":
		day, err := time.ParseInLocation(time.DateOnly, last, zone)
		if err != nil {
			return "", status.Invalid{Field: "last_day", Message: "is not a day such as 2026-12-31"}
		}
		return ";UNTIL=" + day.AddDate(0, 0, 1).Add(-time.Second).UTC().Format(untilLayout), nil
	case times != "":
		n, err := strconv.Atoi(times)
		if err != nil || n < 1 || n > 10_000 {
			return "", status.Invalid{Field: "times", Message: "is a number from 1 to 10,000"}
		}
		return ";COUNT=" + times, nil
	}
	return "", nil
}

const untilLayout = "20060102T150405Z"

// showRepeat fills the fields from a recurrence.
func showRepeat(sh sheet, r status.Recurrence, begins time.Time) {
	sh["zone"], sh["repeat"], sh["days"], sh["rule"], sh["last_day"], sh["times"] = time.UTC.String(), "", "", "", "", ""
	if r.TimeZone != "" {
		sh["zone"] = r.TimeZone
	}
	zone, err := r.Zone()
	if r.Rule == "" || err != nil {
		return
	}
	var core []string
	for part := range strings.SplitSeq(r.Rule, ";") {
		name, value, _ := strings.Cut(part, "=")
		switch until, err := time.Parse(untilLayout, value); {
		case name == "COUNT":
			sh["times"] = value
		case name == "UNTIL" && err == nil:
			sh["last_day"] = until.In(zone).Format(time.DateOnly)
		default:
			core = append(core, part)
		}
	}
	rule := strings.Join(core, ";")
	days, weekly := strings.CutPrefix(rule, "FREQ=WEEKLY;BYDAY=")
	for _, repeat := range []string{repeatsDaily, repeatsMonthly, repeatsLast} {
		same, err := sheet{"zone": sh["zone"], "repeat": repeat}.recurrence(begins)
		if err == nil && same.Rule == rule {
			sh["repeat"] = repeat
			return
		}
	}
	// The order of the parts is free, so others may follow the days. A rule that says
	// more than days is shown as it is: written back as days it would lose the rest.
	list := strings.Split(days, ",")
	if weekly && !slices.ContainsFunc(list, func(day string) bool { return weekdayWords[day] == "" }) {
		sh["repeat"], sh["days"] = repeatsWeekly, strings.Join(list, " ")
		return
	}
	sh["repeat"], sh["rule"] = repeatsByRule, rule
}

// repeatWords say how a series repeats: "Every week on Tuesday, until 2026-12-31".
func repeatWords(r status.Recurrence, begins time.Time) string {
	sh := sheet{}
	showRepeat(sh, r, begins)
	words := ""
	switch sh["repeat"] {
	case repeatsDaily:
		words = "Every day"
	case repeatsWeekly:
		var days []string
		for _, day := range strings.Fields(sh["days"]) {
			days = append(days, weekdayWords[day])
		}
		words = "Every week on " + inWords(days)
	case repeatsMonthly, repeatsLast:
		day := r.Rule[strings.Index(r.Rule, "BYDAY=")+len("BYDAY="):]
		day, _, _ = strings.Cut(day, ";")
		words = "Every month on the " + nthWords[day[:len(day)-2]] + " " + weekdayWords[day[len(day)-2:]]
	default:
		words = "By the rule " + sh["rule"]
	}
	if sh["last_day"] != "" {
		words += ", until " + sh["last_day"]
	}
	if sh["times"] != "" {
		words += ", " + sh["times"] + " times"
	}
	zone, err := r.Zone()
	if err != nil {
		return words
	}
	return words + ", at " + begins.In(zone).Format("15:04") + " " + zone.String()
}

// seriesView is the series of a maintenance on its page.
type seriesView struct {
	Words   string
	Goes    bool // it can be changed with all later ones
	Before  *maintenanceCard
	Next    []maintenanceCard
	Unplans bool // more follow that are no pages yet
}

// seriesOf finds the series of the maintenances, by id.
func (s *Server) seriesOf(ctx context.Context, plans ...status.Maintenance) (map[string]status.MaintenanceSeries, error) {
	var ids []string
	for _, m := range plans {
		if m.SeriesID != "" && !slices.Contains(ids, m.SeriesID) {
			ids = append(ids, m.SeriesID)
		}
	}
	if len(ids) == 0 {
		return map[string]status.MaintenanceSeries{}, nil
	}
	return s.store.SeriesByID(ctx, ids)
}

func seriesViewOf(m status.Maintenance, series status.MaintenanceSeries, plans []status.Maintenance, d directory) *seriesView {
	v := &seriesView{
		Words: repeatWords(series.Rest(m.Occurrence), series.Begins),
		Goes:  series.Holds(m), Unplans: series.Goes(),
	}
	if !series.EndedAt.IsZero() {
		v.Words = "A series that was called off"
	}
	plans = slices.Clone(plans)
	slices.SortFunc(plans, func(a, b status.Maintenance) int { return a.ScheduledFor.Compare(b.ScheduledFor) })
	for _, o := range plans {
		if o.SeriesID != m.SeriesID || o.ID == m.ID {
			continue
		}
		card := maintenanceCardOf(o, d)
		if o.ScheduledFor.Before(m.ScheduledFor) {
			v.Before = &card
		} else if len(v.Next) < status.MostAhead {
			v.Next = append(v.Next, card)
		}
	}
	return v
}

// repeatFields are the fields of a sheet that say how it repeats.
var repeatFields = []string{"zone", "repeat", "days", "rule", "last_day", "times"}

// repeatsAlike reports whether two sheets give the same occurrences.
func repeatsAlike(a, b sheet) bool {
	return !slices.ContainsFunc(append([]string{"from"}, repeatFields...), func(name string) bool { return a[name] != b[name] })
}

// foldSeries shows of each series the next occurrence, with the later ones
// behind it.
func foldSeries(cards []maintenanceCard) []maintenanceCard {
	var folded []maintenanceCard
	first := map[string]int{}
	for _, card := range cards {
		n, seen := first[card.Series]
		switch {
		case card.Series != "" && seen:
			folded[n].Later = append(folded[n].Later, card)
			continue
		case card.Series != "":
			first[card.Series] = len(folded)
		}
		folded = append(folded, card)
	}
	return folded
}

// toCome lists the occurrences of a day that are no maintenance yet. They lead
// to the last that is one.
func toCome(series []status.MaintenanceSeries, plans []status.Maintenance, day time.Time) []dayPlan {
	var list []dayPlan
	for _, one := range series {
		for at := range one.Occurrences() {
			if !at.Before(day.AddDate(0, 0, 1)) {
				break
			}
			if at.Before(day) || !at.After(one.Planned) {
				continue
			}
			plan := dayPlan{ToCome: true, maintenanceCard: maintenanceCard{Title: one.Title, Look: look{"none", "To come"}, From: at}}
			for _, m := range plans {
				if m.SeriesID == one.ID && m.Occurrence.Equal(one.Planned) {
					plan.ID = m.ID
				}
			}
			list = append(list, plan)
		}
	}
	return list
}
