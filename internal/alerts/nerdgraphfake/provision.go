package nerdgraphfake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Destination, Channel and Workflow are what makes New Relic send somewhere.
type (
	Destination struct {
		ID, Name, URL, Token string
		Inactive             bool
		Status               string // "" is DEFAULT
	}
	Channel struct {
		ID, Name, DestinationID, Payload string
		Inactive                         bool
	}
	Workflow struct {
		ID, Name, ChannelID string
		Triggers            []string
		Priorities          []string
		Disabled            bool
	}
)

// provisions are those of one account.
type provisions struct {
	Destinations []Destination
	Channels     []Channel
	Workflows    []Workflow
}

// Provisioned is what an account has.
func (f *Fake) Provisioned(account int) (destinations []Destination, channels []Channel, workflows []Workflow) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.of(account)
	return slices.Clone(p.Destinations), slices.Clone(p.Channels), slices.Clone(p.Workflows)
}

// Provision changes what an account has.
func (f *Fake) Provision(account int, change func(d *[]Destination, c *[]Channel, w *[]Workflow)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.of(account)
	change(&p.Destinations, &p.Channels, &p.Workflows)
}

func (f *Fake) of(account int) *provisions {
	if f.account[account] == nil {
		f.account[account] = &provisions{}
	}
	return f.account[account]
}

// operation is what one kind of request must look like. The parts are those of
// New Relic's own client library.
type operation struct {
	mark      string   // tells it from the others
	parts     []string // of the query
	variables []string // that may be given
	answer    func(p *provisions, account, page int, raw map[string]json.RawMessage) (string, error)
}

var operations = []operation{
	{
		"aiNotificationsCreateDestination(",
		[]string{"mutation(", "$destination: AiNotificationsDestinationInput!", "accountId: $accountId", "destination: $destination", "destination {", "id", "error {", "errors {"},
		[]string{"accountId", "destination", "scope"},
		createDestination,
	},
	{
		"aiNotificationsCreateChannel(",
		[]string{"mutation(", "$accountId: Int!", "$channel: AiNotificationsChannelInput!", "accountId: $accountId", "channel: $channel", "channel {", "id", "error {", "errors {"},
		[]string{"accountId", "channel"},
		createChannel,
	},
	{
		"aiWorkflowsCreateWorkflow(",
		[]string{"mutation(", "$accountId: Int!", "$createWorkflowData: AiWorkflowsCreateWorkflowInput!", "createWorkflowData: $createWorkflowData", "errors {", "workflow {", "id"},
		[]string{"accountId", "createWorkflowData"},
		createWorkflow,
	},
	{
		"aiNotifications { destinations(",
		[]string{"query(", "$accountID: Int!", "account(id: $accountID)", "cursor: $cursor", "filters: $filters", "entities {", "properties {", "active", "status", "nextCursor"},
		[]string{"accountID", "cursor", "filters", "sorter"},
		listDestinations,
	},
	{
		"aiNotifications { channels(",
		[]string{"query(", "$accountID: Int!", "account(id: $accountID)", "cursor: $cursor", "filters: $filters", "entities {", "destinationId", "active", "nextCursor"},
		[]string{"accountID", "cursor", "filters", "sorter"},
		listChannels,
	},
	{
		"aiWorkflows { workflows(",
		[]string{"query(", "$accountID: Int!", "account(id: $accountID)", "filters: $filters", "entities {", "channelId", "workflowEnabled", "nextCursor", "totalCount"},
		[]string{"accountID", "cursor", "filters"},
		listWorkflows,
	},
}

