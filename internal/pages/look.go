package pages

import "github.com/statusbridge/statusbridge/internal/status"

// A look is how a state shows itself: a glyph, a word and, through the class, a
// colour. No state is told by colour alone.
type look struct {
	Class string // CSS class, and the name of the glyph
	Word  string
}

// The classes. Each has a silhouette of its own.
const (
	classOK   = "ok"   // circle with a check
	classWork = "work" // square with the hands of a clock
	classSlow = "slow" // diamond with a dash
	classPart = "part" // triangle with an exclamation mark
	classDown = "down" // octagon with a cross
	classNone = "none" // ring
)

var statusLooks = map[status.ComponentStatus]look{
	status.Operational:         {classOK, "Operational"},
	status.UnderMaintenance:    {classWork, "Under maintenance"},
	status.DegradedPerformance: {classSlow, "Degraded performance"},
	status.PartialOutage:       {classPart, "Partial outage"},
	status.MajorOutage:         {classDown, "Major outage"},
}

var impactLooks = map[status.Impact]look{
	status.ImpactNone:     {classNone, "No impact"},
	status.ImpactMinor:    {classSlow, "Minor impact"},
	status.ImpactMajor:    {classPart, "Major impact"},
	status.ImpactCritical: {classDown, "Critical impact"},
}

var indicatorClasses = map[status.Indicator]string{
	status.IndicatorNone:        classOK,
	status.IndicatorMaintenance: classWork,
	status.IndicatorMinor:       classSlow,
	status.IndicatorMajor:       classPart,
	status.IndicatorCritical:    classDown,
}

var workLooks = map[status.MaintenanceState]look{
	status.Scheduled:  {classWork, "Scheduled"},
	status.InProgress: {classWork, "In progress"},
	status.Verifying:  {classWork, "Verifying"},
	status.Completed:  {classOK, "Completed"},
	status.Cancelled:  {classNone, "Cancelled"},
}

// The looks of states in the language of a page.
func (l *language) status(s status.ComponentStatus) look {
	return look{statusLooks[s].Class, l.say("status." + string(s))}
}

func (l *language) issue(s status.IssueState) string { return l.say("issue." + string(s)) }

func (l *language) impact(i status.Impact) string { return l.say("impact." + string(i)) }

func (l *language) work(s status.MaintenanceState) look {
	return look{workLooks[s].Class, l.say("work." + string(s))}
}

// lookOfIssue is the impact while the issue is open, a check once it is over.
func (l *language) lookOfIssue(i status.Issue) look {
	if i.MergedInto != "" {
		return look{classNone, l.issue(status.StateMerged)}
	}
	if i.State == status.Resolved {
		return look{classOK, l.issue(status.Resolved)}
	}
	return look{impactLooks[i.Impact].Class, l.issue(i.State)}
}

// noComponents is what a fresh page says: nothing is known, so nothing is well.
const noComponents = "No components yet"

// headlineKeys are the phrases for what the core says of the whole.
var headlineKeys = map[string]string{
	"All Systems Operational":    "headline.none",
	"Service Under Maintenance":  "headline.maintenance",
	"Partially Degraded Service": "headline.partially_degraded",
	"Degraded System Service":    "headline.degraded",
	"Minor Service Outage":       "headline.minor",
	"Partial System Outage":      "headline.partial",
	"Major System Outage":        "headline.major",
	noComponents:                 "headline.empty",
}

// A headline is the state of the whole as every surface words it: machines get
// Text, people the phrase of their language.
type headline struct {
	Class     string
	Text      string
	Indicator status.Indicator
	Component string // the only one that is hit
}

// headlineOf words the summary. With no component and no issue there is nothing
// to call operational.
func headlineOf(v status.View, s status.Summary) headline {
	h := headline{
		Class: indicatorClasses[s.Headline.Indicator], Text: s.Headline.Description,
		Indicator: s.Headline.Indicator, Component: s.Headline.Component,
	}
	if len(v.Components) == 0 && h.Indicator == status.IndicatorNone {
		h.Class, h.Text = classNone, noComponents
	}
	return h
}
