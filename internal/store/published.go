package store

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// published remembers the issues of the last view, since a history of ten
// thousand takes a second to read and hardly ever changes. What it hands out is
// shared: nobody may change it.
type published struct {
	mu       sync.Mutex
	seed     string // of the board: another one is another database
	revision int64
	since    time.Time
	hidden   map[string]bool
	issues   []*status.Issue
}

const (
	wantedIssues = `WHERE id IN (
			SELECT id FROM issues WHERE stage = 'published' AND state <> 'resolved'
			UNION SELECT id FROM issues WHERE stage = 'published' AND resolved_at >= ?
			UNION SELECT id FROM issues WHERE stage = 'published' AND started_at >= ?
			UNION SELECT id FROM (SELECT id FROM issues WHERE stage = 'published' ORDER BY started_at DESC, id DESC LIMIT ?) AS newest)
		ORDER BY started_at DESC, id DESC`
	changedIssues = "WHERE revision > ?" // in any order: with one, SQLite would read the whole table in it
)

// read returns the public issues of the history since a moment, as they are at
// the head. Only rows that were saved after the last time are read.
func (p *published) read(ctx context.Context, h handle, head boardHead, since time.Time, hidden map[string]bool) ([]*status.Issue, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.follows(head, since, hidden) && p.revision == head.Revision {
		return p.issues, nil
	}
	if p.follows(head, since, hidden) && full(p.issues, since) {
		changed, err := publicIssues.list(ctx, h, changedIssues, p.revision)
		if err != nil {
			return nil, err
		}
		for n := range changed {
			discreetIssue(&changed[n], hidden)
		}
		if merged := merge(p.issues, changed, since); full(merged, since) {
			p.issues, p.revision = merged, head.Revision
			return merged, nil
		}
	}
	all, err := publicIssues.list(ctx, h, wantedIssues, stamp(since), stamp(since), newestKept)
	if err != nil {
		return nil, err
	}
	for n := range all {
		discreetIssue(&all[n], hidden)
	}
	p.seed, p.revision, p.since, p.hidden, p.issues = head.Seed, head.Revision, since, hidden, status.Shared(all)
	return p.issues, nil
}

// follows reports whether the head is a later state of what is remembered.
func (p *published) follows(head boardHead, since time.Time, hidden map[string]bool) bool {
	return p.seed == head.Seed && p.since.Equal(since) && p.revision <= head.Revision && maps.Equal(p.hidden, hidden)
}

// full reports whether the newest issues all lie within the history, so that
// none from before it is wanted for want of others.
func full(list []*status.Issue, since time.Time) bool {
	return len(list) > newestKept && !list[newestKept].StartedAt.Before(since)
}

// merge puts changed issues into a list, in the order of wantedIssues. The list
// itself stays as it is; with nothing public among the changes it is returned.
func merge(list []*status.Issue, changed []status.Issue, since time.Time) []*status.Issue {
	wanted := map[string]*status.Issue{}
	touched := map[string]bool{}
	for n := range changed {
		i := &changed[n]
		touched[i.ID] = true
		if i.Public() && (i.State != status.Resolved || !i.ResolvedAt.Before(since) || !i.StartedAt.Before(since)) {
			wanted[i.ID] = i
		}
	}
	is := func(id string) bool { return touched[id] }
	if len(changed) <= fewChanges { // mostly: to compare is faster than to look up
		is = func(id string) bool {
			for n := range changed {
				if changed[n].ID == id {
					return true
				}
			}
			return false
		}
	}
	if len(wanted) == 0 && !anyOf(list, is) {
		return list
	}
	out := make([]*status.Issue, 0, len(list)+len(wanted))
	for _, i := range wanted {
		out = append(out, i)
	}
	slices.SortFunc(out, newestFirst)
	from := 0 // of a run that stays
	for n := range list {
		if is(list[n].ID) {
			out = append(out, list[from:n]...)
			from = n + 1
		}
	}
	out = append(out, list[from:]...)
	if n := len(wanted); n > 0 && n < len(out) && newestFirst(out[n-1], out[n]) > 0 {
		slices.SortFunc(out, newestFirst)
	}
	return out
}

const fewChanges = 4

func anyOf(list []*status.Issue, is func(id string) bool) bool {
	for n := range list {
		if is(list[n].ID) {
			return true
		}
	}
	return false
}

func newestFirst(a, b *status.Issue) int {
	if c := b.StartedAt.Compare(a.StartedAt); c != 0 {
		return c
	}
	if a.ID > b.ID {
		return -1
	}
	return 1
}
