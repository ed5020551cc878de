package pages

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
	"github.com/mmcdole/gofeed"

	"github.com/statusbridge/statusbridge/internal/status"
)

// events reads a calendar with a reader of others, after the rules of RFC 5545
// that it is lenient about.
func events(t *testing.T, p *Publisher, path string) []*ics.VEvent {
	t.Helper()
	text := body(t, p, path)
	for line := range strings.SplitAfterSeq(text, "\n") {
		if line == "" {
			continue
		}
		content, ended := strings.CutSuffix(line, "\r\n")
		if !ended || strings.Contains(content, "\r") || len(content) > 75 || !utf8.ValidString(content) {
			t.Errorf("%s: line %q of %d octets", path, line, len(content))
		}
	}
	c, err := ics.ParseCalendar(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return c.Events()
}

func property(e *ics.VEvent, name ics.ComponentProperty) string {
	if p := e.GetProperty(name); p != nil {
		return p.Value
	}
	return ""
}

func TestTheCalendarHasEachMaintenance(t *testing.T) {
	p := published(t, storm())
	list := events(t, p, "/history.ics")
	if len(list) != 4 {
		t.Fatalf("%d events, want 4", len(list))
	}
	one := events(t, p, "/maintenance/mm2.ics")
	if len(one) != 1 {
		t.Fatalf("%d events for one maintenance", len(one))
	}
	e := one[0]
	start, err := e.GetStartAt()
	if err != nil || !start.Equal(noon.Add(37*time.Hour)) {
		t.Errorf("starts at %v, %v", start, err)
	}
	end, err := e.GetEndAt()
	if err != nil || !end.Equal(noon.Add(39*time.Hour)) {
		t.Errorf("ends at %v, %v", end, err)
	}
	for name, want := range map[ics.ComponentProperty]string{
		ics.ComponentPropertySummary: "Acme: Network maintenance in Frankfurt", ics.ComponentPropertyStatus: "CONFIRMED",
		ics.ComponentPropertyUrl: "https://status.example.com/maintenance/mm2", ics.ComponentPropertySequence: "0",
		ics.ComponentPropertyTransp: "TRANSPARENT",
	} {
		if got := property(e, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if about := property(e, ics.ComponentPropertyDescription); !strings.Contains(about, "We replace the disks") || !strings.Contains(about, "Affected: API, Website") {
		t.Errorf("it tells %q", about)
	}
	if !slices.ContainsFunc(list, func(other *ics.VEvent) bool { return other.Id() == e.Id() }) {
		t.Error("the event has another id in the whole calendar")
	}
}

func TestACalendarEventIsReplacedNotDoubled(t *testing.T) {
	v := storm()
	p, w, _ := stage(t, settings(), v)
	before := events(t, p, "/maintenance/mm2.ics")[0]
	w.change(func(v *status.View) {
		v.Maintenances = slices.Clone(v.Maintenances)
		v.Maintenances[1].Version = 4
		v.Maintenances[1].UpdatedAt = noon
		v.Maintenances[1] = move(v.Maintenances[1], noon, status.Cancelled, "The provider called it off.")
	})
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := events(t, p, "/maintenance/mm2.ics")[0]
	if before.Id() != after.Id() || after.Id() == "" {
		t.Errorf("the id went from %s to %s", before.Id(), after.Id())
	}
	if got := property(after, ics.ComponentPropertyStatus); got != "CANCELLED" {
		t.Errorf("a cancelled maintenance is %s", got)
	}
	if got := property(after, ics.ComponentPropertySequence); got != "3" {
		t.Errorf("the sequence is %s after three changes", got)
	}
	if a, b := property(before, ics.ComponentPropertyDtstamp), property(after, ics.ComponentPropertyDtstamp); b <= a {
		t.Errorf("the stamp went from %s to %s", a, b)
	}
}

func TestCalendarLinesAreFoldedBetweenLetters(t *testing.T) {
	v := storm()
	v.Maintenances[1].Title = strings.Repeat("Wartung an den Übergängen, später; größer \\ ", 6)
	v.Maintenances[1].Body = strings.Repeat("日本語のメンテナンス", 40) + "\nBEGIN:VEVENT\r\nsecond line"
	e := events(t, published(t, v), "/maintenance/mm2.ics")
	if len(e) != 1 {
		t.Fatalf("text made %d events", len(e))
	}
	if got, want := property(e[0], ics.ComponentPropertySummary), "Acme: "+oneLine(v.Maintenances[1].Title); got != want {
		t.Errorf("the title arrives as %q", got)
	}
	if got := property(e[0], ics.ComponentPropertyDescription); !strings.HasPrefix(got, strings.Repeat("日本語のメンテナンス", 40)+"\nBEGIN:VEVENT\nsecond") {
		t.Errorf("the body arrives as %q", got)
	}
}

func TestUpdatesHaveEntriesOfTheirOwn(t *testing.T) {
	v := storm()
	p := published(t, v)
	want := 0
	for _, i := range v.Issues {
		want += len(i.Updates)
	}
	for _, m := range v.Maintenances {
		want += len(m.Updates)
	}
	for _, path := range []string{"/updates.rss", "/updates.atom", "/updates.json"} {
		f := parsedFeed(t, p, path)
		if len(f.Items) != want {
			t.Errorf("%s: %d entries, want one for each of %d updates", path, len(f.Items), want)
		}
		at := slices.IndexFunc(f.Items, func(item *gofeed.Item) bool {
			return item.Link == "https://status.example.com/issues/st1#update-st1-5"
		})
		if at < 0 || f.Items[at].Title != "Monitoring: Card payments and payouts are failing" || !strings.Contains(f.Items[at].Content+f.Items[at].Description, "new certificate") {
			t.Errorf("%s does not tell the last update", path)
		}
	}
}

func TestAnEditMovesTheUpdatedDateOnly(t *testing.T) {
	v := storm()
	v.Issues[1].Updates[2].EditedAt = time.Time{}
	before := published(t, v)
	after := published(t, storm()) // edited half an hour ago
	find := func(p *Publisher, path string) *gofeed.Item {
		for _, item := range parsedFeed(t, p, path).Items {
			if strings.HasSuffix(item.Link, "#update-st1-3") {
				return item
			}
		}
		t.Fatal("the update is not in " + path)
		return nil
	}
	for _, path := range []string{"/updates.rss", "/updates.atom", "/updates.json"} {
		a, b := find(before, path), find(after, path)
		if a.GUID != b.GUID || !a.PublishedParsed.Equal(*b.PublishedParsed) {
			t.Errorf("%s: the update was %s of %s, then %s of %s", path, a.GUID, a.Published, b.GUID, b.Published)
		}
		if path != "/updates.rss" && !b.UpdatedParsed.After(*a.UpdatedParsed) {
			t.Errorf("%s: updated %s, then %s", path, a.Updated, b.Updated)
		}
	}
}

func TestEveryFeedIsInOrder(t *testing.T) {
	p := published(t, storm())
	for _, path := range []string{"/history.json", "/updates.rss", "/updates.atom", "/updates.json", "/components/api/history.rss", "/components/api/history.atom"} {
		f := parsedFeed(t, p, path)
		if f.FeedLink != "https://status.example.com"+path {
			t.Errorf("%s says it is at %s", path, f.FeedLink)
		}
		var last time.Time
		ids := map[string]bool{}
		for n, item := range f.Items {
			at := item.PublishedParsed
			if strings.HasSuffix(path, ".atom") {
				at = item.UpdatedParsed
			}
			if n > 0 && !at.Before(last) {
				t.Errorf("%s: entry %d of %v follows one of %v", path, n, at, last)
			}
			last = *at
			if ids[item.GUID] || !strings.HasPrefix(item.GUID, "urn:uuid:") || !strings.HasPrefix(item.Link, "https://status.example.com/") {
				t.Errorf("%s: %s at %s", path, item.GUID, item.Link)
			}
			ids[item.GUID] = true
		}
	}
}

func TestAComponentHasFeedsOfItsOwn(t *testing.T) {
	p := published(t, storm())
	for _, path := range []string{"/components/cards/history.rss", "/components/cards/history.atom", "/components/cards/history.json"} {
		f := parsedFeed(t, p, path)
		var titles []string
		for _, item := range f.Items {
			titles = append(titles, item.Title)
		}
		slices.Sort(titles)
		want := []string{"Card payments and payouts are failing", "Card payments declined", "Maintenance: Payment provider switch"}
		if !slices.Equal(titles, want) {
			t.Errorf("%s: %q, want %q", path, titles, want)
		}
		if f.FeedLink != "https://status.example.com"+path {
			t.Errorf("%s says it is at %s", path, f.FeedLink)
		}
	}
	if e := events(t, p, "/components/cards/history.ics"); len(e) != 1 {
		t.Errorf("%d events for the component, want 1", len(e))
	}
	for _, path := range []string{"/components/nothing/history.rss", "/components/cards/history.exe", "/components/cards/", "/maintenance/nothing.ics", "/components/cards/history", "/de/components/cards/history.rss", "/de/og.png", "/de/sitemap.xml"} {
		if _, err := p.Demand(t.Context(), path); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestJSONFeedsHaveTheFieldsOfTheirStandard(t *testing.T) {
	p := published(t, storm())
	doc := object(t, body(t, p, "/history.json"))
	if doc["version"] != "https://jsonfeed.org/version/1.1" || doc["feed_url"] != "https://status.example.com/history.json" || doc["title"] == "" {
		t.Errorf("head %v", doc)
	}
	for _, item := range doc["items"].([]any) {
		m := item.(map[string]any)
		for _, field := range []string{"id", "url", "title", "content_html", "date_published", "date_modified"} {
			if s, ok := m[field].(string); !ok || s == "" {
				t.Errorf("item %v has no %s", m["id"], field)
			}
		}
		for _, field := range []string{"date_published", "date_modified"} {
			if _, err := time.Parse(time.RFC3339, m[field].(string)); err != nil {
				t.Error(err)
			}
		}
	}
	if text := body(t, published(t, fresh()), "/history.json"); !strings.Contains(text, `"items":[]`) {
		t.Errorf("an empty feed has no list: %s", text)
	}
}

func TestSideDocumentsKeepTheirBytesAndDate(t *testing.T) {
	p, w, clock := stage(t, settings(), storm())
	paths := []string{"/components/cards/history.atom", "/components/cards/badge.svg", "/maintenance/mm2.ics", cardPath}
	before := map[string]*Doc{}
	for _, path := range paths {
		before[path] = demanded(t, p, path)
	}
	clock.now = clock.now.Add(time.Minute)
	w.change(func(v *status.View) { v.Components = slices.Clone(v.Components); v.Components[1].Description = "New." })
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if after := demanded(t, p, path); after.ETag != before[path].ETag || !after.LastModified.Equal(before[path].LastModified) {
			t.Errorf("%s changed though nothing it shows did", path)
		}
	}
	w.change(func(v *status.View) { v.Issues = v.Issues[2:] })
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/components/cards/history.atom", "/components/cards/badge.svg", cardPath} {
		if after := demanded(t, p, path); after.ETag == before[path].ETag {
			t.Errorf("%s shows what is over", path)
		}
	}
}

func demanded(t *testing.T, p *Publisher, path string) *Doc {
	t.Helper()
	doc, err := p.Demand(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestBadgesTellTheStateInWords(t *testing.T) {
	p := published(t, storm())
	for path, want := range map[string]string{
		"/badge.svg": "Acme: Partial System Outage", "/components/cards/badge.svg": "Card payments: Major outage",
		"/components/docs/badge.svg": "Documentation: Operational",
	} {
		raw := body(t, p, path)
		var svg struct {
			Role  string `xml:"role,attr"`
			Title string `xml:"title"`
		}
		if err := xml.Unmarshal([]byte(raw), &svg); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if svg.Title != want || svg.Role != "img" {
			t.Errorf("%s is a %s of %q, want %q", path, svg.Role, svg.Title, want)
		}
		if strings.Contains(raw, "style") || strings.Contains(raw, "<script") {
			t.Errorf("%s needs what the policy forbids", path)
		}
	}
}

func TestTheWordsOfABadgeCanBeRead(t *testing.T) {
	for _, g := range glyphs {
		if contrast := 1.05 / (luminance(g.fill) + 0.05); contrast < 4.5 {
			t.Errorf("white on %s (%s): contrast %.2f", g.fill, g.class, contrast)
		}
	}
}

func TestABadgeEscapesWhatPeopleWrite(t *testing.T) {
	v := calm()
	v.Components[0].Name = `</title><script>alert("1")</script>`
	if raw := body(t, published(t, v), "/components/website/badge.svg"); strings.Contains(raw, "<script") {
		t.Error(raw)
	}
}

func TestTheCardIsAPictureOfTheState(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range []status.View{calm(), storm(), fresh()} {
		p := published(t, v)
		doc := demanded(t, p, cardPath)
		img, err := png.Decode(bytes.NewReader(doc.Raw))
		if err != nil {
			t.Fatal(err)
		}
		if b := img.Bounds(); b.Dx() != 1200 || b.Dy() != 630 || len(doc.Raw) > 200_000 {
			t.Errorf("%v of %d bytes", b, len(doc.Raw))
		}
		meta := attr(pick(t, body(t, p, "/"), "meta[property=og:image]")[0], "content")
		if !strings.HasPrefix(meta, "https://status.example.com/og.png?v=") || seen[meta] {
			t.Errorf("the page names the picture %s", meta)
		}
		seen[meta] = true
	}
}

func TestTheHeadLeadsProgramsToTheFeeds(t *testing.T) {
	p := published(t, storm())
	page := body(t, p, "/")
	var types []string
	for _, link := range pick(t, page, "link[rel=alternate]") {
		if attr(link, "type") == "" {
			continue // another language
		}
		types = append(types, attr(link, "type"))
		path := strings.TrimPrefix(attr(link, "href"), "https://status.example.com")
		if doc := p.Find(path); doc == nil || !strings.HasPrefix(doc.ContentType, attr(link, "type")) || attr(link, "title") == "" {
			t.Errorf("no %s at %s", attr(link, "type"), path)
		}
	}
	if want := []string{"application/rss+xml", "application/atom+xml", "application/feed+json", "text/calendar"}; !slices.Equal(types, want) {
		t.Errorf("alternates %q, want %q", types, want)
	}
	var facts map[string]any
	if err := json.Unmarshal([]byte(pick(t, page, "script[type=application/ld+json]")[0].FirstChild.Data), &facts); err != nil {
		t.Fatal(err)
	}
	if facts["@type"] != "WebPage" || facts["dateModified"] == nil || facts["url"] != "https://status.example.com/" {
		t.Errorf("JSON-LD %v", facts)
	}
	for _, property := range []string{"og:title", "og:description", "og:url", "og:image", "og:image:alt", "og:site_name"} {
		if found := pick(t, page, "meta[property="+property+"]"); len(found) != 1 || attr(found[0], "content") == "" {
			t.Errorf("no %s", property)
		}
	}
}

func TestTheSitemapListsEveryPage(t *testing.T) {
	p := published(t, storm())
	var m sitemap
	if err := xml.Unmarshal([]byte(body(t, p, sitemapPath)), &m); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, u := range m.URLs {
		path := strings.TrimPrefix(u.Loc, "https://status.example.com")
		listed[path] = true
		if doc := demanded(t, p, path); !doc.isPage() {
			t.Errorf("%s is no page", u.Loc)
		}
	}
	for _, path := range []string{"/", "/issues/st1", "/issues/aa6", "/maintenance/mm3", "/history/2026-11", "/history/2026-08", "/uptime", "/components/cards"} {
		if !listed[path] {
			t.Errorf("%s is not listed", path)
		}
	}
	if robots := body(t, p, "/robots.txt"); !strings.Contains(robots, "Sitemap: https://status.example.com/sitemap.xml\n") || !strings.Contains(robots, "Disallow: /admin\n") {
		t.Errorf("robots.txt: %s", robots)
	}
}

func TestSecurityTxtIsThereWithAContact(t *testing.T) {
	if published(t, calm()).Find(securityPath) != nil {
		t.Error("there is a security.txt without a contact")
	}
	cfg := settings()
	cfg.SecurityContacts = []string{"mailto:security@example.com", "https://example.com/report"}
	p, _, _ := stage(t, cfg, calm())
	doc := p.Find(securityPath)
	want := "Contact: mailto:security@example.com\nContact: https://example.com/report\nExpires: 2027-06-01T00:00:00Z\n" +
		"Preferred-Languages: en\nCanonical: https://status.example.com/.well-known/security.txt\n"
	if string(doc.Raw) != want || doc.ContentType != "text/plain; charset=utf-8" {
		t.Errorf("%s: %s", doc.ContentType, doc.Raw)
	}
	cfg.SecurityContacts = []string{"security@example.com"}
	if _, err := New(cfg, &world{}, &stillClock{noon}, quiet()); err == nil || !strings.Contains(err.Error(), "mailto:") {
		t.Errorf("an address that is no URL: %v", err)
	}
}
