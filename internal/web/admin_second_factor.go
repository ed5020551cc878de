package web

import (
	"cmp"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// secondPath is where people set up their second factor.
const secondPath = "/admin/profile/second-factor"

type secondFactorPage struct {
	Email    string
	On       bool
	Passkeys bool // has some
	Required bool // and missing: nothing else works until it is set up
	Since    time.Time
	Left     int // recovery codes

	Secret string       // proposed, in groups to type
	Link   template.URL // opens an app on this device

	Codes    []string // recovery codes, shown once
	Next     string
	Problems map[string]string
}

func (s *Server) showSecondFactor(c *fiber.Ctx, v visit) error {
	return s.renderSecondFactor(c, v, http.StatusOK, secondFactorPage{Next: safeNext(c.Query("next"))})
}

func (s *Server) renderSecondFactor(c *fiber.Ctx, v visit, code int, view secondFactorPage) error {
	ctx := c.UserContext()
	factor, on, err := s.factorOf(ctx, v.account.ID)
	if err != nil {
		return err
	}
	view.Email, view.On, view.Since = v.account.Email, on, factor.Since
	view.Required = s.cfg.RequireSecondFactor && !v.session.SecondFactor && view.Codes == nil
	list, err := s.store.Passkeys(ctx, v.account.ID)
	if err != nil {
		return err
	}
	view.Passkeys = len(list) > 0
	switch {
	case on:
		if view.Left, err = s.store.RecoveryCodes(ctx, v.account.ID); err != nil {
			return err
		}
	case factor.Secret != "":
		if secret, _, err := s.secretOf(factor); err == nil { // else another is proposed
			view.Secret = groups(secret)
			view.Link = template.URL(s.enrolment(v, secret)) // made of escaped parts
		}
	}
	return s.render(c, code, "second_factor.html", page{Title: "Second factor", Nav: "profile", Data: view})
}

func (s *Server) enrolment(v visit, secret string) string {
	host, _, _ := strings.Cut(s.site.host, ":")
	return enrolment(cmp.Or(host, "statusbridge"), v.account.Email, secret)
}

// groups writes a secret so that it can be typed.
func groups(secret string) string {
	var parts []string
	for at := 0; at < len(secret); at += 4 {
		parts = append(parts, secret[at:min(at+4, len(secret))])
	}
	return strings.Join(parts, " ")
}

// proposeSecondFactor makes a secret. It protects nothing until a code of it was
// shown, with the password.
func (s *Server) proposeSecondFactor(c *fiber.Ctx, v visit) error {
	if err := s.proves(c.UserContext(), v); err != nil {
		return err
	}
	err := s.store.ProposeAuthenticator(c.UserContext(), v.account.ID, s.vault.seal(newCodeSecret(), v.account.ID))
	if err != nil && !errors.Is(err, status.ErrConflict) { // one in use is shown
		return err
	}
	return s.renderSecondFactor(c, v, http.StatusOK, secondFactorPage{Next: safeNext(form(c).Get("next"))})
}

func (s *Server) serveQR(c *fiber.Ctx, v visit) error {
	factor, on, err := s.factorOf(c.UserContext(), v.account.ID)
	if err != nil {
		return err
	}
	if on || factor.Secret == "" {
		return status.ErrNotFound
	}
	secret, _, err := s.secretOf(factor)
	if err != nil {
		return err
	}
	svg, err := qrSVG(s.enrolment(v, secret))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "image/svg+xml")
	return c.Send(svg)
}

// confirmSecondFactor puts the authenticator to use. It takes the password, so
// that a browser left open cannot lock its owner out, and a code, so that the
// owner does not.
func (s *Server) confirmSecondFactor(c *fiber.Ctx, v visit) error {
	ctx, f, now := c.UserContext(), form(c), s.clock.Now()
	view := secondFactorPage{Next: safeNext(f.Get("next"))}
	if err := s.proves(ctx, v); err != nil {
		return err
	}
	factor, on, err := s.factorOf(ctx, v.account.ID)
	if err != nil {
		return err
	}
	if on || factor.Secret == "" {
		return s.renderSecondFactor(c, v, http.StatusConflict, view)
	}
	secret, _, err := s.secretOf(factor)
	if err == nil {
		err = s.confirmPassword(c, v, f.Get("current"))
	}
	if err == nil {
		var right bool
		if factor.LastStep, right = stepOf(secret, f.Get("code"), now); !right {
			err = status.Invalid{Field: "code", Message: "is not what the app should show; if none works, look whether the clock of your phone is right"}
		}
	}
	if err != nil {
		return answers{invalid: func(invalid status.Invalid) error {
			view.Problems = map[string]string{invalid.Field: invalid.Message}
			return s.renderSecondFactor(c, v, http.StatusUnprocessableEntity, view)
		}}.answer(c, err)
	}
	codes, hashes := newRecoveryCodes()
	factor.Since = now
	if err := s.store.ConfirmAuthenticator(ctx, factor, hashes); err != nil {
		return err
	}
	if err := s.store.StrengthenSession(ctx, v.session.IDHash); err != nil {
		return err
	}
	if err := s.endOtherSessions(ctx, v); err != nil {
		return err
	}
	if err := s.record(ctx, v, "turned the second factor on", ""); err != nil {
		return err
	}
	view.Codes = codes
	return s.renderSecondFactor(c, v, http.StatusOK, view)
}

// changeSecondFactor makes new recovery codes, or turns the second factor off.
// Both take all that a sign-in takes.
func (s *Server) changeSecondFactor(c *fiber.Ctx, v visit) error {
	ctx, f := c.UserContext(), form(c)
	what := f.Get("what")
	if what != "codes" && what != "off" {
		return refusal{code: http.StatusUnprocessableEntity, text: "Say what to change."}
	}
	err := s.confirmPassword(c, v, f.Get("current"))
	if err == nil {
		err = s.checkSecond(c, v.account, f.Get("code"), f.Get("recovery"))
	}
	if r, refused := errors.AsType[refusal](err); refused {
		err = status.Invalid{Field: "code", Message: r.text}
	}
	if err != nil {
		return answers{invalid: func(invalid status.Invalid) error {
			return s.renderSecondFactor(c, v, http.StatusUnprocessableEntity, secondFactorPage{Problems: map[string]string{invalid.Field: invalid.Message}})
		}}.answer(c, err)
	}
	if what == "off" {
		if err := s.store.RemoveAuthenticator(ctx, v.account.ID); err != nil {
			return err
		}
		if err := s.record(ctx, v, "turned the second factor off", ""); err != nil {
			return err
		}
		return redirect(c, secondPath, "saved")
	}
	codes, hashes := newRecoveryCodes()
	if err := s.store.ReplaceRecoveryCodes(ctx, v.account.ID, hashes); err != nil {
		return err
	}
	if err := s.record(ctx, v, "made new recovery codes", ""); err != nil {
		return err
	}
	return s.renderSecondFactor(c, v, http.StatusOK, secondFactorPage{Codes: codes})
}
