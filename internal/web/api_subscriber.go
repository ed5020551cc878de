package web

import (
	"cmp"
	"slices"
	"strings"

	"github.com/statusbridge/statusbridge/internal/status"
)

type subscriberEdited struct {
	Components *[]string     `json:"components,omitzero"` // slugs or ids; none is all
	Scope      *status.Scope `json:"scope,omitzero"`
	Language   *string       `json:"language,omitzero"` // "" is the page's
	TimeZone   *string       `json:"time_zone,omitzero"`
}

// heard checks how somebody wants to hear of things.
func (s *Server) heard(scope status.Scope, language, zone string) error {
	switch {
	case scope != status.ScopeAll && scope != status.ScopeMilestones:
		return badMember("/scope", "is neither all nor milestones")
	case language != "" && !slices.Contains(s.languageTags(), language):
		return badMember("/language", "is none of "+strings.Join(s.languageTags(), ", "))
	case zone != "" && !validZone(zone):
		return badMember("/time_zone", "is no zone such as Europe/Berlin")
	}
	return nil
}

// known reads components by id or slug, and refuses what is neither.
func (d directory) known(names []string) ([]string, error) {
	ids := d.findAll(names)
	for n, id := range ids {
		if _, err := d.component(id); err != nil {
			return nil, badMember("/components/"+itoa(n), "is no component")
		}
	}
	return ids, nil
}

// apiEditSubscriber changes what somebody hears. The address stays: its owner
// confirmed it, another would have to be confirmed anew.
func (s *Server) apiEditSubscriber(c *call) (reply, error) {
	in, err := takeBody[subscriberEdited](c)
	if err != nil {
		return reply{}, err
	}
	d, err := s.directory(c.UserContext())
	if err != nil {
		return reply{}, err
	}
	var ids []string
	if in.Components != nil {
		if ids, err = d.known(*in.Components); err != nil {
			return reply{}, err
		}
	}
	wish := status.Subscriber{Scope: status.ScopeAll}
	change(&wish.Scope, in.Scope)
	change(&wish.Language, in.Language)
	change(&wish.TimeZone, in.TimeZone)
	if err := s.heard(wish.Scope, wish.Language, wish.TimeZone); err != nil {
		return reply{}, err
	}
	sub, err := s.store.ChangeSubscriber(c.UserContext(), c.id(), func(sub status.Subscriber) (status.Subscriber, error) {
		if r, err := versioned(showSubscriberAPI(d)(sub)); err != nil || c.version > 0 && r.version != c.version {
			return sub, cmp.Or(err, status.ErrConflict)
		}
		if in.Components != nil {
			sub.Components = ids
		}
		change(&sub.Scope, in.Scope)
		change(&sub.Language, in.Language)
		change(&sub.TimeZone, in.TimeZone)
		return sub, nil
	})
	if err != nil {
		return reply{}, err
	}
	return versioned(showSubscriberAPI(d)(sub))
}
