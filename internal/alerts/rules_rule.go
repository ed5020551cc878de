package alerts

import (
	"fmt"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/statusbridge/statusbridge/internal/status"
)

// maxRuleName bounds names of rules, in bytes: they become keys.
const maxRuleName = 100

func (c *checker) ruleList(n *yaml.Node, d defaults, sources []status.Source) []status.Rule {
	var out []status.Rule
	named := map[string]int{}
	for i, e := range c.list(n, "rules") {
		o, ok := c.object(e, "a rule", "name", "source", "matchers", "group_by", "continue", "for", "open", "resolve", "broadcast")
		if !ok {
			continue
		}
		name := c.ruleName(o, i)
		if line, twice := named[name]; twice {
			c.report(o.at("name"), "names tell issues apart: choose another", "the rule name %q is taken in line %d", name, line)
		}
		named[name] = o.at("name").Line
		out = append(out, c.rule(o, name, d, sources))
	}
	return out
}

func (c *checker) ruleName(o object, index int) string {
	fallback := fmt.Sprintf("rule %d", index+1)
	n := o.has("name")
	if n == nil {
		c.report(o.node, "", "%s has no name", fallback)
		return fallback
	}
	s, ok := c.text(n, "name")
	switch {
	case !ok:
		return fallback
	case strings.TrimSpace(s) == "":
		c.report(n, "", "name is empty")
		return fallback
	case len(s) > maxRuleName:
		c.report(n, "", "name is longer than %d bytes", maxRuleName)
		return fallback
	case strings.ContainsFunc(s, unicode.IsControl):
		c.report(n, "", "name has a control character in it")
	}
	return s
}

// rule reads one rule on top of the defaults.
func (c *checker) rule(o object, name string, d defaults, sources []status.Source) status.Rule {
	r := status.Rule{Name: name, For: d.hold, Resolve: d.resolve, Open: status.Open{Publish: d.publish}}
	r.Matchers = c.requiredMatchers(o, "the rule "+name)
	if n := o.has("source"); n != nil {
		r.Source = c.ruleSource(n, sources)
	}
	if n := o.has("group_by"); n != nil {
		r.GroupBy = c.texts(n, "group_by", "the label")
		for _, e := range n.Content {
			if e.Value == "..." {
				c.report(e, "name the labels", `"..." (all labels) would make one issue of every alert`)
			}
		}
	}
	if n := o.has("continue"); n != nil {
		r.Continue = c.boolean(n, "continue")
	}
	if n := o.has("for"); n != nil {
		r.For = c.duration(n, "for")
	}
	if n := o.has("open"); n != nil {
		c.open(n, &r, d.publicLabels)
	} else if r.Open.Publish != status.PublishNever {
		c.report(o.at("name"), "add open: {title: ...}", "the rule %s has no open.title", name)
	}
	if n := o.has("resolve"); n != nil {
		res, _ := c.object(n, "resolve", "mode", "after", "monitoring_first", "body")
		c.resolve(res, &r.Resolve)
		if b := res.has("body"); b != nil {
			r.Resolve.Body = c.template(b, "body", c.allowed(r, d.publicLabels))
		}
	}
	if n := o.has("broadcast"); n != nil {
		r.Broadcast = c.broadcast(n)
	}
	return r
}

func (c *checker) ruleSource(n *yaml.Node, sources []status.Source) string {
	s, ok := c.text(n, "source")
	if !ok {
		return ""
	}
	names := make([]string, len(sources))
	for i, known := range sources {
		names[i] = known.Name
		if known.Name == s {
			return s
		}
	}
	c.report(n, meant(s, names), "the source %q is not among sources", clipTo(s, 60))
	return ""
}

func (c *checker) open(n *yaml.Node, r *status.Rule, publicLabels []string) {
	o, ok := c.object(n, "open", "title", "body", "impact", "components", "publish", "publish_after")
	if !ok {
		return
	}
	if v := o.has("publish"); v != nil {
		r.Open.Publish = c.publish(v)
	}
	allowed := c.allowed(*r, publicLabels)
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
		r.Open.Components = c.components(v)
	}
	if v := o.has("publish_after"); v != nil {
		r.Open.PublishAfter = c.duration(v, "publish_after")
		if r.Open.Publish == status.PublishConfirm || r.Open.Publish == status.PublishNever {
			c.report(o.at("publish_after"), "drop it, or say publish: auto", "publish_after has no effect with publish: %s", r.Open.Publish)
		}
	}
}

// outages are the statuses a rule may set: the others would hide what it says.
var outages = words([]status.ComponentStatus{
	status.UnderMaintenance, status.DegradedPerformance, status.PartialOutage, status.MajorOutage,
})

func (c *checker) components(n *yaml.Node) []status.RuleComponent {
	var out []status.RuleComponent
	seen := map[string]bool{}
	for _, e := range c.list(n, "components") {
		o, ok := c.object(e, "a component", "component", "status")
		if !ok {
			continue
		}
		var rc status.RuleComponent
		if v := o.has("component"); v == nil {
			c.report(e, "", "a component without its name (component: ...)")
		} else if s, ok := c.text(v, "component"); ok {
			rc.Component = s
			switch {
			case strings.TrimSpace(s) == "":
				c.report(v, "", "component is empty")
			case seen[s]:
				c.report(v, "", "the component %q is there twice", clipTo(s, 60))
			}
			seen[s] = true
		}
		if v := o.has("status"); v == nil {
			c.report(e, "", "a component without its status: %s", oneOf(outages))
		} else {
			s, _ := c.word(v, "status", outages)
			rc.Status = status.ComponentStatus(s)
		}
		out = append(out, rc)
	}
	return out
}

// broadcast lists the channels of each event. An event that is not named is
// told nowhere, and says so with an empty list: nil would be everywhere.
func (c *checker) broadcast(n *yaml.Node) map[status.Event][]string {
	events := []status.Event{status.EventOpen, status.EventUpdate, status.EventResolve}
	out := map[status.Event][]string{}
	o, _ := c.object(n, "broadcast", words(events)...)
	for _, event := range events {
		out[event] = []string{}
		if v := o.has(string(event)); v != nil {
			out[event] = c.channels(v, string(event))
		}
	}
	return out
}

func (c *checker) channels(n *yaml.Node, event string) []string {
	right := []string{status.ChannelEmail, status.ChannelTwitter}
	out := []string{}
	for _, e := range c.list(n, event) {
		if s, ok := c.word(e, "the channel", right); ok {
			out = append(out, s)
		}
	}
	return out
}

// allowed are the labels that a text published by itself may speak of: those
// that make the group, and the public ones. nil is all of them.
func (c *checker) allowed(r status.Rule, publicLabels []string) map[string]bool {
	if r.Open.Publish != status.PublishAuto {
		return nil
	}
	out := map[string]bool{}
	for _, names := range [][]string{r.GroupBy, publicLabels} {
		for _, name := range names {
			out[name] = true
		}
	}
	return out
}