// provision answers a request about destinations, channels and workflows. The
// lock is held.
func (f *Fake) provision(r *http.Request, body []byte) (string, error) {
	if r.Method != http.MethodPost || r.URL.Path != "/graphql" || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return "", fmt.Errorf("%s %s as %q instead of POST /graphql as JSON", r.Method, r.URL.Path, r.Header.Get("Content-Type"))
	}
	var q struct {
		Query     string                     `json:"query"`
		Variables map[string]json.RawMessage `json:"variables"`
	}
	if err := strict(body, &q); err != nil {
		return "", fmt.Errorf("not a GraphQL request: %w", err)
	}
	if err := wellFormed(q.Query); err != nil {
		return "", err
	}
	var account int
	id := q.Variables["accountId"]
	if id == nil {
		id = q.Variables["accountID"]
	}
	if err := json.Unmarshal(id, &account); err != nil {
		return "", errors.New("no variable says which account")
	}
	if key := f.keys[account]; key == "" || r.Header.Get("Api-Key") != key {
		return "", fmt.Errorf("the key is not that of account %d", account)
	}
	for _, op := range operations {
		if !strings.Contains(q.Query, op.mark) {
			continue
		}
		if err := asksFor(q.Query, op.parts...); err != nil {
			return "", err
		}
		for name := range q.Variables {
			if !slices.Contains(op.variables, name) {
				return "", fmt.Errorf("the variable %s is not one of %s", name, op.mark)
			}
		}
		return op.answer(f.of(account), account, f.page, q.Variables)
	}
	return "", errors.New("not an operation that is understood here")
}

// strict reads JSON that may have no key that we do not know.
func strict(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

type property struct {
	Key          string `json:"key"`
	Value        string `json:"value"`
	Label        string `json:"label,omitempty"`
	DisplayValue string `json:"displayValue,omitempty"`
}

func createDestination(p *provisions, account, _ int, raw map[string]json.RawMessage) (string, error) {
	var in struct {
		Name       string     `json:"name"`
		Type       string     `json:"type"`
		Properties []property `json:"properties"`
		Auth       struct {
			Type  string `json:"type"`
			Token struct {
				Prefix string `json:"prefix"`
				Token  string `json:"token"`
			} `json:"token"`
			Basic  map[string]any `json:"basic"`
			OAuth2 map[string]any `json:"oauth2"`
		} `json:"auth"`
	}
	if err := strict(raw["destination"], &in); err != nil {
		return "", fmt.Errorf("destination: %w", err)
	}
	if in.Name == "" || in.Type != "WEBHOOK" || len(in.Properties) != 1 || in.Properties[0].Key != "url" {
		return "", fmt.Errorf("not a webhook destination with a name and one property url: %+v", in)
	}
	if u, err := url.Parse(in.Properties[0].Value); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", fmt.Errorf("%q is no address", in.Properties[0].Value)
	}
	if in.Auth.Type != "TOKEN" || in.Auth.Token.Token == "" || strings.TrimSpace(in.Auth.Token.Prefix) != "Bearer" {
		return "", fmt.Errorf("the authorization is %s with the prefix %q", in.Auth.Type, in.Auth.Token.Prefix)
	}
	for _, d := range p.Destinations {
		if d.Name == in.Name {
			return respond("aiNotificationsCreateDestination", map[string]any{
				"destination": nil, "error": map[string]any{"details": "name is taken", "fields": []any{map[string]string{"field": "name", "message": "must be unique"}}}, "errors": []any{},
			})
		}
	}
	d := Destination{ID: fmt.Sprintf("d-%d", len(p.Destinations)+1), Name: in.Name, URL: in.Properties[0].Value, Token: in.Auth.Token.Token}
	p.Destinations = append(p.Destinations, d)
	return respond("aiNotificationsCreateDestination", map[string]any{"destination": d.fields(account), "error": nil, "errors": []any{}})
}

func createChannel(p *provisions, account, _ int, raw map[string]json.RawMessage) (string, error) {
	var in struct {
		Name          string     `json:"name"`
		Type          string     `json:"type"`
		Product       string     `json:"product"`
		DestinationID string     `json:"destinationId"`
		Properties    []property `json:"properties"`
	}
	if err := strict(raw["channel"], &in); err != nil {
		return "", fmt.Errorf("channel: %w", err)
	}
	if in.Name == "" || in.Type != "WEBHOOK" || in.Product != "IINT" {
		return "", fmt.Errorf("not a webhook channel of workflows: %+v", in)
	}
	n := slices.IndexFunc(in.Properties, func(p property) bool { return p.Key == "payload" })
	if n < 0 || !strings.Contains(in.Properties[n].Value, "{{ json issueId }}") {
		return "", errors.New("the channel has no payload that names the issue")
	}
	if !slices.ContainsFunc(p.Destinations, func(d Destination) bool { return d.ID == in.DestinationID }) {
		return respond("aiNotificationsCreateChannel", map[string]any{
			"channel": nil, "error": map[string]any{"description": "destination does not exist", "type": "INVALID_PARAMETER"}, "errors": []any{},
		})
	}
	c := Channel{ID: fmt.Sprintf("c-%d", len(p.Channels)+1), Name: in.Name, DestinationID: in.DestinationID, Payload: in.Properties[n].Value}
	p.Channels = append(p.Channels, c)
	return respond("aiNotificationsCreateChannel", map[string]any{"channel": c.fields(account), "error": nil, "errors": []any{}})
}

