package web

import (
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

type rulesPage struct {
	File, Hash string
	LoadedAt   time.Time
	Problem    string // of the last reload, in full
	Rules      []ruleView
	Source     string
}

type ruleView struct {
	Name, Publish, Resolve, Matchers, Hold string
}

var publishWords = map[status.Publish]string{
	status.PublishAuto:    "publishes by itself",
	status.PublishConfirm: "waits for a person",
	status.PublishNever:   "stays internal",
}

func (s *Server) showRules(c *fiber.Ctx, _ visit) error {
	return s.sendRules(c, http.StatusOK, nil)
}

func (s *Server) sendRules(c *fiber.Ctx, code int, problem error) error {
	state := s.rules()
	view := rulesPage{LoadedAt: state.LoadedAt}
	if problem == nil {
		problem = state.Err
	}
	if problem != nil {
		view.Problem = problem.Error()
	}
	if r := state.Rules; r != nil {
		view.File, view.Hash, view.Source = r.File, clip(r.Hash, 12), string(r.Source)
		for _, rule := range r.Rules {
			rv := ruleView{Name: rule.Name, Publish: publishWords[rule.Open.Publish], Matchers: rule.Matchers.String(), Hold: "at once"}
			if rule.Open.Publish == status.PublishAuto && rule.Open.PublishAfter > 0 {
				rv.Publish = "publishes by itself after " + roughly(rule.Open.PublishAfter)
			}
			if rule.For > 0 {
				rv.Hold = "after " + roughly(rule.For)
			}
			rv.Resolve = "a person resolves it"
			if rule.Resolve.Mode == status.ResolveAuto {
				rv.Resolve = "resolves " + roughly(rule.Resolve.After) + " after the last alert"
			}
			view.Rules = append(view.Rules, rv)
		}
	}
	return s.render(c, code, "rules.html", page{Title: "Rules", Nav: "rules", Data: view})
}

// reloadRules reads the file again. A broken one changes nothing and is shown
// with everything that is wrong with it.
func (s *Server) reloadRules(c *fiber.Ctx, v visit) error {
	err := s.reload(c.UserContext())
	s.log.Info("rules reload asked for", "account", v.account.Email, "err", err)
	if err != nil {
		return s.sendRules(c, http.StatusUnprocessableEntity, err)
	}
	return redirect(c, "/admin/rules", "reloaded")
}

// matchesPage shows what a rule took last.
type matchesPage struct {
	Rule    string
	Known   bool // the rules in force have it
	Matches []signalView
}

// lastMatches is how many matches of a rule are shown.
const lastMatches = 20

func (s *Server) showMatches(c *fiber.Ctx, _ visit) error {
	view := matchesPage{Rule: c.Query("rule")}
	if r := s.rules().Rules; r != nil {
		_, view.Known = r.Find(view.Rule)
	}
	signals, err := s.store.RuleSignals(c.UserContext(), view.Rule, lastMatches)
	if err != nil {
		return err
	}
	if !view.Known && len(signals) == 0 {
		return status.ErrNotFound
	}
	view.Matches = s.signalViews(signals)
	return s.render(c, http.StatusOK, "matches.html", page{Title: "Matches of " + view.Rule, Nav: "rules", Data: view})
}
