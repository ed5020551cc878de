package store_test

import (
	"errors"
	"testing"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

func TestATemplateIsSavedOnlyOverTheVersionThatWasSeen(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seeded, err := s.Templates(ctx)
		if err != nil || len(seeded) < 4 {
			t.Fatalf("a new page starts with %v, %v", seeded, err)
		}
		for _, one := range seeded {
			if err := one.Check(); err != nil {
				t.Errorf("%s: %v", one.ID, err)
			}
		}
		mine := filled[status.Template]("t")
		mine.ID, mine.Version, mine.State, mine.Position = "t", 0, status.Monitoring, 99
		first, err := s.SaveTemplate(ctx, mine)
		if err != nil || first.Version != 1 {
			t.Fatalf("%+v, %v", first, err)
		}
		got, err := s.Template(ctx, "t")
		if err != nil {
			t.Fatal(err)
		}
		same(t, "template", got, first)
		if all, _ := s.Templates(ctx); all[len(all)-1].ID != "t" {
			t.Errorf("not the last one: %v", all)
		}
		if _, err := s.SaveTemplate(ctx, mine); !errors.Is(err, status.ErrConflict) {
			t.Errorf("the version before: %v", err)
		}
		if second, err := s.SaveTemplate(ctx, first); err != nil || second.Version != 2 {
			t.Errorf("%+v, %v", second, err)
		}
		if err := s.DeleteTemplate(ctx, "t", 1); !errors.Is(err, status.ErrConflict) {
			t.Errorf("removed unseen: %v", err)
		}
		if err := s.DeleteTemplate(ctx, "t", 2); err != nil {
			t.Error(err)
		}
		if _, err := s.SaveTemplate(ctx, first); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("one that is gone: %v", err)
		}
	})
}
