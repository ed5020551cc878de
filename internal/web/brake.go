package web

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Back-off: an address may mistype a few times; an account is given more room,
// so that a stranger cannot easily lock its owner out. Who asks for a second
// factor knows the password already, and a code is short.
const (
	freeTriesOfAddress = 5
	freeTriesOfAccount = 10
	freeTriesOfCode    = 5
	freeTriesOfPasskey = 10
	longestPause       = 15 * time.Minute
)

// guess is what failed attempts are counted under, and how many are free.
type guess struct {
	key  string
	free int
}

func (s *Server) passwordGuesses(c *fiber.Ctx, email string) []guess {
	return []guess{{"ip:" + addrKey(s.clientAddr(c)), freeTriesOfAddress}, {"account:" + hashToken(email), freeTriesOfAccount}}
}

func codeGuesses(a status.Account) []guess { return []guess{{"code:" + a.ID, freeTriesOfCode}} }

// brake refuses while too many attempts failed, and else counts this one before
// it is checked: guesses sent side by side all count.
func (s *Server) brake(ctx context.Context, guesses []guess) error {
	now := s.clock.Now()
	for _, g := range guesses {
		n, last, err := s.store.LoginFailures(ctx, g.key)
		if err != nil {
			return err
		}
		if wait := last.Add(loginPause(n, g.free, longestPause)).Sub(now); n >= g.free && wait > 0 {
			return refusal{
				code: http.StatusTooManyRequests, retryAfter: int(wait/time.Second) + 1,
				text: "Too many attempts. Wait " + roughly(wait) + " and try again.",
			}
		}
	}
	for _, g := range guesses {
		if err := s.store.RecordLoginFailure(ctx, g.key, now); err != nil {
			return err
		}
	}
	return nil
}

// release forgets the failures, after an attempt that was right.
func (s *Server) release(ctx context.Context, guesses []guess) error {
	for _, g := range guesses {
		if err := s.store.ClearLoginFailures(ctx, g.key); err != nil {
			return err
		}
	}
	return nil
}
