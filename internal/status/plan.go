package status

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// Subjects is the component; a new one needs none.
func (e SaveComponent) Subjects() []string { return subjects(e.ID) }

// Subjects is the group; a new one needs none.
func (e SaveGroup) Subjects() []string { return subjects(e.ID) }

// Subjects is the component.
func (e ArchiveComponent) Subjects() []string { return subjects(e.ID) }

// Subjects is the group.
func (e ArchiveGroup) Subjects() []string { return subjects(e.ID) }

// Subjects is the maintenance; a new one needs none.
func (e SaveMaintenance) Subjects() []string { return subjects(e.ID) }

// Subjects is the maintenance.
func (e PostMaintenanceUpdate) Subjects() []string { return subjects(e.ID) }

func subjects(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id}
}

var (
	slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	notSlug  = regexp.MustCompile(`[^a-z0-9]+`)
)

// Slug makes the form in which rules.yaml and URLs name a component.
func Slug(name string) string {
	return strings.Trim(notSlug.ReplaceAllString(strings.ToLower(name), "-"), "-")
}

func (e SaveComponent) revise(d *desk, who string) error {
	c, action := e.Component, "changed"
	if c.ID == "" {
		c.ID, c.CreatedAt, c.Version, action = d.mint(), d.now, 0, "created"
	} else {
		old, ok := d.component(c.ID)
		if !ok {
			return ErrNotFound
		}
		if c.Version != 0 && c.Version != old.Version {
			return ErrConflict
		}
		c.CreatedAt, c.Archived, c.Version = old.CreatedAt, old.Archived, old.Version
	}
	c.Name = oneLine(c.Name)
	c.Slug = cmp.Or(strings.TrimSpace(c.Slug), Slug(c.Name))
	c.Status = cmp.Or(c.Status, Operational)
	switch other, taken := d.componentBySlug(c.Slug); {
	case c.Name == "":
		return Invalid{"name", "customers need a name for it"}
	case len(c.Name) > MaxTitle:
		return Invalid{"name", "is longer than 200 bytes"}
	case !slugForm.MatchString(c.Slug):
		return Invalid{"slug", "may hold lower-case letters, digits and single dashes, such as checkout-api"}
	case taken && other.ID != c.ID:
		return Invalid{"slug", other.Name + " has it already"}
	case !c.Status.Valid():
		return Invalid{"status", string(c.Status) + " is not known"}
	}
	if _, ok := d.group(c.GroupID); c.GroupID != "" && !ok {
		return Invalid{"group", "there is no such group"}
	}
	c.Version++
	c.UpdatedAt = d.now
	d.c.Components[c.ID] = c
	d.c.Result = c.ID
	d.log(Entry{Actor: who, Action: action, Subject: c.ID, Reason: ReasonPerson, Detail: "component " + c.Name})
	return nil
}

func (e SaveGroup) revise(d *desk, who string) error {
	g, action := e.Group, "changed"
	if g.ID == "" {
		g.ID, g.CreatedAt, g.Version, action = d.mint(), d.now, 0, "created"
	} else {
		old, ok := d.group(g.ID)
		if !ok {
			return ErrNotFound
		}
		if g.Version != 0 && g.Version != old.Version {
			return ErrConflict
		}
		g.CreatedAt, g.Archived, g.Version = old.CreatedAt, old.Archived, old.Version
	}
	g.Name = oneLine(g.Name)
	if g.Name == "" || len(g.Name) > MaxTitle {
		return Invalid{"name", "a group needs a name of at most 200 bytes"}
	}
	g.Version++
	g.UpdatedAt = d.now
	d.c.Groups[g.ID] = g
	d.c.Result = g.ID
	d.log(Entry{Actor: who, Action: action, Subject: g.ID, Reason: ReasonPerson, Detail: "group " + g.Name})
	return nil
}

func (e ArchiveComponent) revise(d *desk, who string) error {
	c, ok := d.component(e.ID)
	if !ok {
		return ErrNotFound
	}
	if c.Archived {
		return nil
	}
	if e.Version != 0 && e.Version != c.Version {
		return ErrConflict
	}
	c.Archived, c.UpdatedAt = true, d.now
	c.Version++
	d.c.Components[c.ID] = c
	d.log(Entry{Actor: who, Action: "removed", Subject: c.ID, Reason: ReasonPerson, Detail: "component " + c.Name})
	return nil
}

func (e ArchiveGroup) revise(d *desk, who string) error {
	g, ok := d.group(e.ID)
	if !ok {
		return ErrNotFound
	}
	if g.Archived {
		return nil
	}
	if e.Version != 0 && e.Version != g.Version {
		return ErrConflict
	}
	for _, id := range sortedKeys(d.board.Components) {
		if c := d.board.Components[id]; c.GroupID == g.ID {
			c.GroupID, c.UpdatedAt = "", d.now
			c.Version++
			d.c.Components[id] = c
		}
	}
	g.Archived, g.UpdatedAt = true, d.now
	g.Version++
	d.c.Groups[g.ID] = g
	d.log(Entry{Actor: who, Action: "removed", Subject: g.ID, Reason: ReasonPerson, Detail: "group " + g.Name})
	return nil
}

