package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// profilePage is what everybody may change about themselves.
type profilePage struct {
	Account  status.Account
	Second   bool // factor in use
	Passkeys int
	Sessions []sessionView
	Problems map[string]string
}

type sessionView struct {
	ID      string // the hash of it: no way to sign in
	Device  string
	Address string
	Began   time.Time
	Seen    time.Time
	This    bool
}

func (s *Server) showProfile(c *fiber.Ctx, v visit) error {
	return s.renderProfile(c, v, http.StatusOK, nil)
}

func (s *Server) renderProfile(c *fiber.Ctx, v visit, code int, problems map[string]string) error {
	list, err := s.store.Sessions(c.UserContext(), v.account.ID)
	if err != nil {
		return err
	}
	_, second, err := s.factorOf(c.UserContext(), v.account.ID)
	if err != nil {
		return err
	}
	passkeys, err := s.store.Passkeys(c.UserContext(), v.account.ID)
	if err != nil {
		return err
	}
	view := profilePage{Account: v.account, Second: second, Passkeys: len(passkeys), Problems: problems}
	for _, session := range s.alive(list) {
		view.Sessions = append(view.Sessions, sessionView{
			ID: session.IDHash, Device: deviceOf(session.UserAgent), Address: session.Address,
			Began: session.CreatedAt, Seen: session.SeenAt, This: session.IDHash == v.session.IDHash,
		})
	}
	return s.render(c, code, "profile.html", page{Title: "Your account", Nav: "profile", Data: view})
}

// alive leaves out the sessions that ended by themselves.
func (s *Server) alive(list []status.Session) []status.Session {
	now := s.clock.Now()
	return slices.DeleteFunc(list, func(session status.Session) bool {
		return !now.Before(session.ExpiresAt) || now.Sub(session.SeenAt) >= sessionIdle
	})
}

// deviceOf tells devices apart as people do, by browser and system. What it
// does not know stays as the browser says it.
func deviceOf(agent string) string {
	first := func(names ...[2]string) string {
		for _, n := range names {
			if strings.Contains(agent, n[0]) {
				return n[1]
			}
		}
		return ""
	}
	browser := first([2]string{"Edg", "Edge"}, [2]string{"OPR/", "Opera"}, [2]string{"Firefox/", "Firefox"}, [2]string{"FxiOS", "Firefox"},
		[2]string{"Chrome/", "Chrome"}, [2]string{"CriOS", "Chrome"}, [2]string{"Safari/", "Safari"})
	system := first([2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"}, [2]string{"Android", "Android"}, [2]string{"Windows", "Windows"},
		[2]string{"Mac OS X", "Mac"}, [2]string{"CrOS", "ChromeOS"}, [2]string{"Linux", "Linux"})
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case agent == "":
		return "An unknown device"
	}
	return agent
}

// changePassword takes the present password, and ends all other sessions.
func (s *Server) changePassword(c *fiber.Ctx, v visit) error {
	ctx, f := c.UserContext(), form(c)
	err := CheckPassword(f.Get("password"))
	if err == nil {
		err = s.confirmPassword(c, v, f.Get("current"))
	}
	if err != nil {
		return answers{invalid: func(invalid status.Invalid) error {
			return s.renderProfile(c, v, http.StatusUnprocessableEntity, map[string]string{invalid.Field: invalid.Message})
		}}.answer(c, err)
	}
	a := v.account
	if a.PasswordHash, err = s.passwords.hash(ctx, f.Get("password")); err != nil {
		return err
	}
	if err := s.store.SaveAccount(ctx, a); err != nil {
		return err
	}
	if err := s.endOtherSessions(ctx, v); err != nil {
		return err
	}
	if err := s.record(ctx, v, "changed the own password", ""); err != nil {
		return err
	}
	return redirect(c, "/admin/profile", "saved")
}

// confirmPassword asks a signed-in person again: a browser that was left open
// must not be enough to take an account over. It counts as a sign-in, with the
// same back-off.
func (s *Server) confirmPassword(c *fiber.Ctx, v visit, password string) error {
	_, err := s.authenticate(c, v.account.Email, password)
	var r refusal
	switch {
	case errors.As(err, &r) && r.code == http.StatusUnauthorized:
		return status.Invalid{Field: "current", Message: "is not your present password"}
	case errors.As(err, &r):
		return status.Invalid{Field: "current", Message: r.text}
	}
	return err
}

func (s *Server) endOtherSessions(ctx context.Context, v visit) error {
	list, err := s.store.Sessions(ctx, v.account.ID)
	if err != nil {
		return err
	}
	for _, session := range list {
		if session.IDHash == v.session.IDHash {
			continue
		}
		if err := s.store.DeleteSession(ctx, session.IDHash); err != nil {
			return err
		}
	}
	return nil
}

// endSessions signs out of one session, or everywhere.
func (s *Server) endSessions(c *fiber.Ctx, v visit) error {
	ctx, id := c.UserContext(), form(c).Get("session")
	if id == "all" {
		if err := s.store.DeleteSessions(ctx, v.account.ID); err != nil {
			return err
		}
		if err := s.record(ctx, v, "signed out everywhere", ""); err != nil {
			return err
		}
		s.setCookie(c, s.cookieName(), "", 0)
		return c.Redirect("/admin/login", http.StatusSeeOther)
	}
	list, err := s.store.Sessions(ctx, v.account.ID)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(session status.Session) bool { return session.IDHash == id }) {
		return status.ErrNotFound // of somebody else, or gone
	}
	if err := s.store.DeleteSession(ctx, id); err != nil {
		return err
	}
	return redirect(c, "/admin/profile", "signed-out")
}
