package web

import (
	"net/http"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

type componentAsked struct {
	Name        string                 `json:"name"`
	Slug        string                 `json:"slug,omitzero"` // made from the name if left out
	Description string                 `json:"description,omitzero"`
	GroupID     string                 `json:"group_id,omitzero"`
	Position    *int                   `json:"position,omitzero"` // last if left out
	Status      status.ComponentStatus `json:"status,omitzero"`
	Hidden      bool                   `json:"hidden,omitzero"`
	StartDate   time.Time              `json:"start_date,omitzero"`
}

type componentEdited struct {
	Name        *string                 `json:"name,omitzero"`
	Slug        *string                 `json:"slug,omitzero"`
	Description *string                 `json:"description,omitzero"`
	GroupID     *string                 `json:"group_id,omitzero"`
	Position    *int                    `json:"position,omitzero"`
	Status      *status.ComponentStatus `json:"status,omitzero"`
	Hidden      *bool                   `json:"hidden,omitzero"`
	StartDate   *time.Time              `json:"start_date,omitzero"`
}

type groupAsked struct {
	Name        string `json:"name"`
	Description string `json:"description,omitzero"`
	Position    *int   `json:"position,omitzero"`
}

type groupEdited struct {
	Name        *string `json:"name,omitzero"`
	Description *string `json:"description,omitzero"`
	Position    *int    `json:"position,omitzero"`
}

func (s *Server) apiComponents(c *call) (reply, error) {
	d, err := s.directory(c.UserContext())
	return everything(d.components, showComponentAPI), err
}

func (s *Server) apiComponent(c *call) (reply, error) { return s.componentReply(c, c.id()) }

func (s *Server) componentReply(c *call, id string) (reply, error) {
	comp, _, err := s.componentOf(c, id)
	return reply{body: showComponentAPI(comp), version: comp.Version}, err
}

// componentOf finds a component by id or slug.
func (s *Server) componentOf(c *call, name string) (status.Component, directory, error) {
	d, err := s.directory(c.UserContext())
	if err != nil {
		return status.Component{}, d, err
	}
	comp, err := d.component(d.find(name))
	return comp, d, err
}

func (s *Server) apiAddComponent(c *call) (reply, error) {
	in, err := takeBody[componentAsked](c)
	if err != nil {
		return reply{}, err
	}
	d, err := s.directory(c.UserContext())
	if err != nil {
		return reply{}, err
	}
	comp := status.Component{
		Name: in.Name, Slug: in.Slug, Description: in.Description, GroupID: in.GroupID, Position: len(d.components),
		Status: in.Status, Hidden: in.Hidden, StartDate: in.StartDate,
	}
	change(&comp.Position, in.Position)
	id, err := s.revise(c.UserContext(), c.visit(), status.SaveComponent{Component: comp})
	if err != nil {
		return reply{}, err
	}
	r, err := s.componentReply(c, id)
	r.location = "/components/" + id
	return r, err
}

func (s *Server) apiEditComponent(c *call) (reply, error) {
	in, err := takeBody[componentEdited](c)
	if err != nil {
		return reply{}, err
	}
	comp, _, err := s.componentOf(c, c.id())
	if err != nil {
		return reply{}, err
	}
	if c.version > 0 {
		comp.Version = c.version
	}
	change(&comp.Name, in.Name)
	change(&comp.Slug, in.Slug)
	change(&comp.Description, in.Description)
	change(&comp.GroupID, in.GroupID)
	change(&comp.Position, in.Position)
	change(&comp.Status, in.Status)
	change(&comp.Hidden, in.Hidden)
	change(&comp.StartDate, in.StartDate)
	if _, err := s.revise(c.UserContext(), c.visit(), status.SaveComponent{Component: comp}); err != nil {
		return reply{}, err
	}
	return s.componentReply(c, comp.ID)
}

func (s *Server) apiRemoveComponent(c *call) (reply, error) {
	comp, _, err := s.componentOf(c, c.id())
	if err != nil {
		return reply{}, err
	}
	_, err = s.revise(c.UserContext(), c.visit(), status.ArchiveComponent{ID: comp.ID, Version: c.version})
	return reply{code: http.StatusNoContent}, err
}

func (s *Server) apiGroups(c *call) (reply, error) {
	d, err := s.directory(c.UserContext())
	return everything(d.groups, showGroupAPI), err
}

func (s *Server) apiGroup(c *call) (reply, error) { return s.groupReply(c, c.id()) }

func (s *Server) groupReply(c *call, id string) (reply, error) {
	d, err := s.directory(c.UserContext())
	if err != nil {
		return reply{}, err
	}
	g, err := d.group(id)
	return reply{body: showGroupAPI(g), version: g.Version}, err
}

func (s *Server) apiAddGroup(c *call) (reply, error) {
	in, err := takeBody[groupAsked](c)
	if err != nil {
		return reply{}, err
	}
	d, err := s.directory(c.UserContext())
	if err != nil {
		return reply{}, err
	}
	g := status.Group{Name: in.Name, Description: in.Description, Position: len(d.groups)}
	change(&g.Position, in.Position)
	id, err := s.revise(c.UserContext(), c.visit(), status.SaveGroup{Group: g})
	if err != nil {
		return reply{}, err
	}
	r, err := s.groupReply(c, id)
	r.location = "/groups/" + id
	return r, err
}

func (s *Server) apiEditGroup(c *call) (reply, error) {
	in, err := takeBody[groupEdited](c)
	if err != nil {
		return reply{}, err
	}
	d, err := s.directory(c.UserContext())
	if err != nil {
		return reply{}, err
	}
	g, err := d.group(c.id())
	if err != nil {
		return reply{}, err
	}
	if c.version > 0 {
		g.Version = c.version
	}
	change(&g.Name, in.Name)
	change(&g.Description, in.Description)
	change(&g.Position, in.Position)
	if _, err := s.revise(c.UserContext(), c.visit(), status.SaveGroup{Group: g}); err != nil {
		return reply{}, err
	}
	return s.groupReply(c, g.ID)
}

func (s *Server) apiRemoveGroup(c *call) (reply, error) {
	_, err := s.revise(c.UserContext(), c.visit(), status.ArchiveGroup{ID: c.id(), Version: c.version})
	return reply{code: http.StatusNoContent}, err
}
