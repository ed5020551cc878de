package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

type usersPage struct {
	List        []userView
	Email, Name string // as typed
	Roles       []option
	Problems    map[string]string
	Made        madePassword
}

type userView struct {
	Account  status.Account
	Look     look
	You      bool
	Second   bool // factor in use
	Passkeys int
}

// madePassword is shown once.
type madePassword struct{ Email, Password string }

type userPage struct {
	User     userView
	Roles    []option
	Sessions int
	Problems map[string]string
	Made     madePassword
}

func roleOptions(chosen string) []option {
	return []option{
		{"viewer", "Viewer: reads", chosen == "viewer"},
		{"responder", "Responder: issues, maintenance", chosen == "responder"},
		{"admin", "Admin: everything", chosen == "admin"},
	}
}

func userViewOf(a status.Account, v visit) userView {
	u := userView{Account: a, Look: look{"ok", "Active"}, You: a.ID == v.account.ID}
	if a.Disabled {
		u.Look = look{"none", "Disabled"}
	}
	return u
}

func (s *Server) showUsers(c *fiber.Ctx, v visit) error {
	return s.renderUsers(c, v, http.StatusOK, usersPage{Roles: roleOptions("responder")})
}

func (s *Server) renderUsers(c *fiber.Ctx, v visit, code int, view usersPage) error {
	all, err := s.store.Accounts(c.UserContext())
	if err != nil {
		return err
	}
	factors, err := s.store.Authenticators(c.UserContext())
	if err != nil {
		return err
	}
	passkeys, err := s.store.PasskeyCounts(c.UserContext())
	if err != nil {
		return err
	}
	for _, a := range all {
		u := userViewOf(a, v)
		u.Passkeys = passkeys[a.ID]
		u.Second = slices.ContainsFunc(factors, func(f status.Authenticator) bool { return f.AccountID == a.ID })
		view.List = append(view.List, u)
	}
	return s.render(c, code, "users.html", page{Title: "Users", Nav: "users", Data: view})
}

func (s *Server) createUser(c *fiber.Ctx, v visit) error {
	f := form(c)
	view := usersPage{Email: clip(strings.TrimSpace(f.Get("email")), 254), Name: clip(strings.TrimSpace(f.Get("name")), 100), Roles: roleOptions(f.Get("role"))}
	password := NewPassword()
	hash, err := s.passwords.hash(c.UserContext(), password)
	if err != nil {
		return err
	}
	a := status.Account{
		ID: randomToken(), Email: strings.ToLower(view.Email), Name: view.Name, Role: status.Role(f.Get("role")), PasswordHash: hash, CreatedAt: s.clock.Now(),
	}
	switch {
	case !looksLikeEmail(a.Email):
		err = status.Invalid{Field: "email", Message: "is no address such as jo@example.com"}
	case rankOf(a.Role) == 0:
		err = status.Invalid{Field: "role", Message: "choose one"}
	default:
		err = s.store.CreateAccount(c.UserContext(), a)
	}
	if err != nil {
		return answers{invalid: func(invalid status.Invalid) error {
			view.Problems = map[string]string{invalid.Field: invalid.Message}
			return s.renderUsers(c, v, http.StatusUnprocessableEntity, view)
		}}.answer(c, err)
	}
	if err := s.record(c.UserContext(), v, "created an account", a.Email+", "+string(a.Role)); err != nil {
		return err
	}
	return s.renderUsers(c, v, http.StatusOK, usersPage{Roles: roleOptions("responder"), Made: madePassword{a.Email, password}})
}

