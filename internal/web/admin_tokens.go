package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

type tokensPage struct {
	Name     string
	Scopes   []scopeView
	Lives    []option
	Problems map[string]string
	Made     string // the secret, shown once
	List     []tokenView
}

type scopeView struct {
	Name, Words string
	Chosen      bool
}

type tokenView struct {
	Token  status.Token
	Scopes string
	Look   look
	Alive  bool
}

// scopeWords say what a scope lets a program do.
var scopeWords = map[status.TokenScope]string{
	status.TokenRead:        "read what a viewer sees; scrape /metrics",
	status.TokenIssues:      "open, change, publish, dismiss and resolve issues",
	status.TokenMaintenance: "plan, begin and end maintenance",
	status.TokenComponents:  "change components and groups",
	status.TokenSubscribers: "read, add and erase subscribers",
	status.TokenRules:       "reload rules and configuration",
	status.TokenAdmin:       "everything above",
}

// tokenLives are how long a token may live; 0 is for ever.
var tokenLives = []struct {
	value, label string
	life         time.Duration
}{
	{"30d", "30 days", 30 * 24 * time.Hour},
	{"90d", "90 days", 90 * 24 * time.Hour},
	{"1y", "a year", 365 * 24 * time.Hour},
	{"never", "for ever", 0},
}

func (s *Server) showTokens(c *fiber.Ctx, _ visit) error {
	return s.renderTokens(c, http.StatusOK, tokensPage{Scopes: scopeViews([]string{string(status.TokenRead)}), Lives: lifeOptions("90d")})
}

func scopeViews(chosen []string) []scopeView {
	var list []scopeView
	for _, scope := range status.TokenScopes {
		list = append(list, scopeView{string(scope), scopeWords[scope], slices.Contains(chosen, string(scope))})
	}
	return list
}

func lifeOptions(chosen string) []option {
	var list []option
	for _, l := range tokenLives {
		list = append(list, option{Value: l.value, Label: l.label, Chosen: l.value == chosen})
	}
	return list
}

func (s *Server) renderTokens(c *fiber.Ctx, code int, view tokensPage) error {
	all, err := s.store.Tokens(c.UserContext())
	if err != nil {
		return err
	}
	now := s.clock.Now()
	for _, t := range all {
		v := tokenView{Token: t, Look: look{"ok", "Valid"}, Alive: t.Valid(now)}
		switch {
		case !t.RevokedAt.IsZero():
			v.Look = look{"none", "Revoked"}
		case !v.Alive:
			v.Look = look{"none", "Expired"}
		}
		var scopes []string
		for _, scope := range t.Scopes {
			scopes = append(scopes, string(scope))
		}
		v.Scopes = strings.Join(scopes, ", ")
		view.List = append(view.List, v)
	}
	return s.render(c, code, "tokens.html", page{Title: "API tokens", Nav: "tokens", Data: view})
}

func (s *Server) createToken(c *fiber.Ctx, v visit) error {
	f, now := form(c), s.clock.Now()
	view := tokensPage{Name: clip(strings.TrimSpace(f.Get("name")), 200), Scopes: scopeViews(f["scopes"]), Lives: lifeOptions(f.Get("life"))}
	secret, hash := NewToken()
	token := status.Token{
		ID: randomToken(), Name: view.Name, Hash: hash, CreatedBy: v.account.Email, CreatedAt: now,
	}
	for _, scope := range f["scopes"] {
		token.Scopes = append(token.Scopes, status.TokenScope(scope))
	}
	at := slices.IndexFunc(view.Lives, func(o option) bool { return o.Chosen })
	if at < 0 {
		return refusal{code: http.StatusUnprocessableEntity, text: "Say how long the token is valid."}
	}
	if life := tokenLives[at].life; life > 0 {
		token.ExpiresAt = now.Add(life)
	}
	err := token.Check(now)
	if err == nil {
		err = s.store.CreateToken(c.UserContext(), token)
	}
	if err != nil {
		return answers{invalid: func(invalid status.Invalid) error {
			view.Problems = map[string]string{invalid.Field: invalid.Message}
			return s.renderTokens(c, http.StatusUnprocessableEntity, view)
		}}.answer(c, err)
	}
	if err := s.record(c.UserContext(), v, "created a token", token.Name+" with "+strings.Join(f["scopes"], ", ")); err != nil {
		return err
	}
	return s.renderTokens(c, http.StatusOK, tokensPage{Made: secret, Scopes: scopeViews(nil), Lives: lifeOptions("90d")})
}

func (s *Server) revokeToken(c *fiber.Ctx, v visit) error {
	ctx, id := c.UserContext(), c.Params("id")
	all, err := s.store.Tokens(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(t status.Token) bool { return t.ID == id })
	if at < 0 {
		return status.ErrNotFound
	}
	if err := s.store.RevokeToken(ctx, id, s.clock.Now()); err != nil {
		return err
	}
	if err := s.record(ctx, v, "revoked a token", all[at].Name); err != nil {
		return err
	}
	return redirect(c, "/admin/settings/tokens", "revoked")
}

// record writes to the audit log what a person did to accounts or tokens.
func (s *Server) record(ctx context.Context, v visit, action, detail string) error {
	now := s.clock.Now()
	_, err := s.store.Apply(ctx, now, func(status.Board) (status.Changes, error) {
		return status.Record(v.account.Email, action, detail, now), nil
	})
	return err
}
