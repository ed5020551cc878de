package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// historyPage is what a component went through in a month of UTC, the newest
// first, and why.
type historyPage struct {
	ID, Name, Title string
	Prev, Next      string // months, such as 2026-01; "" in the future
	Lines           []historyLine
}

// historyLine is one change, correction or decision.
type historyLine struct {
	At       time.Time
	Until    time.Time // of a correction
	Look     look
	From     string // the state before, in words
	By       string
	Kind     string // issue, maintenance, correction, setting
	Path     string // of its cause
	Cause    string
	HeldBy   string // who keeps automation from changing it
	Withdraw bool   // a correction that was withdrawn
	Before   string
}

// entriesShown is how many lines of a component's audit log are looked through.
const entriesShown = 500

func (s *Server) showComponentHistory(c *fiber.Ctx, _ visit) error {
	ctx, now := c.UserContext(), s.clock.Now().UTC()
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	this := first
	if asked := c.Query("month"); asked != "" {
		var err error
		if first, err = time.Parse(monthLayout, asked); err != nil {
			return status.ErrNotFound
		}
	}
	d, err := s.directory(ctx)
	if err != nil {
		return err
	}
	comp, err := d.component(param(c))
	if err != nil {
		return err
	}
	w := status.Window{From: first, To: first.AddDate(0, 1, 0)}
	issues, plans, err := s.store.ComponentHistory(ctx, comp.ID, w)
	if err != nil {
		return err
	}
	corrections, err := s.store.Corrections(ctx, comp.ID, entriesShown)
	if err != nil {
		return err
	}
	entries, err := s.store.Entries(ctx, comp.ID, entriesShown)
	if err != nil {
		return err
	}
	view := historyPage{ID: comp.ID, Name: comp.Name, Title: first.Format("January 2006"), Prev: first.AddDate(0, -1, 0).Format(monthLayout)}
	if first.Before(this) {
		view.Next = w.To.Format(monthLayout)
	}
	for _, i := range issues {
		cause := historyLine{Kind: "issue", Path: "/admin/issues/" + i.ID, Cause: i.Title, HeldBy: i.Held[status.FieldComponents].By}
		view.Lines = append(view.Lines, changesOf(i.Updates, comp.ID, cause)...)
	}
	for _, m := range plans {
		view.Lines = append(view.Lines, changesOf(m.Updates, comp.ID, historyLine{Kind: "maintenance", Path: "/admin/maintenance/" + m.ID, Cause: m.Title})...)
	}
	for _, k := range corrections {
		line := historyLine{
			At: k.From, Until: k.To, Look: statusLooks[k.Status], Kind: "correction", Path: "/admin/components/" + comp.ID + "/uptime",
			Cause: k.Reason, By: k.By, Withdraw: !k.WithdrawnAt.IsZero(),
		}
		view.Lines = append(view.Lines, line)
	}
	for _, e := range entries {
		view.Lines = append(view.Lines, historyLine{At: e.At, Kind: "setting", Look: look{"none", e.Action}, By: e.Actor, Cause: e.After, Before: e.Before})
	}
	view.Lines = slices.DeleteFunc(view.Lines, func(l historyLine) bool {
		if l.Kind == "correction" {
			return !l.At.Before(w.To) || !l.Until.After(w.From)
		}
		return l.At.Before(w.From) || !l.At.Before(w.To)
	})
	slices.SortStableFunc(view.Lines, func(a, b historyLine) int { return b.At.Compare(a.At) })
	return s.render(c, http.StatusOK, "history.html", page{Title: "History of " + comp.Name, Nav: "components", Data: view})
}

// changesOf lists what the updates of a cause changed on a component.
func changesOf(updates []status.Update, component string, cause historyLine) []historyLine {
	var list []historyLine
	for _, u := range updates {
		for _, change := range u.Changes {
			if change.ComponentID != component {
				continue
			}
			line := cause
			line.At, line.By, line.Look, line.From = u.DisplayAt, u.By, statusLooks[change.New], statusLooks[change.Old].Word
			list = append(list, line)
		}
	}
	return list
}
