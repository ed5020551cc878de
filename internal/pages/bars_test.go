package pages

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// rowOf is the row of a component on the front page.
func rowOf(t *testing.T, v status.View, zone *time.Location, name string) row {
	t.Helper()
	for _, s := range newEdition(v, noon, time.Time{}, nil).sections(zone, status.DefaultWeights) {
		for _, r := range s.Rows {
			if r.Name == name {
				return r
			}
		}
	}
	t.Fatalf("no row of %s", name)
	return row{}
}

func TestADayTakesTheLookOfItsWorstMoment(t *testing.T) {
	r := rowOf(t, calm(), time.UTC, "API")
	for _, c := range []struct {
		ago   int
		class string
		title string
	}{
		{0, classOK, "22 Nov 2026: no problems"},
		{2, classPart, "20 Nov 2026: partial outage 1 h 5 min"},
		{9, classWork, "13 Nov 2026: under maintenance 1 h 30 min"},
		{47, classDown, "6 Oct 2026: major outage 22 min"},
	} {
		if got := r.Bars[barDays-1-c.ago]; got != (bar{c.class, c.title}) {
			t.Errorf("%d days ago: %v, want %s %q", c.ago, got, c.class, c.title)
		}
	}
	if r.Uptime != "99.96%" {
		t.Errorf("uptime %s", r.Uptime)
	}
	want := "99.96% uptime in the last 90 days. 20 Nov 2026: partial outage 1 h 5 min; 6 Oct 2026: major outage 22 min"
	if r.Summary != want {
		t.Errorf("summary %q, want %q", r.Summary, want)
	}
}

func TestDaysBeforeAComponentExistedHaveNoData(t *testing.T) {
	r := rowOf(t, calm(), time.UTC, "Search") // starts 41 days ago
	none := 0
	for _, b := range r.Bars {
		if b.Class == classNone {
			none++
		}
	}
	if none != barDays-42 || r.Bars[0].Title != "25 Aug 2026: no data" {
		t.Errorf("%d days without data, first %q", none, r.Bars[0].Title)
	}
	if !strings.Contains(r.Summary, "since 12 October 2026") {
		t.Errorf("summary %q", r.Summary)
	}
}

func TestOverlappingOutagesCountOnceADay(t *testing.T) {
	v := calm()
	at := noon.AddDate(0, 0, -1)
	v.Issues = append(v.Issues, listed(
		resolve(issue("ov1", "One", at, status.ImpactMajor, hit("wallets", status.PartialOutage)), 60*time.Minute, "Over."),
		resolve(issue("ov2", "Two", at.Add(30*time.Minute), status.ImpactMajor, hit("wallets", status.MajorOutage)), 60*time.Minute, "Over."))...)
	r := rowOf(t, v, time.UTC, "Wallets")
	if got, want := r.Bars[barDays-2].Title, "21 Nov 2026: major outage 1 h, partial outage 30 min"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAnOutageThatGoesOnIsToldByItsBeginning(t *testing.T) {
	r := rowOf(t, storm(), time.UTC, "Card payments")
	if got, want := r.Bars[barDays-1].Title, "22 Nov 2026: major outage since 10:37 UTC"; got != want {
		t.Errorf("%q, want %q: a duration would change the page every minute", got, want)
	}
}

func TestDaysOfClockChangesAreWhole(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	days := lastDays(noon, zone, barDays) // 25 October 2026 has 25 hours there
	lengths := map[time.Duration]int{}
	for n := range barDays {
		lengths[days[n+1].Sub(days[n])]++
		if h, m, s := days[n].Clock(); h+m+s != 0 {
			t.Errorf("day %d begins at %v", n, days[n])
		}
	}
	if lengths[25*time.Hour] != 1 || lengths[24*time.Hour] != barDays-1 {
		t.Errorf("lengths %v", lengths)
	}
	v := calm() // an outage from 23:30 to 00:30 of that zone falls on two days
	begin := time.Date(2026, 10, 25, 23, 30, 0, 0, zone)
	v.Issues = append(v.Issues, listed(resolve(issue("dst", "Night", begin, status.ImpactMajor, hit("docs", status.MajorOutage)), time.Hour, "Over."))...)
	r := rowOf(t, v, zone, "Documentation")
	var bad []string
	for _, b := range r.Bars {
		if b.Class == classDown {
			bad = append(bad, b.Title)
		}
	}
	if !slices.Equal(bad, []string{"25 Oct 2026: major outage 30 min", "26 Oct 2026: major outage 30 min"}) {
		t.Errorf("%q", bad)
	}
}

func TestUptimeIsNeverRoundedUp(t *testing.T) {
	for share, want := range map[float64]string{1: "100%", 0.999999: "99.99%", 0.9996: "99.96%", 0.999: "99.90%", 0.5: "50.00%", 0: "0%", 0.30000000000000004: "30.00%"} {
		if got := english().percent(share); got != want {
			t.Errorf("%v is shown as %s, want %s", share, got, want)
		}
	}
}

func TestThePageSaysHowUptimeIsCounted(t *testing.T) {
	if got, want := english().weights(status.DefaultWeights), "Counted as downtime: major outage in full, partial outage as 30% of its time. Not counted: degraded performance, maintenance."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestEachBarAndEachRowHasWords(t *testing.T) {
	page := body(t, published(t, storm()), "/")
	rows := pick(t, page, "ul.rows li")
	bars := pick(t, page, "div.bars")
	if len(rows) != 9 || len(bars) != 9 {
		t.Fatalf("%d rows and %d rows of bars, want 9", len(rows), len(bars))
	}
	for n, b := range bars {
		if attr(b, "role") != "img" || !strings.Contains(attr(b, "aria-label"), "uptime") {
			t.Errorf("row %d: no summary for those who do not see the bars", n)
		}
	}
	for _, i := range pick(t, page, "div.bars i") {
		if attr(i, "title") == "" && attr(i.Parent, "title") == "" {
			t.Errorf("a bar without a title, of %q", attr(i.Parent, "class"))
		}
	}
	for _, s := range pick(t, page, ".state") {
		if words(s) == "" || len(pick(t, page, ".state svg")) == 0 {
			t.Error("a state without word or glyph")
		}
	}
}

func TestDaysWithoutAnEventAreTitledTogether(t *testing.T) {
	page := body(t, published(t, calm()), "/")
	rows, wide := len(pick(t, page, "div.bars")), len(pick(t, page, "div.bars span.wide i"))
	if all := len(pick(t, page, "div.bars i")); all != rows*barDays || wide != rows*(barDays-barDaysSlim) {
		t.Errorf("%d bars in %d rows, %d of them not on phones", all, rows, wide)
	}
	for _, title := range []string{
		"25 Aug – 5 Oct 2026: no problems",      // until the outage of the API, all on wide screens only
		"7 – 23 Oct 2026: no problems",          // after it, up to the days that phones show
		"24 Oct – 12 Nov 2026: no problems",     // up to its maintenance
		"14 – 19 Nov 2026: no problems",         // up to its partial outage
		"20 Nov 2026: partial outage 1 h 5 min", // which stands alone
		"21 – 22 Nov 2026: no problems",
		"25 Aug – 11 Oct 2026: no data", // before Search was there
	} {
		if !strings.Contains(page, `title="`+title+`"`) {
			t.Errorf("no bars are titled %q", title)
		}
	}
}
