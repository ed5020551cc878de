package web

import (
	"cmp"
	"context"
	"net/http"
	"regexp/syntax"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"

	"github.com/statusbridge/statusbridge/internal/status"
)

// setup is the three steps of a fresh install, until all are done.
type setup struct {
	HasComponents bool
	HasWebhook    bool
	HasIssue      bool
	Hook          string // URL that Alertmanager posts to
	NewRelic      string // and New Relic
	Secret        string // "" for those who may not know it
	Rule          string // that the test alert would match, "" if none can
	Fired         bool
}

func (s *Server) setup(ctx context.Context, v visit, d directory) (*setup, error) {
	step := setup{
		HasComponents: len(d.components) > 0,
		Hook:          s.site.origin + "/hooks/alertmanager", NewRelic: s.site.origin + "/hooks/newrelic",
	}
	hooks, err := s.store.Webhooks(ctx, "", 20)
	if err != nil {
		return nil, err
	}
	for _, h := range hooks {
		if h.Source == testSource {
			step.Fired = true
		} else {
			step.HasWebhook = true
		}
	}
	issues, err := s.store.Issues(ctx, anyIssue)
	if err != nil {
		return nil, err
	}
	step.HasIssue = len(issues) > 0
	if step.HasComponents && step.HasWebhook && step.HasIssue {
		return nil, nil //nolint:nilnil // nil is "set up already", which is no failure
	}
	if secrets := s.cfg.WebhookSecrets(); v.may(status.Admin) && len(secrets) > 0 {
		step.Secret = secrets[0]
	}
	if rule, _, ok := testAlert(s.rules().Rules); ok {
		step.Rule = rule.Name
	}
	return &step, nil
}

// testSource names alerts of our own making, so that they are told from real
// ones everywhere.
const testSource = "statusbridge-test"

// fireTestAlert sends an alert through the very intake that webhooks use. It
// is built for a rule that asks a person before anything is public.
func (s *Server) fireTestAlert(c *fiber.Ctx, _ visit) error {
	rule, set, ok := testAlert(s.rules().Rules)
	if !ok {
		return refusal{code: http.StatusUnprocessableEntity, text: "No rule both drafts for confirmation and can be matched by a made-up alert. Send one with amtool instead."}
	}
	clear := form(c).Get("do") == "clear"
	now := s.clock.Now()
	body, err := testWebhook(set, now.Add(-rule.For-time.Second), now, clear)
	if err != nil {
		return err
	}
	if _, err := s.intake.Accept(c.UserContext(), "alertmanager", testSource, body); err != nil {
		return err
	}
	if clear {
		return redirect(c, "/admin", "cleared")
	}
	return redirect(c, "/admin", "fired")
}

// testAlert makes labels that the first matching rule drafts an issue from.
func testAlert(rules *status.Rules) (status.Rule, model.LabelSet, bool) {
	if rules == nil {
		return status.Rule{}, nil, false
	}
	for _, rule := range rules.Rules {
		if rule.Open.Publish != status.PublishConfirm || rule.Source != "" {
			continue
		}
		set := labelsFor(rule)
		if first, ok := firstMatch(rules, set); ok && first.Name == rule.Name {
			return rule, set, true
		}
	}
	return status.Rule{}, nil, false
}

func labelsFor(rule status.Rule) model.LabelSet {
	set := model.LabelSet{"alertname": "StatusbridgeTest", "severity": "critical"}
	for _, name := range rule.GroupBy {
		if _, ok := set[model.LabelName(name)]; !ok {
			set[model.LabelName(name)] = "test"
		}
	}
	for _, m := range rule.Matchers {
		switch m.Type {
		case labels.MatchEqual:
			set[model.LabelName(m.Name)] = model.LabelValue(m.Value)
		case labels.MatchRegexp:
			set[model.LabelName(m.Name)] = model.LabelValue(cmp.Or(literalOf(m.Value), "test"))
		default:
			if !m.Matches(string(set[model.LabelName(m.Name)])) {
				set[model.LabelName(m.Name)] = "test"
			}
		}
	}
	return set
}

// literalOf is the first alternative of a plain "a|b|c", "" for anything else.
func literalOf(pattern string) string {
	first, _, _ := strings.Cut(pattern, "|")
	re, err := syntax.Parse(first, syntax.Perl)
	if err != nil || re.Op != syntax.OpLiteral {
		return ""
	}
	return string(re.Rune)
}

func firstMatch(rules *status.Rules, set model.LabelSet) (status.Rule, bool) {
	for _, rule := range rules.Rules {
		if rule.Source == "" && rule.Matchers.Matches(set) {
			return rule, true
		}
	}
	return status.Rule{}, false
}

// testWebhook writes what Alertmanager would post.
func testWebhook(set model.LabelSet, from, now time.Time, clear bool) ([]byte, error) {
	type alert struct {
		Status       string            `json:"status"`
		Labels       model.LabelSet    `json:"labels"`
		Annotations  map[string]string `json:"annotations"`
		StartsAt     time.Time         `json:"startsAt"`
		EndsAt       time.Time         `json:"endsAt"`
		GeneratorURL string            `json:"generatorURL"`
		Fingerprint  string            `json:"fingerprint"`
	}
	notes := map[string]string{"summary": "A test alert, fired from the admin. Nothing is wrong."}
	a := alert{Status: "firing", Labels: set, Annotations: notes, StartsAt: from.UTC(), Fingerprint: set.Fingerprint().String()}
	if clear {
		a.Status, a.EndsAt = "resolved", now.UTC()
	}
	return json.Marshal(map[string]any{
		"version": "4", "groupKey": "{}:{test=\"statusbridge\"}", "truncatedAlerts": 0, "status": a.Status,
		"receiver": testSource, "groupLabels": map[string]string{}, "commonLabels": set,
		"commonAnnotations": notes, "externalURL": "", "alerts": []alert{a},
	}, json.Deterministic(true))
}
