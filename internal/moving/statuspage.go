package moving

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// spDocument is any document of the public Statuspage API v2
// (https://metastatuspage.com/api); the lists of the API v1 are its parts.
type spDocument struct {
	Components   []spComponent `json:"components"`
	Incidents    []spIncident  `json:"incidents"`
	Maintenances []spIncident  `json:"scheduled_maintenances"`
}

type spComponent struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Status      string    `json:"status"`
	Description string    `json:"description"`
	Position    int       `json:"position"`
	Group       bool      `json:"group"`
	GroupID     string    `json:"group_id"`
	StartDate   string    `json:"start_date"`
	CreatedAt   time.Time `json:"created_at"`
}

type spIncident struct {
	ID             string        `json:"id"`
	Name           string        `json:"name"`
	Status         string        `json:"status"`
	Impact         string        `json:"impact"`
	CreatedAt      time.Time     `json:"created_at"`
	UpdatedAt      time.Time     `json:"updated_at"`
	StartedAt      time.Time     `json:"started_at"`
	MonitoringAt   time.Time     `json:"monitoring_at"`
	ResolvedAt     time.Time     `json:"resolved_at"`
	ScheduledFor   time.Time     `json:"scheduled_for"`
	ScheduledUntil time.Time     `json:"scheduled_until"`
	Updates        []spUpdate    `json:"incident_updates"`
	Components     []spComponent `json:"components"`
}

type spUpdate struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"`
	Body      string    `json:"body"`
	CreatedAt time.Time `json:"created_at"`
	DisplayAt time.Time `json:"display_at"`
	Affected  []struct {
		Code string `json:"code"`
		Name string `json:"name"`
		Old  string `json:"old_status"`
		New  string `json:"new_status"`
	} `json:"affected_components"`
}

// StatuspagePaths are the documents of a Statuspage, below its address.
var StatuspagePaths = []string{"/api/v2/components.json", "/api/v2/incidents.json", "/api/v2/scheduled-maintenances.json"}

// Statuspage reads documents of the API v2, and lists of components or
// incidents as the API v1 gives them, in any order.
func Statuspage(sources ...Source) (Page, error) {
	var whole spDocument
	for _, source := range sources {
		var doc spDocument
		var err error
		if strings.HasPrefix(strings.TrimSpace(string(source.Text)), "[") {
			doc, err = spList(source.Text)
		} else {
			err = json.Unmarshal(source.Text, &doc)
		}
		if err == nil && doc.Components == nil && doc.Incidents == nil && doc.Maintenances == nil {
			err = errors.New("it has neither components nor incidents nor scheduled_maintenances")
		}
		if err != nil {
			return Page{}, fmt.Errorf("%s is no document of a Statuspage: %w", source.Name, err)
		}
		if doc.Components != nil {
			whole.Components = append(whole.Components, doc.Components...)
		}
		whole.Incidents = append(whole.Incidents, doc.Incidents...)
		whole.Maintenances = append(whole.Maintenances, doc.Maintenances...)
	}
	return whole.page(), nil
}

// spList reads a list whose items tell what they are.
func spList(text []byte) (spDocument, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(text, &items); err != nil {
		return spDocument{}, err
	}
	doc := spDocument{Incidents: []spIncident{}}
	for n, item := range items {
		var shape struct {
			Updates *json.RawMessage `json:"incident_updates"`
		}
		err := json.Unmarshal(item, &shape)
		if shape.Updates == nil {
			var c spComponent
			err = cmp.Or(err, json.Unmarshal(item, &c))
			doc.Components = append(doc.Components, c)
		} else {
			var i spIncident
			err = cmp.Or(err, json.Unmarshal(item, &i))
			doc.Incidents = append(doc.Incidents, i)
		}
		if err != nil {
			return doc, fmt.Errorf("item %d: %w", n+1, err)
		}
	}
	return doc, nil
}

func (d spDocument) page() Page {
	var p Page
	open := map[string]bool{} // components that something open explains
	all := append(slices.Clone(d.Incidents), d.Maintenances...)
	for _, i := range all {
		if i.ResolvedAt.IsZero() {
			for _, c := range i.Components {
				open[c.ID] = true
			}
		}
	}
	for _, c := range d.Components {
		if c.Group {
			p.Groups = append(p.Groups, status.Group{ID: c.ID, Name: plain(c.Name), Description: described(c.Description), Position: c.Position, CreatedAt: c.CreatedAt})
			continue
		}
		p.Components = append(p.Components, c.component(open[c.ID]))
	}
	for _, i := range all {
		if i.ScheduledFor.IsZero() {
			p.Issues = append(p.Issues, i.issue())
		} else {
			p.Maintenances = append(p.Maintenances, i.maintenance())
		}
	}
	p.Components = append(p.Components, gone(all, p.Components, d.Components != nil)...)
	var once Page // the summary has again what the lists have
	once.Merge(p)
	return once
}

func (c spComponent) component(explained bool) status.Component {
	out := status.Component{
		ID: c.ID, Name: plain(c.Name), Description: described(c.Description), Position: c.Position, GroupID: c.GroupID,
		Status: status.ComponentStatus(c.Status), CreatedAt: c.CreatedAt,
	}
	if explained || c.Status == "" {
		out.Status = status.Operational // the issue says the rest, until it ends
	}
	out.StartDate, _ = time.Parse(time.DateOnly, c.StartDate)
	return out
}

