package status

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// A Ledger keeps the outages of each component while one view follows another.
// What it costs depends on what changed, not on how long the history is. The
// zero value is ready. It is not for several goroutines at once.
type Ledger struct {
	now         time.Time
	issues      []*Issue            // of the last view
	postings    []*posting          // of these
	works       []Maintenance       // of the last view
	posted      map[string]*posting // by id of the issue or maintenance
	raw         map[string][]Outage
	corrections []Correction
	balance     map[string][]Outage
	serial      int
}

// posting is a subject as its outages were last worked out.
type posting struct {
	mark    mark
	outages []Outage
	going   bool // they grow with the clock
	seen    int
}

// A mark tells whether a subject is what it was. Views are values: updates and
// lists at the same place in memory are the same.
type mark struct {
	public     bool
	began, end time.Time
	updates    *Update
	components *string
	n          int
}

// Pair finds, for each issue of a list, its place in an earlier list when it is the
// same there, and calls with -1 when it is not. Both lists are those of views, newest
// start first: it goes along them as a merge does, so most of a long history costs
// next to nothing.
func Pair(list, earlier []*Issue, found func(n, was int)) {
	k := 0
	for n, i := range list {
		for k < len(earlier) && earlier[k] != i && standsBefore(earlier[k], i) {
			k++ // it is gone, or elsewhere
		}
		if k < len(earlier) && earlier[k] == i {
			found(n, k)
			k++
		} else {
			found(n, -1)
		}
	}
}

func standsBefore(a, b *Issue) bool {
	if c := a.StartedAt.Compare(b.StartedAt); c != 0 {
		return c > 0
	}
	return a.ID > b.ID
}

func markOf(i *Issue) mark {
	return mark{public: i.Public(), began: i.StartedAt, end: i.ResolvedAt, updates: first(i.Updates), n: len(i.Updates)}
}

func markOfWork(m *Maintenance) mark {
	return mark{began: m.StartedAt, end: m.EndedAt, components: first(m.Components), n: len(m.Components)}
}

func first[T any](list []T) *T {
	if len(list) == 0 {
		return nil
	}
	return &list[0]
}

// Follow brings the ledger to a view and a moment, and returns the outages of
// each component, in order: what View.OutagesByComponent returns. Neither the map
// nor the view may be changed afterwards; lists of components that nothing
// happened to are those of the last call.
func (l *Ledger) Follow(v View, now time.Time) map[string][]Outage {
	if l.posted == nil {
		l.posted, l.raw = map[string]*posting{}, map[string][]Outage{}
	}
	l.serial++
	later := !l.now.Equal(now)
	l.now = now
	touched := map[string]bool{}
	gone := map[string]bool{} // subjects whose outages are worked out anew
	var fresh []Outage
	post := func(id string, p, old *posting) {
		if old != nil {
			for _, o := range old.outages {
				touched[o.ComponentID], gone[id] = true, true
			}
		}
		for _, o := range p.outages {
			touched[o.ComponentID] = true
		}
		fresh = append(fresh, p.outages...)
		p.seen = l.serial
		l.posted[id] = p
	}
	stands := func(id string, m mark) (*posting, bool) {
		p := l.posted[id]
		if p == nil || p.mark != m || later && p.going {
			return p, false
		}
		p.seen = l.serial
		return p, true
	}
	postings := make([]*posting, len(v.Issues))
	var left []string // of the last view, by id: gone, or seen elsewhere
	next := 0
	leave := func(to int) {
		for ; next < to; next++ {
			left = append(left, l.issues[next].ID)
		}
	}
	Pair(v.Issues, l.issues, func(n, was int) {
		if was >= 0 {
			leave(was)
			next = was + 1
		}
		if was >= 0 && !(later && l.postings[was].going) {
			postings[n] = l.postings[was] // a long history is not even looked at
			return
		}
		i := v.Issues[n]
		m := markOf(i)
		old, same := stands(i.ID, m)
		if !same {
			post(i.ID, &posting{mark: m, outages: i.Outages(now), going: goesOn(m.end, now)}, old)
		}
		postings[n] = l.posted[i.ID]
	})
	leave(len(l.issues))
	l.issues, l.postings = v.Issues, postings
	for n := range v.Maintenances {
		w := &v.Maintenances[n]
		m := markOfWork(w)
		if old, same := stands(w.ID, m); !same {
			post(w.ID, &posting{mark: m, outages: w.Outages(now), going: goesOn(m.end, now)}, old)
		}
	}
	for n := range l.works {
		left = append(left, l.works[n].ID)
	}
	l.works = v.Maintenances
	for _, id := range left {
		if p := l.posted[id]; p != nil && p.seen != l.serial {
			for _, o := range p.outages {
				touched[o.ComponentID], gone[id] = true, true
			}
			delete(l.posted, id)
		}
	}
	corrections := byComponent(v.Corrections)
	if !slices.Equal(l.corrections, v.Corrections) {
		for _, c := range slices.Concat(l.corrections, v.Corrections) {
			touched[c.ComponentID] = true
		}
		l.corrections = v.Corrections
	}
	return l.settle(touched, gone, fresh, corrections)
}

// settle works out the lists of the components that were touched.
func (l *Ledger) settle(touched, gone map[string]bool, fresh []Outage, corrections map[string][]Correction) map[string][]Outage {
	balance := maps.Clone(l.balance)
	if balance == nil {
		balance = map[string][]Outage{}
	}
	added := map[string][]Outage{}
	for _, o := range fresh {
		added[o.ComponentID] = append(added[o.ComponentID], o)
	}
	for id := range touched {
		list := slices.Clone(added[id])
		for _, o := range l.raw[id] {
			if !gone[o.SubjectID] {
				list = append(list, o)
			}
		}
		slices.SortFunc(list, inOrder)
		l.raw[id] = list
		if of := corrections[id]; len(of) > 0 {
			list = corrected(list, of)
			slices.SortFunc(list, inOrder)
		}
		balance[id] = list
		if len(list) == 0 {
			delete(balance, id)
		}
	}
	l.balance = balance
	return balance
}

func goesOn(end, now time.Time) bool { return end.IsZero() || !end.Before(now) }

// inOrder sorts outages by their beginning.
func inOrder(a, b Outage) int {
	if c := a.From.Compare(b.From); c != 0 {
		return c
	}
	return strings.Compare(a.SubjectID, b.SubjectID)
}
