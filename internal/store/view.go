package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// newestKept is how many issues and maintenances a view holds even when they are
// older: programs list the newest 50, however quiet the year was.
const newestKept = 50

// View is what the public may know at one revision: the present, the history
// since an instant, and at least the newest 50 issues and maintenances. It shares
// what it holds with others: nobody may change that.
func (s *Store) View(ctx context.Context, since time.Time) (status.View, error) {
	var v status.View
	err := s.look(ctx, func(h handle) (err error) {
		head, err := boardNow(ctx, h)
		if err != nil {
			return err
		}
		v.Revision = head.Revision
		hidden, err := s.around.read(ctx, h, head, since, &v)
		if err != nil {
			return err
		}
		if v.Issues, err = s.published.read(ctx, h, head, since, hidden); err != nil {
			return err
		}
		v.Charts, err = s.charts(ctx, h)
		return err
	})
	if err != nil {
		return status.View{}, fmt.Errorf("read the public view: %w", err)
	}
	return v, nil
}

// PublicIssue reads a published issue; others are not found.
func (s *Store) PublicIssue(ctx context.Context, id string) (status.Issue, error) {
	i, err := publicIssues.one(ctx, s.read, status.ErrNotFound, "WHERE id = ? AND stage = 'published'", id)
	if err != nil {
		return i, err
	}
	one := []status.Issue{i}
	err = discreet(ctx, s.read, one, nil)
	return one[0], err
}

// PublicMaintenance reads a maintenance as visitors may see it.
func (s *Store) PublicMaintenance(ctx context.Context, id string) (status.Maintenance, error) {
	m, err := s.Maintenance(ctx, id)
	if err != nil {
		return m, err
	}
	one := []status.Maintenance{m}
	err = discreet(ctx, s.read, nil, one)
	return one[0], err
}

// Month lists the published issues that started in a window and the
// maintenances scheduled in it, the latest first.
func (s *Store) Month(ctx context.Context, w status.Window) ([]status.Issue, []status.Maintenance, error) {
	var is []status.Issue
	var ms []status.Maintenance
	err := s.look(ctx, func(h handle) (err error) {
		from, to := stamp(w.From), stamp(w.To)
		is, err = publicIssues.list(ctx, h, `WHERE stage = 'published' AND started_at >= ? AND started_at < ?
			ORDER BY started_at DESC, id DESC`, from, to)
		if err != nil {
			return err
		}
		ms, err = maintenances.list(ctx, h, `WHERE scheduled_for >= ? AND scheduled_for < ?
			ORDER BY scheduled_for DESC, id DESC`, from, to)
		if err != nil {
			return err
		}
		return discreet(ctx, h, is, ms)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read a month: %w", err)
	}
	return is, ms, nil
}

// FirstIssueAt is when the earliest published issue started, zero if there is
// none.
func (s *Store) FirstIssueAt(ctx context.Context) (time.Time, error) {
	return earliest(ctx, s.read, "SELECT MIN(started_at) FROM issues WHERE stage = 'published'")
}

// discreet takes from public things what is not for the public: components that
// are hidden, and the addresses of the people who wrote.
func discreet(ctx context.Context, h handle, is []status.Issue, ms []status.Maintenance) error {
	hidden, err := hiddenComponents(ctx, h)
	if err != nil {
		return err
	}
	for n := range is {
		discreetIssue(&is[n], hidden)
	}
	for n := range ms {
		discreetWork(&ms[n], hidden)
	}
	return nil
}

func hiddenComponents(ctx context.Context, h handle) (map[string]bool, error) {
	rows, err := components.list(ctx, h, "WHERE hidden")
	hidden := map[string]bool{}
	for _, c := range rows {
		hidden[c.ID] = true
	}
	return hidden, err
}

func discreetIssue(i *status.Issue, hidden map[string]bool) {
	i.Components = slices.DeleteFunc(i.Components, func(a status.Affected) bool { return hidden[a.ComponentID] })
	discreetUpdates(i.Updates, hidden)
}

func discreetWork(m *status.Maintenance, hidden map[string]bool) {
	m.CreatedBy = ""
	m.Components = slices.DeleteFunc(m.Components, func(id string) bool { return hidden[id] })
	discreetUpdates(m.Updates, hidden)
}

func discreetUpdates(us []status.Update, hidden map[string]bool) {
	for n := range us {
		u := &us[n]
		if u.By != status.Automation {
			u.By = ""
		}
		u.Changes = slices.DeleteFunc(u.Changes, func(c status.Change) bool { return hidden[c.ComponentID] })
	}
}
