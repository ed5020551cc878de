package status

import (
	"slices"
	"time"
)

// Proposed is what publishing a draft with these edits would come to: the issue
// as it would be, and what would be announced. Nothing is done. It fails as the
// publication would, but for a stale version.
func Proposed(i Issue, components []Component, r *Rules, e PublishIssue, who string, now time.Time) (Issue, []Announcement, error) {
	b := NewBoard("proposed")
	b.Issues[i.ID] = i
	for _, a := range i.Components { // one that has left the page stays with the issue
		b.Components[a.ComponentID] = Component{ID: a.ComponentID, Name: a.ComponentID}
	}
	for _, c := range components {
		b.Components[c.ID] = c
	}
	e.ID, e.Version = i.ID, i.Version
	c, err := Revise(b, r, e, who, now)
	return c.Issues[i.ID], slices.DeleteFunc(c.Announcements, func(a Announcement) bool { return a.Event.Readers() != ThePublic }), err
}
