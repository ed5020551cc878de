package web

import (
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

type maintenanceAsked struct {
	Title          string    `json:"title"`
	Body           string    `json:"body,omitzero"`
	Components     []string  `json:"components,omitzero"` // slugs or ids
	Expected       []string  `json:"expected,omitzero"`   // matchers of alerts that the work sets off
	ScheduledFor   time.Time `json:"scheduled_for"`
	ScheduledUntil time.Time `json:"scheduled_until"`
	AutoStart      bool      `json:"auto_start,omitzero"`
	AutoEnd        bool      `json:"auto_end,omitzero"`
	Silent         bool      `json:"silent,omitzero"`
	// Recurrence makes it the first of a series.
	Recurrence *recurrenceAsked `json:"recurrence,omitzero"`
}

type recurrenceAsked struct {
	RRule    string `json:"rrule"`              // RFC 5545; "" ends the series
	TimeZone string `json:"time_zone,omitzero"` // IANA; "" is UTC
}

func (r *recurrenceAsked) recurrence() *status.Recurrence {
	if r == nil {
		return nil
	}
	return &status.Recurrence{Rule: r.RRule, TimeZone: r.TimeZone}
}

type maintenanceEdited struct {
	Title          *string    `json:"title,omitzero"`
	Body           *string    `json:"body,omitzero"`
	Components     *[]string  `json:"components,omitzero"`
	Expected       *[]string  `json:"expected,omitzero"`
	ScheduledFor   *time.Time `json:"scheduled_for,omitzero"`
	ScheduledUntil *time.Time `json:"scheduled_until,omitzero"`
	AutoStart      *bool      `json:"auto_start,omitzero"`
	AutoEnd        *bool      `json:"auto_end,omitzero"`
	Silent         bool       `json:"silent,omitzero"`
	Later          bool       `json:"later,omitzero"` // all later occurrences of its series, too

	Recurrence *recurrenceAsked `json:"recurrence,omitzero"`
}

type maintenanceUpdateAsked struct {
	Body     string                  `json:"body,omitzero"`
	State    status.MaintenanceState `json:"state,omitzero"`
	Silent   bool                    `json:"silent,omitzero"`
	Template string                  `json:"template,omitzero"` // id of one that gives the body that is left out
	Later    bool                    `json:"later,omitzero"`    // with cancelled: all later occurrences, too
}

func (d directory) findAll(names []string) []string {
	ids := []string{}
	for _, name := range names {
		ids = append(ids, d.find(name))
	}
	return ids
}

// change puts what was sent over what is.
func change[T any](what *T, sent *T) {
	if sent != nil {
		*what = *sent
	}
}

func (s *Server) apiMaintenances(c *call) (reply, error) {
	limit, after, err := c.page()
	if err != nil {
		return reply{}, err
	}
	found, err := s.store.MaintenancesAfter(c.UserContext(), status.MaintenanceState(c.Query("state")), after, limit+1)
	if err != nil {
		return reply{}, err
	}
	d, err := s.directory(c.UserContext())
	if err != nil {
		return reply{}, err
	}
	series, err := s.seriesOf(c.UserContext(), found...)
	if err != nil {
		return reply{}, err
	}
	return paged(c, found, limit, s.showMaintenanceAPI(d, series), func(m status.Maintenance) []string { return byTime(m.CreatedAt, m.ID) }), nil
}

func (s *Server) apiMaintenance(c *call) (reply, error) { return s.maintenanceReply(c, c.id()) }

func (s *Server) maintenanceReply(c *call, id string) (reply, error) {
	m, err := s.store.Maintenance(c.UserContext(), id)
	if err != nil {
		return reply{}, err
	}
	d, err := s.directory(c.UserContext())
	if err != nil {
		return reply{}, err
	}
	series, err := s.seriesOf(c.UserContext(), m)
	if err != nil {
		return reply{}, err
	}
	return versioned(s.showMaintenanceAPI(d, series)(m))
}

func (s *Server) apiPlanMaintenance(c *call) (reply, error) {
	in, err := takeBody[maintenanceAsked](c)
	if err != nil {
		return reply{}, err
	}
	d, err := s.directory(c.UserContext())
	if err != nil {
		return reply{}, err
	}
	id, err := s.revise(c.UserContext(), c.visit(), status.SaveMaintenance{Silent: in.Silent, Recurrence: in.Recurrence.recurrence(), Maintenance: status.Maintenance{
		Title: in.Title, Body: in.Body, Components: d.findAll(in.Components), ScheduledFor: in.ScheduledFor, ScheduledUntil: in.ScheduledUntil,
		AutoStart: in.AutoStart, AutoEnd: in.AutoEnd, Expected: in.Expected,
	}})
	if err != nil {
		return reply{}, err
	}
	r, err := s.maintenanceReply(c, id)
	r.location = "/maintenance/" + id
	return r, err
}

func (s *Server) apiEditMaintenance(c *call) (reply, error) {
	in, err := takeBody[maintenanceEdited](c)
	if err != nil {
		return reply{}, err
	}
	m, err := s.store.Maintenance(c.UserContext(), c.id())
	if err != nil {
		return reply{}, err
	}
	d, err := s.directory(c.UserContext())
	if err != nil {
		return reply{}, err
	}
	if c.version > 0 {
		m.Version = c.version // else the one just read: what is put over it must not undo another change
	}
	change(&m.Title, in.Title)
	change(&m.Body, in.Body)
	change(&m.ScheduledFor, in.ScheduledFor)
	change(&m.ScheduledUntil, in.ScheduledUntil)
	change(&m.AutoStart, in.AutoStart)
	change(&m.AutoEnd, in.AutoEnd)
	change(&m.Expected, in.Expected)
	if in.Components != nil {
		m.Components = d.findAll(*in.Components)
	}
	if _, err := s.revise(c.UserContext(), c.visit(), status.SaveMaintenance{Maintenance: m, Silent: in.Silent, Later: in.Later, Recurrence: in.Recurrence.recurrence()}); err != nil {
		return reply{}, err
	}
	return s.maintenanceReply(c, m.ID)
}

func (s *Server) apiUpdateMaintenance(c *call) (reply, error) {
	in, err := takeBody[maintenanceUpdateAsked](c)
	if err != nil {
		return reply{}, err
	}
	if in.Template != "" {
		if err := s.fillMaintenanceAsked(c, &in); err != nil {
			return reply{}, err
		}
	}
	_, err = s.revise(c.UserContext(), c.visit(), status.PostMaintenanceUpdate{ID: c.id(), Version: c.version, State: in.State, Body: in.Body, Silent: in.Silent, Later: in.Later})
	if err != nil {
		return reply{}, err
	}
	return s.maintenanceReply(c, c.id())
}
