package web_test

import (
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// cost is how often one request allocates.
func cost(app *fiber.App) float64 {
	handle := app.Handler()
	var ctx fasthttp.RequestCtx
	return testing.AllocsPerRun(200, func() {
		ctx.Request.Reset()
		ctx.Response.Reset()
		ctx.Request.SetRequestURI("/")
		ctx.Request.Header.SetHost(host)
		ctx.Request.Header.Set("Accept-Encoding", "gzip, deflate, br")
		handle(&ctx)
	})
}

func TestAPublicPageCostsHardlyMoreThanFiberItself(t *testing.T) {
	bare := fiber.New(fiber.Config{Immutable: true, CaseSensitive: true, StrictRouting: true})
	bare.Use(func(c *fiber.Ctx) error {
		c.Response().SetBodyRaw(front.Raw)
		return nil
	})
	ours, fibers := cost(newSite(t).server.App()), cost(bare)
	if ours > fibers+2 {
		t.Errorf("a public page allocates %.0f times, bare Fiber %.0f", ours, fibers)
	}
}
