package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

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

// backtestPage tries other rules on the webhooks that were received.
type backtestPage struct {
	Rules   string // the candidates
	Since   string
	Spans   []option
	Problem string // in full
	Report  *alerts.BacktestReport
	Counts  []changeCount
	Issues  []comparisonView // but those that would be the same
}

type changeCount struct {
	N    int
	Word string
}

type comparisonView struct {
	Change, Glyph string
	Issue         *alerts.PastIssue
	ID            string // of the issue that was
	Differences   []alerts.Difference
}

// Bounds of a back-test in the browser. The command has none of them.
const (
	mostReplayed = 50_000
	backtestTime = 8 * time.Second // less than patience
)

var spans = []struct {
	name, words string
	length      time.Duration
}{{"1d", "one day", 24 * time.Hour}, {"7d", "7 days", 7 * 24 * time.Hour}, {"30d", "30 days", 30 * 24 * time.Hour}}

func (s *Server) showBacktest(c *fiber.Ctx, _ visit) error {
	view := backtestPage{Since: "7d"}
	if r := s.rules().Rules; r != nil {
		view.Rules = string(r.Source)
	}
	return s.sendBacktest(c, http.StatusOK, view)
}

func (s *Server) runBacktest(c *fiber.Ctx, _ visit) error {
	f := form(c)
	view := backtestPage{Rules: strings.ReplaceAll(f.Get("rules"), "\r\n", "\n"), Since: f.Get("since")}
	if file := f.Get("file"); file != "" {
		view.Rules = file
	}
	candidates, err := alerts.LoadRules("candidate", []byte(view.Rules), s.cfg.Channels...)
	if err != nil {
		view.Problem = err.Error()
		return s.sendBacktest(c, http.StatusUnprocessableEntity, view)
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), backtestTime)
	defer cancel()
	now, done, total := s.clock.Now(), 0, 0
	report, err := alerts.Backtest(ctx, alerts.BacktestConfig{
		Past: s.store, Rules: candidates, From: now.Add(-spanOf(view.Since)), To: now, Most: mostReplayed,
		Progress: func(d, t int) { done, total = d, t },
	})
	switch {
	case errors.Is(err, alerts.ErrPastTooLong):
		view.Problem = err.Error() + tryCommand
	case errors.Is(err, context.DeadlineExceeded):
		view.Problem = fmt.Sprintf("after %s only %d of %d webhooks were replayed", roughly(backtestTime), done, total) + tryCommand
	case err != nil:
		return err
	}
	if view.Problem != "" {
		return s.sendBacktest(c, http.StatusUnprocessableEntity, view)
	}
	view.tell(report)
	return s.sendBacktest(c, http.StatusOK, view)
}

const tryCommand = "\nChoose a shorter time, or run on the server: statusbridge rules backtest --since 30d FILE"

func spanOf(name string) time.Duration {
	for _, sp := range spans {
		if sp.name == name {
			return sp.length
		}
	}
	return spans[0].length
}

func (s *Server) sendBacktest(c *fiber.Ctx, code int, view backtestPage) error {
	for _, sp := range spans {
		view.Spans = append(view.Spans, option{sp.name, sp.words, sp.name == view.Since})
	}
	return s.render(c, code, "backtest.html", page{Title: "Back-test", Nav: "rules", Data: view})
}

// changeWords say what a change means, and how it is marked.
var changeWords = []struct {
	change             alerts.Change
	one, counted, mark string
}{
	{alerts.ChangeOpened, "would have opened", "more would have opened", "down"},
	{alerts.ChangeMissing, "would not have opened", "would not have opened", "ring"},
	{alerts.ChangeDiffers, "would differ", "would differ", "slow"},
	{alerts.ChangeNone, "", "would be the same", "ok"},
}

func (v *backtestPage) tell(report alerts.BacktestReport) {
	v.Report = &report
	looks := map[alerts.Change]comparisonView{}
	for _, w := range changeWords {
		v.Counts = append(v.Counts, changeCount{report.Count(w.change), w.counted})
		looks[w.change] = comparisonView{Change: w.one, Glyph: w.mark}
	}
	for _, i := range report.Issues {
		if i.Change == alerts.ChangeNone {
			continue
		}
		line := looks[i.Change]
		line.Issue, line.Differences = i.Would, i.Differences
		if line.Issue == nil {
			line.Issue = i.Was
		}
		if i.Was != nil {
			line.ID = i.Was.ID
		}
		v.Issues = append(v.Issues, line)
	}
}
