package store_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

func unseen(int, int) {}

// savedComponents are all that the database at dsn has.
func savedComponents(t *testing.T, dsn string) map[string]status.Component {
	t.Helper()
	var out map[string]status.Component
	_, err := open(t, dsn).Apply(t.Context(), noon, func(b status.Board) (status.Changes, error) {
		out = maps.Clone(b.Components)
		return status.Changes{}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// pair is two components that belong together: a copy that has one of them
// only is torn.
func pair(n int) status.Changes {
	c := status.Changes{Components: map[string]status.Component{}}
	for _, side := range []string{"left", "right"} {
		id := fmt.Sprintf("%s-%d", side, n)
		c.Components[id] = status.Component{ID: id, Slug: id, Name: id, Status: status.Operational, CreatedAt: noon}
	}
	return c
}

func TestABackupOfADatabaseThatIsWrittenToIsWholeAndRestores(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	live := open(t, "sqlite:"+filepath.Join(dir, "live.db"))
	apply(t, live, pair(0))
	stop, wrote := make(chan struct{}), make(chan error, 1)
	go func() { // the daemon, in the middle of its work
		for n := 1; ; n++ {
			select {
			case <-stop:
				wrote <- nil
				return
			default:
			}
			if _, err := live.Apply(t.Context(), noon, func(status.Board) (status.Changes, error) { return pair(n), nil }); err != nil {
				wrote <- err
				return
			}
		}
	}()
	other, err := store.Open(t.Context(), "sqlite:"+filepath.Join(dir, "live.db")) // the command
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for n := range 3 {
		if err := other.Backup(t.Context(), filepath.Join(dir, fmt.Sprintf("copy-%d", n))); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	if err := <-wrote; err != nil {
		t.Errorf("the writer was held up: %v", err)
	}
	before := 0
	for n := range 3 {
		copied := filepath.Join(dir, fmt.Sprintf("copy-%d", n))
		if info, err := os.Stat(copied); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the copy is %v, %v; it holds secrets and is for its owner only", info.Mode(), err)
		}
		target := filepath.Join(dir, fmt.Sprintf("restored-%d.db", n))
		to, err := store.Open(t.Context(), "sqlite:"+target)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.Restore(t.Context(), copied, false, unseen); err != nil {
			t.Fatal(err)
		}
		to.Close()
		components := savedComponents(t, "sqlite:"+target)
		left := 0
		for id := range components {
			if side, number, _ := strings.Cut(id, "-"); side == "left" {
				left++
				if _, ok := components["right-"+number]; !ok {
					t.Errorf("copy %d is torn: it has %s only", n, id)
				}
			}
		}
		if len(components) != 2*left || left < before || left == 0 {
			t.Errorf("copy %d has %d components, %d of them left; the one before had %d pairs", n, len(components), left, before)
		}
		before = left
	}
}

func TestARestoreReplacesNothingUnaskedAndNothingInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dsn, copied := "sqlite:"+filepath.Join(dir, "live.db"), filepath.Join(dir, "copy")
	live := open(t, dsn)
	apply(t, live, pair(1))
	if err := live.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	if err := live.Backup(t.Context(), copied); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Errorf("a backup wrote over another: %v", err)
	}
	apply(t, live, pair(2))
	other, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.Restore(t.Context(), copied, false, unseen); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("without --force: %v", err)
	}
	if _, err := other.Restore(t.Context(), copied, true, unseen); err == nil || !strings.Contains(err.Error(), "stop the daemon") {
		t.Errorf("while it is in use: %v", err)
	}
	live.Close()
	kept, err := other.Restore(t.Context(), copied, true, unseen)
	if err != nil {
		t.Fatal(err)
	}
	for path, pairs := range map[string]int{filepath.Join(dir, "live.db"): 1, kept: 2} {
		if n := len(savedComponents(t, "sqlite:"+path)); n != 2*pairs {
			t.Errorf("%s has %d components, want %d", path, n, 2*pairs)
		}
	}
}

func TestWhatIsNoSoundBackupIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	s := open(t, "sqlite:"+filepath.Join(dir, "live.db"))
	apply(t, s, pair(1))
	if err := s.Backup(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	bytes, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	to, err := store.Open(t.Context(), "sqlite:"+filepath.Join(dir, "new.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	for name, content := range map[string][]byte{"cut short": bytes[:len(bytes)/2], "text": []byte(strings.Repeat("no database ", 99)), "empty": {}} {
		bad := filepath.Join(dir, name)
		if err := os.WriteFile(bad, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := to.Restore(t.Context(), bad, true, unseen); err == nil {
			t.Errorf("%s: was restored", name)
		}
	}
	if _, err := to.Restore(t.Context(), filepath.Join(dir, "missing"), true, unseen); err == nil {
		t.Error("a file that is not there was restored")
	}
	if _, err := os.Stat(filepath.Join(dir, "new.db")); err == nil {
		t.Error("a refused restore left a database")
	}
}
