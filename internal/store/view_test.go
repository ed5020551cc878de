package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// plain is a published issue that says nothing private.
func plain(id string, started time.Time) status.Issue {
	return status.Issue{
		ID: id, Version: 1, Title: id, State: status.Investigating, Impact: status.ImpactMinor, Stage: status.Published,
		Origin: status.Manual, StartedAt: started, CreatedAt: started, PublishedAt: started, UpdatedAt: started,
	}
}

func over(i status.Issue, at time.Time) status.Issue {
	i.State, i.ResolvedAt = status.Resolved, at
	return i
}

func names(list any) (out []string) {
	switch list := list.(type) {
	case []status.Issue:
		for _, v := range list {
			out = append(out, v.ID)
		}
	case []*status.Issue:
		for _, v := range list {
			out = append(out, v.ID)
		}
	case []status.Maintenance:
		for _, v := range list {
			out = append(out, v.ID)
		}
	case []status.Component:
		for _, v := range list {
			out = append(out, v.ID)
		}
	case []status.Group:
		for _, v := range list {
			out = append(out, v.ID)
		}
	case []status.Signal:
		for _, v := range list {
			out = append(out, v.Key.Fingerprint)
		}
	case []status.Entry:
		for _, v := range list {
			out = append(out, v.Action)
		}
	default:
		panic(fmt.Sprintf("names of %T", list))
	}
	return out
}

func TestTheViewHoldsThePresentAndTheHistoryAsked(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		day := 24 * time.Hour
		plan := func(id string, state status.MaintenanceState, from time.Time, ended time.Time) status.Maintenance {
			return status.Maintenance{ID: id, State: state, ScheduledFor: from, ScheduledUntil: from.Add(time.Hour), StartedAt: from, EndedAt: ended}
		}
		// Enough that what is older than the window is not among the newest.
		var many []status.Issue
		var works []status.Maintenance
		for n := range 50 {
			at := kept.Add(-time.Duration(n+1) * time.Minute)
			many = append(many, over(plain(fmt.Sprintf("recent-%02d", n), at), at.Add(time.Minute)))
			works = append(works, plan(fmt.Sprintf("recent-%02d", n), status.Completed, at.Add(-time.Hour), at))
		}
		recent := func(names []string) []string {
			return slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, "recent-") })
		}
		unpublished := plain("draft", kept)
		unpublished.Stage, unpublished.PublishedAt = status.Draft, time.Time{}
		internal, dismissed := unpublished, unpublished
		internal.ID, internal.Stage = "internal", status.Internal
		dismissed.ID, dismissed.Stage = "dismissed", status.Dismissed
		apply(t, s, status.Changes{
			Issues: issuesOf(append(many, plain("now", kept), plain("open-for-long", kept.Add(-100*day)), unpublished, internal, dismissed,
				over(plain("ended-in-window", kept.Add(-50*day)), kept.Add(-29*day)), over(plain("in-window", kept.Add(-3*day)), kept.Add(-2*day)),
				over(plain("before", kept.Add(-50*day)), kept.Add(-31*day)))...),
			Maintenances: maintenancesOf(append(works,
				plan("ahead", status.Scheduled, kept.Add(day), time.Time{}), plan("running", status.InProgress, kept, time.Time{}),
				plan("past", status.Completed, kept.Add(-9*day), kept.Add(-9*day)), plan("called-off", status.Cancelled, kept.Add(-2*day), kept.Add(-20*day)),
				plan("before", status.Completed, kept.Add(-60*day), kept.Add(-60*day)))...),
		})
		v, err := s.View(t.Context(), kept.Add(-30*day))
		if err != nil {
			t.Fatal(err)
		}
		same(t, "issues", recent(names(v.Issues)), []string{"now", "in-window", "ended-in-window", "open-for-long"})
		same(t, "maintenances", recent(names(v.Maintenances)), []string{"ahead", "running", "called-off", "past"})
		if v.Revision != 1 {
			t.Errorf("revision %d", v.Revision)
		}
		same(t, "an issue", *v.Issues[0], plain("now", kept))
	})
}