// gone are components that only the past names. Those that the page's own list
// lacks were removed there; without the list nobody knows.
func gone(all []spIncident, listed []status.Component, complete bool) []status.Component {
	known := map[string]bool{}
	for _, c := range listed {
		known[c.ID] = true
	}
	var out []status.Component
	add := func(id, name string, c spComponent) {
		if id == "" || known[id] || c.Group {
			return
		}
		known[id] = true
		c.ID, c.Name, c.GroupID = id, name, ""
		left := c.component(true)
		left.Archived = complete
		out = append(out, left)
	}
	for _, i := range all {
		for _, c := range i.Components {
			add(c.ID, c.Name, c)
		}
		for _, u := range i.Updates {
			for _, a := range u.Affected {
				add(a.Code, a.Name, spComponent{CreatedAt: i.CreatedAt})
			}
		}
	}
	return out
}

func (i spIncident) issue() status.Issue {
	out := status.Issue{
		ID: i.ID, State: spState(i.Status), Impact: status.Impact(i.Impact),
		StartedAt: firstOf(i.StartedAt, i.CreatedAt), CreatedAt: i.CreatedAt, MonitoringAt: i.MonitoringAt, ResolvedAt: i.ResolvedAt, UpdatedAt: i.UpdatedAt,
		Updates: i.updates(func(s string) string { return s }), // "postmortem" is what it is called here, too
	}
	if out.Impact == "maintenance" || out.Impact == "" {
		out.Impact = status.ImpactNone
	}
	out.Title = titled(i.Name, out.Updates)
	if out.State == status.Resolved {
		out.ResolvedBy = status.Importer
		for _, u := range out.Updates {
			if i.ResolvedAt.IsZero() && u.State != status.StatePostmortem {
				out.ResolvedAt = u.DisplayAt // the last one
			}
		}
	}
	if n := len(out.Updates); n > 0 && out.Updates[0].DisplayAt.Before(out.StartedAt) {
		out.StartedAt = out.Updates[0].DisplayAt
	}
	out.Components = i.affected(out.State == status.Resolved, out.Updates)
	return out
}

// affected are the components as they are now, and of what is over, at its
// worst. Where no update says how they were, the impact does; that much is not
// counted as downtime.
func (i spIncident) affected(over bool, updates []status.Update) []status.Affected {
	var order []string
	last, worst := map[string]status.ComponentStatus{}, map[string]status.ComponentStatus{}
	for _, u := range updates {
		for _, c := range u.Changes {
			if _, seen := worst[c.ComponentID]; !seen {
				order = append(order, c.ComponentID)
			}
			last[c.ComponentID], worst[c.ComponentID] = c.New, worst[c.ComponentID].Worse(c.New)
		}
	}
	by := last
	if over {
		by = worst
	}
	var out []status.Affected
	for _, id := range order {
		if by[id] != status.Operational && by[id].Valid() {
			out = append(out, status.Affected{ComponentID: id, Status: by[id]})
		}
	}
	guess := map[string]status.ComponentStatus{"critical": status.MajorOutage, "major": status.PartialOutage}
	for _, c := range i.Components {
		if _, told := worst[c.ID]; !told && !c.Group && !slices.ContainsFunc(out, func(a status.Affected) bool { return a.ComponentID == c.ID }) {
			out = append(out, status.Affected{ComponentID: c.ID, Status: cmp.Or(guess[i.Impact], status.DegradedPerformance)})
		}
	}
	return out
}

// spState also knows "postmortem", which follows the end.
func spState(s string) status.IssueState {
	if s == "postmortem" {
		return status.Resolved
	}
	return status.IssueState(s)
}

func (i spIncident) maintenance() status.Maintenance {
	out := status.Maintenance{
		ID: i.ID, State: status.MaintenanceState(i.Status), ScheduledFor: i.ScheduledFor, ScheduledUntil: firstOf(i.ScheduledUntil, i.ScheduledFor),
		CreatedAt: i.CreatedAt, UpdatedAt: i.UpdatedAt,
		Updates: i.updates(func(s string) string { return s }),
	}
	out.Title = titled(i.Name, out.Updates)
	if len(out.Updates) > 0 {
		out.Body = out.Updates[0].Body
	}
	for _, c := range i.Components {
		if !c.Group {
			out.Components = append(out.Components, c.ID)
		}
	}
	for _, u := range out.Updates {
		if u.State == string(status.InProgress) && out.StartedAt.IsZero() {
			out.StartedAt = u.DisplayAt
		}
	}
	if out.State != status.Scheduled {
		out.StartedAt = firstOf(out.StartedAt, i.StartedAt, i.ScheduledFor)
	}
	if out.State == status.Completed {
		out.EndedAt = firstOf(i.ResolvedAt, out.ScheduledUntil)
		if out.EndedAt.Before(out.StartedAt) {
			out.StartedAt = out.EndedAt
		}
	}
	return out
}

// updates brings them into our order, the oldest first.
func (i spIncident) updates(state func(string) string) []status.Update {
	out := make([]status.Update, 0, len(i.Updates))
	for _, u := range i.Updates {
		v := status.Update{ID: u.ID, State: state(u.Status), Body: markdown(u.Body), CreatedAt: u.CreatedAt, DisplayAt: firstOf(u.DisplayAt, u.CreatedAt)}
		for _, a := range u.Affected {
			v.Changes = append(v.Changes, status.Change{
				ComponentID: a.Code, Name: plain(a.Name), Old: status.ComponentStatus(cmp.Or(a.Old, a.New)), New: status.ComponentStatus(a.New),
			})
		}
		out = append(out, v)
	}
	slices.SortStableFunc(out, func(a, b status.Update) int { return a.DisplayAt.Compare(b.DisplayAt) })
	return out
}

func firstOf(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}
