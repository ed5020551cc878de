package pages

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"html"
	"slices"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

const maxEntries = 50

// A feed is a list of entries and where it is found. Each can be had in
// several forms, which differ in the ending of the address.
type feed struct {
	path    string // without its ending
	title   string
	about   string
	home    string // absolute: the page it belongs to
	updated time.Time
	entries []feedEntry // newest first
}

// A feedEntry is one issue, maintenance or update.
type feedEntry struct {
	id         string // permanent, whatever the page's address becomes
	url        string
	title      string
	published  time.Time
	updated    time.Time
	components func() []string // ids of those it is about
	content    func() string   // HTML; made for the entries that are kept only
	html       string          // the content, once it is made
}

// feedForms are the forms of feeds by their ending.
var feedForms = map[string]struct {
	kind  kind
	write func(*press, feed) ([]byte, error)
}{
	".rss":  {rssKind, (*press).rss},
	".atom": {atomKind, (*press).atom},
	".json": {jsonFeedKind, (*press).jsonFeed},
}

// feedPaths are the feeds that are kept ahead.
func feedPaths() []string {
	paths := []string{"/history.ics"}
	for ending := range feedForms {
		paths = append(paths, "/history"+ending, "/updates"+ending)
	}
	return paths
}

// history has one entry for each issue and maintenance.
func (p *press) history(e *edition) feed {
	return p.feed(e, feed{
		path: "/history", title: e.lang.say("feed.history", "name", p.cfg.Name), about: e.lang.say("feed.history_about", "name", p.cfg.Name),
		home: p.cfg.PublicURL + "/", entries: p.subjects(e, candidates(e.view.Issues, func(n int) instant { return instantOf(firstSeen(e.view.Issues[n])) })),
	})
}

// updates has one entry for each update, for readers that show an entry once
// and never look at it again, such as chats.
func (p *press) updates(e *edition) feed {
	return p.feed(e, feed{
		path: "/updates", title: e.lang.say("feed.updates", "name", p.cfg.Name), about: e.lang.say("feed.updates_about", "name", p.cfg.Name),
		home: p.cfg.PublicURL + "/", entries: p.statements(e),
	})
}

// historyOf is the history of one component.
func (p *press) historyOf(e *edition, c status.Component) feed {
	name := oneLine(c.Name)
	return p.feed(e, feed{
		path: componentPath(c) + "/history", title: p.cfg.Name + " – " + name, about: e.lang.say("feed.history_about", "name", name),
		home: p.cfg.PublicURL + componentPath(c), entries: slices.DeleteFunc(p.subjects(e, e.view.Issues), func(f feedEntry) bool {
			return !slices.Contains(f.components(), c.ID)
		}),
	})
}

func componentPath(c status.Component) string { return "/components/" + c.Slug }

// feed puts the newest entries in front, leaves out what is too old, and dates
// the whole: by its newest entry, or by the page's first component.
func (p *press) feed(e *edition, f feed) feed {
	slices.SortStableFunc(f.entries, func(a, b feedEntry) int { return b.published.Compare(a.published) })
	f.entries = f.entries[:min(len(f.entries), maxEntries)]
	for n := range f.entries {
		f.updated = latest(f.updated, f.entries[n].updated)
		f.entries[n].html = f.entries[n].content()
	}
	if f.updated.IsZero() && len(e.view.Components) > 0 {
		f.updated = e.beginning()
	}
	if f.updated.IsZero() {
		f.updated = time.Unix(0, 0)
	}
	f.updated = f.updated.UTC().Truncate(time.Second)
	return f
}

// candidates picks the issues that can be among the newest entries: feeds are short
// and histories long. A few more than needed, because dates that fall together
// are moved apart.
func candidates(issues []*status.Issue, date func(n int) instant) []*status.Issue {
	const enough = 2 * maxEntries
	if len(issues) <= enough {
		return issues
	}
	dates := make([]instant, len(issues))
	newest := make([]instant, 0, enough+1) // the latest in front
	for n := range issues {
		t := date(n)
		dates[n] = t
		if len(newest) == enough && t <= newest[enough-1] {
			continue // as most: the list begins with the newest
		}
		at, _ := slices.BinarySearchFunc(newest, t, func(a, b instant) int { return cmp.Compare(b, a) })
		newest = slices.Insert(newest, at, t)
		newest = newest[:min(len(newest), enough)]
	}
	var out []*status.Issue
	for n, t := range dates {
		if t >= newest[enough-1] {
			out = append(out, issues[n])
		}
	}
	return out
}

func firstSeen(i *status.Issue) time.Time { return latest(i.CreatedAt, i.PublishedAt) }

