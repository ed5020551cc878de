package store_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// everything is a change of all there is.
func everything() status.Changes {
	hurt := filled[status.Component]("c")
	hurt.ID, hurt.Status = "c1", status.MajorOutage
	group := filled[status.Group]("g")
	group.ID = "g1"
	open, closed := issue("i1", "disk", "{}"), resolved(issue("i2", "disk", "{}"), kept)
	plan := filled[status.Maintenance]("m")
	plan.ID, plan.State = "m1", status.Verifying
	signal := filled[status.Signal]("s")
	track := filled[status.Track]("t")
	track.Firing, track.QuietSince = 3, time.Time{}
	bare := status.Signal{Key: status.SignalKey{Source: "bare"}, Firing: true}
	return status.Changes{
		Minted:       7,
		Components:   componentsOf(hurt),
		Groups:       map[string]status.Group{group.ID: group},
		Issues:       issuesOf(open, closed),
		Maintenances: maintenancesOf(plan),
		Signals:      map[status.SignalKey]status.Signal{signal.Key: signal, bare.Key: bare},
		Tracks:       map[status.TrackKey]status.Track{track.Key: track},
		Timers: map[status.TimerKey]time.Time{
			{Kind: status.TimerHold, Subject: track.Key.String()}: kept.Add(time.Minute),
			{Kind: status.TimerPublish, Subject: "i1"}:            kept.Add(time.Hour),
		},
	}
}

func TestWhatApplySavesIsWhatANewStoreLoads(t *testing.T) {
	onBothDSN(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		want := status.NewBoard(boardOf(t, s, noon).Seed)
		want.Merge(everything())
		want.Revision = 1
		apply(t, s, everything())
		same(t, "the board that saved", boardOf(t, s, noon), want)
		same(t, "the board that loaded", boardOf(t, open(t, dsn), noon), want)
	})
}

func TestTimesInMemoryAreThoseOfTheDatabase(t *testing.T) {
	onBothDSN(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		zone := time.FixedZone("somewhere", 3*3600)
		i := issue("i1", "disk", "{}")
		i.StartedAt = noon.In(zone)
		i.Updates[0].DisplayAt = noon.In(zone)
		i.Held = map[status.Field]status.Hold{status.FieldTitle: {By: "a", At: noon}}
		i.Notes[0].At, i.Suggestions[0].At = noon, noon
		m := maintenance("m1")
		m.Updates[1].CreatedAt = noon
		signal := filled[status.Signal]("s")
		signal.SeenAt = noon
		apply(t, s, status.Changes{
			Issues: issuesOf(i), Maintenances: maintenancesOf(m),
			Signals: map[status.SignalKey]status.Signal{signal.Key: signal},
			Timers:  map[status.TimerKey]time.Time{{Kind: status.TimerSettle, Subject: "x"}: noon},
		})
		same(t, "memory and database", boardOf(t, s, noon), boardOf(t, open(t, dsn), noon))
		if got := boardOf(t, s, noon).Issues["i1"].StartedAt; !got.Equal(kept) || got.Location() != time.UTC {
			t.Errorf("started at %v", got)
		}
	})
}

func TestHostileTextIsKept(t *testing.T) {
	onBothDSN(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		signal := status.Signal{
			Key: status.SignalKey{Source: "s", Fingerprint: "f"}, Firing: true, URL: "nul\x00 \\u0000 \\",
			Labels: map[string]string{"a": "nul\x00", "b\x00": "bad \xff byte", "c": `'; DROP TABLE issues; --`, "d": "\\\x00\\"},
		}
		apply(t, s, status.Changes{Signals: map[status.SignalKey]status.Signal{signal.Key: signal}})
		signal.URL = "nul\ufffd \\u0000 \\"
		signal.Labels = map[string]string{"a": "nul\ufffd", "b\ufffd": "bad \ufffd byte", "c": `'; DROP TABLE issues; --`, "d": "\\\ufffd\\"}
		same(t, "signal", boardOf(t, open(t, dsn), noon).Signals[signal.Key], signal)
	})
}

func TestAnEmptyChangeSavesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		if r := apply(t, s, status.Changes{Minted: 99, Result: "x"}); r != 0 {
			t.Errorf("revision %d", r)
		}
		if b := boardOf(t, s, noon); b.Minted != 0 {
			t.Errorf("minted %d", b.Minted)
		}
	})
}

