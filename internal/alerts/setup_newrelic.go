package alerts

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/newrelic/newrelic-client-go/v2/pkg/notifications"
	"github.com/newrelic/newrelic-client-go/v2/pkg/workflows"

	"github.com/statusbridge/statusbridge/internal/status"
)

// newRelicPayload is the template of the webhooks' bodies: everything that rules
// can match, and the stamps that put statements in order.
//
//go:embed newrelic-template.hbs
var newRelicPayload string

// NewRelicSetup is what New Relic is to send where.
type NewRelicSetup struct {
	Source     status.Source
	PublicURL  string // of this installation, as New Relic reaches it
	Secret     string // of the webhooks
	Name       string // of what is created there; "" is statusbridge
	Priorities []string
	// DryRun creates nothing: what would be sent is in the steps.
	DryRun bool
	Getenv func(string) string
	HTTP   http.RoundTripper // nil is the usual one
}

// SetupStep is one of the things that must be there.
type SetupStep struct {
	What  string `json:"what"` // destination, channel or workflow
	Name  string `json:"name"`
	ID    string `json:"id"`
	State string `json:"state"`          // found, created, would_create
	Note  string `json:"note,omitempty"` // what a person should know about it
	// Request is what a dry run would have sent, the secret masked.
	Request json.RawMessage `json:"request,omitempty"`
}

// The states of a step.
const (
	StepFound       = "found"
	StepCreated     = "created"
	StepWouldCreate = "would_create"
)

// SetupNewRelic finds or creates the destination with our address, its channel
// with our payload, and a workflow that sends there. What is there it leaves as
// it is, so it may be run again. An error stops it; the steps before are done
// and returned.
func SetupNewRelic(ctx context.Context, cfg NewRelicSetup) ([]SetupStep, error) {
	if cfg.Source.AccountID == 0 {
		return nil, fmt.Errorf("the source %s has no account_id", cfg.Source.Name)
	}
	cfg.Name = cmp.Or(cfg.Name, "statusbridge")
	cfg.Source.APIKeyEnv = cmp.Or(cfg.Source.APIKeyEnv, ourKeyEnv)
	rehearsed := &rehearsal{next: cfg.HTTP, secret: cfg.Secret}
	transport, getenv := cfg.HTTP, cfg.Getenv
	if cfg.DryRun {
		transport = rehearsed
		if rehearsed.offline = strings.TrimSpace(getenv(cfg.Source.APIKeyEnv)) == ""; rehearsed.offline {
			getenv = func(string) string { return "no key, nothing is sent" }
		}
	}
	there, err := newProvisions(ctx, cfg.Source, getenv, transport)
	if err != nil {
		return nil, err
	}
	s := &newRelicSteps{NewRelicSetup: cfg, provisions: there, rehearsed: rehearsed}
	for _, step := range []func() error{s.destination, s.channel, s.workflow} {
		if err := step(); err != nil {
			return s.steps, err
		}
	}
	return s.steps, nil
}

// newRelicSteps is a set-up under way.
type newRelicSteps struct {
	NewRelicSetup
	*provisions
	rehearsed *rehearsal
	steps     []SetupStep
}

func (s *newRelicSteps) hook() string {
	return s.PublicURL + "/hooks/" + KindNewRelic + "/" + s.Source.Name
}

func (s *newRelicSteps) found(what, name, id, note string) {
	s.steps = append(s.steps, SetupStep{What: what, Name: name, ID: id, State: StepFound, Note: note})
}

func (s *newRelicSteps) made(what, id string) error {
	if id == "" {
		return fmt.Errorf("create the %s: New Relic names no reason and no id", what)
	}
	step := SetupStep{What: what, Name: s.Name, ID: id, State: StepCreated}
	if s.DryRun {
		step.State, step.Request = StepWouldCreate, s.rehearsed.last
	}
	s.steps = append(s.steps, step)
	return nil
}

func (s *newRelicSteps) last() string { return s.steps[len(s.steps)-1].ID }

func (s *newRelicSteps) destination() error {
	d, err := s.findDestination(s.Name, s.hook())
	if err != nil {
		return err
	}
	if d != nil {
		note := ""
		if !d.Active {
			note = "it is not active: switch it on in New Relic"
		}
		s.found("destination", d.Name, d.ID, note)
		return nil
	}
	var resp *notifications.AiNotificationsDestinationResponse
	err = s.line.carry(func() (err error) {
		resp, err = s.notifications.AiNotificationsCreateDestination(&s.Source.AccountID, notifications.AiNotificationsDestinationInput{
			Name: s.Name, Type: notifications.AiNotificationsDestinationTypeTypes.WEBHOOK,
			Properties: []notifications.AiNotificationsPropertyInput{{Key: "url", Value: s.hook()}},
			Auth: &notifications.AiNotificationsCredentialsInput{
				Type:  notifications.AiNotificationsAuthTypeTypes.TOKEN,
				Token: notifications.AiNotificationsTokenAuthInput{Prefix: "Bearer", Token: notifications.SecureValue(s.Secret)},
			},
		}, nil)
		return err
	})
	if err == nil {
		err = newRelicErrors(append(resp.Errors, resp.Error)...)
	}
	if err != nil {
		return fmt.Errorf("create the destination %s: %w", s.Name, err)
	}
	return s.made("destination", resp.Destination.ID)
}

