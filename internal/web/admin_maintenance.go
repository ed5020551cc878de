package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// localLayout is how datetime-local inputs write a moment; ours are UTC.
const localLayout = "2006-01-02T15:04"

func writeLocal(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(localLayout)
}

// parseLocal reads a datetime-local input as UTC; empty is the zero time.
func parseLocal(field, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{localLayout, localLayout + ":05"} {
		if t, err := time.ParseInLocation(layout, value, time.UTC); err == nil {
			return t, nil
		}
	}
	return time.Time{}, status.Invalid{Field: field, Message: "is not a date and time such as 2026-11-22T03:30"}
}

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
	var view maintenancesPage
	for _, m := range plans {
		card := maintenanceCardOf(m, d)
		if m.Over() {
			view.Over = append(view.Over, card)
			continue
		}
		card.Overlaps = overlapsOf(m, plans, d)
		view.Ahead = append(view.Ahead, card)
	}
	slices.SortFunc(view.Ahead, func(a, b maintenanceCard) int { return a.From.Compare(b.From) })
	return s.render(c, http.StatusOK, "maintenances.html", page{Title: "Maintenance", Nav: "maintenance", Data: view})
}

func maintenanceCardOf(m status.Maintenance, d directory) maintenanceCard {
	card := maintenanceCard{
		ID: m.ID, Title: m.Title, Look: maintenanceLooks[m.State], From: m.ScheduledFor, Until: m.ScheduledUntil,
		For: roughly(m.ScheduledUntil.Sub(m.ScheduledFor)),
	}
	for _, id := range m.Components {
		card.Components = append(card.Components, d.name(id))
	}
	return card
}

func maintenanceFields(d directory) []sheetField {
	when := func(v string) string {
		t, err := parseLocal("", v)
		if err != nil || t.IsZero() {
			return v
		}
		return utc(t)
	}
	names := func(v string) string {
		var words []string
		for _, id := range strings.Fields(v) {
			words = append(words, d.name(id))
		}
		return strings.Join(words, ", ")
	}
	return []sheetField{
		{"title", "Title", nil},
		{"body", "Description", nil},
		{"from", "Begins", when},
		{"until", "Ends", when},
		{"components", "Components", names},
		{"auto_start", "Start by itself", yesNo},
		{"auto_end", "End by itself", yesNo},
	}
}

