package pages

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"html"
	"slices"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

const maxEntries = 50

// A feedEntry is one issue or maintenance in a feed.
type feedEntry struct {
	id        string // permanent, whatever the page's address becomes
	url       string
	title     string
	html      string
	published time.Time
	updated   time.Time
}

// feedEntries lists what the feeds tell, newest first. Readers show and sort
// by date and some drop an entry with the date of another, so dates are whole
// seconds and differ: of two that fall together the later one moves on.
func (p *press) feedEntries(e *edition) []feedEntry {
	var list []feedEntry
	for _, i := range e.view.Issues {
		f := feedEntry{
			id: permanentID("issue", i.ID), url: p.cfg.PublicURL + "/issues/" + i.ID, title: oneLine(i.Title),
			published: latest(i.CreatedAt, i.PublishedAt).UTC(), updated: issueChanged(i),
		}
		f.html = e.told(i.Updates, e.affectedNames(i), func(state string) string { return issueWords[status.IssueState(state)] })
		list = append(list, f)
	}
	for _, m := range e.view.Maintenances {
		f := feedEntry{
			id: permanentID("maintenance", m.ID), url: p.cfg.PublicURL + "/maintenance/" + m.ID,
			title: "Maintenance: " + oneLine(m.Title), published: m.CreatedAt.UTC(), updated: workChanged(m),
		}
		f.html = "<p>Planned from " + feedTime(m.ScheduledFor) + " to " + feedTime(m.ScheduledUntil) + ".</p>\n" +
			e.told(m.Updates, e.publicNames(m.Components), func(state string) string { return workLooks[status.MaintenanceState(state)].Word })
		list = append(list, f)
	}
	for n := range list {
		list[n].updated = latest(list[n].updated, list[n].published).UTC()
	}
	apart(list, func(f *feedEntry) *time.Time { return &f.published })
	apart(list, func(f *feedEntry) *time.Time { return &f.updated })
	slices.SortStableFunc(list, func(a, b feedEntry) int { return b.published.Compare(a.published) })
	return list[:min(len(list), maxEntries)]
}

// told is the content of an entry: the updates, newest first.
func (e *edition) told(updates []status.Update, names []string, word func(state string) string) string {
	var b strings.Builder
	for _, u := range slices.Backward(updates) {
		fmt.Fprintf(&b, "<p><strong>%s</strong> · %s</p>\n%s\n", word(u.State), feedTime(u.DisplayAt), e.rich(u.Body))
	}
	if len(names) > 0 {
		fmt.Fprintf(&b, "<p>Affected: %s</p>\n", html.EscapeString(strings.Join(names, ", ")))
	}
	return b.String()
}

