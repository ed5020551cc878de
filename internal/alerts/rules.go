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
func LoadRules(file string, src []byte) (*status.Rules, error) {
	c := &checker{file: file, lines: strings.Split(string(src), "\n")}
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
	hold         time.Duration
	publish      status.Publish
	resolve      status.Resolve
	publicLabels []string
}

func ourDefaults() defaults {
	return defaults{
		hold: 2 * time.Minute, publish: status.PublishConfirm,
		resolve: status.Resolve{Mode: status.ResolveAuto, After: 5 * time.Minute},
	}
}

func (c *checker) rules(root *yaml.Node, r *status.Rules) {
	o, ok := c.object(root, "the file", "version", "sources", "severity", "defaults", "public_labels", "rules")
	if !ok {
		return
	}
	if v := o.has("version"); v == nil {
		c.report(root, "begin the file with version: 1", "version is missing")
	} else if s, ok := c.text(v, "version"); ok && s != "1" {
		c.report(v, "", "version is %q, but this program reads version 1", clipTo(s, 20))
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
	if n := o.has("rules"); n != nil {
		r.Rules = c.ruleList(n, d, r.Sources)
	}
}

var sourceName = regexp.MustCompile(`^[a-z0-9._-]{1,64}$`)

func (c *checker) sources(n *yaml.Node) []status.Source {
	var out []status.Source
	c.pairs(n, "sources", func(key, value *yaml.Node) {
		if !sourceName.MatchString(key.Value) {
			c.report(key, "", "the source name %q cannot stand in a URL: use a-z, 0-9, dots, dashes and underscores", clipTo(key.Value, 60))
		}
		o, ok := c.object(value, "the source "+key.Value, "type")
		if !ok {
			return
		}
		s := status.Source{Name: key.Value}
		if t := o.has("type"); t == nil {
			c.report(key, "", "the source %s has no type: %s", key.Value, oneOf([]string{KindAlertmanager, KindNewRelic}))
		} else {
			s.Type, _ = c.word(t, "type", []string{KindAlertmanager, KindNewRelic})
		}
		out = append(out, s)
	})
	return out
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
	o, _ := c.object(n, "defaults", "for", "open", "resolve", "unmatched")
	if v := o.has("for"); v != nil {
		d.hold = c.duration(v, "for")
	}
	if v := o.has("open"); v != nil {
		open, _ := c.object(v, "defaults.open", "publish")
		if p := open.has("publish"); p != nil {
			d.publish = c.publish(p)
		}
	}
	if v := o.has("resolve"); v != nil {
		res, _ := c.object(v, "defaults.resolve", "mode", "after", "monitoring_first")
		c.resolve(res, &d.resolve)
	}
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

// resolve reads the keys that defaults and rules share.
func (c *checker) resolve(o object, into *status.Resolve) {
	if n := o.has("mode"); n != nil {
		s, _ := c.word(n, "mode", words([]status.ResolveMode{status.ResolveAuto, status.ResolveManual}))
		into.Mode = status.ResolveMode(s)
	}
	if n := o.has("after"); n != nil {
		into.After = c.duration(n, "after")
	}
	if n := o.has("monitoring_first"); n != nil {
		into.MonitoringFirst = c.boolean(n, "monitoring_first")
	}
}

// requiredMatchers reads matchers that must be written down, even if empty: a
// forgotten list would match every alert there is.
func (c *checker) requiredMatchers(o object, what string) labels.Matchers {
	n := o.has("matchers")
	if n == nil {
		c.report(o.node, "matchers: [] matches every alert", "%s has no matchers", what)
		return nil
	}
	out := labels.Matchers{}
	for _, e := range c.list(n, "matchers") {
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
