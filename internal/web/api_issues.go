package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

type affectedAsked struct {
	Component string                 `json:"component"` // slug or id
	Status    status.ComponentStatus `json:"status"`
}

type issueAsked struct {
	Title      string            `json:"title"`
	Body       string            `json:"body"`
	State      status.IssueState `json:"state,omitzero"`
	Impact     status.Impact     `json:"impact,omitzero"`
	Components []affectedAsked   `json:"components,omitzero"`
	StartedAt  time.Time         `json:"started_at,omitzero"`
	Publish    bool              `json:"publish,omitzero"`
	Silent     bool              `json:"silent,omitzero"`
}

type issueEdited struct {
	Title      *string            `json:"title,omitzero"`
	Body       *string            `json:"body,omitzero"`
	State      *status.IssueState `json:"state,omitzero"`
	Impact     *status.Impact     `json:"impact,omitzero"`
	Components *[]affectedAsked   `json:"components,omitzero"`
}

// publishAsked may carry the last edits of who decides.
type publishAsked struct {
	Title      *string            `json:"title,omitzero"`
	Body       *string            `json:"body,omitzero"`
	State      *status.IssueState `json:"state,omitzero"`
	Impact     *status.Impact     `json:"impact,omitzero"`
	Components *[]affectedAsked   `json:"components,omitzero"`
	Silent     bool               `json:"silent,omitzero"`
	Except     []string           `json:"except,omitzero"` // channels that are left out this time
}

func (p publishAsked) edits() issueEdited {
	return issueEdited{p.Title, p.Body, p.State, p.Impact, p.Components}
}

type updateAsked struct {
	Body       string             `json:"body,omitzero"`
	Template   string             `json:"template,omitzero"` // id of one that gives the body and the state that are left out
	State      *status.IssueState `json:"state,omitzero"`
	Impact     *status.Impact     `json:"impact,omitzero"`
	Components *[]affectedAsked   `json:"components,omitzero"`
	Silent     bool               `json:"silent,omitzero"`
}

type resolveAsked struct {
	Body   string `json:"body,omitzero"`
	Silent bool   `json:"silent,omitzero"`
}

type fieldsAsked struct {
	Fields []status.Field `json:"fields"`
}

func (d directory) asked(list *[]affectedAsked) *[]status.Affected {
	if list == nil {
		return nil
	}
	out := []status.Affected{}
	for _, a := range *list {
		out = append(out, status.Affected{ComponentID: d.find(a.Component), Status: a.Status})
	}
	return &out
}

func (e issueEdited) edit(c *call, d directory) status.EditIssue {
	return status.EditIssue{
		ID: c.id(), Version: c.version, Title: e.Title, Impact: e.Impact, State: e.State, Components: d.asked(e.Components), Body: e.Body,
	}
}

func (s *Server) apiIssues(c *call) (reply, error) {
	limit, after, err := c.page()
	if err != nil {
		return reply{}, err
	}
	found, err := s.store.IssuesAfter(c.UserContext(), status.IssueState(c.Query("state")), status.Stage(c.Query("stage")), c.Query("open") == "true", after, limit+1)
	if err != nil {
		return reply{}, err
	}
	d, err := s.directory(c.UserContext())
	if err != nil {
		return reply{}, err
	}
	return paged(c, found, limit, s.showIssueAPI(d), func(i status.Issue) []string { return byTime(i.CreatedAt, i.ID) }), nil
}

func (s *Server) apiIssue(c *call) (reply, error) { return s.issueReply(c, c.id()) }

func (s *Server) issueReply(c *call, id string) (reply, error) {
	return one(s, c, id, s.store.Issue, s.showIssueAPI)
}

func (s *Server) apiIssueAlerts(c *call) (reply, error) {
	if _, err := s.store.Issue(c.UserContext(), c.id()); err != nil {
		return reply{}, err
	}
	found, err := s.store.IssueSignals(c.UserContext(), c.id())
	return everything(found, showAlertAPI), err
}

