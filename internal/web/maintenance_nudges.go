package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// overlap is another maintenance of the same components in the same hours, or
// an open issue with them.
type overlap struct {
	ID, Title  string
	Issue      bool
	Components string // that both have
	From       time.Time
}

// overlapsOf lists what overlaps with a maintenance, the soonest first.
func overlapsOf(m status.Maintenance, plans []status.Maintenance, d directory) []overlap {
	var list []overlap
	for _, o := range plans {
		if o.ID == m.ID || o.SeriesID != "" && o.SeriesID == m.SeriesID || m.Over() || o.Over() || !o.ScheduledFor.Before(m.ScheduledUntil) || !m.ScheduledFor.Before(o.ScheduledUntil) {
			continue
		}
		var both []string
		for _, id := range o.Components {
			if slices.Contains(m.Components, id) {
				both = append(both, d.name(id))
			}
		}
		if len(both) > 0 {
			list = append(list, overlap{ID: o.ID, Title: o.Title, Components: strings.Join(both, ", "), From: o.ScheduledFor})
		}
	}
	slices.SortFunc(list, func(a, b overlap) int { return a.From.Compare(b.From) })
	return list
}

// soon is how near a maintenance is whose components' open issues matter.
const soon = 24 * time.Hour

// inTheWay lists what a maintenance that is about to be saved overlaps with:
// each of its first dates when it repeats, and open issues when it is near.
func (s *Server) inTheWay(ctx context.Context, m status.Maintenance, r *status.Recurrence) ([]overlap, error) {
	plans, err := s.store.Maintenances(ctx, mostPlanned)
	if err != nil {
		return nil, err
	}
	d, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	length, dates := m.ScheduledUntil.Sub(m.ScheduledFor), []time.Time{m.ScheduledFor}
	if r != nil {
		for at := range (status.MaintenanceSeries{Recurrence: *r, Begins: m.ScheduledFor}).Occurrences() {
			if dates = append(dates, at); len(dates) > status.MostAhead {
				break
			}
		}
	}
	var list []overlap
	for _, at := range dates {
		m.ScheduledFor, m.ScheduledUntil = at, at.Add(length)
		for _, o := range overlapsOf(m, plans, d) {
			if !slices.ContainsFunc(list, func(have overlap) bool { return have.ID == o.ID }) {
				list = append(list, o)
			}
		}
	}
	if dates[0].Sub(s.clock.Now()) > soon || m.Over() {
		return list, nil
	}
	issues, err := s.store.Issues(ctx, store.IssueQuery{Stages: []status.Stage{status.Published}, OpenOnly: true, Limit: 100})
	if err != nil {
		return nil, err
	}
	for _, i := range issues {
		var both []string
		for _, a := range i.Components {
			if slices.Contains(m.Components, a.ComponentID) {
				both = append(both, d.name(a.ComponentID))
			}
		}
		if len(both) > 0 {
			list = append(list, overlap{ID: i.ID, Title: i.Title, Issue: true, Components: strings.Join(both, ", "), From: i.StartedAt})
		}
	}
	return list, nil
}

// unseen leaves of overlaps those that a form does not say it has shown, and
// that were not there before.
func unseen(list, before []overlap, f url.Values) []overlap {
	return slices.DeleteFunc(slices.Clone(list), func(o overlap) bool {
		return slices.Contains(f["overlaps"], o.ID) || slices.ContainsFunc(before, func(b overlap) bool { return b.ID == o.ID })
	})
}

// overrun asks whether a maintenance that should be over takes longer.
type overrun struct {
	ID, Title  string
	Version    int64
	Until      time.Time
	Late       bool // it should be over; else it soon should
	Extensions []option
}

// endsSoon is how long before its end a running maintenance is asked about.
const endsSoon = 10 * time.Minute

// overrunOf is nil while there is nothing to ask. The buttons name the new end,
// so that one that is pressed twice extends once.
func overrunOf(m status.Maintenance, now time.Time) *overrun {
	if !m.Running() || m.ScheduledUntil.Sub(now) > endsSoon {
		return nil
	}
	v := &overrun{ID: m.ID, Title: m.Title, Version: m.Version, Until: m.ScheduledUntil, Late: m.ScheduledUntil.Before(now)}
	from := m.ScheduledUntil
	if v.Late {
		from = now.Truncate(time.Minute)
	}
	for _, d := range []time.Duration{30 * time.Minute, time.Hour} {
		v.Extensions = append(v.Extensions, option{Value: writeLocal(from.Add(d)), Label: "Extend by " + itoa(int(d/time.Minute)) + " minutes"})
	}
	return v
}

// overruns lists the running maintenances that somebody must decide on.
func (s *Server) overruns(ctx context.Context) ([]*overrun, error) {
	plans, err := s.store.Maintenances(ctx, 100)
	if err != nil {
		return nil, err
	}
	var list []*overrun
	for _, m := range plans {
		if v := overrunOf(m, s.clock.Now()); v != nil {
			list = append(list, v)
		}
	}
	return list, nil
}

// extendMaintenance moves the end of a running maintenance.
func (s *Server) extendMaintenance(c *fiber.Ctx, v visit) error {
	ctx, id, f := c.UserContext(), param(c), form(c)
	m, err := s.store.Maintenance(ctx, id)
	if err != nil {
		return err
	}
	until, err := parseLocal("until", f.Get("until"))
	if err != nil {
		return err
	}
	if m.Running() && m.ScheduledUntil.Equal(until) {
		return redirect(c, "/admin/maintenance/"+id, "extended") // sent twice
	}
	if !m.Running() || !until.After(s.clock.Now()) || !until.After(m.ScheduledUntil) {
		return s.sendMaintenanceOf(c, http.StatusUnprocessableEntity, maintenancePage{
			Alert: "Nothing was done: that page was too old. Below is how the maintenance stands now.",
		})
	}
	m.Version, m.ScheduledUntil = version(f), until
	_, err = s.revise(ctx, v, status.SaveMaintenance{Maintenance: m, Silent: f.Get("silent") != ""})
	return answers{then: "/admin/maintenance/" + id, done: "extended", conflict: func() error {
		return s.sendMaintenanceOf(c, http.StatusConflict, maintenancePage{
			Alert: "Nothing was done: this maintenance changed after you loaded it. Look again, then repeat.",
		})
	}}.answer(c, err)
}
