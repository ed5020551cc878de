package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/pages"
)

// bannerView helps to put the banner into another site.
type bannerView struct {
	Snippets  []snippet
	States    []option
	Themes    []option
	Places    []option
	Sample    string // URL of the banner to try, "" before one is chosen
	Theme     string
	Place     string
	RightLeft bool
}

// A snippet is what to paste, and what the policy of that site must allow.
type snippet struct {
	ID, Title, About, Code, Policy string
}

// showBanner has the lines to paste and, on request, the banner with a made-up
// state on this very page.
func (s *Server) showBanner(c *fiber.Ctx, _ visit) error {
	query, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return refusal{code: http.StatusBadRequest, text: "The address of this page is broken. Choose a state again."}
	}
	state := query.Get("state")
	view := bannerView{
		Snippets: s.bannerSnippets(),
		States:   choices(state, pages.BannerSamples...),
		Themes:   choices(query.Get("theme"), "as the visitor's system", "light", "dark"),
		Places:   choices(query.Get("place"), "bottom", "top", "inline"),
		Theme:    query.Get("theme"), Place: query.Get("place"), RightLeft: query.Get("dir") == "rtl",
	}
	if slices.Contains(pages.BannerSamples, state) {
		view.Sample = "/admin/banner/sample.js?state=" + url.QueryEscape(state)
		c.Set(fiber.HeaderContentSecurityPolicy, strings.Replace(string(c.Response().Header.Peek(fiber.HeaderContentSecurityPolicy)), "default-src 'none'", "default-src 'none'; script-src 'self'", 1))
	}
	return s.render(c, http.StatusOK, "banner.html", page{Title: "Banner", Nav: "banner", Data: view})
}

func choices(chosen string, values ...string) []option {
	var list []option
	for _, v := range values {
		list = append(list, option{v, v, v == chosen})
	}
	return list
}

func (s *Server) bannerSnippets() []snippet {
	origin := s.site.origin
	path, integrity := s.pages.BannerBuild()
	return []snippet{
		{
			"line", "One line", "One request shows what is wrong. It gets better with each release by itself.",
			`<script async src="` + origin + `/banner.js"></script>`,
			"script-src " + origin + "; connect-src " + origin,
		},
		{
			"pinned", "Held to its hash", "The browser runs exactly these bytes (Subresource Integrity) or nothing. Paste it again after an upgrade that changes the banner.",
			`<script async src="` + origin + path + `" integrity="` + integrity + `" crossorigin="anonymous"></script>`,
			"script-src " + origin + "; connect-src " + origin,
		},
		{
			"iframe", "Without a script of ours", "A frame of fixed height that keeps itself current. It also says that all is well.",
			`<iframe src="` + origin + `/banner.html" title="Service status" width="100%" height="120" loading="lazy" sandbox="allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox"></iframe>`,
			"frame-src " + origin,
		},
	}
}

// serveBannerSample is the banner with a made-up state.
func (s *Server) serveBannerSample(c *fiber.Ctx, _ visit) error {
	script, err := s.pages.BannerSample(c.Query("state"), s.clock.Now())
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/javascript; charset=utf-8")
	return c.Send(script)
}
