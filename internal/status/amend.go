package status

import (
	"slices"
	"strings"
	"time"
)

// EditUpdate rewords a statement. One that is public is marked as edited.
type EditUpdate struct {
	ID       string
	Version  int64
	UpdateID string
	Body     string
}

// DeleteUpdate takes a statement back. One that changed the status of components
// keeps that fact, which uptime is reckoned from, and loses its words.
type DeleteUpdate struct {
	ID       string
	Version  int64
	UpdateID string
}

// CorrectTimes sets when an issue really began or ended; a zero time stays.
// Uptime follows. Nobody is notified.
type CorrectTimes struct {
	ID         string
	Version    int64
	StartedAt  time.Time
	ResolvedAt time.Time
}

// Subjects is the issue.
func (e EditUpdate) Subjects() []string { return subjects(e.ID) }

// Subjects is the issue.
func (e DeleteUpdate) Subjects() []string { return subjects(e.ID) }

// Subjects is the issue.
func (e CorrectTimes) Subjects() []string { return subjects(e.ID) }

// takeUpdate finds a statement of an issue, in a list that may be changed.
func (d *desk) takeUpdate(id string, version int64, update string) (Issue, int, error) {
	i, err := d.take(id, version)
	if err != nil {
		return i, 0, err
	}
	n := slices.IndexFunc(i.Updates, func(u Update) bool { return u.ID == update })
	if n < 0 {
		return i, 0, ErrNotFound
	}
	i.Updates = slices.Clone(i.Updates)
	return i, n, nil
}

func (e EditUpdate) revise(d *desk, who string) error {
	i, n, err := d.takeUpdate(e.ID, e.Version, e.UpdateID)
	if err != nil {
		return err
	}
	body, old := strings.TrimSpace(e.Body), i.Updates[n].Body
	switch {
	case body == old:
		return nil
	case body == "":
		return Invalid{"body", "say something, or delete the update"}
	}
	if n == 0 { // the opening is a field of the issue, and held like one
		return EditIssue{ID: e.ID, Version: e.Version, Body: &body}.revise(d, who)
	}
	if err := d.check(i, body); err != nil {
		return err
	}
	i.Updates[n].Body = body
	if i.Public() {
		i.Updates[n].EditedAt = d.now
	}
	d.log(Entry{Actor: who, Action: "edited an update of", Subject: i.ID, Reason: ReasonPerson, Before: clip(old, 500), After: clip(body, 500)})
	d.saveIssue(i)
	return nil
}

// lastOf is where the last update of a state stands, -1 if there is none.
func (i Issue) lastOf(state string) int {
	for n, u := range slices.Backward(i.Updates) {
		if u.State == state {
			return n
		}
	}
	return -1
}

func (e DeleteUpdate) revise(d *desk, who string) error {
	i, n, err := d.takeUpdate(e.ID, e.Version, e.UpdateID)
	if err != nil {
		return err
	}
	old := i.Updates[n]
	ended := i.State == Resolved && n == i.lastOf(string(Resolved))
	switch {
	case n == 0:
		return Invalid{"update", "the opening of an issue cannot be deleted; edit its text"}
	case ended || len(old.Changes) > 0:
		if old.Body == "" {
			return Invalid{"update", "what happened to the components stays; correct it with another update"}
		}
		i.Updates[n].Body = ""
		if i.Public() {
			i.Updates[n].EditedAt = d.now
		}
	default:
		i.Updates = slices.Delete(i.Updates, n, n+1)
	}
	d.log(Entry{Actor: who, Action: "deleted an update of", Subject: i.ID, Reason: ReasonPerson, Before: clip(old.Body, 500)})
	d.saveIssue(i)
	return nil
}

func (e CorrectTimes) revise(d *desk, who string) error {
	old, err := d.take(e.ID, e.Version)
	if err != nil {
		return err
	}
	i := old
	if !e.StartedAt.IsZero() {
		i.StartedAt = e.StartedAt
	}
	if !e.ResolvedAt.IsZero() && !e.ResolvedAt.Equal(i.ResolvedAt) {
		if i.State != Resolved {
			return Invalid{"resolved_at", "it is not resolved yet; post an update that resolves it"}
		}
		i.ResolvedAt = e.ResolvedAt
		i.Updates = slices.Clone(i.Updates)
		if n := i.lastOf(string(Resolved)); n >= 0 { // what ended the outage is the update that said so
			i.Updates[n].DisplayAt = e.ResolvedAt
		}
	}
	switch {
	case i.Stage == Dismissed:
		return errDismissed
	case i.StartedAt.Equal(old.StartedAt) && i.ResolvedAt.Equal(old.ResolvedAt):
		return nil
	case i.StartedAt.After(d.now):
		return Invalid{"started_at", "an issue cannot begin in the future"}
	case i.ResolvedAt.After(d.now):
		return Invalid{"resolved_at", "an issue cannot end in the future"}
	case i.State == Resolved && !i.StartedAt.Before(i.ResolvedAt):
		return Invalid{"resolved_at", "must lie after the beginning"}
	}
	d.log(Entry{Actor: who, Action: "corrected the times of", Subject: i.ID, Reason: ReasonPerson, Before: old.times(), After: i.times()})
	d.saveIssue(i)
	return nil
}

// times writes beginning and end for the audit log.
func (i Issue) times() string {
	const layout = "2006-01-02 15:04:05 MST"
	text := "started " + i.StartedAt.UTC().Format(layout)
	if !i.ResolvedAt.IsZero() {
		text += "\nresolved " + i.ResolvedAt.UTC().Format(layout)
	}
	return text
}
