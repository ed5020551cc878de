package web_test

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/statusbridge/statusbridge/internal/status"
)

// check compares what everybody was answered with what was decided, and that
// with what the database kept. It returns all that does not fit.
func (g *stage) check() []string {
	var found []string
	courses := map[string][]step{}
	for _, s := range g.ledgers[0].book.steps {
		courses[s.after.ID] = append(courses[s.after.ID], s)
	}
	for id, course := range courses {
		slices.SortStableFunc(course, func(a, b step) int { return cmp.Compare(a.after.Version, b.after.Version) })
		found = append(found, g.checkCourse(id, course)...)
	}
	for _, d := range g.deeds {
		if fault := checkDeed(d, courses[d.issue]); fault != "" {
			found = append(found, fmt.Sprintf("%s, %q by %s at version %d, answered %d: %s", d.kind, d.word, d.who, d.seen, d.code, fault))
		}
	}
	return found
}

// checkCourse follows an issue from its first version to what is kept of it.
func (g *stage) checkCourse(id string, course []step) []string {
	var found []string
	add := func(version int64, format string, args ...any) {
		found = append(found, fmt.Sprintf("issue %s, version %d: ", id, version)+fmt.Sprintf(format, args...))
	}
	var last status.Issue
	var decided []status.Entry
	for n, s := range course {
		v := s.after.Version
		if v != int64(n)+1 {
			add(v, "it should be %d: versions rise by one", n+1)
		}
		if d := difference(last, s.before); d != "" {
			add(v, "it was decided on something else than the version before:\n%s", d)
		}
		if automatic(s) {
			for f, h := range s.before.Held {
				if s.after.Held[f] != h || valueOf(s.before, f) != valueOf(s.after, f) {
					add(v, "automation changed the %s that %s holds: %q to %q", f, h.By, valueOf(s.before, f), valueOf(s.after, f))
				}
			}
		}
		if len(s.entries) == 0 {
			add(v, "the audit log says nothing about it")
		}
		last, decided = s.after, append(decided, s.entries...)
	}
	if d := difference(last, g.sites[0].issue(id)); d != "" {
		add(last.Version, "something else is kept than was decided last:\n%s", d)
	}
	kept, err := g.ledgers[0].Entries(g.t.Context(), id, 0)
	if err != nil {
		g.t.Fatal(err)
	}
	slices.Reverse(kept)
	if d := gocmp.Diff(decided, kept, cmpopts.EquateEmpty()); d != "" {
		add(last.Version, "the audit log is not what was decided:\n%s", d)
	}
	return found
}

// checkDeed looks for what a writer was told in what happened to the issue.
func checkDeed(d deed, course []step) string {
	var mine []step
	for _, s := range course {
		if d.word != "" && said(s.after, d.word) && !said(s.before, d.word) {
			mine = append(mine, s)
		}
	}
	switch d.code {
	case http.StatusSeeOther, http.StatusOK, http.StatusCreated:
		switch {
		case d.word == "":
			return "" // a button may find done what it would do
		case len(mine) != 1:
			return fmt.Sprintf("accepted, and done %d times", len(mine))
		case mine[0].before.Version != d.seen:
			return fmt.Sprintf("accepted on version %d: what came between was overwritten unseen", mine[0].before.Version)
		case !slices.ContainsFunc(mine[0].entries, func(e status.Entry) bool {
			return (d.who == "" || e.Actor == d.who) && strings.Contains(e.After+e.Detail, d.word)
		}):
			return fmt.Sprintf("accepted, and the audit log does not say so: %v", mine[0].entries)
		}
	case http.StatusConflict, http.StatusPreconditionFailed:
		switch {
		case len(mine) > 0:
			return "refused, and done nevertheless"
		case len(course) == 0 || course[len(course)-1].after.Version <= d.seen:
			return "refused as stale, and nothing had changed"
		case d.code == http.StatusConflict && !strings.Contains(d.body, d.word):
			return "refused, and what was typed is lost"
		case d.code == http.StatusConflict && !strings.Contains(d.body, "Nothing was ") && !strings.Contains(d.body, "not posted yet"):
			return "refused, and nobody was told so"
		case (d.kind == "title" || d.kind == "text") && !strings.Contains(d.body, "Saved now"):
			return "refused without the difference"
		}
	case http.StatusUnprocessableEntity:
		switch {
		case len(mine) > 0:
			return "refused, and done nevertheless"
		case d.who != "" && !strings.Contains(d.body, d.word):
			return "refused, and what was typed is lost"
		}
	default:
		return "this is no answer to a writer: " + d.body
	}
	return ""
}

func difference(a, b status.Issue) string {
	return gocmp.Diff(a, b, cmpopts.EquateEmpty())
}

// automatic reports whether no person had a part in it.
func automatic(s step) bool {
	return !slices.ContainsFunc(s.entries, func(e status.Entry) bool { return e.Actor != status.Automation })
}

// said reports whether the issue shows the word somewhere.
func said(i status.Issue, word string) bool {
	return strings.Contains(i.Title, word) || slices.ContainsFunc(i.Updates, func(u status.Update) bool { return strings.Contains(u.Body, word) })
}

// valueOf is a field that can be held, as text.
func valueOf(i status.Issue, f status.Field) string {
	switch f {
	case status.FieldTitle:
		return i.Title
	case status.FieldImpact:
		return string(i.Impact)
	case status.FieldState:
		return string(i.State)
	case status.FieldComponents:
		return fmt.Sprint(i.Components)
	case status.FieldBody:
		return i.Updates[0].Body
	}
	return "?"
}
