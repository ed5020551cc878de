package status

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Importer is the actor of what came from another status page.
const Importer = "import"

// Arrival is a status page, or a part of one, that moves here. Its ids are those
// that it had there, and stay: links to it go on leading somewhere, and what
// arrives twice is known. Components are named by their ids there.
type Arrival struct {
	Groups       []Group
	Components   []Component
	Issues       []Issue
	Maintenances []Maintenance
}

// Subjects are the ids that must be on the board.
func (a Arrival) Subjects() []string {
	var ids []string
	for _, i := range a.Issues {
		ids = append(ids, i.ID)
	}
	for _, m := range a.Maintenances {
		ids = append(ids, m.ID)
	}
	return ids
}

// Fate is what became of one thing that arrived.
type Fate string

// The fates.
const (
	FateCreated Fate = "created"
	FateSkipped Fate = "skipped"
	FateFailed  Fate = "failed"
)

// Landing says what became of one thing that arrived, and why.
type Landing struct {
	Kind string `json:"kind"` // group, component, incident, maintenance or subscriber
	ID   string `json:"id"`   // as it was called there
	Name string `json:"name"`
	Fate Fate   `json:"fate"`
	Why  string `json:"why,omitempty"`  // "" when it was created
	Here string `json:"here,omitempty"` // of components: the id that it has here
}

// Settle takes in what arrives and is not here yet. What is here stays as it
// is; a component is also known by its name. Nobody is told about anything.
func Settle(b Board, a Arrival, now time.Time) (Changes, []Landing) {
	s := settler{desk: newDesk(b, nil, now), groups: map[string]string{}, components: map[string]string{}}
	for _, g := range a.Groups {
		s.land("group", g.ID, g.Name, s.group(g))
	}
	for _, c := range a.Components {
		s.land("component", c.ID, c.Name, s.component(c))
	}
	for _, i := range a.Issues {
		s.land("incident", i.ID, i.Title, s.issue(i))
	}
	for _, m := range a.Maintenances {
		s.land("maintenance", m.ID, m.Title, s.maintenance(m))
	}
	return s.c, s.landings
}

type settler struct {
	*desk
	groups, components map[string]string // from the id there to the id here
	landings           []Landing
}

// already is the reason of what is skipped.
type already string

func (a already) Error() string { return string(a) }

func (s *settler) land(kind, id, name string, err error) {
	l := Landing{Kind: kind, ID: id, Name: name, Fate: FateCreated}
	switch why := err.(type) {
	case nil:
		s.log(Entry{Actor: Importer, Action: "imported", Subject: id, Reason: ReasonPerson, Detail: kind + " " + name})
	case already:
		l.Fate, l.Why = FateSkipped, string(why)
	default:
		l.Fate, l.Why = FateFailed, err.Error()
	}
	if kind == "component" {
		l.Here = s.components[id]
	}
	s.landings = append(s.landings, l)
}

func (s *settler) group(g Group) error {
	g.Name = oneLine(g.Name)
	if g.Name == "" || len(g.Name) > MaxTitle || g.ID == "" {
		return Invalid{"name", "a group needs an id and a name of at most 200 bytes"}
	}
	for _, there := range all(s.c.Groups, s.board.Groups) {
		if there.ID == g.ID || !there.Archived && strings.EqualFold(there.Name, g.Name) {
			s.groups[g.ID] = there.ID
			return already("it is here already")
		}
	}
	g.Version, g.UpdatedAt = 1, s.now
	s.groups[g.ID], s.c.Groups[g.ID] = g.ID, g
	return nil
}

func (s *settler) component(c Component) error {
	c.Name, c.GroupID = oneLine(c.Name), s.groups[c.GroupID]
	c.Status = cmp.Or(c.Status, Operational)
	switch {
	case c.Name == "" || len(c.Name) > MaxTitle || c.ID == "":
		return Invalid{"name", "a component needs an id and a name of at most 200 bytes"}
	case !c.Status.Valid():
		return Invalid{"status", string(c.Status) + " is not known"}
	}
	if _, here := s.desk.component(c.ID); here {
		s.components[c.ID] = c.ID
		return already("it is here already")
	}
	for _, there := range all(s.c.Components, s.board.Components) {
		if !there.Archived && !c.Archived && there.GroupID == c.GroupID && strings.EqualFold(there.Name, c.Name) {
			s.components[c.ID] = there.ID
			return already("a component of this name is here")
		}
	}
	c.Slug = s.slugFor(c)
	c.Version, c.UpdatedAt = 1, s.now
	s.components[c.ID], s.c.Components[c.ID] = c.ID, c
	return nil
}