func TestAViewOfAQuietYearHasTheNewestAllTheSame(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		long := kept.AddDate(-2, 0, 0)
		unpublished := plain("draft", long)
		unpublished.Stage, unpublished.PublishedAt = status.Draft, time.Time{}
		var old []status.Issue
		for n := range 60 {
			at := long.Add(-time.Duration(n) * time.Hour)
			old = append(old, over(plain(fmt.Sprintf("old-%02d", n), at), at.Add(time.Minute)))
		}
		apply(t, s, status.Changes{Issues: issuesOf(append(old, unpublished)...), Maintenances: maintenancesOf(
			status.Maintenance{ID: "work", State: status.Completed, ScheduledFor: long, ScheduledUntil: long.Add(time.Hour), StartedAt: long, EndedAt: long.Add(time.Hour)})})
		v, err := s.View(t.Context(), kept.AddDate(0, 0, -90))
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Issues) != 50 || v.Issues[0].ID != "old-00" || len(v.Maintenances) != 1 {
			t.Errorf("%d issues and %d maintenances", len(v.Issues), len(v.Maintenances))
		}
	})
}

func TestComponentsComeInTheOrderOfThePage(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		place := func(id, group string, position int) status.Component {
			c := component(id)
			c.GroupID, c.Position = group, position
			return c
		}
		group := func(id string, position int) status.Group {
			return status.Group{ID: id, Name: id, Position: position}
		}
		hidden, archived, old := place("hidden", "", 0), place("archived", "", 0), group("old", 0)
		hidden.Hidden, archived.Archived, old.Archived = true, true, true
		apply(t, s, status.Changes{
			Components: componentsOf(place("b", "late", 1), place("a", "late", 1), place("z", "late", 0),
				place("c", "early", 9), place("alone", "", 3), place("orphan", "old", 7), hidden, archived),
			Groups: map[string]status.Group{"late": group("late", 5), "early": group("early", 2), "old": old},
		})
		v, err := s.View(t.Context(), noon)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "public components", names(v.Components), []string{"alone", "orphan", "c", "z", "a", "b"})
		same(t, "groups", names(v.Groups), []string{"early", "late"})
		cs, gs, err := s.Components(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		same(t, "admin components", names(cs), []string{"hidden", "alone", "orphan", "c", "z", "a", "b"})
		same(t, "admin groups", names(gs), []string{"early", "late"})
	})
}