func TestAnEmptyChangeWakesNobody(t *testing.T) {
	s := open(t, "sqlite::memory:")
	wake, stop := s.Changed()
	defer stop()
	apply(t, s, status.Changes{Minted: 99})
	select {
	case <-wake:
		t.Error("somebody was woken for nothing")
	default:
	}
}

func TestWhatAlertsSayWakesNobodyUntilItStirsSomething(t *testing.T) {
	s := open(t, "sqlite::memory:")
	wake, stop := s.Changed()
	defer stop()
	signal := status.Signal{Key: status.SignalKey{Source: "am", Fingerprint: "f"}, Firing: true}
	track := status.Track{Key: status.TrackKey{Rule: "r", Group: "g"}, Firing: 1}
	quiet := status.Changes{
		Signals: map[status.SignalKey]status.Signal{signal.Key: signal}, Tracks: map[status.TrackKey]status.Track{track.Key: track},
		Verdicts: []status.Verdict{{WebhookID: "w", State: status.WebhookProcessed}},
	}
	apply(t, s, quiet)
	select {
	case <-wake:
		t.Error("the publisher and the senders were woken for an alert that nobody can see")
	default:
	}
	quiet.Timers = map[status.TimerKey]time.Time{{Kind: status.TimerHold, Subject: track.Key.String()}: kept}
	apply(t, s, quiet)
	<-wake // the clock has something to do
}

func TestEachSavedDecisionBumpsTheRevisionAndWakes(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		wake, stop := s.Changed()
		defer stop()
		for n := int64(1); n <= 3; n++ {
			if r := apply(t, s, status.Changes{Issues: issuesOf(issue("i", "r", "g"))}); r != n {
				t.Errorf("revision %d, want %d", r, n)
			}
			<-wake
		}
		if r, err := s.Revision(t.Context()); r != 3 || err != nil {
			t.Errorf("Revision is %d (%v)", r, err)
		}
	})
}

func TestARemovedTimerIsGone(t *testing.T) {
	onBothDSN(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		hold := status.TimerKey{Kind: status.TimerHold, Subject: "a\x1fb"}
		publish := status.TimerKey{Kind: status.TimerPublish, Subject: "i"}
		apply(t, s, status.Changes{Timers: map[status.TimerKey]time.Time{hold: kept, publish: kept}})
		apply(t, s, status.Changes{Timers: map[status.TimerKey]time.Time{hold: {}}})
		want := map[status.TimerKey]time.Time{publish: kept}
		same(t, "in memory", boardOf(t, s, noon).Timers, want)
		same(t, "loaded", boardOf(t, open(t, dsn), noon).Timers, want)
	})
}

// together calls Apply with all functions while another call holds the board,
// so that they share the next transaction. It returns their errors.
func together(t *testing.T, s *store.Store, fns ...func(status.Board) (status.Changes, error)) ([]int64, []error) {
	t.Helper()
	entered, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = s.Apply(context.Background(), noon, func(status.Board) (status.Changes, error) {
			close(entered)
			<-release
			return status.Changes{}, nil
		})
	})
	<-entered
	errs, revisions := make([]error, len(fns)), make([]int64, len(fns))
	for n, fn := range fns {
		before := s.Waiting()
		wg.Go(func() { revisions[n], errs[n] = s.Apply(context.Background(), noon, fn) })
		for s.Waiting() == before {
			runtime.Gosched()
		}
	}
	close(release)
	wg.Wait()
	return revisions, errs
}

func opens(id string) func(status.Board) (status.Changes, error) {
	return func(status.Board) (status.Changes, error) {
		return status.Changes{Issues: issuesOf(issue(id, "rule", id))}, nil
	}
}

func TestCallersThatWaitShareOneTransaction(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		var fns []func(status.Board) (status.Changes, error)
		for n := range 40 {
			fns = append(fns, opens(fmt.Sprint("i", n)))
		}
		statements := s.CountStatements()
		revisions, errs := together(t, s, fns...)
		for n := range fns {
			if errs[n] != nil || revisions[n] != 1 {
				t.Errorf("caller %d: revision %d (%v)", n, revisions[n], errs[n])
			}
		}
		if n := len(boardOf(t, s, noon).Issues); n != 40 {
			t.Errorf("%d issues", n)
		}
		// Two locks, one load of the board, one save of issues, board and notice.
		if n := statements.Load(); n > 20 {
			t.Errorf("%d statements for 40 callers", n)
		}
	})
}

