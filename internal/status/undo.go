package status

import (
	"slices"
	"time"
)

// UndoWindow is for how long what a person made public can be taken back: until
// then nobody is told of it.
const UndoWindow = 10 * time.Second

// UndoPublish takes a publication back while nothing has left: the issue is a
// draft again. It has no version, because what automation did meanwhile is no
// reason to leave a mistake on the page.
type UndoPublish struct{ ID string }

// Subjects is the issue.
func (e UndoPublish) Subjects() []string { return subjects(e.ID) }

// UndoUntil is when the publication can no longer be taken back; zero when it
// cannot be at all, because no person made it or a person spoke since.
func (i Issue) UndoUntil() time.Time {
	if i.Stage != Published || !i.Confirmed || i.PublishedBy == "" || i.State == Resolved {
		return time.Time{}
	}
	for _, u := range i.Updates {
		if u.By != Automation && u.CreatedAt.After(i.PublishedAt) {
			return time.Time{}
		}
	}
	return i.PublishedAt.Add(UndoWindow)
}

func (e UndoPublish) revise(d *desk, who string) error {
	i, err := d.take(e.ID, 0)
	if err != nil {
		return err
	}
	if i.Stage == Draft {
		return nil // pressed twice
	}
	if !d.now.Before(i.UndoUntil()) {
		return ErrTooLate
	}
	d.log(Entry{Actor: who, Action: "took back the publication of", Subject: i.ID, Reason: ReasonPerson, Before: i.Title})
	i.Stage, i.PublishedAt, i.PublishedBy, i.AnnouncedAt = Draft, time.Time{}, "", time.Time{}
	i.Confirmed = i.Origin == Manual
	i.Updates = slices.Clone(i.Updates)
	for n := range i.Updates {
		i.Updates[n].Silent, i.Updates[n].EditedAt = false, time.Time{}
	}
	d.c.Withdrawn = append(d.c.Withdrawn, i.ID)
	d.saveIssue(i)
	return nil
}

// ErrTooLate: the time in which a publication can be taken back is over.
var ErrTooLate = Invalid{"undo", "it is too late to take it back, people are being told; post an update that corrects it"}
