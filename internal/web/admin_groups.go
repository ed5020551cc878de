package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

func groupSheet(g status.Group) sheet {
	return sheet{"name": g.Name, "description": lines(g.Description)}
}

func readGroupSheet(f url.Values) sheet {
	return sheet{"name": strings.Join(strings.Fields(f.Get("name")), " "), "description": lines(f.Get("description"))}
}

func groupFields(directory) []sheetField {
	return []sheetField{{"name", "Name", nil}, {"description", "Description", nil}}
}

func (s *Server) groupPart() outlinePart {
	return outlinePart{"group", groupFields, func(d directory, id string) (sheet, error) {
		g, err := d.group(id)
		return groupSheet(g), err
	}, s.sendGroup}
}

func (s *Server) showNewGroup(c *fiber.Ctx, _ visit) error {
	return s.sendGroup(c, http.StatusOK, editPage{})
}

func (s *Server) showGroup(c *fiber.Ctx, _ visit) error {
	return s.sendGroup(c, http.StatusOK, editPage{ID: param(c)})
}

func (s *Server) sendGroup(c *fiber.Ctx, code int, view editPage) error {
	title := "New group"
	view.Seen = groupSheet(status.Group{})
	if view.ID != "" {
		d, err := s.directory(c.UserContext())
		if err != nil {
			return err
		}
		g, err := d.group(view.ID)
		if err != nil {
			return err
		}
		title, view.Version, view.Seen = g.Name, g.Version, groupSheet(g)
	}
	if view.Sheet == nil {
		view.Sheet = view.Seen
	}
	if view.Problem == nil {
		view.Problem = map[string]string{}
	}
	return s.render(c, code, "group.html", page{Title: title, Nav: "components", Data: view})
}

// saveGroup creates a group, or changes the one of the path.
func (s *Server) saveGroup(c *fiber.Ctx, v visit) error {
	ctx, f := c.UserContext(), form(c)
	d, err := s.directory(ctx)
	if err != nil {
		return err
	}
	yours, seen, g := readGroupSheet(f), sheet{}, status.Group{Position: len(d.groups)}
	if id := c.Params("id"); id != "" {
		if g, err = d.group(id); err != nil {
			return err
		}
		seen = seenSheet(f, groupSheet(g))
		if !shows(f, groupSheet(g)) {
			g.Version = version(f)
		}
	}
	g.Name, g.Description = yours["name"], yours["description"]
	_, err = s.create(ctx, v, status.SaveGroup{Group: g}, func(b status.Board, since time.Time) string {
		for _, o := range b.Groups {
			if g.ID == "" && o.Name == g.Name && !o.Archived && !o.CreatedAt.Before(since) {
				return o.ID
			}
		}
		return ""
	})
	again := func() error { return s.saveGroup(c, v) }
	return s.answerSaved(c, s.groupPart(), g.ID, seen, yours, err, again)
}

func (s *Server) moveGroup(c *fiber.Ctx, v visit) error {
	d, err := s.directory(c.UserContext())
	if err != nil {
		return err
	}
	if _, err := d.group(param(c)); err != nil {
		return err
	}
	var ids []string
	for _, g := range d.groups {
		ids = append(ids, g.ID)
	}
	return s.move(c, v, ids, func(ids []string) status.Reorder { return status.Reorder{Groups: ids} })
}

func (s *Server) removeGroup(c *fiber.Ctx, v visit) error {
	_, err := s.revise(c.UserContext(), v, status.ArchiveGroup{ID: param(c), Version: version(form(c))})
	return s.answerRemoved(c, s.groupPart(), err)
}
