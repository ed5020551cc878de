package alerts

import (
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/prometheus/alertmanager/timeinterval"
	"go.yaml.in/yaml/v4"

	"github.com/statusbridge/statusbridge/internal/status"
)

// resolveKeys are those that defaults and rules share.
var resolveKeys = []string{"mode", "after", "require", "monitoring_first", "ignore_closed_by"}

// resolve reads the keys that defaults and rules share.
func (c *checker) resolve(o object, into *status.Resolve) {
	if n := o.has("mode"); n != nil {
		s, _ := c.word(n, "mode", words([]status.ResolveMode{
			status.ResolveAuto, status.ResolveMonitoring, status.ResolvePropose, status.ResolveManual,
		}))
		into.Mode = status.ResolveMode(s)
	}
	if n := o.has("after"); n != nil {
		into.After = c.duration(n, "after")
	}
	if n := o.has("monitoring_first"); n != nil {
		into.MonitoringFirst = c.boolean(n, "monitoring_first")
	}
	if n := o.has("require"); n != nil {
		c.require(n, into)
	}
	if n := o.has("ignore_closed_by"); n != nil {
		into.Ignore = []string{}
		for _, e := range c.list(n, "ignore_closed_by") {
			if s, ok := c.word(e, "a trigger", noRecoveries); ok {
				into.Ignore = append(into.Ignore, s)
			}
		}
	}
}

// noRecoveries are the triggers by which New Relic closes issues that have not
// recovered.
var noRecoveries = []string{"CLOSE_TTL", "CLOSE_INACTIVE"}

// require is a word, or {firing_at_most: n}.
func (c *checker) require(n *yaml.Node, into *status.Resolve) {
	if n.Kind != yaml.MappingNode {
		s, _ := c.word(n, "require", words([]status.Require{status.RequireAll, status.RequireAny}))
		into.Require = status.Require(s)
		return
	}
	o, _ := c.object(n, "require", string(status.RequireAtMost))
	if v := o.has(string(status.RequireAtMost)); v != nil {
		into.Require, into.AtMost = status.RequireAtMost, c.number(v, "firing_at_most", 0, 1<<30)
	}
}

// publishing reads publish and visibility.
func (c *checker) publishing(o object, into *status.Open) {
	if n := o.has("publish"); n != nil {
		into.Publish = c.publish(n)
	}
	if n := o.has("visibility"); n != nil {
		if s, _ := c.word(n, "visibility", []string{"public", "internal"}); s == "internal" {
			into.Publish = status.PublishNever
		}
	}
}

// The longest reopen_within: what ended longer ago is history.
const longestReopen = 24 * time.Hour

// policies reads the keys on how an issue lives that defaults and rules share.
func (c *checker) policies(o object, r *status.Rule) {
	if n := o.has("reopen_within"); n != nil {
		if r.ReopenWithin = c.duration(n, "reopen_within"); r.ReopenWithin > longestReopen {
			c.report(n, "", "reopen_within is longer than 24h")
		}
	}
	if n := o.has("flap"); n != nil {
		r.Flap = c.flap(n)
	}
	if n := o.has("during_maintenance"); n != nil {
		s, _ := c.word(n, "during_maintenance", words([]status.MaintenancePolicy{
			status.MaintenanceAttach, status.MaintenanceSuppress, status.MaintenanceIgnore,
		}))
		r.DuringMaintenance = status.MaintenancePolicy(s)
	}
	if n := o.has("silenced_upstream"); n != nil {
		s, _ := c.word(n, "silenced_upstream", []string{"keep_open", "treat_as_resolved"})
		r.SilencedResolves = s == "treat_as_resolved"
	}
}

func (c *checker) flap(n *yaml.Node) status.Flap {
	o, ok := c.object(n, "flap", "changes", "window", "then", "settle")
	if !ok {
		return status.Flap{}
	}
	f := status.Flap{Changes: 4, Window: 30 * time.Minute, Settle: 20 * time.Minute}
	if v := o.has("changes"); v != nil {
		f.Changes = c.number(v, "changes", 2, status.MaxFlips)
	}
	if v := o.has("window"); v != nil {
		f.Window = c.duration(v, "window")
	}
	if v := o.has("settle"); v != nil {
		f.Settle = c.duration(v, "settle")
	}
	if v := o.has("then"); v != nil {
		c.word(v, "then", []string{"hold_open"})
	}
	return f
}

func (c *checker) breaker(n *yaml.Node) status.Breaker {
	b := ourBreaker
	o, _ := c.object(n, "breaker", "max_published", "window")
	if v := o.has("max_published"); v != nil {
		b.MaxPublished = c.number(v, "max_published", 0, 1<<30)
	}
	if v := o.has("window"); v != nil {
		b.Window = c.duration(v, "window")
	}
	return b
}

