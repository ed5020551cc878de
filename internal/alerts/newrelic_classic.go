package alerts

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/statusbridge/statusbridge/internal/status"
)

// newRelicClassic is the payload of the classic webhook channel, also in the
// dialect of accounts that were migrated to workflows: there incident_id may
// be -1 or a UUID, and version a number.
type newRelicClassic struct {
	AccountID     jsontext.Value   `json:"account_id"`
	IssueID       jsontext.Value   `json:"issue_id"`
	ID            jsontext.Value   `json:"id"`
	IncidentID    jsontext.Value   `json:"incident_id"`
	IncidentURL   jsontext.Value   `json:"incident_url"`
	CurrentState  jsontext.Value   `json:"current_state"`
	EventType     jsontext.Value   `json:"event_type"`
	ConditionID   jsontext.Value   `json:"condition_id"`
	ConditionName jsontext.Value   `json:"condition_name"`
	PolicyName    jsontext.Value   `json:"policy_name"`
	Severity      jsontext.Value   `json:"severity"`
	Details       jsontext.Value   `json:"details"`
	RunbookURL    jsontext.Value   `json:"runbook_url"`
	Targets       []newRelicTarget `json:"targets"`
	Timestamp     jsontext.Value   `json:"timestamp"`
	Duration      jsontext.Value   `json:"duration"`
	Extra         extra            `json:",embed"`
}

type newRelicTarget struct {
	ID     jsontext.Value            `json:"id"`
	Name   jsontext.Value            `json:"name"`
	Labels map[string]jsontext.Value `json:"labels"`
	Extra  extra                     `json:",embed"`
}

var (
	newRelicClassicKeys = keysOf[newRelicClassic]()
	newRelicTargetKeys  = keysOf[newRelicTarget]()
)

func (e envelope) newRelicClassic(body []byte) (Reading, error) {
	var m newRelicClassic
	if err := unmarshal(body, &m); err != nil {
		return Reading{}, err
	}
	if err := refuseLookalikes(m.Extra, newRelicClassicKeys, ""); err != nil {
		return Reading{}, err
	}
	for n, t := range m.Targets {
		if err := refuseLookalikes(t.Extra, newRelicTargetKeys, fmt.Sprintf("target %d: ", n+1)); err != nil {
			return Reading{}, err
		}
	}
	state := strings.ToLower(text(m.CurrentState))
	r := Reading{Events: 1}
	firing := state == "open" || state == "acknowledged"
	switch {
	case state == "test" || strings.EqualFold(text(m.EventType), "test"):
		r.Test = true
		r.Note = "a test notification"
		return r, nil
	case !firing && state != "closed":
		return Reading{}, fmt.Errorf("the state %.40q is not known", state)
	}
	issue := m.issue()
	if issue.id == "" {
		var err error
		if issue.id, err = m.derivedID(issue); err != nil {
			return Reading{}, err
		}
		if state == "acknowledged" {
			// Its timestamp is when somebody acknowledged, not when the issue
			// began: it cannot be told to which one it belongs.
			r.Note = "acknowledged, without an id that tells what: nothing changes"
			return r, nil
		}
		r.Note = "no id in the body: known by condition, targets and opening time"
	}
	if len(issue.account)+len(issue.id) > maxIdentity {
		return Reading{}, errors.New("the incident id is too long to be one")
	}
	r.Facts = []status.Fact{e.newRelicFact(issue, firing)}
	return r, nil
}

func (m newRelicClassic) issue() newRelicIssue {
	i := newRelicIssue{
		account: text(m.AccountID), id: m.id(), state: text(m.CurrentState), priority: text(m.Severity),
		title: first(text(m.Details), text(m.ConditionName)), policies: texts(m.PolicyName),
		conditions: texts(m.ConditionName), tags: map[string][]string{}, detail: text(m.Details),
		runbook: text(m.RunbookURL), url: text(m.IncidentURL),
		began: m.opened(), stamp: millis(m.Timestamp), ended: millis(m.Timestamp),
	}
	if i.account == "" {
		i.account, _ = issueInURL(i.url)
	}
	seen := map[string]bool{}
	for _, t := range m.Targets {
		if name := text(t.Name); name != "" && !seen["entity="+name] {
			seen["entity="+name] = true
			i.entities = append(i.entities, name)
		}
		for tag, v := range tags(t.Labels) {
			for _, s := range v {
				if !seen[tag+"\x00"+s] {
					seen[tag+"\x00"+s] = true
					i.tags[tag] = append(i.tags[tag], s)
				}
			}
		}
	}
	return i
}

// opened is when the incident began: the stamp is when its state changed.
func (m newRelicClassic) opened() time.Time {
	at := millis(m.Timestamp)
	ms, err := strconv.ParseInt(text(m.Duration), 10, 64)
	if at.IsZero() || err != nil || ms <= 0 || ms >= at.UnixMilli() {
		return at
	}
	return at.Add(-time.Duration(ms) * time.Millisecond)
}

var wholeUUID = regexp.MustCompile(`^` + uuid + `$`)

// id is what the body calls itself, "" if nothing in it is an identity:
// incident_id is -1 for every issue of a migrated account.
func (m newRelicClassic) id() string {
	if id := first(text(m.IssueID), text(m.ID)); id != "" {
		return id
	}
	incident := text(m.IncidentID)
	if n, err := strconv.ParseInt(incident, 10, 64); err == nil && n > 0 || wholeUUID.MatchString(incident) {
		return incident
	}
	_, id := issueInURL(text(m.IncidentURL))
	return id
}

// derivedID stands in for a missing id: condition, targets and opening time
// together. Two incidents never share it unless all three are the same, and a
// close finds its opening as long as New Relic states the duration; if not, the
// issue stays open for a person, which is the safe side.
func (m newRelicClassic) derivedID(i newRelicIssue) (string, error) {
	condition := first(text(m.ConditionID), text(m.ConditionName))
	if condition == "" || i.began.IsZero() {
		return "", errors.New("nothing in the body tells which incident it is: incident_id is no identity, and there is " +
			"no issue_id and no condition with a timestamp")
	}
	h := sha256.New()
	for _, part := range []string{condition, text(m.ConditionName), text(m.PolicyName), strconv.FormatInt(i.began.UnixMilli(), 10)} {
		fmt.Fprintf(h, "%q\n", part)
	}
	for _, t := range m.Targets {
		fmt.Fprintf(h, "%q %q\n", text(t.ID), text(t.Name))
	}
	return "derived-" + hex.EncodeToString(h.Sum(nil))[:24], nil
}
