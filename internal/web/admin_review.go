package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Preview is what publishing an issue would show and send. What a channel that
// is not configured would say is empty.
type Preview struct {
	Page          []byte // HTML
	Subject, Text string // of the mail
	HTML          []byte // of the mail
	Tweet         string
	Weight, Limit int // of the tweet, as X counts
}

// reviewPage is the last look before something goes out.
type reviewPage struct {
	Card    issueCard
	Preview Preview
	Mails   int // recipients
	Mailed  bool
	Tweeted bool
	Button  string
	Nobody  bool
}

// asPublished is the issue as it would be once published now.
func (s *Server) asPublished(i status.Issue) status.Issue {
	now := s.clock.Now()
	i.Stage, i.PublishedAt, i.Confirmed = status.Published, now, true
	i.Updates = slices.Clone(i.Updates)
	for n := range i.Updates {
		i.Updates[n].DisplayAt = now
	}
	return i
}

// showReview shows a draft as the page, the mail and the tweet would have it,
// and who gets what.
func (s *Server) showReview(c *fiber.Ctx, _ visit) error {
	ctx := c.UserContext()
	i, err := s.store.Issue(ctx, param(c))
	if err != nil {
		return err
	}
	if i.Stage != status.Draft || len(i.Updates) == 0 {
		return c.Redirect("/admin/issues/"+i.ID, http.StatusSeeOther)
	}
	d, err := s.directory(ctx)
	if err != nil {
		return err
	}
	signals, err := s.store.IssueSignals(ctx, i.ID)
	if err != nil {
		return err
	}
	view := reviewPage{Card: s.card(i, signals, d)}
	if view.Preview, err = s.preview(ctx, s.asPublished(i)); err != nil {
		return err
	}
	view.Mailed = s.cfg.MailConfigured && s.told(i, status.ChannelEmail)
	view.Tweeted = s.cfg.TwitterConfigured && s.told(i, status.ChannelTwitter)
	if view.Mailed {
		var touched []string
		for _, a := range i.Components {
			touched = append(touched, a.ComponentID)
		}
		if view.Mails, err = s.store.Recipients(ctx, status.EventOpen, touched); err != nil {
			return err
		}
	}
	var parts []string
	if view.Mails > 0 {
		parts = append(parts, "notify "+thousands(view.Mails))
	}
	if view.Tweeted {
		parts = append(parts, "tweet")
	}
	view.Button, view.Nobody = "Publish", len(parts) == 0
	if len(parts) > 0 {
		view.Button = "Publish and " + strings.Join(parts, " and ")
	}
	return s.render(c, http.StatusOK, "review.html", page{Title: "Review: " + i.Title, Nav: "queue", Data: view})
}

// told reports whether the issue's rule lets its opening be told there.
func (s *Server) told(i status.Issue, channel string) bool {
	rule, ok := s.ruleOf(i)
	return !ok || rule.Broadcast == nil || slices.Contains(rule.Broadcast[status.EventOpen], channel)
}

// The policies of previews: what was made for elsewhere may style itself and
// load nothing.
const (
	pagePreviewPolicy = "sandbox; default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	mailPreviewPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// showPreview is the page, or the mail as HTML, as it would be.
func (s *Server) showPreview(of string) adminHandler {
	return func(c *fiber.Ctx, _ visit) error {
		i, err := s.store.Issue(c.UserContext(), param(c))
		if err != nil {
			return err
		}
		if len(i.Updates) == 0 {
			return status.ErrNotFound
		}
		p, err := s.preview(c.UserContext(), s.asPublished(i))
		if err != nil {
			return err
		}
		body, policy := p.Page, pagePreviewPolicy
		if of == "mail" {
			body, policy = p.HTML, mailPreviewPolicy
		}
		if len(body) == 0 {
			return status.ErrNotFound
		}
		c.Set(fiber.HeaderContentSecurityPolicy, policy)
		c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
		return c.Send(body)
	}
}

// undoIssue takes a publication back while nothing has left.
func (s *Server) undoIssue(c *fiber.Ctx, v visit) error {
	return s.decide(c, v, status.UndoPublish{ID: param(c)}, "/admin/issues/"+param(c), "undone")
}
