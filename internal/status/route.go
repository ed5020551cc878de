package status

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/prometheus/alertmanager/pkg/labels"
)

// Match is a rule that wants an alert, and the group the alert falls into.
type Match struct {
	Rule   Rule
	Labels map[string]string
}

// Route finds the rules that want an alert: top to bottom, the first match
// wins unless it says continue.
func (r *Rules) Route(source string, ls map[string]string, lists map[string][]string) []Match {
	var out []Match
	for _, rule := range r.Rules {
		if rule.Source != "" && rule.Source != source || !matches(rule.Matchers, source, ls, lists) {
			continue
		}
		out = append(out, Match{rule, rule.group(source, ls)})
		if !rule.Continue {
			break
		}
	}
	return out
}

// group is what makes one issue of several alerts.
func (r Rule) group(source string, ls map[string]string) map[string]string {
	out := make(map[string]string, len(r.GroupBy))
	for _, name := range r.GroupBy {
		out[name] = bounded(value(name, source, ls))
	}
	return out
}

// maxGroupValue bounds a label in a group, in bytes: senders write what they
// like, and a group is a key.
const maxGroupValue = 200

// bounded shortens a long value so that different ones stay different.
func bounded(v string) string {
	if len(v) <= maxGroupValue {
		return v
	}
	sum := sha256.Sum256([]byte(v))
	return clip(v, maxGroupValue-17) + "~" + hex.EncodeToString(sum[:8])
}

// Level is the severity of an alert and the impact it has by default.
func (r *Rules) Level(source string, ls map[string]string, lists map[string][]string) (string, Impact) {
	for _, s := range r.Severity {
		if matches(s.Matchers, source, ls, lists) {
			return s.Level, s.Impact
		}
	}
	return "info", ImpactNone
}

// matches reports whether all matchers hold. A list holds a positive matcher
// if any element does, and a negative one if every element does.
func matches(ms labels.Matchers, source string, ls map[string]string, lists map[string][]string) bool {
	for _, m := range ms {
		if !holds(m, source, ls, lists) {
			return false
		}
	}
	return true
}

func holds(m *labels.Matcher, source string, ls map[string]string, lists map[string][]string) bool {
	list := lists[m.Name]
	if len(list) == 0 {
		return m.Matches(value(m.Name, source, ls))
	}
	negative := m.Type == labels.MatchNotEqual || m.Type == labels.MatchNotRegexp
	for _, v := range list {
		if m.Matches(v) != negative {
			return !negative
		}
	}
	return negative
}

// value reads a label; "source" is the name of the sender where the alert has
// no label of that name.
func value(name, source string, ls map[string]string) string {
	if v, ok := ls[name]; ok || name != "source" {
		return v
	}
	return source
}

// Try is what one rule said to an alert.
type Try struct {
	Rule    string `json:"rule"`
	Matched bool   `json:"matched"`
	Why     string `json:"why"`
}

// Try asks every rule in turn, like Route, and says why each wants the alert
// or does not.
func (r *Rules) Try(source string, ls map[string]string, lists map[string][]string) []Try {
	var out []Try
	taken := ""
	for _, rule := range r.Rules {
		t := Try{Rule: rule.Name}
		switch miss := miss(rule, source, ls, lists); {
		case taken != "":
			t.Why = "not asked: " + taken + " took it and does not continue"
		case miss != "":
			t.Why = "no: " + miss
		default:
			t.Matched, t.Why = true, "yes: one issue for "+GroupKey(rule.group(source, ls))
			if !rule.Continue {
				taken = rule.Name
			}
		}
		out = append(out, t)
	}
	return out
}

// miss says what keeps a rule from an alert, "" if nothing does.
func miss(rule Rule, source string, ls map[string]string, lists map[string][]string) string {
	if rule.Source != "" && rule.Source != source {
		return "it is for source " + rule.Source + ", this came from " + source
	}
	for _, m := range rule.Matchers {
		if holds(m, source, ls, lists) {
			continue
		}
		if list := lists[m.Name]; len(list) > 0 {
			return m.String() + " does not hold, " + m.Name + " is one of " + strings.Join(list, ", ")
		}
		return m.String() + " does not hold, " + m.Name + " is " + strconv.Quote(value(m.Name, source, ls))
	}
	return ""
}
