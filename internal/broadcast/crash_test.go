package broadcast

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/broadcast/smtpsink"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
	"github.com/statusbridge/statusbridge/internal/store/pgtest"
)

// The environment of a sending process: its database, its mail server, whether
// it marks in batches, and whether its clock is fast.
const (
	senderEnv = "STATUSBRIDGE_TEST_SENDER"
	serverEnv = "STATUSBRIDGE_TEST_SERVER"
	batchEnv  = "STATUSBRIDGE_TEST_BATCH"
	hurryEnv  = "STATUSBRIDGE_TEST_HURRY" // since when its clock is fast
)

// send is a replica that does nothing but send, until it is killed.
func send() {
	s, err := store.Open(context.Background(), os.Getenv(senderEnv))
	if err != nil {
		panic(err)
	}
	var outbox Outbox = s
	if os.Getenv(batchEnv) != "" {
		outbox = &batchedMarks{Outbox: s}
	}
	e, err := NewEmail(EmailConfig{URL: os.Getenv(serverEnv), From: "status@acme.example", PublicURL: pageURL, PageName: "Acme Status"})
	if err != nil {
		panic(err)
	}
	wake, _ := s.Changed()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	var clock Clock = bubbleClock{}
	if since, err := time.Parse(time.RFC3339Nano, os.Getenv(hurryEnv)); err == nil {
		clock = fastClock{since}
	}
	_ = New(Config{PublicURL: pageURL}, outbox, s, []Sender{e}, clock, log).Run(context.Background(), wake)
	os.Exit(0)
}

// fastClock runs five times as fast as time since a moment, in every process:
// the lease of a dead sender is over after four seconds.
type fastClock struct{ since time.Time }

const hurry = 5

func (c fastClock) Now() time.Time { return c.since.Add(hurry * time.Since(c.since)) }

func (c fastClock) Wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	return bubbleClock{}.Wait(ctx, d/hurry, wake)
}

// batchedMarks is the planted fault: it says that a mail is marked and writes
// it down later, with many others.
type batchedMarks struct {
	Outbox
	mu      sync.Mutex
	waiting []func() error
}

func (b *batchedMarks) MarkSent(_ context.Context, id string, attempt int, providerID string, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = append(b.waiting, func() error {
		return b.Outbox.MarkSent(context.Background(), id, attempt, providerID, now)
	})
	if len(b.waiting) < 1000 {
		return nil
	}
	var all sync.WaitGroup
	for _, mark := range b.waiting {
		all.Go(func() { _ = mark() })
	}
	all.Wait()
	b.waiting = nil
	return nil
}

// crowd is a database with n subscribers and an issue that was just published.
func crowd(t *testing.T, dsn string, n int) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows := make([]status.Subscriber, n)
	for i := range rows {
		rows[i].Email = fmt.Sprintf("person%d@example.com", i)
	}
	now := time.Now()
	if _, err := s.Import(t.Context(), now, rows, true, false); err != nil {
		t.Fatal(err)
	}
	// A minute ago: what a person publishes can be undone for ten seconds.
	publish(t, s, "Checkout is unavailable in eu-west", now.Add(-time.Minute))
	return s
}

func publish(t *testing.T, s *store.Store, title string, now time.Time) {
	t.Helper()
	_, err := s.Apply(t.Context(), now, func(b status.Board) (status.Changes, error) {
		return status.Revise(b, nil, status.OpenIssue{Title: title, Body: "We are **looking** into it. More soon.", Publish: true}, "ada@acme.example", now)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// replica starts a sending process over the database.
func replica(t *testing.T, dsn, url string, batch bool) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), senderEnv+"="+dsn, serverEnv+"="+url)
	if batch {
		cmd.Env = append(cmd.Env, batchEnv+"=1")
	}
	if _, long := loadOf(0); !long {
		cmd.Env = append(cmd.Env, hurryEnv+"="+testsBegan.Format(time.RFC3339Nano))
	}
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

var testsBegan = time.Now()

// kill9 ends a process as a power cut would.
func kill9(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// loadOf is how many recipients the proof has: few in a usual run of the
// tests, STATUSBRIDGE_MAIL_LOAD of them in `make mail`.
func loadOf(few int) (n int, long bool) {
	if n, err := strconv.Atoi(os.Getenv("STATUSBRIDGE_MAIL_LOAD")); err == nil && n > 0 {
		return n, true
	}
	return few, false
}

// figure writes a line for the log of `make mail`.
func figure(t *testing.T, format string, args ...any) {
	t.Helper()
	fmt.Printf("figure: "+format+"\n", args...)
}

// crash sends to a crowd while the sender is killed, and counts what came.
func crash(t *testing.T, dsn string, recipients, kills int, batch bool) (lost, doubled int) {
	t.Helper()
	s := sink(t, smtpsink.Options{Count: true})
	crowd(t, dsn, recipients)
	deadline := within(t, 30*time.Minute)
	cmd := replica(t, dsn, s.URL(), batch)
	defer func() { kill9(cmd) }()
	for k := range kills {
		if err := s.Until(deadline, recipients*(3*k+3)/(3*kills+1)); err != nil {
			t.Fatal(err)
		}
		kill9(cmd)
		cmd = replica(t, dsn, s.URL(), batch)
	}
	// What the dead had claimed comes when its lease is over.
	if err := wait(deadline, func() bool { return s.Came() >= recipients && len(s.Counts()) == recipients }); err != nil {
		t.Errorf("%d of %d were reached: %v", len(s.Counts()), recipients, err)
	}
	counts := s.Counts()
	for _, n := range counts {
		doubled += n - 1
	}
	return recipients - len(counts), doubled
}

// wait looks again and again.
func wait(ctx context.Context, so func() bool) error {
	for !so() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

func onEachDatabase(t *testing.T, fn func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, "sqlite:"+filepath.Join(t.TempDir(), "mail.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, pgtest.Start(t).NewDatabase(t))
	})
}

func TestKillingASenderLosesNobodyAndRepeatsAtMostWhatWasInFlight(t *testing.T) {
	t.Parallel()
	recipients, long := loadOf(2000)
	kills := 1
	if long {
		kills = 3
	}
	onEachDatabase(t, func(t *testing.T, dsn string) {
		lost, doubled := crash(t, dsn, recipients, kills, false)
		most := kills * defaultConnections
		if long {
			name, _, _ := strings.Cut(dsn, ":")
			figure(t, "%s: %d recipients, %d kill -9: %d lost, %d doubled (at most %d)", name, recipients, kills, lost, doubled, most)
		}
		if lost != 0 || doubled > most {
			t.Errorf("%d lost, %d doubled; want 0 and at most %d", lost, doubled, most)
		}
	})
}

// The control: a sender that marks in batches must be caught.
func TestMarkingInBatchesWouldRepeatMore(t *testing.T) {
	t.Parallel()
	recipients, long := loadOf(2000)
	kills := 1
	if long {
		recipients, kills = min(recipients, 10000), 3
	}
	lost, doubled := crash(t, "sqlite:"+filepath.Join(t.TempDir(), "mail.db"), recipients, kills, true)
	most := kills * defaultConnections
	if long {
		figure(t, "control with batch marks: %d recipients, %d kill -9: %d doubled (more than %d)", recipients, kills, doubled, most)
	}
	if lost != 0 || doubled <= most {
		t.Errorf("%d lost, %d doubled: the check does not see batch marks", lost, doubled)
	}
}
