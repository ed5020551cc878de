package status

import (
	"errors"
	"testing"
	"time"
)

var day = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

func at(hour float64) time.Time { return day.Add(time.Duration(hour * float64(time.Hour))) }

func boardWithAPI() Board {
	b := NewBoard("seed")
	b.Components["api"] = Component{ID: "api", Name: "API", Slug: "api", CreatedAt: day.AddDate(0, 0, -10)}
	return b
}

func down(from, to float64) Outage {
	return Outage{ComponentID: "api", Status: MajorOutage, From: at(from), To: at(to), SubjectID: "i"}
}

func correction(made, from, to float64, s ComponentStatus) Correction {
	return Correction{ID: "c", ComponentID: "api", From: at(from), To: at(to), Status: s, Reason: "r", CreatedAt: at(made)}
}

func TestACorrectionReplacesWhatIssuesTellOfItsStretch(t *testing.T) {
	outage := []Outage{down(10, 14)}
	hours := func(o []Outage) float64 {
		share, _ := Uptime(o, Window{From: day, To: at(24)}, DefaultWeights)
		return (1 - share) * 24
	}
	withdrawn := correction(20, 10, 14, Operational)
	withdrawn.WithdrawnAt = at(21)
	for _, c := range []struct {
		name string
		list []Correction
		want float64 // hours of downtime
	}{
		{"none", nil, 4},
		{"the whole was no outage", []Correction{correction(20, 9, 15, Operational)}, 0},
		{"its beginning was no outage", []Correction{correction(20, 9, 11, Operational)}, 3},
		{"its middle was no outage", []Correction{correction(20, 11, 12, Operational)}, 3},
		{"its end was only degraded", []Correction{correction(20, 13, 15, DegradedPerformance)}, 3},
		{"it was longer", []Correction{correction(20, 14, 15, MajorOutage)}, 5},
		{"there was one nobody wrote of", []Correction{correction(20, 1, 2, MajorOutage)}, 5},
		{"the later of two holds", []Correction{correction(20, 10, 14, Operational), correction(21, 10, 11, MajorOutage)}, 1},
		{"withdrawn", []Correction{withdrawn}, 4},
	} {
		if got := hours(corrected(outage, c.list)); got < c.want-1e-6 || got > c.want+1e-6 {
			t.Errorf("%s: %v hours of downtime, want %v", c.name, got, c.want)
		}
	}
}

func TestTheLaterCorrectionHoldsInWhateverOrderTheyAreRead(t *testing.T) {
	early, late := correction(20, 1, 2, MajorOutage), correction(21, 1, 2, Operational)
	for _, list := range [][]Correction{{early, late}, {late, early}} {
		v := View{Corrections: list}
		if got := v.OutagesByComponent(at(24))["api"]; len(got) != 0 {
			t.Errorf("%v counts, although it was corrected again", got)
		}
	}
}

func TestACorrectionIsCheckedAndAudited(t *testing.T) {
	b, now := boardWithAPI(), at(20)
	good := CorrectUptime{ComponentID: "api", From: at(10), To: at(12), Status: Operational, Reason: " The probe was at fault. "}
	c, err := Revise(b, nil, good, "ops@example.com", now)
	if err != nil {
		t.Fatal(err)
	}
	made := c.Corrections[c.Result]
	if made.Reason != "The probe was at fault." || made.By != "ops@example.com" || !made.CreatedAt.Equal(now) {
		t.Errorf("%+v", made)
	}
	if len(c.Entries) != 1 || c.Entries[0].Actor != "ops@example.com" || c.Entries[0].Subject != "api" ||
		c.Entries[0].Detail != "uptime of API, 2026-11-22 10:00 UTC – 2026-11-22 12:00 UTC: The probe was at fault." {
		t.Errorf("audit %+v", c.Entries)
	}
	if !c.Public() {
		t.Error("visitors see a correction, and it does not count as public")
	}
	for field, bad := range map[string]CorrectUptime{
		"component": {From: good.From, To: good.To, Status: Operational, Reason: "r"},
		"from":      {ComponentID: "api", To: good.To, Status: Operational, Reason: "r"},
		"to":        {ComponentID: "api", From: good.From, To: good.From, Status: Operational, Reason: "r"},
		"status":    {ComponentID: "api", From: good.From, To: good.To, Reason: "r"},
		"reason":    {ComponentID: "api", From: good.From, To: good.To, Status: Operational, Reason: " "},
	} {
		var invalid Invalid
		if _, err := Revise(b, nil, bad, "ops", now); !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	good.To = now.Add(time.Minute)
	if _, err := Revise(b, nil, good, "ops", now); err == nil {
		t.Error("the future was corrected")
	}
}

func TestAWithdrawnCorrectionIsKeptAndNoLongerHolds(t *testing.T) {
	b := boardWithAPI()
	c, err := Revise(b, nil, CorrectUptime{ComponentID: "api", From: at(1), To: at(2), Status: MajorOutage, Reason: "r"}, "ops", at(20))
	if err != nil {
		t.Fatal(err)
	}
	b.Merge(c)
	id := c.Result
	if c, err = Revise(b, nil, WithdrawCorrection{ID: id}, "ops", at(21)); err != nil || !c.Corrections[id].WithdrawnAt.Equal(at(21)) || len(c.Entries) != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
	b.Merge(c)
	if c, err = Revise(b, nil, WithdrawCorrection{ID: id}, "ops", at(22)); err != nil || !c.Empty() {
		t.Errorf("a second time: %+v, %v", c, err)
	}
	if _, err := Revise(b, nil, WithdrawCorrection{ID: "other"}, "ops", at(22)); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown one: %v", err)
	}
}
