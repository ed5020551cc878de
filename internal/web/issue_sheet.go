package web

import (
	"net/url"
	"slices"
	"strings"

	"github.com/statusbridge/statusbridge/internal/status"
)

// issueFields are what a person edits of an issue.
func issueFields(d directory) []sheetField {
	return []sheetField{
		{"title", "Title", nil},
		{"impact", "Impact", func(v string) string { return impactLooks[status.Impact(v)].Word }},
		{"state", "State", func(v string) string { return stateWords[status.IssueState(v)] }},
		{"components", "Components", d.readAffected},
		{"body", "Public text", nil},
	}
}

func issueSheet(i status.Issue) sheet {
	sh := sheet{
		"title": i.Title, "impact": string(i.Impact), "state": string(i.State),
		"components": writeAffected(i.Components), "body": "",
	}
	if len(i.Updates) > 0 {
		sh["body"] = lines(i.Updates[0].Body)
	}
	return sh
}

// readIssueSheet takes the form as sent; fields it lacks are as seen.
func readIssueSheet(f url.Values, seen sheet) sheet {
	yours := sheet{}
	for name, value := range seen {
		yours[name] = value
		if _, sent := f[name]; sent {
			yours[name] = lines(f.Get(name))
		}
	}
	yours["title"] = strings.Join(strings.Fields(yours["title"]), " ")
	if f.Has("with-components") {
		yours["components"] = readComponents(f)
	}
	return yours
}

// componentPrefix starts the names of the inputs that set a component's status.
const componentPrefix = "component."

func readComponents(f url.Values) string {
	var list []status.Affected
	for name, values := range f {
		if id, ok := strings.CutPrefix(name, componentPrefix); ok && values[0] != "" && validID(id) {
			list = append(list, status.Affected{ComponentID: id, Status: status.ComponentStatus(values[0])})
		}
	}
	return writeAffected(list)
}

// writeAffected writes components canonically: "id=status id=status".
func writeAffected(list []status.Affected) string {
	var words []string
	for _, a := range list {
		words = append(words, a.ComponentID+"="+string(a.Status))
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

func parseAffected(written string) []status.Affected {
	list := []status.Affected{}
	for _, word := range strings.Fields(written) {
		id, st, _ := strings.Cut(word, "=")
		list = append(list, status.Affected{ComponentID: id, Status: status.ComponentStatus(st)})
	}
	return list
}

func (d directory) readAffected(written string) string {
	var words []string
	for _, a := range parseAffected(written) {
		words = append(words, d.name(a.ComponentID)+": "+strings.ToLower(statusLooks[a.Status].Word))
	}
	slices.Sort(words)
	return strings.Join(words, "\n")
}

// editOf asks for what the sheet says. The core holds only what differs from
// what is, so fields the person left alone stay with automation.
func editOf(id string, version int64, sh sheet) status.EditIssue {
	title, body := sh["title"], sh["body"]
	impact, state, components := status.Impact(sh["impact"]), status.IssueState(sh["state"]), parseAffected(sh["components"])
	return status.EditIssue{
		ID: id, Version: version,
		Title: &title, Impact: &impact, State: &state, Components: &components, Body: &body,
	}
}

// issueForm is the edit form as it is drawn.
type issueForm struct {
	Version  int64
	Sheet    sheet // what the inputs hold
	Seen     sheet // what is now, sent along
	Impacts  []option
	States   []option
	Affected []componentRow
	Others   []componentRow
	Problem  map[string]string // by field
	Wordings wordings
	New      bool
}

// componentRow is a component and the statuses it can be given.
type componentRow struct {
	ID, Name, Group string
	Options         []option
}

func (d directory) issueForm(i status.Issue, sh sheet) issueForm {
	form := issueForm{
		Version: i.Version, Sheet: sh, Seen: issueSheet(i), Problem: map[string]string{},
		Impacts: impactOptions(sh["impact"]),
		States:  stateOptions(sh["state"], statesOf(i)...),
	}
	form.Affected, form.Others = d.componentRows(sh["components"])
	return form
}

// statesOf are the states an edit may set: a draft is published first and
// resolved then, and a public issue is resolved by an update that says so.
func statesOf(i status.Issue) []status.IssueState {
	states := []status.IssueState{status.Investigating, status.Identified, status.Monitoring}
	if i.State == status.Resolved {
		states = append(states, status.Resolved)
	}
	return states
}

func (d directory) componentRows(written string) (affected, others []componentRow) {
	chosen := map[string]status.ComponentStatus{}
	for _, a := range parseAffected(written) {
		chosen[a.ComponentID] = a.Status
	}
	row := func(id, name, group string) componentRow {
		r := componentRow{ID: id, Name: name, Group: group}
		r.Options = append(r.Options, option{"", "Not affected", chosen[id] == ""})
		for _, st := range status.ComponentStatuses {
			if st == status.UnderMaintenance && chosen[id] != st {
				continue // that is said by planning a maintenance
			}
			r.Options = append(r.Options, option{string(st), statusLooks[st].Word, chosen[id] == st})
		}
		return r
	}
	for _, c := range d.components {
		r := row(c.ID, c.Name, d.groupNames[c.GroupID])
		if chosen[c.ID] != "" {
			affected = append(affected, r)
		} else {
			others = append(others, r)
		}
	}
	for _, a := range parseAffected(written) {
		if _, known := d.names[a.ComponentID]; !known {
			affected = append(affected, row(a.ComponentID, a.ComponentID, "no longer on the page"))
		}
	}
	return affected, others
}
