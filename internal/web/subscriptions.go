package web

import (
	"errors"
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
	s.app.Get("/subscriptions/webhook", s.showSubscribeProgram)
	s.app.Post("/subscriptions/webhook", s.subscribeProgram)
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

// subscriptionPage is the form for a new subscription, or one there is.
type subscriptionPage struct {
	Subscriber status.Subscriber
	Problem    string
	Saved      bool
	Mail       bool // whether this page can send mail at all
	Webhooks   bool // whether programs may subscribe
	Program    bool // this one is
	Milestones bool
	Choices    []choice
	Languages  []Language
}

// wish is what somebody asks for, by form or as JSON.
type wish struct {
	Email      string   `json:"email"`
	Components []string `json:"components"`
	Scope      string   `json:"scope"`
	Language   string   `json:"language"`
	TimeZone   string   `json:"time_zone"`
}

// readWish reads the fields of the form.
func readWish(c *fiber.Ctx) wish {
	f := form(c)
	return wish{
		Email: f.Get("email"), Components: append(f["components"], f["components[]"]...),
		Scope: f.Get("scope"), Language: f.Get("language"), TimeZone: strings.TrimSpace(f.Get("time_zone")),
	}
}

// grant puts the wish into a subscriber.
func (s *Server) grant(w wish, choices []choice, sub status.Subscriber) status.Subscriber {
	sub.Components, sub.TimeZone, sub.Scope, sub.Language = chosen(choices), clip(w.TimeZone, 60), status.ScopeAll, ""
	if w.Scope == string(status.ScopeMilestones) {
		sub.Scope = status.ScopeMilestones
	}
	if slices.Contains(s.languageTags(), w.Language) {
		sub.Language = w.Language
	}
	return sub
}

func (s *Server) subscriptionPage(sub status.Subscriber, choices []choice) subscriptionPage {
	page := subscriptionPage{
		Subscriber: sub, Choices: choices, Languages: s.cfg.Languages, Mail: s.cfg.MailConfigured, Webhooks: s.cfg.Webhooks,
		Milestones: sub.Scope == status.ScopeMilestones, Program: sub.Program(),
	}
	if page.Program {
		page.Languages = nil // it reads codes
	}
	return page
}

func (s *Server) showSubscribe(c *fiber.Ctx) error {
	choices, err := s.choices(c, nil)
	if err != nil {
		return err
	}
	v := s.voice(c, "")
	return s.sendPart(c, http.StatusOK, v, "title.subscribe", "subscribe.html", s.subscriptionPage(status.Subscriber{}, choices))
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
		w = readWish(c)
	}
	w.Email = strings.ToLower(strings.TrimSpace(w.Email))
	choices, err := s.choices(c, w.Components)
	if err != nil {
		return err
	}
	v := s.voice(c, w.Language)
	problem := s.judgeWish(c, v, w, choices)
	sub := s.grant(w, choices, status.Subscriber{Email: w.Email})
	if sub.Language == "" && v != s.voices.all[0] {
		sub.Language = v.tag // who reads the page in a language gets mail in it
	}
	if problem.code != 0 && machine {
		return problem
	}
	if problem.code != 0 {
		view := s.subscriptionPage(sub, choices)
		view.Subscriber.Email, view.Problem, view.Mail = clip(w.Email, 300), problem.text, true
		return s.sendPart(c, problem.code, v, "title.check", "subscribe.html", view)
	}
	if _, err := s.store.Subscribe(c.UserContext(), s.clock.Now(), sub); err != nil {
		return err
	}
	if machine {
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Status(http.StatusAccepted).SendString(`{"status":"confirmation_sent"}`)
	}
	return s.sendPart(c, http.StatusAccepted, v, "title.inbox", "subscribed.html", w.Email)
}

