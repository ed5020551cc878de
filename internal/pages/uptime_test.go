package pages

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// row is the words of the cells of the table's row that a header names.
func tableRow(t *testing.T, page, name string) []string {
	t.Helper()
	for n, th := range pick(t, page, "tbody tr") {
		if cells := pick(t, page, "tbody tr")[n]; strings.HasPrefix(words(th), name) {
			var out []string
			for c := range cells.ChildNodes() {
				out = append(out, words(c))
			}
			return out
		}
	}
	t.Fatalf("no row of %s", name)
	return nil
}

func TestUptimeStandsInATableByMonth(t *testing.T) {
	page := body(t, published(t, calm()), "/uptime")
	if got, want := texts(t, page, "thead th"), []string{"Component", "90 days", "Sep 2026", "Oct 2026", "Nov 2026 so far"}; !slices.Equal(got, want) {
		t.Errorf("columns %q, want %q", got, want)
	}
	for name, want := range map[string][]string{
		"API":           {"API", "99.96%", "100%", "99.95%", "99.93%"},
		"Search":        {"Search", "100%since 12 Oct", "No data", "100%since 12 Oct", "100%"},
		"Card payments": {"Card payments", "99.89%", "100%", "100%", "99.55%"},
		"Payments":      {"Payments", "99.76%", "99.62%", "100%", "99.55%"},
	} {
		if got := tableRow(t, page, name); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if notes := strings.Join(texts(t, page, "p.fine"), " "); !strings.Contains(notes, "partial outage as 30% of its time") || !strings.Contains(notes, "A group counts as down while any of its components is.") {
		t.Errorf("the page does not say how it counts: %q", notes)
	}
	if scroll := pick(t, page, ".scroll"); attr(scroll[0], "tabindex") != "0" || attr(scroll[0], "role") != "region" {
		t.Error("a table that is too wide cannot be scrolled by keyboard")
	}
}

func TestOldMonthsOfUptimeAreReadWhenAskedFor(t *testing.T) {
	p, w, _ := stage(t, settings(), calm())
	w.old = []status.Issue{ // begins in May and ends in June
		resolve(issue("old1", "Long ago", time.Date(2026, 5, 31, 12, 0, 0, 0, time.UTC), status.ImpactMajor, hit("website", status.MajorOutage)), 24*time.Hour, "Over."),
	}
	page := body(t, p, "/uptime/2026-06")
	if got, want := tableRow(t, page, "Website"), []string{"Website", "No data", "98.03%since 6 May", "98.33%"}; len(got) != 4 || !slices.Equal(got[1:], want[1:]) {
		t.Errorf("%q, want %q", got, want)
	}
	if next := pick(t, page, "[rel=next]"); len(next) != 1 || attr(next[0], "href") != "/uptime/2026-09" {
		t.Error("no way to the next months")
	}
	for _, path := range []string{"/uptime/2026-12", "/uptime/1999-01", "/uptime/x"} {
		if _, err := p.Demand(t.Context(), path); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestAComponentHasAPageOfItsOwn(t *testing.T) {
	p := published(t, storm())
	page := body(t, p, "/components/cards")
	if h1 := texts(t, page, "h1"); !slices.Equal(h1, []string{"Card payments"}) {
		t.Errorf("heading %q", h1)
	}
	if got, want := texts(t, page, "dl.data dd"), []string{"94.23%", "99.11%", "99.48%", "99.82%"}; !slices.Equal(got, want) {
		t.Errorf("uptime of a day, 7, 30 and 90 days: %q, want %q", got, want)
	}
	if got := texts(t, page, "article.item h4"); !slices.Equal(got, []string{"Payment provider switch", "Card payments and payouts are failing", "Card payments declined"}) {
		t.Errorf("its issues and maintenance: %q", got)
	}
	if front := rowOf(t, storm(), time.UTC, "Card payments"); front.Uptime != "99.82%" {
		t.Errorf("the front page says %s", front.Uptime)
	}
	if calm := body(t, p, "/components/docs"); !strings.Contains(calm, "No issues in the last 90 days.") {
		t.Error("a component without issues does not say so")
	}
	for _, slug := range []string{"nothing", "", "a/b"} {
		if _, err := p.Demand(t.Context(), "/components/"+slug); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("%q: %v", slug, err)
		}
	}
}

func TestAComponentWithoutAPastHasNoData(t *testing.T) {
	v := calm()
	v.Components[0].CreatedAt = noon
	page := body(t, published(t, v), "/components/website")
	if got := texts(t, page, "dl.data dd"); !slices.Equal(got, []string{"No data", "No data", "No data", "No data"}) {
		t.Errorf("%q", got)
	}
}

func TestACorrectionMovesUptimeAndIsShown(t *testing.T) {
	v := calm()
	began := v.Issues[2].StartedAt // cards: a major outage of 137 minutes
	v.Corrections = []status.Correction{{
		ID: "co1", ComponentID: "cards", From: began, To: began.Add(137 * time.Minute), Status: status.Operational,
		Reason: "The probe <b>was</b> at fault.", By: "ops@example.com", CreatedAt: noon.Add(-time.Hour),
	}, {ID: "co2", ComponentID: "vault", From: began, To: noon, Status: status.MajorOutage, Reason: "secret", CreatedAt: noon}}
	p := published(t, v)
	if got := rowOf(t, v, time.UTC, "Card payments"); got.Uptime != "100%" || strings.Contains(got.Summary, "major") {
		t.Errorf("%s, %s", got.Uptime, got.Summary)
	}
	for _, path := range []string{"/uptime", "/components/cards", "/issues/aa3"} {
		page := body(t, p, path)
		if notes := texts(t, page, "#correction-co1 p"); len(notes) != 2 || notes[0] != "Card payments, 4 Nov, 07:00 UTC – 09:17 UTC: it was no outage. The probe <b>was</b> at fault." {
			t.Errorf("%s: %q", path, notes)
		}
		if strings.Contains(page, "ops@") || strings.Contains(page, "secret") {
			t.Errorf("%s tells who corrected, or of a component that is not public", path)
		}
	}
	for _, path := range []string{"/components/api", "/issues/aa1"} {
		if strings.Contains(body(t, p, path), "correction-") {
			t.Errorf("%s shows the correction of another component", path)
		}
	}
}

func TestACorrectionShowsAsSoonAsItIsMadeAndGoesWhenWithdrawn(t *testing.T) {
	p, w, clock := stage(t, settings(), calm())
	began := calm().Issues[2].StartedAt
	for _, step := range []struct {
		corrections []status.Correction
		want        string
	}{
		{nil, "99.89%"},
		{[]status.Correction{{ID: "co1", ComponentID: "cards", From: began, To: began.Add(137 * time.Minute), Status: status.Operational, Reason: "r", CreatedAt: noon}}, "100%"},
		{nil, "99.89%"},
	} {
		w.change(func(v *status.View) { v.Corrections = step.corrections })
		clock.now = clock.now.Add(time.Second)
		if err := p.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := tableRow(t, body(t, p, "/uptime"), "Card payments")[1]; got != step.want {
			t.Errorf("with %d corrections the table says %s, want %s", len(step.corrections), got, step.want)
		}
		if got := texts(t, body(t, p, "/components/cards"), "dl.data dd")[3]; got != step.want {
			t.Errorf("with %d corrections the component says %s, want %s", len(step.corrections), got, step.want)
		}
		if page := body(t, p, "/"); !strings.Contains(page, `<span class="share">`+step.want+"</span>") || strings.Contains(page, "4 Nov 2026: major outage 2 h 17 min") != (step.corrections == nil) {
			t.Errorf("with %d corrections the front page does not say %s", len(step.corrections), step.want)
		}
	}
}

func TestADayWithACorrectedOutageIsNotCalledQuiet(t *testing.T) {
	v := calm()
	at := noon.AddDate(0, 0, -1)
	v.Corrections = []status.Correction{{ID: "co1", ComponentID: "cards", From: at, To: at.Add(time.Hour), Status: status.MajorOutage, Reason: "r", CreatedAt: noon}}
	page := body(t, published(t, v), "/")
	if refs := texts(t, page, ".ref"); !slices.Equal(refs, []string{"Corrected: Card payments: Major outage"}) {
		t.Errorf("%q", refs)
	}
	if days := texts(t, page, ".day h3"); days[0] != "22 Nov 2026" || days[1] != "21 Nov 2026" {
		t.Errorf("days %q", days)
	}
}

func TestWeightsChangeWhatCounts(t *testing.T) {
	cfg := settings()
	cfg.Weights = status.Weights{status.MajorOutage: 1, status.PartialOutage: 1, status.DegradedPerformance: 0.5}
	p, _, _ := stage(t, cfg, calm())
	page := body(t, p, "/uptime")
	if got := tableRow(t, page, "Webhooks"); got[4] != "99.92%" {
		t.Errorf("%q, want 48 minutes of degraded performance as half", got)
	}
	if note := texts(t, page, "p.fine")[0]; !strings.HasPrefix(note, "Counted as downtime: major outage in full, partial outage in full, degraded performance as 50% of its time. Not counted: maintenance.") {
		t.Errorf("%q", note)
	}
}
