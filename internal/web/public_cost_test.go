package web_test

import (
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// cost is how often one request allocates.
func cost(handle fasthttp.RequestHandler) float64 {
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

func TestAPublicPageCostsNoAllocation(t *testing.T) {
	app := newSite(t).server.App()
	if n := cost(app.Server().Handler); n > 0 {
		t.Errorf("a public page allocates %.0f times", n)
	}
	// The check sees those of Fiber itself.
	bare := fiber.New(fiber.Config{Immutable: true, CaseSensitive: true, StrictRouting: true})
	bare.Use(func(c *fiber.Ctx) error {
		c.Response().SetBodyRaw(front.Raw)
		return nil
	})
	if n := cost(bare.Handler()); n == 0 {
		t.Error("bare Fiber seems to allocate nothing")
	}
}

// BenchmarkPage is a public page from the parsed request to the response that is
// to be written.
func BenchmarkPage(b *testing.B) {
	handle := newSite(b).server.App().Server().Handler
	var ctx fasthttp.RequestCtx
	ctx.Request.SetRequestURI("/")
	ctx.Request.Header.SetHost(host)
	ctx.Request.Header.Set("Accept-Encoding", "gzip, deflate, br")
	b.ReportAllocs()
	for b.Loop() {
		ctx.Response.Reset()
		handle(&ctx)
	}
}
