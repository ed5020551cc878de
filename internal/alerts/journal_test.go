package alerts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/statusbridge/statusbridge/internal/status"
)

func journalIn(t testing.TB, dir string) *journal {
	t.Helper()
	j, err := openJournal(dir, 1<<20, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func delivery(n int) status.Webhook {
	return status.Webhook{
		ID: fmt.Sprintf("id-%03d", n), Kind: KindAlertmanager, Source: "prod", Body: []byte(fmt.Sprintf(`{"n":%d}`, n)),
		ReceivedAt: received.Add(time.Duration(n) * time.Second), State: status.WebhookPending,
	}
}

func write(t testing.TB, j *journal, hooks ...status.Webhook) {
	t.Helper()
	for _, w := range hooks {
		if err := j.append(w); err != nil {
			t.Fatal(err)
		}
	}
}

// drained drains a journal and returns what came out.
func drained(t testing.TB, j *journal) []status.Webhook {
	t.Helper()
	var out []status.Webhook
	err := j.drain(t.Context(), func(_ context.Context, hooks []status.Webhook) error {
		out = append(out, hooks...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// onlySegment returns the path and the bytes of the journal's one segment.
func onlySegment(t *testing.T, j *journal) (string, []byte) {
	t.Helper()
	names, err := j.segments()
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	path := filepath.Join(j.dir, names[0])
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, data
}

func TestWhatIsJournaledComesOutInOrderAndOnce(t *testing.T) {
	j := journalIn(t, t.TempDir())
	var want []status.Webhook
	for n := range 100 {
		want = append(want, delivery(n))
	}
	write(t, j, want...)
	if j.depth.Load() != 100 {
		t.Errorf("depth %d", j.depth.Load())
	}
	if diff := cmp.Diff(want, drained(t, j)); diff != "" {
		t.Error(diff)
	}
	if again := drained(t, j); len(again) != 0 || j.depth.Load() != 0 || j.size.Load() != 0 {
		t.Errorf("drained twice: %v, depth %d, %d bytes", again, j.depth.Load(), j.size.Load())
	}
	if names, _ := j.segments(); len(names) != 0 {
		t.Error(names)
	}
}

func TestACrashAnywhereInARecordLosesNothingThatWasAcknowledged(t *testing.T) {
	first := journalIn(t, t.TempDir())
	want := []status.Webhook{delivery(1), delivery(2), delivery(3)}
	write(t, first, want...)
	_, before := onlySegment(t, first)
	write(t, first, delivery(4))
	path, whole := onlySegment(t, first)
	for size := len(before); size < len(whole); size++ {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		j := journalIn(t, dir)
		write(t, j, delivery(5)) // the process that starts after the crash goes on
		if diff := cmp.Diff(append(slices.Clone(want), delivery(5)), drained(t, j)); diff != "" {
			t.Fatalf("cut at byte %d of %d: %s", size, len(whole), diff)
		}
		if j.damaged.Load() != 0 {
			t.Errorf("cut at byte %d: a torn end counts as damage", size)
		}
	}
}

func TestAFileThatGrewByZerosIsATornEnd(t *testing.T) {
	dir := t.TempDir()
	j := journalIn(t, dir)
	write(t, j, delivery(1))
	path, data := onlySegment(t, j)
	if err := os.WriteFile(path, append(data, make([]byte, 4096)...), 0o600); err != nil {
		t.Fatal(err)
	}
	j = journalIn(t, dir)
	if got := drained(t, j); len(got) != 1 || j.damaged.Load() != 0 {
		t.Errorf("%v, %d damaged", got, j.damaged.Load())
	}
}

func TestAFlippedBitCostsItsRecordOnlyAndIsNoticed(t *testing.T) {
	first := journalIn(t, t.TempDir())
	write(t, first, delivery(1))
	_, before := onlySegment(t, first)
	write(t, first, delivery(2))
	_, after := onlySegment(t, first)
	write(t, first, delivery(3))
	path, whole := onlySegment(t, first)
	for at := len(before); at < len(after); at++ {
		dir := t.TempDir()
		bad := slices.Clone(whole)
		bad[at] ^= 0x10
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		j := journalIn(t, dir)
		if diff := cmp.Diff([]status.Webhook{delivery(1), delivery(3)}, drained(t, j)); diff != "" {
			t.Fatalf("flipped at byte %d: %s", at, diff)
		}
		kept, _ := filepath.Glob(filepath.Join(dir, "*.damaged"))
		if j.damaged.Load() != 1 || len(kept) != 1 {
			t.Errorf("flipped at byte %d: %d damaged, kept %v", at, j.damaged.Load(), kept)
		}
	}
}

func TestAnInterruptedDrainGoesOnWhereItStopped(t *testing.T) {
	const records = 5*drainWindow + 3
	dir := t.TempDir()
	j := journalIn(t, dir)
	for n := range records {
		write(t, j, delivery(n))
	}
	var got []status.Webhook
	calls := 0
	save := func(_ context.Context, hooks []status.Webhook) error {
		if calls++; calls%2 == 0 {
			return errors.New("away")
		}
		got = append(got, hooks...)
		return nil
	}
	rounds := 0
	for ; j.depth.Load() > 0; rounds++ {
		if err := j.drain(t.Context(), save); err == nil && j.depth.Load() > 0 {
			t.Fatal("no error, and not drained")
		}
	}
	if rounds < 5 {
		t.Errorf("%d rounds: nothing was interrupted", rounds)
	}
	for n := range records {
		if n >= len(got) || got[n].ID != delivery(n).ID {
			t.Fatalf("at %d of %d: order or number is wrong", n, len(got))
		}
	}
	if len(got) != records {
		t.Errorf("%d came out of %d", len(got), records)
	}
}

func TestARestartInTheMiddleOfADrainRepeatsIdsButLosesNone(t *testing.T) {
	dir := t.TempDir()
	j := journalIn(t, dir)
	for n := range 3 * drainWindow {
		write(t, j, delivery(n))
	}
	inbox := map[string]int{}
	windows := 0
	_ = j.drain(t.Context(), func(_ context.Context, hooks []status.Webhook) error {
		if windows++; windows == 3 {
			return errors.New("killed here")
		}
		for _, w := range hooks {
			inbox[w.ID]++
		}
		return nil
	})
	for _, w := range drained(t, journalIn(t, dir)) {
		inbox[w.ID]++
	}
	if len(inbox) != 3*drainWindow || inbox[delivery(0).ID] != 2 || inbox[delivery(3*drainWindow-1).ID] != 1 {
		t.Errorf("%d ids, the first %d times", len(inbox), inbox[delivery(0).ID])
	}
}

func TestRecordsWrittenDuringADrainWaitForTheNext(t *testing.T) {
	j := journalIn(t, t.TempDir())
	write(t, j, delivery(1))
	var got []status.Webhook
	err := j.drain(t.Context(), func(_ context.Context, hooks []status.Webhook) error {
		write(t, j, delivery(2))
		got = append(got, hooks...)
		return nil
	})
	if err != nil || len(got) != 1 || j.depth.Load() != 1 {
		t.Fatalf("%v, %d drained, depth %d", err, len(got), j.depth.Load())
	}
	if diff := cmp.Diff([]status.Webhook{delivery(2)}, drained(t, j)); diff != "" {
		t.Error(diff)
	}
}

func TestAnOutageIsNotCutIntoManySegments(t *testing.T) {
	j := journalIn(t, t.TempDir())
	away := func(context.Context, []status.Webhook) error { return errors.New("away") }
	for n := range 20 {
		write(t, j, delivery(n))
		if err := j.drain(t.Context(), away); err == nil {
			t.Fatal("drained into nothing")
		}
	}
	if names, _ := j.segments(); len(names) > 2 {
		t.Errorf("%d segments", len(names))
	}
	if got := drained(t, j); len(got) != 20 {
		t.Errorf("%d of 20", len(got))
	}
}

func TestManyWritersAtOnceAreAllKept(t *testing.T) {
	dir := t.TempDir()
	j := journalIn(t, dir)
	var all sync.WaitGroup
	for n := range 200 {
		all.Go(func() {
			if err := j.append(delivery(n)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for _, w := range drained(t, journalIn(t, dir)) { // as after a crash: j was never closed
		seen[w.ID] = true
	}
	if len(seen) != 200 {
		t.Errorf("%d of 200", len(seen))
	}
}

func TestTheJournalIsBounded(t *testing.T) {
	j, err := openJournal(t.TempDir(), 4096, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w := delivery(1)
	w.Body = bytes.Repeat([]byte("x"), 1000)
	kept := 0
	for range 10 {
		if err = j.append(w); err != nil {
			break
		}
		kept++
	}
	if !errors.Is(err, errJournalFull) || kept != 3 {
		t.Errorf("%d kept, then %v", kept, err)
	}
	if size := j.size.Load(); size > 4096 {
		t.Errorf("%d bytes are counted", size)
	}
	drained(t, j)
	if err := j.append(w); err != nil {
		t.Errorf("after the drain: %v", err)
	}
}

func TestABodyCannotForgeARecord(t *testing.T) {
	dir := t.TempDir()
	j := journalIn(t, dir)
	write(t, j, delivery(1))
	path, forged := onlySegment(t, j)
	w := delivery(2)
	w.Body = forged
	other := journalIn(t, t.TempDir())
	write(t, other, w)
	_, data := onlySegment(t, other)
	data[segmentHeader] ^= 1 // the outer record is damaged, so a reader looks for the next
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := drained(t, journalIn(t, dir)); len(got) != 0 {
		t.Errorf("forged: %+v", got)
	}
}

func TestAFailedWriteIsNotAcknowledgedAndHarmsNobody(t *testing.T) {
	dir := t.TempDir()
	j := journalIn(t, dir)
	write(t, j, delivery(1))
	_ = j.active.f.Close() // as if the disk failed
	size := j.size.Load()
	if err := j.append(delivery(2)); err == nil {
		t.Fatal("acknowledged")
	}
	if j.size.Load() != size {
		t.Errorf("%d bytes are reserved for nothing", j.size.Load()-size)
	}
	write(t, j, delivery(3))
	if diff := cmp.Diff([]status.Webhook{delivery(1), delivery(3)}, drained(t, journalIn(t, dir))); diff != "" {
		t.Error(diff)
	}
}

func TestAFullSegmentIsFollowedByAnother(t *testing.T) {
	j, err := openJournal(t.TempDir(), 1<<30, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w := delivery(1)
	w.Body = bytes.Repeat([]byte("x"), segmentSize/2)
	write(t, j, w, w, w)
	names, _ := j.segments()
	if len(names) != 2 {
		t.Errorf("segments: %v", names)
	}
	if got := drained(t, j); len(got) != 3 || j.size.Load() != 0 {
		t.Errorf("%d drained, %d bytes left", len(got), j.size.Load())
	}
}

func TestOtherFilesInTheDirectoryAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"README", "1.journal", strings.Repeat("x", 20) + ".journal"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j := journalIn(t, dir)
	write(t, j, delivery(1))
	drained(t, j)
	if files, _ := os.ReadDir(dir); len(files) != 3 {
		t.Errorf("%d files", len(files))
	}
}

func FuzzReadSegment(f *testing.F) {
	j := journalIn(f, f.TempDir())
	write(f, j, delivery(1), delivery(2))
	names, err := j.segments()
	if err != nil {
		f.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(j.dir, names[0]))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)-1])
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, w := range readSegment(data).hooks {
			if back, err := decodeWebhook(encodeWebhook(w)); err != nil || !cmp.Equal(back, w) {
				t.Fatalf("%+v became %+v: %v", w, back, err)
			}
		}
	})
}
