package moving

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// caList is any list of Cachet's API v1 (https://docs.cachethq.io, version 2).
type caList struct {
	Meta struct {
		Pagination struct {
			TotalPages int `json:"total_pages"`
		} `json:"pagination"`
	} `json:"meta"`
	Data []json.RawMessage `json:"data"`
}

// caItem holds the fields of everything that Cachet lists; which of them are
// there tells what it is.
type caItem struct {
	ID          int        `json:"id"`
	Name        string     `json:"name"`
	Description string     `json:"description"`
	Message     string     `json:"message"`
	Status      caNumber   `json:"status"`
	Order       int        `json:"order"`
	GroupID     int        `json:"group_id"`
	Enabled     *bool      `json:"enabled"`
	ComponentID *int       `json:"component_id"`
	Visible     *caNumber  `json:"visible"`
	ScheduledAt string     `json:"scheduled_at"`
	CompletedAt *string    `json:"completed_at"`
	OccurredAt  string     `json:"occurred_at"`
	CreatedAt   string     `json:"created_at"`
	UpdatedAt   string     `json:"updated_at"`
	DeletedAt   string     `json:"deleted_at"`
	Updates     []caUpdate `json:"updates"`
	Components  []struct {
		ID          int `json:"id"`
		ComponentID int `json:"component_id"`
	} `json:"components"`
	EnabledComponents *json.RawMessage `json:"enabled_components"`
	Collapsed         *json.RawMessage `json:"collapsed"`
}

type caUpdate struct {
	ID        int      `json:"id"`
	Status    caNumber `json:"status"`
	Message   string   `json:"message"`
	CreatedAt string   `json:"created_at"`
}

// caNumber is a number that some releases write as text.
type caNumber int

// UnmarshalJSON takes both, and true for 1.
func (n *caNumber) UnmarshalJSON(text []byte) error {
	s := string(text)
	if unquoted, err := strconv.Unquote(s); err == nil {
		s = unquoted
	}
	switch s {
	case "null", "", "false":
		return nil
	case "true":
		*n = 1
		return nil
	}
	v, err := strconv.Atoi(s)
	*n = caNumber(v)
	return err
}

func pagesOf(text []byte) int {
	var list caList
	_ = json.Unmarshal(text, &list) // what is no list has no pages; Cachet says why
	return list.Meta.Pagination.TotalPages
}

// Cachet reads lists of groups, components, incidents and schedules in any
// order. Its times name no zone; they are those of the zone given.
func Cachet(zone *time.Location, sources ...Source) (Page, error) {
	p := caPage{zone: zone}
	for _, source := range sources {
		var list caList
		if err := json.Unmarshal(source.Text, &list); err != nil || list.Data == nil {
			return Page{}, fmt.Errorf("%s is no list of Cachet's API: it has no data", source.Name)
		}
		for n, raw := range list.Data {
			var item caItem
			if err := json.Unmarshal(raw, &item); err != nil {
				return Page{}, fmt.Errorf("%s: item %d: %w", source.Name, n+1, err)
			}
			p.add(item)
		}
	}
	var once Page
	once.Merge(p.Page)
	return once, nil
}

type caPage struct {
	Page
	zone *time.Location
}

func caID(n int) string { return "cachet-" + strconv.Itoa(n) }

func (p *caPage) add(c caItem) {
	id := caID(c.ID)
	switch {
	case c.DeletedAt != "":
		p.skip("item", id, c.Name, "it was deleted there")
	case c.ComponentID != nil:
		p.incident(c)
	case c.CompletedAt != nil || c.ScheduledAt != "":
		p.schedule(c)
	case c.EnabledComponents != nil || c.Collapsed != nil:
		p.Groups = append(p.Groups, status.Group{ID: id, Name: plain(c.Name), Position: c.Order, CreatedAt: p.at(c.CreatedAt)})
	default:
		out := status.Component{
			ID: id, Name: plain(c.Name), Description: described(c.Description), Position: c.Order, CreatedAt: p.at(c.CreatedAt),
			Status: caStatus(int(c.Status)), Hidden: c.Enabled != nil && !*c.Enabled,
		}
		if c.GroupID > 0 {
			out.GroupID = caID(c.GroupID)
		}
		p.Components = append(p.Components, out)
	}
}

