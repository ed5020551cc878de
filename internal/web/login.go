package web

import (
	"errors"
	"net/http"
	"net/mail"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

type loginPage struct {
	Email   string
	Next    string
	Problem string

	Provider     string // name of it, "" if there is none
	PasswordsOff bool   // but for emergencies
	Passkeys     bool   // can be used here
	CSRF         string // filled by renderLogin
}

// the login form's token lives in a cookie of its own: there is no session yet.
const loginTokenLife = time.Hour

func (s *Server) loginCookie() string { return s.cookieName() + "-login" }

func (s *Server) showLogin(c *fiber.Ctx) error {
	s.protect(c)
	next := safeNext(c.Query("next"))
	if _, err := s.visitOf(c.UserContext(), c.Cookies(s.cookieName())); err == nil {
		return c.Redirect(orHome(next), http.StatusSeeOther)
	}
	return s.renderLogin(c, http.StatusOK, loginPage{Next: next})
}

func (s *Server) renderLogin(c *fiber.Ctx, code int, view loginPage) error {
	view.CSRF = s.loginToken(c)
	if s.provider != nil {
		view.Provider, view.PasswordsOff = s.provider.name(), s.cfg.PasswordsOff
	}
	p := page{Title: "Sign in"}
	if view.Passkeys = s.offersPasskeys(c); view.Passkeys {
		p.Also = s.assets.passkeys
	}
	p.Data = view
	return s.render(c, code, "login.html", p)
}

// loginToken is the token of a form before there is a session; its cookie is
// set.
func (s *Server) loginToken(c *fiber.Ctx) string {
	token := c.Cookies(s.loginCookie())
	if len(token) != len(randomToken()) {
		token = randomToken()
	}
	s.setCookie(c, s.loginCookie(), token, loginTokenLife)
	return hashToken(token)
}

// sentLoginToken is what a form before the session must carry; "" without a
// cookie.
func (s *Server) sentLoginToken(c *fiber.Ctx) string {
	if token := c.Cookies(s.loginCookie()); token != "" {
		return hashToken(token)
	}
	return ""
}

func orHome(next string) string {
	if next == "" {
		return "/admin"
	}
	return next
}

// handleLogin takes the same time and gives the same answer whether the
// account exists, is disabled, or the password is wrong.
func (s *Server) handleLogin(c *fiber.Ctx) error {
	s.protect(c)
	if err := s.checkForgery(c, s.sentLoginToken(c)); err != nil {
		if !s.sameOrigin(c) {
			return err
		}
		return s.renderLogin(c, http.StatusForbidden, loginPage{
			Next:    safeNext(form(c).Get("next")),
			Problem: "The form had expired, or your browser keeps no cookies. Please try once more.",
		})
	}
	f := form(c)
	view := loginPage{Email: clip(strings.TrimSpace(f.Get("email")), 254), Next: safeNext(f.Get("next"))}
	account, err := s.authenticate(c, strings.ToLower(view.Email), f.Get("password"))
	var r refusal
	switch {
	case errors.As(err, &r):
		view.Problem = r.text
		if r.retryAfter > 0 {
			c.Set(fiber.HeaderRetryAfter, itoa(r.retryAfter))
		}
		return s.renderLogin(c, r.code, view)
	case err != nil:
		return err
	}
	_, second, err := s.factorOf(c.UserContext(), account.ID)
	if err != nil {
		return err
	}
	if second {
		if err := s.await(c, status.Challenge{Purpose: secondStep, AccountID: account.ID, Data: view.Next}, secondStepLife); err != nil {
			return err
		}
		return c.Redirect("/admin/login/second", http.StatusSeeOther)
	}
	return s.enter(c, account, false, view.Next)
}

var wrongLogin = refusal{code: http.StatusUnauthorized, text: "The email address or the password is wrong."}

func (s *Server) authenticate(c *fiber.Ctx, email, password string) (status.Account, error) {
	ctx, guesses := c.UserContext(), s.passwordGuesses(c, email)
	if err := s.brake(ctx, guesses); err != nil {
		return status.Account{}, err
	}
	account, err := s.store.AccountByEmail(ctx, email)
	if err != nil && !errors.Is(err, status.ErrNotFound) {
		return status.Account{}, err
	}
	ok, err := s.passwords.matches(ctx, password, account.PasswordHash)
	if err != nil {
		return status.Account{}, err
	}
	if !ok || account.Disabled || !s.mayUsePassword(email) {
		s.log.Warn("sign-in refused", "client", s.clientAddr(c).String())
		return status.Account{}, wrongLogin
	}
	return account, s.release(ctx, guesses)
}

// handleLogout ends the session in the store, not only in the browser.
func (s *Server) handleLogout(c *fiber.Ctx, v visit) error {
	if err := s.store.DeleteSession(c.UserContext(), v.session.IDHash); err != nil {
		return err
	}
	s.setCookie(c, s.cookieName(), "", 0)
	return c.Redirect("/admin/login", http.StatusSeeOther)
}

// looksLikeEmail accepts a bare address and nothing around it.
func looksLikeEmail(address string) bool {
	if len(address) > 254 || strings.ContainsAny(address, "\r\n\x00 ") {
		return false
	}
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address {
		return false
	}
	_, domain, _ := strings.Cut(address, "@")
	return strings.Contains(domain, ".") && !strings.HasPrefix(domain, ".") && !strings.HasSuffix(domain, ".")
}
