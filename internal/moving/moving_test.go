package moving_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/statusbridge/statusbridge/internal/moving"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func newStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func files(t *testing.T, names ...string) []moving.Source {
	t.Helper()
	var out []moving.Source
	for _, name := range names {
		s, err := moving.Read(t.Context(), filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// in moves a page and returns how many things had each fate, and why not.
func in(t *testing.T, s moving.Store, p moving.Page, dry bool) (map[status.Fate]int, map[string]string) {
	t.Helper()
	last := 0
	landings, err := moving.Move{Store: s, Now: now, Dry: dry, Progress: func(done, total int) {
		if done > total {
			t.Errorf("progress %d of %d", done, total)
		}
		last = done
	}}.In(t.Context(), p)
	if err != nil || last == 0 {
		t.Fatalf("%v, progress %d", err, last)
	}
	count, why := map[status.Fate]int{}, map[string]string{}
	for _, l := range landings {
		count[l.Fate]++
		if l.Fate != status.FateCreated {
			why[l.Kind+" "+l.ID] = l.Why
		}
	}
	return count, why
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// statuspage is the recorded page with its subscribers.
func statuspage(t *testing.T) moving.Page {
	t.Helper()
	p := must(moving.Statuspage(files(t, "statuspage/incidents.json", "statuspage/scheduled-maintenances.json", "statuspage/components.json")...))(t)
	p.Merge(must(moving.Subscribers(files(t, "statuspage/subscribers.csv")[0], p.Components))(t))
	return p
}

func TestAStatuspageMovesInWholeOnceAndNobodyIsTold(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	dry, _ := in(t, s, statuspage(t), true)
	if r := must(s.Revision(t.Context()))(t); r != 0 {
		t.Errorf("the dry run saved revision %d", r)
	}
	count, why := in(t, s, statuspage(t), false)
	if !cmp.Equal(dry, count) {
		t.Errorf("the dry run foresaw %v, it became %v", dry, count)
	}
	// 1 group, 3 components and one that is gone, 2 incidents, 2 maintenances, 2 subscribers
	if count[status.FateCreated] != 11 || count[status.FateFailed] != 2 || count[status.FateSkipped] != 4 {
		t.Errorf("became %v: %v", count, why)
	}
	for item, reason := range map[string]string{"incident badbadbadbad": "at least one update", "subscriber line 7": "no email address", "subscriber line 8": "twice", "subscriber line 4": "texts", "subscriber line 5": "came back", "subscriber line 6": "never confirmed"} {
		if !strings.Contains(why[item], reason) {
			t.Errorf("%s: %q, want %q", item, why[item], reason)
		}
	}
	again, why := in(t, s, statuspage(t), false)
	if again[status.FateCreated] != 0 {
		t.Errorf("the second import made %v: %v", again, why)
	}
	queued, _, err := s.FanOut(t.Context(), now.Add(24*time.Hour), []status.Outlet{{Channel: status.ChannelEmail}})
	if err != nil || queued != 0 || must(s.Queued(t.Context()))(t) != 0 {
		t.Errorf("%d messages were queued (%v)", queued, err)
	}

	issue := must(s.PublicIssue(t.Context(), "c5v8n1m7t3rx"))(t)
	if issue.State != status.Resolved || issue.Impact != status.ImpactCritical || len(issue.Updates) != 3 || !issue.StartedAt.Equal(time.Date(2026, 11, 18, 11, 0, 0, 0, time.UTC)) {
		t.Errorf("the incident became %+v", issue)
	}
	if body := issue.Updates[2].Body; body != "What happened: a **bad** deploy.\n\nSee [our report](https://blog.example/pm)." {
		t.Errorf("the post-mortem reads %q", body)
	}
	if _, is := issue.Postmortem(); !is || !issue.ResolvedAt.Equal(time.Date(2026, 11, 18, 13, 40, 0, 0, time.UTC)) {
		t.Errorf("the post-mortem is an update, or counts as the end: %v", issue.ResolvedAt)
	}
	if body := issue.Updates[1].Body; body != "Latency is < 200 ms again." {
		t.Errorf("the text reads %q", body)
	}
	outages := issue.Outages(now)
	if len(outages) != 2 || outages[0].To.Sub(outages[0].From) != 2*time.Hour+40*time.Minute {
		t.Errorf("the downtime is %+v", outages)
	}
	view := must(s.View(t.Context(), now.AddDate(0, 0, -90)))(t)
	var names []string
	for _, c := range view.Components {
		names = append(names, c.Slug+" "+string(c.Status))
	}
	if got := strings.Join(names, ", "); !strings.Contains(got, "api operational") || !strings.Contains(got, "web-app operational") || strings.Contains(got, "fax") || len(names) != 3 {
		t.Errorf("the components are %s", got)
	}
	for _, m := range view.Maintenances {
		if m.ID == "p7l9k1j3h5gf" && (!m.AutoStart || m.State != status.Scheduled) || m.ID == "q2w4e6r8t0yu" && (m.State != status.Completed || m.EndedAt.Sub(m.StartedAt) != 69*time.Minute) {
			t.Errorf("the maintenance became %+v", m)
		}
	}
}

func TestNamesAndDescriptionsAreTextWithoutEntitiesAndTags(t *testing.T) {
	page, err := moving.Statuspage(moving.Source{Name: "x", Text: []byte(`{
		"components": [{"id": "c1", "name": "Mail &amp; calendar <beta>", "description": "REST and <b>webhooks</b><br />of the &quot;new&quot; kind", "status": "operational"}],
		"incidents": [{"id": "i1", "name": "Mail &amp; calendar:\n \"late\"", "status": "postmortem", "impact": "minor",
			"created_at": "2026-11-01T10:00:00-05:00", "incident_updates": [
			{"id": "u3", "status": "postmortem", "body": "Why.", "created_at": "2026-11-03T10:00:00-05:00"},
			{"id": "u2", "status": "resolved", "body": "", "created_at": "2026-11-01T12:00:00-05:00"},
			{"id": "u1", "status": "investigating", "body": "Late.", "created_at": "2026-11-01T10:00:00-05:00"}]}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	if c := page.Components[0]; c.Name != "Mail & calendar <beta>" || c.Description != `REST and webhooks of the "new" kind` {
		t.Errorf("the component is %q, %q", c.Name, c.Description)
	}
	if i := page.Issues[0]; i.Title != `Mail & calendar: "late"` || !i.ResolvedAt.Equal(time.Date(2026, 11, 1, 17, 0, 0, 0, time.UTC)) {
		t.Errorf("the issue is %q, resolved at %s", i.Title, i.ResolvedAt)
	}
}

func TestTheAddressOfAStatuspageIsEnough(t *testing.T) {
	t.Parallel()
	web := http.NewServeMux()
	web.Handle("/api/v2/", http.StripPrefix("/api/v2/", http.FileServer(http.Dir("testdata/statuspage"))))
	server := httptest.NewServer(web)
	defer server.Close()
	sources := must(moving.ReadStatuspage(t.Context(), []string{server.URL + "/"}))(t)
	p := must(moving.Statuspage(sources...))(t)
	if len(p.Components) != 4 || len(p.Issues) != 3 || len(p.Maintenances) != 2 {
		t.Errorf("it has %d components, %d incidents, %d maintenances", len(p.Components), len(p.Issues), len(p.Maintenances))
	}
	if _, err := moving.ReadStatuspage(t.Context(), []string{server.URL + "/elsewhere"}); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a page that is not there: %v", err)
	}
}

func TestWhatIsNoStatuspageIsRefusedByName(t *testing.T) {
	for _, text := range []string{`{"a":1}`, `<html>`, `[{"name":7}]`} {
		if _, err := moving.Statuspage(moving.Source{Name: "x.json", Text: []byte(text)}); err == nil || !strings.Contains(err.Error(), "x.json") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestACachetMovesInFromFilesAndFromItsAPI(t *testing.T) {
	t.Parallel()
	web := http.NewServeMux()
	for path, file := range map[string]string{"components/groups": "groups", "components": "components", "incidents": "incidents", "schedules": "schedules"} {
		web.HandleFunc("/api/v1/"+path, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFile(w, r, "testdata/cachet/"+file+".json")
		})
	}
	server := httptest.NewServer(web)
	defer server.Close()
	berlin := must(time.LoadLocation("Europe/Berlin"))(t)
	for name, sources := range map[string][]moving.Source{
		"files": files(t, "cachet/incidents.json", "cachet/schedules.json", "cachet/components.json", "cachet/groups.json"),
		"API":   must(moving.ReadCachet(t.Context(), []string{server.URL}))(t),
	} {
		s := newStore(t)
		count, why := in(t, s, must(moving.Cachet(berlin, sources...))(t), false)
		if count[status.FateCreated] != 6 || count[status.FateFailed] != 0 || !strings.Contains(why["incident cachet-2"], "signed in") {
			t.Errorf("%s: %v: %v", name, count, why)
		}
		issue := must(s.PublicIssue(t.Context(), "cachet-1"))(t)
		if issue.State != status.Resolved || !issue.ResolvedAt.Equal(time.Date(2026, 10, 1, 13, 0, 0, 0, time.UTC)) || issue.Components[0].ComponentID != "cachet-1" || len(issue.Updates) != 2 {
			t.Errorf("%s: the incident became %+v", name, issue)
		}
	}
}

func TestAFeedGivesItsPastAndKnowsWhatTheAPIGave(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	feed := must(moving.Atom(files(t, "history.atom")...))(t)
	count, why := in(t, s, feed, false)
	if count[status.FateCreated] != 1 || count[status.FateSkipped] != 2 {
		t.Errorf("became %v: %v", count, why)
	}
	issue := must(s.PublicIssue(t.Context(), "c5v8n1m7t3rx"))(t)
	if want := "**Resolved** - Latency is < 200 ms again.\n\n**Investigating** - Requests fail."; issue.Updates[0].Body != want {
		t.Errorf("the text is %q", issue.Updates[0].Body)
	}
	if _, why := in(t, s, statuspage(t), false); !strings.Contains(why["incident c5v8n1m7t3rx"], "already") {
		t.Errorf("the API's incident came in a second time: %v", why)
	}
}

func TestAComponentOfTheSameNameIsTheSameComponent(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	_, err := s.Apply(t.Context(), now, func(b status.Board) (status.Changes, error) {
		return status.Revise(b, nil, status.SaveComponent{Component: status.Component{Name: "shop"}}, "jo@example.com", now)
	})
	if err != nil {
		t.Fatal(err)
	}
	p := moving.Page{Arrival: status.Arrival{
		Components: []status.Component{{ID: "theirs", Name: "Shop"}},
		Issues: []status.Issue{{
			ID: "i1", Title: "Down", State: status.Resolved, Impact: status.ImpactMajor, StartedAt: now.Add(-2 * time.Hour), ResolvedAt: now.Add(-time.Hour),
			Components: []status.Affected{{ComponentID: "theirs", Status: status.MajorOutage}},
			Updates:    []status.Update{{ID: "u1", State: "resolved", DisplayAt: now.Add(-time.Hour)}},
		}},
	}, Subscribers: []status.Subscriber{{Email: "a@example.com", Components: []string{"theirs"}}}}
	in(t, s, p, false)
	issue := must(s.PublicIssue(t.Context(), "i1"))(t)
	readers := must(s.Subscribers(t.Context(), "", 9))(t)
	if id := issue.Components[0].ComponentID; id == "theirs" || len(readers) != 1 || readers[0].Components[0] != id {
		t.Errorf("the incident names %s, the reader %v", id, readers)
	}
}

// generated is a page of the Statuspage shape with n incidents.
func generated(n int) moving.Source {
	type object = map[string]any
	components := []object{{"id": "c0", "name": "API", "status": "operational", "created_at": "2020-01-01T00:00:00Z", "group": false, "position": 1}}
	var incidents []object
	for k := range n {
		at := now.Add(-time.Duration(n-k) * 4 * time.Hour)
		stamp := func(after time.Duration) string { return at.Add(after).Format("2006-01-02T15:04:05.000Z07:00") }
		change := func(old, new string) []object {
			return []object{{"code": "c0", "name": "API", "old_status": old, "new_status": new}}
		}
		incidents = append(incidents, object{
			"id": fmt.Sprintf("i%011d", k), "name": fmt.Sprintf("Disturbance %d", k), "status": "resolved", "impact": "major",
			"created_at": stamp(0), "started_at": stamp(0), "updated_at": stamp(time.Hour), "resolved_at": stamp(time.Hour), "monitoring_at": nil,
			"components": []object{}, "incident_updates": []object{
				{"id": fmt.Sprintf("v%011d", k), "status": "resolved", "body": "Over.", "created_at": stamp(time.Hour), "display_at": stamp(time.Hour), "affected_components": change("major_outage", "operational")},
				{"id": fmt.Sprintf("u%011d", k), "status": "investigating", "body": "We look.", "created_at": stamp(0), "display_at": stamp(0), "affected_components": change("operational", "major_outage")},
			},
		})
	}
	text, err := json.Marshal(object{"components": components, "incidents": incidents})
	if err != nil {
		panic(err)
	}
	return moving.Source{Name: "generated", Text: text}
}

// stopping lets n transactions through.
type stopping struct {
	moving.Store
	n int
}

func (s *stopping) Apply(ctx context.Context, at time.Time, fn func(status.Board) (status.Changes, error), subjects ...string) (int64, error) {
	if s.n--; s.n < 0 {
		return 0, fmt.Errorf("the power is gone")
	}
	return s.Store.Apply(ctx, at, fn, subjects...)
}

func TestAnImportThatStoppedGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	p := must(moving.Statuspage(generated(1000)))(t)
	if _, err := (moving.Move{Store: &stopping{s, 3}, Now: now, Progress: func(int, int) {}}).In(t.Context(), p); err == nil {
		t.Fatal("it did not stop")
	}
	count, _ := in(t, s, p, false)
	if count[status.FateCreated] != 600 || count[status.FateSkipped] != 401 {
		t.Errorf("after the stop: %v", count)
	}
}
