package alerts

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/statusbridge/statusbridge/internal/status"
)

func (c *checker) open(n *yaml.Node, r *status.Rule, publicLabels []string) {
	o, ok := c.object(n, "open", "title", "body", "impact", "components", "component_group", "component_status",
		"publish", "visibility", "publish_after", "confirm_timeout")
	if !ok {
		return
	}
	c.publishing(o, &r.Open)
	if v := o.has("confirm_timeout"); v != nil {
		c.confirmTimeout(v, &r.Open)
	}
	allowed := c.allowed(*r, publicLabels, publishesAlone(*r))
	if v := o.has("title"); v != nil {
		if s, ok := c.text(v, "title"); ok && strings.TrimSpace(s) == "" {
			c.report(v, "", "title is empty")
		} else if ok {
			r.Open.Title = c.template(v, "title", allowed)
		}
	} else if r.Open.Publish != status.PublishNever {
		c.report(o.node, "", "open of the rule %s has no title", r.Name)
	}
	if v := o.has("body"); v != nil {
		r.Open.Body = c.template(v, "body", allowed)
	}
	if v := o.has("impact"); v != nil {
		r.Open.Impact = c.impact(v)
	}
	if v := o.has("components"); v != nil {
		r.Open.Components = c.components(v, *r, allowed)
	}
	if v := o.has("component_group"); v != nil {
		r.Open.Components = append(r.Open.Components, c.componentGroup(o, v, allowed))
	}
	if v := o.has("publish_after"); v != nil {
		r.Open.PublishAfter = c.duration(v, "publish_after")
		if r.Open.Publish == status.PublishConfirm || r.Open.Publish == status.PublishNever {
			c.report(o.at("publish_after"), "drop it, or say publish: auto", "publish_after has no effect with publish: %s", r.Open.Publish)
		}
	}
}

func (c *checker) confirmTimeout(n *yaml.Node, into *status.Open) {
	o, ok := c.object(n, "confirm_timeout", "after", "then")
	if !ok {
		return
	}
	into.ConfirmThen = status.ConfirmDiscard
	if v := o.has("after"); v == nil {
		c.report(n, "", "confirm_timeout has no after")
	} else {
		into.ConfirmAfter = c.duration(v, "after")
	}
	if v := o.has("then"); v != nil {
		s, _ := c.word(v, "then", words([]status.ConfirmThen{status.ConfirmPublish, status.ConfirmDiscard, status.ConfirmKeep}))
		into.ConfirmThen = status.ConfirmThen(s)
	}
}

// outages are the statuses a rule may set: the others would hide what it says.
var outages = words([]status.ComponentStatus{
	status.UnderMaintenance, status.DegradedPerformance, status.PartialOutage, status.MajorOutage,
})

func (c *checker) components(n *yaml.Node, r status.Rule, allowed map[string]bool) []status.RuleComponent {
	var out []status.RuleComponent
	seen := map[string]bool{}
	for _, e := range c.list(n, "components") {
		o, ok := c.object(e, "a component", "component", "component_label", "status", "when", "unknown")
		if !ok {
			continue
		}
		var rc status.RuleComponent
		name, label := o.has("component"), o.has("component_label")
		switch {
		case name != nil && label != nil:
			c.report(e, "", "a component is named by component or by component_label, not by both")
		case label != nil:
			rc.Label = c.componentLabel(label, r)
		case name == nil:
			c.report(e, "", "a component without its name (component: ...)")
		default:
			rc.Component = c.componentName(name, seen)
		}
		if v := o.has("unknown"); v != nil {
			s, _ := c.word(v, "unknown", []string{"inbox", "ignore"})
			rc.IgnoreUnknown = s == "ignore"
		}
		if v := o.has("when"); v != nil {
			rc.When = c.condition(v)
			delete(seen, rc.Component) // it may stand again under another condition
		}
		c.componentStatus(e, o.has("status"), &rc, allowed)
		out = append(out, rc)
	}
	return out
}

// componentLabel reads the label that names the component. The alerts of an
// issue agree on the labels they are grouped by, and on no others.
func (c *checker) componentLabel(n *yaml.Node, r status.Rule) string {
	s, ok := c.text(n, "component_label")
	if ok && !slices.Contains(r.GroupBy, s) {
		c.report(n, "add it to group_by", "component_label is %q, which is not in group_by of the rule", status.Clip(s, 60))
	}
	return s
}

