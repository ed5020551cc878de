package status

import "github.com/prometheus/alertmanager/pkg/labels"

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
		group := make(map[string]string, len(rule.GroupBy))
		for _, name := range rule.GroupBy {
			group[name] = value(name, source, ls)
		}
		out = append(out, Match{rule, group})
		if !rule.Continue {
			break
		}
	}
	return out
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
