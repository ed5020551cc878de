package pages

import (
	"strconv"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// An event is a step of an issue that is no statement of ours.
type event struct {
	Word string
	At   moment
	time time.Time
}

// events are the public steps before the first statement, newest first: what
// the machine saw, when it opened the issue, and who made it public. Which rule
// and which alert it was stays private.
func (e *edition) events(i status.Issue) []event {
	var list []event
	add := func(key string, t time.Time) {
		list = append([]event{{e.lang.say(key), e.moment(t), t}}, list...)
	}
	if i.Origin != status.FromAlert {
		if len(i.Updates) > 0 && i.Updates[0].DisplayAt.Sub(i.StartedAt) >= time.Minute {
			add("began", i.StartedAt)
		}
		return list
	}
	add("course.fired", i.StartedAt)
	if i.PublishedAt.Sub(i.CreatedAt) >= time.Minute {
		add("course.opened", i.CreatedAt)
	}
	if i.Confirmed {
		add("course.confirmed", i.PublishedAt)
	} else {
		add("course.published", i.PublishedAt)
	}
	return list
}

// A course draws an issue over time: a lane with its events, and one for each
// component that it hurt. The same is told in words.
type course struct {
	From  moment
	To    moment
	Going bool // To is about now
	Lanes []lane
	// Folded are the lanes of components beyond those that are shown at once.
	Folded []lane
}

type lane struct {
	Name  string
	Own   bool   // the name is ours, not one that somebody gave
	Words string // what the lane shows
	Marks []mark
}

// A mark is a rectangle in a lane that is 1000 wide and 100 high.
type mark struct {
	Class       string
	X, Y, W, H  string
	Description string
}

const (
	courseWidth = 1000
	// courseStep is how often the drawing of an open issue moves on: if it did
	// every minute, every open browser would fetch the page as often.
	courseStep = 5 * time.Minute
	markWidth  = 5
)

var markHeights = map[string]float64{classOK: 40, classWork: 40, classSlow: 50, classPart: 75, classDown: 100, classNone: 100}

func (e *edition) course(i status.Issue) *course {
	end := i.ResolvedAt
	if i.Open() {
		end = i.StartedAt.Add(e.now.Sub(i.StartedAt).Truncate(courseStep) + courseStep)
	}
	length := end.Sub(i.StartedAt)
	if length < time.Minute {
		return nil
	}
	c := &course{From: e.moment(i.StartedAt), To: e.until(i.StartedAt, end), Going: i.Open()}
	place := func(t time.Time) float64 {
		return min(1, max(0, float64(t.Sub(i.StartedAt))/float64(length))) * courseWidth
	}
	draw := func(class string, from, to time.Time, words string) mark {
		x, h := place(from), markHeights[class]
		w := max(place(to)-x, markWidth)
		return mark{class, decimal(min(x, courseWidth-w)), decimal(100 - h), decimal(w), decimal(h), words}
	}
	c.Lanes = append(c.Lanes, e.eventLane(i, draw))
	outages := map[string][]status.Outage{}
	for _, o := range i.Outages(sooner(end, e.now)) {
		outages[o.ComponentID] = append(outages[o.ComponentID], o)
	}
	for _, a := range e.worstFirst(i) {
		name, public := e.names[a.ComponentID]
		if !public || len(outages[a.ComponentID]) == 0 {
			continue
		}
		l := lane{Name: name}
		var words []string
		for _, o := range outages[a.ComponentID] {
			s := e.lang.say("inline." + string(o.Status))
			text := e.lang.say("course.stretch", "status", s, "from", e.moment(o.From).Text, "to", e.until(o.From, o.To).Text)
			to := o.To
			if i.Open() && !o.To.Before(e.now) {
				text = e.lang.say("bar.since", "status", s, "time", e.moment(o.From).Text)
				to = end
			}
			words = append(words, text)
			l.Marks = append(l.Marks, draw(statusLooks[o.Status].Class, o.From, to, text))
		}
		l.Words = e.lang.pair(name, e.lang.list(words))
		c.Lanes = append(c.Lanes, l)
	}
	c.Lanes, c.Folded = fold(c.Lanes, 1+hitsShown)
	return c
}

// eventLane marks the steps and the statements.
func (e *edition) eventLane(i status.Issue, draw func(string, time.Time, time.Time, string) mark) lane {
	l := lane{Name: e.lang.say("course.events"), Own: true}
	add := func(class, word string, at time.Time) {
		text := e.lang.pair(e.moment(at).Text, word)
		l.Marks = append(l.Marks, draw(class, at, at, text))
	}
	for _, ev := range e.events(i) {
		add(classNone, ev.Word, ev.time)
	}
	for _, u := range i.Updates {
		if u.State == status.StatePostmortem {
			continue // it was all over
		}
		add(classOfUpdate(i, u), e.lang.issue(status.IssueState(u.State)), u.DisplayAt)
	}
	for n := range l.Marks {
		l.Marks[n].Y, l.Marks[n].H = "0", "100"
	}
	l.Words = e.lang.say("course.count", "n", len(l.Marks))
	return l
}

func sooner(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