func (e SaveMaintenance) revise(d *desk, who string) error {
	m := Maintenance{ID: e.ID, State: Scheduled, CreatedAt: d.now, CreatedBy: who}
	created := e.ID == ""
	if created {
		m.ID = d.mint()
	} else {
		var ok bool
		if m, ok = d.maintenance(e.ID); !ok {
			return ErrNotFound
		}
		if e.Version != 0 && e.Version != m.Version {
			return ErrConflict
		}
		if m.Over() {
			return Invalid{"state", "it is over; plan a new maintenance"}
		}
	}
	m.Title, m.Body, m.Components = oneLine(e.Title), strings.TrimSpace(e.Body), e.Components
	m.ScheduledFor, m.ScheduledUntil, m.AutoStart, m.AutoEnd = e.ScheduledFor, e.ScheduledUntil, e.AutoStart, e.AutoEnd
	if err := d.checkMaintenance(m); err != nil {
		return err
	}
	d.c.Result = m.ID
	if created {
		d.tell(&m, EventMaintenanceScheduled, m.Body, who, e.Silent)
		d.log(Entry{Actor: who, Action: "scheduled", Subject: m.ID, Reason: ReasonPerson, After: m.Title})
	} else {
		d.log(Entry{Actor: who, Action: "edited", Subject: m.ID, Reason: ReasonPerson, After: m.Title})
	}
	d.saveMaintenance(m)
	return nil
}

func (d *desk) checkMaintenance(m Maintenance) error {
	switch {
	case m.Title == "":
		return Invalid{"title", "say in a few words what will be done"}
	case len(m.Title) > MaxTitle:
		return Invalid{"title", "is longer than 200 bytes; the rest belongs in the description"}
	case len(m.Body) > MaxBody:
		return Invalid{"body", "is longer than 20,000 bytes"}
	case m.ScheduledFor.IsZero():
		return Invalid{"scheduled_for", "when does it begin?"}
	case !m.ScheduledUntil.After(m.ScheduledFor):
		return Invalid{"scheduled_until", "must lie after the beginning"}
	}
	for n, id := range m.Components {
		if _, ok := d.component(id); !ok || slices.Contains(m.Components[:n], id) {
			return Invalid{"components", "component " + id + " does not exist or is named twice"}
		}
	}
	return nil
}

func (e PostMaintenanceUpdate) revise(d *desk, who string) error {
	m, ok := d.maintenance(e.ID)
	if !ok {
		return ErrNotFound
	}
	if e.Version != 0 && e.Version != m.Version {
		return ErrConflict
	}
	to := cmp.Or(e.State, m.State)
	body := strings.TrimSpace(e.Body)
	switch {
	case !to.Valid():
		return Invalid{"state", string(to) + " is not known"}
	case to == m.State && body == "":
		return Invalid{"body", "say what is new"}
	case len(body) > MaxBody:
		return Invalid{"body", "is longer than 20,000 bytes"}
	case m.Over() && to != m.State:
		return Invalid{"state", "it is over; plan a new maintenance"}
	case to == Scheduled && m.State != Scheduled:
		return Invalid{"state", "it has begun already"}
	}
	d.move(&m, to, body, who, e.Silent)
	d.log(Entry{Actor: who, Action: string(to), Subject: m.ID, Reason: ReasonPerson, Detail: clip(body, 200)})
	d.saveMaintenance(m)
	d.over(m)
	d.c.Result = m.ID
	return nil
}

// move takes a maintenance to a state and tells it.
func (d *desk) move(m *Maintenance, to MaintenanceState, body, who string, silent bool) {
	from, event := m.State, EventUpdate
	m.State = to
	switch {
	case from == to:
	case to == Completed:
		m.EndedAt, event, body = d.now, EventMaintenanceEnded, cmp.Or(body, "The maintenance is complete.")
	case to == Cancelled:
		m.EndedAt, event, body = d.now, EventMaintenanceCancelled, cmp.Or(body, "The maintenance will not take place.")
	case from == Scheduled:
		m.StartedAt, event, body = d.now, EventMaintenanceStarted, cmp.Or(body, "The maintenance has begun.")
	}
	d.tell(m, event, body, who, silent)
}

// tell appends an update to a maintenance and orders its announcement.
func (d *desk) tell(m *Maintenance, event Event, body, who string, silent bool) {
	u := Update{
		ID: d.mint(), SubjectID: m.ID, State: string(m.State), Body: body, By: who,
		CreatedAt: d.now, DisplayAt: d.now, Silent: silent,
	}
	for _, id := range m.Components {
		switch {
		case event == EventMaintenanceStarted:
			u.Changes = append(u.Changes, d.change(id, Operational, UnderMaintenance))
		case m.Over() && !m.StartedAt.IsZero() && event != EventUpdate:
			u.Changes = append(u.Changes, d.change(id, UnderMaintenance, Operational))
		}
	}
	m.Updates = append(slices.Clip(m.Updates), u)
	if silent {
		return
	}
	d.c.Announcements = append(d.c.Announcements, Announcement{
		ID: d.mint(), Event: event, SubjectID: m.ID, UpdateID: u.ID,
		Components: m.Components, CreatedAt: d.now, DueAt: d.now,
	})
}

// turn moves a maintenance on by the clock. A window that passed whole while
// nobody ran is started and ended in two ticks, so both are told.
func (d *desk) turn(m Maintenance) {
	due := m.next()
	if due.IsZero() || due.After(d.now) {
		return
	}
	to := InProgress
	if m.Running() {
		to = Completed
	}
	d.move(&m, to, "", Automation, false)
	d.log(Entry{Action: string(to), Subject: m.ID, Reason: ReasonSchedule, Detail: "due " + clock(due)})
	d.saveMaintenance(m)
	d.over(m)
}

// over lets alerts that the maintenance had explained speak for themselves.
func (d *desk) over(m Maintenance) {
	if m.Over() {
		d.detach(m.ID, false)
	}
}
