package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// openOnce opens an issue for a (rule, group) unless the board has one.
func openOnce(id, group string) func(status.Board) (status.Changes, error) {
	return func(b status.Board) (status.Changes, error) {
		for _, i := range b.Issues {
			if i.Rule == "rule" && i.Group == group && i.Open() {
				return status.Changes{}, nil
			}
		}
		track := status.Track{Key: status.TrackKey{Rule: "rule", Group: group}, Firing: 1, IssueID: id}
		return status.Changes{
			Issues: issuesOf(issue(id, "rule", group)),
			Tracks: map[status.TrackKey]status.Track{track.Key: track},
		}, nil
	}
}

func TestReplicasThatRaceOpenOneIssueEach(t *testing.T) {
	onBothDSN(t, func(t *testing.T, dsn string) {
		replicas := []*store.Store{open(t, dsn), open(t, dsn)}
		var wg sync.WaitGroup
		for g := range 50 {
			for n, s := range replicas {
				wg.Go(func() {
					_, err := s.Apply(t.Context(), noon, openOnce(fmt.Sprintf("issue-%d-of-%d", g, n), fmt.Sprint(g)))
					if err != nil {
						t.Errorf("replica %d, group %d: %v", n, g, err)
					}
				})
			}
		}
		wg.Wait()
		fresh := boardOf(t, open(t, dsn), noon)
		if len(fresh.Issues) != 50 || len(fresh.Tracks) != 50 {
			t.Errorf("%d issues, %d tracks, want 50 each", len(fresh.Issues), len(fresh.Tracks))
		}
		for n, s := range replicas {
			same(t, fmt.Sprintf("the board of replica %d", n), boardOf(t, s, noon), fresh)
		}
	})
}

