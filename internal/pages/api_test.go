package pages

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// keysOf are the sorted keys of a JSON object.
func keysOf(t *testing.T, v any) string {
	t.Helper()
	m, ok := v.(map[string]any)
	if !ok {
		t.Fatalf("%v is no object", v)
	}
	return strings.Join(slices.Sorted(maps.Keys(m)), " ")
}

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTheSummaryHasEveryFieldOfStatuspage(t *testing.T) {
	doc := object(t, body(t, published(t, storm()), "/api/v2/summary.json"))
	first := func(v any) any { return v.([]any)[0] }
	const component = "created_at description group group_id id name only_show_if_degraded page_id position showcase start_date status updated_at"
	const incident = "components confirmed created_at flapping id impact incident_updates monitoring_at name origin page_id resolved_at shortlink started_at status updated_at"
	incidents, works := doc["incidents"].([]any), doc["scheduled_maintenances"].([]any)
	update := first(incidents[1].(map[string]any)["incident_updates"])
	for what, c := range map[string]struct {
		got  any
		want string
	}{
		"document":    {doc, "components incidents page scheduled_maintenances status"},
		"page":        {doc["page"], "id name time_zone updated_at url"},
		"status":      {doc["status"], "description indicator"},
		"component":   {first(doc["components"]), component},
		"group":       {doc["components"].([]any)[2], "components " + component},
		"incident":    {incidents[0], incident},
		"maintenance": {works[0], "cancelled components created_at id impact incident_updates monitoring_at name page_id resolved_at scheduled_for scheduled_until shortlink started_at status updated_at"},
		"update":      {update, "affected_components body created_at custom_tweet deliver_notifications display_at id incident_id status tweet_id updated_at"},
	} {
		if got := keysOf(t, c.got); c.want != sorted(got, c.want) {
			t.Errorf("%s: fields %q, want %q", what, got, c.want)
		}
	}
	if len(incidents) != 2 || len(works) != 3 {
		t.Errorf("%d incidents and %d maintenances, want 2 and 3", len(incidents), len(works))
	}
	if got := incidents[1].(map[string]any)["incident_updates"].([]any); got[0].(map[string]any)["id"] != "st1-5" {
		t.Error("updates are not newest first")
	}
}

// sorted gives want back when got has just its words.
func sorted(got, want string) string {
	words := strings.Fields(want)
	slices.Sort(words)
	if strings.Join(words, " ") == got {
		return want
	}
	return got
}

func TestTheSummaryTellsTheState(t *testing.T) {
	doc := object(t, body(t, published(t, storm()), "/api/v2/summary.json"))
	got := map[string]string{}
	groups := 0
	for _, c := range doc["components"].([]any) {
		m := c.(map[string]any)
		got[m["name"].(string)] = m["status"].(string)
		if m["group"] == true {
			groups++
		}
	}
	for name, want := range map[string]string{
		"Card payments": "major_outage", "Payouts": "partial_outage", "Dashboard": "degraded_performance", "Search": "under_maintenance",
		"API": "operational", "Payments": "major_outage", "Core platform": "degraded_performance",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %s", name, got[name], want)
		}
	}
	if groups != 2 {
		t.Errorf("%d groups", groups)
	}
	if doc["status"].(map[string]any)["indicator"] != "major" || doc["status"].(map[string]any)["description"] != "Partial System Outage" {
		t.Errorf("status %v", doc["status"])
	}
	if a, b := object(t, body(t, published(t, storm()), "/api/v2/status.json"))["status"], doc["status"]; a.(map[string]any)["indicator"] != b.(map[string]any)["indicator"] {
		t.Errorf("status.json says %v, summary.json %v", a, b)
	}
}

func TestListsAreNeverNull(t *testing.T) {
	text := body(t, published(t, fresh()), "/api/v2/summary.json")
	for _, list := range []string{`"components":[]`, `"incidents":[]`, `"scheduled_maintenances":[]`} {
		if !strings.Contains(text, list) {
			t.Errorf("no %s in %s", list, text)
		}
	}
	if text := body(t, published(t, fresh()), "/banner.json"); !strings.Contains(text, `"issues":[]`) || !strings.Contains(text, `"maintenances":[]`) {
		t.Errorf("banner.json: %s", text)
	}
}
