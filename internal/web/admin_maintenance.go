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
)

type maintenancesPage struct {
	Ahead []maintenanceCard // running and planned, soonest first
	Over  []maintenanceCard
}

type maintenanceCard struct {
	ID, Title   string
	Look        look
	From, Until time.Time
	For         string
	Components  []string
	Overlaps    []overlap
	Series      string // id; "": it does not repeat
	Repeats     string // how, in words
	Later       []maintenanceCard
}

func (s *Server) showMaintenances(c *fiber.Ctx, _ visit) error {
	ctx := c.UserContext()
	plans, err := s.store.Maintenances(ctx, 100)
	if err != nil {
		return err
	}
	d, err := s.directory(ctx)
	if err != nil {
		return err
	}
	series, err := s.seriesOf(ctx, plans...)
	if err != nil {
		return err
	}
	var view maintenancesPage
	for _, m := range plans {
		card := maintenanceCardOf(m, d)
		if one, ok := series[m.SeriesID]; ok && one.EndedAt.IsZero() {
			card.Repeats = repeatWords(one.Recurrence, one.Begins)
		}
		if m.Over() {
			view.Over = append(view.Over, card)
			continue
		}
		card.Overlaps = overlapsOf(m, plans, d)
		view.Ahead = append(view.Ahead, card)
	}
	slices.SortFunc(view.Ahead, func(a, b maintenanceCard) int { return a.From.Compare(b.From) })
	view.Ahead = foldSeries(view.Ahead)
	return s.render(c, http.StatusOK, "maintenances.html", page{Title: "Maintenance", Nav: "maintenance", Data: view})
}

func maintenanceCardOf(m status.Maintenance, d directory) maintenanceCard {
	card := maintenanceCard{
		ID: m.ID, Title: m.Title, Look: maintenanceLooks[m.State], From: m.ScheduledFor, Until: m.ScheduledUntil,
		For: roughly(m.ScheduledUntil.Sub(m.ScheduledFor)), Series: m.SeriesID,
	}
	for _, id := range m.Components {
		card.Components = append(card.Components, d.name(id))
	}
	return card
}

type maintenancePage struct {
	ID       string // "" for a new one
	Version  int64
	Card     maintenanceCard
	Sheet    sheet
	Seen     sheet
	Choices  []choice
	Problem  map[string]string
	Alert    string
	Diffs    []fieldDiff
	Updates  []updateView
	Log      []entryView
	Steps    []option // states it can be taken to
	Typed    string   // of an update that was not posted
	Editable bool
	Over     bool
	Notify   string
	Overrun  *overrun
	Wordings wordings
	Silent   bool      // of an update that was not posted
	InTheWay []overlap // shown before it is saved all the same
	Series   *seriesView
	Expected []signalView // alerts that fire, and open no issue
	Repeats  []option
	Days     []option
}

func (s *Server) showNewMaintenance(c *fiber.Ctx, _ visit) error {
	// tomorrow at a quiet full hour is a better start than an empty field
	from := s.clock.Now().UTC().Truncate(time.Hour).Add(24 * time.Hour)
	blank := maintenanceSheet(status.Maintenance{ScheduledFor: from, ScheduledUntil: from.Add(time.Hour), AutoStart: true, AutoEnd: true}, status.MaintenanceSeries{})
	return s.sendMaintenance(c, http.StatusOK, maintenancePage{Sheet: blank, Editable: true})
}

func (s *Server) showMaintenance(c *fiber.Ctx, _ visit) error {
	return s.sendMaintenanceOf(c, http.StatusOK, maintenancePage{})
}

// sendMaintenanceOf fills the page of a maintenance there is; what the view
// holds already, such as typed text, stays.
func (s *Server) sendMaintenanceOf(c *fiber.Ctx, code int, view maintenancePage) error {
	ctx := c.UserContext()
	m, err := s.store.Maintenance(ctx, param(c))
	if err != nil {
		return err
	}
	d, err := s.directory(ctx)
	if err != nil {
		return err
	}
	entries, err := s.store.Entries(ctx, m.ID, 100)
	if err != nil {
		return err
	}
	series, err := s.seriesOf(ctx, m)
	if err != nil {
		return err
	}
	view.ID, view.Version, view.Card, view.Seen = m.ID, m.Version, maintenanceCardOf(m, d), maintenanceSheet(m, series[m.SeriesID])
	if view.Sheet == nil {
		view.Sheet = view.Seen
	}
	plans, err := s.store.Maintenances(ctx, 100)
	if err != nil {
		return err
	}
	if one, ok := series[m.SeriesID]; ok {
		view.Series = seriesViewOf(m, one, plans, d)
	}
	if view.Wordings, err = s.maintenanceWordings(ctx, "/admin/maintenance/"+m.ID+"/fill#update"); err != nil {
		return err
	}
	if view.Expected, err = s.expected(ctx, m); err != nil {
		return err
	}
	view.Card.Overlaps, view.Overrun = overlapsOf(m, plans, d), overrunOf(m, s.clock.Now())
	view.Updates, view.Log = updateViews(m.Updates), entryViews(entries, nil)
	view.Editable, view.Over, view.Steps = !m.Over(), m.Over(), maintenanceSteps(m.State)
	if view.Series != nil && view.Series.Goes && m.State == status.Scheduled {
		view.Steps = append(view.Steps, option{Value: cancelLater, Label: "Cancel this and all later ones"})
	}
	return s.sendMaintenance(c, code, view)
}

