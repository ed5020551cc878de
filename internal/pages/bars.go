package pages

import (
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"

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
	Path        string
	Name        string
	Description string
	Look        look
	Uptime      string        // "99.98%", "" without data
	Since       string        // "since 3 Nov" when there is nothing to count before
	Bars        []bar         // one a day, oldest first
	Days        template.HTML // the same
	Drawn       template.HTML // the whole as it stands in a list of them; "" when it is not drawn yet
	Summary     string        // of the bars, in words
}

// A bar is one day of one component.
type bar struct {
	Class string
	Title string
}

// sections lists the components as the page shows them, each with its days.
func (e *edition) sections(zone *time.Location, weights status.Weights) []section {
	days := lastDays(e.now, zone, barDays)
	outages := e.outages()
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
				ID: g.ID, Name: oneLine(g.Name), Description: oneLine(g.Description), Look: e.lang.status(e.sum.Groups[g.ID]),
			})
		}
		out[n].Rows = append(out[n].Rows, e.row(c, outages[c.ID], days, weights))
	}
	return out
}

// A rowKey is all that a row depends on. News of one component leaves the others as
// they were a moment ago.
type rowKey struct {
	component status.Component
	status    status.ComponentStatus
	outages   *status.Outage
	n         int
	now       time.Time
	code      string // of the language
}

func (e *edition) row(c status.Component, outages []status.Outage, days []time.Time, weights status.Weights) row {
	key := rowKey{c, e.sum.Components[c.ID], unsafe.SliceData(outages), len(outages), e.now, e.lang.code}
	made := e.rows.get(key, func() madeRow { return e.newRow(c, outages, days, weights) })
	e.bars.keep(made.bars) // what it was made of is used, too: the next minute makes it anew of that
	e.lines.keep(made.line)
	return made.row
}

// A madeRow knows what it was made of.
type madeRow struct {
	row  row
	bars barsKey
	line lineKey
}

func (e *edition) newRow(c status.Component, outages []status.Outage, days []time.Time, weights status.Weights) madeRow {
	r := row{
		Path: e.path("/components/" + c.Slug),
		Name: oneLine(c.Name), Description: oneLine(c.Description), Look: e.lang.status(e.sum.Components[c.ID]),
	}
	key := barsKey{c.ID, c.Since(), days[0], e.lang.code, unsafe.SliceData(outages), len(outages)}
	b := e.bars.get(key, func() barred { return e.barred(c, outages, days) })
	r.Bars, r.Days = b.bars, b.drawn
	window := status.Window{From: latest(days[0], c.Since()), To: e.now}
	if share, ok := status.Uptime(outages, window, weights); ok {
		r.Uptime = e.lang.percent(share)
		if window.From.After(days[0]) {
			r.Since = e.lang.say("table.since", "day", e.lang.dayMonth(window.From))
		}
	}
	r.Summary = e.lang.summary(r.Uptime, b.events, window, days)
	line := lineKey{r.Path, r.Name, r.Description, r.Look, r.Uptime, r.Since, r.Summary, unsafe.SliceData(b.bars)}
	r.Drawn = e.lines.get(line, func() template.HTML { return e.drawn("row", r) })
	return madeRow{r, key, line}
}

// A lineKey is what a component in a list depends on.
type lineKey struct {
	path, name, description string
	look                    look
	uptime, since, summary  string
	bars                    *bar
}

// drawn is a part of a page by the template of its name: once, for pages list
// hundreds of which hardly one is new. It is "" after an error, which the page tells
// that draws the part then.
func (e *edition) drawn(name string, part any) template.HTML {
	var b strings.Builder
	if err := e.lang.page("front").ExecuteTemplate(&b, name, part); err != nil {
		return ""
	}
	return template.HTML(b.String()) // #nosec G203: of a template
}

// A barsKey is what the bars of a component depend on. A list of outages that is at
// the same place in memory is the same list: outages that go on make a new one
// each time.
type barsKey struct {
	component    string
	since, first time.Time
	code         string // of the language
	outages      *status.Outage
	n            int
}

// barred is the days of a component, and the titles of those that were bad.
type barred struct {
	bars   []bar
	drawn  template.HTML
	events []string
}

func (e *edition) barred(c status.Component, outages []status.Outage, days []time.Time) barred {
	b := barred{bars: make([]bar, barDays)}
	for n := range barDays {
		var bad bool
		b.bars[n], bad = e.bar(c, outages, status.Window{From: days[n], To: days[n+1]})
		if bad {
			b.events = append(b.events, b.bars[n].Title)
		}
	}
	b.drawn = e.drawnBars(b.bars, days)
	return b
}

