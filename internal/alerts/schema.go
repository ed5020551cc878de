package alerts

import (
	"encoding/json"
	"slices"

	"github.com/statusbridge/statusbridge/internal/status"
)

// schema is a node of a JSON Schema, draft 7: the draft that editors' YAML
// plug-ins understand best. The loader works on YAML nodes, not on structs, so
// the schema is written down here rather than derived; a test holds that the
// loader knows the same keys, and both take their words from the same lists.
type schema map[string]any

// RulesSchema is the JSON Schema of rules.yaml, for completion and checking in
// editors. What it accepts the loader may still refuse: templates, matchers and
// names are beyond it.
func RulesSchema() ([]byte, error) {
	s := rulesSchema()
	s["$schema"] = "http://json-schema.org/draft-07/schema#"
	s["title"] = "rules.yaml of statusbridge"
	b, err := json.MarshalIndent(s, "", "  ")
	return append(b, '\n'), err
}

// with returns the node with a description.
func (s schema) with(description string) schema {
	out := schema{"description": description}
	for k, v := range s {
		out[k] = v
	}
	return out
}

// mapping is an object that has these keys and no others.
func mapping(properties map[string]schema, required ...string) schema {
	s := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		slices.Sort(required)
		s["required"] = required
	}
	return s
}

func listOf(items schema) schema { return schema{"type": "array", "items": items} }

func oneWord(words []string) schema { return schema{"type": "string", "enum": words} }

func number(least int) schema { return schema{"type": "integer", "minimum": least} }

// The leaves. YAML reads an unquoted 12 as a number; the loader takes it for the
// text that stands there.
var (
	anyText  = schema{"type": []string{"string", "number", "boolean"}, "minLength": 1}
	yesOrNo  = schema{"type": "boolean"}
	aLabel   = schema{"type": "string", "minLength": 1}
	duration = schema{
		"type": []string{"string", "integer"}, "maximum": 0, "minLength": 1,
		"pattern":  `^([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$|^0$`,
		"examples": []string{"90s", "5m", "1h30m"},
	}
	aTemplate = anyText.with("A Go template with Alertmanager's functions, over .GroupLabels, .CommonLabels, .Severity, .StartedAt and so on.")
	matchers  = listOf(schema{"type": "string", "minLength": 1}).with(
		`Alertmanager's matchers, such as alertname="Name" or severity=~"critical|page". All must hold; [] matches every alert.`)
)

func rulesSchema() schema {
	return mapping(map[string]schema{
		"version":       schema{"enum": []any{1, "1"}}.with("The version of this format."),
		"sources":       {"type": "object", "description": "Who sends alerts, by the last part of the webhook's address.", "propertyNames": schema{"pattern": sourceName.String()}, "additionalProperties": sourceSchema()},
		"severity":      listOf(severitySchema()).with("How bad an alert is: the first entry that matches."),
		"defaults":      defaultsSchema(),
		"public_labels": listOf(aLabel).with("The labels that texts published by themselves may speak of, besides group_by."),
		"time_intervals": listOf(mapping(map[string]schema{
			"name": anyText, "time_intervals": listOf(intervalSchema()),
		}, "name", "time_intervals")).with("Times that rules can name, as in alertmanager.yml."),
		"inhibit_rules": listOf(inhibitSchema()).with("Which open issues explain the alerts of others."),
		"breaker": mapping(map[string]schema{"max_published": number(0), "window": duration}).
			with("Beyond max_published issues that published themselves within the window, further ones wait for a person."),
		"maintenance": mapping(map[string]schema{"remind": listOf(duration).with("How long before a maintenance its subscribers are reminded.")}),
		"rules":       listOf(ruleSchema()).with("Tried from top to bottom; the first that matches wins, unless it says continue: true."),
	}, "version")
}

func sourceSchema() schema {
	return mapping(map[string]schema{
		"type":        oneWord([]string{KindAlertmanager, KindNewRelic}),
		"peers":       listOf(schema{"type": "string", "pattern": "^https?://"}).with("Alertmanagers to ask every minute what they have."),
		"receiver":    anyText.with("What Alertmanager calls us; learned from its webhooks if left out."),
		"heartbeat":   mapping(map[string]schema{"matchers": matchers, "max_age": duration}, "matchers", "max_age").with("An alert that always fires: while it is silent, nothing of the source resolves by itself."),
		"poll_every":  duration.with("How often the source is asked; a minute if left out."),
		"min_uptime":  duration.with("How long a peer must be up before the absence of an alert means anything."),
		"account_id":  number(1).with("New Relic's account."),
		"region":      oneWord([]string{"us", "eu"}),
		"api_key_env": schema{"type": []string{"string", "null"}, "pattern": variable.String()}.with("The environment variable with New Relic's user key; naming it has New Relic asked."),
		"api_url":     {"type": "string", "pattern": "^https?://"},
	}, "type")
}

func severitySchema() schema {
	return mapping(map[string]schema{
		"matchers": matchers, "level": oneWord(levels), "impact": oneWord(words(status.Impacts)),
	}, "matchers", "level", "impact")
}

func publishSchemas() map[string]schema {
	return map[string]schema{
		"publish": oneWord(words([]status.Publish{status.PublishAuto, status.PublishConfirm, status.PublishNever})).
			with("auto publishes by itself, confirm waits for a person, never stays internal."),
		"visibility": oneWord([]string{"public", "internal"}),
	}
}

