package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

func takeBack(t *testing.T, s *store.Store, id string) error {
	_, err := s.Apply(t.Context(), noon, func(status.Board) (status.Changes, error) {
		return status.Changes{Withdrawn: []string{id}}, nil
	})
	return err
}

func TestWhatIsTakenBackIsNeverTold(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "a@x")
		a := updateAt("u1", noon, func(a *status.Announcement) { a.DueAt = noon.Add(status.UndoWindow) })
		announce(t, s, a)
		if err := takeBack(t, s, a.SubjectID); err != nil {
			t.Fatal(err)
		}
		if n := fanOutTo(t, s, noon.Add(time.Hour), joining); n != 0 {
			t.Errorf("%d messages about what was taken back", n)
		}
	})
}

func TestWhatIsUnderWayCannotBeTakenBack(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "a@x")
		a := updateAt("u1", noon)
		announce(t, s, a)
		if n := fanOutTo(t, s, noon, joining); n != 1 {
			t.Fatalf("%d messages", n)
		}
		if err := takeBack(t, s, a.SubjectID); !errors.Is(err, status.ErrTooLate) {
			t.Errorf("taking it back: %v", err)
		}
	})
}
