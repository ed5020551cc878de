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

// Back-off: an address may mistype a few times; an account is given more room,
// so that a stranger cannot easily lock its owner out.
const (
	freeTriesOfAddress = 5
	freeTriesOfAccount = 10
	longestPause       = 15 * time.Minute
)

type loginPage struct {
	Email   string
	Next    string
	Problem string
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
	token := c.Cookies(s.loginCookie())
	if len(token) != len(randomToken()) {
		token = randomToken()
	}
	s.setCookie(c, s.loginCookie(), token, loginTokenLife)
	return s.render(c, code, "login.html", page{Title: "Sign in", CSRF: hashToken(token), Data: view})
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
	token := c.Cookies(s.loginCookie())
	if token != "" {
		token = hashToken(token)
	}
	if err := s.checkForgery(c, token); err != nil {
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
	if err := s.signIn(c, account); err != nil {
		return err
	}
	s.setCookie(c, s.loginCookie(), "", 0)
	s.log.Info("signed in", "account", account.Email, "client", s.clientAddr(c).String())
	return c.Redirect(orHome(view.Next), http.StatusSeeOther)
}

var wrongLogin = refusal{code: http.StatusUnauthorized, text: "The email address or the password is wrong."}

func (s *Server) authenticate(c *fiber.Ctx, email, password string) (status.Account, error) {
	ctx, now := c.UserContext(), s.clock.Now()
	tries := []struct {
		key  string
		free int
	}{
		{"ip:" + addrKey(s.clientAddr(c)), freeTriesOfAddress},
		{"account:" + hashToken(email), freeTriesOfAccount},
	}
	for _, t := range tries {
		n, last, err := s.store.LoginFailures(ctx, t.key)
		if err != nil {
			return status.Account{}, err
		}
		if wait := last.Add(loginPause(n, t.free, longestPause)).Sub(now); n >= t.free && wait > 0 {
			return status.Account{}, refusal{
				code: http.StatusTooManyRequests, retryAfter: int(wait/time.Second) + 1,
				text: "Too many attempts. Wait " + roughly(wait) + " and try again.",
			}
		}
	}
	// counted before it is checked: guesses sent side by side all count
	for _, t := range tries {
		if err := s.store.RecordLoginFailure(ctx, t.key, now); err != nil {
			return status.Account{}, err
		}
	}
	account, err := s.store.AccountByEmail(ctx, email)
	if err != nil && !errors.Is(err, status.ErrNotFound) {
		return status.Account{}, err
	}
	ok, err := s.passwords.matches(ctx, password, account.PasswordHash)
	if err != nil {
		return status.Account{}, err
	}
	if !ok || account.Disabled {
		s.log.Warn("sign-in refused", "client", s.clientAddr(c).String())
		return status.Account{}, wrongLogin
	}
	for _, t := range tries {
		if err := s.store.ClearLoginFailures(ctx, t.key); err != nil {
			return status.Account{}, err
		}
	}
	return account, nil
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