// policySchemas are the keys on how an issue lives that defaults and rules share.
func policySchemas() map[string]schema {
	return map[string]schema{
		"for":           duration.with("How long alerts must fire before anything happens."),
		"reopen_within": duration.with("Fires again within that time of its end: the same issue. At most 24h."),
		"flap": mapping(map[string]schema{
			"changes": number(2), "window": duration, "settle": duration, "then": oneWord([]string{"hold_open"}),
		}).with("What comes and goes that often within the window is held open until it was quiet for settle."),
		"during_maintenance": oneWord(words([]status.MaintenancePolicy{status.MaintenanceAttach, status.MaintenanceSuppress, status.MaintenanceIgnore})),
		"silenced_upstream":  oneWord([]string{"keep_open", "treat_as_resolved"}),
	}
}

func resolveSchemas() map[string]schema {
	return map[string]schema{
		"mode": oneWord(words([]status.ResolveMode{status.ResolveAuto, status.ResolveMonitoring, status.ResolvePropose, status.ResolveManual})).
			with("auto resolves, monitoring and propose leave the end to a person, manual does nothing."),
		"after": duration.with("How long it must be quiet."),
		"require": {"oneOf": []schema{
			oneWord(words([]status.Require{status.RequireAll, status.RequireAny})),
			mapping(map[string]schema{string(status.RequireAtMost): number(0)}),
		}},
		"monitoring_first": yesOrNo,
		"ignore_closed_by": listOf(oneWord(noRecoveries)),
	}
}

func defaultsSchema() schema {
	keys := policySchemas()
	keys["open"] = mapping(publishSchemas())
	keys["resolve"] = mapping(resolveSchemas())
	keys["unmatched"] = oneWord([]string{"inbox", "drop"}).with("Whether alerts that no rule wants are shown to admins.")
	return mapping(keys).with("What a rule takes when it does not say otherwise.")
}

func inhibitSchema() schema {
	return mapping(map[string]schema{
		"name": anyText, "source_matchers": matchers, "target_matchers": matchers, "equal": listOf(aLabel),
		"action": oneWord([]string{"attach", "suppress"}),
	}, "source_matchers", "target_matchers")
}

func intervalSchema() schema {
	ranges := listOf(schema{"type": []string{"string", "integer"}})
	clockTime := schema{"type": "string", "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"}
	return mapping(map[string]schema{
		"times":    listOf(mapping(map[string]schema{"start_time": clockTime, "end_time": clockTime}, "start_time", "end_time")),
		"weekdays": ranges, "days_of_month": ranges, "months": ranges, "years": ranges,
		"location": anyText.with("A time zone such as Europe/Berlin; UTC if left out."),
	})
}

func ruleSchema() schema {
	keys := policySchemas()
	for name, s := range map[string]schema{
		"name":                  schema{"type": []string{"string", "number"}, "minLength": 1, "maxLength": maxRuleName}.with("Tells issues apart; names are unique."),
		"source":                anyText.with("Only alerts of this source."),
		"matchers":              matchers,
		"group_by":              listOf(aLabel).with("The labels that make one issue of several alerts."),
		"continue":              yesOrNo.with("Try the rules below as well."),
		"min_alerts":            number(1).with("How many alerts must fire together."),
		"active_time_intervals": listOf(anyText),
		"mute_time_intervals":   listOf(anyText),
		"open":                  openSchema(),
		"escalate": listOf(mapping(map[string]schema{
			"when": conditionSchema(), "body": aTemplate, "deescalate": yesOrNo,
			"set": mapping(map[string]schema{"impact": oneWord(words(status.Impacts)), "components": componentsSchema()}),
		}, "when", "set")).with("Raises impact and components while a condition holds."),
		"update": mapping(map[string]schema{"on": listOf(oneWord([]string{"severity", "components"})), "throttle": duration}).
			with("Which changes are told as an update, and how often at most."),
		"broadcast": broadcastSchema(),
	} {
		keys[name] = s
	}
	resolve := resolveSchemas()
	resolve["body"] = aTemplate
	keys["resolve"] = mapping(resolve).with("How the issue ends.")
	return mapping(keys, "name", "matchers")
}

func openSchema() schema {
	keys := publishSchemas()
	for name, s := range map[string]schema{
		"title": aTemplate, "body": aTemplate, "impact": oneWord(words(status.Impacts)), "components": componentsSchema(),
		"component_group":  aTemplate.with("All components of the group of that name."),
		"component_status": statusSchema(),
		"publish_after":    duration.with("With publish: auto, time to veto it."),
		"confirm_timeout": mapping(map[string]schema{
			"after": duration,
			"then":  oneWord(words([]status.ConfirmThen{status.ConfirmPublish, status.ConfirmDiscard, status.ConfirmKeep})),
		}, "after").with("What becomes of a draft that nobody confirms in time."),
	} {
		keys[name] = s
	}
	return mapping(keys).with("What the issue looks like and who publishes it.")
}

func componentsSchema() schema {
	return listOf(mapping(map[string]schema{
		"component":       anyText.with("The component's slug."),
		"component_label": aLabel.with("Or: the label that holds the slug or the name."),
		"status":          statusSchema(),
		"when":            conditionSchema(),
		"unknown":         oneWord([]string{"inbox", "ignore"}).with("Whether admins hear of a component that does not exist."),
	}, "status"))
}

func statusSchema() schema {
	return schema{"anyOf": []schema{oneWord(outages), {"type": "string", "pattern": `\{\{`}}}
}

func conditionSchema() schema {
	return schema{"type": "string", "pattern": `alerts|open_for|severity`, "examples": []string{"alerts >= 5 or open_for >= 30m", "severity = critical"}}
}

func broadcastSchema() schema {
	channels := listOf(schema{"anyOf": []schema{oneWord(channelTypes), {"type": "string", "pattern": channelName.String()}}})
	return mapping(map[string]schema{
		string(status.EventOpen): channels, string(status.EventUpdate): channels, string(status.EventResolve): channels,
	}).with("Who is told of each event, by type or by the name of a channel in statusbridge.yaml; leave it out to tell all channels everything.")
}
