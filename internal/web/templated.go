package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// How templates get into forms: each is a button of the form, which sends what
// is typed and gets it back with the words of the template.

// wordings are the templates as the buttons of a form.
type wordings struct {
	Buttons []status.Template
	Path    string // where the form is sent to be filled
}

// maintenanceWordings offers the templates about maintenance.
func (s *Server) maintenanceWordings(ctx context.Context, path string) (wordings, error) {
	all, err := s.store.Templates(ctx)
	w := wordings{Path: path}
	for _, t := range all {
		if t.Maintenance {
			w.Buttons = append(w.Buttons, t)
		}
	}
	return w, err
}

// wordings offers the templates that fit an issue: an opening does not resolve.
func (s *Server) wordings(ctx context.Context, path string, opening bool) (wordings, error) {
	all, err := s.store.Templates(ctx)
	w := wordings{Path: path}
	for _, t := range all {
		if !t.Maintenance && (!opening || t.State != status.Resolved) {
			w.Buttons = append(w.Buttons, t)
		}
	}
	return w, err
}

// values are what placeholders stand for in words about the issue.
func (s *Server) values(i status.Issue, d directory) map[string]string {
	v := map[string]string{
		"title": i.Title, "impact": strings.ToLower(impactLooks[i.Impact].Word), "state": strings.ToLower(stateWords[i.State]),
		"components": "our services", "started": "just now", "duration": "a short time",
	}
	var names []string
	for _, a := range i.Components {
		names = append(names, d.name(a.ComponentID))
	}
	if len(names) > 0 {
		v["components"] = inWords(names)
	}
	if now := s.clock.Now(); !i.StartedAt.IsZero() {
		v["started"] = i.StartedAt.UTC().Format("15:04 UTC")
		v["duration"] = roughly(now.Sub(i.StartedAt))
	}
	return v
}

// maintenanceValues are what placeholders stand for in words about maintenance.
func (s *Server) maintenanceValues(m status.Maintenance, d directory) map[string]string {
	begins := m.ScheduledFor
	if !m.StartedAt.IsZero() {
		begins = m.StartedAt
	}
	v := map[string]string{
		"title": m.Title, "impact": "maintenance", "state": strings.ToLower(maintenanceLooks[m.State].Word), "components": "our services",
		"started": begins.UTC().Format("15:04 UTC"), "duration": roughly(m.ScheduledUntil.Sub(m.ScheduledFor)),
	}
	var names []string
	for _, id := range m.Components {
		names = append(names, d.name(id))
	}
	if len(names) > 0 {
		v["components"] = inWords(names)
	}
	return v
}

// fillMaintenance answers the buttons of the update form of a maintenance.
// Nothing is saved.
func (s *Server) fillMaintenance(c *fiber.Ctx, _ visit) error {
	ctx, f := c.UserContext(), form(c)
	m, err := s.store.Maintenance(ctx, param(c))
	if err != nil {
		return err
	}
	d, err := s.directory(ctx)
	if err != nil {
		return err
	}
	_, body, err := s.fillBody(ctx, f, s.maintenanceValues(m, d))
	if err != nil {
		return err
	}
	return s.sendMaintenanceOf(c, http.StatusOK, maintenancePage{Typed: body, Silent: f.Get("silent") != ""})
}

// inWords writes "title", "title and state", "title, impact and state".
func inWords(list []string) string {
	n := len(list) - 1
	if n < 1 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:n], ", ") + " and " + list[n]
}

// fillIn puts the words of a template after what was typed, or in place of it
// where nobody typed it: an empty field, what stood there before, the words of
// a template.
func (s *Server) fillIn(ctx context.Context, id string, values map[string]string, title, body *string, was sheet) (status.Template, error) {
	all, err := s.store.Templates(ctx)
	if err != nil {
		return status.Template{}, err
	}
	var chosen status.Template
	ready := map[string]bool{"": true, was["body"]: true, was["title"]: true}
	for _, t := range all {
		t, b := t.Fill(values)
		ready[t], ready[b] = true, true
	}
	for _, t := range all {
		if t.ID == id {
			chosen = t
		}
	}
	if chosen.ID == "" {
		return chosen, refusal{code: http.StatusUnprocessableEntity, text: "That template was removed meanwhile. Go back: what you typed is still there."}
	}
	t, b := chosen.Fill(values)
	if t != "" && ready[*title] {
		*title = t
	}
	if ready[*body] {
		*body = b
	} else {
		*body += "\n\n" + b
	}
	return chosen, nil
}

// fillBody puts the template that a form about an update asks for into its text.
func (s *Server) fillBody(ctx context.Context, f url.Values, values map[string]string) (status.Template, string, error) {
	body, title := lines(f.Get("body")), ""
	t, err := s.fillIn(ctx, f.Get("template"), values, &title, &body, nil)
	return t, body, err
}

// fillUpdate answers the buttons of the update form. Nothing is saved.
func (s *Server) fillUpdate(c *fiber.Ctx, _ visit) error {
	ctx, f := c.UserContext(), form(c)
	i, err := s.store.Issue(ctx, param(c))
	if err != nil {
		return err
	}
	d, err := s.directory(ctx)
	if err != nil {
		return err
	}
	t, body, err := s.fillBody(ctx, f, s.values(i, d))
	if err != nil {
		return err
	}
	state := cmp.Or(string(t.State), f.Get("state"))
	return s.sendIssue(c, http.StatusOK, issueInput{update: &updateForm{
		Body: body, Silent: f.Get("silent") != "", States: stateOptions(state, status.IssueStates...),
	}})
}

// fillSheet puts the template that a form asks for, if it does, into the sheet
// of an issue.
func (s *Server) fillSheet(ctx context.Context, f url.Values, i status.Issue, d directory, sh sheet) error {
	id := f.Get("template")
	if id == "" {
		return nil
	}
	was := issueSheet(i)
	i.Title, i.Components = sh["title"], parseAffected(sh["components"])
	i.Impact, i.State = status.Impact(sh["impact"]), status.IssueState(sh["state"])
	title, body := sh["title"], sh["body"]
	t, err := s.fillIn(ctx, id, s.values(i, d), &title, &body, was)
	if err != nil {
		return err
	}
	sh["title"], sh["body"], sh["state"] = title, body, cmp.Or(string(t.State), sh["state"])
	return nil
}