var (
	triggers  = []string{"ACTIVATED", "ACKNOWLEDGED", "INVESTIGATING", "PRIORITY_CHANGED", "OTHER_UPDATES", "CLOSED"}
	mutings   = []string{"DONT_NOTIFY_FULLY_MUTED_ISSUES", "DONT_NOTIFY_FULLY_OR_PARTIALLY_MUTED_ISSUES", "NOTIFY_ALL_ISSUES"}
	operators = regexp.MustCompile(`^(EQUAL|CONTAINS|EXACTLY_MATCHES|STARTS_WITH|ENDS_WITH|IS)$`)
)

func createWorkflow(p *provisions, account, _ int, raw map[string]json.RawMessage) (string, error) {
	var in struct {
		Name           string `json:"name"`
		Configurations []struct {
			ChannelID string   `json:"channelId"`
			Triggers  []string `json:"notificationTriggers"`
		} `json:"destinationConfigurations"`
		DestinationsEnabled bool `json:"destinationsEnabled"`
		EnrichmentsEnabled  bool `json:"enrichmentsEnabled"`
		Filter              struct {
			Name       string `json:"name"`
			Type       string `json:"type"`
			Predicates []struct {
				Attribute string   `json:"attribute"`
				Operator  string   `json:"operator"`
				Values    []string `json:"values"`
			} `json:"predicates"`
		} `json:"issuesFilter"`
		Muting  string `json:"mutingRulesHandling"`
		Enabled bool   `json:"workflowEnabled"`
	}
	if err := strict(raw["createWorkflowData"], &in); err != nil {
		return "", fmt.Errorf("createWorkflowData: %w", err)
	}
	if in.Name == "" || in.Filter.Name == "" || in.Filter.Type != "FILTER" || len(in.Filter.Predicates) == 0 || !slices.Contains(mutings, in.Muting) || len(in.Configurations) != 1 {
		return "", fmt.Errorf("not a workflow with a name, a filter and a channel: %+v", in)
	}
	w := Workflow{Name: in.Name, ChannelID: in.Configurations[0].ChannelID, Triggers: in.Configurations[0].Triggers, Disabled: !in.Enabled || !in.DestinationsEnabled}
	for _, pr := range in.Filter.Predicates {
		if pr.Attribute == "" || !operators.MatchString(pr.Operator) || len(pr.Values) == 0 {
			return "", fmt.Errorf("not a predicate: %+v", pr)
		}
		if pr.Attribute == "priority" {
			w.Priorities = pr.Values
		}
	}
	for _, t := range w.Triggers {
		if !slices.Contains(triggers, t) {
			return "", fmt.Errorf("no trigger is called %s", t)
		}
	}
	problem := ""
	switch {
	case !slices.ContainsFunc(p.Channels, func(c Channel) bool { return c.ID == w.ChannelID }):
		problem = "INVALID_PARAMETER"
	case slices.ContainsFunc(p.Workflows, func(o Workflow) bool { return o.Name == w.Name }):
		problem = "DUPLICATE"
	}
	if problem != "" {
		return respond("aiWorkflowsCreateWorkflow", map[string]any{"workflow": nil, "errors": []any{map[string]string{"type": problem, "description": "the workflow cannot be created"}}})
	}
	w.ID = fmt.Sprintf("w-%d", len(p.Workflows)+1)
	p.Workflows = append(p.Workflows, w)
	return respond("aiWorkflowsCreateWorkflow", map[string]any{"workflow": w.fields(account), "errors": []any{}})
}

func respond(name string, result any) (string, error) {
	b, err := json.Marshal(map[string]any{"data": map[string]any{name: result}})
	return string(b), err
}