func TestReplicasDecideOneAfterTheOther(t *testing.T) {
	onBothDSN(t, func(t *testing.T, dsn string) {
		replicas := []*store.Store{open(t, dsn), open(t, dsn)}
		var wg sync.WaitGroup
		for range 50 {
			for _, s := range replicas {
				wg.Go(func() {
					_, err := s.Apply(t.Context(), noon, func(b status.Board) (status.Changes, error) {
						return status.Changes{Minted: b.Minted + 1, Entries: []status.Entry{{At: noon, Action: "minted"}}}, nil
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		log, err := replicas[0].Entries(t.Context(), "", 0)
		if minted := boardOf(t, replicas[0], noon).Minted; minted != 100 || len(log) != 100 || err != nil {
			t.Errorf("100 decisions minted %d ids and wrote %d lines (%v)", minted, len(log), err)
		}
	})
}

func TestAFailedSaveLeavesNothingOnTheBoard(t *testing.T) {
	onBothDSN(t, func(t *testing.T, dsn string) {
		one, two := open(t, dsn), open(t, dsn)
		apply(t, one, status.Changes{Issues: issuesOf(issue("i1", "disk", "{}"))})
		_, err := one.Apply(t.Context(), noon, func(status.Board) (status.Changes, error) {
			return status.Changes{Issues: issuesOf(issue("i2", "disk", "{}"))}, nil
		})
		if err == nil {
			t.Fatal("a second open issue was saved")
		}
		// The revision that failed is now taken by another replica.
		apply(t, two, status.Changes{Issues: issuesOf(issue("i3", "net", "{}"))})
		same(t, "the board after a failure", boardOf(t, one, noon), boardOf(t, two, noon))
	})
}

func TestAReplicaCatchesUpWithAllThatChanged(t *testing.T) {
	onBothDSN(t, func(t *testing.T, dsn string) {
		one, two := open(t, dsn), open(t, dsn)
		boardOf(t, one, noon) // both know the empty board
		boardOf(t, two, noon)
		apply(t, one, everything())
		same(t, "after the first change", boardOf(t, two, noon), boardOf(t, one, noon))

		change := everything()
		next := resolved(change.Issues["i1"], kept)
		next.Title = "other"
		gone := map[status.TimerKey]time.Time{{Kind: status.TimerPublish, Subject: "i1"}: {}}
		apply(t, two, status.Changes{Issues: issuesOf(next), Timers: gone, Minted: 9})
		same(t, "after the second", boardOf(t, one, noon), boardOf(t, two, noon))
		if b := boardOf(t, one, noon); b.Issues["i1"].Title != "other" || len(b.Timers) != 1 || b.Minted != 9 || b.Revision != 2 {
			t.Errorf("issue %q, timers %v, minted %d, revision %d", b.Issues["i1"].Title, b.Timers, b.Minted, b.Revision)
		}
	})
}

func TestABoardHoldsWhatCanStillMoveAndWhatMovedLately(t *testing.T) {
	const long = 100 * time.Hour
	old := func(i status.Issue) status.Issue { return resolved(i, kept.Add(-long)) }
	open1 := issue("open-for-long", "a", "1")
	open1.UpdatedAt = kept.Add(-long)
	draft1 := draft("draft", "a", "2")
	draft1.UpdatedAt = kept.Add(-long)
	dismissed := draft("dismissed", "a", "3")
	dismissed.Stage, dismissed.UpdatedAt = status.Dismissed, kept.Add(-long)
	plan := func(id string, state status.MaintenanceState, ended time.Time) status.Maintenance {
		m := maintenance(id)
		m.State, m.EndedAt, m.UpdatedAt, m.SeriesID = state, ended, kept.Add(-long), ""
		return m
	}
	signal := func(name string, firing bool, seen time.Time) status.Signal {
		return status.Signal{Key: status.SignalKey{Source: "s", Fingerprint: name}, Firing: firing, SeenAt: seen}
	}
	track := func(name string) status.Track {
		return status.Track{Key: status.TrackKey{Rule: "r", Group: name}, Since: kept.Add(-long), QuietSince: kept.Add(-long)}
	}
	firing, timed, settled, tied := track("firing"), track("timed"), track("settled"), track("tied")
	firing.Firing, firing.QuietSince, settled.Settled, tied.IssueID = 1, time.Time{}, true, "tied"
	quiet := track("quiet-lately")
	quiet.QuietSince = kept.Add(-time.Hour)
	archived := component("archived")
	archived.Archived = true

	c := status.Changes{
		Components: componentsOf(component("shown"), archived),
		Issues: issuesOf(open1, draft1, dismissed, resolved(issue("lately", "a", "4"), kept.Add(-47*time.Hour)),
			old(issue("tied", "a", "5")), old(issue("timed", "a", "6")), old(issue("over", "a", "7"))),
		Maintenances: maintenancesOf(plan("ahead", status.Scheduled, time.Time{}),
			plan("ended-lately", status.Completed, kept.Add(-time.Hour)), plan("ended", status.Cancelled, kept.Add(-long))),
		Signals: map[status.SignalKey]status.Signal{},
		Tracks:  map[status.TrackKey]status.Track{},
		Timers: map[status.TimerKey]time.Time{
			{Kind: status.TimerPublish, Subject: "timed"}:           kept,
			{Kind: status.TimerSettle, Subject: timed.Key.String()}: kept,
		},
	}
	for _, s := range []status.Signal{signal("fires", true, kept.Add(-long)), signal("lately", false, kept.Add(-time.Hour)), signal("over", false, kept.Add(-long))} {
		c.Signals[s.Key] = s
	}
	for _, tr := range []status.Track{firing, timed, settled, tied, quiet, track("over")} {
		c.Tracks[tr.Key] = tr
	}

	onBothDSN(t, func(t *testing.T, dsn string) {
		apply(t, open(t, dsn), c)
		b := boardOf(t, open(t, dsn), noon)
		same(t, "components", keys(b.Components), []string{"archived", "shown"})
		same(t, "issues", keys(b.Issues), []string{"draft", "lately", "open-for-long", "tied", "timed"})
		same(t, "maintenances", keys(b.Maintenances), []string{"ahead", "ended-lately"})
		same(t, "signals", keysOf(b.Signals, func(k status.SignalKey) string { return k.Fingerprint }), []string{"fires", "lately"})
		same(t, "tracks", keysOf(b.Tracks, func(k status.TrackKey) string { return k.Group }),
			[]string{"firing", "quiet-lately", "settled", "tied", "timed"})
	})
}

func TestSubjectsComeOntoTheBoardHoweverOld(t *testing.T) {
	onBothDSN(t, func(t *testing.T, dsn string) {
		old := maintenance("plan")
		old.State, old.EndedAt, old.UpdatedAt = status.Completed, kept.Add(-1000*time.Hour), kept.Add(-1000*time.Hour)
		old.SeriesID = "" // occurrences to come stay
		past := resolved(issue("issue", "r", "g"), kept.Add(-1000*time.Hour))
		apply(t, open(t, dsn), status.Changes{Issues: issuesOf(past), Maintenances: maintenancesOf(old)})
		s := open(t, dsn)
		if b := boardOf(t, s, noon); len(b.Issues)+len(b.Maintenances) != 0 {
			t.Error("old things are on the board unasked")
		}
		b := boardOf(t, s, noon, "issue", "plan", "nothing", "")
		same(t, "issue", b.Issues, issuesOf(past))
		same(t, "maintenance", b.Maintenances, maintenancesOf(old))
	})
}

func TestOldThingsLeaveTheBoardInTime(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		apply(t, s, status.Changes{Issues: issuesOf(resolved(issue("i", "r", "g"), kept))})
		if n := len(boardOf(t, s, noon.Add(time.Hour)).Issues); n != 1 {
			t.Errorf("%d issues after an hour", n)
		}
		if n := len(boardOf(t, s, noon.Add(50*time.Hour)).Issues); n != 0 {
			t.Errorf("%d issues after two days", n)
		}
	})
}

func TestDueIsTheEarliestTimerOrStep(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		due := func(want time.Time) {
			t.Helper()
			if got, err := s.Due(t.Context()); err != nil || !got.Equal(want) {
				t.Errorf("due %v (%v), want %v", got, err, want)
			}
		}
		due(time.Time{})
		m := maintenance("m")
		m.AutoStart, m.AutoEnd = false, false
		m.ScheduledFor, m.ScheduledUntil = kept.Add(time.Hour), kept.Add(2*time.Hour)
		apply(t, s, status.Changes{Maintenances: maintenancesOf(m)})
		due(time.Time{})
		m.AutoStart, m.AutoEnd = true, true
		apply(t, s, status.Changes{Maintenances: maintenancesOf(m)})
		due(m.ScheduledFor)
		m.State, m.StartedAt = status.Verifying, kept
		apply(t, s, status.Changes{Maintenances: maintenancesOf(m)})
		due(m.ScheduledUntil)
		apply(t, s, status.Changes{Timers: map[status.TimerKey]time.Time{{Kind: status.TimerHold, Subject: "x"}: kept}})
		due(kept)
	})
}

func TestAnotherReplicasChangeWakes(t *testing.T) {
	t.Parallel()
	dsn := postgres(t)
	wake, stop := open(t, dsn).Changed()
	defer stop()
	wokenByAnother(t, dsn, wake)
}

// wokenByAnother saves as another replica until wake comes: as long as the
// listener is not connected, nobody can hear.
func wokenByAnother(t *testing.T, dsn string, wake <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	other := open(t, dsn)
	for {
		apply(t, other, status.Changes{Issues: issuesOf(issue("i", "r", "g"))})
		select {
		case <-wake:
			return
		case <-ctx.Done():
			t.Fatal("the listener heard nothing from another replica")
		default:
		}
	}
}

func TestWhatAnotherProcessWritesIntoTheFileIsOverheardAndWhatWeWriteIsNot(t *testing.T) {
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "shared.db")
	s, other := open(t, dsn), open(t, dsn)
	wake, stop := s.Changed()
	defer stop()
	woken := func() bool {
		t.Helper()
		if err := s.Overhear(t.Context()); err != nil {
			t.Fatal(err)
		}
		select {
		case <-wake:
			return true
		default:
			return false
		}
	}
	woken() // the first time nobody knows
	for range 3 {
		apply(t, s, status.Changes{Issues: issuesOf(issue("ours", "r", "g"))})
		<-wake
		if woken() {
			t.Error("it wakes for what it wrote itself")
		}
		apply(t, other, status.Changes{Issues: issuesOf(issue("theirs", "r", "h"))})
		apply(t, s, status.Changes{Entries: []status.Entry{{At: noon, Actor: "jo", Action: "noted"}}}) // wakes nobody
		if !woken() {
			t.Error("another process wrote, and nobody was woken")
		}
		boardOf(t, other, noon)
		if woken() {
			t.Error("another process read, and that wakes")
		}
	}
}

func TestOnlyNewsAndLostConnectionsWake(t *testing.T) {
	s, err := store.Open(t.Context(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wake, stop := s.Changed()
	for _, c := range []struct {
		revision int64
		wakes    bool
		why      string
	}{
		{5, true, "news"},
		{5, false, "an echo"},
		{4, false, "late"},
		{6, true, "news"},
		{0, true, "the connection was lost"},
	} {
		s.Heard(c.revision)
		select {
		case <-wake:
			if !c.wakes {
				t.Errorf("woken by %d: %s", c.revision, c.why)
			}
		default:
			if c.wakes {
				t.Errorf("not woken by %d: %s", c.revision, c.why)
			}
		}
	}
	stop()
	s.Heard(9)
	select {
	case <-wake:
		t.Error("woken after stop")
	default:
	}
}
