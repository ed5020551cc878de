package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"

	"github.com/gofiber/fiber/v2"
)

//go:embed assets/admin.css
var assetFiles embed.FS

// assets live at URLs that name their content, so browsers may keep them.
type assets struct {
	stylesheet string // its path
	css        []byte
}

func loadAssets() assets {
	css, err := assetFiles.ReadFile("assets/admin.css")
	if err != nil {
		panic(err) // embedded: it is there or the build is broken
	}
	sum := sha256.Sum256(css)
	return assets{stylesheet: "/assets/admin." + hex.EncodeToString(sum[:6]) + ".css", css: css}
}

func (s *Server) serveStylesheet(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, "text/css; charset=utf-8")
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	return c.Send(s.assets.css)
}
