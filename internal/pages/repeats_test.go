package pages

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// repeating is a calm page with one maintenance that repeats by a rule, in Berlin.
func repeating(rule string) status.View {
	v := calm()
	begins := time.Date(2026, 12, 6, 1, 0, 0, 0, time.UTC) // a Sunday
	m := maintenance("rr1", "Database upgrade", begins, begins.Add(time.Hour), "api")
	m.SeriesID, m.Occurrence = "series", begins
	v.Maintenances = append(v.Maintenances, m)
	v.Repeating = []status.MaintenanceSeries{{
		ID: "series", Version: 1, Recurrence: status.Recurrence{Rule: rule, TimeZone: "Europe/Berlin"}, Begins: begins, Planned: begins, PlanAt: begins,
	}}
	return v
}

func TestAMaintenanceSaysHowItRepeatsAndWhenItTakesPlaceAgain(t *testing.T) {
	for code, want := range map[string]string{
		"en":    "every first Sunday of the month, 02:00 (Europe/Berlin)",
		"de":    "jeden ersten Sonntag im Monat, 02:00 Uhr (Europe/Berlin)",
		"es":    "el primer domingo de cada mes, 02:00 (Europe/Berlin)",
		"fr":    "le premier dimanche de chaque mois, 02:00 (Europe/Berlin)",
		"ja":    "毎月第1日曜日 02:00（Europe/Berlin）",
		"pt-BR": "todo mês: domingo, primeira ocorrência, 02:00 (Europe/Berlin)",
	} {
		v := repeating("FREQ=MONTHLY;BYDAY=1SU")
		e := newEdition(v, noon, time.Time{}, nil).in(tongue(t, code))
		if got := e.repeats(v.Maintenances[len(v.Maintenances)-1]); got == nil || got.Words != want || len(got.Next) != 3 || got.Next[0].At.ISO != "2027-01-03T01:00:00Z" {
			t.Errorf("%s: %+v, want %q and three dates", code, got, want)
		}
	}
}

func TestPageFeedAndCalendarTellThatAMaintenanceRepeats(t *testing.T) {
	p, err := newPress(settings())
	if err != nil {
		t.Fatal(err)
	}
	e := p.edition(repeating("FREQ=MONTHLY;BYMONTHDAY=6"), noon, time.Time{}, nil)
	m := e.view.Maintenances[len(e.view.Maintenances)-1]
	page, err := e.render("maintenance", p.work(e, m), 0)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(page); strings.Contains(text, "Repeats") || !strings.Contains(text, "Next dates") || !strings.Contains(text, `datetime="2027-02-06T01:00:00Z"`) {
		t.Error("the page of a rule that no short sentence tells wants dates, and no words")
	}
	want := "Next dates: 6 January 2027, 01:00 UTC; 6 February 2027, 01:00 UTC; 6 March 2027, 01:00 UTC; …"
	if note := e.calendarNote(m); !strings.Contains(note, want) {
		t.Errorf("the calendar says %q", note)
	}
	if text := e.planned(m); !strings.Contains(text, "<br>\n"+want) {
		t.Errorf("the feed says %q", text)
	}
	once := e.view.Maintenances[0]
	if r := e.repeats(once); r != nil || strings.Contains(e.planned(once), "<br>") {
		t.Errorf("what does not repeat says %+v", r)
	}
}

func TestTheFrontPageShowsASeriesOnceWithLinksToItsNextDates(t *testing.T) {
	v := repeating("FREQ=WEEKLY")
	first := v.Maintenances[len(v.Maintenances)-1]
	for n := 1; n < 8; n++ {
		next := first
		next.ID = fmt.Sprintf("rr%d", n+1)
		next.ScheduledFor, next.ScheduledUntil = first.ScheduledFor.AddDate(0, 0, 7*n), first.ScheduledUntil.AddDate(0, 0, 7*n)
		if n == 5 {
			next.Title = "Database upgrade, the long one" // somebody changed it
		}
		v.Maintenances = append(v.Maintenances, next)
	}
	slices.SortFunc(v.Maintenances, func(a, b status.Maintenance) int { return b.ScheduledFor.Compare(a.ScheduledFor) }) // as the store lists them
	p, err := newPress(settings())
	if err != nil {
		t.Fatal(err)
	}
	e := p.edition(v, noon, time.Time{}, nil)
	f := p.front(e)
	var told []string
	for _, c := range f.Upcoming {
		if c.Repeats != nil {
			told = append(told, c.ID+": "+c.Repeats.Words+" "+c.Repeats.Next[0].Path)
		}
	}
	want := []string{
		"rr1: every Sunday, 02:00 (Europe/Berlin) /maintenance/rr2",
		"rr6: every Sunday, 02:00 (Europe/Berlin) /maintenance/rr7",
	}
	if !slices.Equal(told, want) {
		t.Errorf("the front page shows %q, want %q", told, want)
	}
	told = nil
	for _, entry := range p.history(e).entries {
		if _, id, _ := strings.Cut(entry.url, "/maintenance/"); strings.HasPrefix(id, "rr") {
			told = append(told, id)
		}
	}
	slices.Sort(told)
	if !slices.Equal(told, []string{"rr1", "rr6"}) {
		t.Errorf("the feed has entries for %q, want rr1 and rr6", told)
	}
}

func TestASeriesThatEndsSaysHowManyDatesFollow(t *testing.T) {
	for rule, want := range map[string]string{
		"FREQ=WEEKLY;COUNT=4":          "",           // three follow, all are told
		"FREQ=WEEKLY;COUNT=8":          "and 4 more", // this one, three and four
		"FREQ=WEEKLY":                  "",           // "every Sunday" says it
		"FREQ=MONTHLY;BYMONTHDAY=6":    "…",
		"FREQ=MONTHLY;BYMONTHDAY=6,20": "…",
	} {
		v := repeating(rule)
		e := newEdition(v, noon, time.Time{}, nil).in(tongue(t, "en"))
		m := v.Maintenances[len(v.Maintenances)-1]
		if r := e.repeats(m); r == nil || len(r.Next) != 3 || r.More != want {
			t.Errorf("%s: %+v, want three dates and %q", rule, r, want)
		}
		if text := e.repeatsText(m); strings.HasSuffix(text, "; "+want) != (want != "") {
			t.Errorf("%s in feeds: %q", rule, text)
		}
	}
}
