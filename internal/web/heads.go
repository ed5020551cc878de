package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/statusbridge/statusbridge/internal/pages"
)

// notModified stands beside the codings: of a document that the client has already
// nothing is sent but its head.
const (
	notModified encoding = brotlied + 1
	encodings            = notModified + 1
)

// encodingFor is how to send a document that the client may have already.
func encodingFor(h *fasthttp.RequestHeader, doc *pages.Doc) encoding {
	if doc.Status == http.StatusOK && unchanged(h, doc) {
		return notModified
	}
	return bestEncoding(h.Peek(fiber.HeaderAcceptEncoding), doc.Gzip != nil, doc.Brotli != nil)
}

// headOf is the head of the answer, to be copied. It is put together once for
// each document: header by header that takes as long as all else we do for a
// page.
func headOf(doc *pages.Doc, as encoding) *fasthttp.ResponseHeader {
	return &doc.Once(makeHeads).(*[encodings]fasthttp.ResponseHeader)[as]
}

func makeHeads(doc *pages.Doc) any {
	heads := new([encodings]fasthttp.ResponseHeader)
	for as := range heads {
		writeHead(&heads[as], doc, encoding(as))
	}
	return heads
}

// writeHead adds what is said about the document to a head.
func writeHead(h *fasthttp.ResponseHeader, doc *pages.Doc, as encoding) {
	h.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if doc.CacheControl != "" {
		h.Set(fiber.HeaderCacheControl, doc.CacheControl)
	}
	if doc.ETag != "" {
		h.Set(fiber.HeaderETag, doc.ETag)
	}
	if !doc.LastModified.IsZero() {
		var date [len(time.RFC1123) + 1]byte
		h.SetBytesV(fiber.HeaderLastModified, fasthttp.AppendHTTPDate(date[:0], doc.LastModified))
	}
	for _, field := range doc.Header {
		h.Set(field[0], field[1])
	}
	if as == notModified {
		h.SetStatusCode(http.StatusNotModified)
		return
	}
	h.SetContentType(doc.ContentType)
	if doc.Status != 0 {
		h.SetStatusCode(doc.Status)
	}
	switch as {
	case brotlied:
		h.Set(fiber.HeaderContentEncoding, "br")
	case gzipped:
		h.Set(fiber.HeaderContentEncoding, "gzip")
	}
}

// setRefresh has a browser without JavaScript ask again, when it wants that.
func setRefresh(ctx *fasthttp.RequestCtx) {
	if n := refreshSeconds(ctx.QueryArgs().Peek("refresh")); n > 0 {
		ctx.Response.Header.Set("Refresh", strconv.Itoa(n))
	}
}

// sendBody does not allocate.
func sendBody(ctx *fasthttp.RequestCtx, doc *pages.Doc, as encoding) {
	switch as {
	case identity:
		ctx.Response.SetBodyRaw(doc.Raw)
	case gzipped:
		ctx.Response.SetBodyRaw(doc.Gzip)
	case brotlied:
		ctx.Response.SetBodyRaw(doc.Brotli)
	}
}
