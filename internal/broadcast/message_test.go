package broadcast

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

const pageURL = "https://status.example.com"

func mustCompose(t *testing.T, s Story) Message {
	t.Helper()
	m, err := Compose(s, pageURL)
	if err != nil {
		t.Fatalf("Compose: %v", err)
	}
	return m
}

func issueStory(event status.Event, i status.Issue, update string) Story {
	return Story{Event: event, Issue: &i, UpdateID: update, Components: newShelf().components}
}

func TestAMessageTellsOfOneUpdate(t *testing.T) {
	m := mustCompose(t, issueStory(status.EventOpen, openCheckout(), "u1"))
	if m.State != "Investigating" || m.Tone != ToneTrouble || m.Title != "Checkout is unavailable in eu-west" {
		t.Errorf("it says %q (%s): %q", m.State, m.Tone, m.Title)
	}
	if m.Body != "We are seeing **failing checkouts** since 12:00 UTC. More soon." || !m.At.Equal(noon) {
		t.Errorf("it says %q at %v", m.Body, m.At)
	}
	if m.Link != "https://status.example.com/issues/i1#update-u1" {
		t.Errorf("it links to %s", m.Link)
	}
}

func TestHiddenComponentsAreNeverNamed(t *testing.T) {
	m := mustCompose(t, issueStory(status.EventOpen, openCheckout(), "u1"))
	want := []Affected{
		{"Checkout", "partial outage", status.PartialOutage}, {"Payments", "degraded performance", status.DegradedPerformance},
	}
	if !slices.Equal(m.Affected, want) {
		t.Errorf("it names %v, want %v", m.Affected, want)
	}
}

func TestAResolvedMessageSaysHowLongItLasted(t *testing.T) {
	m := mustCompose(t, issueStory(status.EventResolve, checkoutDown(), "u3"))
	want := "It lasted 42 minutes, from 22 November 2026, 12:00 UTC to 22 November 2026, 12:42 UTC."
	if m.State != "Resolved" || m.Tone != ToneGood || !slices.Equal(m.Facts, []string{want}) {
		t.Errorf("it says %q (%s) with %q", m.State, m.Tone, m.Facts)
	}
	for _, a := range m.Affected {
		if a.State != "" {
			t.Errorf("it still calls %s %q", a.Name, a.State)
		}
	}
}

func TestALateMessageKnowsWhatCameSince(t *testing.T) {
	for _, c := range []struct {
		issue  status.Issue
		update string
		since  string
		over   bool
	}{
		{openCheckout(), "u2", "", false},
		{openCheckout(), "u1", "Identified", false},
		{checkoutDown(), "u1", "Resolved", true},
		{checkoutDown(), "u3", "", false},
	} {
		m := mustCompose(t, issueStory(status.EventUpdate, c.issue, c.update))
		if m.Since != c.since || m.Over != c.over {
			t.Errorf("%s: since %q, over %v; want %q, %v", c.update, m.Since, m.Over, c.since, c.over)
		}
	}
}

func TestAMaintenanceTellsItsWindowAndItsTextUntilAnUpdateHasOne(t *testing.T) {
	w := databaseWork()
	story := Story{Event: status.EventMaintenanceScheduled, Maintenance: &w, UpdateID: "w1", Components: newShelf().components}
	m := mustCompose(t, story)
	want := "Planned from 23 November 2026, 12:00 UTC to 23 November 2026, 14:00 UTC (2 hours)."
	if m.State != "Scheduled" || m.Tone != TonePlanned || m.Body != "We upgrade the database." || !slices.Equal(m.Facts, []string{want}) {
		t.Errorf("it says %q (%s) %q %q", m.State, m.Tone, m.Body, m.Facts)
	}
	if m.Link != "https://status.example.com/maintenance/m1#update-w1" || !slices.Equal(m.Affected, []Affected{{Name: "Payments"}}) {
		t.Errorf("it links to %s and names %v", m.Link, m.Affected)
	}
	story.UpdateID = "w2"
	if m = mustCompose(t, story); m.State != "Completed" || m.Body != "All done." || m.Facts != nil {
		t.Errorf("at the end it says %q %q %q", m.State, m.Body, m.Facts)
	}
}

