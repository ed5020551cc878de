package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// live fills a store with n alerts that came and went days ago, one in ten of
// them with a group and an issue of its own.
func live(t testing.TB, s *store.Store, n int) {
	t.Helper()
	then := kept.Add(-100 * time.Hour)
	for from := 0; from < n; from += 20_000 {
		c := status.Changes{
			Signals: map[status.SignalKey]status.Signal{}, Tracks: map[status.TrackKey]status.Track{}, Issues: map[string]status.Issue{},
		}
		for i := from; i < min(n, from+20_000); i++ {
			region := fmt.Sprint("past-", i/10)
			track := status.TrackKey{Rule: "disk-full", Group: status.GroupKey(map[string]string{"region": region})}
			key := status.SignalKey{Source: "am", Fingerprint: fmt.Sprintf("%016x", i)}
			c.Signals[key] = status.Signal{
				Key: key, Labels: map[string]string{"alertname": "DiskFull", "region": region, "instance": fmt.Sprint("old-", i)},
				StartsAt: then.Add(-time.Hour), EndsAt: then, OrderedAt: then, ReceivedAt: then, SeenAt: then, Episodes: 1,
				Tracks: []status.TrackKey{track}, Level: "info", Impact: status.ImpactNone,
			}
			if i%10 > 0 {
				continue
			}
			c.Tracks[track] = status.Track{Key: track, Labels: map[string]string{"region": region}, LastIssue: region, LastEndedAt: then, LastEndedBy: status.Automation}
			was := resolved(issue(region, track.Rule, track.Group), then)
			was.UpdatedAt = then
			c.Issues[region] = was
		}
		if _, err := s.Apply(context.Background(), then, func(status.Board) (status.Changes, error) { return c, nil }); err != nil {
			t.Fatal(err)
		}
	}
}

// scan is a step of a plan that reads a table from end to end; a scan of an
// index that holds only what fires is none.
var scan = regexp.MustCompile(`^SCAN (signals|tracks|issues|entries|webhooks|announcements|timers)$`)

func TestWhatAWebhookReadsAndWritesDoesNotGrowWithThePast(t *testing.T) {
	var first map[string]int
	for _, past := range []int{100, 5_000} {
		file := "sqlite:" + filepath.Join(t.TempDir(), "past.db")
		live(t, open(t, file), past)
		s := open(t, file) // as after a restart
		d, taken := openDoor(t, s), s.RecordStatements()
		took := map[string]int{}
		for _, step := range []struct {
			what string
			body []byte
		}{
			{"the first after a start", storm("eu", 3, noon.Add(-time.Minute), time.Time{})},
			{"it repeats", storm("eu", 3, noon.Add(-time.Minute), time.Time{})},
			{"one more", storm("eu", 4, noon.Add(-time.Minute), time.Time{})},
			{"what is long past, again", storm("past-0", 3, noon.Add(-time.Minute), time.Time{})},
			{"it ends", storm("eu", 4, noon.Add(-time.Minute), noon.Add(-time.Second))},
		} {
			d.post(step.body)
			statements := taken()
			took[step.what] = len(statements)
			for _, query := range statements {
				plan, err := s.Plan(t.Context(), query)
				if err != nil {
					t.Fatalf("%v: %s", err, query)
				}
				// A board that is loaded looks through groups and issues, which are few
				// beside alerts; afterwards nothing is looked through.
				tables := plan
				if step.what == "the first after a start" {
					tables = slices.DeleteFunc(slices.Clone(plan), func(step string) bool { return step != "SCAN signals" })
				}
				if slices.ContainsFunc(tables, scan.MatchString) {
					t.Errorf("%s: %q\nof %s", step.what, plan, query)
				}
			}
		}
		if boarded := len(boardOf(t, s, noon).Signals); boarded > 20 {
			t.Errorf("%d alerts are on the board", boarded)
		}
		if first == nil {
			first = took
		} else if fmt.Sprint(first) != fmt.Sprint(took) {
			t.Errorf("after 100 alerts of the past: %v statements, after %d: %v", first, past, took)
		}
	}
	t.Log("statements a webhook:", first)
}

// BenchmarkAfterHistory is one webhook of three alerts, from the door to the end
// of its work, after so many alerts of the past.
func BenchmarkAfterHistory(b *testing.B) {
	for _, past := range []int{100, 10_000, 1_000_000} {
		b.Run(fmt.Sprint(past, "-past-alerts"), func(b *testing.B) {
			s, err := store.Open(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "past.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			if _, err := s.Migrate(b.Context()); err != nil {
				b.Fatal(err)
			}
			live(b, s, past)
			d := openDoor(b, s)
			d.post(storm("eu", 3, noon, time.Time{}))
			for n := 0; b.Loop(); n++ {
				d.post(storm("eu", 3, noon.Add(time.Duration(n)*time.Minute), noon.Add(time.Duration(n)*time.Minute+30*time.Second)))
			}
		})
	}
}
