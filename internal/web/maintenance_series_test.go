package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// occurrences lists the maintenances of the site, the soonest first.
func (s *site) occurrences() []status.Maintenance {
	s.t.Helper()
	plans, err := s.store.Maintenances(s.t.Context(), 100)
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Reverse(plans)
	return plans
}

// weekly is the form of an hour every Tuesday at 02:00 in Berlin.
func weekly() url.Values {
	return url.Values{
		"title": {"Database upgrade"}, "from": {"2026-01-06T02:00"}, "until": {"2026-01-06T03:00"}, "zone": {"Europe/Berlin"},
		"repeat": {"weekly"}, "days": {"TU"}, "auto_start": {"1"}, "auto_end": {"1"},
	}
}

func TestAWeeklyMaintenanceIsPlannedInTheLocalTimeOfItsZone(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Responder)
	b.post("/admin/maintenance/new", with(weekly(), "last_day", "2026-04-07")).want(t, http.StatusSeeOther)
	all := s.occurrences()
	if len(all) != 8 || !all[0].ScheduledFor.Equal(time.Date(2026, 1, 6, 1, 0, 0, 0, time.UTC)) {
		t.Fatalf("%d occurrences, the first %v", len(all), all[0].ScheduledFor)
	}
	path := "/admin/maintenance/" + all[1].ID
	b.get("/admin/maintenance").want(t, http.StatusOK, "Every week on Tuesday, until 2026-04-07, at 02:00 Europe/Berlin", "7 later of this series")
	b.get(path).want(t, http.StatusOK, "Before this one", "and so on", "Save only this one", "Cancel this and all later ones", `value="2026-01-13T02:00"`)
	b.get("/admin/maintenance/month?month=2026-04").want(t, http.StatusOK, "00:00 Database upgrade <span class=\"quiet\">(to come)")
}

func TestOneOccurrenceOrAllLaterOnesAreEdited(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Responder)
	b.post("/admin/maintenance/new", weekly()).want(t, http.StatusSeeOther)
	all := s.occurrences()
	path := "/admin/maintenance/" + all[1].ID
	edit := func(change ...string) url.Values {
		f := inputs(b.get(path).body, path)
		f.Del("silent")
		return with(f, change...)
	}
	b.post(path, edit("title", "Only this")).want(t, http.StatusSeeOther)
	b.post(path, edit("repeat", "daily")).want(t, http.StatusUnprocessableEntity, "changes with all later ones only")
	b.post(path, edit("scope", "later", "from", "2026-01-13T04:00", "until", "2026-01-13T05:00")).want(t, http.StatusSeeOther)
	all = s.occurrences()
	if all[0].ScheduledFor.Hour() != 1 || all[1].Title != "Only this" || all[2].ScheduledFor.Hour() != 3 || all[2].Title != "Database upgrade" {
		t.Errorf("%v %s, %v %s", all[0].ScheduledFor, all[1].Title, all[2].ScheduledFor, all[2].Title)
	}
	b.post(path, edit("scope", "later", "repeat", "daily", "times", "2")).want(t, http.StatusSeeOther)
	if all = s.occurrences(); all[2].ScheduledFor.Day() != 14 || all[3].State != status.Cancelled {
		t.Errorf("the third on %v, the fourth %s", all[2].ScheduledFor, all[3].State)
	}
}

func TestASeriesIsCancelledFromItsPage(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Responder)
	b.post("/admin/maintenance/new", weekly()).want(t, http.StatusSeeOther)
	path := "/admin/maintenance/" + s.occurrences()[1].ID
	b.post(path+"/update", url.Values{"version": {"1"}, "state": {"cancelled-later"}}).want(t, http.StatusSeeOther)
	for n, m := range s.occurrences() {
		if cancelled := m.State == status.Cancelled; cancelled != (n > 0) {
			t.Errorf("%v is %s", m.ScheduledFor, m.State)
		}
	}
	b.get(path).want(t, http.StatusOK, "A series that was called off")
}