func TestEachCallerSeesWhatThoseBeforeItDecided(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		var fns []func(status.Board) (status.Changes, error)
		for n := range 10 {
			fns = append(fns, func(b status.Board) (status.Changes, error) {
				if len(b.Issues) != n || b.Minted != int64(n) {
					return status.Changes{}, fmt.Errorf("caller %d saw %d issues, %d minted", n, len(b.Issues), b.Minted)
				}
				id := fmt.Sprint("i", n)
				return status.Changes{Minted: b.Minted + 1, Issues: issuesOf(issue(id, "r", id))}, nil
			})
		}
		if _, errs := together(t, s, fns...); errors.Join(errs...) != nil {
			t.Error(errors.Join(errs...))
		}
	})
}

func TestAFailingFunctionSpoilsNothingForItsNeighbours(t *testing.T) {
	onBothDSN(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		_, errs := together(t, s, opens("a"),
			func(status.Board) (status.Changes, error) {
				c, _ := opens("no")(status.Board{})
				return c, status.ErrConflict
			},
			func(status.Board) (status.Changes, error) { panic("at the disco") },
			opens("b"))
		if errs[0] != nil || errs[3] != nil {
			t.Errorf("the neighbours failed: %v, %v", errs[0], errs[3])
		}
		if !errors.Is(errs[1], status.ErrConflict) {
			t.Errorf("want the function's own error, got %v", errs[1])
		}
		if errs[2] == nil || !strings.Contains(errs[2].Error(), "at the disco") {
			t.Errorf("want the panic, got %v", errs[2])
		}
		for _, board := range []status.Board{boardOf(t, s, noon), boardOf(t, open(t, dsn), noon)} {
			if _, there := board.Issues["no"]; there || len(board.Issues) != 2 {
				t.Errorf("issues are %v", board.Issues)
			}
		}
	})
}

func TestOneOpenIssuePerRuleAndGroup(t *testing.T) {
	onBothDSN(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		first := issue("i1", "disk", "{}")
		apply(t, s, status.Changes{Issues: issuesOf(first)})
		second := func(status.Board) (status.Changes, error) {
			return status.Changes{Issues: issuesOf(draft("i2", "disk", "{}"))}, nil
		}
		_, errs := together(t, s, opens("before"), second, opens("after"))
		if errs[1] == nil {
			t.Error("a second open issue of the same alerts was saved")
		}
		if errs[0] != nil || errs[2] != nil {
			t.Errorf("its neighbours failed: %v, %v", errs[0], errs[2])
		}
		for _, board := range []status.Board{boardOf(t, s, noon), boardOf(t, open(t, dsn), noon)} {
			if len(board.Issues) != 3 {
				t.Errorf("%d issues on the board", len(board.Issues))
			}
		}
	})
}

func TestAnIssueMayTakeOverFromOneThatEndsInTheSameChange(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		for n := range 10 { // the order of rows must not be a matter of luck
			old, next := issue(fmt.Sprint("i", n), "disk", "{}"), issue(fmt.Sprint("i", n+1), "disk", "{}")
			apply(t, s, status.Changes{Issues: issuesOf(resolved(old, kept), next)})
		}
	})
}

func TestAManualIssueIsOutsideTheOneOpenRule(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		a, b := issue("i1", "", ""), issue("i2", "", "")
		a.Origin, b.Origin = status.Manual, status.Manual
		apply(t, s, status.Changes{Issues: issuesOf(a, b)})
	})
}

