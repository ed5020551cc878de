package pages

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/statusbridge/statusbridge/internal/status"
)

var update = flag.Bool("update", false, "write the golden files anew")

// apiFields are the fields of the Statuspage API v2 as CONTRACT names them. A
// type is a kind of value, an object of this table, or a list of one; ? may be
// null, + is ours in addition and may be absent.
var apiFields = map[string]map[string]string{
	"page":   {"id": "string", "name": "string", "url": "string", "time_zone": "string", "updated_at": "time"},
	"status": {"indicator": "none|minor|major|critical|maintenance", "description": "string"},
	"component": {
		"id": "string", "name": "string", "status": "operational|under_maintenance|degraded_performance|partial_outage|major_outage",
		"created_at": "time", "updated_at": "time", "position": "number", "description": "string?", "showcase": "bool", "start_date": "string?",
		"group_id": "string?", "page_id": "string", "group": "bool", "only_show_if_degraded": "bool", "components": "[]string+",
	},
	"incident": {
		"id": "string", "name": "string", "status": "investigating|identified|monitoring|resolved", "created_at": "time", "updated_at": "time",
		"monitoring_at": "time?", "resolved_at": "time?", "impact": "none|minor|major|critical", "shortlink": "string", "started_at": "time",
		"page_id": "string", "incident_updates": "[]update", "components": "[]component",
		"origin": "alert|manual+", "confirmed": "bool+", "flapping": "bool+",
		"postmortem_body": "string+", "postmortem_body_last_updated_at": "time+", "postmortem_published_at": "time+", "postmortem_notified_subscribers": "bool+",
	},
	"maintenance": {
		"id": "string", "name": "string", "status": "scheduled|in_progress|verifying|completed", "created_at": "time", "updated_at": "time",
		"monitoring_at": "time?", "resolved_at": "time?", "impact": "maintenance|", "shortlink": "string", "started_at": "time",
		"page_id": "string", "incident_updates": "[]update", "components": "[]component", "scheduled_for": "time", "scheduled_until": "time",
		"cancelled": "bool+",
	},
	"update": {
		"id": "string", "status": "investigating|identified|monitoring|resolved|postmortem|scheduled|in_progress|verifying|completed", "body": "string",
		"incident_id": "string", "created_at": "time", "updated_at": "time", "display_at": "time", "affected_components": "[]affected?",
		"deliver_notifications": "bool", "custom_tweet": "string?", "tweet_id": "string?",
	},
	"affected": {"code": "string", "name": "string", "old_status": "string", "new_status": "string"},

	"/api/v2/summary.json": {
		"page": "page", "status": "status", "components": "[]component", "incidents": "[]incident", "scheduled_maintenances": "[]maintenance",
	},
	"/api/v2/status.json":                          {"page": "page", "status": "status"},
	"/api/v2/components.json":                      {"page": "page", "components": "[]component"},
	"/api/v2/incidents.json":                       {"page": "page", "incidents": "[]incident"},
	"/api/v2/incidents/unresolved.json":            {"page": "page", "incidents": "[]incident"},
	"/api/v2/scheduled-maintenances.json":          {"page": "page", "scheduled_maintenances": "[]maintenance"},
	"/api/v2/scheduled-maintenances/active.json":   {"page": "page", "scheduled_maintenances": "[]maintenance"},
	"/api/v2/scheduled-maintenances/upcoming.json": {"page": "page", "scheduled_maintenances": "[]maintenance"},
}

// fits checks a value against a type of the table.
func fits(v any, kind string) error {
	kind, ours := strings.CutSuffix(kind, "+")
	kind, nullable := strings.CutSuffix(kind, "?")
	if v == nil && nullable {
		return nil
	}
	if element, list := strings.CutPrefix(kind, "[]"); list {
		items, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%v is no list", v)
		}
		for n, item := range items {
			if err := fits(item, element); err != nil {
				return fmt.Errorf("%d: %w", n, err)
			}
		}
		return nil
	}
	if fields, object := apiFields[kind]; object {
		return fitsObject(v, fields)
	}
	text, isText := v.(string)
	ok := false
	switch kind {
	case "string":
		ok = isText && text != ""
	case "bool":
		_, ok = v.(bool)
	case "number":
		_, ok = v.(float64)
	case "time":
		_, err := time.Parse("2006-01-02T15:04:05.000Z", text)
		ok = err == nil
	default:
		ok = text != "" && slices.Contains(strings.Split(kind, "|"), text)
	}
	if !ok {
		return fmt.Errorf("%v is no %s (ours: %v)", v, kind, ours)
	}
	return nil
}

