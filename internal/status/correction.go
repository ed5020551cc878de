package status

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxReason is the longest reason of a correction, in bytes.
const MaxReason = 1000

// Correction says how a component really was for a stretch of time that is
// over, whatever issues and maintenance tell of it. It is never changed, only
// withdrawn; of two that overlap the later one holds.
type Correction struct {
	ID          string
	ComponentID string
	From        time.Time
	To          time.Time
	Status      ComponentStatus // Operational: it was no outage
	Reason      string          // public
	By          string
	CreatedAt   time.Time
	WithdrawnAt time.Time // zero: it holds
}

// CorrectUptime adds a correction.
type CorrectUptime struct {
	ComponentID string
	From        time.Time
	To          time.Time
	Status      ComponentStatus
	Reason      string
}

// WithdrawCorrection takes a correction back; what issues tell counts again.
type WithdrawCorrection struct{ ID string }

// Subjects is the component.
func (e CorrectUptime) Subjects() []string { return subjects(e.ComponentID) }

// Subjects is the correction.
func (e WithdrawCorrection) Subjects() []string { return subjects(e.ID) }

func (e CorrectUptime) revise(d *desk, who string) error {
	component, ok := d.component(e.ComponentID)
	if !ok || component.Archived {
		return Invalid{"component", "there is no such component"}
	}
	c := Correction{
		ID: d.mint(), ComponentID: e.ComponentID, From: e.From, To: e.To, Status: e.Status,
		Reason: strings.TrimSpace(e.Reason), By: who, CreatedAt: d.now,
	}
	switch {
	case c.From.IsZero():
		return Invalid{"from", "when did it begin?"}
	case c.To.IsZero():
		return Invalid{"to", "when did it end?"}
	case !c.From.Before(c.To):
		return Invalid{"to", "must be after the beginning"}
	case c.To.After(d.now):
		return Invalid{"to", "only what is over can be corrected"}
	case !c.Status.Valid():
		return Invalid{"status", "say how it really was"}
	case c.Reason == "":
		return Invalid{"reason", "customers are told why: say it in a sentence"}
	case len(c.Reason) > MaxReason:
		return Invalid{"reason", fmt.Sprintf("is longer than %d bytes", MaxReason)}
	}
	d.c.Corrections[c.ID] = c
	d.c.Result = c.ID
	d.log(Entry{
		Actor: who, Action: "corrected", Subject: component.ID, Reason: ReasonPerson,
		Detail: "uptime of " + component.Name + ", " + c.span() + ": " + c.Reason, After: string(c.Status),
	})
	return nil
}

func (e WithdrawCorrection) revise(d *desk, who string) error {
	c, ok := look(d.c.Corrections, d.board.Corrections, e.ID)
	if !ok {
		return ErrNotFound
	}
	if !c.WithdrawnAt.IsZero() {
		return nil
	}
	c.WithdrawnAt = d.now
	d.c.Corrections[c.ID] = c
	d.log(Entry{
		Actor: who, Action: "withdrew a correction", Subject: c.ComponentID, Reason: ReasonPerson,
		Detail: "uptime, " + c.span() + ": " + c.Reason, Before: string(c.Status),
	})
	return nil
}

func (c Correction) span() string {
	const layout = "2006-01-02 15:04 MST"
	return c.From.UTC().Format(layout) + " – " + c.To.UTC().Format(layout)
}

// corrected puts corrections over the outages of one component: each takes its
// stretch out of them and puts its own status there.
func corrected(outages []Outage, corrections []Correction) []Outage {
	for _, c := range corrections {
		if !c.WithdrawnAt.IsZero() {
			continue
		}
		var out []Outage
		for _, o := range outages {
			before, after := o, o
			before.To, after.From = earlier(o.To, c.From), later(o.From, c.To)
			for _, part := range []Outage{before, after} {
				if part.To.After(part.From) {
					out = append(out, part)
				}
			}
		}
		if c.Status != Operational {
			out = append(out, Outage{ComponentID: c.ComponentID, Status: c.Status, From: c.From, To: c.To, SubjectID: c.ID})
		}
		outages = out
	}
	return outages
}

// byComponent sorts corrections by component, each one's in the order they were
// made.
func byComponent(list []Correction) map[string][]Correction {
	by := map[string][]Correction{}
	for _, c := range list {
		by[c.ComponentID] = append(by[c.ComponentID], c)
	}
	for _, of := range by {
		slices.SortStableFunc(of, func(a, b Correction) int { return a.CreatedAt.Compare(b.CreatedAt) })
	}
	return by
}
