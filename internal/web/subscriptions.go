package web

import (
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

const (
	confirmFor      = 24 * time.Hour
	subscribeLimit  = 10
	subscribeWindow = 10 * time.Minute
)

func (s *Server) routeSubscriptions() {
	s.app.Get("/subscriptions", s.showSubscribe)
	s.app.Post("/subscriptions", s.handleSubscribe)
	s.app.Get("/subscriptions/confirm/:token", s.showConfirm)
	s.app.Post("/subscriptions/confirm/:token", s.handleConfirm)
	s.app.Get("/subscriptions/:token", s.showPreferences)
	s.app.Post("/subscriptions/:token", s.savePreferences)
	s.app.Get("/unsubscribe/:token", s.showUnsubscribe)
	s.app.Post("/unsubscribe/:token", s.handleUnsubscribe)
}

// choice is a component that can be ticked.
type choice struct {
	ID, Name string
	Chosen   bool
	slug     string
}

type subscribePage struct {
	Email   string
	Problem string
	Mail    bool // whether this page can send mail at all
	Choices []choice
}

// wish is what somebody asks for, by form or as JSON.
type wish struct {
	Email      string   `json:"email"`
	Components []string `json:"components"`
}

func (s *Server) showSubscribe(c *fiber.Ctx) error {
	choices, err := s.choices(c, nil)
	if err != nil {
		return err
	}
	return s.sendFrame(c, http.StatusOK, "Subscribe to updates",
		s.fragment("subscribe.html", subscribePage{Mail: s.cfg.MailConfigured, Choices: choices}))
}

// handleSubscribe says the same about known and unknown addresses: whether
// somebody subscribed is nobody else's business.
func (s *Server) handleSubscribe(c *fiber.Ctx) error {
	machine := strings.HasPrefix(c.Get(fiber.HeaderContentType), fiber.MIMEApplicationJSON)
	if c.Get("Sec-Fetch-Site") == "cross-site" {
		return refusal{code: http.StatusForbidden, text: "Subscribe from the status page itself."}
	}
	var w wish
	if machine {
		if err := json.Unmarshal(c.BodyRaw(), &w); err != nil {
			return refusal{code: http.StatusBadRequest, text: `Send {"email": "...", "components": ["..."]}.`}
		}
	} else {
		f := form(c)
		w = wish{Email: f.Get("email"), Components: append(f["components"], f["components[]"]...)}
	}
	w.Email = strings.ToLower(strings.TrimSpace(w.Email))
	choices, err := s.choices(c, w.Components)
	if err != nil {
		return err
	}
	problem := s.judgeWish(c, w, choices)
	if problem.code != 0 && machine {
		return problem
	}
	if problem.code != 0 {
		return s.sendFrame(c, problem.code, "Check your subscription", s.fragment("subscribe.html",
			subscribePage{Email: clip(w.Email, 300), Problem: problem.text, Mail: true, Choices: choices}))
	}
	if _, err := s.store.Subscribe(c.UserContext(), s.clock.Now(), status.Subscriber{Email: w.Email, Components: chosen(choices)}); err != nil {
		return err
	}
	if machine {
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Status(http.StatusAccepted).SendString(`{"status":"confirmation_sent"}`)
	}
	return s.sendFrame(c, http.StatusAccepted, "Check your inbox", s.fragment("subscribed.html", w.Email))
}

// judgeWish says what is wrong with it; code 0 is nothing.
func (s *Server) judgeWish(c *fiber.Ctx, w wish, choices []choice) refusal {
	known := func(name string) bool {
		return slices.ContainsFunc(choices, func(o choice) bool { return o.ID == name || o.slug == name })
	}
	switch {
	case !s.cfg.MailConfigured:
		return refusal{code: http.StatusServiceUnavailable, text: "This page sends no mail. Use one of its feeds instead."}
	case w.Email == "":
		return refusal{code: http.StatusUnprocessableEntity, text: "Enter the email address that should get the updates."}
	case !looksLikeEmail(w.Email):
		return refusal{code: http.StatusUnprocessableEntity, text: "That is not an email address. It looks like name@example.com."}
	case slices.ContainsFunc(w.Components, func(name string) bool { return !known(name) }):
		return refusal{code: http.StatusUnprocessableEntity, text: "One of the components is no longer on this page. Choose again."}
	case !s.askers.allow(addrKey(s.clientAddr(c)), s.clock.Now()):
		return refusal{
			code: http.StatusTooManyRequests, retryAfter: int(subscribeWindow / time.Second),
			text: "Too many subscriptions from your network. Wait ten minutes and try again.",
		}
	}
	return refusal{}
}

// choices lists the public components, with those named by id or slug ticked. All ticked
// and none ticked mean the same: everything.
func (s *Server) choices(c *fiber.Ctx, named []string) ([]choice, error) {
	components, _, err := s.store.Components(c.UserContext())
	if err != nil {
		return nil, err
	}
	var list []choice
	for _, comp := range components {
		if comp.Hidden || comp.Archived {
			continue
		}
		list = append(list, choice{
			ID: comp.ID, Name: comp.Name, slug: comp.Slug,
			Chosen: slices.Contains(named, comp.ID) || slices.Contains(named, comp.Slug),
		})
	}
	return list, nil
}

func chosen(choices []choice) []string {
	var ids []string
	for _, o := range choices {
		if o.Chosen {
			ids = append(ids, o.ID)
		}
	}
	if len(ids) == len(choices) {
		return nil // everything, also what is added later
	}
	return ids
}

// confirming finds who a confirmation link belongs to.
func (s *Server) confirming(c *fiber.Ctx) (status.Subscriber, error) {
	token := c.Params("token")
	if !validID(token) {
		return status.Subscriber{}, linkDead
	}
	sub, err := s.store.SubscriberByConfirmToken(c.UserContext(), token)
	if errors.Is(err, status.ErrNotFound) {
		return sub, linkDead
	}
	if err == nil && sub.ConfirmedAt.IsZero() && s.clock.Now().Sub(sub.ConfirmSentAt) > confirmFor {
		return sub, linkDead
	}
	return sub, err
}

var linkDead = refusal{code: http.StatusGone, text: "This link is no longer valid. Links in confirmation mails work for 24 hours; subscribe again to get a new one."}

// showConfirm changes nothing: mail scanners open links too.
func (s *Server) showConfirm(c *fiber.Ctx) error {
	sub, err := s.confirming(c)
	if err != nil {
		return err
	}
	if !sub.ConfirmedAt.IsZero() {
		return s.sendFrame(c, http.StatusOK, "You are subscribed", s.fragment("confirmed.html", sub))
	}
	return s.sendFrame(c, http.StatusOK, "Confirm your subscription", s.fragment("confirm.html", sub))
}

func (s *Server) handleConfirm(c *fiber.Ctx) error {
	if _, err := s.confirming(c); err != nil {
		return err
	}
	sub, err := s.store.ConfirmSubscriber(c.UserContext(), s.clock.Now(), c.Params("token"))
	if err != nil {
		return err
	}
	return s.sendFrame(c, http.StatusOK, "You are subscribed", s.fragment("confirmed.html", sub))
}

type preferencesPage struct {
	Subscriber status.Subscriber
	Choices    []choice
	Saved      bool
}

func (s *Server) subscriber(c *fiber.Ctx) (status.Subscriber, error) {
	token := c.Params("token")
	if !validID(token) {
		return status.Subscriber{}, status.ErrNotFound
	}
	return s.store.SubscriberByToken(c.UserContext(), token)
}

func (s *Server) showPreferences(c *fiber.Ctx) error {
	sub, err := s.subscriber(c)
	if err != nil {
		return err
	}
	return s.sendPreferences(c, sub, false)
}

func (s *Server) sendPreferences(c *fiber.Ctx, sub status.Subscriber, saved bool) error {
	choices, err := s.choices(c, sub.Components)
	if err != nil {
		return err
	}
	if len(sub.Components) == 0 {
		for i := range choices {
			choices[i].Chosen = true
		}
	}
	return s.sendFrame(c, http.StatusOK, "Your subscription", s.fragment("preferences.html", preferencesPage{sub, choices, saved}))
}

// savePreferences needs no session: whoever holds the token is the subscriber.
func (s *Server) savePreferences(c *fiber.Ctx) error {
	sub, err := s.subscriber(c)
	if err != nil {
		return err
	}
	f := form(c)
	choices, err := s.choices(c, append(f["components"], f["components[]"]...))
	if err != nil {
		return err
	}
	sub.Components = chosen(choices)
	if err := s.store.SaveSubscriber(c.UserContext(), sub); err != nil {
		return err
	}
	return s.sendPreferences(c, sub, true)
}

// showUnsubscribe never unsubscribes: mail scanners and previews open links.
func (s *Server) showUnsubscribe(c *fiber.Ctx) error {
	sub, err := s.subscriber(c)
	if errors.Is(err, status.ErrNotFound) {
		return s.sendFrame(c, http.StatusOK, "Unsubscribed", s.fragment("unsubscribed.html", nil))
	}
	if err != nil {
		return err
	}
	return s.sendFrame(c, http.StatusOK, "Unsubscribe", s.fragment("unsubscribe.html", sub))
}

// handleUnsubscribe is also the one click of RFC 8058: mail providers post it
// from their own servers, so no cookie, origin or token but the one in the URL
// is asked for, and the answer is no redirect.
func (s *Server) handleUnsubscribe(c *fiber.Ctx) error {
	token := c.Params("token")
	if !validID(token) {
		return status.ErrNotFound
	}
	if err := s.store.Unsubscribe(c.UserContext(), token); err != nil && !errors.Is(err, status.ErrNotFound) {
		return err
	}
	return s.sendFrame(c, http.StatusOK, "Unsubscribed", s.fragment("unsubscribed.html", nil))
}

// fragment renders a part of a public-looking page.
func (s *Server) fragment(name string, data any) template.HTML {
	html, err := s.views.fragment(name, data)
	if err != nil {
		s.log.Error("cannot render a fragment", "template", name, "err", err)
	}
	return html
}