func TestABadRecurrenceKeepsWhatWasTyped(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Responder)
	for _, c := range []struct {
		want   string
		change []string
	}{
		{"is no time zone; name one such as Europe/Berlin", []string{"zone", "Berlin"}},
		{"the first that it gives is Wednesday, 7 January 2026", []string{"days", "WE"}},
		{"write the rule, such as", []string{"repeat", "rule"}},
		{"is no rule of RFC 5545", []string{"repeat", "rule", "rule", "now and then"}},
		{"is not a day such as", []string{"last_day", "soon"}},
		{"not both", []string{"last_day", "2026-02-01", "times", "3"}},
	} {
		b.post("/admin/maintenance/new", with(weekly(), c.change...)).want(t, http.StatusUnprocessableEntity, c.want, "Database upgrade")
	}
	if all := s.occurrences(); len(all) != 0 {
		t.Errorf("%d were planned", len(all))
	}
}

func TestEveryChoiceOfRepeatingReadsBackAsItWasMade(t *testing.T) {
	for _, c := range []struct {
		words  string
		change []string
	}{
		{"Every day, 3 times", []string{"repeat", "daily", "times", "3"}},
		{"Every month on the first Tuesday", []string{"repeat", "monthly"}},
		{"Every month on the last Tuesday", []string{"repeat", "last", "from", "2026-01-27T02:00", "until", "2026-01-27T03:00"}},
		{"By the rule FREQ=WEEKLY;INTERVAL=2", []string{"repeat", "rule", "rule", "FREQ=WEEKLY;INTERVAL=2"}},
		{"By the rule FREQ=WEEKLY;BYDAY=TU;INTERVAL=2", []string{"repeat", "rule", "rule", "FREQ=WEEKLY;BYDAY=TU;INTERVAL=2"}},
	} {
		s := newSite(t)
		b := s.signedIn(status.Responder)
		b.post("/admin/maintenance/new", with(weekly(), c.change...)).want(t, http.StatusSeeOther)
		m := s.occurrences()[0]
		page := b.get("/admin/maintenance/" + m.ID)
		page.want(t, http.StatusOK, c.words, `<option value="`+c.change[1]+`" selected>`)
		f := with(inputs(page.body, "/admin/maintenance/"+m.ID), "scope", "later", "title", "Other words")
		f.Del("silent")
		b.post("/admin/maintenance/"+m.ID, f).want(t, http.StatusSeeOther)
		if now := s.occurrences(); !now[0].ScheduledFor.Equal(m.ScheduledFor) || len(now[len(now)-1].Updates) != 1 || now[len(now)-1].Title != "Other words" {
			t.Errorf("%s: words alone moved it: %+v", c.words, now[len(now)-1])
		}
	}
}

func TestTheAPIRepeatsChangesAndCancelsASeries(t *testing.T) {
	s := newSite(t)
	token := s.machine(status.TokenMaintenance)
	made := token.do("POST", "/maintenance", `{"title":"Upgrade","scheduled_for":"2026-01-06T01:00:00Z","scheduled_until":"2026-01-06T02:00:00Z",
		"recurrence":{"rrule":"FREQ=WEEKLY","time_zone":"Europe/Berlin"}}`)
	made.want(t, http.StatusCreated, `"rrule":"FREQ=WEEKLY"`, `"occurrence":"2026-01-06T01:00:00Z"`)
	second := "/maintenance/" + s.occurrences()[1].ID
	token.do("PATCH", second, `{"recurrence":{"rrule":"FREQ=DAILY"}}`, "If-Match", "*").want(t, http.StatusUnprocessableEntity, "all later ones")
	token.do("PATCH", second, `{"later":true,"title":"Reindex"}`, "If-Match", "*").want(t, http.StatusOK, "Reindex")
	if all := s.occurrences(); all[0].Title != "Upgrade" || all[7].Title != "Reindex" {
		t.Errorf("%s, %s", all[0].Title, all[7].Title)
	}
	token.do("POST", second+"/updates", `{"state":"cancelled","later":true}`, "If-Match", "*").want(t, http.StatusCreated, `"ended_at":"2026`)
	if all := s.occurrences(); all[0].State != status.Scheduled || all[7].State != status.Cancelled {
		t.Errorf("%s, %s", all[0].State, all[7].State)
	}
	if !strings.Contains(made.body, `"time_zone":"Europe/Berlin"`) {
		t.Error(made.body)
	}
}
