package pages

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// The documents of the Atlassian Statuspage API v2, field for field: what is
// nullable there is a pointer here, and present as null.

type apiPage struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	URL       string `json:"url"`
	TimeZone  string `json:"time_zone"`
	UpdatedAt string `json:"updated_at"`
}

type apiStatus struct {
	Indicator   status.Indicator `json:"indicator"`
	Description string           `json:"description"`
}

type apiComponent struct {
	ID                 string                 `json:"id"`
	Name               string                 `json:"name"`
	Status             status.ComponentStatus `json:"status"`
	CreatedAt          string                 `json:"created_at"`
	UpdatedAt          string                 `json:"updated_at"`
	Position           int                    `json:"position"`
	Description        *string                `json:"description"`
	Showcase           bool                   `json:"showcase"`
	StartDate          *string                `json:"start_date"`
	GroupID            *string                `json:"group_id"`
	PageID             string                 `json:"page_id"`
	Group              bool                   `json:"group"`
	OnlyShowIfDegraded bool                   `json:"only_show_if_degraded"`
	Components         []string               `json:"components,omitempty"` // of a group
}

type apiIncident struct {
	ID           string         `json:"id"`
	Name         string         `json:"name"`
	Status       string         `json:"status"`
	CreatedAt    string         `json:"created_at"`
	UpdatedAt    string         `json:"updated_at"`
	MonitoringAt *string        `json:"monitoring_at"`
	ResolvedAt   *string        `json:"resolved_at"`
	Impact       string         `json:"impact"`
	Shortlink    string         `json:"shortlink"`
	StartedAt    string         `json:"started_at"`
	PageID       string         `json:"page_id"`
	Updates      []apiUpdate    `json:"incident_updates"`
	Components   []apiComponent `json:"components"`
	// Ours in addition.
	Origin    status.Origin `json:"origin,omitempty"`
	Confirmed *bool         `json:"confirmed,omitempty"`
	Flapping  *bool         `json:"flapping,omitempty"`
	// Of Statuspage, once there is a post-mortem.
	PostmortemBody     *string `json:"postmortem_body,omitempty"`
	PostmortemEdited   *string `json:"postmortem_body_last_updated_at,omitempty"`
	PostmortemAt       *string `json:"postmortem_published_at,omitempty"`
	PostmortemNotified *bool   `json:"postmortem_notified_subscribers,omitempty"`
}

type apiMaintenance struct {
	apiIncident
	ScheduledFor   string `json:"scheduled_for"`
	ScheduledUntil string `json:"scheduled_until"`
	// Ours in addition. There is no cancelling in Statuspage: what was called
	// off is completed to programs that know only its states.
	Cancelled bool `json:"cancelled"`
}

type apiUpdate struct {
	ID                   string        `json:"id"`
	Status               string        `json:"status"`
	Body                 string        `json:"body"`
	IncidentID           string        `json:"incident_id"`
	CreatedAt            string        `json:"created_at"`
	UpdatedAt            string        `json:"updated_at"`
	DisplayAt            string        `json:"display_at"`
	AffectedComponents   []apiAffected `json:"affected_components"`
	DeliverNotifications bool          `json:"deliver_notifications"`
	CustomTweet          *string       `json:"custom_tweet"`
	TweetID              *string       `json:"tweet_id"`
}

type apiAffected struct {
	Code      string                 `json:"code"`
	Name      string                 `json:"name"`
	OldStatus status.ComponentStatus `json:"old_status"`
	NewStatus status.ComponentStatus `json:"new_status"`
}

// An apiWriter writes the documents of one edition.
type apiWriter struct {
	*edition
	publicURL string
	page      apiPage
	all       map[string]apiComponent // by id, without groups
}

func (p *press) api(e *edition) *apiWriter {
	w := &apiWriter{edition: e, publicURL: p.cfg.PublicURL, all: map[string]apiComponent{}}
	zone := p.cfg.TimeZone.String()
	if zone == "UTC" {
		zone = "Etc/UTC"
	}
	w.page = apiPage{ID: pageID(p.cfg.PublicURL), Name: p.cfg.Name, URL: p.cfg.PublicURL, TimeZone: zone, UpdatedAt: apiTime(e.changed())}
	moved := map[string]time.Time{} // when a component's status last changed
	for id, list := range e.outages() {
		if len(list) > 0 {
			moved[id] = list[len(list)-1].From // they are in order
		}
		for n := range list {
			if to := list[n].To; to.After(moved[id]) && to.Before(e.now) {
				moved[id] = to
			}
		}
	}
	for _, c := range e.view.Components {
		a := apiComponent{
			ID: c.ID, Name: oneLine(c.Name), Status: e.sum.Components[c.ID], Position: c.Position,
			CreatedAt: apiTime(c.CreatedAt), UpdatedAt: apiTime(latest(c.UpdatedAt, moved[c.ID])),
			Description: nullable(oneLine(c.Description)), Showcase: true, PageID: w.page.ID,
		}
		if _, known := e.sum.Groups[c.GroupID]; known {
			a.GroupID = nullable(c.GroupID)
		}
		if !c.StartDate.IsZero() {
			a.StartDate = nullable(c.StartDate.In(p.cfg.TimeZone).Format(time.DateOnly))
		}
		w.all[c.ID] = a
	}
	return w
}

// pageID is as stable as the page's address.
func pageID(publicURL string) string {
	return strings.ToLower(strings.NewReplacer("-", "0", "_", "1").Replace(checksum([]byte(publicURL))))[:12]
}

