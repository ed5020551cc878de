package web

import "github.com/statusbridge/statusbridge/internal/status"

var (
	yesOnly  = []string{"true", "false"}
	anyStage = []string{string(status.Draft), string(status.Published), string(status.Dismissed), string(status.Internal)}
)

// endpoints is the API's table. Everything about a route is here: the gate, the
// OpenAPI document and the tests read it.
var endpoints = []endpoint{
	{"GET", "/issues", status.TokenRead, "List issues, the newest first", nil, list[issueShown]{}, 200, []parameter{
		{"state", "only this state", wordsOf(status.IssueStates)}, {"stage", "only this stage", anyStage}, {"open", "true: neither resolved nor dismissed", yesOnly},
	}, true, false, (*Server).apiIssues},
	{"GET", "/issues/{id}", status.TokenRead, "Get an issue", nil, issueShown{}, 200, nil, false, false, (*Server).apiIssue},
	{"GET", "/issues/{id}/alerts", status.TokenRead, "List the alerts behind an issue", nil, list[alertShown]{}, 200, nil, false, false, (*Server).apiIssueAlerts},
	{"POST", "/issues", status.TokenIssues, "Open an issue; a draft unless publish is true", issueAsked{}, issueShown{}, 201, nil, false, false, (*Server).apiOpenIssue},
	{"PATCH", "/issues/{id}", status.TokenIssues, "Change fields of an issue; automation leaves them alone from then on", issueEdited{}, issueShown{}, 200, nil, false, true, (*Server).apiEditIssue},
	{"POST", "/issues/{id}/publish", status.TokenIssues, "Publish a draft, with last changes", publishAsked{}, issueShown{}, 200, nil, false, true, (*Server).apiPublishIssue},
	{"POST", "/issues/{id}/dismiss", status.TokenIssues, "Discard a draft", struct{}{}, issueShown{}, 200, nil, false, true, (*Server).apiDismissIssue},
	{"POST", "/issues/{id}/updates", status.TokenIssues, "Post an update", updateAsked{}, issueShown{}, 201, nil, false, true, (*Server).apiUpdateIssue},
	{"POST", "/issues/{id}/resolve", status.TokenIssues, "Resolve a public issue", resolveAsked{}, issueShown{}, 200, nil, false, true, (*Server).apiResolveIssue},
	{"POST", "/issues/{id}/hand-back", status.TokenIssues, "Give fields back to automation", fieldsAsked{}, issueShown{}, 200, nil, false, true, (*Server).apiHandBack},
	{"POST", "/issues/{id}/keep", status.TokenIssues, "Decline what automation suggests for fields", fieldsAsked{}, issueShown{}, 200, nil, false, true, (*Server).apiKeep},
	{"POST", "/issues/{id}/merge", status.TokenIssues, "Merge an issue into another, which goes on for both", mergeAsked{}, issueShown{}, 200, nil, false, true, (*Server).apiMerge},
	{"PUT", "/issues/{id}/postmortem", status.TokenIssues, "Write the post-mortem of an issue; a draft unless publish is true", postmortemAsked{}, issueShown{}, 200, nil, false, true, (*Server).apiPostmortem},
	{"DELETE", "/issues/{id}/postmortem", status.TokenIssues, "Withdraw a published post-mortem; it becomes a draft", nil, issueShown{}, 200, nil, false, true, (*Server).apiWithdrawPostmortem},

	{"GET", "/templates", status.TokenRead, "List templates of updates", nil, list[templateShown]{}, 200, nil, false, false, (*Server).apiTemplates},
	{"GET", "/templates/{id}", status.TokenRead, "Get a template", nil, templateShown{}, 200, nil, false, false, (*Server).apiTemplate},
	{"POST", "/templates", status.TokenIssues, "Add a template", templateAsked{}, templateShown{}, 201, nil, false, false, (*Server).apiAddTemplate},
	{"PATCH", "/templates/{id}", status.TokenIssues, "Change a template", templateEdited{}, templateShown{}, 200, nil, false, true, (*Server).apiEditTemplate},
	{"DELETE", "/templates/{id}", status.TokenIssues, "Remove a template", nil, nil, 204, nil, false, true, (*Server).apiRemoveTemplate},

	{"GET", "/maintenance", status.TokenRead, "List maintenance, the last planned first", nil, list[maintenanceShown]{}, 200, []parameter{{"state", "only this state", wordsOf(status.MaintenanceStates)}}, true, false, (*Server).apiMaintenances},
	{"GET", "/maintenance/{id}", status.TokenRead, "Get a maintenance", nil, maintenanceShown{}, 200, nil, false, false, (*Server).apiMaintenance},
	{"POST", "/maintenance", status.TokenMaintenance, "Plan a maintenance", maintenanceAsked{}, maintenanceShown{}, 201, nil, false, false, (*Server).apiPlanMaintenance},
	{"PATCH", "/maintenance/{id}", status.TokenMaintenance, "Change or move a maintenance", maintenanceEdited{}, maintenanceShown{}, 200, nil, false, true, (*Server).apiEditMaintenance},
	{"POST", "/maintenance/{id}/updates", status.TokenMaintenance, "Post an update; a state starts, verifies, completes or cancels it", maintenanceUpdateAsked{}, maintenanceShown{}, 201, nil, false, true, (*Server).apiUpdateMaintenance},

	{"GET", "/components", status.TokenRead, "List components in the order of the page", nil, list[componentShown]{}, 200, nil, false, false, (*Server).apiComponents},
	{"GET", "/components/{id}", status.TokenRead, "Get a component, by id or slug", nil, componentShown{}, 200, nil, false, false, (*Server).apiComponent},
	{"POST", "/components", status.TokenComponents, "Add a component", componentAsked{}, componentShown{}, 201, nil, false, false, (*Server).apiAddComponent},
	{"PATCH", "/components/{id}", status.TokenComponents, "Change a component", componentEdited{}, componentShown{}, 200, nil, false, true, (*Server).apiEditComponent},
	{"DELETE", "/components/{id}", status.TokenComponents, "Remove a component; history keeps it", nil, nil, 204, nil, false, true, (*Server).apiRemoveComponent},
	{"GET", "/groups", status.TokenRead, "List groups in the order of the page", nil, list[groupShown]{}, 200, nil, false, false, (*Server).apiGroups},
	{"GET", "/groups/{id}", status.TokenRead, "Get a group", nil, groupShown{}, 200, nil, false, false, (*Server).apiGroup},
	{"POST", "/groups", status.TokenComponents, "Add a group", groupAsked{}, groupShown{}, 201, nil, false, false, (*Server).apiAddGroup},
	{"PATCH", "/groups/{id}", status.TokenComponents, "Change a group", groupEdited{}, groupShown{}, 200, nil, false, true, (*Server).apiEditGroup},
	{"DELETE", "/groups/{id}", status.TokenComponents, "Remove a group; its components stand alone", nil, nil, 204, nil, false, true, (*Server).apiRemoveGroup},

	{"GET", "/subscribers", status.TokenSubscribers, "List subscribers, the newest first", nil, list[subscriberShown]{}, 200, []parameter{{"q", "part of the address", nil}}, true, false, (*Server).apiSubscribers},
	{"GET", "/subscribers/{id}", status.TokenSubscribers, "Get a subscriber", nil, subscriberShown{}, 200, nil, false, false, (*Server).apiSubscriber},
	{"POST", "/subscribers", status.TokenSubscribers, "Ask an address whether it subscribes", subscriberAsked{}, subscriberShown{}, 201, nil, false, false, (*Server).apiSubscribe},
	{"PATCH", "/subscribers/{id}", status.TokenSubscribers, "Change what a subscriber hears", subscriberEdited{}, subscriberShown{}, 200, nil, false, true, (*Server).apiEditSubscriber},
	{"DELETE", "/subscribers/{id}", status.TokenSubscribers, "Erase a subscriber", nil, nil, 204, nil, false, false, (*Server).apiErase},

	{"GET", "/deliveries", status.TokenRead, "List messages, the newest first", nil, list[deliveryShown]{}, 200, []parameter{{"subject", "id of an issue or a maintenance", nil}}, true, false, (*Server).apiDeliveries},
	{"GET", "/deliveries/{id}", status.TokenRead, "Get a message", nil, deliveryShown{}, 200, nil, false, false, (*Server).apiDelivery},
	{"GET", "/deliveries/{id}/recipients", status.TokenSubscribers, "List who gets a message", nil, list[recipientShown]{}, 200, nil, true, false, (*Server).apiRecipients},
	{"POST", "/deliveries/{id}/retry", status.TokenIssues, "Queue again what failed", retryAsked{}, retried{}, 200, nil, false, false, (*Server).apiRetry},

	{"GET", "/alerts", status.TokenRead, "List alerts by source and fingerprint", nil, list[alertShown]{}, 200, []parameter{
		{"firing", "true: only those that fire", yesOnly}, {"unmatched", "true: only those that fire and no rule wants", yesOnly},
	}, true, false, (*Server).apiAlerts},
	{"GET", "/sources", status.TokenRead, "List the senders of alerts, and how they do", nil, list[sourceShown]{}, 200, nil, false, false, (*Server).apiSources},
	{"GET", "/audit", status.TokenRead, "List the audit log, the newest first", nil, list[entryShown]{}, 200, []parameter{{"subject", "id of what it is about", nil}}, true, false, (*Server).apiAudit},
	{"GET", "/rules", status.TokenRead, "Get the rules in force", nil, rulesShown{}, 200, nil, false, false, (*Server).apiRules},
	{"POST", "/rules/dry-run", status.TokenRead, "Say which rule takes the alerts of a webhook; nothing changes", dryRunAsked{}, dryRun{}, 200, nil, false, false, (*Server).apiDryRun},
	{"POST", "/reload", status.TokenRules, "Load rules and configuration anew", struct{}{}, reloaded{}, 200, nil, false, false, (*Server).apiReload},
}