// TestThePublicLearnsNothingPrivate plants a word in all that is not for
// visitors and looks for it in everything they get.
func TestThePublicLearnsNothingPrivate(t *testing.T) {
	const secret = "CANARY"
	onBoth(t, func(t *testing.T, s *store.Store) {
		hidden := component("hidden")
		hidden.Name, hidden.Hidden = secret, true
		change := []status.Change{{ComponentID: "hidden", Name: secret}, {ComponentID: "shown", Name: "shown"}}
		updates := []status.Update{{ID: "u1", Body: "hello", By: secret + "@x", Changes: change}, {ID: "u2", By: status.Automation}}
		i := plain("i", kept)
		i.Components = []status.Affected{{ComponentID: "hidden"}, {ComponentID: "shown"}}
		i.Held = map[status.Field]status.Hold{status.FieldTitle: {By: secret}}
		i.Suggestions = []status.Suggestion{{Value: secret}}
		i.Notes = []status.Note{{Text: secret}}
		i.Rule, i.Group, i.GroupLabels, i.ResolvedBy = secret, secret, map[string]string{"a": secret}, secret
		i.Updates = updates
		m := maintenance("m")
		m.CreatedBy, m.Components, m.Updates = secret, []string{"hidden", "shown"}, updates
		m.ScheduledFor, m.ScheduledUntil = kept, kept.Add(time.Hour)
		unseen := draft("d", secret, "")
		apply(t, s, status.Changes{Components: componentsOf(component("shown"), hidden), Issues: issuesOf(i, unseen), Maintenances: maintenancesOf(m)})

		ctx := t.Context()
		view, err := s.View(ctx, noon.Add(-time.Hour))
		one, err1 := s.PublicIssue(ctx, "i")
		plan, err2 := s.PublicMaintenance(ctx, "m")
		is, ms, err3 := s.Month(ctx, status.Window{From: noon.Add(-time.Hour), To: noon.Add(time.Hour)})
		if err := errors.Join(err, err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		for what, public := range map[string]any{"View": view, "an issue of View": *view.Issues[0], "PublicIssue": one, "PublicMaintenance": plan, "issues of Month": is, "maintenances of Month": ms} {
			if text := fmt.Sprintf("%+v", public); strings.Contains(text, secret) || strings.Contains(text, "hidden") {
				t.Errorf("%s tells: %s", what, text)
			}
		}
		if d := cmp.Diff(one, *view.Issues[0]); d != "" {
			t.Errorf("PublicIssue and View differ:\n%s", d)
		}
		if one.Updates[0].Body != "hello" || one.Updates[1].By != status.Automation || len(one.Components) != 1 || len(one.Updates[0].Changes) != 1 {
			t.Errorf("too little is left: %+v", one)
		}
		// The admin still sees it all.
		if full, err := s.Issue(ctx, "i"); err != nil || full.Notes[0].Text != secret || full.Updates[0].By != secret+"@x" {
			t.Errorf("the admin sees %+v (%v)", full, err)
		}
	})
}

func TestOnlyPublishedIssuesAreFoundByThePublic(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		apply(t, s, status.Changes{Issues: issuesOf(plain("i", kept), draft("d", "r", ""))})
		for _, id := range []string{"d", "none", ""} {
			if _, err := s.PublicIssue(t.Context(), id); !errors.Is(err, status.ErrNotFound) {
				t.Errorf("issue %q: %v", id, err)
			}
			if _, err := s.PublicMaintenance(t.Context(), id); !errors.Is(err, status.ErrNotFound) {
				t.Errorf("maintenance %q: %v", id, err)
			}
		}
		if _, err := s.Issue(t.Context(), "none"); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("an unknown issue: %v", err)
		}
		if _, err := s.Maintenance(t.Context(), "none"); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("an unknown maintenance: %v", err)
		}
	})
}

func TestAMonthHoldsWhatBeganInIt(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		from := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		to := from.AddDate(0, 1, 0)
		plan := func(id string, at time.Time) status.Maintenance {
			m := maintenance(id)
			m.ScheduledFor, m.ScheduledUntil = at, at
			return m
		}
		if first, err := s.FirstIssueAt(t.Context()); !first.IsZero() || err != nil {
			t.Errorf("first of none: %v (%v)", first, err)
		}
		apply(t, s, status.Changes{
			Issues: issuesOf(plain("before", from.Add(-1e6)), plain("first", from), plain("last", to.Add(-1e6)), plain("after", to),
				draft("draft", "r", "")),
			Maintenances: maintenancesOf(plan("m-before", from.Add(-1e6)), plan("m-first", from), plan("m-after", to)),
		})
		is, ms, err := s.Month(t.Context(), status.Window{From: from, To: to})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "issues", names(is), []string{"last", "first"})
		same(t, "maintenances", names(ms), []string{"m-first"})
		if first, err := s.FirstIssueAt(t.Context()); !first.Equal(from.Add(-1e6)) || err != nil {
			t.Errorf("first issue at %v (%v)", first, err)
		}
	})
}

func TestIssuesAreListedNewestFirstPageByPage(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		var all []status.Issue
		for n, i := range []status.Issue{issue("a", "r", "1"), draft("b", "r", "2"), resolved(issue("c", "r", "3"), kept), draft("d", "r", "4"), issue("e", "r", "5")} {
			i.CreatedAt = kept.Add(time.Duration(n) * time.Second)
			if i.ID == "d" {
				i.Stage = status.Dismissed
			}
			all = append(all, i)
		}
		apply(t, s, status.Changes{Issues: issuesOf(all...)})
		for _, c := range []struct {
			what string
			q    store.IssueQuery
			want []string
		}{
			{"all", store.IssueQuery{}, []string{"e", "d", "c", "b", "a"}},
			{"open", store.IssueQuery{OpenOnly: true}, []string{"e", "b", "a"}},
			{"by stage", store.IssueQuery{Stages: []status.Stage{status.Draft, status.Dismissed}}, []string{"d", "b"}},
			{"open drafts", store.IssueQuery{Stages: []status.Stage{status.Draft, status.Dismissed}, OpenOnly: true}, []string{"b"}},
			{"two", store.IssueQuery{Limit: 2}, []string{"e", "d"}},
			{"the next two", store.IssueQuery{Limit: 2, Before: kept.Add(3 * time.Second)}, []string{"c", "b"}},
		} {
			got, err := s.Issues(t.Context(), c.q)
			if err != nil {
				t.Fatal(err)
			}
			same(t, c.what, names(got), c.want)
		}
	})
}

func TestMaintenancesAreListedLatestFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		a, b := maintenance("a"), maintenance("b")
		b.ScheduledFor, b.ScheduledUntil = kept.Add(time.Hour), kept.Add(2*time.Hour)
		apply(t, s, status.Changes{Maintenances: maintenancesOf(a, b)})
		got, err := s.Maintenances(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "maintenances", got, []status.Maintenance{b, a})
		if got, err = s.Maintenances(t.Context(), 1); err != nil || len(got) != 1 {
			t.Errorf("%d maintenances (%v)", len(got), err)
		}
	})
}

func TestTheLogIsKeptInOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		entry := func(action, subject string) status.Entry {
			e := filled[status.Entry](action)
			e.Action, e.Subject = action, subject
			return e
		}
		first := entry("one", "i")
		apply(t, s, status.Changes{Entries: []status.Entry{first, entry("two", "j")}})
		apply(t, s, status.Changes{Entries: []status.Entry{entry("three", "i"), entry("four", "i")}})
		for _, c := range []struct {
			subject string
			limit   int
			want    []string
		}{
			{"", 0, []string{"four", "three", "two", "one"}},
			{"", 3, []string{"four", "three", "two"}},
			{"i", 0, []string{"four", "three", "one"}},
			{"none", 0, nil},
		} {
			got, err := s.Entries(t.Context(), c.subject, c.limit)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "entries of "+c.subject, names(got), c.want)
			if c.subject == "i" {
				same(t, "an entry", got[2], first)
			}
		}
	})
}

func TestTheAlertsBehindAnIssueAreFound(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		mine := status.TrackKey{Rule: "disk", Group: `{host="a"}`}
		tied := status.TrackKey{Rule: "net", Group: `{site="x"}`}
		signal := func(name string, firing bool, tracks ...status.TrackKey) status.Signal {
			v := filled[status.Signal](name)
			v.Key.Fingerprint, v.Firing, v.Tracks = name, firing, tracks
			return v
		}
		own := signal("own", false, mine, status.TrackKey{Rule: "other"})
		c := status.Changes{
			Issues:  issuesOf(issue("i", mine.Rule, mine.Group)),
			Tracks:  map[status.TrackKey]status.Track{tied: {Key: tied, IssueID: "i"}},
			Signals: map[status.SignalKey]status.Signal{},
		}
		for _, v := range []status.Signal{own, signal("tied", true, tied), signal("elsewhere", true, status.TrackKey{Rule: "disk", Group: "{}"}), signal("free", true), signal("was-free", false)} {
			c.Signals[v.Key] = v
		}
		apply(t, s, c)
		got, err := s.IssueSignals(t.Context(), "i")
		if err != nil {
			t.Fatal(err)
		}
		same(t, "signals", names(got), []string{"own", "tied"})
		same(t, "a signal", got[0], own)
		if got, err = s.IssueSignals(t.Context(), "none"); err != nil || len(got) != 0 {
			t.Errorf("signals of no issue: %v (%v)", got, err)
		}
		if got, err = s.Unmatched(t.Context(), 5); err != nil {
			t.Fatal(err)
		}
		same(t, "unmatched", names(got), []string{"free"})
		if got, err = s.RuleSignals(t.Context(), mine.Rule, 5); err != nil {
			t.Fatal(err)
		}
		same(t, "what the rule took", names(got), []string{"elsewhere", "own"})
	})
}