func (s *settler) issue(i Issue) error {
	if _, here := s.desk.issue(i.ID); here {
		return already("it is here already")
	}
	i.Components = slices.Clone(i.Components)
	for n, a := range i.Components {
		i.Components[n].ComponentID = s.here(a.ComponentID)
	}
	i.Updates = s.updates(i.ID, i.Updates)
	if err := s.check(i, ""); err != nil {
		return err
	}
	if err := s.checkUpdates(i.ID, i.Updates); err != nil {
		return err
	}
	switch {
	case i.StartedAt.IsZero() || i.StartedAt.After(s.now):
		return Invalid{"started_at", "is missing or lies in the future"}
	case i.State == Resolved && i.ResolvedAt.Before(i.StartedAt):
		return Invalid{"resolved_at", "is missing or lies before the beginning"}
	case i.State != Resolved:
		i.ResolvedAt = time.Time{}
	}
	i.Version, i.Stage, i.Origin, i.Confirmed, i.PublishedBy = 1, Published, Manual, true, Importer
	i.CreatedAt = orTime(i.CreatedAt, i.StartedAt)
	i.PublishedAt = orTime(i.PublishedAt, i.CreatedAt)
	i.UpdatedAt = orTime(i.UpdatedAt, i.CreatedAt)
	s.c.Issues[i.ID] = i
	return nil
}

func (s *settler) maintenance(m Maintenance) error {
	if _, here := s.desk.maintenance(m.ID); here {
		return already("it is here already")
	}
	ids := make([]string, 0, len(m.Components))
	for _, id := range m.Components {
		if id = s.here(id); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		if _, ok := s.desk.component(id); !ok {
			return Invalid{"components", "there is no component " + id}
		}
	}
	m.Components, m.Updates = ids, s.updates(m.ID, m.Updates)
	if err := s.checkUpdates(m.ID, m.Updates); err != nil {
		return err
	}
	switch {
	case m.Title == "" || len(m.Title) > MaxTitle:
		return Invalid{"title", "is missing or longer than 200 bytes"}
	case !m.State.Valid():
		return Invalid{"state", string(m.State) + " is not known"}
	case m.ScheduledFor.IsZero() || m.ScheduledUntil.Before(m.ScheduledFor):
		return Invalid{"scheduled_until", "the planned times are missing or the end lies before the beginning"}
	case m.Running() && m.StartedAt.IsZero(), m.Over() && m.EndedAt.IsZero():
		return Invalid{"state", "it is " + string(m.State) + ", but since when is missing"}
	}
	m.Version, m.CreatedBy = 1, Importer
	m.CreatedAt = orTime(m.CreatedAt, m.ScheduledFor)
	m.UpdatedAt = orTime(m.UpdatedAt, m.CreatedAt)
	// What is over by the plan waits for a person: the clock would tell people of
	// its beginning now.
	m.AutoStart, m.AutoEnd = m.ScheduledFor.After(s.now), m.ScheduledUntil.After(s.now)
	s.c.Maintenances[m.ID] = m
	return nil
}

// here is the id of a component that had another one there.
func (s *settler) here(id string) string { return cmp.Or(s.components[id], id) }

func (s *settler) updates(subject string, list []Update) []Update {
	out := slices.Clone(list)
	for n := range out {
		out[n].SubjectID, out[n].By, out[n].Silent = subject, Importer, true
		out[n].Changes = slices.Clone(out[n].Changes)
		for k, c := range out[n].Changes {
			out[n].Changes[k].ComponentID = s.here(c.ComponentID)
		}
	}
	return out
}

func (s *settler) checkUpdates(id string, list []Update) error {
	if id == "" || len(list) == 0 {
		return Invalid{"updates", "an id and at least one update are needed"}
	}
	for _, u := range list {
		switch {
		case u.ID == "" || u.DisplayAt.IsZero():
			return Invalid{"updates", "each needs an id and a time"}
		case len(u.Body) > MaxBody:
			return Invalid{"body", "is longer than 20,000 bytes"}
		}
		for _, c := range u.Changes {
			if !c.Old.Valid() || !c.New.Valid() {
				return Invalid{"updates", "a status of " + c.Name + " is not known"}
			}
		}
	}
	return nil
}

func orTime(t, otherwise time.Time) time.Time {
	if t.IsZero() {
		return otherwise
	}
	return t
}

// Merge adds what another part of the same page has.
func (a *Arrival) Merge(b Arrival) {
	a.Groups = mergeByID(a.Groups, b.Groups, func(g Group) string { return g.ID })
	a.Components = mergeByID(a.Components, b.Components, func(c Component) string { return c.ID })
	a.Issues = mergeByID(a.Issues, b.Issues, func(i Issue) string { return i.ID })
	a.Maintenances = mergeByID(a.Maintenances, b.Maintenances, func(m Maintenance) string { return m.ID })
}

func mergeByID[T any](a, b []T, id func(T) string) []T {
	seen := map[string]bool{}
	for _, v := range a {
		seen[id(v)] = true
	}
	for _, v := range b {
		if id(v) == "" || !seen[id(v)] {
			a = append(a, v)
		}
		seen[id(v)] = true
	}
	return a
}
