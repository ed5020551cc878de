package nerdgraphfake

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// filter is what lists may be asked for.
type filter struct {
	Name      string `json:"name"`
	ExactName string `json:"exactName"`
	ID        string `json:"id"`
	ChannelID string `json:"channelId"`
}

// asked reads the filters and the cursor of a list.
func asked(raw map[string]json.RawMessage) (filter, int, error) {
	var f filter
	var cursor *string
	if v := raw["filters"]; v != nil {
		if err := strict(v, &f); err != nil {
			return f, 0, fmt.Errorf("filters: %w", err)
		}
	}
	if v := raw["cursor"]; v != nil {
		if err := json.Unmarshal(v, &cursor); err != nil {
			return f, 0, fmt.Errorf("cursor: %w", err)
		}
	}
	if cursor == nil || *cursor == "" {
		return f, 0, nil
	}
	from, err := strconv.Atoi(*cursor)
	return f, from, err
}

// list is one page of those that a filter picks.
func list(all []map[string]any, from, page int) map[string]any {
	total := len(all)
	from = min(max(from, 0), total)
	to := min(from+page, total)
	out := map[string]any{"entities": append([]map[string]any{}, all[from:to]...), "error": nil, "errors": []any{}, "nextCursor": nil, "totalCount": total}
	if to < total {
		out["nextCursor"] = strconv.Itoa(to)
	}
	return out
}

// inAccount wraps a list as answers have it.
func inAccount(kind, name string, result map[string]any) (string, error) {
	b, err := json.Marshal(map[string]any{"data": map[string]any{"actor": map[string]any{"account": map[string]any{kind: map[string]any{name: result}}}}})
	return string(b), err
}

// picks: New Relic's name filter looks for a part of the name.
func (f filter) picks(id, name string) bool {
	return (f.ID == "" || f.ID == id) && (f.ExactName == "" || f.ExactName == name) &&
		strings.Contains(strings.ToLower(name), strings.ToLower(f.Name))
}

func listDestinations(p *provisions, account, page int, raw map[string]json.RawMessage) (string, error) {
	f, from, err := asked(raw)
	if err != nil {
		return "", err
	}
	var all []map[string]any
	for _, d := range p.Destinations {
		if f.picks(d.ID, d.Name) {
			all = append(all, d.fields(account))
		}
	}
	return inAccount("aiNotifications", "destinations", list(all, from, page))
}

func listChannels(p *provisions, account, page int, raw map[string]json.RawMessage) (string, error) {
	f, from, err := asked(raw)
	if err != nil {
		return "", err
	}
	var all []map[string]any
	for _, c := range p.Channels {
		if f.picks(c.ID, c.Name) {
			all = append(all, c.fields(account))
		}
	}
	return inAccount("aiNotifications", "channels", list(all, from, page))
}

func listWorkflows(p *provisions, account, page int, raw map[string]json.RawMessage) (string, error) {
	f, from, err := asked(raw)
	if err != nil {
		return "", err
	}
	var all []map[string]any
	for _, w := range p.Workflows {
		if f.picks(w.ID, w.Name) && (f.ChannelID == "" || f.ChannelID == w.ChannelID) {
			all = append(all, w.fields(account))
		}
	}
	return inAccount("aiWorkflows", "workflows", list(all, from, page))
}

const someTime = "2026-01-05T09:00:00Z"

func (d Destination) fields(account int) map[string]any {
	state := d.Status
	if state == "" {
		state = "DEFAULT"
	}
	return map[string]any{
		"accountId": account, "active": !d.Inactive, "auth": map[string]string{"authType": "TOKEN", "prefix": "Bearer"}, "createdAt": someTime,
		"guid": "G" + d.ID, "id": d.ID, "isUserAuthenticated": false, "lastSent": nil, "name": d.Name,
		"properties": []any{map[string]any{"displayValue": nil, "key": "url", "label": nil, "value": d.URL}},
		"scope":      map[string]string{"id": strconv.Itoa(account), "type": "ACCOUNT"}, "secureUrl": nil, "status": state, "type": "WEBHOOK", "updatedAt": someTime, "updatedBy": 7,
	}
}

func (c Channel) fields(account int) map[string]any {
	return map[string]any{
		"accountId": account, "active": !c.Inactive, "createdAt": someTime, "destinationId": c.DestinationID, "id": c.ID, "name": c.Name, "product": "IINT",
		"properties": []any{map[string]any{"displayValue": nil, "key": "payload", "label": "Payload Template", "value": c.Payload}},
		"status":     "DEFAULT", "type": "WEBHOOK", "updatedAt": someTime, "updatedBy": 7,
	}
}

func (w Workflow) fields(account int) map[string]any {
	return map[string]any{
		"accountId": account, "createdAt": someTime, "destinationsEnabled": !w.Disabled, "enrichments": []any{}, "enrichmentsEnabled": false, "guid": "G" + w.ID, "id": w.ID,
		"destinationConfigurations": []any{map[string]any{"channelId": w.ChannelID, "name": "statusbridge", "notificationTriggers": w.Triggers, "type": "WEBHOOK", "updateOriginalMessage": nil}},
		"issuesFilter": map[string]any{"accountId": account, "id": "f" + w.ID, "name": w.Name, "type": "FILTER", "predicates": []any{
			map[string]any{"attribute": "priority", "operator": "EQUAL", "values": w.Priorities},
		}},
		"lastRun": nil, "mutingRulesHandling": "DONT_NOTIFY_FULLY_MUTED_ISSUES", "name": w.Name, "updatedAt": someTime, "workflowEnabled": !w.Disabled,
	}
}
