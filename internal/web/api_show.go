package web

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// What the API shows. Moments that have not come are null; lists are never.

var timeType = reflect.TypeFor[time.Time]()

// moment is a time as the API shows it, nil for none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

type issueShown struct {
	ID          string            `json:"id"`
	Version     int64             `json:"version"`
	Title       string            `json:"title"`
	State       status.IssueState `json:"state"`
	Impact      status.Impact     `json:"impact"`
	Stage       status.Stage      `json:"stage"`
	Origin      status.Origin     `json:"origin"`
	Confirmed   bool              `json:"confirmed"`
	Flapping    bool              `json:"flapping"`
	Components  []affectedShown   `json:"components"`
	Held        []heldShown       `json:"held"`
	Suggestions []suggestionShown `json:"suggestions"`
	Rule        string            `json:"rule"`
	GroupLabels map[string]string `json:"group_labels"`
	StartedAt   *time.Time        `json:"started_at"`
	CreatedAt   *time.Time        `json:"created_at"`
	PublishedAt *time.Time        `json:"published_at"`
	MonitoredAt *time.Time        `json:"monitoring_at"`
	ResolvedAt  *time.Time        `json:"resolved_at"`
	ResolvedBy  string            `json:"resolved_by"`
	MergedInto  *string           `json:"merged_into"` // id of the issue that goes on in its place
	Postmortem  postmortemShown   `json:"postmortem"`
	UpdatedAt   *time.Time        `json:"updated_at"`
	Updates     []updateShown     `json:"updates"`
	URL         *string           `json:"url"` // of the public page, null while it is not public
}

func (i issueShown) version() int64 { return i.Version }

type postmortemShown struct {
	Draft       string     `json:"draft"` // not published
	Body        string     `json:"body"`  // as customers read it, "" while it is not published
	PublishedAt *time.Time `json:"published_at"`
	EditedAt    *time.Time `json:"edited_at"`
}

type affectedShown struct {
	ComponentID string                 `json:"component_id"`
	Component   string                 `json:"component"` // slug, the id when it is gone
	Name        string                 `json:"name"`
	Status      status.ComponentStatus `json:"status"`
}

type heldShown struct {
	Field status.Field `json:"field"`
	By    string       `json:"by"`
	At    *time.Time   `json:"at"`
}

type suggestionShown struct {
	Field  status.Field `json:"field"`
	Value  string       `json:"value"`
	Reason string       `json:"reason"`
	At     *time.Time   `json:"at"`
	// DeclinedBy is who keeps the field as it is, "" while it waits.
	DeclinedBy string `json:"declined_by"`
}

type updateShown struct {
	ID        string     `json:"id"`
	State     string     `json:"state"`
	Body      string     `json:"body"`
	By        string     `json:"by"`
	CreatedAt *time.Time `json:"created_at"`
	DisplayAt *time.Time `json:"display_at"`
	EditedAt  *time.Time `json:"edited_at"`
	Silent    bool       `json:"silent"`
}

func (s *Server) showIssueAPI(d directory) func(status.Issue) issueShown {
	return func(i status.Issue) issueShown {
		v := issueShown{
			ID: i.ID, Version: i.Version, Title: i.Title, State: i.State, Impact: i.Impact, Stage: i.Stage, Origin: i.Origin,
			Confirmed: i.Confirmed, Flapping: i.Flapping, Rule: i.Rule, GroupLabels: map[string]string{}, ResolvedBy: i.ResolvedBy,
			StartedAt: moment(i.StartedAt), CreatedAt: moment(i.CreatedAt), PublishedAt: moment(i.PublishedAt),
			MonitoredAt: moment(i.MonitoringAt), ResolvedAt: moment(i.ResolvedAt), UpdatedAt: moment(i.UpdatedAt),
			Updates: updatesShown(i.Updates),
		}
		maps.Copy(v.GroupLabels, i.GroupLabels)
		for _, a := range i.Components {
			v.Components = append(v.Components, affectedShown{a.ComponentID, d.slug(a.ComponentID), d.name(a.ComponentID), a.Status})
		}
		for _, f := range status.Fields {
			if h, held := i.Held[f]; held {
				v.Held = append(v.Held, heldShown{f, h.By, moment(h.At)})
			}
		}
		for _, sg := range i.Suggestions {
			v.Suggestions = append(v.Suggestions, suggestionShown{sg.Field, sg.Value, sg.Reason, moment(sg.At), sg.DeclinedBy})
		}
		if i.MergedInto != "" {
			v.MergedInto = &i.MergedInto
		}
		v.Postmortem.Draft = i.PostmortemDraft
		if u, is := i.Postmortem(); is {
			v.Postmortem.Body, v.Postmortem.PublishedAt, v.Postmortem.EditedAt = u.Body, moment(u.DisplayAt), moment(u.EditedAt)
		}
		if i.Public() {
			url := s.site.origin + "/issues/" + i.ID
			v.URL = &url
		}
		return v
	}
}

