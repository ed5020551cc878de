package alerts

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/statusbridge/statusbridge/internal/status"
)

// newRelicProbe finds out which of New Relic's shapes a body has.
type newRelicProbe struct {
	Template     jsontext.Value `json:"statusbridge"`
	CurrentState jsontext.Value `json:"current_state"`
	State        jsontext.Value `json:"state"`
	Extra        extra          `json:",embed"`
}

// newRelicIssue is what all shapes come down to.
type newRelicIssue struct {
	account    string
	id         string // within the account; "" if the body carries none
	state      string // as the body has it
	trigger    string
	priority   string
	title      string
	policies   []string
	conditions []string
	entities   []string
	tags       map[string][]string
	detail     string // the annotation "description"
	runbook    string
	url        string
	began      time.Time
	stamp      time.Time // New Relic's own stamp of this statement
	ended      time.Time
	mergedInto string // id of another issue of the account
}

func (e envelope) newRelic(body []byte) (Reading, error) {
	var probe newRelicProbe
	if err := unmarshal(body, &probe); err != nil {
		return Reading{}, err
	}
	if err := refuseLookalikes(probe.Extra, keysOf[newRelicProbe](), ""); err != nil {
		return Reading{}, err
	}
	switch {
	case probe.Template != nil:
		return e.newRelicTemplate(body)
	case probe.CurrentState != nil:
		return e.newRelicClassic(body)
	case probe.State != nil:
		return e.newRelicWorkflow(body)
	}
	return Reading{}, errors.New("not a shape of New Relic that is known: it has neither state nor current_state")
}

// newRelicWorkflow is the default payload of workflows.
type newRelicWorkflow struct {
	ID         jsontext.Value `json:"id"`
	IssueID    jsontext.Value `json:"issueId"`
	IssueURL   jsontext.Value `json:"issueUrl"`
	Title      jsontext.Value `json:"title"`
	Priority   jsontext.Value `json:"priority"`
	Entities   jsontext.Value `json:"impactedEntities"`
	State      jsontext.Value `json:"state"`
	Trigger    jsontext.Value `json:"trigger"`
	CreatedAt  jsontext.Value `json:"createdAt"`
	UpdatedAt  jsontext.Value `json:"updatedAt"`
	Policies   jsontext.Value `json:"alertPolicyNames"`
	Conditions jsontext.Value `json:"alertConditionNames"`
	Extra      extra          `json:",embed"`
}

// newRelicTemplate is the payload of the template that statusbridge installs.
type newRelicTemplate struct {
	Version      jsontext.Value            `json:"statusbridge"`
	AccountID    jsontext.Value            `json:"accountId"`
	IssueID      jsontext.Value            `json:"issueId"`
	State        jsontext.Value            `json:"state"`
	Trigger      jsontext.Value            `json:"trigger"`
	Priority     jsontext.Value            `json:"priority"`
	Title        jsontext.Value            `json:"title"`
	Titles       jsontext.Value            `json:"titles"`
	Descriptions jsontext.Value            `json:"descriptions"`
	CreatedAt    jsontext.Value            `json:"createdAt"`
	ActivatedAt  jsontext.Value            `json:"activatedAt"`
	UpdatedAt    jsontext.Value            `json:"updatedAt"`
	ClosedAt     jsontext.Value            `json:"closedAt"`
	Entities     jsontext.Value            `json:"entities"`
	Policies     jsontext.Value            `json:"policies"`
	Conditions   jsontext.Value            `json:"conditions"`
	Runbooks     jsontext.Value            `json:"runbooks"`
	Tags         map[string]jsontext.Value `json:"tags"`
	IssueURL     jsontext.Value            `json:"issueUrl"`
	MergedInto   jsontext.Value            `json:"mergedInto"` // id of the issue that took this one in
	Extra        extra                     `json:",embed"`
}

var (
	newRelicWorkflowKeys = keysOf[newRelicWorkflow]()
	newRelicTemplateKeys = keysOf[newRelicTemplate]()
)

func (e envelope) newRelicWorkflow(body []byte) (Reading, error) {
	var m newRelicWorkflow
	if err := unmarshal(body, &m); err != nil {
		return Reading{}, err
	}
	if err := refuseLookalikes(m.Extra, newRelicWorkflowKeys, ""); err != nil {
		return Reading{}, err
	}
	account, _ := issueInURL(text(m.IssueURL))
	id := text(m.IssueID)
	if id == "" {
		id = text(m.ID)
	}
	return e.newRelicReading(newRelicIssue{
		account: account, id: id, state: text(m.State), trigger: text(m.Trigger), priority: text(m.Priority),
		title: text(m.Title), policies: texts(m.Policies), conditions: texts(m.Conditions), entities: texts(m.Entities),
		url: text(m.IssueURL), began: millis(m.CreatedAt), stamp: millis(m.UpdatedAt), ended: millis(m.UpdatedAt),
	})
}

