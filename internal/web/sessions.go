package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// A session ends after a day's work without a click, and after a week anyway.
const (
	sessionIdle  = 12 * time.Hour
	sessionWhole = 7 * 24 * time.Hour
	// seen is written at most this often: reading pages must not cost writes.
	seenEvery = time.Minute
)

// visit is a signed-in request.
type visit struct {
	session status.Session
	account status.Account
}

// name is what other people read: who did it.
func (v visit) name() string {
	if v.account.Name != "" {
		return v.account.Name
	}
	return v.account.Email
}

// may reports whether the account has at least that role.
func (v visit) may(role status.Role) bool { return rankOf(v.account.Role) >= rankOf(role) }

func rankOf(role status.Role) int {
	switch role {
	case status.Admin:
		return 3
	case status.Responder:
		return 2
	case status.Viewer:
		return 1
	}
	return 0
}

func (s *Server) cookieName() string {
	if s.site.secure {
		return "__Host-statusbridge"
	}
	return "statusbridge"
}

// randomToken is 32 random bytes, fit for cookies and URLs.
func randomToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// hashToken is what the store keeps of a session id: who reads the database
// cannot sign in with it.
func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// signIn starts a new session; an old one of this browser ends. second says that
// more than a password was asked for.
func (s *Server) signIn(c *fiber.Ctx, account status.Account, second bool) error {
	ctx, now := c.UserContext(), s.clock.Now()
	if old := c.Cookies(s.cookieName()); old != "" {
		if err := s.store.DeleteSession(ctx, hashToken(old)); err != nil && !errors.Is(err, status.ErrNotFound) {
			return err
		}
	}
	id := randomToken()
	err := s.store.CreateSession(ctx, status.Session{
		IDHash: hashToken(id), AccountID: account.ID, CSRF: randomToken(),
		CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(sessionWhole),
		UserAgent: clip(c.Get(fiber.HeaderUserAgent), 200), Address: s.clientAddr(c).String(), SecondFactor: second,
	})
	if err != nil {
		return err
	}
	s.setCookie(c, s.cookieName(), id, sessionWhole)
	return s.store.TouchAccount(ctx, account.ID, now)
}

// Admit signs the browser in as an account without asking for its password.
// For the demo, whose page says so.
func (s *Server) Admit(c *fiber.Ctx, email string) error {
	account, err := s.store.AccountByEmail(c.UserContext(), email)
	if err != nil {
		return err
	}
	return s.signIn(c, account, false)
}

func (s *Server) setCookie(c *fiber.Ctx, name, value string, life time.Duration) {
	cookie := &fiber.Cookie{
		Name: name, Value: value, Path: "/",
		Secure: s.site.secure, HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode,
		MaxAge: int(life / time.Second),
	}
	if life <= 0 {
		cookie.MaxAge, cookie.Expires = -1, time.Unix(1, 0)
	}
	c.Cookie(cookie)
}

var errSignedOut = errors.New("not signed in")

// visitOf finds the session of a request; errSignedOut when there is none.
func (s *Server) visitOf(ctx context.Context, id string) (visit, error) {
	if id == "" {
		return visit{}, errSignedOut
	}
	now := s.clock.Now()
	session, account, err := s.store.Session(ctx, hashToken(id))
	switch {
	case errors.Is(err, status.ErrNotFound):
		return visit{}, errSignedOut
	case err != nil:
		return visit{}, err
	case account.Disabled, !now.Before(session.ExpiresAt), now.Sub(session.SeenAt) >= sessionIdle:
		return visit{}, errSignedOut
	}
	if now.Sub(session.SeenAt) >= seenEvery {
		if err := s.store.TouchSession(ctx, session.IDHash, now); err != nil {
			s.log.Warn("cannot note that a session is alive", "err", err)
		}
	}
	return visit{session: session, account: account}, nil
}
