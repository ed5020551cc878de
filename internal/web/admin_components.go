package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

type componentsPage struct {
	Sections []componentSection
	Empty    bool
}

// componentSection is a group with its components; the first one has none.
type componentSection struct {
	ID, Name    string
	Version     int64
	First, Last bool
	Components  []componentLine
}

type componentLine struct {
	ID, Name, Slug string
	Version        int64
	Hidden         bool
	Look           look
	First, Last    bool
}

func (s *Server) showComponents(c *fiber.Ctx, _ visit) error {
	d, err := s.directory(c.UserContext())
	if err != nil {
		return err
	}
	view := componentsPage{Empty: len(d.components)+len(d.groups) == 0}
	alone := componentSection{Components: d.linesOf("")}
	if len(alone.Components) > 0 {
		view.Sections = append(view.Sections, alone)
	}
	for n, g := range d.groups {
		view.Sections = append(view.Sections, componentSection{
			ID: g.ID, Name: g.Name, Version: g.Version,
			First: n == 0, Last: n == len(d.groups)-1, Components: d.linesOf(g.ID),
		})
	}
	return s.render(c, http.StatusOK, "components.html", page{Title: "Components", Nav: "components", Data: view})
}

func (d directory) membersOf(group string) []status.Component {
	var list []status.Component
	for _, c := range d.components {
		if c.GroupID == group || group == "" && d.groupNames[c.GroupID] == "" {
			list = append(list, c)
		}
	}
	return list
}

func (d directory) linesOf(group string) []componentLine {
	members := d.membersOf(group)
	var list []componentLine
	for n, c := range members {
		list = append(list, componentLine{
			ID: c.ID, Name: c.Name, Slug: c.Slug, Version: c.Version, Hidden: c.Hidden,
			Look: statusLooks[c.Status], First: n == 0, Last: n == len(members)-1,
		})
	}
	return list
}

func componentFields(d directory) []sheetField {
	return []sheetField{
		{"name", "Name", nil},
		{"slug", "Short name", nil},
		{"description", "Description", nil},
		{"group", "Group", func(v string) string { return d.groupNames[v] }},
		{"status", "Status", func(v string) string { return statusLooks[status.ComponentStatus(v)].Word }},
		{"hidden", "Hidden", yesNo},
		{"start", "Uptime counts from", nil},
	}
}

func componentSheet(c status.Component) sheet {
	start := ""
	if !c.StartDate.IsZero() {
		start = c.StartDate.UTC().Format(time.DateOnly)
	}
	return sheet{
		"name": c.Name, "slug": c.Slug, "description": lines(c.Description), "group": c.GroupID,
		"status": string(cmp.Or(c.Status, status.Operational)), "hidden": yes(c.Hidden), "start": start,
	}
}

func readComponentSheet(f url.Values) sheet {
	return sheet{
		"name": strings.Join(strings.Fields(f.Get("name")), " "), "slug": strings.TrimSpace(f.Get("slug")),
		"description": lines(f.Get("description")), "group": f.Get("group"), "status": f.Get("status"),
		"hidden": yes(f.Get("hidden") != ""), "start": f.Get("start"),
	}
}

// onto writes the sheet's fields over a component.
func (sh sheet) onto(c status.Component) (status.Component, error) {
	c.Name, c.Slug, c.Description = sh["name"], sh["slug"], sh["description"]
	c.GroupID, c.Status, c.Hidden, c.StartDate = sh["group"], status.ComponentStatus(sh["status"]), sh["hidden"] != "", time.Time{}
	if sh["start"] == "" {
		return c, nil
	}
	start, err := time.ParseInLocation(time.DateOnly, sh["start"], time.UTC)
	if err != nil {
		return c, status.Invalid{Field: "start", Message: "is not a date such as 2026-11-22"}
	}
	c.StartDate = start
	return c, nil
}

type componentPage struct {
	editPage
	Groups   []option
	Statuses []option
}

func (s *Server) componentPart() outlinePart {
	return outlinePart{"component", componentFields, func(d directory, id string) (sheet, error) {
		c, err := d.component(id)
		return componentSheet(c), err
	}, s.sendComponent}
}

func (s *Server) showNewComponent(c *fiber.Ctx, _ visit) error {
	return s.sendComponent(c, http.StatusOK, editPage{Sheet: componentSheet(status.Component{GroupID: c.Query("group")})})
}

func (s *Server) showComponent(c *fiber.Ctx, _ visit) error {
	return s.sendComponent(c, http.StatusOK, editPage{ID: param(c)})
}