func (s *Server) apiOpenIssue(c *call) (reply, error) {
	in, err := takeBody[issueAsked](c)
	if err != nil {
		return reply{}, err
	}
	if in.Body == "" {
		return reply{}, badMember("/body", "tells customers what is known so far, and is missing")
	}
	d, err := s.directory(c.UserContext())
	if err != nil {
		return reply{}, err
	}
	id, err := s.revise(c.UserContext(), c.visit(), status.OpenIssue{
		Title: in.Title, Body: in.Body, State: in.State, Impact: in.Impact, Components: *d.asked(&in.Components),
		StartedAt: in.StartedAt, Publish: in.Publish, Silent: in.Silent,
	})
	if err != nil {
		return reply{}, err
	}
	r, err := s.issueReply(c, id)
	r.location = "/issues/" + id
	return r, err
}

// decideIssue carries out a decision about the issue of the path, and shows it
// as it then is.
func (s *Server) decideIssue(c *call, edit status.Edit) (reply, error) {
	if _, err := s.revise(c.UserContext(), c.visit(), edit); err != nil {
		return reply{}, err
	}
	return s.issueReply(c, c.id())
}

func (s *Server) apiEditIssue(c *call) (reply, error) {
	in, err := takeBody[issueEdited](c)
	if err != nil {
		return reply{}, err
	}
	d, err := s.directory(c.UserContext())
	if err != nil {
		return reply{}, err
	}
	return s.decideIssue(c, in.edit(c, d))
}

func (s *Server) apiPublishIssue(c *call) (reply, error) {
	in, err := maybeBody[publishAsked](c)
	if err != nil {
		return reply{}, err
	}
	d, err := s.directory(c.UserContext())
	if err != nil {
		return reply{}, err
	}
	return s.decideIssue(c, status.PublishIssue{EditIssue: in.edits().edit(c, d), Silent: in.Silent, Except: in.Except})
}

func (s *Server) apiDismissIssue(c *call) (reply, error) {
	if _, err := maybeBody[struct{}](c); err != nil {
		return reply{}, err
	}
	return s.decideIssue(c, status.DismissIssue{ID: c.id(), Version: c.version})
}

func (s *Server) apiUpdateIssue(c *call) (reply, error) {
	in, err := takeBody[updateAsked](c)
	if err != nil {
		return reply{}, err
	}
	d, err := s.directory(c.UserContext())
	if err != nil {
		return reply{}, err
	}
	if in.Template != "" {
		if err := s.fillAsked(c, d, &in); err != nil {
			return reply{}, err
		}
	}
	return s.decideIssue(c, status.PostUpdate{
		ID: c.id(), Version: c.version, Body: in.Body, State: in.State, Impact: in.Impact, Components: d.asked(in.Components), Silent: in.Silent,
	})
}

func (s *Server) apiResolveIssue(c *call) (reply, error) {
	in, err := maybeBody[resolveAsked](c)
	if err != nil {
		return reply{}, err
	}
	i, err := s.store.Issue(c.UserContext(), c.id())
	if err != nil {
		return reply{}, err
	}
	if i.Stage == status.Draft {
		return reply{}, refusal{code: http.StatusUnprocessableEntity, text: "It is a draft: publish it first, or dismiss it."}
	}
	if i.State == status.Resolved && in.Body == "" && (c.version == 0 || c.version == i.Version) {
		return s.issueReply(c, i.ID) // it is what they want
	}
	state := status.Resolved
	return s.decideIssue(c, status.PostUpdate{ID: c.id(), Version: c.version, Body: in.Body, State: &state, Silent: in.Silent})
}

func (s *Server) apiHandBack(c *call) (reply, error) {
	fields, err := askedFields(c)
	if err != nil {
		return reply{}, err
	}
	return s.decideIssue(c, status.HandBack{ID: c.id(), Version: c.version, Fields: fields})
}

func (s *Server) apiKeep(c *call) (reply, error) {
	fields, err := askedFields(c)
	if err != nil {
		return reply{}, err
	}
	return s.decideIssue(c, status.KeepFields{ID: c.id(), Version: c.version, Fields: fields})
}

func askedFields(c *call) ([]status.Field, error) {
	in, err := takeBody[fieldsAsked](c)
	if err != nil {
		return nil, err
	}
	for n, f := range in.Fields {
		if !slices.Contains(status.Fields, f) {
			return nil, badMember("/fields/"+itoa(n), "is no field that can be held")
		}
	}
	if len(in.Fields) == 0 {
		return nil, badMember("/fields", "names at least one field")
	}
	return in.Fields, nil
}
