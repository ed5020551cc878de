package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// templatesPage lists the templates, and holds the form for a new one.
type templatesPage struct {
	List []templateView
	Form templateForm
}

type templateView struct {
	Template status.Template
	State    string // "" leaves it
}

// templateForm edits a template, or makes one (ID "").
type templateForm struct {
	ID           string
	Version      int64
	Sheet        sheet
	Seen         sheet
	States       []option
	Purposes     []option
	Problem      map[string]string
	Placeholders []string
	Alert        string
	Diffs        []fieldDiff
}

var templateFields = []sheetField{
	{"name", "Name", nil},
	{"for", "For", func(v string) string { return labelOf(purposes(""), v) }},
	{"title", "Title", nil},
	{"state", "State", func(v string) string { return cmp.Or(stateWords[status.IssueState(v)], "leaves the state") }},
	{"body", "Text", nil},
}

// forMaintenance is the purpose of a template about maintenance.
const forMaintenance = "maintenance"

func purposes(chosen string) []option {
	return []option{
		{"", "Issues", chosen == ""},
		{forMaintenance, "Updates about maintenance", chosen == forMaintenance},
	}
}

func templateSheet(t status.Template) sheet {
	purpose := ""
	if t.Maintenance {
		purpose = forMaintenance
	}
	return sheet{"for": purpose, "name": t.Name, "title": t.Title, "state": string(t.State), "body": lines(t.Body)}
}

func readTemplateSheet(f url.Values) sheet {
	yours := sheet{}
	for _, field := range templateFields {
		yours[field.name] = lines(f.Get(field.name))
	}
	return yours
}

// template puts what the sheet says on a template.
func (sh sheet) template(t status.Template) status.Template {
	t.Name, t.Title = strings.Join(strings.Fields(sh["name"]), " "), strings.Join(strings.Fields(sh["title"]), " ")
	t.State, t.Body, t.Maintenance = status.IssueState(sh["state"]), sh["body"], sh["for"] == forMaintenance
	return t
}

func newTemplateForm(t status.Template, sh sheet, invalid status.Invalid) templateForm {
	form := templateForm{
		Purposes: purposes(sh["for"]),
		ID:       t.ID, Version: t.Version, Sheet: sh, Seen: templateSheet(t), Problem: map[string]string{}, Placeholders: status.Placeholders,
		States: append([]option{{"", "Leaves the state as it is", sh["state"] == ""}}, stateOptions(sh["state"], status.IssueStates...)...),
	}
	if invalid.Field != "" {
		form.Problem[invalid.Field] = invalid.Message
	}
	return form
}

func (s *Server) showTemplates(c *fiber.Ctx, _ visit) error {
	return s.sendTemplates(c, http.StatusOK, templateSheet(status.Template{}), status.Invalid{})
}

func (s *Server) sendTemplates(c *fiber.Ctx, code int, sh sheet, invalid status.Invalid) error {
	all, err := s.store.Templates(c.UserContext())
	if err != nil {
		return err
	}
	view := templatesPage{Form: newTemplateForm(status.Template{}, sh, invalid)}
	for _, t := range all {
		view.List = append(view.List, templateView{t, stateWords[t.State]})
	}
	return s.render(c, code, "templates.html", page{Title: "Templates", Nav: "templates", Data: view})
}

func (s *Server) createTemplate(c *fiber.Ctx, v visit) error {
	yours := readTemplateSheet(form(c))
	t := yours.template(status.Template{ID: randomToken()})
	_, err := s.keepTemplate(c, v, t)
	return answers{then: "/admin/settings/templates", done: "saved", invalid: func(invalid status.Invalid) error {
		if s.templateStands(c, t) {
			return redirect(c, "/admin/settings/templates", "saved") // sent twice
		}
		return s.sendTemplates(c, http.StatusUnprocessableEntity, yours, invalid)
	}}.answer(c, err)
}

func (s *Server) showTemplate(c *fiber.Ctx, _ visit) error {
	t, err := s.store.Template(c.UserContext(), param(c))
	if err != nil {
		return err
	}
	return s.sendTemplate(c, http.StatusOK, newTemplateForm(t, templateSheet(t), status.Invalid{}))
}