func (s *newRelicSteps) channel() error {
	destination := s.last()
	c, err := s.findChannel(destination)
	if err != nil {
		return err
	}
	if c != nil {
		s.found("channel", c.Name, c.ID, channelNote(*c))
		return nil
	}
	var resp *notifications.AiNotificationsChannelResponse
	err = s.line.carry(func() (err error) {
		resp, err = s.notifications.AiNotificationsCreateChannel(s.Source.AccountID, notifications.AiNotificationsChannelInput{
			Name: s.Name, DestinationId: destination, Type: notifications.AiNotificationsChannelTypeTypes.WEBHOOK,
			Product:    notifications.AiNotificationsProductTypes.IINT,
			Properties: []notifications.AiNotificationsPropertyInput{{Key: "payload", Label: "Payload Template", Value: newRelicPayload}},
		})
		return err
	})
	if err == nil {
		err = newRelicErrors(append(resp.Errors, resp.Error)...)
	}
	if err != nil {
		return fmt.Errorf("create the channel %s: %w", s.Name, err)
	}
	return s.made("channel", resp.Channel.ID)
}

func (s *newRelicSteps) workflow() error {
	channel := s.last()
	w, err := s.findWorkflow(channel)
	if err != nil {
		return err
	}
	if w != nil {
		s.found("workflow", w.Name, w.ID, workflowNote(*w, channel))
		return nil
	}
	var resp *workflows.AiWorkflowsCreateWorkflowResponse
	err = s.line.carry(func() (err error) {
		resp, err = s.workflows.AiWorkflowsCreateWorkflow(s.Source.AccountID, workflows.AiWorkflowsCreateWorkflowInput{
			Name: s.Name, WorkflowEnabled: true, DestinationsEnabled: true,
			DestinationConfigurations: []workflows.AiWorkflowsDestinationConfigurationInput{{ChannelId: channel, NotificationTriggers: newRelicTriggers}},
			IssuesFilter: workflows.AiWorkflowsFilterInput{
				Name: s.Name, Type: workflows.AiWorkflowsFilterTypeTypes.FILTER,
				Predicates: []workflows.AiWorkflowsPredicateInput{{
					Attribute: "priority", Operator: workflows.AiWorkflowsOperatorTypes.EQUAL, Values: s.Priorities,
				}},
			},
			MutingRulesHandling: workflows.AiWorkflowsMutingRulesHandlingTypes.DONT_NOTIFY_FULLY_MUTED_ISSUES,
		})
		return err
	})
	if err == nil {
		for _, e := range resp.Errors {
			err = errors.Join(err, fmt.Errorf("refused: %s: %s", e.Type, e.Description))
		}
	}
	if err != nil {
		return fmt.Errorf("create the workflow %s: %w", s.Name, err)
	}
	return s.made("workflow", resp.Workflow.ID)
}

// newRelicTriggers are what a workflow must tell: without CLOSED nothing
// resolves.
var newRelicTriggers = []workflows.AiWorkflowsNotificationTrigger{
	workflows.AiWorkflowsNotificationTriggerTypes.ACTIVATED, workflows.AiWorkflowsNotificationTriggerTypes.ACKNOWLEDGED,
	workflows.AiWorkflowsNotificationTriggerTypes.PRIORITY_CHANGED, workflows.AiWorkflowsNotificationTriggerTypes.OTHER_UPDATES,
	workflows.AiWorkflowsNotificationTriggerTypes.CLOSED,
}

// rehearsal stands in for New Relic in a dry run: questions pass, and what would
// change something is kept instead of sent, and answered as if it had worked.
type rehearsal struct {
	next    http.RoundTripper
	offline bool // without a key nothing passes: as if nothing was there
	secret  string
	last    json.RawMessage
}

// RoundTrip implements http.RoundTripper.
func (l *rehearsal) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_ = r.Body.Close()
	mutation := bytes.Contains(body, []byte(`"mutation`))
	if l.offline && !mutation {
		return reply(r, http.StatusOK, []byte(`{"data":{"actor":{"account":{}}}}`)), nil
	}
	if !mutation {
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		next := l.next
		if next == nil {
			next = http.DefaultTransport
		}
		return next.RoundTrip(r)
	}
	if quoted, err := json.Marshal(l.secret); err == nil && l.secret != "" {
		body = bytes.ReplaceAll(body, quoted, []byte(`"***"`))
	}
	l.last = bytes.TrimSpace(body)
	return reply(r, http.StatusOK, []byte(`{"data":{
		"aiNotificationsCreateDestination":{"destination":{"id":"DESTINATION-ID"}},
		"aiNotificationsCreateChannel":{"channel":{"id":"CHANNEL-ID"}},
		"aiWorkflowsCreateWorkflow":{"workflow":{"id":"WORKFLOW-ID"}}}}`)), nil
}

// Priorities are those that New Relic's issues have.
var Priorities = []string{"CRITICAL", "HIGH", "MEDIUM", "LOW"}

// ParsePriorities reads a list such as CRITICAL,HIGH.
func ParsePriorities(s string) ([]string, error) {
	var out []string
	for _, p := range strings.Split(s, ",") {
		p = strings.ToUpper(strings.TrimSpace(p))
		if !slices.Contains(Priorities, p) {
			return nil, fmt.Errorf("%q is no priority: there are %s", p, strings.Join(Priorities, ", "))
		}
		out = append(out, p)
	}
	return out, nil
}
