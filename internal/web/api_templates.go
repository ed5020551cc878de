package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

type templateAsked struct {
	Name     string `json:"name"`
	Title    string `json:"title,omitzero"`
	State    string `json:"state,omitzero"` // of an issue; left out: the template leaves the state
	Body     string `json:"body"`
	Position int    `json:"position,omitzero"` // last if left out
	// Maintenance: it is for updates about maintenance, and has no state.
	Maintenance bool `json:"maintenance,omitzero"`
}

type templateEdited struct {
	Name     *string `json:"name,omitzero"`
	Title    *string `json:"title,omitzero"`
	State    *string `json:"state,omitzero"` // "" leaves the state
	Body     *string `json:"body,omitzero"`
	Position *int    `json:"position,omitzero"`

	Maintenance *bool `json:"maintenance,omitzero"`
}

type templateShown struct {
	ID        string     `json:"id"`
	Version   int64      `json:"version"`
	Name      string     `json:"name"`
	Title     string     `json:"title"`
	State     string     `json:"state"` // "" leaves it
	Body      string     `json:"body"`
	Position  int        `json:"position"`
	UpdatedAt *time.Time `json:"updated_at"`

	Maintenance bool `json:"maintenance"` // else for issues
}

func showTemplateAPI(t status.Template) templateShown {
	return templateShown{t.ID, t.Version, t.Name, t.Title, string(t.State), t.Body, t.Position, moment(t.UpdatedAt), t.Maintenance}
}

func (s *Server) apiTemplates(c *call) (reply, error) {
	all, err := s.store.Templates(c.UserContext())
	return everything(all, showTemplateAPI), err
}

func (s *Server) apiTemplate(c *call) (reply, error) {
	t, err := s.store.Template(c.UserContext(), c.id())
	return reply{body: showTemplateAPI(t), version: t.Version}, err
}

func (s *Server) apiAddTemplate(c *call) (reply, error) {
	in, err := takeBody[templateAsked](c)
	if err != nil {
		return reply{}, err
	}
	t, err := s.keepTemplate(c.Ctx, c.visit(), status.Template{
		ID: randomToken(), Name: in.Name, Title: in.Title, State: status.IssueState(in.State), Body: in.Body, Position: in.Position, Maintenance: in.Maintenance,
	})
	return reply{body: showTemplateAPI(t), version: t.Version, location: "/templates/" + t.ID}, err
}

func (s *Server) apiEditTemplate(c *call) (reply, error) {
	in, err := takeBody[templateEdited](c)
	if err != nil {
		return reply{}, err
	}
	t, err := s.store.Template(c.UserContext(), c.id())
	if err != nil {
		return reply{}, err
	}
	if c.version > 0 {
		t.Version = c.version
	}
	change(&t.Name, in.Name)
	change(&t.Title, in.Title)
	change(&t.Maintenance, in.Maintenance)
	if in.State != nil {
		t.State = status.IssueState(*in.State)
	}
	change(&t.Body, in.Body)
	change(&t.Position, in.Position)
	t, err = s.keepTemplate(c.Ctx, c.visit(), t)
	return reply{body: showTemplateAPI(t), version: t.Version}, err
}

func (s *Server) apiRemoveTemplate(c *call) (reply, error) {
	return reply{code: http.StatusNoContent}, s.dropTemplate(c.Ctx, c.visit(), c.id(), c.version)
}

// fillAsked gives an update the words and the state of a template where it has
// none of its own.
func (s *Server) fillAsked(c *call, d directory, in *updateAsked) error {
	i, err := s.store.Issue(c.UserContext(), c.id())
	if err != nil {
		return err
	}
	t, err := s.store.Template(c.UserContext(), in.Template)
	if errors.Is(err, status.ErrNotFound) {
		return badMember("/template", "is no template")
	}
	if err != nil {
		return err
	}
	if _, body := t.Fill(s.values(i, d)); in.Body == "" {
		in.Body = body
	}
	if in.State == nil && t.State != "" {
		in.State = &t.State
	}
	return nil
}

// fillMaintenanceAsked gives an update about maintenance the words of a template
// where it has none of its own.
func (s *Server) fillMaintenanceAsked(c *call, in *maintenanceUpdateAsked) error {
	m, err := s.store.Maintenance(c.UserContext(), c.id())
	if err != nil {
		return err
	}
	d, err := s.directory(c.UserContext())
	if err != nil {
		return err
	}
	t, err := s.store.Template(c.UserContext(), in.Template)
	if errors.Is(err, status.ErrNotFound) || err == nil && !t.Maintenance {
		return badMember("/template", "is no template about maintenance")
	}
	if err != nil {
		return err
	}
	if _, body := t.Fill(s.maintenanceValues(m, d)); in.Body == "" {
		in.Body = body
	}
	return nil
}