func (s *Server) showUser(c *fiber.Ctx, v visit) error {
	a, err := s.store.AccountByID(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	return s.renderUser(c, v, http.StatusOK, a, userPage{})
}

func (s *Server) renderUser(c *fiber.Ctx, v visit, code int, a status.Account, view userPage) error {
	view.User = userViewOf(a, v)
	var err error
	if _, view.User.Second, err = s.factorOf(c.UserContext(), a.ID); err != nil {
		return err
	}
	list, err := s.store.Sessions(c.UserContext(), a.ID)
	if err != nil {
		return err
	}
	passkeys, err := s.store.Passkeys(c.UserContext(), a.ID)
	if err != nil {
		return err
	}
	view.User.Passkeys = len(passkeys)
	view.Sessions, view.Roles = len(s.alive(list)), roleOptions(string(a.Role))
	return s.render(c, code, "user.html", page{Title: a.Email, Nav: "users", Data: view})
}

// saveUser changes name, role, and whether the account may sign in. What is
// taken away is gone with the next click: the gate reads the account each time.
func (s *Server) saveUser(c *fiber.Ctx, v visit) error {
	ctx, f := c.UserContext(), form(c)
	was, err := s.store.AccountByID(ctx, c.Params("id"))
	if err != nil {
		return err
	}
	a := was
	a.Name, a.Role, a.Disabled = clip(strings.TrimSpace(f.Get("name")), 100), status.Role(f.Get("role")), f.Get("disabled") != ""
	switch {
	case rankOf(a.Role) == 0:
		err = status.Invalid{Field: "role", Message: "choose one"}
	case a.ID == v.account.ID && (a.Disabled || a.Role != was.Role):
		err = status.Invalid{Field: "role", Message: "another admin has to change your own role"}
	default:
		err = s.store.SaveAccount(ctx, a)
	}
	if err != nil {
		return answers{invalid: func(invalid status.Invalid) error {
			return s.renderUser(c, v, http.StatusUnprocessableEntity, a, userPage{Problems: map[string]string{invalid.Field: invalid.Message}})
		}}.answer(c, err)
	}
	if a.Disabled {
		if err := s.store.DeleteSessions(ctx, a.ID); err != nil {
			return err
		}
	}
	for _, change := range []struct {
		is             bool
		action, detail string
	}{
		{a.Name != was.Name, "renamed an account", a.Email + ": " + a.Name},
		{a.Role != was.Role, "changed a role", a.Email + ": " + string(was.Role) + " → " + string(a.Role)},
		{a.Disabled && !was.Disabled, "disabled an account", a.Email},
		{!a.Disabled && was.Disabled, "enabled an account", a.Email},
	} {
		if !change.is {
			continue
		}
		if err := s.record(ctx, v, change.action, change.detail); err != nil {
			return err
		}
	}
	return redirect(c, "/admin/users/"+a.ID, "saved")
}

// resetUser gives an account a new password, or takes its second factor or its
// passkeys away, and ends its sessions: who could have signed in with the old one is out.
func (s *Server) resetUser(c *fiber.Ctx, v visit) error {
	ctx := c.UserContext()
	a, err := s.store.AccountByID(ctx, c.Params("id"))
	if err != nil {
		return err
	}
	action, view := "", userPage{}
	switch form(c).Get("what") {
	case "password":
		action, view.Made = "reset a password", madePassword{a.Email, NewPassword()}
		if a.PasswordHash, err = s.passwords.hash(ctx, view.Made.Password); err == nil {
			err = s.store.SaveAccount(ctx, a)
		}
	case "second":
		action, err = "took a second factor away", s.store.RemoveAuthenticator(ctx, a.ID)
	case "passkeys":
		action, err = "took passkeys away", s.store.RemovePasskeys(ctx, a.ID)
	case "sessions":
		action = "signed somebody out"
	default:
		return refusal{code: http.StatusUnprocessableEntity, text: "Say what to reset."}
	}
	if err != nil {
		return err
	}
	if err := s.store.DeleteSessions(ctx, a.ID); err != nil {
		return err
	}
	if err := s.record(ctx, v, action, a.Email); err != nil {
		return err
	}
	return s.renderUser(c, v, http.StatusOK, a, view)
}