func yesNo(v string) string {
	if v == "yes" {
		return "Yes"
	}
	return "No"
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func maintenanceSheet(m status.Maintenance) sheet {
	ids := slices.Clone(m.Components)
	slices.Sort(ids)
	return sheet{
		"title": m.Title, "body": lines(m.Body), "from": writeLocal(m.ScheduledFor), "until": writeLocal(m.ScheduledUntil),
		"components": strings.Join(ids, " "), "auto_start": yes(m.AutoStart), "auto_end": yes(m.AutoEnd),
	}
}

func readMaintenanceSheet(f url.Values) sheet {
	ids := slices.DeleteFunc(slices.Clone(f["components"]), func(id string) bool { return !validID(id) })
	slices.Sort(ids)
	return sheet{
		"title": strings.Join(strings.Fields(f.Get("title")), " "), "body": lines(f.Get("body")),
		"from": f.Get("from"), "until": f.Get("until"), "components": strings.Join(slices.Compact(ids), " "),
		"auto_start": yes(f.Get("auto_start") != ""), "auto_end": yes(f.Get("auto_end") != ""),
	}
}

func (sh sheet) maintenance(id string, version int64) (status.Maintenance, error) {
	from, err := parseLocal("from", sh["from"])
	if err != nil {
		return status.Maintenance{}, err
	}
	until, err := parseLocal("until", sh["until"])
	if err != nil {
		return status.Maintenance{}, err
	}
	return status.Maintenance{
		ID: id, Version: version, Title: sh["title"], Body: sh["body"], Components: strings.Fields(sh["components"]),
		ScheduledFor: from, ScheduledUntil: until, AutoStart: sh["auto_start"] != "", AutoEnd: sh["auto_end"] != "",
	}, nil
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
}

func (s *Server) showNewMaintenance(c *fiber.Ctx, _ visit) error {
	// tomorrow at a quiet full hour is a better start than an empty field
	from := s.clock.Now().UTC().Truncate(time.Hour).Add(24 * time.Hour)
	blank := maintenanceSheet(status.Maintenance{ScheduledFor: from, ScheduledUntil: from.Add(time.Hour), AutoStart: true, AutoEnd: true})
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
	view.ID, view.Version, view.Card, view.Seen = m.ID, m.Version, maintenanceCardOf(m, d), maintenanceSheet(m)
	if view.Sheet == nil {
		view.Sheet = view.Seen
	}
	plans, err := s.store.Maintenances(ctx, 100)
	if err != nil {
		return err
	}
	view.Card.Overlaps, view.Overrun = overlapsOf(m, plans, d), overrunOf(m, s.clock.Now())
	view.Updates, view.Log = updateViews(m.Updates), entryViews(entries, nil)
	view.Editable, view.Over, view.Steps = !m.Over(), m.Over(), maintenanceSteps(m.State)
	return s.sendMaintenance(c, code, view)
}

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
	id := ""
	if err == nil {
		edit := status.SaveMaintenance{Maintenance: m, Silent: f.Get("silent") != ""}
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
	var invalid status.Invalid
	if errors.As(err, &invalid) {
		return s.sendMaintenance(c, http.StatusUnprocessableEntity, maintenancePage{Sheet: sh, Editable: true, Problem: maintenanceProblem(invalid)})
	}
	if err != nil {
		return err
	}
	return redirect(c, "/admin/maintenance/"+id, "scheduled")
}

// maintenanceProblem puts the core's words at the form's inputs.
func maintenanceProblem(e status.Invalid) map[string]string {
	field := map[string]string{"scheduled_for": "from", "scheduled_until": "until"}[e.Field]
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
	yours, seen := readMaintenanceSheet(f), seenSheet(f, maintenanceSheet(now))
	m, err := yours.maintenance(id, version(f))
	if err == nil {
		_, err = s.revise(ctx, v, status.SaveMaintenance{Maintenance: m, Silent: f.Get("silent") != ""})
	}
	var invalid status.Invalid
	switch {
	case errors.Is(err, status.ErrConflict):
		if now, err = s.store.Maintenance(ctx, id); err != nil {
			return err
		}
		d, err := s.directory(ctx)
		if err != nil {
			return err
		}
		merged, diffs := merge(maintenanceFields(d), seen, maintenanceSheet(now), yours)
		if settled(diffs) {
			return redirect(c, "/admin/maintenance/"+id, "saved")
		}
		return s.sendMaintenanceOf(c, http.StatusConflict, maintenancePage{
			Sheet: merged, Diffs: diffs,
			Alert: "Nothing was saved yet: somebody else changed this maintenance while you did. Compare, then save again.",
		})
	case errors.As(err, &invalid):
		return s.sendMaintenanceOf(c, http.StatusUnprocessableEntity, maintenancePage{
			Sheet: yours, Problem: maintenanceProblem(invalid),
			Alert: "Nothing was saved yet: " + invalid.Message + ".",
		})
	case err != nil:
		return err
	}
	return redirect(c, "/admin/maintenance/"+id, "saved")
}

func (s *Server) updateMaintenance(c *fiber.Ctx, v visit) error {
	ctx, id, f := c.UserContext(), param(c), form(c)
	edit := status.PostMaintenanceUpdate{
		ID: id, Version: version(f), State: status.MaintenanceState(f.Get("state")),
		Body: lines(f.Get("body")), Silent: f.Get("silent") != "",
	}
	_, err := s.revise(ctx, v, edit)
	var invalid status.Invalid
	switch {
	case errors.Is(err, status.ErrConflict):
		m, err := s.store.Maintenance(ctx, id)
		if err != nil {
			return err
		}
		if toldAlready(m, edit, v.account.Email) {
			return redirect(c, "/admin/maintenance/"+id, "updated")
		}
		return s.sendMaintenanceOf(c, http.StatusConflict, maintenancePage{
			Typed: edit.Body,
			Alert: "Nothing was done: this maintenance changed after you loaded it. Your text is still here. Look again, then repeat.",
		})
	case errors.As(err, &invalid):
		return s.sendMaintenanceOf(c, http.StatusUnprocessableEntity, maintenancePage{Typed: edit.Body, Alert: "Nothing was done: " + invalid.Message + "."})
	case err != nil:
		return err
	}
	return redirect(c, "/admin/maintenance/"+id, "updated")
}

// toldAlready recognises a form that was sent twice.
func toldAlready(m status.Maintenance, e status.PostMaintenanceUpdate, who string) bool {
	if len(m.Updates) == 0 || e.State != "" && e.State != m.State {
		return false
	}
	last := m.Updates[len(m.Updates)-1]
	return last.By == who && (e.Body == "" || last.Body == e.Body)
}
