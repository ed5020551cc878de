package web

import (
	"context"
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
	Calm            bool // nothing changed since
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

// showComponentHistory shows the month that is asked for, else the newest in which
// something changed.
func (s *Server) showComponentHistory(c *fiber.Ctx, _ visit) error {
	ctx, now := c.UserContext(), s.clock.Now().UTC()
	this := monthOf(now)
	d, err := s.directory(ctx)
	if err != nil {
		return err
	}
	comp, err := d.component(param(c))
	if err != nil {
		return err
	}
	past, err := s.pastOf(ctx, comp)
	if err != nil {
		return err
	}
	first, asked := this, c.Query("month")
	if asked == "" {
		first, err = past.newest(ctx, this)
	} else if first, err = time.Parse(monthLayout, asked); err != nil {
		return status.ErrNotFound
	}
	if err != nil {
		return err
	}
	view := historyPage{
		ID: comp.ID, Name: comp.Name, Title: first.Format("January 2006"), Prev: first.AddDate(0, -1, 0).Format(monthLayout),
		Calm: asked == "" && first.Before(this),
	}
	if first.Before(this) {
		view.Next = first.AddDate(0, 1, 0).Format(monthLayout)
	}
	if view.Lines, err = past.lines(ctx, status.Window{From: first, To: first.AddDate(0, 1, 0)}); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "history.html", page{Title: "History of " + comp.Name, Nav: "components", Data: view})
}

func monthOf(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC) }

// componentPast is what there is to tell of a component, besides the issues and
// maintenances that changed it: those are read for a window.
type componentPast struct {
	store       Store
	component   status.Component
	corrections []status.Correction
	entries     []status.Entry
}

func (s *Server) pastOf(ctx context.Context, comp status.Component) (p componentPast, err error) {
	p.store, p.component = s.store, comp
	if p.corrections, err = s.store.Corrections(ctx, comp.ID, entriesShown); err != nil {
		return p, err
	}
	p.entries, err = s.store.Entries(ctx, comp.ID, entriesShown)
	return p, err
}

// newest is the newest month up to this one in which something changed; this one when
// nothing ever did. It looks back in steps that double, for histories are long.
func (p componentPast) newest(ctx context.Context, this time.Time) (time.Time, error) {
	w := status.Window{From: this, To: this.AddDate(0, 1, 0)}
	for months := 1; ; months *= 2 {
		lines, err := p.lines(ctx, w)
		if err != nil {
			return this, err
		}
		if len(lines) > 0 {
			newest := w.From
			for _, l := range lines {
				at := l.At
				if l.Kind == "correction" {
					at = l.Until.Add(-1)
				}
				if month := monthOf(at.UTC()); month.After(newest) {
					newest = month
				}
			}
			if newest.After(this) { // a correction may reach up to now, not beyond this month
				newest = this
			}
			return newest, nil
		}
		if !w.From.After(p.component.CreatedAt) || months > 12*50 {
			return this, nil
		}
		w.From = this.AddDate(0, -months, 0)
	}
}

// lines lists what changed in a window, the newest first.
func (p componentPast) lines(ctx context.Context, w status.Window) ([]historyLine, error) {
	id := p.component.ID
	issues, plans, err := p.store.ComponentHistory(ctx, id, w)
	if err != nil {
		return nil, err
	}
	var list []historyLine
	for _, i := range issues {
		cause := historyLine{Kind: "issue", Path: "/admin/issues/" + i.ID, Cause: i.Title, HeldBy: i.Held[status.FieldComponents].By}
		list = append(list, changesOf(i.Updates, id, cause)...)
	}
	for _, m := range plans {
		list = append(list, changesOf(m.Updates, id, historyLine{Kind: "maintenance", Path: "/admin/maintenance/" + m.ID, Cause: m.Title})...)
	}
	for _, k := range p.corrections {
		list = append(list, historyLine{
			At: k.From, Until: k.To, Look: statusLooks[k.Status], Kind: "correction", Path: "/admin/components/" + id + "/uptime",
			Cause: k.Reason, By: k.By, Withdraw: !k.WithdrawnAt.IsZero(),
		})
	}
	for _, e := range p.entries {
		list = append(list, historyLine{At: e.At, Kind: "setting", Look: look{"none", e.Action}, By: e.Actor, Cause: e.After, Before: e.Before})
	}
	list = slices.DeleteFunc(list, func(l historyLine) bool {
		if l.Kind == "correction" {
			return !l.At.Before(w.To) || !l.Until.After(w.From)
		}
		return l.At.Before(w.From) || !l.At.Before(w.To)
	})
	slices.SortStableFunc(list, func(a, b historyLine) int { return b.At.Compare(a.At) })
	return list, nil
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
