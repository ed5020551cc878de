package pages

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"time"
)

// RSS 2.0, https://www.rssboard.org/rss-specification

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

func (p *press) rss(f feed) ([]byte, error) {
	date := f.updated.Format(time.RFC1123Z)
	doc := rss{Version: "2.0", Atom: "http://www.w3.org/2005/Atom", Channel: rssChannel{
		Title: f.title, Link: f.home,
		Self:        atomLink{Rel: "self", Type: "application/rss+xml", Href: p.cfg.PublicURL + f.path + ".rss"},
		Description: f.about, Language: p.cfg.Language,
		PubDate: date, BuildDate: date, TTL: 5,
	}}
	for _, entry := range f.entries {
		doc.Channel.Items = append(doc.Channel.Items, rssItem{
			Title: entry.title, Link: entry.url, Description: entry.html,
			PubDate: entry.published.Format(time.RFC1123Z), GUID: rssGUID{Value: entry.id},
		})
	}
	return xmlBytes(doc)
}

// Atom, RFC 4287.

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

func (p *press) atom(f feed) ([]byte, error) {
	doc := atomFeed{
		Lang: p.cfg.Language, ID: p.feedID(f), Title: f.title,
		Updated: f.updated.Format(time.RFC3339), Author: atomAuthor{p.cfg.Name},
		Links: []atomLink{
			{Rel: "self", Type: "application/atom+xml", Href: p.cfg.PublicURL + f.path + ".atom"},
			{Rel: "alternate", Type: "text/html", Href: f.home},
		},
	}
	// An entry that was added to comes up again.
	list := slices.Clone(f.entries)
	slices.SortStableFunc(list, func(a, b feedEntry) int { return b.updated.Compare(a.updated) })
	for _, entry := range list {
		doc.Entries = append(doc.Entries, atomEntry{
			ID: entry.id, Title: entry.title, Published: entry.published.Format(time.RFC3339), Updated: entry.updated.Format(time.RFC3339),
			Link: atomLink{Rel: "alternate", Type: "text/html", Href: entry.url}, Content: atomContent{"html", entry.html},
		})
	}
	return xmlBytes(doc)
}

// feedID is as stable as the page's address. That of the history has no path
// in it, because it was given out before there were other feeds.
func (p *press) feedID(f feed) string {
	if f.path == "/history" {
		return permanentID("feed", p.cfg.PublicURL)
	}
	return permanentID("feed", p.cfg.PublicURL+f.path)
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
