package web

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"

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

// reviewPage is the last look before something goes out, and the last edits.
type reviewPage struct {
	Card    issueCard // as it would be
	Form    issueForm
	Alert   string // why it cannot be published
	Edited  bool   // it differs from the draft that is saved
	Preview Preview
	Mails   int // recipients
	Mailed  bool
	Tweeted bool
	Tells   []tellView
	Button  string
	Nobody  bool // no channel would tell, whatever is ticked
}

// tellView is a channel that would tell of the publication.
type tellView struct {
	Channel, Words string
	Told           bool // and is not left out
}

// showReview shows a draft as the page, the mail and the tweet would have it,
// and who gets what.
func (s *Server) showReview(c *fiber.Ctx, v visit) error {
	i, err := s.store.Issue(c.UserContext(), param(c))
	if err != nil {
		return err
	}
	return s.sendReview(c, v, http.StatusOK, i, issueSheet(i), status.Invalid{})
}

// reviewEdits shows the same of what was typed. Nothing is saved.
func (s *Server) reviewEdits(c *fiber.Ctx, v visit) error {
	i, err := s.store.Issue(c.UserContext(), param(c))
	if err != nil {
		return err
	}
	if i.Stage != status.Draft { // somebody was faster
		f := form(c)
		seen := seenSheet(f, issueSheet(i))
		return s.settleIssue(c, seen, readIssueSheet(f, seen))
	}
	d, err := s.directory(c.UserContext())
	if err != nil {
		return err
	}
	sh := typedSheet(c, i)
	if err := s.fillSheet(c.UserContext(), form(c), i, d, sh); err != nil {
		return err
	}
	return s.sendReview(c, v, http.StatusOK, i, sh, status.Invalid{})
}

// typedSheet is an issue with what was typed into a form about it.
func typedSheet(c *fiber.Ctx, i status.Issue) sheet {
	f := form(c)
	return readIssueSheet(f, seenSheet(f, issueSheet(i)))
}

// sendReview reviews a draft as a sheet has it. What cannot be published is
// shown as far as it goes, with what is wrong.
func (s *Server) sendReview(c *fiber.Ctx, v visit, code int, i status.Issue, sh sheet, invalid status.Invalid) error {
	ctx := c.UserContext()
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
	view := reviewPage{Form: d.issueForm(i, sh), Edited: !maps.Equal(sh, issueSheet(i))}
	if view.Form.Wordings, err = s.wordings(ctx, "/admin/issues/"+i.ID+"/review", true); err != nil {
		return err
	}
	if f := form(c); f.Has("version") { // what the person saw first is what a conflict is told by
		view.Form.Version, view.Form.Seen = version(f), seenSheet(f, issueSheet(i))
	}
	would, told, err := s.proposed(v, d, i, sh)
	left := leftOut(form(c), s.outlets())
	if err != nil && !errors.As(err, &invalid) {
		return err
	}
	if invalid.Field != "" {
		view.Form.Problem[invalid.Field] = invalid.Message
		view.Alert, code = "Nothing was published: "+invalid.Message+".", http.StatusUnprocessableEntity
		would = i
	}
	view.Card = s.card(would, signals, d)
	view.Card.Version = i.Version
	if view.Preview, err = s.preview(ctx, would); err != nil {
		return err
	}
	if err := s.countTold(c, &view, told, left); err != nil {
		return err
	}
	return s.render(c, code, "review.html", page{Title: "Review: " + would.Title, Nav: "queue", Data: view})
}

// proposed is what publishing the issue as the sheet has it would come to.
func (s *Server) proposed(v visit, d directory, i status.Issue, sh sheet) (status.Issue, []status.Announcement, error) {
	return status.Proposed(i, d.components, s.rules().Rules, status.PublishIssue{EditIssue: editOf(i.ID, i.Version, sh)}, v.account.Email, s.clock.Now())
}

// outlets are the channels that are set up.
func (s *Server) outlets() []string {
	var list []string
	if s.cfg.MailConfigured {
		list = append(list, status.ChannelEmail)
	}
	if s.cfg.TwitterConfigured {
		list = append(list, status.ChannelTwitter)
	}
	if s.cfg.Webhooks {
		list = append(list, status.ChannelWebhooks)
	}
	return append(list, s.cfg.Channels...)
}

// leftOut are the channels that a form with ticks for them has unticked.
func leftOut(f url.Values, outlets []string) []string {
	if !f.Has("with-channels") {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(outlets), func(name string) bool {
		return slices.Contains(f["tell"], name) || !slices.Contains(f["with-channels"], name)
	})
}

// countTold says in numbers who gets what.
func (s *Server) countTold(c *fiber.Ctx, view *reviewPage, told []status.Announcement, left []string) error {
	var parts, posts []string
	for _, a := range told {
		for _, name := range s.outlets() {
			if !s.outlet(name).Allowed(a.Channels) {
				continue
			}
			t := tellView{Channel: name, Words: name + ": one message", Told: !slices.Contains(left, name)}
			part := ""
			switch name {
			case status.ChannelEmail:
				var err error
				if view.Mails, err = s.store.Recipients(c.UserContext(), a.Event, a.Components); err != nil {
					return err
				}
				t.Words = "Mail: " + thousands(view.Mails) + " of the subscribers"
				view.Mailed = t.Told
				if view.Mails > 0 {
					part = "notify " + thousands(view.Mails)
				}
			case status.ChannelWebhooks:
				n, err := s.store.Programs(c.UserContext(), a.Event, a.Components)
				if err != nil {
					return err
				}
				if n == 0 {
					continue
				}
				t.Words = "Webhooks of subscribers: " + thousands(n)
			case status.ChannelTwitter:
				t.Words, part = "Twitter: one post", "tweet"
				view.Tweeted = t.Told
			default:
				if t.Told {
					posts = append(posts, name)
				}
			}
			view.Tells = append(view.Tells, t)
			if t.Told && part != "" {
				parts = append(parts, part)
			}
		}
	}
	if len(posts) > 0 {
		parts = append(parts, "post to "+inWords(posts))
	}
	view.Button, view.Nobody = inWords(append([]string{"Publish"}, parts...)), len(view.Tells) == 0
	return nil
}

// outlet is a channel with what rules may call it besides its name.
func (s *Server) outlet(name string) status.Outlet {
	if name == status.ChannelWebhooks {
		return status.Outlet{Channel: name, Kind: "webhook"}
	}
	return status.Outlet{Channel: name, Kind: s.cfg.ChannelKinds[name]}
}

// The policies of previews: what was made for elsewhere may style itself and
// load nothing.
const (
	pagePreviewPolicy = "sandbox; default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	mailPreviewPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// showPreview is the page, or the mail as HTML, as it would be: of the draft as
// it is saved, or with what was typed into the form that is sent.
func (s *Server) showPreview(of string) adminHandler {
	return func(c *fiber.Ctx, v visit) error {
		i, err := s.store.Issue(c.UserContext(), param(c))
		if err != nil {
			return err
		}
		if i.Stage != status.Draft || len(i.Updates) == 0 {
			return status.ErrNotFound
		}
		d, err := s.directory(c.UserContext())
		if err != nil {
			return err
		}
		would, _, err := s.proposed(v, d, i, typedSheet(c, i))
		if err != nil {
			return err
		}
		p, err := s.preview(c.UserContext(), would)
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
