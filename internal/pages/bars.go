package pages

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// A section is a group of components, or those that stand alone.
type section struct {
	ID          string // "" for those that stand alone
	Name        string
	Description string
	Look        look
	Rows        []row
}

// A row is one component.
type row struct {
	Name        string
	Description string
	Look        look
	Uptime      string // "99.98%", "" without data
	Bars        []bar  // one a day, oldest first
	Summary     string // of the bars, in words
}

// A bar is one day of one component.
type bar struct {
	Class string
	Title string
}

// sections lists the components as the page shows them, each with its days.
func (e *edition) sections(zone *time.Location, weights status.Weights) []section {
	days := lastDays(e.now, zone, barDays)
	outages := e.view.OutagesByComponent(e.now)
	groups := map[string]status.Group{}
	for _, g := range e.view.Groups {
		groups[g.ID] = g
	}
	var out []section
	at := map[string]int{}
	for _, c := range e.view.Components {
		g := groups[c.GroupID]
		n, known := at[g.ID]
		if !known {
			n = len(out)
			at[g.ID] = n
			out = append(out, section{
				ID: g.ID, Name: oneLine(g.Name), Description: oneLine(g.Description), Look: statusLooks[e.sum.Groups[g.ID]],
			})
		}
		out[n].Rows = append(out[n].Rows, e.row(c, outages[c.ID], days, weights))
	}
	return out
}

func (e *edition) row(c status.Component, outages []status.Outage, days []time.Time, weights status.Weights) row {
	r := row{
		Name: oneLine(c.Name), Description: oneLine(c.Description), Look: statusLooks[e.sum.Components[c.ID]],
		Bars: make([]bar, barDays),
	}
	var events []string
	for n := range barDays {
		day := status.Window{From: days[n], To: days[n+1]}
		var bad bool
		r.Bars[n], bad = e.bar(c, outages, day)
		if bad {
			events = append(events, r.Bars[n].Title)
		}
	}
	window := status.Window{From: latest(days[0], c.Since()), To: e.now}
	if share, ok := status.Uptime(outages, window, weights); ok {
		r.Uptime = percent(share)
	}
	r.Summary = summary(r.Uptime, events, window, days)
	return r
}

// bar is one day of a component, and whether anything was wrong on it. A day
// takes the look of its worst moment; maintenance counts as nothing wrong.
func (e *edition) bar(c status.Component, outages []status.Outage, day status.Window) (bar, bool) {
	name := day.From.Format("2 Jan 2006")
	if !day.To.After(c.Since()) {
		return bar{classNone, name + ": no data"}, false
	}
	spent, ongoing := timeByStatus(outages, day, e.now)
	worst := status.Operational
	var parts []string
	for _, s := range slices.Backward(status.ComponentStatuses) {
		if spent[s] <= 0 {
			continue
		}
		worst = worst.Worse(s)
		word := strings.ToLower(statusLooks[s].Word)
		if since, goesOn := ongoing[s]; goesOn {
			// Told as a beginning: a duration would change the page every minute.
			parts = append(parts, word+" since "+since.UTC().Format("15:04 MST"))
		} else {
			parts = append(parts, word+" "+span(spent[s]))
		}
	}
	if len(parts) == 0 {
		return bar{classOK, name + ": no problems"}, false
	}
	return bar{statusLooks[worst].Class, name + ": " + strings.Join(parts, ", ")}, worst.Rank() > status.UnderMaintenance.Rank()
}

// timeByStatus shares out a day: every moment counts for the worst status it
// had. ongoing tells since when (this day) the status of now has held.
func timeByStatus(outages []status.Outage, day status.Window, now time.Time) (spent map[status.ComponentStatus]time.Duration, ongoing map[status.ComponentStatus]time.Time) {
	spent, ongoing = map[status.ComponentStatus]time.Duration{}, map[status.ComponentStatus]time.Time{}
	var cuts []time.Time
	var in []status.Outage
	for _, o := range outages {
		if o.From.Before(day.To) && o.To.After(day.From) {
			o.From = latest(o.From, day.From)
			if o.To.After(day.To) {
				o.To = day.To
			}
			in = append(in, o)
			cuts = append(cuts, o.From, o.To)
		}
	}
	slices.SortFunc(cuts, time.Time.Compare)
	for n := 1; n < len(cuts); n++ {
		from, to := cuts[n-1], cuts[n]
		worst := status.Operational
		for _, o := range in {
			if !o.From.After(from) && !o.To.Before(to) {
				worst = worst.Worse(o.Status)
			}
		}
		if worst == status.Operational {
			continue
		}
		spent[worst] += to.Sub(from)
		if to.Equal(now) && to.After(from) {
			ongoing[worst] = from
		}
	}
	return spent, ongoing
}

// percent rounds down: only a component that never failed has 100%.
func percent(share float64) string {
	n := math.Floor(share*1e4+1e-9) / 100
	return strconv.FormatFloat(max(0, n), 'f', -1, 64) + "%"
}

// summary says in words what the bars show.
func summary(uptime string, events []string, w status.Window, days []time.Time) string {
	if uptime == "" {
		return "No data yet"
	}
	length := fmt.Sprintf("the last %d days", barDays)
	if w.From.After(days[0]) {
		length = "since " + w.From.Format("2 January 2006")
	} else {
		length = "in " + length
	}
	text := uptime + " uptime " + length
	if len(events) == 0 {
		return text + ", no problems"
	}
	const told = 5
	newest := slices.Clone(events)
	slices.Reverse(newest)
	more := ""
	if len(newest) > told {
		more = fmt.Sprintf("; and %d more days with problems", len(newest)-told)
		newest = newest[:told]
	}
	return text + ". " + strings.Join(newest, "; ") + more
}

// uptimeNote says how uptime is counted.
func uptimeNote(weights status.Weights) string {
	var counted, free []string
	for _, s := range slices.Backward(status.ComponentStatuses[1:]) {
		word := strings.ToLower(strings.TrimPrefix(statusLooks[s].Word, "Under "))
		switch w := weights[s]; {
		case w >= 1:
			counted = append(counted, word+" in full")
		case w > 0:
			counted = append(counted, word+" as "+percent(w)+" of its time")
		default:
			free = append(free, word)
		}
	}
	note := "Uptime of the last 90 days."
	if len(counted) > 0 {
		note += " Counted as downtime: " + strings.Join(counted, ", ") + "."
	}
	if len(free) > 0 {
		note += " Not counted: " + strings.Join(free, ", ") + "."
	}
	return note
}
