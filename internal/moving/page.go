package moving

import (
	"github.com/statusbridge/statusbridge/internal/status"
)

// Page is what was read of another status page.
type Page struct {
	status.Arrival
	Subscribers []status.Subscriber
	// Refused is what could not be read, or has no place here.
	Refused []status.Landing
}

// Merge adds another part of the same page.
func (p *Page) Merge(other Page) {
	p.Arrival.Merge(other.Arrival)
	p.Subscribers = append(p.Subscribers, other.Subscribers...)
	p.Refused = append(p.Refused, other.Refused...)
}

func (p *Page) skip(kind, id, name, why string) {
	p.Refused = append(p.Refused, status.Landing{Kind: kind, ID: id, Name: name, Fate: status.FateSkipped, Why: why})
}

// size is how many things there are.
func (p *Page) size() int {
	return len(p.Groups) + len(p.Components) + len(p.Issues) + len(p.Maintenances)
}

// titled fits a title into its place; what does not fit stands in front of the
// first update, so that nothing is lost.
func titled(title string, updates []status.Update) string {
	title = plain(title)
	if len(title) > status.MaxTitle && len(updates) > 0 {
		updates[0].Body = title + "\n\n" + updates[0].Body
	}
	return status.Clip(title, status.MaxTitle)
}
