package web

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/statusbridge/statusbridge/internal/status"
)

var unauthorized = refusal{
	code: http.StatusUnauthorized,
	text: "Send the webhook secret as Authorization: Bearer, as the password of Basic, or as X-Statusbridge-Secret.",
}

// handleWebhook is the door for one kind of sender. What is answered 202 is
// durable; reading and deciding come later.
func (s *Server) handleWebhook(kind string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		source := c.Params("source", kind)
		if !validSource(source) {
			return refusal{code: http.StatusNotFound, text: "A source is 1 to 64 of a-z, 0-9, dot, dash and underscore."}
		}
		if !s.knowsSecret(&c.Request().Header) {
			return unauthorized
		}
		receipt, err := s.intake.Accept(c.UserContext(), kind, source, bytes.Clone(c.Request().Body()))
		if err != nil {
			s.log.Error("webhook not stored", "kind", kind, "source", source, "err", err)
			return refusal{code: http.StatusServiceUnavailable, text: "Cannot be stored right now. Send it again.", retryAfter: 5}
		}
		body, err := json.Marshal(struct {
			ID     string `json:"id"`
			Events int    `json:"events"`
		}{receipt.ID, receipt.Events})
		if err != nil {
			return err
		}
		s.metrics.webhook(kind, http.StatusAccepted)
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Status(http.StatusAccepted).Send(body)
	}
}

// handleBounce takes reports of mail services about mails that came back or
// were not wanted.
func (s *Server) handleBounce(c *fiber.Ctx) error {
	if !s.knowsSecret(&c.Request().Header) {
		// Amazon SNS sends credentials only when it is asked for Basic.
		c.Set(fiber.HeaderWWWAuthenticate, `Basic realm="statusbridge"`)
		return unauthorized
	}
	if s.bounce == nil {
		return status.ErrNotFound
	}
	kept, err := s.bounce(c.UserContext(), bytes.Clone(c.BodyRaw()))
	if err != nil {
		return err
	}
	body, err := json.Marshal(struct {
		Bounces int `json:"bounces"`
	}{kept})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Status(http.StatusAccepted).Send(body)
}

// hookOf reads /hooks/KIND[/SOURCE].
func hookOf(path string) (kind, source string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/hooks/")
	if !ok {
		return "", "", false
	}
	kind, source, _ = strings.Cut(rest, "/")
	return kind, source, kind == "alertmanager" || kind == "newrelic"
}

func validSource(source string) bool {
	if len(source) < 1 || len(source) > 64 {
		return false
	}
	for _, r := range source {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_' {
			return false
		}
	}
	return true
}

// knowsSecret reports whether the request carries a webhook secret.
func (s *Server) knowsSecret(h *fasthttp.RequestHeader) bool {
	given := presentedSecret(h)
	return len(given) > 0 && secretMatches(given, s.cfg.WebhookSecrets())
}

func presentedSecret(h *fasthttp.RequestHeader) []byte {
	if own := h.Peek("X-Statusbridge-Secret"); len(own) > 0 {
		return own
	}
	scheme, rest, _ := bytes.Cut(h.Peek(fiber.HeaderAuthorization), []byte(" "))
	rest = bytes.TrimSpace(rest)
	switch {
	case bytes.EqualFold(scheme, []byte("bearer")):
		return rest
	case bytes.EqualFold(scheme, []byte("basic")):
		pair, err := base64.StdEncoding.DecodeString(string(rest))
		if err != nil {
			return nil
		}
		_, password, _ := bytes.Cut(pair, []byte(":"))
		return password
	}
	return nil
}

// secretMatches compares hashes, all of them, so that neither the length of a
// secret nor its place in the list shows in the time taken.
func secretMatches(given []byte, secrets []string) bool {
	sum := sha256.Sum256(given)
	found := 0
	for _, secret := range secrets {
		if secret == "" {
			continue // an empty secret opens nothing
		}
		want := sha256.Sum256([]byte(secret))
		found |= subtle.ConstantTimeCompare(sum[:], want[:])
	}
	return found == 1
}