func (c *checker) componentName(n *yaml.Node, seen map[string]bool) string {
	s, ok := c.text(n, "component")
	switch {
	case !ok:
		return ""
	case strings.TrimSpace(s) == "":
		c.report(n, "", "component is empty")
	case seen[s]:
		c.report(n, "", "the component %q is there twice", status.Clip(s, 60))
	}
	seen[s] = true
	return s
}

// componentStatus reads a status: a word, or a template that yields one.
func (c *checker) componentStatus(at, n *yaml.Node, rc *status.RuleComponent, allowed map[string]bool) {
	switch {
	case n == nil:
		c.report(at, "", "a component without its status: %s", oneOf(outages))
	case strings.Contains(n.Value, "{{"):
		rc.Status = status.PartialOutage
		before := len(c.findings)
		rc.StatusText = c.template(n, "status", allowed)
		if len(c.findings) == before {
			c.tryStatus(n, rc.StatusText)
		}
	default:
		s, _ := c.word(n, "status", outages)
		rc.Status = status.ComponentStatus(s)
	}
}

// tryStatus runs a template of a status on each severity.
func (c *checker) tryStatus(n *yaml.Node, text status.Text) {
	for _, ev := range samples()[1:] {
		for _, level := range status.Levels {
			ev.Severity = level
			got, err := text(ev)
			if err == nil && !slices.Contains(outages, strings.TrimSpace(got)) {
				c.report(n, "", "status yields %q for severity %s, but must be %s", status.Clip(strings.TrimSpace(got), 60), level, oneOf(outages))
				return
			}
		}
	}
}

func (c *checker) componentGroup(o object, n *yaml.Node, allowed map[string]bool) status.RuleComponent {
	rc := status.RuleComponent{Group: c.template(n, "component_group", allowed)}
	if v := o.has("component_status"); v == nil {
		c.report(o.at("component_group"), "", "component_group without component_status: %s", oneOf(outages))
	} else {
		c.componentStatus(n, v, &rc, allowed)
	}
	return rc
}

func (c *checker) escalations(n *yaml.Node, r status.Rule, publicLabels []string) []status.Escalation {
	var out []status.Escalation
	for _, e := range c.list(n, "escalate") {
		o, ok := c.object(e, "an escalation", "when", "set", "body", "deescalate")
		if !ok {
			continue
		}
		var esc status.Escalation
		if v := o.has("when"); v == nil {
			c.report(e, "when: alerts >= 5", "the escalation has no condition")
		} else {
			esc.When = c.condition(v)
		}
		if v := o.has("set"); v == nil {
			c.report(e, "", "the escalation sets nothing")
		} else {
			set, _ := c.object(v, "set", "impact", "components")
			if i := set.has("impact"); i != nil {
				esc.Impact = c.impact(i)
			}
			if l := set.has("components"); l != nil {
				esc.Components = c.components(l, r, c.allowed(r, publicLabels, publishesAlone(r)))
			}
		}
		if v := o.has("body"); v != nil {
			esc.Body = c.template(v, "body", c.allowed(r, publicLabels, r.Open.Publish != status.PublishNever))
		}
		if v := o.has("deescalate"); v != nil {
			esc.Deescalate = c.boolean(v, "deescalate")
		}
		out = append(out, esc)
	}
	return out
}

func (c *checker) update(n *yaml.Node) status.UpdatePolicy {
	var u status.UpdatePolicy
	o, _ := c.object(n, "update", "on", "throttle")
	if v := o.has("on"); v != nil {
		for _, e := range c.list(v, "on") {
			s, _ := c.word(e, "on", []string{"severity", "components"})
			u.OnSeverity = u.OnSeverity || s == "severity"
			u.OnComponents = u.OnComponents || s == "components"
		}
	}
	if v := o.has("throttle"); v != nil {
		u.Throttle = c.duration(v, "throttle")
	}
	return u
}

// condition reads a `when`.
func (c *checker) condition(n *yaml.Node) status.Condition {
	s, ok := c.text(n, "when")
	if !ok {
		return status.Condition{}
	}
	cond, err := parseCondition(s)
	if err != nil {
		c.report(n, "", "%v", err)
	}
	return cond
}

// number reads a whole number within bounds.
func (c *checker) number(n *yaml.Node, what string, least, most int) int {
	s, ok := c.text(n, what)
	if !ok {
		return least
	}
	v, err := strconv.Atoi(s)
	if err != nil || v < least || v > most {
		c.report(n, "", "%s is %q, but must be a whole number of at least %d", what, status.Clip(s, 40), least)
		return least
	}
	return v
}