// mostExpected bounds the firing alerts that are asked whether they are expected.
const mostExpected = 1000

// expected lists the alerts that fire while a maintenance runs and are taken as
// its doing: its evidence, and what its matchers name.
func (s *Server) expected(ctx context.Context, m status.Maintenance) ([]signalView, error) {
	if !m.Running() {
		return nil, nil
	}
	evidence, err := s.store.IssueSignals(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	list := slices.DeleteFunc(evidence, func(sig status.Signal) bool { return !sig.Firing })
	if len(m.Expected) == 0 {
		return s.signalViews(list), nil
	}
	firing, err := s.store.SignalsAfter(ctx, true, false, status.SignalKey{}, mostExpected)
	if err != nil {
		return nil, err
	}
	for _, sig := range firing {
		if m.Expects(sig) && !slices.ContainsFunc(list, func(have status.Signal) bool { return have.Key == sig.Key }) {
			list = append(list, sig)
		}
	}
	return s.signalViews(list), nil
}

// cancelLater is the step that ends a series.
const cancelLater = "cancelled-later"

// maintenanceSteps are the states that follow, in words of doing.
func maintenanceSteps(from status.MaintenanceState) []option {
	start := option{Value: string(status.InProgress), Label: "Start now"}
	verify := option{Value: string(status.Verifying), Label: "Verify"}
	end := option{Value: string(status.Completed), Label: "Complete"}
	cancel := option{Value: string(status.Cancelled), Label: "Cancel it"}
	switch from {
	case status.Scheduled:
		return []option{start, cancel}
	case status.InProgress:
		return []option{verify, end, cancel}
	case status.Verifying:
		return []option{end, cancel}
	}
	return nil
}

func (s *Server) sendMaintenance(c *fiber.Ctx, code int, view maintenancePage) error {
	var err error
	if view.Choices, err = s.everyComponent(c.UserContext(), strings.Fields(view.Sheet["components"])); err != nil {
		return err
	}
	if view.Notify, err = s.whoIsTold(c.UserContext()); err != nil {
		return err
	}
	view.Repeats, view.Days = repeatOptions(view.Sheet["repeat"]), dayOptions(view.Sheet["days"])
	if view.Problem == nil {
		view.Problem = map[string]string{}
	}
	title := "Plan maintenance"
	if view.ID != "" {
		title = view.Card.Title
	}
	return s.render(c, code, "maintenance.html", page{Title: title, Nav: "maintenance", Data: view})
}

func (s *Server) everyComponent(ctx context.Context, ticked []string) ([]choice, error) {
	d, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	var list []choice
	for _, comp := range d.components {
		list = append(list, choice{ID: comp.ID, Name: comp.Name, Chosen: slices.Contains(ticked, comp.ID)})
	}
	return list, nil
}

func (s *Server) scheduleMaintenance(c *fiber.Ctx, v visit) error {
	f := form(c)
	sh := readMaintenanceSheet(f)
	m, err := sh.maintenance("", 0)
	if err == nil {
		if found, asks, err := s.asksFirst(c, sh, m, nil, f); asks || err != nil {
			if err != nil {
				return err
			}
			return s.sendMaintenance(c, http.StatusOK, maintenancePage{Sheet: sh, Editable: true, InTheWay: found, Alert: overlapsAlert})
		}
	}
	id := ""
	if err == nil {
		edit := status.SaveMaintenance{Maintenance: m, Silent: f.Get("silent") != ""}
		edit.Recurrence, err = sh.recurrence(m.ScheduledFor)
		if err == nil {
			id, err = s.create(c.UserContext(), v, edit, func(b status.Board, since time.Time) string {
				for _, o := range b.Maintenances {
					if o.Title == m.Title && o.Body == m.Body && o.ScheduledFor.Equal(m.ScheduledFor) &&
						o.CreatedBy == v.account.Email && !o.CreatedAt.Before(since) {
						return o.ID
					}
				}
				return ""
			})
		}
	}
	return answers{then: "/admin/maintenance/" + id, done: "scheduled", invalid: func(invalid status.Invalid) error {
		return s.sendMaintenance(c, http.StatusUnprocessableEntity, maintenancePage{Sheet: sh, Editable: true, Problem: maintenanceProblem(invalid)})
	}}.answer(c, err)
}

const overlapsAlert = "Nothing was saved yet: it overlaps with what is listed below. Press the button again to save it all the same."

// asksFirst reports whether a form must be shown again because of overlaps that
// the person has not seen, and lists all there are. What the core will refuse
// anyway is left to it.
func (s *Server) asksFirst(c *fiber.Ctx, sh sheet, m status.Maintenance, was *status.Maintenance, f url.Values) ([]overlap, bool, error) {
	r, err := sh.recurrence(m.ScheduledFor)
	if err != nil || !m.ScheduledUntil.After(m.ScheduledFor) || m.ScheduledFor.IsZero() {
		return nil, false, nil
	}
	if r != nil && r.Check(m.ScheduledFor) != nil || m.Title == "" {
		return nil, false, nil
	}
	if was != nil && was.SeriesID != "" && f.Get("scope") != "later" {
		r = nil
	}
	var before []overlap
	if was != nil {
		m.State, m.SeriesID = was.State, was.SeriesID
		if before, err = s.inTheWay(c.UserContext(), *was, r); err != nil {
			return nil, false, err
		}
	}
	found, err := s.inTheWay(c.UserContext(), m, r)
	if was == nil { // the same form, sent twice, is not in its own way
		found = slices.DeleteFunc(found, func(o overlap) bool { return o.Title == m.Title && o.From.Equal(m.ScheduledFor) })
	}
	return found, len(unseen(found, before, f)) > 0, err
}

// maintenanceProblem puts the core's words at the form's inputs.
func maintenanceProblem(e status.Invalid) map[string]string {
	field := map[string]string{"scheduled_for": "from", "scheduled_until": "until", "recurrence": "repeat", "time_zone": "zone"}[e.Field]
	if field == "" {
		field = e.Field
	}
	return map[string]string{field: e.Message}
}

func (s *Server) saveMaintenance(c *fiber.Ctx, v visit) error {
	ctx, id, f := c.UserContext(), param(c), form(c)
	now, err := s.store.Maintenance(ctx, id)
	if err != nil {
		return err
	}
	series, err := s.seriesOf(ctx, now)
	if err != nil {
		return err
	}
	one := series[now.SeriesID]
	was := maintenanceSheet(now, one)
	yours, seen := readMaintenanceSheet(f), seenSheet(f, was)
	edit, err := yours.edit(id, f, was, one.Holds(now))
	if err == nil && edit.Version == now.Version {
		found, asks, err := s.asksFirst(c, yours, edit.Maintenance, &now, f)
		if err != nil {
			return err
		}
		if asks {
			return s.sendMaintenanceOf(c, http.StatusOK, maintenancePage{Sheet: yours, InTheWay: found, Alert: overlapsAlert})
		}
	}
	if err == nil {
		_, err = s.revise(ctx, v, edit)
	}
	return answers{
		then: "/admin/maintenance/" + id, done: "saved",
		conflict: func() error {
			now, err := s.store.Maintenance(ctx, id)
			if err != nil {
				return err
			}
			d, err := s.directory(ctx)
			if err != nil {
				return err
			}
			merged, diffs := merge(maintenanceFields(d), seen, maintenanceSheet(now, series[now.SeriesID]), yours)
			if settled(diffs) {
				return redirect(c, "/admin/maintenance/"+id, "saved")
			}
			return s.sendMaintenanceOf(c, http.StatusConflict, maintenancePage{
				Sheet: merged, Diffs: diffs,
				Alert: "Nothing was saved yet: somebody else changed this maintenance while you did. Compare, then save again.",
			})
		},
		invalid: func(invalid status.Invalid) error {
			return s.sendMaintenanceOf(c, http.StatusUnprocessableEntity, maintenancePage{
				Sheet: yours, Problem: maintenanceProblem(invalid),
				Alert: "Nothing was saved yet: " + invalid.Message + ".",
			})
		},
	}.answer(c, err)
}

func (s *Server) updateMaintenance(c *fiber.Ctx, v visit) error {
	ctx, id, f := c.UserContext(), param(c), form(c)
	edit := status.PostMaintenanceUpdate{
		ID: id, Version: version(f), State: status.MaintenanceState(f.Get("state")),
		Body: lines(f.Get("body")), Silent: f.Get("silent") != "",
	}
	if edit.State == cancelLater {
		edit.State, edit.Later = status.Cancelled, true
	}
	_, err := s.revise(ctx, v, edit)
	refuse := func(code int, why string) error {
		return s.sendMaintenanceOf(c, code, maintenancePage{Typed: edit.Body, Silent: edit.Silent, Alert: "Nothing was done: " + why + "."})
	}
	return answers{
		then: "/admin/maintenance/" + id, done: "updated",
		conflict: func() error {
			m, err := s.store.Maintenance(ctx, id)
			if err != nil {
				return err
			}
			if toldAlready(m, edit, v.account.Email) {
				return redirect(c, "/admin/maintenance/"+id, "updated")
			}
			return refuse(http.StatusConflict, "this maintenance changed after you loaded it. Your text is still here. Look again, then repeat")
		},
		invalid: func(invalid status.Invalid) error { return refuse(http.StatusUnprocessableEntity, invalid.Message) },
	}.answer(c, err)
}

// toldAlready recognises a form that was sent twice.
func toldAlready(m status.Maintenance, e status.PostMaintenanceUpdate, who string) bool {
	if len(m.Updates) == 0 || e.State != "" && e.State != m.State {
		return false
	}
	last := m.Updates[len(m.Updates)-1]
	return last.By == who && (e.Body == "" || last.Body == e.Body)
}
