package alerts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/newrelic/newrelic-client-go/v2/pkg/ai"
	"github.com/newrelic/newrelic-client-go/v2/pkg/nerdgraph"
	"github.com/newrelic/newrelic-client-go/v2/pkg/notifications"
	"github.com/newrelic/newrelic-client-go/v2/pkg/workflows"

	"github.com/statusbridge/statusbridge/internal/status"
)

// provisions asks New Relic what sends to us.
type provisions struct {
	account       int
	line          *newRelicLine
	notifications notifications.Notifications
	workflows     workflows.Workflows
	graph         nerdgraph.NerdGraph
}

func newProvisions(ctx context.Context, src status.Source, getenv func(string) string, transport http.RoundTripper) (*provisions, error) {
	cfg, line, err := newRelicConfig(ctx, src, getenv, transport)
	if err != nil {
		return nil, err
	}
	return &provisions{
		account: src.AccountID, line: line, notifications: notifications.New(cfg), workflows: workflows.New(cfg), graph: nerdgraph.New(cfg),
	}, nil
}

// NerdGraphURL is where New Relic is asked about a source.
func NerdGraphURL(src status.Source) string {
	switch {
	case src.APIURL != "":
		return src.APIURL
	case src.Region == "eu":
		return "https://api.eu.newrelic.com/graphql"
	}
	return "https://api.newrelic.com/graphql"
}

// findDestination finds the webhook destination with our address: first among
// those of the likely name, then among all. nil is none.
func (p *provisions) findDestination(name, hook string) (*notifications.AiNotificationsDestination, error) {
	for _, filter := range []ai.AiNotificationsDestinationFilter{{Name: name}, {}} {
		var cursor *string
		for range mostPages {
			var page *notifications.AiNotificationsDestinationsResponse
			err := p.line.carry(func() (err error) {
				page, err = p.notifications.GetDestinationsAccount(p.account, cursor, &filter, nil)
				return err
			})
			if err == nil {
				err = listErrors(append(page.Errors, page.Error))
			}
			if err != nil {
				return nil, fmt.Errorf("look up destinations: %w", err)
			}
			for _, d := range page.Entities {
				for _, property := range d.Properties {
					if property.Key == "url" && strings.TrimRight(property.Value, "/") == hook && string(d.Type) == "WEBHOOK" {
						return &d, nil
					}
				}
			}
			if page.NextCursor == "" {
				break
			}
			cursor = &page.NextCursor
		}
	}
	return nil, nil
}

// findChannel finds a channel of workflows on the destination. nil is none.
func (p *provisions) findChannel(destination string) (*notifications.AiNotificationsChannel, error) {
	var cursor *string
	for range mostPages {
		var page *notifications.AiNotificationsChannelsResponse
		err := p.line.carry(func() (err error) {
			page, err = p.notifications.GetChannels(p.account, cursor, &ai.AiNotificationsChannelFilter{}, nil)
			return err
		})
		if err == nil {
			err = listErrors(append(page.Errors, page.Error))
		}
		if err != nil {
			return nil, fmt.Errorf("look up channels: %w", err)
		}
		for _, c := range page.Entities {
			if c.DestinationId == destination && string(c.Product) == "IINT" {
				return &c, nil
			}
		}
		if page.NextCursor == "" {
			return nil, nil
		}
		cursor = &page.NextCursor
	}
	return nil, fmt.Errorf("look up channels: no end after %d pages", mostPages)
}

// workflowQuestion is asked when the library's own, which reads one page only,
// does not tell.
const workflowQuestion = `query($accountID: Int!, $filters: AiWorkflowsFilters) {
  actor { account(id: $accountID) { aiWorkflows { workflows(filters: $filters) {
    entities {
      id name workflowEnabled destinationsEnabled
      destinationConfigurations { channelId notificationTriggers }
    }
    nextCursor totalCount
  } } } }
}`

