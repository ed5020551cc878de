package web

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// programPage is the form by which a program subscribes, and the answer to it.
type programPage struct {
	Endpoint, Contact, Problem string
	Secret                     string // shown once
	Offered                    bool
	Mail                       bool // a contact can be told
	Milestones                 bool
	Choices                    []choice
}

// programWish is what somebody asks for, by form or as JSON.
type programWish struct {
	Endpoint   string   `json:"endpoint"`
	Components []string `json:"components"`
	Scope      string   `json:"scope"`
	Contact    string   `json:"contact"` // mail address, optional
}

// programTaken answers a program that subscribed by JSON.
type programTaken struct {
	Status string `json:"status"`
	Secret string `json:"secret"`
}

func (s *Server) showSubscribeProgram(c *fiber.Ctx) error {
	choices, err := s.choices(c, nil)
	if err != nil {
		return err
	}
	return s.sendPart(c, http.StatusOK, s.voice(c, ""), "title.webhook", "webhook.html", programPage{Choices: choices, Offered: s.cfg.Webhooks, Mail: s.cfg.MailConfigured})
}

// subscribeProgram notes the wish and shows the secret, this once. Nothing is
// told to the address before somebody who reads what arrives there confirms.
func (s *Server) subscribeProgram(c *fiber.Ctx) error {
	machine := strings.HasPrefix(c.Get(fiber.HeaderContentType), fiber.MIMEApplicationJSON)
	if c.Get("Sec-Fetch-Site") == "cross-site" {
		return refusal{code: http.StatusForbidden, text: "Subscribe from the status page itself."}
	}
	f := form(c)
	w := programWish{Endpoint: f.Get("endpoint"), Components: append(f["components"], f["components[]"]...), Scope: f.Get("scope"), Contact: f.Get("contact")}
	if machine {
		w = programWish{}
		if err := json.Unmarshal(c.BodyRaw(), &w); err != nil {
			return refusal{code: http.StatusBadRequest, text: `Send {"endpoint": "https://...", "components": ["..."]}.`}
		}
	}
	choices, err := s.choices(c, w.Components)
	if err != nil {
		return err
	}
	v := s.voice(c, "")
	view := programPage{Endpoint: clip(w.Endpoint, maxEndpoint+1), Contact: clip(w.Contact, 255), Offered: s.cfg.Webhooks, Mail: s.cfg.MailConfigured, Choices: choices, Milestones: w.Scope == string(status.ScopeMilestones)}
	endpoint, problem := s.judgeProgram(c, v, w, choices)
	var sub status.Subscriber
	if problem.code == 0 {
		wish := s.grant(wish{Scope: w.Scope}, choices, status.Subscriber{Email: endpoint, Contact: w.Contact})
		sub, err = s.store.SubscribeWebhook(c.UserContext(), s.clock.Now(), wish)
		if errors.Is(err, status.ErrAskedOften) {
			problem, err = refusal{code: http.StatusTooManyRequests, retryAfter: int(time.Hour / time.Second), text: v.say("problem.host")}, nil
		}
	}
	switch {
	case err != nil:
		return err
	case problem.code != 0 && machine:
		return problem
	case problem.code != 0:
		view.Problem = problem.text
		return s.sendPart(c, problem.code, v, "title.check", "webhook.html", view)
	case machine:
		c.Set(fiber.HeaderCacheControl, "no-store")
		return c.Status(http.StatusAccepted).JSON(programTaken{"confirmation_sent", sub.Secret})
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	view.Endpoint, view.Secret = sub.Address(), sub.Secret
	return s.sendPart(c, http.StatusAccepted, v, "title.webhook.made", "webhook_made.html", view)
}

// maxEndpoint bounds an address, in bytes.
const maxEndpoint = 500

// judgeProgram says what is wrong with the wish; code 0 is nothing.
func (s *Server) judgeProgram(c *fiber.Ctx, v *voice, w programWish, choices []choice) (endpoint string, problem refusal) {
	endpoint, ok := s.endpoint(w.Endpoint)
	known := func(name string) bool {
		return slices.ContainsFunc(choices, func(o choice) bool { return o.ID == name || o.slug == name })
	}
	switch {
	case !s.cfg.Webhooks:
		return "", refusal{code: http.StatusServiceUnavailable, text: v.say("webhook.off")}
	case !ok:
		return "", refusal{code: http.StatusUnprocessableEntity, text: v.say("problem.endpoint")}
	case w.Contact != "" && !mailAddress(w.Contact):
		return "", refusal{code: http.StatusUnprocessableEntity, text: v.say("webhook.contact.bad")}
	case slices.ContainsFunc(w.Components, func(name string) bool { return !known(name) }):
		return "", refusal{code: http.StatusUnprocessableEntity, text: v.say("problem.component")}
	case !s.askers.allow(addrKey(s.clientAddr(c)), s.clock.Now()):
		return "", refusal{code: http.StatusTooManyRequests, retryAfter: int(subscribeWindow / time.Second), text: v.say("problem.many")}
	}
	return endpoint, refusal{}
}

// endpoint is an address that a program may be told at, in one form. Whether it
// leads to the public internet shows when it is connected to; what plainly does
// not is told at once.
func (s *Server) endpoint(text string) (string, bool) {
	text = strings.TrimSpace(text)
	u, err := url.Parse(text)
	if err != nil || len(text) > maxEndpoint || u.Host == "" || u.User != nil || u.Opaque != "" {
		return "", false
	}
	host := strings.ToLower(u.Hostname())
	address, err := netip.ParseAddr(host)
	inside := err == nil && (!address.IsGlobalUnicast() || address.IsPrivate()) || err != nil && !strings.Contains(strings.TrimSuffix(host, "."), ".")
	if u.Scheme != "https" && !(s.cfg.PrivateWebhooks && u.Scheme == "http") || inside && !s.cfg.PrivateWebhooks {
		return "", false
	}
	u.Host, u.Fragment, u.RawFragment = strings.ToLower(u.Host), "", ""
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String(), true
}