func feedTime(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 MST") }

// permanentID makes a UUID of the id, of version 8 as RFC 9562 lays it out.
func permanentID(sort, id string) string {
	sum := sha256.Sum256([]byte("statusbridge " + sort + " " + id))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// apart truncates a date of the entries to seconds and makes all differ.
func apart(list []feedEntry, date func(*feedEntry) *time.Time) {
	slices.SortFunc(list, func(a, b feedEntry) int {
		return cmp.Or(date(&a).Compare(*date(&b)), strings.Compare(a.id, b.id))
	})
	var last time.Time
	for n := range list {
		t := date(&list[n])
		*t = t.Truncate(time.Second)
		if !t.After(last) {
			*t = last.Add(time.Second)
		}
		last = *t
	}
}

// affectedNames are the public components an issue touched.
func (e *edition) affectedNames(i status.Issue) []string {
	var ids []string
	for _, a := range e.worst(i) {
		ids = append(ids, a.ComponentID)
	}
	return e.publicNames(ids)
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

// feedDate is when the feed last had something new: that of its newest entry,
// or when the page got its first component.
func (e *edition) feedDate(list []feedEntry) time.Time {
	var t time.Time
	for _, f := range list {
		t = latest(t, f.updated)
	}
	if t.IsZero() && len(e.view.Components) > 0 {
		t = e.beginning()
	}
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	return t.UTC().Truncate(time.Second)
}

type rss struct {
	XMLName xml.Name   `xml:"rss"`
	Version string     `xml:"version,attr"`
	Atom    string     `xml:"xmlns:atom,attr"`
	Channel rssChannel `xml:"channel"`
}

type rssChannel struct {
	Title       string   `xml:"title"`
	Link        string   `xml:"link"`
	Self        atomLink `xml:"atom:link"`
	Description string   `xml:"description"`
	Language    string   `xml:"language"`
	PubDate     string   `xml:"pubDate"`
	BuildDate   string   `xml:"lastBuildDate"`
	TTL         int      `xml:"ttl"` // minutes
	Items       []rssItem
}

type rssItem struct {
	XMLName     xml.Name `xml:"item"`
	Title       string   `xml:"title"`
	Link        string   `xml:"link"`
	Description string   `xml:"description"`
	PubDate     string   `xml:"pubDate"`
	GUID        rssGUID  `xml:"guid"`
}

type rssGUID struct {
	PermaLink bool   `xml:"isPermaLink,attr"`
	Value     string `xml:",chardata"`
}

func (p *press) rss(e *edition, list []feedEntry) ([]byte, error) {
	date := e.feedDate(list).Format(time.RFC1123Z)
	doc := rss{Version: "2.0", Atom: "http://www.w3.org/2005/Atom", Channel: rssChannel{
		Title: p.cfg.Name + " – History", Link: p.cfg.PublicURL + "/",
		Self:        atomLink{Rel: "self", Type: "application/rss+xml", Href: p.cfg.PublicURL + "/history.rss"},
		Description: "Issues and maintenance of " + p.cfg.Name, Language: p.cfg.Language,
		PubDate: date, BuildDate: date, TTL: 5,
	}}
	for _, f := range list {
		doc.Channel.Items = append(doc.Channel.Items, rssItem{
			Title: f.title, Link: f.url, Description: f.html,
			PubDate: f.published.Format(time.RFC1123Z), GUID: rssGUID{Value: f.id},
		})
	}
	return xmlBytes(doc)
}

type atomFeed struct {
	XMLName xml.Name   `xml:"http://www.w3.org/2005/Atom feed"`
	Lang    string     `xml:"xml:lang,attr"`
	ID      string     `xml:"id"`
	Title   string     `xml:"title"`
	Updated string     `xml:"updated"`
	Links   []atomLink `xml:"link"`
	Author  atomAuthor `xml:"author"`
	Entries []atomEntry
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
	Href string `xml:"href,attr"`
}

type atomAuthor struct {
	Name string `xml:"name"`
}

type atomEntry struct {
	XMLName   xml.Name    `xml:"entry"`
	ID        string      `xml:"id"`
	Title     string      `xml:"title"`
	Published string      `xml:"published"`
	Updated   string      `xml:"updated"`
	Link      atomLink    `xml:"link"`
	Content   atomContent `xml:"content"`
}

type atomContent struct {
	Type string `xml:"type,attr"`
	HTML string `xml:",chardata"`
}

func (p *press) atom(e *edition, list []feedEntry) ([]byte, error) {
	doc := atomFeed{
		Lang: p.cfg.Language, ID: permanentID("feed", p.cfg.PublicURL), Title: p.cfg.Name + " – History",
		Updated: e.feedDate(list).Format(time.RFC3339), Author: atomAuthor{p.cfg.Name},
		Links: []atomLink{
			{Rel: "self", Type: "application/atom+xml", Href: p.cfg.PublicURL + "/history.atom"},
			{Rel: "alternate", Type: "text/html", Href: p.cfg.PublicURL + "/"},
		},
	}
	// An entry that was added to comes up again.
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b feedEntry) int { return b.updated.Compare(a.updated) })
	for _, f := range list {
		doc.Entries = append(doc.Entries, atomEntry{
			ID: f.id, Title: f.title, Published: f.published.Format(time.RFC3339), Updated: f.updated.Format(time.RFC3339),
			Link: atomLink{Rel: "alternate", Type: "text/html", Href: f.url}, Content: atomContent{"html", f.html},
		})
	}
	return xmlBytes(doc)
}

func xmlBytes(doc any) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	enc := xml.NewEncoder(&b)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return nil, fmt.Errorf("write feed: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}
