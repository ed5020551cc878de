package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/pages"
)

//go:embed assets/admin.css assets/admin.js assets/passkeys.js
var assetFiles embed.FS

// assets live at URLs that name their content, so browsers may keep them.
type assets struct {
	stylesheet string // its path
	css        []byte
	script     string // its path
	js         []byte
	passkeys   string // path of the script of sign-in and profile
	ceremonies []byte
}

func loadAssets() assets {
	var a assets
	a.stylesheet, a.css = asset("admin", ".css", pages.Palette())
	a.script, a.js = asset("admin", ".js", "")
	a.passkeys, a.ceremonies = asset("passkeys", ".js", "")
	return a
}

// asset reads a file and puts it behind what comes first.
func asset(name, ending, first string) (path string, content []byte) {
	content, err := assetFiles.ReadFile("assets/" + name + ending)
	if err != nil {
		panic(err) // embedded: it is there or the build is broken
	}
	content = append([]byte(first), content...)
	sum := sha256.Sum256(content)
	return "/assets/" + name + "." + hex.EncodeToString(sum[:6]) + ending, content
}

func (s *Server) serveStylesheet(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, "text/css; charset=utf-8")
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	return c.Send(s.assets.css)
}