// reminders reads how long before a maintenance its subscribers are reminded.
func (c *checker) reminders(n *yaml.Node) []time.Duration {
	out := slices.Clone(ourReminders)
	o, _ := c.object(n, "maintenance", "remind")
	if v := o.has("remind"); v != nil {
		out = []time.Duration{}
		for _, e := range c.list(v, "remind") {
			if d := c.duration(e, "remind"); d > 0 && !slices.Contains(out, d) {
				out = append(out, d)
			}
		}
	}
	return out
}

func (c *checker) inhibitRules(n *yaml.Node) []status.Inhibit {
	var out []status.Inhibit
	for _, e := range c.list(n, "inhibit_rules") {
		o, ok := c.object(e, "an inhibit rule", "name", "source_matchers", "target_matchers", "equal", "action")
		if !ok {
			continue
		}
		r := status.Inhibit{
			Source: c.matchersAt(o, "source_matchers", "the inhibit rule"),
			Target: c.matchersAt(o, "target_matchers", "the inhibit rule"),
		}
		if v := o.has("name"); v != nil {
			r.Name, _ = c.text(v, "name")
		}
		if v := o.has("equal"); v != nil {
			r.Equal = c.texts(v, "equal", "the label")
		}
		if v := o.has("action"); v != nil {
			s, _ := c.word(v, "action", []string{"attach", "suppress"})
			r.Suppress = s == "suppress"
		}
		out = append(out, r)
	}
	return out
}

// intervals are the named time intervals of the file.
type intervals map[string][]timeinterval.TimeInterval

func (c *checker) intervals(n *yaml.Node) intervals {
	out := intervals{}
	for _, e := range c.list(n, "time_intervals") {
		o, ok := c.object(e, "a time interval", "name", "time_intervals")
		if !ok {
			continue
		}
		name := ""
		if v := o.has("name"); v == nil {
			c.report(e, "", "the time interval has no name")
		} else {
			name, _ = c.text(v, "name")
		}
		out[name] = nil
		if v := o.has("time_intervals"); v == nil {
			c.report(e, "", "the time interval %s has no time_intervals", name)
		} else {
			for _, one := range c.list(v, "time_intervals") {
				if ti, ok := c.interval(one); ok {
					out[name] = append(out[name], ti)
				}
			}
		}
	}
	return out
}

// interval reads one interval in Alertmanager's own words.
func (c *checker) interval(n *yaml.Node) (timeinterval.TimeInterval, bool) {
	var ti timeinterval.TimeInterval
	if _, ok := c.object(n, "a time interval", "times", "weekdays", "days_of_month", "months", "years", "location"); !ok {
		return ti, false
	}
	var plain any
	text, err := []byte(nil), n.Decode(&plain)
	if err == nil {
		text, err = json.Marshal(plain)
	}
	if err == nil {
		err = json.Unmarshal(text, &ti)
	}
	if err != nil {
		c.report(n, "", "not a time interval: %v", rootCause(err))
		return ti, false
	}
	return ti, true
}

// rootCause is the error without the wrapping that speaks of JSON.
func rootCause(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok || u.Unwrap() == nil {
			return err
		}
		err = u.Unwrap()
	}
}

// active compiles active_time_intervals and mute_time_intervals; nil is always.
func (c *checker) active(o object, all intervals) func(time.Time) bool {
	on, off := c.named(o, "active_time_intervals", all), c.named(o, "mute_time_intervals", all)
	if on == nil && off == nil {
		return nil
	}
	within := func(list []timeinterval.TimeInterval, at time.Time) bool {
		return slices.ContainsFunc(list, func(t timeinterval.TimeInterval) bool { return t.ContainsTime(at) })
	}
	return func(at time.Time) bool {
		return (on == nil || within(on, at.UTC())) && !within(off, at.UTC())
	}
}

func (c *checker) named(o object, key string, all intervals) []timeinterval.TimeInterval {
	n := o.has(key)
	if n == nil {
		return nil
	}
	out := []timeinterval.TimeInterval{}
	known := make([]string, 0, len(all))
	for name := range all {
		known = append(known, name)
	}
	for _, e := range c.list(n, key) {
		s, ok := c.text(e, "a time interval")
		if !ok {
			continue
		}
		if _, ok := all[s]; !ok {
			c.report(e, Meant(s, known), "the time interval %q is not among time_intervals", status.Clip(s, 60))
		}
		out = append(out, all[s]...)
	}
	return out
}
