package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

const monthLayout = "2006-01"

// monthPage is the maintenance of a month, day by day in UTC.
type monthPage struct {
	Title      string
	Prev, Next string // months, such as 2026-01
	Before     []struct{}
	Days       []dayView
	Empty      bool
}

type dayView struct {
	Day   time.Time
	Today bool
	Plans []dayPlan
}

type dayPlan struct {
	maintenanceCard
	Continues bool // it began on an earlier day
	ToCome    bool // planned later, by its series
}

// mostPlanned bounds the maintenances that a month is picked from.
const mostPlanned = 1000

func (s *Server) showMonth(c *fiber.Ctx, _ visit) error {
	ctx, today := c.UserContext(), s.clock.Now().UTC().Truncate(24*time.Hour)
	first := monthOf(today)
	if asked := c.Query("month"); asked != "" {
		var err error
		if first, err = time.Parse(monthLayout, asked); err != nil {
			return status.ErrNotFound
		}
	}
	plans, err := s.store.Maintenances(ctx, mostPlanned)
	if err != nil {
		return err
	}
	slices.Reverse(plans) // the store lists the latest first
	series, err := s.store.SeriesGoing(ctx)
	if err != nil {
		return err
	}
	d, err := s.directory(ctx)
	if err != nil {
		return err
	}
	view := monthPage{
		Title: first.Format("January 2006"), Prev: first.AddDate(0, -1, 0).Format(monthLayout), Next: first.AddDate(0, 1, 0).Format(monthLayout),
		Before: make([]struct{}, (int(first.Weekday())+6)%7), Empty: true, // weeks begin on Monday
	}
	for day := first; day.Month() == first.Month(); day = day.AddDate(0, 0, 1) {
		v := dayView{Day: day, Today: day.Equal(today)}
		for _, m := range plans {
			if m.State != status.Cancelled && m.ScheduledFor.Before(day.AddDate(0, 0, 1)) && m.ScheduledUntil.After(day) {
				v.Plans = append(v.Plans, dayPlan{maintenanceCard: maintenanceCardOf(m, d), Continues: m.ScheduledFor.Before(day)})
				view.Empty = false
			}
		}
		if later := toCome(series, plans, day); len(later) > 0 {
			v.Plans, view.Empty = append(v.Plans, later...), false
		}
		view.Days = append(view.Days, v)
	}
	return s.render(c, http.StatusOK, "month.html", page{Title: "Maintenance in " + view.Title, Nav: "maintenance", Data: view})
}