func (w *apiWriter) status() apiStatus {
	return apiStatus{Indicator: w.head.Indicator, Description: w.head.Text}
}

// components lists groups and components in the order of the page, each group
// before its own.
func (w *apiWriter) components() []apiComponent {
	out := []apiComponent{}
	at := map[string]int{}
	groups := map[string]status.Group{}
	for _, g := range w.view.Groups {
		groups[g.ID] = g
	}
	for _, c := range w.view.Components {
		a := w.all[c.ID]
		if a.GroupID != nil {
			n, begun := at[c.GroupID]
			if !begun {
				n = len(out)
				at[c.GroupID] = n
				out = append(out, w.group(groups[c.GroupID]))
			}
			out[n].Components = append(out[n].Components, c.ID)
		}
		out = append(out, a)
	}
	return out
}

func (w *apiWriter) group(g status.Group) apiComponent {
	return apiComponent{
		ID: g.ID, Name: oneLine(g.Name), Status: w.sum.Groups[g.ID], Position: g.Position,
		CreatedAt: apiTime(g.CreatedAt), UpdatedAt: apiTime(g.UpdatedAt),
		Description: nullable(oneLine(g.Description)), PageID: w.page.ID, Group: true,
	}
}

func (w *apiWriter) incident(i status.Issue) apiIncident {
	confirmed, flapping := i.Confirmed, i.Flapping
	a := apiIncident{
		ID: i.ID, Name: oneLine(i.Title), Status: string(i.State), Impact: string(i.Impact),
		CreatedAt: apiTime(i.CreatedAt), UpdatedAt: apiTime(latest(i.CreatedAt, issueChanged(&i))),
		MonitoringAt: nullableTime(i.MonitoringAt), ResolvedAt: nullableTime(i.ResolvedAt),
		StartedAt: apiTime(i.StartedAt), Shortlink: w.publicURL + "/issues/" + i.ID, PageID: w.page.ID,
		Updates: w.updates(i.Updates), Components: []apiComponent{}, Origin: i.Origin, Confirmed: &confirmed, Flapping: &flapping,
	}
	if u, is := i.Postmortem(); is {
		notified := !u.Silent
		a.PostmortemBody, a.PostmortemNotified = nullable(visible(u.Body)), &notified
		a.PostmortemAt, a.PostmortemEdited = nullableTime(u.DisplayAt), nullableTime(latest(u.CreatedAt, u.EditedAt))
	}
	for n := range a.Updates {
		if a.Updates[n].Status == status.StateMerged { // which Statuspage does not know
			a.Updates[n].Status = string(status.Resolved)
		}
	}
	for _, c := range w.worst(i) {
		if known, public := w.all[c.ComponentID]; public {
			a.Components = append(a.Components, known)
		}
	}
	return a
}

func (w *apiWriter) maintenance(m status.Maintenance) apiMaintenance {
	started := m.StartedAt
	if started.IsZero() {
		started = m.ScheduledFor
	}
	a := apiIncident{
		ID: m.ID, Name: oneLine(m.Title), Status: apiWorkState(string(m.State)), Impact: string(status.IndicatorMaintenance),
		CreatedAt: apiTime(m.CreatedAt), UpdatedAt: apiTime(workChanged(m)), ResolvedAt: nullableTime(m.EndedAt),
		StartedAt: apiTime(started), Shortlink: w.publicURL + "/maintenance/" + m.ID, PageID: w.page.ID,
		Updates: w.updates(m.Updates), Components: []apiComponent{},
	}
	for _, id := range m.Components {
		if known, public := w.all[id]; public {
			a.Components = append(a.Components, known)
		}
	}
	for n := range a.Updates {
		a.Updates[n].Status = apiWorkState(a.Updates[n].Status)
	}
	return apiMaintenance{a, apiTime(m.ScheduledFor), apiTime(m.ScheduledUntil), m.State == status.Cancelled}
}

func apiWorkState(state string) string {
	if state == string(status.Cancelled) {
		return string(status.Completed)
	}
	return state
}

// updates are newest first.
func (w *apiWriter) updates(list []status.Update) []apiUpdate {
	out := []apiUpdate{}
	for _, u := range slices.Backward(list) {
		a := apiUpdate{
			ID: u.ID, Status: u.State, Body: visible(u.Body), IncidentID: u.SubjectID, CreatedAt: apiTime(u.CreatedAt),
			UpdatedAt: apiTime(latest(u.CreatedAt, u.EditedAt)), DisplayAt: apiTime(u.DisplayAt), DeliverNotifications: !u.Silent,
		}
		for _, c := range u.Changes {
			if name, public := w.names[c.ComponentID]; public {
				a.AffectedComponents = append(a.AffectedComponents, apiAffected{c.ComponentID, name, c.Old, c.New})
			}
		}
		out = append(out, a)
	}
	return out
}

// apiTime is RFC 3339 in UTC with milliseconds.
func apiTime(t time.Time) string {
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func nullableTime(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return nullable(apiTime(t))
}

func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// jsonBytes writes JSON with < > and & escaped, so that it is harmless even
// where somebody puts it into a page.
func jsonBytes(doc any) ([]byte, error) {
	b := rooms.Get().(*bytes.Buffer)
	defer rooms.Put(b)
	b.Reset()
	if err := json.NewEncoder(b).Encode(doc); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return bytes.Clone(b.Bytes()), nil
}