func (s *Server) sendComponent(c *fiber.Ctx, code int, edit editPage) error {
	view := componentPage{editPage: edit}
	d, err := s.directory(c.UserContext())
	if err != nil {
		return err
	}
	title := "New component"
	if view.ID != "" {
		comp, err := d.component(view.ID)
		if err != nil {
			return err
		}
		title, view.Version, view.Seen = comp.Name, comp.Version, componentSheet(comp)
	} else {
		view.Seen = sheet{}
	}
	if view.Sheet == nil {
		view.Sheet = view.Seen
	}
	view.Groups = append(view.Groups, option{"", "No group", view.Sheet["group"] == ""})
	for _, g := range d.groups {
		view.Groups = append(view.Groups, option{g.ID, g.Name, g.ID == view.Sheet["group"]})
	}
	for _, st := range status.ComponentStatuses {
		view.Statuses = append(view.Statuses, option{string(st), statusLooks[st].Word, string(st) == view.Sheet["status"]})
	}
	if view.Problem == nil {
		view.Problem = map[string]string{}
	}
	return s.render(c, code, "component.html", page{Title: title, Nav: "components", Data: view})
}

func (d directory) component(id string) (status.Component, error) {
	for _, c := range d.components {
		if c.ID == id {
			return c, nil
		}
	}
	return status.Component{}, status.ErrNotFound
}

func (d directory) group(id string) (status.Group, error) {
	for _, g := range d.groups {
		if g.ID == id {
			return g, nil
		}
	}
	return status.Group{}, status.ErrNotFound
}

// saveComponent creates a component, or changes the one of the path.
func (s *Server) saveComponent(c *fiber.Ctx, v visit) error {
	ctx, f := c.UserContext(), form(c)
	d, err := s.directory(ctx)
	if err != nil {
		return err
	}
	yours, comp, seen := readComponentSheet(f), status.Component{}, sheet{}
	if id := c.Params("id"); id != "" {
		if comp, err = d.component(id); err != nil {
			return err
		}
		seen = seenSheet(f, componentSheet(comp))
		if !shows(f, componentSheet(comp)) {
			comp.Version = version(f)
		}
	} else {
		comp.Position = len(d.components) // last
	}
	next, err := yours.onto(comp)
	if err == nil {
		if next.GroupID != comp.GroupID {
			next.Position = len(d.components)
		}
		_, err = s.create(ctx, v, status.SaveComponent{Component: next}, func(b status.Board, since time.Time) string {
			for _, o := range b.Components {
				if next.ID == "" && o.Name == next.Name && o.GroupID == next.GroupID && !o.Archived && !o.CreatedAt.Before(since) {
					return o.ID
				}
			}
			return ""
		})
	}
	again := func() error { return s.saveComponent(c, v) }
	return s.answerSaved(c, s.componentPart(), comp.ID, seen, yours, err, again)
}

// moveComponent swaps a component with its neighbour in the group. Positions
// are renumbered on the way, for they may be equal.
func (s *Server) moveComponent(c *fiber.Ctx, v visit) error {
	ctx := c.UserContext()
	d, err := s.directory(ctx)
	if err != nil {
		return err
	}
	comp, err := d.component(param(c))
	if err != nil {
		return err
	}
	var ids []string
	for _, o := range d.membersOf(comp.GroupID) {
		ids = append(ids, o.ID)
	}
	return s.move(c, v, ids, func(ids []string) status.Reorder { return status.Reorder{Components: ids} })
}

// move swaps the component or group of the path with its neighbour among the ids.
func (s *Server) move(c *fiber.Ctx, v visit, ids []string, reorder func(ids []string) status.Reorder) error {
	at := slices.Index(ids, param(c))
	if to, ok := neighbour(at, len(ids), form(c).Get("to")); ok {
		ids[at], ids[to] = ids[to], ids[at]
	}
	if _, err := s.revise(c.UserContext(), v, reorder(ids)); err != nil {
		return err
	}
	return redirect(c, outlinePath, "moved")
}

func neighbour(at, n int, to string) (int, bool) {
	switch {
	case to == "up" && at > 0:
		return at - 1, true
	case to == "down" && at >= 0 && at < n-1:
		return at + 1, true
	}
	return at, false
}

func (s *Server) removeComponent(c *fiber.Ctx, v visit) error {
	_, err := s.revise(c.UserContext(), v, status.ArchiveComponent{ID: param(c), Version: version(form(c))})
	return s.answerRemoved(c, s.componentPart(), err)
}
