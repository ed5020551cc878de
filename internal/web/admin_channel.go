package web

import (
	"net/http"
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

type triedChannelPage struct {
	Name, Said, Problem string
	Sent                bool
}

// tryChannel looks at a chat or webhook, or sends it a test message: the check
// before the outage.
func (s *Server) tryChannel(c *fiber.Ctx, _ visit) error {
	f := form(c)
	name, send := f.Get("channel"), f.Get("do") == "send"
	if s.channel == nil || !slices.Contains(s.tryable(), name) {
		return status.ErrNotFound
	}
	said, err := s.channel(c.UserContext(), name, send)
	view := triedChannelPage{Name: name, Said: said, Sent: send}
	title, code := name+" would take messages", http.StatusOK
	if send {
		title = name + " took a test message"
	}
	if err != nil {
		view.Problem, title, code = err.Error(), name+" would not take messages", http.StatusBadGateway
	}
	return s.render(c, code, "tried_channel.html", page{Title: title, Nav: "deliveries", Data: view})
}

// tryable are the chats and webhooks, whoever reads them.
func (s *Server) tryable() []string { return slices.Concat(s.cfg.Channels, s.cfg.OperatorChannels) }