// findWorkflow finds a workflow that sends to the channel. nil is none.
func (p *provisions) findWorkflow(channel string) (*workflows.AiWorkflowsWorkflow, error) {
	var page *workflows.AiWorkflowsWorkflows
	err := p.line.carry(func() (err error) {
		page, err = p.workflows.GetWorkflows(p.account, "", ai.AiWorkflowsFilters{})
		return err
	})
	if err == nil && page.NextCursor != "" && !slices.ContainsFunc(page.Entities, sendsTo(channel)) {
		var answer struct {
			Actor struct {
				Account struct {
					AiWorkflows struct {
						Workflows workflows.AiWorkflowsWorkflows `json:"workflows"`
					} `json:"aiWorkflows"`
				} `json:"account"`
			} `json:"actor"`
		}
		err = p.line.carry(func() error {
			return p.graph.QueryWithResponse(workflowQuestion, map[string]any{
				"accountID": p.account, "filters": map[string]any{"channelId": channel},
			}, &answer)
		})
		page = &answer.Actor.Account.AiWorkflows.Workflows
	}
	if err != nil {
		return nil, fmt.Errorf("look up workflows: %w", err)
	}
	if n := slices.IndexFunc(page.Entities, sendsTo(channel)); n >= 0 {
		return &page.Entities[n], nil
	}
	return nil, nil
}

func sendsTo(channel string) func(workflows.AiWorkflowsWorkflow) bool {
	return func(w workflows.AiWorkflowsWorkflow) bool {
		return slices.ContainsFunc(w.DestinationConfigurations, func(c workflows.AiWorkflowsDestinationConfiguration) bool { return c.ChannelId == channel })
	}
}

// channelNote says what is wrong with a channel, "" if nothing is.
func channelNote(c notifications.AiNotificationsChannel) string {
	payload := ""
	for _, p := range c.Properties {
		if p.Key == "payload" {
			payload = p.Value
		}
	}
	switch {
	case !c.Active:
		return "it is not active: switch it on in New Relic"
	case payload == "":
		return ""
	case !strings.Contains(payload, `"statusbridge"`):
		return "it has a payload of its own: rules see what that holds"
	case strings.Join(strings.Fields(payload), " ") != strings.Join(strings.Fields(newRelicPayload), " "):
		return "its payload is that of another version of statusbridge; delete the channel and run setup again to renew it"
	}
	return ""
}

// workflowNote says what is wrong with a workflow, "" if nothing is.
func workflowNote(w workflows.AiWorkflowsWorkflow, channel string) string {
	if !w.WorkflowEnabled || !w.DestinationsEnabled {
		return "it is switched off: switch it on in New Relic"
	}
	for _, c := range w.DestinationConfigurations {
		if c.ChannelId != channel {
			continue
		}
		for _, need := range []workflows.AiWorkflowsNotificationTrigger{
			workflows.AiWorkflowsNotificationTriggerTypes.ACTIVATED, workflows.AiWorkflowsNotificationTriggerTypes.CLOSED,
		} {
			if !slices.Contains(c.NotificationTriggers, need) {
				return fmt.Sprintf("it does not tell when an issue is %s: add that trigger", need)
			}
		}
	}
	return ""
}

// listErrors joins the errors that come inside a list.
func listErrors(all []ai.AiNotificationsResponseError) error {
	var errs []error
	for _, e := range all {
		if e.Description+e.Details+string(e.Type) != "" {
			errs = append(errs, fmt.Errorf("refused: %s", strings.Join(nonEmpty(string(e.Type), e.Description, e.Details), ": ")))
		}
	}
	return errors.Join(errs...)
}

// newRelicErrors joins the errors that come inside a good answer.
func newRelicErrors(all ...ai.AiNotificationsError) error {
	var errs []error
	for _, e := range all {
		var fields []string
		for _, f := range e.Fields {
			fields = append(fields, f.Field+" "+f.Message)
		}
		words := nonEmpty(string(e.Type), e.Description, e.Details, e.Name, strings.Join(fields, ", "))
		if len(words) > 0 {
			errs = append(errs, fmt.Errorf("refused: %s", strings.Join(words, ": ")))
		}
	}
	return errors.Join(errs...)
}
