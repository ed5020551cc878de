package web

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// localLayout is how datetime-local inputs write a moment; ours are UTC.
const localLayout = "2006-01-02T15:04"

func writeLocal(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(localLayout)
}

// parseLocal reads a datetime-local input as UTC; empty is the zero time.
func parseLocal(field, value string) (time.Time, error) { return parseIn(time.UTC, field, value) }

// parseIn reads a datetime-local input as the time of a zone.
func parseIn(zone *time.Location, field, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{localLayout, localLayout + ":05"} {
		if t, err := time.ParseInLocation(layout, value, zone); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, status.Invalid{Field: field, Message: "is not a date and time such as 2026-11-22T03:30"}
}

func maintenanceFields(d directory) []sheetField {
	when := func(v string) string {
		t, err := parseLocal("", v)
		if err != nil || t.IsZero() {
			return v
		}
		return t.Format("2 January 2006, 15:04")
	}
	names := func(v string) string {
		var words []string
		for _, id := range strings.Fields(v) {
			words = append(words, d.name(id))
		}
		return strings.Join(words, ", ")
	}
	return []sheetField{
		{"title", "Title", nil},
		{"body", "Description", nil},
		{"from", "Begins", when},
		{"until", "Ends", when},
		{"zone", "Time zone", nil},
		{"repeat", "Repeats", func(v string) string { return labelOf(repeatOptions(""), v) }},
		{"days", "On days", nil},
		{"rule", "Rule", nil},
		{"last_day", "Last day", nil},
		{"times", "Number of times", nil},
		{"components", "Components", names},
		{"expected", "Expected alerts", nil},
		{"auto_start", "Start by itself", yesNo},
		{"auto_end", "End by itself", yesNo},
	}
}

// labelOf is what a choice reads as.
func labelOf(list []option, value string) string {
	for _, o := range list {
		if o.Value == value {
			return o.Label
		}
	}
	return value
}

func yesNo(v string) string {
	if v == "yes" {
		return "Yes"
	}
	return "No"
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// maintenanceSheet shows a maintenance, and how it repeats from there on.
func maintenanceSheet(m status.Maintenance, series status.MaintenanceSeries) sheet {
	ids := slices.Clone(m.Components)
	slices.Sort(ids)
	sh := sheet{
		"title": m.Title, "body": lines(m.Body), "from": writeLocal(m.ScheduledFor), "until": writeLocal(m.ScheduledUntil),
		"components": strings.Join(ids, " "), "expected": strings.Join(m.Expected, "\n"), "auto_start": yes(m.AutoStart), "auto_end": yes(m.AutoEnd),
	}
	r := status.Recurrence{}
	if series.Holds(m) {
		r = series.Rest(m.Occurrence)
	}
	showRepeat(sh, r, m.Occurrence)
	if zone, err := sh.zone(); err == nil && r.Rule != "" {
		sh["from"], sh["until"] = m.ScheduledFor.In(zone).Format(localLayout), m.ScheduledUntil.In(zone).Format(localLayout)
	}
	return sh
}

func readMaintenanceSheet(f url.Values) sheet {
	ids := slices.DeleteFunc(slices.Clone(f["components"]), func(id string) bool { return !validID(id) })
	slices.Sort(ids)
	sh := sheet{
		"title": strings.Join(strings.Fields(f.Get("title")), " "), "body": lines(f.Get("body")),
		"from": f.Get("from"), "until": f.Get("until"), "components": strings.Join(slices.Compact(ids), " "),
		"expected": strings.TrimSpace(lines(f.Get("expected"))), "auto_start": yes(f.Get("auto_start") != ""), "auto_end": yes(f.Get("auto_end") != ""),
	}
	readRepeat(f, sh)
	return sh
}

func (sh sheet) maintenance(id string, version int64) (status.Maintenance, error) {
	zone, err := sh.zone()
	if err != nil {
		return status.Maintenance{}, err
	}
	from, err := parseIn(zone, "from", sh["from"])
	if err != nil {
		return status.Maintenance{}, err
	}
	until, err := parseIn(zone, "until", sh["until"])
	if err != nil {
		return status.Maintenance{}, err
	}
	return status.Maintenance{
		ID: id, Version: version, Title: sh["title"], Body: sh["body"], Components: strings.Fields(sh["components"]),
		Expected:     strings.Split(sh["expected"], "\n"),
		ScheduledFor: from, ScheduledUntil: until, AutoStart: sh["auto_start"] != "", AutoEnd: sh["auto_end"] != "",
	}, nil
}

// edit is what a form asks to change. Only with all later ones does it change
// how a series repeats.
func (sh sheet) edit(id string, f url.Values, was sheet, repeats bool) (status.SaveMaintenance, error) {
	m, err := sh.maintenance(id, version(f))
	e := status.SaveMaintenance{Maintenance: m, Silent: f.Get("silent") != "", Later: repeats && f.Get("scope") == "later"}
	if err != nil {
		return e, err
	}
	switch {
	case repeats && repeatsAlike(sh, was):
		return e, nil
	case repeats && !e.Later:
		if repeatsAlike(sh, with(was, "from", sh["from"])) || was["repeat"] == "" && sh["repeat"] == "" {
			return e, nil // only the window moves
		}
		return e, status.Invalid{Field: "recurrence", Message: "how it repeats changes with all later ones only; take that button"}
	}
	if e.Recurrence, err = sh.recurrence(m.ScheduledFor); err == nil && e.Recurrence == nil && repeats {
		e.Recurrence = &status.Recurrence{TimeZone: sh["zone"]} // it ends
	}
	return e, err
}

func with(sh sheet, name, value string) sheet {
	sh = maps.Clone(sh)
	sh[name] = value
	return sh
}
