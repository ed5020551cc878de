package web

import (
	"bytes"
	"encoding/csv"
	"errors"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

type subscribersPage struct {
	Audience status.Audience
	Query    string
	List     []subscriberView
	More     bool
	Mail     bool
}

type subscriberView struct {
	ID, Email, Wants, Language, Zone string
	Program                          bool
	Look                             look
	Problem                          string
	Subscriber                       status.Subscriber
}

const subscribersOnPage = 100

func (s *Server) showSubscribers(c *fiber.Ctx, _ visit) error {
	ctx := c.UserContext()
	view := subscribersPage{Query: clip(c.Query("q"), 200), Mail: s.cfg.MailConfigured}
	var err error
	if view.Audience, err = s.store.Audience(ctx); err != nil {
		return err
	}
	found, err := s.store.Subscribers(ctx, view.Query, subscribersOnPage+1)
	if err != nil {
		return err
	}
	d, err := s.directory(ctx)
	if err != nil {
		return err
	}
	if view.More = len(found) > subscribersOnPage; view.More {
		found = found[:subscribersOnPage]
	}
	for _, sub := range found {
		view.List = append(view.List, subscriberViewOf(sub, d))
	}
	return s.render(c, http.StatusOK, "subscribers.html", page{Title: "Subscribers", Nav: "subscribers", Data: view})
}

func subscriberViewOf(sub status.Subscriber, d directory) subscriberView {
	v := subscriberView{
		ID: sub.ID, Email: sub.Address(), Program: sub.Program(), Language: sub.Language, Zone: sub.TimeZone, Wants: "everything", Problem: sub.SuppressedWhy, Subscriber: sub,
	}
	if sub.Scope == status.ScopeMilestones {
		v.Wants = "beginnings and ends"
	}
	if len(sub.Components) > 0 {
		var names []string
		for _, id := range sub.Components {
			names = append(names, d.name(id))
		}
		v.Wants += " of " + strings.Join(names, ", ")
	}
	switch subscriberState(sub) {
	case "active":
		v.Look = look{"ok", "Active"}
	case "bounced":
		v.Look = look{"part", "Mail came back"}
		if sub.Program() {
			v.Look.Word = "Stopped: it took no more requests"
		}
	default:
		v.Look = look{"none", "Not confirmed"}
	}
	return v
}

// exportSubscribers is the whole list as CSV.
func (s *Server) exportSubscribers(c *fiber.Ctx, _ visit) error {
	components, _, err := s.store.Components(c.UserContext())
	if err != nil {
		return err
	}
	slugs := map[string]string{}
	for _, comp := range components {
		slugs[comp.ID] = comp.Slug
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(csvColumns); err != nil {
		return err
	}
	err = s.store.EachSubscriber(c.UserContext(), func(some []status.Subscriber) error {
		for _, sub := range some {
			if sub.Program() {
				continue // its secret cannot go along, and without it the list is for mail
			}
			if err := w.Write(csvRow(sub, slugs)); err != nil {
				return err
			}
		}
		return nil
	})
	if w.Flush(); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="subscribers.csv"`)
	return c.Send(b.Bytes())
}

type importPage struct {
	Text      string
	Confirmed bool
	New       int
	Known     int
	Twice     int
	Problems  []csvProblem
	More      int // problems that are not shown
	Alert     string
	Mail      bool
}

const problemsShown = 20

// importSubscribers takes a list over: first it only says what it would do,
// then, asked again, it does it.
func (s *Server) importSubscribers(c *fiber.Ctx, _ visit) error {
	ctx, f := c.UserContext(), form(c)
	view := importPage{Text: f.Get("csv"), Confirmed: f.Get("confirmed") == "yes", Mail: s.cfg.MailConfigured}
	if file := f.Get("file"); file != "" {
		view.Text = file
	}
	components, _, err := s.store.Components(ctx)
	if err != nil {
		return err
	}
	read, err := readCSV(view.Text, components, s.languageTags())
	if err != nil {
		return answers{invalid: func(invalid status.Invalid) error {
			view.Alert = "Nothing was imported: the list " + invalid.Message + "."
			return s.render(c, http.StatusUnprocessableEntity, "import.html", page{Title: "Import subscribers", Nav: "subscribers", Data: view})
		}}.answer(c, err)
	}
	do := f.Get("do") == "import"
	added, err := s.store.Import(ctx, s.clock.Now(), read.Rows, view.Confirmed, !do)
	if err != nil {
		return err
	}
	if do {
		return redirect(c, "/admin/subscribers", "imported")
	}
	view.New, view.Known, view.Twice, view.Problems = added, len(read.Rows)-added, read.Twice, read.Problems
	if view.More = max(len(view.Problems)-problemsShown, 0); view.More > 0 {
		view.Problems = view.Problems[:problemsShown]
	}
	return s.render(c, http.StatusOK, "import.html", page{Title: "Import subscribers", Nav: "subscribers", Data: view})
}

func (s *Server) eraseSubscriber(c *fiber.Ctx, _ visit) error {
	id := form(c).Get("id")
	if !validID(id) {
		return status.ErrNotFound
	}
	if err := s.store.EraseSubscriber(c.UserContext(), id); err != nil && !errors.Is(err, status.ErrNotFound) {
		return err
	}
	return redirect(c, "/admin/subscribers", "erased")
}

// languageTags are the languages that mails are written in.
func (s *Server) languageTags() []string {
	var tags []string
	for _, l := range s.cfg.Languages {
		tags = append(tags, l.Tag)
	}
	return tags
}
