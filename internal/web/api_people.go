package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/mail"
	"strings"

	"github.com/statusbridge/statusbridge/internal/status"
)

type subscriberAsked struct {
	Email      string       `json:"email,omitzero"`      // or
	Endpoint   string       `json:"endpoint,omitzero"`   // https URL of a program
	Contact    string       `json:"contact,omitzero"`    // of a program: address that is mailed when it is stopped, if it subscribes too
	Components []string     `json:"components,omitzero"` // slugs or ids; none is all
	Scope      status.Scope `json:"scope,omitzero"`
	Language   string       `json:"language,omitzero"`
	TimeZone   string       `json:"time_zone,omitzero"`
}

type retryAsked struct {
	Recipient string `json:"recipient,omitzero"` // id of one delivery; all that failed if left out
}

type retried struct {
	Queued int `json:"queued"`
}

func (s *Server) apiSubscribers(c *call) (reply, error) {
	limit, after, err := c.page()
	if err != nil {
		return reply{}, err
	}
	found, err := s.store.SubscribersAfter(c.UserContext(), clip(c.Query("q"), 200), after, limit+1)
	if err != nil {
		return reply{}, err
	}
	d, err := s.directory(c.UserContext())
	if err != nil {
		return reply{}, err
	}
	return paged(c, found, limit, showSubscriberAPI(d), func(sub status.Subscriber) []string { return byTime(sub.CreatedAt, sub.ID) }), nil
}

func (s *Server) apiSubscriber(c *call) (reply, error) { return s.subscriberReply(c, c.id()) }

func (s *Server) subscriberReply(c *call, id string) (reply, error) {
	return one(s, c, id, s.store.Subscriber, showSubscriberAPI)
}

// apiSubscribe asks an address whether it wants mail. A token cannot answer for
// it: nobody gets mail who has not confirmed.
func (s *Server) apiSubscribe(c *call) (reply, error) {
	in, err := takeBody[subscriberAsked](c)
	if err != nil {
		return reply{}, err
	}
	if in.Endpoint != "" {
		return s.apiSubscribeProgram(c, in)
	}
	if !mailAddress(in.Email) {
		return reply{}, badMember("/email", "is no address such as jo@example.com")
	}
	if err := s.heard(cmp.Or(in.Scope, status.ScopeAll), in.Language, in.TimeZone); err != nil {
		return reply{}, err
	}
	ids, err := s.componentsNamed(c, in.Components)
	if err != nil {
		return reply{}, err
	}
	if !s.cfg.MailConfigured {
		return reply{}, refusal{code: http.StatusConflict, text: "Mail is not configured, so nobody could confirm: set smtp.url and smtp.from."}
	}
	wanted := s.grant(wish{Scope: string(in.Scope), Language: in.Language, TimeZone: in.TimeZone}, nil, status.Subscriber{Email: in.Email})
	wanted.Components = ids
	sub, err := s.store.Subscribe(c.UserContext(), s.clock.Now(), wanted)
	if err != nil {
		return reply{}, err
	}
	r, err := s.subscriberReply(c, sub.ID)
	r.location = "/subscribers/" + sub.ID
	return r, err
}

// mailAddress reports whether the text is an address and nothing more.
func mailAddress(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Address == strings.TrimSpace(text) && len(text) <= 254
}

// componentsNamed finds components by slug or id.
func (s *Server) componentsNamed(c *call, named []string) ([]string, error) {
	d, err := s.directory(c.UserContext())
	if err != nil {
		return nil, err
	}
	return d.known(named)
}

// apiSubscribeProgram asks an endpoint whether it wants to be told. The answer
// holds its secret, which is shown at no other time.
func (s *Server) apiSubscribeProgram(c *call, in subscriberAsked) (reply, error) {
	endpoint, ok := s.endpoint(in.Endpoint)
	switch {
	case in.Email != "":
		return reply{}, badMember("/email", "and endpoint exclude each other")
	case !ok:
		return reply{}, badMember("/endpoint", "is no public https address such as https://hooks.example.com/status")
	case in.Contact != "" && !mailAddress(in.Contact):
		return reply{}, badMember("/contact", "is no address such as jo@example.com")
	case !s.cfg.Webhooks:
		return reply{}, refusal{code: http.StatusConflict, text: "Webhooks for subscribers are switched off: set subscriptions.webhooks."}
	}
	if err := s.heard(cmp.Or(in.Scope, status.ScopeAll), in.Language, in.TimeZone); err != nil {
		return reply{}, err
	}
	ids, err := s.componentsNamed(c, in.Components)
	if err != nil {
		return reply{}, err
	}
	wanted := s.grant(wish{Scope: string(in.Scope)}, nil, status.Subscriber{Email: endpoint, Contact: in.Contact})
	wanted.Components = ids
	sub, err := s.store.SubscribeWebhook(c.UserContext(), s.clock.Now(), wanted)
	if errors.Is(err, status.ErrAskedOften) {
		return reply{}, refusal{code: http.StatusTooManyRequests, retryAfter: 3600, text: "This host was asked too often today."}
	}
	if err != nil {
		return reply{}, err
	}
	r, err := s.subscriberReply(c, sub.ID)
	if shown, ok := r.body.(subscriberShown); ok {
		shown.Secret = sub.Secret
		r.body = shown
	}
	r.location = "/subscribers/" + sub.ID
	return r, err
}

func (s *Server) apiErase(c *call) (reply, error) {
	err := s.store.EraseSubscriber(c.UserContext(), c.id())
	if err == nil {
		s.log.Info("subscriber erased", "by", c.who.Actor())
	}
	return reply{code: http.StatusNoContent}, err
}

func (s *Server) apiDeliveries(c *call) (reply, error) {
	limit, after, err := c.page()
	if err != nil {
		return reply{}, err
	}
	found, err := s.store.DispatchesAfter(c.UserContext(), c.Query("subject"), after, limit+1)
	if err != nil {
		return reply{}, err
	}
	return paged(c, found, limit, showDeliveryAPI, func(d status.Dispatch) []string { return byTime(d.CreatedAt, d.ID) }), nil
}

func (s *Server) apiDelivery(c *call) (reply, error) {
	d, err := s.store.Dispatch(c.UserContext(), dispatchParam(c.Ctx))
	if err != nil {
		return reply{}, err
	}
	return versioned(showDeliveryAPI(d))
}

func (s *Server) apiRecipients(c *call) (reply, error) {
	limit, err := c.limit()
	if err != nil {
		return reply{}, err
	}
	after, err := c.cursor(1)
	if err != nil {
		return reply{}, err
	}
	d, err := s.store.Dispatch(c.UserContext(), dispatchParam(c.Ctx))
	if err != nil {
		return reply{}, err
	}
	found, err := s.store.RecipientsAfter(c.UserContext(), d.ID, after[0], limit+1)
	if err != nil {
		return reply{}, err
	}
	return paged(c, found, limit, showRecipientAPI, func(d status.Delivery) []string { return []string{d.ID} }), nil
}

func (s *Server) apiRetry(c *call) (reply, error) {
	in, err := maybeBody[retryAsked](c)
	if err != nil {
		return reply{}, err
	}
	d, err := s.store.Dispatch(c.UserContext(), dispatchParam(c.Ctx))
	if err != nil {
		return reply{}, err
	}
	if in.Recipient != "" && !strings.HasPrefix(in.Recipient, d.ID) {
		return reply{}, badMember("/recipient", "is none of this delivery")
	}
	n, err := s.store.Retry(c.UserContext(), s.clock.Now(), d.ID, in.Recipient)
	return reply{body: retried{n}}, err
}
