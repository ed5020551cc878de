package alerts

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/matcher/parse"
	"github.com/prometheus/alertmanager/pkg/labels"
	"go.yaml.in/yaml/v4"

	"github.com/statusbridge/statusbridge/internal/status"
)

// LoadRules compiles a rules file. The error is always Findings: everything
// that is wrong, at once. What a rule does not say is taken from the file's
// defaults, and what those do not say from ours.
//
// channels are the names of the configured channels, which broadcast may use
// beside the types; with AnyChannel nobody knows them, and any name will do.
func LoadRules(file string, src []byte, channels ...string) (*status.Rules, error) {
	c := &checker{file: file, lines: strings.Split(string(src), "\n"), channels: channels}
	sum := sha256.Sum256(src)
	r := &status.Rules{File: file, Hash: hex.EncodeToString(sum[:]), Source: slices.Clone(src)}
	if root := c.parse(src); root != nil {
		c.rules(root, r)
	}
	if len(c.findings) > 0 {
		c.findings.sort()
		return nil, c.findings
	}
	return r, nil
}

// AnyChannel stands for the channels of a configuration that is not at hand.
const AnyChannel = "*"

// parse reads the YAML itself. A broken syntax is one finding: what follows it
// would be guesswork.
func (c *checker) parse(src []byte) *yaml.Node {
	var doc yaml.Node
	err := yaml.Load(src, &doc)
	var one *yaml.LoadError
	var many *yaml.LoadErrors
	switch {
	case err == nil && doc.Kind == yaml.DocumentNode && len(doc.Content) == 1:
		return plain(doc.Content[0])
	case errors.As(err, &many) && len(many.Errors) > 0:
		c.reportAt(1, 1, "", "the file must hold exactly one YAML document")
	case errors.As(err, &one):
		message := one.Message
		if one.ContextMsg != "" {
			message += " " + one.ContextMsg
		}
		c.reportAt(one.Mark.Line, one.Mark.Column, "", "not valid YAML: %s", message)
	default:
		c.reportAt(1, 1, "", "not valid YAML")
	}
	return nil
}

// defaults are what rules fall back to.
type defaults struct {
	rule         status.Rule
	publicLabels []string
	intervals    intervals
}

func ourDefaults() defaults {
	return defaults{rule: status.Rule{
		For: 2 * time.Minute, Open: status.Open{Publish: status.PublishConfirm}, DuringMaintenance: status.MaintenanceAttach,
		Resolve: status.Resolve{Mode: status.ResolveAuto, After: 5 * time.Minute, Ignore: slices.Clone(noRecoveries)},
	}}
}

// ourBreaker is in force when the file does not name another.
var ourBreaker = status.Breaker{MaxPublished: 5, Window: 10 * time.Minute}

// ourReminders are sent when the file does not say otherwise.
var ourReminders = []time.Duration{24 * time.Hour, time.Hour}

func (c *checker) rules(root *yaml.Node, r *status.Rules) {
	o, ok := c.object(root, "the file", "version", "sources", "severity", "defaults", "public_labels",
		"time_intervals", "inhibit_rules", "breaker", "maintenance", "rules")
	if !ok {
		return
	}
	if v := o.has("version"); v == nil {
		c.report(root, "begin the file with version: 1", "version is missing")
	} else if s, ok := c.text(v, "version"); ok && s != "1" {
		c.report(v, "", "version is %q, but this program reads version 1", status.Clip(s, 20))
	}
	if n := o.has("sources"); n != nil {
		r.Sources = c.sources(n)
	}
	if n := o.has("severity"); n != nil {
		r.Severity = c.severities(n)
	}
	d := ourDefaults()
	if n := o.has("defaults"); n != nil {
		c.defaults(n, &d, r)
	}
	if n := o.has("public_labels"); n != nil {
		d.publicLabels = c.texts(n, "public_labels", "the label")
	}
	if n := o.has("time_intervals"); n != nil {
		d.intervals = c.intervals(n)
	}
	if n := o.has("inhibit_rules"); n != nil {
		r.Inhibit = c.inhibitRules(n)
	}
	r.Breaker = ourBreaker
	if n := o.has("breaker"); n != nil {
		r.Breaker = c.breaker(n)
	}
	r.RemindBefore = slices.Clone(ourReminders)
	if n := o.has("maintenance"); n != nil {
		r.RemindBefore = c.reminders(n)
	}
	if n := o.has("rules"); n != nil {
		r.Rules = c.ruleList(n, d, r.Sources)
	}
}