func updatesShown(updates []status.Update) []updateShown {
	var out []updateShown
	for _, u := range updates {
		out = append(out, updateShown{
			ID: u.ID, State: u.State, Body: u.Body, By: u.By, Silent: u.Silent,
			CreatedAt: moment(u.CreatedAt), DisplayAt: moment(u.DisplayAt), EditedAt: moment(u.EditedAt),
		})
	}
	return out
}

// slug is how rules name the component; one that is gone keeps its id.
func (d directory) slug(id string) string {
	if c, err := d.component(id); err == nil {
		return c.Slug
	}
	return id
}

func (d directory) slugs(ids []string) []string {
	var out []string
	for _, id := range ids {
		out = append(out, d.slug(id))
	}
	return out
}

// find reads a component's id or slug. What is neither stays, and is refused
// where it is used.
func (d directory) find(name string) string {
	for _, c := range d.components {
		if c.ID == name || c.Slug == name {
			return c.ID
		}
	}
	return name
}

type maintenanceShown struct {
	ID             string                  `json:"id"`
	Version        int64                   `json:"version"`
	Title          string                  `json:"title"`
	Body           string                  `json:"body"`
	State          status.MaintenanceState `json:"state"`
	Components     []string                `json:"components"` // slugs
	Expected       []string                `json:"expected"`   // matchers
	ScheduledFor   *time.Time              `json:"scheduled_for"`
	ScheduledUntil *time.Time              `json:"scheduled_until"`
	AutoStart      bool                    `json:"auto_start"`
	AutoEnd        bool                    `json:"auto_end"`
	CreatedAt      *time.Time              `json:"created_at"`
	CreatedBy      string                  `json:"created_by"`
	UpdatedAt      *time.Time              `json:"updated_at"`
	StartedAt      *time.Time              `json:"started_at"`
	EndedAt        *time.Time              `json:"ended_at"`
	Updates        []updateShown           `json:"updates"`
	URL            string                  `json:"url"`
	Recurrence     *recurrenceShown        `json:"recurrence"` // null: it does not repeat
}

type recurrenceShown struct {
	SeriesID   string     `json:"series_id"`
	RRule      string     `json:"rrule"` // as it reads from its first occurrence on
	TimeZone   string     `json:"time_zone"`
	Begins     *time.Time `json:"begins"`     // the first occurrence
	Occurrence *time.Time `json:"occurrence"` // where the rule puts this one, wherever it was moved to
	EndedAt    *time.Time `json:"ended_at"`   // called off
}

func (m maintenanceShown) version() int64 { return m.Version }

func (s *Server) showMaintenanceAPI(d directory, series map[string]status.MaintenanceSeries) func(status.Maintenance) maintenanceShown {
	return func(m status.Maintenance) maintenanceShown {
		v := maintenanceShown{
			ID: m.ID, Version: m.Version, Title: m.Title, Body: m.Body, State: m.State, AutoStart: m.AutoStart, AutoEnd: m.AutoEnd,
			ScheduledFor: moment(m.ScheduledFor), ScheduledUntil: moment(m.ScheduledUntil), CreatedAt: moment(m.CreatedAt),
			CreatedBy: m.CreatedBy, UpdatedAt: moment(m.UpdatedAt), StartedAt: moment(m.StartedAt), EndedAt: moment(m.EndedAt),
			Updates: updatesShown(m.Updates), URL: s.site.origin + "/maintenance/" + m.ID, Components: d.slugs(m.Components),
			Expected: append([]string{}, m.Expected...),
		}
		if one, ok := series[m.SeriesID]; ok {
			v.Recurrence = &recurrenceShown{one.ID, one.Recurrence.Rule, one.Recurrence.TimeZone, moment(one.Begins), moment(m.Occurrence), moment(one.EndedAt)}
		}
		return v
	}
}

type componentShown struct {
	ID          string                 `json:"id"`
	Version     int64                  `json:"version"`
	Slug        string                 `json:"slug"`
	Name        string                 `json:"name"`
	Description string                 `json:"description"`
	GroupID     string                 `json:"group_id"` // "" when it stands alone
	Position    int                    `json:"position"`
	Status      status.ComponentStatus `json:"status"` // as set by hand, whatever issues say
	Hidden      bool                   `json:"hidden"`
	StartDate   *time.Time             `json:"start_date"`
	CreatedAt   *time.Time             `json:"created_at"`
	UpdatedAt   *time.Time             `json:"updated_at"`
}

func showComponentAPI(c status.Component) componentShown {
	return componentShown{
		ID: c.ID, Version: c.Version, Slug: c.Slug, Name: c.Name, Description: c.Description, GroupID: c.GroupID, Position: c.Position,
		Status: c.Status, Hidden: c.Hidden, StartDate: moment(c.StartDate), CreatedAt: moment(c.CreatedAt), UpdatedAt: moment(c.UpdatedAt),
	}
}

