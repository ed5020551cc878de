package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

const (
	passkeysPath = "/admin/profile/passkeys"
	newPasskey   = "new passkey"
	mostPasskeys = 20 // of an account
)

type passkeysPage struct {
	Email    string
	List     []status.Passkey
	Name     string // proposed
	Second   bool   // a code is asked, too
	Blocked  string // why none can be added here
	Required bool   // nothing else works until there is a second factor
	Next     string

	Failed   string // the passkey that was to be removed, "" for a new one
	Problems map[string]string
}

func (s *Server) showPasskeys(c *fiber.Ctx, v visit) error {
	return s.renderPasskeys(c, v, http.StatusOK, passkeysPage{Next: safeNext(c.Query("next"))})
}

func (s *Server) renderPasskeys(c *fiber.Ctx, v visit, code int, view passkeysPage) error {
	ctx := c.UserContext()
	var err error
	if view.List, err = s.store.Passkeys(ctx, v.account.ID); err != nil {
		return err
	}
	if _, view.Second, err = s.factorOf(ctx, v.account.ID); err != nil {
		return err
	}
	view.Email, view.Name = v.account.Email, cmp.Or(view.Name, deviceOf(c.Get(fiber.HeaderUserAgent)))
	view.Required = s.cfg.RequireSecondFactor && !v.session.SecondFactor
	view.Blocked = s.blocksPasskeys(c, v)
	if view.Blocked == "" && len(view.List) >= mostPasskeys {
		view.Blocked = "You have " + itoa(mostPasskeys) + " passkeys; remove one to add another."
	}
	p := page{Title: "Passkeys", Nav: "profile", Data: view}
	if view.Blocked == "" {
		p.Also = s.assets.passkeys
	}
	return s.render(c, code, "passkeys.html", p)
}

// blocksPasskeys says why a person cannot add a passkey here; "" if they can.
func (s *Server) blocksPasskeys(c *fiber.Ctx, v visit) string {
	switch {
	case s.relying == nil:
		return "Browsers have passkeys only for pages at an https:// address with a name. Set public_url to have them."
	case !s.offersPasskeys(c):
		return "Passkeys belong to " + s.site.origin + ". Open the page there to add one."
	case v.account.PasswordHash == "" || !s.mayUsePassword(v.account.Email):
		return "You sign in elsewhere, so your passkeys are there as well."
	}
	return ""
}

// proves refuses changes to how an account signs in by who may only know its
// password, where that is not enough: else a thief of it could add what is
// missing.
func (s *Server) proves(ctx context.Context, v visit) error {
	if !s.cfg.RequireSecondFactor || v.session.SecondFactor {
		return nil
	}
	list, err := s.store.Passkeys(ctx, v.account.ID)
	if err == nil && len(list) > 0 {
		return refusal{code: http.StatusForbidden, text: "Sign out, and in again with your passkey. If it is lost, an admin can take it away under Users."}
	}
	return err
}

// proposePasskey asks the browser for a new passkey. It takes all that a sign-in
// by password takes: a browser left open must not be enough to come back later.
func (s *Server) proposePasskey(c *fiber.Ctx, v visit) error {
	ctx, f := c.UserContext(), form(c)
	if why := s.blocksPasskeys(c, v); why != "" {
		return refusal{code: http.StatusConflict, text: why}
	}
	if err := s.proves(ctx, v); err != nil {
		return err
	}
	_, err := s.authenticate(c, v.account.Email, f.Get("current"))
	var r refusal
	if errors.As(err, &r) && r.code == http.StatusUnauthorized {
		return refusal{code: http.StatusUnprocessableEntity, text: "That is not your present password."}
	}
	if err != nil {
		return err
	}
	if _, second, err := s.factorOf(ctx, v.account.ID); err != nil {
		return err
	} else if second {
		if err := s.checkSecond(c, v.account, f.Get("code"), ""); err != nil {
			return err
		}
	}
	list, err := s.store.Passkeys(ctx, v.account.ID)
	if err != nil {
		return err
	}
	holder := keyholder{v.account, list}
	var known []protocol.CredentialDescriptor
	for _, credential := range holder.WebAuthnCredentials() {
		known = append(known, credential.Descriptor())
	}
	wish, session, err := s.relying.BeginRegistration(holder, webauthn.WithExclusions(known))
	if err != nil {
		return err
	}
	return s.ask(c, newPasskey, v.account.ID, wish.Response, session)
}

