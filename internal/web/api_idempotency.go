package web

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/store"
)

const (
	idempotencyKey = "Idempotency-Key"
	keysLast       = 24 * time.Hour
	longestKey     = 255
)

// keptHeaders are what an answer is repeated with.
var keptHeaders = []string{fiber.HeaderContentType, fiber.HeaderETag, fiber.HeaderLocation}

// once carries out a POST, just once for each Idempotency-Key of a token, as
// draft-ietf-httpapi-idempotency-key-header-07 describes. A request that did
// something spends its key; one that was refused does not.
func (s *Server) once(c *call, e endpoint) error {
	key := c.Get(idempotencyKey)
	if key == "" {
		return s.carryOut(c, e)
	}
	if len(key) > longestKey {
		return refusal{code: http.StatusBadRequest, text: "The Idempotency-Key is longer than " + itoa(longestKey) + " bytes."}
	}
	sum := sha256.Sum256([]byte(c.Method() + " " + c.OriginalURL() + "\n" + c.Get(fiber.HeaderIfMatch) + "\n" + string(c.BodyRaw())))
	p := store.Promise{Name: c.who.ID + " " + key, Request: hex.EncodeToString(sum[:]), CreatedAt: s.clock.Now()}
	first, claimed, err := s.store.Promise(c.UserContext(), p, keysLast)
	switch {
	case err != nil:
		return err
	case !claimed && first.Request != p.Request:
		return refusal{code: http.StatusUnprocessableEntity, text: "This Idempotency-Key was used for another request. Take a new key for a new request."}
	case !claimed && first.Code == 0:
		return refusal{code: http.StatusConflict, retryAfter: 5, text: "The first request with this Idempotency-Key is under way, or was cut off and nobody knows whether it did anything. Look before you use another key."}
	case !claimed:
		return repeat(c.Ctx, first)
	}
	if err := s.carryOut(c, e); err != nil {
		return s.giveBack(c, p, err)
	}
	header := map[string]string{}
	for _, name := range keptHeaders {
		if value := c.GetRespHeader(name); value != "" {
			header[name] = value
		}
	}
	text, err := json.Marshal(header, json.Deterministic(true))
	if err != nil {
		return err
	}
	p.Code, p.Header, p.Body = c.Response().StatusCode(), string(text), string(c.Response().Body())
	if err := s.store.KeepPromise(c.UserContext(), p); err != nil {
		s.log.Error("an idempotent answer was not kept; asking again will answer 409", "err", err)
	}
	return nil
}

// giveBack frees the key of a request that was refused. When nobody can know
// what it did, because the database went away meanwhile, the key stays taken.
func (s *Server) giveBack(c *call, p store.Promise, why error) error {
	if refusalOf(why).code >= http.StatusInternalServerError {
		return why
	}
	if err := s.store.BreakPromise(c.UserContext(), p.Name); err != nil {
		s.log.Error("an idempotency key was not given back", "err", err)
	}
	return why
}

// repeat answers as the first request was answered.
func repeat(c *fiber.Ctx, p store.Promise) error {
	header := map[string]string{}
	if err := json.Unmarshal([]byte(p.Header), &header); err != nil {
		return err
	}
	for name, value := range header {
		c.Set(name, value)
	}
	c.Set("Idempotency-Replayed", "true")
	return c.Status(p.Code).SendString(p.Body)
}
