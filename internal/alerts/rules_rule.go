package alerts

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/statusbridge/statusbridge/internal/status"
)

// maxRuleName bounds names of rules, in bytes: they become keys.
const maxRuleName = 100

var ruleKeys = []string{
	"name", "source", "matchers", "group_by", "continue", "for", "min_alerts", "active_time_intervals", "mute_time_intervals",
	"open", "escalate", "update", "resolve", "reopen_within", "flap", "during_maintenance", "silenced_upstream", "broadcast",
}

func (c *checker) ruleList(n *yaml.Node, d defaults, sources []status.Source) []status.Rule {
	var out []status.Rule
	named := map[string]int{}
	for i, e := range c.list(n, "rules") {
		o, ok := c.object(e, "a rule", ruleKeys...)
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
	r := d.rule
	r.Name = name
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
	if n := o.has("min_alerts"); n != nil {
		r.MinAlerts = c.number(n, "min_alerts", 1, 1<<30)
	}
	r.Active = c.active(o, d.intervals)
	c.policies(o, &r)
	if n := o.has("open"); n != nil {
		c.open(n, &r, d.publicLabels)
	} else if r.Open.Publish != status.PublishNever {
		c.report(o.at("name"), "add open: {title: ...}", "the rule %s has no open.title", name)
	}
	if n := o.has("resolve"); n != nil {
		res, _ := c.object(n, "resolve", append([]string{"body"}, resolveKeys...)...)
		c.resolve(res, &r.Resolve)
		if b := res.has("body"); b != nil {
			r.Resolve.Body = c.template(b, "body", c.allowed(r, d.publicLabels, endsAlone(r)))
		}
	}
	if n := o.has("escalate"); n != nil {
		r.Escalate = c.escalations(n, r, d.publicLabels)
	}
	if n := o.has("update"); n != nil {
		r.Update = c.update(n)
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
	c.report(n, Meant(s, names), "the source %q is not among sources", status.Clip(s, 60))
	return ""
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
			out[event] = c.outlets(v, string(event))
		}
	}
	return out
}

// channelTypes are the words for all channels of a type. The feeds always tell
// everything; a type of which none is configured is skipped.
var channelTypes = []string{
	status.ChannelEmail, status.ChannelTwitter, "slack", "teams", "discord", "mastodon", "bluesky", "webhook", status.ChannelWebhooks, "rss",
}

// channelName is what a channel may be called.
var channelName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,38}$`)

// outlets lists channels by type or by name. A name that nobody configured is a
// slip: that channel would stay silent in the next outage.
func (c *checker) outlets(n *yaml.Node, event string) []string {
	out := []string{}
	for _, e := range c.list(n, event) {
		s, ok := c.text(e, "the channel")
		names := slices.DeleteFunc(slices.Clone(c.channels), func(name string) bool { return name == AnyChannel })
		anyName := len(names) < len(c.channels) && channelName.MatchString(s)
		switch right := slices.Concat(channelTypes, names); {
		case !ok:
		case anyName || slices.Contains(right, s):
			out = append(out, s)
		default:
			c.report(e, Meant(s, right), "the channel is %q, but must be %s, or the name of one under channels in statusbridge.yaml", status.Clip(s, 60), oneOf(right))
		}
	}
	return out
}

// publishesAlone reports whether an issue of the rule may become public before
// a person reads it.
func publishesAlone(r status.Rule) bool {
	return r.Open.Publish == status.PublishAuto || r.Open.Publish == status.PublishConfirm && r.Open.ConfirmThen == status.ConfirmPublish
}

// endsAlone reports whether the text of the end may become public before a
// person reads it: whoever confirmed the issue saw its beginning only.
func endsAlone(r status.Rule) bool {
	return r.Open.Publish != status.PublishNever && r.Resolve.Mode != status.ResolvePropose && r.Resolve.Mode != status.ResolveManual
}

// allowed are the labels that a text may speak of. One that is published by
// itself: those that make the group, and the public ones. Another: all, which
// is nil.
func (c *checker) allowed(r status.Rule, publicLabels []string, byItself bool) map[string]bool {
	if !byItself {
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