var levels = []string{"critical", "warning", "info"}

func (c *checker) severities(n *yaml.Node) []status.Severity {
	var out []status.Severity
	for _, e := range c.list(n, "severity") {
		o, ok := c.object(e, "a severity", "matchers", "level", "impact")
		if !ok {
			continue
		}
		s := status.Severity{Matchers: c.requiredMatchers(o, "the severity")}
		if l := o.has("level"); l == nil {
			c.report(e, "", "the severity has no level: %s", oneOf(levels))
		} else {
			s.Level, _ = c.word(l, "level", levels)
		}
		if i := o.has("impact"); i == nil {
			c.report(e, "", "the severity has no impact: %s", oneOf(words(status.Impacts)))
		} else {
			s.Impact = c.impact(i)
		}
		out = append(out, s)
	}
	return out
}

func (c *checker) defaults(n *yaml.Node, d *defaults, r *status.Rules) {
	o, _ := c.object(n, "defaults", "for", "open", "resolve", "reopen_within", "flap", "during_maintenance", "silenced_upstream", "unmatched")
	if v := o.has("for"); v != nil {
		d.rule.For = c.duration(v, "for")
	}
	if v := o.has("open"); v != nil {
		open, _ := c.object(v, "defaults.open", "publish", "visibility")
		c.publishing(open, &d.rule.Open)
	}
	if v := o.has("resolve"); v != nil {
		res, _ := c.object(v, "defaults.resolve", resolveKeys...)
		c.resolve(res, &d.rule.Resolve)
	}
	c.policies(o, &d.rule)
	if v := o.has("unmatched"); v != nil {
		s, _ := c.word(v, "unmatched", []string{"inbox", "drop"})
		r.DropUnmatched = s == "drop"
	}
}

func (c *checker) impact(n *yaml.Node) status.Impact {
	s, _ := c.word(n, "impact", words(status.Impacts))
	return status.Impact(s)
}

func (c *checker) publish(n *yaml.Node) status.Publish {
	s, _ := c.word(n, "publish", words([]status.Publish{status.PublishAuto, status.PublishConfirm, status.PublishNever}))
	return status.Publish(s)
}

// requiredMatchers reads matchers that must be written down, even if empty: a
// forgotten list would match every alert there is.
func (c *checker) requiredMatchers(o object, what string) labels.Matchers {
	return c.matchersAt(o, "matchers", what)
}

func (c *checker) matchersAt(o object, key, what string) labels.Matchers {
	n := o.has(key)
	if n == nil {
		c.report(o.node, key+": [] matches every alert", "%s has no %s", what, key)
		return nil
	}
	out := labels.Matchers{}
	for _, e := range c.list(n, key) {
		if s, ok := c.text(e, "a matcher"); ok {
			out = append(out, c.matcher(e, s)...)
		}
	}
	return out
}

// matcherPlace finds the columns in the parser's messages: "3:5: ...".
var matcherPlace = regexp.MustCompile(`^(\d+):\d+: `)

func (c *checker) matcher(n *yaml.Node, s string) labels.Matchers {
	ms, err := parse.Matchers(s)
	switch {
	case err != nil:
		offset, message := 0, err.Error()
		if m := matcherPlace.FindStringSubmatch(message); m != nil {
			offset, message = atoi(m[1]), message[len(m[0]):]
		} else if strings.HasPrefix(message, "end of input") {
			offset = len(s)
		}
		line, column := c.inside(n, offset)
		c.reportAt(line, column, `write it like alertname="Name" or severity=~"critical|page"`, "not a matcher: %s", message)
		return nil
	case len(ms) == 0:
		c.report(n, "", "the matcher is empty")
	}
	return ms
}

func words[S ~string](all []S) []string {
	out := make([]string, len(all))
	for n, s := range all {
		out[n] = string(s)
	}
	return out
}

// atoi reads digits that a pattern has matched.
func atoi(digits string) int {
	n := 0
	for _, d := range digits {
		n = min(n*10+int(d-'0'), 1<<30)
	}
	return n
}
