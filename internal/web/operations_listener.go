package web

import (
	"context"
	"net"

	"github.com/gofiber/fiber/v2"
)

// ServeMetrics answers /metrics, and nothing else, to whoever reaches the
// listener, until ctx ends. There is no authorisation: the listener belongs on
// an address that only Prometheus reaches.
func (s *Server) ServeMetrics(ctx context.Context, ln net.Listener) error {
	app := fiber.New(fiber.Config{
		ErrorHandler: s.handleError, DisableStartupMessage: true, CaseSensitive: true, StrictRouting: true,
		BodyLimit: 1 << 10, ReadBufferSize: headerLimit, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
	})
	app.Get("/metrics", s.sendMetrics)
	stop := context.AfterFunc(ctx, func() { _ = app.Shutdown() })
	defer stop()
	return app.Listener(ln)
}