// addPasskey keeps the passkey that the browser made. It counts as signing in
// with it: this browser gets a new session, the others are signed out.
func (s *Server) addPasskey(c *fiber.Ctx, v visit) error {
	ctx, f := c.UserContext(), form(c)
	view := passkeysPage{Name: clip(strings.TrimSpace(f.Get("name")), 100), Next: safeNext(f.Get("next"))}
	refuse := func(code int, why string) error {
		view.Problems = map[string]string{"credential": why}
		return s.renderPasskeys(c, v, code, view)
	}
	if err := s.proves(ctx, v); err != nil {
		return err
	}
	if s.blocksPasskeys(c, v) != "" {
		return refuse(http.StatusConflict, "")
	}
	session, err := s.answered(c, newPasskey, v.account.ID)
	if errors.Is(err, status.ErrNotFound) {
		return refuse(http.StatusUnprocessableEntity, "That took too long, or the browser's script did not run. Please try again.")
	}
	if err != nil {
		return err
	}
	answer, err := protocol.ParseCredentialCreationResponseBytes([]byte(f.Get("credential")))
	var made *webauthn.Credential
	if err == nil {
		made, err = s.relying.CreateCredential(keyholder{account: v.account}, session, answer)
	}
	if err != nil {
		s.log.Warn("new passkey refused", "account", v.account.Email, "why", err)
		return refuse(http.StatusUnprocessableEntity, "The browser's answer could not be checked, so nothing was added. Please try again.")
	}
	p := passkeyOf(made)
	p.AccountID, p.Name, p.CreatedAt = v.account.ID, cmp.Or(view.Name, "Passkey"), s.clock.Now()
	if err := s.store.AddPasskey(ctx, p, mostPasskeys); err != nil {
		return answers{conflict: func() error {
			return refuse(http.StatusConflict, "It is here already, or you have too many.")
		}}.answer(c, err)
	}
	if err := s.record(ctx, v, "added a passkey", p.Name); err != nil {
		return err
	}
	if err := s.endOtherSessions(ctx, v); err != nil {
		return err
	}
	if err := s.signIn(c, v.account, true); err != nil {
		return err
	}
	target := passkeysPath + "?done=passkey-added"
	if view.Next != "" {
		target += "&next=" + url.QueryEscape(view.Next)
	}
	return c.Redirect(target, http.StatusSeeOther)
}

// removePasskey forgets one, for the password. The password stays a way in, so
// nobody locks themselves out; but where everybody needs a second factor, the
// last one stays.
func (s *Server) removePasskey(c *fiber.Ctx, v visit) error {
	ctx, f := c.UserContext(), form(c)
	list, err := s.store.Passkeys(ctx, v.account.ID)
	if err != nil {
		return err
	}
	var p status.Passkey
	for _, have := range list {
		if have.ID == f.Get("id") {
			p = have
		}
	}
	if p.ID == "" {
		return status.ErrNotFound // of somebody else, or gone
	}
	if err := s.proves(ctx, v); err != nil {
		return err
	}
	_, second, err := s.factorOf(ctx, v.account.ID)
	if err != nil {
		return err
	}
	err = s.confirmPassword(c, v, f.Get("current"))
	if err == nil && s.cfg.RequireSecondFactor && !second && len(list) == 1 {
		err = status.Invalid{Field: "current", Message: "this is your only second factor, and here everybody needs one; add another passkey or an authenticator app first"}
	}
	if err != nil {
		return answers{invalid: func(invalid status.Invalid) error {
			return s.renderPasskeys(c, v, http.StatusUnprocessableEntity, passkeysPage{Failed: p.ID, Problems: map[string]string{invalid.Field: invalid.Message}})
		}}.answer(c, err)
	}
	if err := s.store.RemovePasskey(ctx, v.account.ID, p.ID); err != nil {
		return err
	}
	if err := s.record(ctx, v, "removed a passkey", p.Name); err != nil {
		return err
	}
	return redirect(c, passkeysPath, "passkey-removed")
}