func fitsObject(v any, fields map[string]string) error {
	m, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%v is no object", v)
	}
	for name, kind := range fields {
		value, there := m[name]
		if !there && !strings.HasSuffix(kind, "+") {
			return fmt.Errorf("no %s", name)
		}
		if there {
			if err := fits(value, kind); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	for name := range m {
		if fields[name] == "" {
			return fmt.Errorf("%s is no field of it", name)
		}
	}
	return nil
}

func TestEveryAPIDocumentFitsItsFields(t *testing.T) {
	storms := storm()
	storms.Maintenances[0] = move(storms.Maintenances[0], noon, status.Cancelled, "Called off.")
	for name, v := range map[string]status.View{"storm": storms, "calm": calm(), "fresh": fresh()} {
		p := published(t, v)
		for _, path := range apiPaths() {
			if err := fits(object(t, body(t, p, path)), path); err != nil {
				t.Errorf("%s, %s: %v", name, path, err)
			}
		}
	}
}

// memoir is a small page with one of each.
func memoir() status.View {
	v := calm()
	v.Groups = v.Groups[1:]
	v.Components = v.Components[5:7]
	v.Components[0].GroupID = ""
	open := say(issue("i2", "Cards are declined", noon.Add(-time.Hour), status.ImpactMajor, hit("cards", status.PartialOutage)), 30*time.Minute, status.Identified, "An expired certificate.")
	open.Flapping, open.Confirmed = true, true
	past := resolve(issue("i1", "Search is slow", noon.AddDate(0, 0, -3), status.ImpactMinor, hit("search", status.DegradedPerformance)), time.Hour, "Over.")
	past.Origin = status.Manual
	v.Issues = listed(open, past)
	v.Maintenances = []status.Maintenance{
		maintenance("m3", "Provider switch", noon.Add(48*time.Hour), noon.Add(50*time.Hour), "cards"),
		move(maintenance("m2", "New disks", noon.Add(-time.Hour), noon.Add(time.Hour), "search"), noon.Add(-time.Hour), status.InProgress, "Begun."),
		move(maintenance("m1", "Called off", noon.AddDate(0, 0, -2), noon.AddDate(0, 0, -1), "search"), noon.AddDate(0, 0, -3), status.Cancelled, "Not needed."),
	}
	return v
}

// The golden files are what others may rely on: a difference is a break of the
// contract or has a reason. go test ./internal/pages -run Golden -update
func TestGoldenAPIDocuments(t *testing.T) {
	p := published(t, memoir())
	for _, path := range apiPaths() {
		var got bytes.Buffer
		if err := json.Indent(&got, []byte(body(t, p, path)), "", "  "); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", "api", strings.ReplaceAll(strings.TrimPrefix(path, "/api/v2/"), "/", "-"))
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s is not as in %s:\n%s", path, file, diff)
		}
	}
	if documents := slices.Sorted(maps.Keys(p.press.api(p.site.Load().now).documents())); !slices.Equal(documents, slices.Sorted(slices.Values(apiPaths()))) {
		t.Errorf("documents %q", documents)
	}
}

func TestTheAPIListsTheNewestFifty(t *testing.T) {
	v := calm()
	v.Issues, v.Maintenances = nil, nil
	for n := range 60 {
		at := noon.Add(-time.Duration(n) * time.Hour)
		v.Issues = append(v.Issues, listed(resolve(issue(fmt.Sprintf("i%02d", n), "Many", at, status.ImpactMinor), time.Minute, "Over."))...)
		v.Maintenances = append(v.Maintenances, move(maintenance(fmt.Sprintf("m%02d", n), "Many", at, at.Add(time.Hour)), at, status.Completed, "Done."))
	}
	p := published(t, v)
	for path, list := range map[string]string{"/api/v2/incidents.json": "incidents", "/api/v2/scheduled-maintenances.json": "scheduled_maintenances"} {
		items := object(t, body(t, p, path))[list].([]any)
		if first, last := items[0].(map[string]any)["id"].(string), items[len(items)-1].(map[string]any)["id"].(string); len(items) != 50 || first[1:] != "00" || last[1:] != "49" {
			t.Errorf("%s: %d, from %s to %s", path, len(items), first, last)
		}
	}
}

func TestWhatIsPrivateIsInNoAPIDocument(t *testing.T) {
	v := storm()
	v.Issues[0].Components = append(v.Issues[0].Components, hit("secret", status.MajorOutage))
	v.Issues[0].Updates[0].Changes = append(v.Issues[0].Updates[0].Changes, status.Change{ComponentID: "secret", Name: "Secret", New: status.MajorOutage})
	v.Issues[0].Updates[0].By = "ada@example.com"
	p := published(t, v)
	for path, doc := range p.site.Load().docs {
		if strings.Contains(strings.ToLower(string(doc.Raw)), "secret") || strings.Contains(string(doc.Raw), "ada@") {
			t.Errorf("%s tells what is private", path)
		}
	}
}
