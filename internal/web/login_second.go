package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// secondPage asks for the second factor, after the password was right.
type secondPage struct {
	Problem string
}

// The second step of a sign-in: its name in the store, and how long it waits.
const (
	secondStep     = "second factor"
	secondStepLife = 10 * time.Minute
)

func (s *Server) stepCookie() string { return s.cookieName() + "-step" }

// await keeps a sign-in until its next step; the browser gets the id.
func (s *Server) await(c *fiber.Ctx, challenge status.Challenge, life time.Duration) error {
	id, now := randomToken(), s.clock.Now()
	challenge.IDHash, challenge.ExpiresAt = hashToken(id), now.Add(life)
	if err := s.store.SaveChallenge(c.UserContext(), now, challenge); err != nil {
		return err
	}
	s.setCookie(c, s.stepCookie(), id, life)
	return nil
}

// factorOf is the authenticator app that an account has in use.
func (s *Server) factorOf(ctx context.Context, accountID string) (a status.Authenticator, used bool, err error) {
	a, err = s.store.Authenticator(ctx, accountID)
	if errors.Is(err, status.ErrNotFound) {
		return a, false, nil
	}
	return a, err == nil && !a.Since.IsZero(), err
}

// waiting is the sign-in whose password was right. It is gone when it waited too
// long, or when the account was disabled meanwhile.
func (s *Server) waiting(c *fiber.Ctx) (status.Challenge, status.Account, error) {
	ctx := c.UserContext()
	challenge, err := s.store.Challenge(ctx, hashToken(c.Cookies(s.stepCookie())), secondStep, s.clock.Now())
	if err != nil {
		return challenge, status.Account{}, err
	}
	account, err := s.store.AccountByID(ctx, challenge.AccountID)
	if err == nil && account.Disabled {
		err = status.ErrNotFound
	}
	return challenge, account, err
}

func (s *Server) showSecond(c *fiber.Ctx) error {
	s.protect(c)
	if _, _, err := s.waiting(c); errors.Is(err, status.ErrNotFound) {
		return c.Redirect("/admin/login", http.StatusSeeOther)
	} else if err != nil {
		return err
	}
	return s.renderSecond(c, http.StatusOK, secondPage{})
}

func (s *Server) renderSecond(c *fiber.Ctx, code int, view secondPage) error {
	return s.render(c, code, "second.html", page{Title: "Sign in", CSRF: s.loginToken(c), Data: view})
}

func (s *Server) handleSecond(c *fiber.Ctx) error {
	s.protect(c)
	if err := s.checkForgery(c, s.sentLoginToken(c)); err != nil {
		return err
	}
	ctx, f := c.UserContext(), form(c)
	challenge, account, err := s.waiting(c)
	if errors.Is(err, status.ErrNotFound) {
		return s.renderLogin(c, http.StatusUnauthorized, loginPage{Problem: "That took too long. Please sign in again."})
	}
	if err != nil {
		return err
	}
	err = s.checkSecond(c, account, f.Get("code"), f.Get("recovery"))
	var r refusal
	if errors.As(err, &r) {
		if r.retryAfter > 0 {
			c.Set(fiber.HeaderRetryAfter, itoa(r.retryAfter))
		}
		return s.renderSecond(c, r.code, secondPage{Problem: r.text})
	}
	if err != nil {
		return err
	}
	if _, err := s.store.TakeChallenge(ctx, challenge.IDHash, secondStep, s.clock.Now()); err != nil {
		return err
	}
	s.setCookie(c, s.stepCookie(), "", 0)
	return s.enter(c, account, true, challenge.Data)
}

// enter ends a sign-in: the session begins, and the person goes where they were
// going.
func (s *Server) enter(c *fiber.Ctx, account status.Account, second bool, next string) error {
	if err := s.signIn(c, account, second); err != nil {
		return err
	}
	s.setCookie(c, s.loginCookie(), "", 0)
	s.log.Info("signed in", "account", account.Email, "client", s.clientAddr(c).String(), "second_factor", second)
	return c.Redirect(orHome(safeNext(next)), http.StatusSeeOther)
}

// The answers to a wrong code. They may differ: who sees them knows the
// password.
var (
	wrongCode     = refusal{code: http.StatusUnauthorized, text: "That code is wrong, or was used already. Wait for the next one; if none works, look whether the clock of your phone is right."}
	wrongRecovery = refusal{code: http.StatusUnauthorized, text: "That is no recovery code of yours, or it was used already."}
)

// checkSecond takes the code of an authenticator app, or a recovery code, and
// takes none twice.
func (s *Server) checkSecond(c *fiber.Ctx, account status.Account, code, recovery string) error {
	ctx, guesses := c.UserContext(), codeGuesses(account)
	if code == "" && recovery == "" {
		return refusal{code: http.StatusUnprocessableEntity, text: "Type the six digits that your app shows."}
	}
	if err := s.brake(ctx, guesses); err != nil {
		return err
	}
	if code == "" {
		return s.takeRecovery(c, account, recovery, guesses)
	}
	factor, used, err := s.factorOf(ctx, account.ID)
	if err != nil {
		return err
	}
	secret, stale, err := s.secretOf(factor)
	if err != nil {
		return refusal{code: http.StatusServiceUnavailable, text: "Codes cannot be checked right now. Use a recovery code, and tell an admin: the log says why."}
	}
	step, right := stepOf(secret, code, s.clock.Now())
	if used && right {
		right, err = s.store.TakeStep(ctx, account.ID, step)
	}
	switch {
	case err != nil:
		return err
	case !used || !right:
		s.log.Warn("second factor refused", "account", account.Email, "client", s.clientAddr(c).String())
		return wrongCode
	}
	if stale {
		if err := s.store.ResealAuthenticator(ctx, account.ID, factor.Secret, s.vault.seal(secret, account.ID)); err != nil {
			return err
		}
	}
	return s.release(ctx, guesses)
}

func (s *Server) takeRecovery(c *fiber.Ctx, account status.Account, typed string, guesses []guess) error {
	ctx := c.UserContext()
	ok, err := s.store.TakeRecoveryCode(ctx, account.ID, recoveryHash(typed))
	if err != nil {
		return err
	}
	if !ok {
		s.log.Warn("recovery code refused", "account", account.Email, "client", s.clientAddr(c).String())
		return wrongRecovery
	}
	left, err := s.store.RecoveryCodes(ctx, account.ID)
	if err != nil {
		return err
	}
	if err := s.record(ctx, visit{account: account}, "used a recovery code", itoa(left)+" left"); err != nil {
		return err
	}
	return s.release(ctx, guesses)
}
