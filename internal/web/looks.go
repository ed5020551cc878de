package web

import "github.com/statusbridge/statusbridge/internal/status"

// look is how a state shows itself: the shape and colour of its class, and a
// word. The classes are those of the public page.
type look struct {
	Class string
	Word  string
}

var impactLooks = map[status.Impact]look{
	status.ImpactNone:     {"none", "No impact"},
	status.ImpactMinor:    {"slow", "Minor"},
	status.ImpactMajor:    {"part", "Major"},
	status.ImpactCritical: {"down", "Critical"},
}

var statusLooks = map[status.ComponentStatus]look{
	status.Operational:         {"ok", "Operational"},
	status.UnderMaintenance:    {"work", "Under maintenance"},
	status.DegradedPerformance: {"slow", "Degraded performance"},
	status.PartialOutage:       {"part", "Partial outage"},
	status.MajorOutage:         {"down", "Major outage"},
}

var stateWords = map[status.IssueState]string{
	status.Investigating: "Investigating",
	status.Identified:    "Identified",
	status.Monitoring:    "Monitoring",
	status.Resolved:      "Resolved",
}

// tellingWords are for updates that tell of no state of the issue.
var tellingWords = map[string]string{status.StateMerged: "Merged", status.StatePostmortem: "Post-mortem"}

var stageWords = map[status.Stage]string{
	status.Draft:     "Draft",
	status.Published: "Public",
	status.Dismissed: "Dismissed",
	status.Internal:  "Internal",
}

var maintenanceLooks = map[status.MaintenanceState]look{
	status.Scheduled:  {"work", "Scheduled"},
	status.InProgress: {"work", "In progress"},
	status.Verifying:  {"work", "Verifying"},
	status.Completed:  {"ok", "Completed"},
	status.Cancelled:  {"none", "Cancelled"},
}

var fieldWords = map[status.Field]string{
	status.FieldTitle:      "title",
	status.FieldImpact:     "impact",
	status.FieldState:      "state",
	status.FieldComponents: "components",
	status.FieldBody:       "public text",
}

func lookOfIssue(i status.Issue) look {
	if i.MergedInto != "" {
		return look{"none", "Merged"}
	}
	if i.State == status.Resolved {
		return look{"ok", "Resolved"}
	}
	return impactLooks[i.Impact]
}

// option is a choice in a select or among radio buttons.
type option struct {
	Value, Label string
	Chosen       bool
}

func impactOptions(chosen string) []option {
	var list []option
	for _, i := range status.Impacts {
		list = append(list, option{string(i), impactLooks[i].Word, string(i) == chosen})
	}
	return list
}

func stateOptions(chosen string, states ...status.IssueState) []option {
	var list []option
	for _, st := range states {
		list = append(list, option{string(st), stateWords[st], string(st) == chosen})
	}
	return list
}
