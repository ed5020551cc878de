package web

import "github.com/statusbridge/statusbridge/internal/status"

// What ends an issue in another one, and what is said when all is over.

type mergeAsked struct {
	Into string `json:"into"` // id of the issue that goes on
	Body string `json:"body,omitzero"`
	// Components says whether those of the one that ends, and its impact, count
	// for the other from now on.
	Components bool `json:"components,omitzero"`
	Silent     bool `json:"silent,omitzero"`
}

func (s *Server) apiMerge(c *call) (reply, error) {
	in, err := takeBody[mergeAsked](c)
	if err != nil {
		return reply{}, err
	}
	if !validID(in.Into) {
		return reply{}, badMember("/into", "is no issue")
	}
	return s.decideIssue(c, status.MergeIssue{ID: c.id(), Version: c.version, Into: in.Into, Body: in.Body, Components: in.Components, Silent: in.Silent})
}

type postmortemAsked struct {
	Body    string `json:"body"` // Markdown
	Publish bool   `json:"publish,omitzero"`
	Notify  bool   `json:"notify,omitzero"` // tell subscribers, when it is published first
}

func (s *Server) apiPostmortem(c *call) (reply, error) {
	in, err := takeBody[postmortemAsked](c)
	if err != nil {
		return reply{}, err
	}
	return s.decideIssue(c, status.WritePostmortem{ID: c.id(), Version: c.version, Body: in.Body, Publish: in.Publish, Notify: in.Notify})
}

func (s *Server) apiWithdrawPostmortem(c *call) (reply, error) {
	return s.decideIssue(c, status.WithdrawPostmortem{ID: c.id(), Version: c.version})
}