func caStatus(n int) status.ComponentStatus {
	return map[int]status.ComponentStatus{2: status.DegradedPerformance, 3: status.PartialOutage, 4: status.MajorOutage}[n]
}

func caState(n int) status.IssueState {
	return map[int]status.IssueState{1: status.Investigating, 2: status.Identified, 3: status.Monitoring, 4: status.Resolved}[n]
}

// incident reads one. Cachet keeps no impact and no course of a component's
// status: such an issue is minor, names its component and counts as no downtime.
func (p *caPage) incident(c caItem) {
	id := caID(c.ID)
	if c.Visible != nil && *c.Visible == 0 {
		p.skip("incident", id, c.Name, "it was visible to people who are signed in only")
		return
	}
	if c.Status == 0 {
		p.schedule(c) // Cachet before 2.4
		return
	}
	out := status.Issue{
		ID: id, Impact: status.ImpactMinor, CreatedAt: p.at(c.CreatedAt), StartedAt: firstOf(p.at(c.OccurredAt), p.at(c.CreatedAt)), UpdatedAt: p.at(c.UpdatedAt),
	}
	first, last := caState(int(c.Status)), caState(int(c.Status))
	if len(c.Updates) > 0 {
		first = status.Investigating // what the first statement was, nobody knows any more
	}
	out.Updates = []status.Update{{ID: id + "-0", State: string(first), Body: markdown(c.Message), CreatedAt: out.StartedAt, DisplayAt: out.StartedAt}}
	for _, u := range c.Updates {
		at := p.at(u.CreatedAt)
		out.Updates = append(out.Updates, status.Update{
			ID: id + "-" + strconv.Itoa(u.ID), State: string(caState(int(u.Status))), Body: markdown(u.Message), CreatedAt: at, DisplayAt: at,
		})
	}
	slices.SortStableFunc(out.Updates, func(a, b status.Update) int { return a.DisplayAt.Compare(b.DisplayAt) })
	if n := len(out.Updates); n > 1 {
		last = status.IssueState(out.Updates[n-1].State)
	}
	out.State = last
	if last == status.Resolved {
		out.ResolvedBy, out.ResolvedAt = status.Importer, out.Updates[len(out.Updates)-1].DisplayAt
		if len(out.Updates) == 1 {
			out.ResolvedAt = firstOf(out.UpdatedAt, out.StartedAt)
		}
	}
	out.Title = titled(c.Name, out.Updates)
	if *c.ComponentID > 0 {
		out.Components = []status.Affected{{ComponentID: caID(*c.ComponentID), Status: status.DegradedPerformance}}
	}
	p.Issues = append(p.Issues, out)
}

// schedule reads planned work. One that was never completed is over when it was
// planned to begin: Cachet keeps no planned end.
func (p *caPage) schedule(c caItem) {
	id := "cachet-schedule-" + strconv.Itoa(c.ID)
	from := firstOf(p.at(c.ScheduledAt), p.at(c.CreatedAt))
	out := status.Maintenance{
		ID: id, State: status.Scheduled, Body: markdown(c.Message), ScheduledFor: from, ScheduledUntil: from,
		CreatedAt: p.at(c.CreatedAt), UpdatedAt: p.at(c.UpdatedAt),
	}
	if c.CompletedAt != nil && *c.CompletedAt != "" {
		out.State, out.StartedAt, out.EndedAt = status.Completed, from, p.at(*c.CompletedAt)
		if out.EndedAt.Before(from) {
			out.StartedAt = out.EndedAt
		} else {
			out.ScheduledUntil = out.EndedAt
		}
	} else if c.Status == 1 {
		out.State, out.StartedAt = status.InProgress, from
	}
	out.Updates = []status.Update{{ID: id + "-0", State: string(out.State), Body: out.Body, CreatedAt: out.CreatedAt, DisplayAt: firstOf(out.CreatedAt, from)}}
	out.Title = titled(c.Name, out.Updates)
	for _, k := range c.Components {
		out.Components = append(out.Components, caID(cmp.Or(k.ComponentID, k.ID)))
	}
	p.Maintenances = append(p.Maintenances, out)
}

// at reads a time of Cachet, zero if there is none.
func (p *caPage) at(s string) time.Time {
	for _, layout := range []string{time.DateTime, "2006-01-02 15:04", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, s, p.zone); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
