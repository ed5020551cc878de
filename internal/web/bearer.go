package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/statusbridge/statusbridge/internal/status"
)

// tokenPrefix lets scanners of repositories find tokens that leaked.
const tokenPrefix = "sbt_"

// NewToken makes the secret of an API token, to be shown once, and what
// status.Token keeps of it.
func NewToken() (secret, hash string) {
	secret = tokenPrefix + randomToken()
	return secret, hashToken(secret)
}

var noToken = refusal{
	code: http.StatusUnauthorized,
	text: "Send an API token as Authorization: Bearer. An admin makes one at /admin/settings/tokens, or with `statusbridge token create`.",
}

var deadToken = refusal{code: http.StatusUnauthorized, text: "This API token is unknown, expired or revoked."}

// bearer finds the token that a request carries in Authorization (RFC 6750) and
// that is valid. Any other is a refusal with 401.
func (s *Server) bearer(ctx context.Context, h *fasthttp.RequestHeader) (status.Token, error) {
	given := bearerOf(h)
	if given == "" {
		return status.Token{}, noToken
	}
	token, err := s.store.TokenByHash(ctx, hashToken(given))
	if errors.Is(err, status.ErrNotFound) {
		return token, deadToken
	}
	if err != nil {
		return token, err
	}
	now := s.clock.Now()
	if !token.Valid(now) {
		return token, deadToken
	}
	if now.Sub(token.LastUsedAt) >= seenEvery {
		if err := s.store.TouchToken(ctx, token.ID, now); err != nil {
			s.log.Warn("cannot note that a token was used", "token", token.Name, "err", err)
		}
	}
	return token, nil
}

func bearerOf(h *fasthttp.RequestHeader) string {
	const scheme = "bearer "
	value := string(h.Peek(fiber.HeaderAuthorization))
	if len(value) <= len(scheme) || !strings.EqualFold(value[:len(scheme)], scheme) {
		return ""
	}
	return value[len(scheme):]
}

// tokenHandler answers a program.
type tokenHandler func(c *fiber.Ctx, token status.Token) error

// withToken is the gate of the API: it lets those in whose token has the scope.
// Cookies open nothing here, so that no other site can use a person's session.
func (s *Server) withToken(scope status.TokenScope, h tokenHandler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		token, err := s.bearer(c.UserContext(), &c.Request().Header)
		if err != nil {
			return err
		}
		if !token.May(scope) {
			c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="statusbridge", error="insufficient_scope", scope="`+string(scope)+`"`)
			return refusal{code: http.StatusForbidden, text: "This API token lacks the scope " + string(scope) + "."}
		}
		return h(c, token)
	}
}