// subjects are the entries of issues and maintenance.
func (p *press) subjects(e *edition, issues []*status.Issue) []feedEntry {
	var list []feedEntry
	for _, i := range issues {
		list = append(list, feedEntry{
			id: permanentID("issue", i.ID), url: p.cfg.PublicURL + "/issues/" + i.ID, title: oneLine(i.Title),
			published: firstSeen(i), updated: issueChanged(i),
			components: func() []string { return e.touched(*i) },
			content:    func() string { return e.told(i.Updates, e.touched(*i), e.issueWord) },
		})
	}
	for _, m := range folded(slices.Backward(e.view.Maintenances)) {
		list = append(list, feedEntry{
			id: permanentID("maintenance", m.ID), url: p.cfg.PublicURL + "/maintenance/" + m.ID,
			title: e.lang.pair(e.lang.say("maintenance"), oneLine(m.Title)), published: m.CreatedAt, updated: workChanged(m),
			components: func() []string { return m.Components },
			content:    func() string { return e.planned(m) + e.told(m.Updates, m.Components, e.workWord) },
		})
	}
	return dated(list)
}

// statements are the entries of single updates.
func (p *press) statements(e *edition) []feedEntry {
	var list []feedEntry
	add := func(u status.Update, path, title, word string, about func() string) {
		list = append(list, feedEntry{
			id: permanentID("update", u.ID), url: p.cfg.PublicURL + path + "#update-" + u.ID, title: e.lang.pair(word, oneLine(title)),
			published: u.DisplayAt, updated: latest(u.DisplayAt, u.EditedAt),
			content: func() string { return string(e.said(u)) + "\n" + about() },
		})
	}
	issues := e.ends().issues
	for _, i := range candidates(e.view.Issues, func(n int) instant { return issues[n].changed }) {
		about := func() string { return e.affectedText(e.touched(*i)) }
		for _, u := range i.Updates {
			add(u, "/issues/"+i.ID, i.Title, e.issueWord(u.State), about)
		}
	}
	for _, m := range folded(slices.Backward(e.view.Maintenances)) {
		about := func() string { return e.planned(m) + e.affectedText(m.Components) }
		for _, u := range m.Updates {
			add(u, "/maintenance/"+m.ID, m.Title, e.lang.pair(e.lang.say("maintenance"), e.workWord(u.State)), about)
		}
	}
	return dated(list)
}

func (e *edition) issueWord(state string) string { return e.lang.issue(status.IssueState(state)) }
func (e *edition) workWord(state string) string {
	return e.lang.work(status.MaintenanceState(state)).Word
}

func (e *edition) planned(m status.Maintenance) string {
	text := e.lang.say("feed.planned", "from", e.feedTime(m.ScheduledFor), "until", e.feedTime(m.ScheduledUntil))
	if again := e.repeatsText(m); again != "" {
		text += "\n" + again
	}
	return "<p>" + strings.ReplaceAll(html.EscapeString(text), "\n", "<br>\n") + "</p>\n"
}

// told is the content of an entry: the updates, newest first.
func (e *edition) told(updates []status.Update, components []string, word func(state string) string) string {
	var b strings.Builder
	for _, u := range slices.Backward(updates) {
		fmt.Fprintf(&b, "<p><strong>%s</strong> · %s</p>\n%s\n", word(u.State), e.feedTime(u.DisplayAt), e.said(u))
	}
	return b.String() + e.affectedText(components)
}

func (e *edition) affectedText(components []string) string {
	names := e.publicNames(components)
	if len(names) == 0 {
		return ""
	}
	return "<p>" + html.EscapeString(e.lang.say("affected", "names", e.lang.list(names))) + "</p>\n"
}

// feedTime is a time in UTC as people read it, with its year: a feed is read
// long after.
func (e *edition) feedTime(t time.Time) string {
	t = t.UTC()
	return e.lang.say("date.moment", "day", e.lang.longDay(t), "time", t.Format("15:04 MST"))
}

// permanentID makes a UUID of the id, of version 8 as RFC 9562 lays it out.
func permanentID(sort, id string) string {
	sum := sha256.Sum256([]byte("statusbridge " + sort + " " + id))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// dated makes the dates of entries whole seconds that differ: readers show and
// sort by date, and some drop an entry with the date of another. Of two that
// fall together the later one moves on.
func dated(list []feedEntry) []feedEntry {
	for n := range list {
		list[n].published = list[n].published.UTC()
		list[n].updated = latest(list[n].updated, list[n].published).UTC()
	}
	apart(list, func(f *feedEntry) *time.Time { return &f.published })
	apart(list, func(f *feedEntry) *time.Time { return &f.updated })
	return list
}

func apart(list []feedEntry, date func(*feedEntry) *time.Time) {
	order := make([]*feedEntry, len(list)) // entries are large
	for n := range list {
		order[n] = &list[n]
	}
	slices.SortFunc(order, func(a, b *feedEntry) int {
		return cmp.Or(date(a).Compare(*date(b)), strings.Compare(a.id, b.id))
	})
	var last time.Time
	for _, f := range order {
		t := date(f)
		*t = t.Truncate(time.Second)
		if !t.After(last) {
			*t = last.Add(time.Second)
		}
		last = *t
	}
}

// touched are the components that an issue hurt at any time.
func (e *edition) touched(i status.Issue) []string {
	var ids []string
	for _, a := range e.worst(i) {
		ids = append(ids, a.ComponentID)
	}
	return ids
}

func (e *edition) publicNames(ids []string) []string {
	var names []string
	for _, id := range ids {
		if name, public := e.names[id]; public {
			names = append(names, name)
		}
	}
	return names
}