// refusedBySchema are changes that no decision may come to. The store owns what
// it is handed, so each run gets its own.
func refusedBySchema() map[string]status.Changes {
	wrong := map[string]status.Changes{}
	bad := func(name string, spoil func(*status.Issue)) {
		i := issue("i", "r", "g")
		spoil(&i)
		wrong[name] = status.Changes{Issues: issuesOf(i)}
	}
	bad("an unknown state", func(i *status.Issue) { i.State = "on fire" })
	bad("an unknown impact", func(i *status.Issue) { i.Impact = "" })
	bad("an unknown stage", func(i *status.Issue) { i.Stage = "public" })
	bad("published, but never", func(i *status.Issue) { i.PublishedAt = time.Time{} })
	bad("resolved, but never", func(i *status.Issue) { i.State = status.Resolved })
	bad("dismissed after it was public", func(i *status.Issue) { i.Stage = status.Dismissed })
	bad("from alerts without a rule", func(i *status.Issue) { i.Rule = "" })
	badPlan := func(name string, spoil func(*status.Maintenance)) {
		m := maintenance("m")
		spoil(&m)
		wrong[name] = status.Changes{Maintenances: maintenancesOf(m)}
	}
	badPlan("an unknown maintenance state", func(m *status.Maintenance) { m.State = "" })
	badPlan("a maintenance that ends before it starts", func(m *status.Maintenance) { m.ScheduledUntil = m.ScheduledFor.Add(-1e9) })
	badPlan("running, but never started", func(m *status.Maintenance) { m.State = status.InProgress })
	badPlan("completed, but never ended", func(m *status.Maintenance) { m.State = status.Completed })
	c := component("c")
	c.Status = "fine"
	wrong["an unknown component status"] = status.Changes{Components: componentsOf(c)}
	wrong["an unknown timer"] = status.Changes{Timers: map[status.TimerKey]time.Time{{Kind: "egg", Subject: "x"}: noon}}
	one, two := component("c1"), component("c2")
	two.Slug = one.Slug
	wrong["two components of one slug"] = status.Changes{Components: componentsOf(one, two)}
	return wrong
}

func TestTheStateMachinesAreRestatedInTheSchema(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		for name, c := range refusedBySchema() {
			_, err := s.Apply(t.Context(), noon, func(status.Board) (status.Changes, error) { return c, nil })
			if err == nil {
				t.Errorf("%s was saved", name)
			}
		}
		if r, err := s.Revision(t.Context()); r != 0 || err != nil {
			t.Errorf("revision %d (%v)", r, err)
		}
	})
}

func TestStatementsPerBatchDoNotGrowWithTheAlerts(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		statements := s.CountStatements()
		boardOf(t, s, noon) // loads the board
		cost := func(n int) int64 {
			c := everything()
			c.Entries = filled[[]status.Entry]("e")
			c.Verdicts = []status.Verdict{{WebhookID: "w", State: status.WebhookProcessed}}
			signal := filled[status.Signal]("s")
			for i := range n {
				signal.Key.Fingerprint = fmt.Sprint(i)
				track := status.Track{Key: status.TrackKey{Rule: "r", Group: fmt.Sprint(i)}, Firing: 1}
				c.Signals[signal.Key], c.Tracks[track.Key] = signal, track
				c.Timers[status.TimerKey{Kind: status.TimerHold, Subject: track.Key.String()}] = kept
				c.Timers[status.TimerKey{Kind: status.TimerSettle, Subject: track.Key.String()}] = time.Time{}
			}
			before := statements.Load()
			apply(t, s, c)
			return statements.Load() - before
		}
		few, many := cost(10), cost(10_000)
		if few != many || many > 16 {
			t.Errorf("%d statements for 10 alerts, %d for 10,000", few, many)
		}
		if n := len(boardOf(t, s, noon).Signals); n != 10_002 {
			t.Errorf("%d signals", n)
		}
	})
}

func TestACallerWhoseTimeIsUpLeavesTheLine(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		entered, release := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			_, _ = s.Apply(context.Background(), noon, func(status.Board) (status.Changes, error) {
				close(entered)
				<-release
				return status.Changes{}, nil
			})
		})
		<-entered
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.Apply(ctx, noon, opens("late"))
		close(release)
		wg.Wait()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("want the end of the context, got %v", err)
		}
		if n := len(boardOf(t, s, noon).Issues); n != 0 {
			t.Error("who left the line decided nevertheless")
		}
	})
}

func TestSourcesAndRulesInUseAreKept(t *testing.T) {
	onBothDSN(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		state := status.SourceState{Name: "am", Receiver: "page", HeartbeatAt: kept, AskedSince: kept, Err: "e"}
		apply(t, s, status.Changes{Sources: map[string]status.SourceState{"am": state}})
		same(t, "source", boardOf(t, open(t, dsn), noon).Sources["am"], state)

		for _, hash := range []string{"used", "idle"} {
			if err := s.KeepRules(t.Context(), &status.Rules{Hash: hash, File: "r", Source: []byte("version: 1")}, noon); err != nil {
				t.Fatal(err)
			}
		}
		i := issue("i1", "r", "g")
		i.RulesHash = "used"
		apply(t, s, status.Changes{Issues: issuesOf(i)})
		got, err := s.RulesInUse(t.Context())
		if err != nil || len(got) != 1 || got[0].Hash != "used" || got[0].Text != "version: 1" {
			t.Errorf("in use: %+v, %v", got, err)
		}
	})
}