func (e envelope) newRelicTemplate(body []byte) (Reading, error) {
	var m newRelicTemplate
	if err := unmarshal(body, &m); err != nil {
		return Reading{}, err
	}
	if err := refuseLookalikes(m.Extra, newRelicTemplateKeys, ""); err != nil {
		return Reading{}, err
	}
	issue := newRelicIssue{
		account: text(m.AccountID), id: text(m.IssueID), state: text(m.State), trigger: text(m.Trigger),
		priority: text(m.Priority), title: first(text(m.Title), text(m.Titles)), policies: texts(m.Policies),
		conditions: texts(m.Conditions), entities: texts(m.Entities), tags: tags(m.Tags),
		detail: text(m.Descriptions), runbook: text(m.Runbooks), url: text(m.IssueURL),
		began: firstTime(millis(m.CreatedAt), millis(m.ActivatedAt)), stamp: millis(m.UpdatedAt),
		ended: firstTime(millis(m.ClosedAt), millis(m.UpdatedAt)), mergedInto: text(m.MergedInto),
	}
	if issue.account == "" {
		issue.account, _ = issueInURL(issue.url)
	}
	r, err := e.newRelicReading(issue)
	if v := text(m.Version); err == nil && v != "1" {
		r.Note = notes(append([]string{fmt.Sprintf("template version %.20q read as 1", v)}, nonEmpty(r.Note)...))
	}
	return r, err
}

// newRelicReading turns the state of an issue of today's New Relic into facts.
func (e envelope) newRelicReading(i newRelicIssue) (Reading, error) {
	r := Reading{Events: 1}
	if i.id == "" {
		return Reading{}, errors.New("the body has no issue id")
	}
	if len(i.account)+max(len(i.id), len(i.mergedInto)) > maxIdentity {
		return Reading{}, errors.New("the issue id is too long to be one")
	}
	firing := false
	switch strings.ToUpper(i.state) {
	case "CREATED":
		r.Note = "created, not active yet: nothing fires before ACTIVATED"
		return r, nil
	case "ACTIVATED":
		firing = true
	case "CLOSED", "DEACTIVATED":
	default:
		return Reading{}, fmt.Errorf("the state %.40q is not known", i.state)
	}
	f := e.newRelicFact(i, firing)
	if trigger := strings.ToUpper(i.trigger); !firing && unrecovered[trigger] != "" {
		f.Unrecovered = true
		if slices.Contains(noRecoveries, trigger) {
			f.ClosedBy = trigger // a rule may think otherwise of it
		}
		r.Note = "closed by " + trigger + ": " + unrecovered[trigger]
	}
	r.Facts = []status.Fact{f}
	return r, nil
}

// maxIdentity bounds ids, in bytes: they become keys.
const maxIdentity = 200

// unrecovered are the triggers that close an issue although nothing recovered.
var unrecovered = map[string]string{
	"CLOSE_TTL":      "it grew too old, that is no recovery",
	"CLOSE_INACTIVE": "it fell inactive, that is no recovery",
	"MERGE_REQUEST":  "it was merged into another issue, that is no recovery",
}

// newRelicFact makes the fact of an issue. Its fields become labels, so that
// rules match them like any other.
func (e envelope) newRelicFact(i newRelicIssue, firing bool) status.Fact {
	f := e.fact()
	f.Firing = firing
	f.Fingerprint = i.fingerprint(i.id)
	if !firing && i.mergedInto != "" {
		f.MergedInto = i.fingerprint(i.mergedInto)
	}
	f.OrderedAt = i.stamp
	f.URL = webURL(i.url)
	e.times(&f, i.began, i.ended)
	f.Labels, f.Lists, f.Annotations = i.labels()
	return f
}

// fingerprint is the key of an issue of the same account.
func (i newRelicIssue) fingerprint(id string) string {
	if i.account == "" {
		return id
	}
	return i.account + "/" + id
}

// labels are the fields of the issue, then its tags as far as they have other
// names. A field with several values gives its first as the label and all of
// them as the list.
func (i newRelicIssue) labels() (labels map[string]string, lists map[string][]string, annotations map[string]string) {
	labels, annotations = map[string]string{}, map[string]string{}
	set := func(into map[string]string, name, v string) {
		if v != "" {
			into[name] = v
		}
	}
	several := func(name string, all []string) {
		if len(all) == 0 {
			return
		}
		labels[name] = all[0]
		if len(all) > 1 {
			if lists == nil {
				lists = map[string][]string{}
			}
			lists[name] = all
		}
	}
	for _, name := range slices.Sorted(maps.Keys(i.tags)) {
		several(name, i.tags[name])
	}
	for _, own := range newRelicLabels {
		delete(labels, own)
		delete(lists, own)
	}
	set(labels, "account", i.account)
	set(labels, "priority", i.priority)
	set(labels, "state", i.state)
	set(labels, "title", i.title)
	set(labels, "trigger", i.trigger)
	several("policy", i.policies)
	several("condition", i.conditions)
	several("entity", i.entities)
	set(annotations, "summary", i.title)
	set(annotations, "description", i.detail)
	set(annotations, "runbook_url", i.runbook)
	return labels, lists, annotations
}

// newRelicLabels are the labels that a tag cannot set.
var newRelicLabels = []string{"account", "condition", "entity", "policy", "priority", "state", "title", "trigger"}

func tags(raw map[string]jsontext.Value) map[string][]string {
	out := map[string][]string{}
	for name, v := range raw {
		if all := texts(v); len(all) > 0 && name != "" {
			out[name] = all
		}
	}
	return out
}

var issueURL = regexp.MustCompile(`/accounts/(\d+)/issues/(` + uuid + `)`)

const uuid = `[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`

// issueInURL finds the account and the issue in the link to an issue page.
func issueInURL(s string) (account, id string) {
	if m := issueURL.FindStringSubmatch(s); m != nil {
		return m[1], m[2]
	}
	return "", ""
}

func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

func firstTime(all ...time.Time) time.Time {
	for _, t := range all {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

func nonEmpty(all ...string) []string {
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}
