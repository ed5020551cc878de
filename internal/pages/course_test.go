package pages

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestTheCourseOfAnIssueIsDrawnAndTold(t *testing.T) {
	page := body(t, published(t, calm()), "/issues/aa1")
	var told []string
	for _, svg := range pick(t, page, ".course svg") {
		told = append(told, attr(svg, "aria-label"))
	}
	want := []string{
		"6 events, told below",
		"API: partial outage from 20 Nov, 09:11 UTC to 10:16 UTC",
		"Dashboard: degraded performance from 20 Nov, 09:11 UTC to 10:16 UTC",
	}
	if !slices.Equal(told, want) {
		t.Errorf("lanes %q, want %q", told, want)
	}
	marks := pick(t, page, ".course rect")
	last := marks[len(marks)-1] // the whole length, for the component was hit from beginning to end
	if attr(last, "x") != "0.0" || attr(last, "width") != "1000.0" || attr(last, "class") != classSlow {
		t.Errorf("the outage is drawn from %s, %s long, as %s", attr(last, "x"), attr(last, "width"), attr(last, "class"))
	}
}

func TestTheCourseOfAnIssueThatGoesOnEndsNow(t *testing.T) {
	page := body(t, published(t, storm()), "/issues/st1")
	if axis := texts(t, page, ".course .axis"); !slices.Equal(axis, []string{"22 Nov, 10:37 UTCnow"}) {
		t.Errorf("axis %q", axis)
	}
	if !strings.Contains(page, `aria-label="Card payments: major outage since 22 Nov, 10:37 UTC"`) {
		t.Error("an outage that goes on is told with an end")
	}
}

func TestTheCourseTellsWhoMadeAnIssuePublicAndNothingPrivate(t *testing.T) {
	v := calm()
	i := issue("seen", "Slow", noon.Add(-time.Hour), status.ImpactMinor, hit("vault", status.MajorOutage), hit("api", status.DegradedPerformance))
	i.Confirmed, i.Rule, i.Group, i.GroupLabels = true, "secret-rule", "secret-group", map[string]string{"customer": "secret-label"}
	i.Notes = []status.Note{{At: noon, Text: "secret-note"}}
	v.Issues = append(v.Issues, listed(i)...)
	page := body(t, published(t, v), "/issues/seen")
	if !strings.Contains(page, "Confirmed by our team") || strings.Contains(page, "Published automatically") {
		t.Error("a confirmed issue is not told as such")
	}
	if strings.Contains(page, "secret") || strings.Contains(page, "vault") {
		t.Error("private words are on the page")
	}
	i.Origin, i.Rule = status.Manual, ""
	v.Issues[len(v.Issues)-1] = &i
	if page := body(t, published(t, v), "/issues/seen"); strings.Contains(page, "Alert fired") {
		t.Error("an issue that a person opened is told as an alert")
	}
}