// judgeWish says what is wrong with it; code 0 is nothing.
func (s *Server) judgeWish(c *fiber.Ctx, v *voice, w wish, choices []choice) refusal {
	known := func(name string) bool {
		return slices.ContainsFunc(choices, func(o choice) bool { return o.ID == name || o.slug == name })
	}
	switch {
	case !s.cfg.MailConfigured:
		return refusal{code: http.StatusServiceUnavailable, text: "This page sends no mail. Use one of its feeds instead."}
	case w.Email == "":
		return refusal{code: http.StatusUnprocessableEntity, text: v.say("problem.empty")}
	case !looksLikeEmail(w.Email):
		return refusal{code: http.StatusUnprocessableEntity, text: v.say("problem.email")}
	case slices.ContainsFunc(w.Components, func(name string) bool { return !known(name) }):
		return refusal{code: http.StatusUnprocessableEntity, text: v.say("problem.component")}
	case w.TimeZone != "" && !validZone(w.TimeZone):
		return refusal{code: http.StatusUnprocessableEntity, text: v.say("problem.zone")}
	case !s.askers.allow(addrKey(s.clientAddr(c)), s.clock.Now()):
		return refusal{
			code: http.StatusTooManyRequests, retryAfter: int(subscribeWindow / time.Second),
			text: v.say("problem.many"),
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
		return status.Subscriber{}, s.linkDead(c)
	}
	sub, err := s.store.SubscriberByConfirmToken(c.UserContext(), token)
	if errors.Is(err, status.ErrNotFound) {
		return sub, s.linkDead(c)
	}
	if err == nil && !sub.Active() && !(sub.Program() && !sub.ConfirmedAt.IsZero()) && s.clock.Now().Sub(sub.ConfirmSentAt) > confirmFor {
		return sub, s.linkDead(c)
	}
	return sub, err
}

func (s *Server) linkDead(c *fiber.Ctx) refusal {
	return refusal{code: http.StatusGone, text: s.voice(c, "").say("problem.link")}
}

// showConfirm changes nothing: mail scanners open links too.
func (s *Server) showConfirm(c *fiber.Ctx) error {
	sub, err := s.confirming(c)
	if err != nil {
		return err
	}
	if sub.Active() {
		return s.sendPart(c, http.StatusOK, s.voice(c, sub.Language), "title.subscribed", "confirmed.html", sub)
	}
	return s.sendPart(c, http.StatusOK, s.voice(c, sub.Language), "title.confirm", "confirm.html", sub)
}

func (s *Server) handleConfirm(c *fiber.Ctx) error {
	if _, err := s.confirming(c); err != nil {
		return err
	}
	sub, err := s.store.ConfirmSubscriber(c.UserContext(), s.clock.Now(), c.Params("token"))
	if err != nil {
		return err
	}
	return s.sendPart(c, http.StatusOK, s.voice(c, sub.Language), "title.subscribed", "confirmed.html", sub)
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
	return s.sendPreferences(c, http.StatusOK, sub, func(*subscriptionPage) {})
}

func (s *Server) sendPreferences(c *fiber.Ctx, code int, sub status.Subscriber, change func(*subscriptionPage)) error {
	choices, err := s.choices(c, sub.Components)
	if err != nil {
		return err
	}
	if len(sub.Components) == 0 {
		for i := range choices {
			choices[i].Chosen = true
		}
	}
	view := s.subscriptionPage(sub, choices)
	change(&view)
	return s.sendPart(c, code, s.voice(c, sub.Language), "title.preferences", "preferences.html", view)
}

// savePreferences needs no session: whoever holds the token is the subscriber.
func (s *Server) savePreferences(c *fiber.Ctx) error {
	sub, err := s.subscriber(c)
	if err != nil {
		return err
	}
	w := readWish(c)
	choices, err := s.choices(c, w.Components)
	if err != nil {
		return err
	}
	sub = s.grant(w, choices, sub)
	if w.TimeZone != "" && !validZone(w.TimeZone) {
		return s.sendPreferences(c, http.StatusUnprocessableEntity, sub, func(p *subscriptionPage) {
			p.Problem = s.voice(c, sub.Language).say("problem.zone")
		})
	}
	if err := s.store.SaveSubscriber(c.UserContext(), sub); err != nil {
		return err
	}
	return s.sendPreferences(c, http.StatusOK, sub, func(p *subscriptionPage) { p.Saved = true })
}

// showUnsubscribe never unsubscribes: mail scanners and previews open links.
func (s *Server) showUnsubscribe(c *fiber.Ctx) error {
	sub, err := s.subscriber(c)
	if errors.Is(err, status.ErrNotFound) {
		return s.sendPart(c, http.StatusOK, s.voice(c, ""), "title.unsubscribed", "unsubscribed.html", nil)
	}
	if err != nil {
		return err
	}
	return s.sendPart(c, http.StatusOK, s.voice(c, sub.Language), "title.unsubscribe", "unsubscribe.html", sub)
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
	return s.sendPart(c, http.StatusOK, s.voice(c, ""), "title.unsubscribed", "unsubscribed.html", nil)
}
