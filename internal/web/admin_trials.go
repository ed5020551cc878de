package web

import (
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/status"
)

// tryPage is a dry run: what the rules in force would do with a webhook. It
// stores and sends nothing.
type tryPage struct {
	Payload, Kind, Source string
	Kinds                 []option
	Problem               string
	Heading               string // of what was read
	Tries                 []tryView
	More                  int // alerts beyond those shown
}

// tryView is an alert, and what each rule says to it.
type tryView struct {
	Name, Labels, Level string
	Firing, Heartbeat   bool
	Taken               bool // by some rule
	Tries               []status.Try
}

// mostTries bounds the alerts of a dry run on a page.
const mostTries = 50

func (s *Server) showTry(c *fiber.Ctx, _ visit) error {
	var view tryPage
	if id := c.Query("webhook"); id != "" {
		w, err := s.store.Webhook(c.UserContext(), id)
		if err != nil {
			return err
		}
		view = s.try(string(w.Body), w.Kind, w.Source)
	}
	return s.sendTry(c, http.StatusOK, view)
}

func (s *Server) tryPayload(c *fiber.Ctx, _ visit) error {
	f := form(c)
	payload := f.Get("payload")
	if file := f.Get("file"); file != "" {
		payload = file
	}
	view := s.try(payload, f.Get("kind"), strings.TrimSpace(f.Get("source")))
	if view.Problem != "" {
		return s.sendTry(c, http.StatusUnprocessableEntity, view)
	}
	return s.sendTry(c, http.StatusOK, view)
}

func (s *Server) sendTry(c *fiber.Ctx, code int, view tryPage) error {
	view.Kinds = []option{{"", "Find out", view.Kind == ""}}
	for _, k := range []string{alerts.KindAlertmanager, alerts.KindNewRelic} {
		view.Kinds = append(view.Kinds, option{k, k, k == view.Kind})
	}
	return s.render(c, code, "try.html", page{Title: "Dry run", Nav: "rules", Data: view})
}

// try reads a payload and asks every rule about every alert in it.
func (s *Server) try(payload, kind, source string) tryPage {
	view := tryPage{Payload: payload, Kind: kind, Source: source}
	kinds := []string{alerts.KindAlertmanager, alerts.KindNewRelic}
	if kind != "" {
		kinds = []string{kind}
	}
	rules := s.rules().Rules
	if strings.TrimSpace(payload) == "" {
		view.Problem = "paste the body of a webhook, or choose a file"
		return view
	}
	if rules == nil {
		view.Problem = "no rules are loaded"
		return view
	}
	kind, reading, err := alerts.Recognize([]byte(payload), source, s.clock.Now(), "", kinds...)
	if err != nil {
		view.Problem = err.Error()
		return view
	}
	view.Heading = kind + ", " + counted(len(reading.Facts), "alert")
	if reading.Test {
		view.Heading += ", a test of the connection"
	}
	if reading.Note != "" {
		view.Heading += ", " + reading.Note
	}
	for n, f := range reading.Facts {
		if n == mostTries {
			view.More = len(reading.Facts) - n
			break
		}
		view.Tries = append(view.Tries, tryFact(rules, f))
	}
	return view
}

func tryFact(rules *status.Rules, f status.Fact) tryView {
	v := tryView{
		Name: alertName(f.Labels, f.Fingerprint), Labels: status.GroupKey(f.Labels), Firing: f.Firing,
		Tries: rules.Try(f.Source, f.Labels, f.Lists),
	}
	v.Level, _ = rules.Level(f.Source, f.Labels, f.Lists)
	for _, src := range rules.Sources {
		v.Heartbeat = v.Heartbeat || src.Name == f.Source && src.IsHeartbeat(f.Labels, f.Lists)
	}
	for _, t := range v.Tries {
		v.Taken = v.Taken || t.Matched
	}
	return v
}
