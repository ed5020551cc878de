package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestASeriesGoesOnAfterARestart(t *testing.T) {
	onBothDSN(t, func(t *testing.T, dsn string) {
		begins := noon.Add(time.Hour).Truncate(time.Second)
		_, err := open(t, dsn).Apply(t.Context(), noon, func(b status.Board) (status.Changes, error) {
			return status.Revise(b, nil, status.SaveMaintenance{
				Maintenance: status.Maintenance{Title: "Upgrade", ScheduledFor: begins, ScheduledUntil: begins.Add(time.Hour)},
				Recurrence:  &status.Recurrence{Rule: "FREQ=WEEKLY", TimeZone: "Europe/Berlin"},
			}, "ann@example.com", noon)
		})
		if err != nil {
			t.Fatal(err)
		}
		s := open(t, dsn)
		due, err := s.Due(t.Context())
		if err != nil || !due.Equal(begins) {
			t.Fatalf("due %v, %v; want when the first begins and the ninth is planned", due, err)
		}
		if _, err := s.Apply(t.Context(), due, func(b status.Board) (status.Changes, error) { return status.Tick(b, nil, due), nil }); err != nil {
			t.Fatal(err)
		}
		plans, err := s.Maintenances(t.Context(), 100)
		if err != nil || len(plans) != 9 {
			t.Fatalf("%d occurrences, %v; want 9", len(plans), err)
		}
		found, err := s.SeriesByID(t.Context(), []string{plans[0].SeriesID, "unknown"})
		one := found[plans[0].SeriesID]
		if err != nil || len(found) != 1 || one.Recurrence != (status.Recurrence{Rule: "FREQ=WEEKLY", TimeZone: "Europe/Berlin"}) || one.Length != time.Hour || !one.Planned.Equal(plans[0].Occurrence) {
			t.Errorf("%+v, %v", found, err)
		}
	})
}

func TestThePublicKnowsWhenAMaintenanceTakesPlaceAgain(t *testing.T) {
	onBothDSN(t, func(t *testing.T, dsn string) {
		s, begins := open(t, dsn), noon.Add(time.Hour).Truncate(time.Second)
		_, err := s.Apply(t.Context(), noon, func(b status.Board) (status.Changes, error) {
			return status.Revise(b, nil, status.SaveMaintenance{
				Maintenance: status.Maintenance{Title: "Upgrade", ScheduledFor: begins, ScheduledUntil: begins.Add(time.Hour)},
				Recurrence:  &status.Recurrence{Rule: "FREQ=YEARLY"},
			}, "ann@example.com", noon)
		})
		if err != nil {
			t.Fatal(err)
		}
		view, err := s.View(t.Context(), noon)
		if err != nil || len(view.Maintenances) != 1 || len(view.Repeating) != 1 {
			t.Fatalf("%+v, %v", view, err)
		}
		if one := view.Repeating[0]; one.CreatedBy != "" || one.Title != "" || !slices.Equal(one.Coming(1), []time.Time{begins.AddDate(1, 0, 0)}) {
			t.Errorf("the view tells %+v", one)
		}
		again, err := s.Again(t.Context(), view.Maintenances[0], 2, noon)
		if want := []time.Time{begins.AddDate(1, 0, 0), begins.AddDate(2, 0, 0)}; err != nil || !slices.Equal(again, want) {
			t.Errorf("again at %v, %v; want %v", again, err, want)
		}
	})
}

func TestACancelledOccurrenceToComeStaysOnTheBoard(t *testing.T) {
	onBothDSN(t, func(t *testing.T, dsn string) {
		begins := noon.Add(30 * 24 * time.Hour)
		m := status.Maintenance{ID: "off", Version: 1, Title: "Upgrade", State: status.Cancelled, SeriesID: "s", Occurrence: begins, ScheduledFor: begins, ScheduledUntil: begins.Add(time.Hour), EndedAt: noon, UpdatedAt: noon, CreatedAt: noon}
		_, err := open(t, dsn).Apply(t.Context(), noon, func(status.Board) (status.Changes, error) {
			return status.Changes{Maintenances: map[string]status.Maintenance{m.ID: m}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, there := boardOf(t, open(t, dsn), noon.Add(20*24*time.Hour)).Maintenances["off"]; !there {
			t.Error("an edit of all later ones would not see that this one is off")
		}
	})
}