func (s *Server) sendTemplate(c *fiber.Ctx, code int, form templateForm) error {
	return s.render(c, code, "template.html", page{Title: "Template: " + form.Seen["name"], Nav: "templates", Data: form})
}

func (s *Server) saveTemplate(c *fiber.Ctx, v visit) error {
	f := form(c)
	now, err := s.store.Template(c.UserContext(), param(c))
	if err != nil {
		return err
	}
	yours := readTemplateSheet(f)
	t := yours.template(now)
	t.Version = version(f)
	_, err = s.keepTemplate(c, v, t)
	return answers{
		then: "/admin/settings/templates", done: "saved",
		conflict: func() error {
			merged, diffs := merge(templateFields, seenSheet(f, templateSheet(now)), templateSheet(now), yours)
			if settled(diffs) {
				return redirect(c, "/admin/settings/templates", "saved") // sent twice
			}
			form := newTemplateForm(now, merged, status.Invalid{})
			form.Diffs, form.Alert = diffs, "Nothing was saved yet: somebody else changed this template while you did. Compare, then save again."
			return s.sendTemplate(c, http.StatusConflict, form)
		},
		invalid: func(invalid status.Invalid) error {
			return s.sendTemplate(c, http.StatusUnprocessableEntity, newTemplateForm(now, yours, invalid))
		},
	}.answer(c, err)
}

func (s *Server) removeTemplate(c *fiber.Ctx, v visit) error {
	err := s.dropTemplate(c, v, param(c), version(form(c)))
	if errors.Is(err, status.ErrNotFound) {
		err = nil // gone is what was wanted
	}
	return answers{then: "/admin/settings/templates", done: "template-removed", conflict: func() error {
		t, err := s.store.Template(c.UserContext(), param(c))
		if err != nil {
			return err
		}
		form := newTemplateForm(t, templateSheet(t), status.Invalid{})
		form.Alert = "Nothing was removed: somebody else changed this template meanwhile. Below is how it stands now."
		return s.sendTemplate(c, http.StatusConflict, form)
	}}.answer(c, err)
}

// keepTemplate saves a template, and writes it to the audit log.
func (s *Server) keepTemplate(c *fiber.Ctx, v visit, t status.Template) (status.Template, error) {
	ctx, now := c.UserContext(), s.clock.Now()
	if err := t.Check(); err != nil {
		return t, err
	}
	all, err := s.store.Templates(ctx)
	if err != nil {
		return t, err
	}
	action := "changed a template"
	if t.Version == 0 {
		action, t.CreatedAt = "added a template", now
		if n := len(all); n > 0 && t.Position == 0 {
			t.Position = all[n-1].Position + 1
		}
	}
	if slices.ContainsFunc(all, func(o status.Template) bool { return o.ID != t.ID && strings.EqualFold(o.Name, t.Name) }) {
		return t, status.Invalid{Field: "name", Message: "there is a template with this name already"}
	}
	t.UpdatedAt = now
	if t, err = s.store.SaveTemplate(ctx, t); err != nil {
		return t, err
	}
	return t, s.record(ctx, v, action, t.Name)
}

func (s *Server) dropTemplate(c *fiber.Ctx, v visit, id string, version int64) error {
	t, err := s.store.Template(c.UserContext(), id)
	if err != nil {
		return err
	}
	if err := s.store.DeleteTemplate(c.UserContext(), id, version); err != nil {
		return err
	}
	return s.record(c.UserContext(), v, "removed a template", t.Name)
}

// templateStands reports whether just this template is there already.
func (s *Server) templateStands(c *fiber.Ctx, t status.Template) bool {
	all, err := s.store.Templates(c.UserContext())
	return err == nil && slices.ContainsFunc(all, func(o status.Template) bool {
		return o.Name == t.Name && o.Title == t.Title && o.State == t.State && o.Body == t.Body && o.Maintenance == t.Maintenance
	})
}