// drawnBars are bars as they stand on a page, those that phones do not show in an
// element of their own. There are thousands of them on one, nearly all as they were
// before: for a template they would be most of its work.
func (e *edition) drawnBars(bars []bar, days []time.Time) template.HTML {
	var b strings.Builder
	b.WriteString("<span class=wide>")
	e.drawRuns(&b, bars[:barDays-barDaysSlim], days)
	b.WriteString(`</span>`)
	e.drawRuns(&b, bars[barDays-barDaysSlim:], days[barDays-barDaysSlim:])
	return template.HTML(b.String()) // #nosec G203: escaped; classes are our own words
}

// uneventful are the bars of which neighbours share their words.
var uneventful = map[string]string{classOK: "bar.calm", classNone: "bar.none"}

// drawRuns writes bars, and says of days without an event that follow each other once
// for all what there is to say: most days of most components are such.
func (e *edition) drawRuns(b *strings.Builder, bars []bar, days []time.Time) {
	for n := 0; n < len(bars); {
		class, title, end := bars[n].Class, bars[n].Title, n+1
		key, joins := uneventful[class]
		for joins && end < len(bars) && bars[end].Class == class {
			end++
		}
		if end == n+1 {
			b.WriteString("<i class=" + class + ` title="` + template.HTMLEscapeString(title) + `"></i>`)
		} else {
			title = e.lang.say(key, "day", e.lang.days(days[n], days[end-1]))
			b.WriteString("<span class=" + class + ` title="` + template.HTMLEscapeString(title) + `">`)
			b.WriteString(strings.Repeat("<i></i>", end-n))
			b.WriteString("</span>")
		}
		n = end
	}
}

// bar is one day of a component, and whether anything was wrong on it. A day
// takes the look of its worst moment; maintenance counts as nothing wrong.
func (e *edition) bar(c status.Component, outages []status.Outage, day status.Window) (bar, bool) {
	name := e.lang.day(day.From)
	if !day.To.After(c.Since()) {
		return bar{classNone, e.lang.say("bar.none", "day", name)}, false
	}
	spent, ongoing := timeByStatus(outages, day, e.now)
	worst := status.Operational
	var parts []string
	for _, s := range slices.Backward(status.ComponentStatuses) {
		if spent[s] <= 0 {
			continue
		}
		worst = worst.Worse(s)
		word := e.lang.say("inline." + string(s))
		if since, goesOn := ongoing[s]; goesOn {
			// Told as a beginning: a duration would change the page every minute.
			parts = append(parts, e.lang.say("bar.since", "status", word, "time", timeOfDay(since)))
		} else {
			parts = append(parts, e.lang.say("bar.spent", "status", word, "span", e.lang.span(spent[s])))
		}
	}
	if len(parts) == 0 {
		return bar{classOK, e.lang.say("bar.calm", "day", name)}, false
	}
	return bar{statusLooks[worst].Class, e.lang.pair(name, e.lang.list(parts))}, worst.Rank() > status.UnderMaintenance.Rank()
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

// hundredths is a share as a percentage with two decimals, rounded down: only what
// never failed has 100. All and nothing need none.
func hundredths(share float64) string {
	n := max(0, math.Floor(share*1e4+1e-9)/100)
	if n == 0 || n == 100 {
		return strconv.Itoa(int(n))
	}
	return strconv.FormatFloat(n, 'f', 2, 64)
}

// summary says in words what the bars show.
func (l *language) summary(uptime string, events []string, w status.Window, days []time.Time) string {
	if uptime == "" {
		return l.say("uptime.none")
	}
	text := l.say("uptime.days", "uptime", uptime, "n", barDays)
	if w.From.After(days[0]) {
		text = l.say("uptime.since", "uptime", uptime, "day", l.longDay(w.From))
	}
	if len(events) == 0 {
		return l.say("uptime.calm", "uptime", text)
	}
	const told = 5
	newest := slices.Clone(events)
	slices.Reverse(newest)
	if more := len(newest) - told; more > 0 {
		newest = append(newest[:told], l.say("uptime.more", "n", more))
	}
	return l.say("uptime.events", "uptime", text, "events", strings.Join(newest, l.say("semicolon")))
}

// weights says how uptime is counted.
func (l *language) weights(weights status.Weights) string {
	var counted, free []string
	for _, s := range slices.Backward(status.ComponentStatuses[1:]) {
		word := l.say("inline." + string(s))
		if s == status.UnderMaintenance {
			word = l.say("weights.work")
		}
		switch w := weights[s]; {
		case w >= 1:
			counted = append(counted, l.say("weights.whole", "status", word))
		case w > 0:
			counted = append(counted, l.say("weights.share", "status", word, "share", strings.Replace(l.percent(w), l.say("decimal")+"00", "", 1)))
		default:
			free = append(free, word)
		}
	}
	var note []string
	if len(counted) > 0 {
		note = append(note, l.say("weights.counted", "list", l.list(counted)))
	}
	if len(free) > 0 {
		note = append(note, l.say("weights.free", "list", l.list(free)))
	}
	return strings.Join(note, " ")
}
