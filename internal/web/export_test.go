package web

import (
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Guarded is a route behind the gate, for tests that walk over all of them.
type Guarded struct {
	Method, Path string
	Role         status.Role
}

// Guarded lists what the gate protects.
func (s *Server) Guarded() []Guarded {
	var list []Guarded
	for _, g := range s.guarded {
		list = append(list, Guarded{g.method, g.path, g.role})
	}
	return list
}

// TokenDoor is an application that lets in who has a token with the scope, and
// tells the token's name.
func (s *Server) TokenDoor(scope status.TokenScope) *fiber.App {
	app := fiber.New(fiber.Config{ErrorHandler: s.handleError})
	app.All("/api/v1/x", s.withToken(scope, func(c *fiber.Ctx, t status.Token) error { return c.SendString(t.Name) }))
	return app
}

// Endpoint is a route of the API.
type Endpoint struct {
	Method, Path string
	Scope        status.TokenScope
	Versioned    bool
}

// Endpoints are all routes of the API.
func Endpoints() []Endpoint {
	var out []Endpoint
	for _, e := range endpoints {
		out = append(out, Endpoint{e.method, e.path, e.scope, e.versioned})
	}
	return out
}

// MetricNames are the names of all metrics there can be, sorted.
func MetricNames(s *Server) []string {
	out := make(chan *prometheus.Desc, 100)
	s.metrics.registry.Describe(out)
	close(out)
	var all []string
	for d := range out {
		name := strings.TrimPrefix(d.String(), `Desc{fqName: "`)
		all = append(all, name[:strings.IndexByte(name, '"')])
	}
	slices.Sort(all)
	return all
}

// CodeAt is what an authenticator app shows at a moment.
func CodeAt(secret string, now time.Time) string {
	key, err := codeSecrets.DecodeString(secret)
	if err != nil {
		panic(err)
	}
	return codeOf(key, now.Unix()/int64(codeStep/time.Second))
}
