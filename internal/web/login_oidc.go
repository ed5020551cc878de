package web

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
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
	oidcPath     = "/admin/login/oidc"
	callbackPath = oidcPath + "/callback"
	tripLife     = 10 * time.Minute
)

func (s *Server) tripCookie() string { return s.cookieName() + "-oidc" }

// leaveForProvider sends the browser to the provider. It is a link and not a
// form: browsers apply form-action to where a form's answer redirects.
func (s *Server) leaveForProvider(c *fiber.Ctx) error {
	s.protect(c)
	if s.provider == nil {
		return status.ErrNotFound
	}
	next := safeNext(c.Query("next"))
	t, target, err := s.provider.leave(c.UserContext(), next)
	if err != nil {
		s.log.Error("the OpenID provider cannot be reached", "err", err)
		return s.renderLogin(c, http.StatusBadGateway, loginPage{Next: next, Problem: "The sign-in provider cannot be reached. Try again; an emergency account can sign in with its password meanwhile."})
	}
	kept, err := json.Marshal(t)
	if err != nil {
		return err
	}
	s.setCookie(c, s.tripCookie(), base64.RawURLEncoding.EncodeToString(kept), tripLife)
	return c.Redirect(target, http.StatusSeeOther)
}

// arriveFromProvider ends that trip. Whatever happens, it cannot be made again.
func (s *Server) arriveFromProvider(c *fiber.Ctx) error {
	s.protect(c)
	if s.provider == nil {
		return status.ErrNotFound
	}
	t := s.tripOf(c)
	s.setCookie(c, s.tripCookie(), "", 0)
	refuse := func(code int, why string) error {
		s.log.Warn("sign-in by the OpenID provider refused", "client", s.clientAddr(c).String(), "why", why)
		return s.renderLogin(c, code, loginPage{Next: safeNext(t.Next), Problem: why})
	}
	if t.State == "" || subtle.ConstantTimeCompare([]byte(t.State), []byte(c.Query("state"))) != 1 {
		return refuse(http.StatusBadRequest, "That answer belongs to no sign-in of this browser, or it took too long. Please sign in again.")
	}
	// RFC 9207: an answer of another provider is not ours
	if iss := c.Query("iss"); iss != "" && iss != s.cfg.OIDC.Issuer {
		return refuse(http.StatusBadRequest, "That answer is of another provider. Please sign in again.")
	}
	if problem := c.Query("error"); problem != "" {
		return refuse(http.StatusForbidden, "The provider did not let you in: "+clip(problem, 100)+".")
	}
	who, err := s.provider.arrive(c.UserContext(), t, c.Query("code"))
	for _, known := range []error{errNoEmail, errNoDomain, errNoRole, errForgedTok} {
		if errors.Is(err, known) {
			return refuse(http.StatusForbidden, strings.ToUpper(known.Error()[:1])+known.Error()[1:]+".")
		}
	}
	if err != nil {
		s.log.Error("the OpenID provider's answer is of no use", "err", err)
		return refuse(http.StatusBadGateway, "The provider's answer could not be checked. Please sign in again; if it stays so, an admin finds the reason in the log.")
	}
	account, err := s.accountOf(c.UserContext(), who)
	var invalid status.Invalid
	switch {
	case errors.As(err, &invalid):
		return refuse(http.StatusForbidden, "Your account cannot take the role "+string(who.role)+" that the provider gives you: "+invalid.Message+".")
	case err != nil:
		return err
	case account.Disabled:
		return refuse(http.StatusForbidden, "Your account is disabled. Ask an admin of this page.")
	}
	return s.enter(c, account, true, t.Next) // the provider asks for second factors
}

func (s *Server) tripOf(c *fiber.Ctx) (t trip) {
	kept, err := base64.RawURLEncoding.DecodeString(c.Cookies(s.tripCookie()))
	if err != nil || json.Unmarshal(kept, &t) != nil {
		return trip{}
	}
	return t
}

// accountOf finds the account of a person, or makes one. The provider decides
// on the role each time. The address leads to an account only the first time;
// from then on it is the provider's own name for the person.
func (s *Server) accountOf(ctx context.Context, who person) (status.Account, error) {
	id, err := s.store.AccountOfIdentity(ctx, who.issuer, who.subject)
	var account status.Account
	switch {
	case err == nil:
		account, err = s.store.AccountByID(ctx, id)
	case errors.Is(err, status.ErrNotFound):
		account, err = s.welcome(ctx, who)
	}
	if err != nil || account.Disabled || account.Role == who.role || s.breaksGlass(account.Email) {
		return account, err
	}
	was := account.Role
	account.Role = who.role
	if err := s.store.SaveAccount(ctx, account); err != nil {
		return account, err
	}
	return account, s.record(ctx, visit{account: account}, "got another role from "+s.provider.name(), string(was)+" → "+string(who.role))
}

func (s *Server) welcome(ctx context.Context, who person) (status.Account, error) {
	account, err := s.store.AccountByEmail(ctx, who.email)
	action := "signed in by " + s.provider.name() + " for the first time"
	if errors.Is(err, status.ErrNotFound) {
		account = status.Account{ID: randomToken(), Email: who.email, Name: who.name, Role: who.role, CreatedAt: s.clock.Now()}
		action, err = "got an account from "+s.provider.name(), s.store.CreateAccount(ctx, account)
	}
	if err != nil || account.Disabled {
		return account, err
	}
	if err := s.store.LinkIdentity(ctx, who.issuer, who.subject, account.ID); err != nil {
		return account, err
	}
	return account, s.record(ctx, visit{account: account}, action, string(account.Role))
}

// mayUsePassword says whether an account signs in here, with its password or a
// passkey: all do, unless that is turned off for all but those kept for
// emergencies.
func (s *Server) mayUsePassword(email string) bool {
	return !s.cfg.PasswordsOff || s.breaksGlass(email)
}

// breaksGlass says whether an account is kept for emergencies. The provider
// cannot take its role either.
func (s *Server) breaksGlass(email string) bool {
	return slices.ContainsFunc(s.cfg.BreakGlass, func(kept string) bool { return strings.EqualFold(kept, email) })
}
