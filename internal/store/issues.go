package store

import (
	"context"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// publicIssues are the columns that visitors may see. What automation and
// people note for themselves is not among them.
var publicIssues = table[status.Issue]{
	name: "issues", key: []string{"id"},
	columns: func(i *status.Issue) []column {
		return []column{
			{"id", &i.ID},
			{"version", &i.Version},
			{"title", &i.Title},
			{"state", &i.State},
			{"impact", &i.Impact},
			{"stage", &i.Stage},
			{"origin", &i.Origin},
			{"confirmed", &i.Confirmed},
			{"flapping", &i.Flapping},
			{"components", doc(&i.Components)},
			{"updates", doc(&i.Updates)},
			{"started_at", at(&i.StartedAt)},
			{"created_at", at(&i.CreatedAt)},
			{"published_at", at(&i.PublishedAt)},
			{"monitoring_at", at(&i.MonitoringAt)},
			{"resolved_at", at(&i.ResolvedAt)},
			{"updated_at", at(&i.UpdatedAt)},
			{"merged_into", &i.MergedInto},
		}
	},
}

var issues = table[status.Issue]{
	name: "issues", key: []string{"id"}, revised: true,
	columns: func(i *status.Issue) []column {
		return append(publicIssues.columns(i),
			column{"rule", &i.Rule}, column{"group_key", &i.Group}, column{"group_labels", doc(&i.GroupLabels)},
			column{"held", doc(&i.Held)}, column{"suggestions", doc(&i.Suggestions)}, column{"notes", doc(&i.Notes)},
			column{"resolved_by", &i.ResolvedBy}, column{"rules_hash", &i.RulesHash}, column{"escalated", doc(&i.Escalated)},
			column{"recurrence_of", &i.RecurrenceOf}, column{"announced_at", at(&i.AnnouncedAt)},
			column{"published_by", &i.PublishedBy}, column{"claimed_by", &i.ClaimedBy}, column{"claimed_at", at(&i.ClaimedAt)},
			column{"snoozed_by", &i.SnoozedBy}, column{"snoozed_until", at(&i.SnoozedUntil)},
			column{"postmortem_draft", &i.PostmortemDraft}, column{"called_at", at(&i.CalledAt)},
		)
	},
}

// trimIssue rounds the times of an issue, those in its documents included.
func trimIssue(i *status.Issue) {
	issues.trim(i)
	i.Updates = trimUpdates(i.Updates)
	if i.Held != nil {
		held := make(map[status.Field]status.Hold, len(i.Held))
		for f, h := range i.Held {
			held[f] = status.Hold{By: h.By, At: trim(h.At)}
		}
		i.Held = held
	}
	i.Suggestions = trimEach(i.Suggestions, func(s *status.Suggestion) { s.At = trim(s.At) })
	i.Notes = trimEach(i.Notes, func(n *status.Note) { n.At = trim(n.At) })
}

func trimUpdates(us []status.Update) []status.Update {
	return trimEach(us, func(u *status.Update) {
		u.CreatedAt, u.DisplayAt, u.EditedAt = trim(u.CreatedAt), trim(u.DisplayAt), trim(u.EditedAt)
	})
}

// trimEach works on a copy: a former version of the issue may share the list.
func trimEach[T any](list []T, trimOne func(*T)) []T {
	if list == nil {
		return nil
	}
	out := make([]T, len(list))
	for i, v := range list {
		trimOne(&v)
		out[i] = v
	}
	return out
}

// Issue reads one issue in whatever stage.
func (s *Store) Issue(ctx context.Context, id string) (status.Issue, error) {
	return issues.one(ctx, s.read, status.ErrNotFound, "WHERE id = ?", id)
}

// IssueQuery picks issues for the admin.
type IssueQuery struct {
	Stages   []status.Stage // none: all
	OpenOnly bool
	Limit    int       // 0: all
	Before   time.Time // CreatedAt of the last one of the page before
}

// Issues lists issues, the newest first.
func (s *Store) Issues(ctx context.Context, q IssueQuery) ([]status.Issue, error) {
	tail, args := "WHERE 1 = 1", []any{}
	if len(q.Stages) > 0 {
		stages := make([]string, len(q.Stages))
		for i, stage := range q.Stages {
			stages[i] = string(stage)
		}
		tail += " AND stage IN " + s.dialect.elements("?")
		args = append(args, list(stages))
	}
	if q.OpenOnly {
		tail += " AND state <> 'resolved' AND stage <> 'dismissed'"
	}
	if !q.Before.IsZero() {
		tail += " AND created_at < ?"
		args = append(args, stamp(q.Before))
	}
	tail += " ORDER BY created_at DESC, id DESC"
	tail, args = limited(tail, args, q.Limit)
	return issues.list(ctx, s.read, tail, args...)
}

// MergedInto lists the issues that were merged into one, the earliest first.
func (s *Store) MergedInto(ctx context.Context, id string) ([]status.Issue, error) {
	return issues.list(ctx, s.read, "WHERE merged_into = ? ORDER BY started_at, id", id)
}

// limited adds a LIMIT; 0 is none.
func limited(tail string, args []any, limit int) (string, []any) {
	if limit <= 0 {
		return tail, args
	}
	return tail + " LIMIT ?", append(args, limit)
}
