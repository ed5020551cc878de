package web

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/status"
)

type rulesShown struct {
	File     string     `json:"file"`
	Hash     string     `json:"hash"`
	LoadedAt *time.Time `json:"loaded_at"`
	Problem  string     `json:"problem"` // of the last reload; the rules before it stay in force
	Source   string     `json:"source"`  // YAML
	Rules    []string   `json:"rules"`   // their names, in order
}

type dryRunAsked struct {
	Payload jsontext.Value `json:"payload"`         // the body of a webhook
	Kind    string         `json:"kind,omitzero"`   // alertmanager or newrelic; found out if left out
	Source  string         `json:"source,omitzero"` // of the webhook's address; the kind if left out
	Rules   string         `json:"rules,omitzero"`  // YAML to try; the rules in force if left out
}

type dryRun struct {
	Kind   string       `json:"kind"`
	Hash   string       `json:"rules_hash"`
	Alerts []alertTried `json:"alerts"`
}

type alertTried struct {
	Fingerprint string            `json:"fingerprint"`
	Firing      bool              `json:"firing"`
	Labels      map[string]string `json:"labels"`
	Severity    string            `json:"severity"`
	Rules       []status.Try      `json:"rules"`
}

type reloaded struct {
	Hash string `json:"hash"`
}

func (s *Server) apiRules(*call) (reply, error) {
	state := s.rules()
	v := rulesShown{LoadedAt: moment(state.LoadedAt)}
	if state.Err != nil {
		v.Problem = state.Err.Error()
	}
	if r := state.Rules; r != nil {
		v.File, v.Hash, v.Source = r.File, r.Hash, string(r.Source)
		for _, rule := range r.Rules {
			v.Rules = append(v.Rules, rule.Name)
		}
	}
	return reply{body: v}, nil
}

// apiDryRun says which rule would take the alerts of a webhook, and changes
// nothing.
func (s *Server) apiDryRun(c *call) (reply, error) {
	in, err := takeBody[dryRunAsked](c)
	if err != nil {
		return reply{}, err
	}
	rules := s.rules().Rules
	if in.Rules != "" {
		if rules, err = alerts.LoadRules("rules", []byte(in.Rules), s.cfg.Channels...); err != nil {
			return reply{}, rulesRefusal(err, "/rules")
		}
	}
	kinds := []string{alerts.KindAlertmanager, alerts.KindNewRelic}
	switch {
	case in.Kind == kinds[0], in.Kind == kinds[1]:
		kinds = []string{in.Kind}
	case in.Kind != "":
		return reply{}, badMember("/kind", "is neither alertmanager nor newrelic")
	case len(in.Payload) == 0:
		return reply{}, badMember("/payload", "is missing: the body of a webhook")
	}
	kind, reading, err := alerts.Recognize(in.Payload, in.Source, s.clock.Now(), "dry run", kinds...)
	if err != nil {
		return reply{}, badMember("/payload", "cannot be read: "+err.Error())
	}
	v := dryRun{Kind: kind}
	if rules != nil {
		v.Hash = rules.Hash
	}
	for _, f := range reading.Facts {
		tried := alertTried{Fingerprint: f.Fingerprint, Firing: f.Firing, Labels: f.Labels}
		if rules != nil {
			source := cmp.Or(in.Source, kind)
			tried.Severity, _ = rules.Level(source, f.Labels, f.Lists)
			tried.Rules = rules.Try(source, f.Labels, f.Lists)
		}
		v.Alerts = append(v.Alerts, tried)
	}
	return reply{body: v}, nil
}

func (s *Server) apiReload(c *call) (reply, error) {
	if _, err := maybeBody[struct{}](c); err != nil {
		return reply{}, err
	}
	err := s.reload(c.UserContext())
	s.log.Info("reload asked for", "by", c.who.Actor(), "err", err)
	if err != nil {
		return reply{}, rulesRefusal(err, "")
	}
	v := reloaded{}
	if r := s.rules().Rules; r != nil {
		v.Hash = r.Hash
	}
	return reply{body: v}, nil
}

// rulesRefusal tells all that is wrong with rules, each with its line.
func rulesRefusal(err error, pointer string) refusal {
	r := refusal{code: http.StatusUnprocessableEntity, text: "Refused; the rules before stay in force. " + err.Error()}
	var findings alerts.Findings
	if errors.As(err, &findings) {
		for _, f := range findings {
			f.Excerpt = ""
			r.fields = append(r.fields, fieldProblem{Pointer: pointer, Detail: f.String()})
		}
	}
	return r
}

func (s *Server) apiAlerts(c *call) (reply, error) {
	limit, err := c.limit()
	if err != nil {
		return reply{}, err
	}
	after, err := c.cursor(2)
	if err != nil {
		return reply{}, err
	}
	found, err := s.store.SignalsAfter(c.UserContext(), c.Query("firing") == "true", c.Query("unmatched") == "true",
		status.SignalKey{Source: after[0], Fingerprint: after[1]}, limit+1)
	if err != nil {
		return reply{}, err
	}
	return paged(c, found, limit, showAlertAPI, func(sig status.Signal) []string { return []string{sig.Key.Source, sig.Key.Fingerprint} }), nil
}