type groupShown struct {
	ID          string     `json:"id"`
	Version     int64      `json:"version"`
	Name        string     `json:"name"`
	Description string     `json:"description"`
	Position    int        `json:"position"`
	CreatedAt   *time.Time `json:"created_at"`
	UpdatedAt   *time.Time `json:"updated_at"`
}

func showGroupAPI(g status.Group) groupShown {
	return groupShown{g.ID, g.Version, g.Name, g.Description, g.Position, moment(g.CreatedAt), moment(g.UpdatedAt)}
}

type alertShown struct {
	Source      string            `json:"source"`
	Fingerprint string            `json:"fingerprint"`
	Firing      bool              `json:"firing"`
	Suppressed  bool              `json:"suppressed"` // silenced, inhibited or muted at its source
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	Rules       []string          `json:"rules"` // that want it
	StartsAt    *time.Time        `json:"starts_at"`
	EndsAt      *time.Time        `json:"ends_at"`
	SeenAt      *time.Time        `json:"seen_at"`
	Episodes    int               `json:"episodes"`
	URL         string            `json:"url"`
}

func showAlertAPI(sig status.Signal) alertShown {
	v := alertShown{
		Source: sig.Key.Source, Fingerprint: sig.Key.Fingerprint, Firing: sig.Firing, Suppressed: sig.Suppressed,
		Labels: map[string]string{}, Annotations: map[string]string{}, StartsAt: moment(sig.StartsAt), EndsAt: moment(sig.EndsAt),
		SeenAt: moment(sig.SeenAt), Episodes: sig.Episodes, URL: sig.URL,
	}
	maps.Copy(v.Labels, sig.Labels)
	maps.Copy(v.Annotations, sig.Annotations)
	for _, t := range sig.Tracks {
		if !slices.Contains(v.Rules, t.Rule) {
			v.Rules = append(v.Rules, t.Rule)
		}
	}
	return v
}

type subscriberShown struct {
	ID          string       `json:"id"`
	Mode        string       `json:"mode"` // email or webhook
	Email       string       `json:"email,omitzero"`
	Endpoint    string       `json:"endpoint,omitzero"` // of a webhook
	Secret      string       `json:"secret,omitzero"`   // of a webhook, only when it is made
	Components  []string     `json:"components"`        // slugs; none is all
	Scope       status.Scope `json:"scope"`
	Language    string       `json:"language"`
	TimeZone    string       `json:"time_zone"`
	Active      bool         `json:"active"` // confirmed, and mail arrives
	CreatedAt   *time.Time   `json:"created_at"`
	ConfirmedAt *time.Time   `json:"confirmed_at"`
	SuppressedA *time.Time   `json:"suppressed_at"`
	Suppressed  string       `json:"suppressed_why"`
}

func showSubscriberAPI(d directory) func(status.Subscriber) subscriberShown {
	return func(sub status.Subscriber) subscriberShown {
		v := subscriberShown{
			ID: sub.ID, Mode: "email", Email: sub.Email, Scope: sub.Scope, Language: sub.Language, TimeZone: sub.TimeZone, Active: sub.Active(),
			CreatedAt: moment(sub.CreatedAt), ConfirmedAt: moment(sub.ConfirmedAt), SuppressedA: moment(sub.SuppressedAt), Suppressed: sub.SuppressedWhy,
			Components: d.slugs(sub.Components),
		}
		if sub.Program() {
			v.Mode, v.Email, v.Endpoint = "webhook", "", sub.Address()
		}
		if v.Scope == "" {
			v.Scope = status.ScopeAll
		}
		return v
	}
}

type deliveryShown struct {
	ID         string       `json:"id"`
	Channel    string       `json:"channel"`
	Event      status.Event `json:"event"`
	SubjectID  string       `json:"subject_id"` // issue or maintenance
	UpdateID   string       `json:"update_id"`
	Total      int          `json:"total"`
	Sent       int          `json:"sent"`
	Failed     int          `json:"failed"`
	Bounced    int          `json:"bounced"`
	Waiting    int          `json:"waiting"`
	CreatedAt  *time.Time   `json:"created_at"`
	FinishedAt *time.Time   `json:"finished_at"`
}

func showDeliveryAPI(d status.Dispatch) deliveryShown {
	return deliveryShown{
		ID: d.ID, Channel: d.Channel, Event: d.Event, SubjectID: d.SubjectID, UpdateID: d.UpdateID, Total: d.Total, Sent: d.Sent,
		Failed: d.Failed, Bounced: d.Bounced, Waiting: d.Waiting(), CreatedAt: moment(d.CreatedAt), FinishedAt: moment(d.FinishedAt),
	}
}

type recipientShown struct {
	ID        string               `json:"id"`
	Recipient string               `json:"recipient"`
	State     status.DeliveryState `json:"state"`
	Attempt   int                  `json:"attempt"`
	LastError string               `json:"last_error"`
	SentAt    *time.Time           `json:"sent_at"`
}

func showRecipientAPI(d status.Delivery) recipientShown {
	return recipientShown{d.ID, d.Address(), d.State, d.Attempt, d.LastError, moment(d.SentAt)}
}
