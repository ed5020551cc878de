package moving

import (
	"context"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Store is where a page moves to.
type Store interface {
	Apply(ctx context.Context, now time.Time, fn func(status.Board) (status.Changes, error), subjects ...string) (int64, error)
	Import(ctx context.Context, now time.Time, rows []status.Subscriber, confirmed, dry bool) (int, error)
}

// Move is a page on its way.
type Move struct {
	Store    Store
	Now      time.Time
	Dry      bool // only say what would become of everything
	Ask      bool // subscribers are asked by mail first
	Progress func(done, total int)
}

// chunk is how many issues share a transaction: the daemon's writes come in
// between.
const chunk = 200

// In brings the page in and says what became of each thing. Once more it brings
// what is new there. Nobody is told about anything, unless Ask is set.
func (m Move) In(ctx context.Context, p Page) ([]status.Landing, error) {
	landings := p.Refused
	total := p.size()
	done := 0
	head := status.Arrival{Groups: p.Groups, Components: p.Components}
	for first := true; first || len(p.Issues)+len(p.Maintenances) > 0; first = false {
		part := head // again each time: it says which component is which
		if !first {
			part.Issues, p.Issues = cut(p.Issues, chunk)
			part.Maintenances, p.Maintenances = cut(p.Maintenances, chunk-len(part.Issues))
		}
		var settled []status.Landing
		_, err := m.Store.Apply(ctx, m.Now, func(b status.Board) (status.Changes, error) {
			var c status.Changes
			if c, settled = status.Settle(b, part, m.Now); m.Dry {
				return status.Changes{}, nil
			}
			return c, nil
		}, part.Subjects()...)
		if err != nil {
			return landings, err
		}
		if !first {
			settled = settled[len(head.Groups)+len(head.Components):]
		}
		landings = append(landings, settled...)
		done += len(settled)
		m.Progress(done, total)
	}
	return m.subscribers(ctx, p, landings)
}

func cut[T any](list []T, n int) (some, rest []T) {
	n = max(0, min(n, len(list)))
	return list[:n], list[n:]
}

// rows is how many subscribers share a transaction.
const rows = 1000

// subscribers takes them over. The store counts who is new and does not say
// who, so each is asked for first.
func (m Move) subscribers(ctx context.Context, p Page, landings []status.Landing) ([]status.Landing, error) {
	here := map[string]string{} // ids of components
	for _, l := range landings {
		if l.Kind == "component" {
			here[l.ID] = l.Here
		}
	}
	total := len(p.Subscribers)
	for len(p.Subscribers) > 0 {
		var some []status.Subscriber
		some, p.Subscribers = cut(p.Subscribers, rows)
		for n, s := range some {
			for k, id := range s.Components {
				some[n].Components[k] = here[id]
			}
			added, err := m.Store.Import(ctx, m.Now, []status.Subscriber{s}, true, true)
			if err != nil {
				return landings, err
			}
			l := status.Landing{Kind: "subscriber", ID: s.Email, Fate: status.FateCreated}
			if added == 0 {
				l.Fate, l.Why = status.FateSkipped, "subscribes here already"
			}
			landings = append(landings, l)
		}
		if !m.Dry {
			if _, err := m.Store.Import(ctx, m.Now, some, !m.Ask, false); err != nil {
				return landings, err
			}
		}
		m.Progress(total-len(p.Subscribers), total)
	}
	return landings, nil
}
