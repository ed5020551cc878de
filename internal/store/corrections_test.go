package store_test

import (
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

func TestCorrectionsAreKeptAndThePublicSeesThoseThatHold(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		apply(t, s, status.Changes{Components: map[string]status.Component{
			"api":   {ID: "api", Name: "API", Slug: "api", Status: status.Operational, CreatedAt: noon},
			"vault": {ID: "vault", Name: "Vault", Slug: "vault", Status: status.Operational, Hidden: true, CreatedAt: noon},
		}})
		hour := func(n int) time.Time { return noon.Truncate(time.Second).Add(time.Duration(n) * time.Hour) }
		make := func(id, component string, from, to int) status.Correction {
			return status.Correction{
				ID: id, ComponentID: component, From: hour(from), To: hour(to), Status: status.Operational,
				Reason: "The probe was at fault.", By: "ops@example.com", CreatedAt: hour(10),
			}
		}
		withdrawn := make("gone", "api", 1, 2)
		withdrawn.WithdrawnAt = hour(11)
		apply(t, s, status.Changes{Corrections: map[string]status.Correction{
			"old": make("old", "api", -100, -99), "new": make("new", "api", 1, 3), "gone": withdrawn, "secret": make("secret", "vault", 1, 3),
		}})

		all, err := s.Corrections(t.Context(), "api", 0)
		if err != nil || len(all) != 3 {
			t.Errorf("an admin sees %d, %v", len(all), err)
		}
		public := make("new", "api", 1, 3)
		public.By = ""
		v, err := s.View(t.Context(), hour(0))
		if err != nil {
			t.Fatal(err)
		}
		same(t, "the public view", v.Corrections, []status.Correction{public})
		w, err := s.During(t.Context(), status.Window{From: hour(-200), To: hour(-50)})
		if err != nil || len(w.Corrections) != 1 || w.Corrections[0].ID != "old" {
			t.Errorf("long ago: %+v, %v", w.Corrections, err)
		}

		// An old one is brought onto the board by its id.
		_, err = s.Apply(t.Context(), noon.Add(500*time.Hour), func(b status.Board) (status.Changes, error) {
			return status.Revise(b, nil, status.WithdrawCorrection{ID: "new"}, "ops@example.com", noon.Add(500*time.Hour))
		}, "new")
		if err != nil {
			t.Fatal(err)
		}
		if v, err = s.View(t.Context(), hour(0)); err != nil || len(v.Corrections) != 0 {
			t.Errorf("a withdrawn correction holds: %+v, %v", v.Corrections, err)
		}
	})
}

func TestAWindowOfThePastHoldsAllThatTouchedIt(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		at := func(day int) time.Time { return noon.AddDate(0, 0, day) }
		public := func(id string, from, to time.Time) status.Issue {
			i := issue(id, "rule", id)
			i.Stage, i.PublishedAt, i.StartedAt = status.Published, from, from
			if !to.IsZero() {
				i.State, i.ResolvedAt = status.Resolved, to
			}
			return i
		}
		apply(t, s, status.Changes{Issues: issuesOf(
			public("before", at(-40), at(-31)), public("into", at(-31), at(-29)), public("within", at(-25), at(-24)),
			public("over", at(-31), time.Time{}), public("after", at(-19), at(-18)),
		)})
		v, err := s.During(t.Context(), status.Window{From: at(-30), To: at(-20)})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, i := range v.Issues {
			got[i.ID] = true
		}
		same(t, "issues", got, map[string]bool{"into": true, "within": true, "over": true})
	})
}