func TestAPlannedMaintenanceSaysWhenItTakesPlaceAgain(t *testing.T) {
	w := databaseWork()
	w.State = status.Scheduled
	story := Story{
		Event: status.EventMaintenanceReminder, Maintenance: &w, UpdateID: "r1", Components: newShelf().components,
		Again: []time.Time{noon.AddDate(0, 1, 0), noon.AddDate(0, 2, 0)},
	}
	m := mustCompose(t, story)
	if want := "This maintenance repeats. Next dates: 22 December 2026, 12:00 UTC · 22 January 2027, 12:00 UTC."; !slices.Contains(m.Facts, want) {
		t.Errorf("it says %q, not %q", m.Facts, want)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for tag, l := range languages {
		facts := strings.Join(l.span(m, berlin), " ")
		if !strings.Contains(facts, l.moment(story.Again[1], berlin)) {
			t.Errorf("%s: %q does not name the last date", tag, facts)
		}
	}
	story.Event, story.UpdateID, w.State = status.EventMaintenanceEnded, "w2", status.Completed
	if m = mustCompose(t, story); m.Again != nil {
		t.Errorf("at the end it says %q", m.Facts)
	}
}

func TestWhatThePublicMayNotSeeIsNotComposed(t *testing.T) {
	for _, stage := range []status.Stage{status.Draft, status.Internal, status.Dismissed} {
		i := openCheckout()
		i.Stage = stage
		assertPermanent(t, string(stage), issueStory(status.EventOpen, i, "u1"))
	}
	assertPermanent(t, "an update that is gone", issueStory(status.EventOpen, openCheckout(), "u9"))
	assertPermanent(t, "no story at all", Story{Event: status.EventOpen, UpdateID: "u1"})
}

func assertPermanent(t *testing.T, name string, s Story) {
	t.Helper()
	_, err := Compose(s, pageURL)
	if _, permanent := errors.AsType[Permanent](err); !permanent {
		t.Errorf("%s: error is %v, want a permanent one", name, err)
	}
}

func TestAMessageHasAWordForEveryState(t *testing.T) {
	for _, s := range status.IssueStates {
		if _, known := stateWords[string(s)]; !known {
			t.Errorf("there is no word for %s", s)
		}
	}
	for _, s := range status.MaintenanceStates {
		if _, known := stateWords[string(s)]; !known {
			t.Errorf("there is no word for %s", s)
		}
	}
	for _, s := range status.ComponentStatuses {
		if componentWords[s] == "" {
			t.Errorf("there is no word for %s", s)
		}
	}
	for _, s := range stateWords {
		if glyphs[s.tone] == "" || looks[s.tone].glyph == "" {
			t.Errorf("tone %s has no glyph", s.tone)
		}
	}
}

func TestDurationsAreWrittenInTheirTwoLargestUnits(t *testing.T) {
	for d, want := range map[time.Duration]string{
		10 * time.Second: "less than a minute", time.Minute: "1 minute", 42 * time.Minute: "42 minutes",
		time.Hour: "1 hour", 61 * time.Minute: "1 hour 1 minute", 26*time.Hour + 30*time.Minute: "1 day 2 hours", 48 * time.Hour: "2 days",
	} {
		if got := lasted(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestMarkdownBecomesSafeHTML(t *testing.T) {
	html := render("**Bold** <script>alert(1)</script> ![pixel](https://evil.example/p.gif) [x](javascript:alert(1)) [ok](https://ok.example/)\n\n- one\n- two\n\n\u202eevil")
	for _, bad := range []string{"<script", "<img", "javascript:", "\u202e", "p.gif"} {
		if strings.Contains(html, bad) {
			t.Errorf("%q is in %s", bad, html)
		}
	}
	for _, good := range []string{"<strong>Bold</strong>", `href="https://ok.example/"`, "<li>one</li>"} {
		if !strings.Contains(html, good) {
			t.Errorf("%q is not in %s", good, html)
		}
	}
}
