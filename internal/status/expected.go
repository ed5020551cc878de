package status

import (
	"slices"
	"strings"

	"github.com/prometheus/alertmanager/pkg/labels"
)

// Expects reports whether a maintenance names the alert among those that its
// work sets off. Each line of Expected is a list of matchers as Alertmanager
// writes them; an alert is expected when all matchers of one line hold.
func (m Maintenance) Expects(s Signal) bool {
	return slices.ContainsFunc(m.Expected, func(line string) bool {
		ms, err := labels.ParseMatchers(line)
		return err == nil && len(ms) > 0 && matches(ms, s.Key.Source, s.Labels, s.Lists)
	})
}

// checkExpected refuses lines that are no matchers.
func checkExpected(lines []string) error {
	for _, line := range lines {
		ms, err := labels.ParseMatchers(line)
		switch {
		case len(line) > 1000 || len(lines) > 50:
			return Invalid{"expected", "takes up to 50 lines of 1,000 bytes"}
		case err != nil:
			return Invalid{"expected", line + " is no list of matchers such as alertname=\"HostDown\", region=~\"eu.*\": " + err.Error()}
		case len(ms) == 0:
			return Invalid{"expected", line + " has no matcher, and would expect every alert"}
		}
	}
	return nil
}

// expectedLines drops what is empty.
func expectedLines(lines []string) []string {
	var out []string
	for _, line := range lines {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// explains reports whether a maintenance takes the place of an issue of the
// track: it names all of the alerts that fire, or it works on all of their
// components and the rule does not ignore that.
func (d *desk) explains(m Maintenance, rule Rule, t Track) bool {
	if len(m.Expected) > 0 && t.Firing > 0 && !slices.ContainsFunc(d.members(t.Key), func(s Signal) bool { return s.Firing && !m.Expects(s) }) {
		return true
	}
	return rule.DuringMaintenance != MaintenanceIgnore && covers(m.Components, d.components(rule.Open.Components, rule, t, ""))
}

// astray takes a track off a maintenance that names its alerts when another
// alert has joined that nobody expected. Its hold begins anew.
func (d *desk) astray(rule Rule, t Track) Track {
	if m, ok := d.maintenance(t.AttachedTo); ok && m.Running() && len(m.Expected) > 0 && !d.explains(m, rule, t) {
		t.AttachedTo, t.Since = "", d.now
		d.c.Tracks[t.Key] = t
		d.log(Entry{Action: "detached", Subject: m.ID, Reason: ReasonUnexpected, Detail: "rule " + t.Key.Rule + ", group " + t.Key.Group})
	}
	return t
}

// expectAnew looks at the evidence of a running maintenance again, when what
// it expects has changed.
func (d *desk) expectAnew(m Maintenance, before []string) {
	if !m.Running() || slices.Equal(before, m.Expected) {
		return
	}
	for _, t := range sortedBy(all(d.c.Tracks, d.board.Tracks), func(t Track) string { return t.Key.String() }) {
		if t.AttachedTo == m.ID {
			d.assess(t.Key)
		}
	}
}
