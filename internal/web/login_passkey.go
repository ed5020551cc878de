package web

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

const (
	passkeyLogin = "/admin/login/passkey"
	passkeyStep  = "passkey"
)

// passkeyGuesses counts questions, not answers: each answer takes a question,
// and each question is kept. It is apart from passwords, so that who turns the
// browser's dialogue away can still type one.
func (s *Server) passkeyGuesses(c *fiber.Ctx) []guess {
	return []guess{{"passkey:" + addrKey(s.clientAddr(c)), freeTriesOfPasskey}}
}

// askForPasskey begins a sign-in. The browser lets its owner choose the account:
// nothing here tells which there are.
func (s *Server) askForPasskey(c *fiber.Ctx) error {
	s.protect(c)
	if err := s.checkForgery(c, s.sentLoginToken(c)); err != nil {
		return err
	}
	if !s.offersPasskeys(c) {
		return status.ErrNotFound
	}
	if err := s.brake(c.UserContext(), s.passkeyGuesses(c)); err != nil {
		return err
	}
	question, session, err := s.relying.BeginDiscoverableLogin()
	if err != nil {
		return err
	}
	return s.ask(c, passkeyStep, "", question.Response, session)
}

// handlePasskey ends it. A passkey is two factors at once, because it is shown
// only to who unlocks it; so no other is asked.
func (s *Server) handlePasskey(c *fiber.Ctx) error {
	s.protect(c)
	if err := s.checkForgery(c, s.sentLoginToken(c)); err != nil {
		return err
	}
	if !s.offersPasskeys(c) {
		return status.ErrNotFound
	}
	f := form(c)
	view := loginPage{Next: safeNext(f.Get("next"))}
	session, err := s.answered(c, passkeyStep, "")
	if errors.Is(err, status.ErrNotFound) {
		view.Problem = "That took too long. Please try again."
		return s.renderLogin(c, http.StatusUnauthorized, view)
	}
	if err != nil {
		return err
	}
	account, err := s.accountOfPasskey(c, session, []byte(f.Get("credential")))
	if errors.Is(err, errWrongPasskey) {
		s.log.Warn("passkey refused", "client", s.clientAddr(c).String(), "why", err)
		view.Problem = "That passkey does not open this page."
		return s.renderLogin(c, http.StatusUnauthorized, view)
	}
	if err != nil {
		return err
	}
	if err := s.release(c.UserContext(), s.passkeyGuesses(c)); err != nil {
		return err
	}
	return s.enter(c, account, true, view.Next)
}

// errWrongPasskey is all that a visitor learns; the log says more.
var errWrongPasskey = errors.New("wrong passkey")

// accountOfPasskey checks an answer and finds whose it is.
func (s *Server) accountOfPasskey(c *fiber.Ctx, session webauthn.SessionData, sent []byte) (status.Account, error) {
	ctx := c.UserContext()
	answer, err := protocol.ParseCredentialRequestResponseBytes(sent)
	if err != nil {
		return status.Account{}, errors.Join(errWrongPasskey, err)
	}
	var owner keyholder
	var broken error // the store's, which is nobody's fault
	_, _, err = s.relying.ValidatePasskeyLogin(func(id, _ []byte) (webauthn.User, error) {
		var err error
		if owner, err = s.keyholderOf(ctx, id); err != nil && !errors.Is(err, status.ErrNotFound) {
			broken = err
		}
		return owner, err
	}, session, answer)
	switch {
	case broken != nil:
		return status.Account{}, broken
	case err != nil:
		return status.Account{}, errors.Join(errWrongPasskey, err)
	case owner.account.Disabled, !s.mayUsePassword(owner.account.Email):
		return status.Account{}, errors.Join(errWrongPasskey, errors.New("its account may not sign in here: "+owner.account.Email))
	}
	used := owner.passkeys[0]
	used.SignCount, used.LastUsedAt = int64(answer.Response.AuthenticatorData.Counter), s.clock.Now()
	grew, err := s.store.UsePasskey(ctx, used)
	if err != nil {
		return status.Account{}, err
	}
	if !grew {
		if err := s.record(ctx, visit{account: owner.account}, "refused a passkey that may have been copied", used.Name); err != nil {
			return status.Account{}, err
		}
		return status.Account{}, errors.Join(errWrongPasskey, errors.New("its counter did not grow: "+owner.account.Email))
	}
	return owner.account, nil
}

// keyholderOf is the account of a passkey, with that passkey only.
func (s *Server) keyholderOf(ctx context.Context, id []byte) (keyholder, error) {
	p, err := s.store.Passkey(ctx, base64.RawURLEncoding.EncodeToString(id))
	if err != nil {
		return keyholder{}, err
	}
	account, err := s.store.AccountByID(ctx, p.AccountID)
	return keyholder{account, []status.Passkey{p}}, err
}
