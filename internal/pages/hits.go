package pages

import (
	"slices"

	"github.com/statusbridge/statusbridge/internal/status"
)

const hitsShown = 8 // of the components that an issue affects

// affected is a component as an issue touches it, or a maintenance, which says
// nothing of its state.
type affected struct {
	Name string
	Look look
}

// hits are the components that something affects. Of many the first are shown and
// the others folded: what is said about it must not stand below them.
type hits struct {
	ID            string // of what affects them
	Shown, Folded []affected
}

func hitsOf(id string, all []affected) *hits {
	if len(all) == 0 {
		return nil
	}
	first, rest := fold(all, hitsShown)
	return &hits{id, first, rest}
}

// fold parts a long list. Two more than are to be shown take no more room than the
// words that hide them.
func fold[T any](all []T, shown int) (first, rest []T) {
	if len(all) <= shown+2 {
		return all, nil
	}
	return all[:shown], all[shown:]
}

// worst is what the issue did to its components: while it is open as they are
// now, afterwards the worst each went through, for then all are well again.
func (e *edition) worst(i status.Issue) []status.Affected {
	if i.Open() {
		return i.Components
	}
	out := slices.Clone(i.Components)
	for _, u := range i.Updates {
		for _, c := range u.Changes {
			n := slices.IndexFunc(out, func(a status.Affected) bool { return a.ComponentID == c.ComponentID })
			if n < 0 {
				out = append(out, status.Affected{ComponentID: c.ComponentID, Status: c.New})
			} else {
				out[n].Status = out[n].Status.Worse(c.New)
			}
		}
	}
	return out
}

// worstFirst is worst in the order in which people want to know.
func (e *edition) worstFirst(i status.Issue) []status.Affected {
	return slices.SortedStableFunc(slices.Values(e.worst(i)), func(a, b status.Affected) int { return b.Status.Rank() - a.Status.Rank() })
}
