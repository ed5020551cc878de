package pages

import (
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"

	"github.com/statusbridge/statusbridge/internal/status"
)

func parsedFeed(t *testing.T, p *Publisher, path string) *gofeed.Feed {
	t.Helper()
	f, err := gofeed.NewParser().ParseString(body(t, p, path))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return f
}

func TestFeedsTellIssuesAndMaintenance(t *testing.T) {
	p := published(t, storm())
	for _, path := range []string{"/history.rss", "/history.atom"} {
		f := parsedFeed(t, p, path)
		if len(f.Items) != 12 {
			t.Errorf("%s: %d entries, want 8 issues and 4 maintenances", path, len(f.Items))
		}
		if f.FeedLink != "https://status.example.com"+path {
			t.Errorf("%s: self link %q", path, f.FeedLink)
		}
		var last time.Time
		seen := map[string]bool{}
		for n, item := range f.Items {
			at := item.PublishedParsed
			if path == "/history.atom" {
				at = item.UpdatedParsed
			}
			if n > 0 && !at.Before(last) {
				t.Errorf("%s: entry %d of %v follows one of %v", path, n, at, last)
			}
			last = *at
			if seen[item.GUID] || !strings.HasPrefix(item.GUID, "urn:uuid:") {
				t.Errorf("%s: id %q", path, item.GUID)
			}
			seen[item.GUID] = true
			if !strings.HasPrefix(item.Link, "https://status.example.com/") {
				t.Errorf("%s: link %q is not absolute", path, item.Link)
			}
		}
		if text := body(t, p, path); !strings.Contains(text, "no money is lost") || !strings.Contains(text, "Affected: Card payments, Payouts") {
			t.Errorf("%s does not tell the updates", path)
		}
	}
}

func TestFeedEntriesKeepTheirIdentity(t *testing.T) {
	before, after := published(t, storm()), published(t, func() status.View {
		v := storm()
		v.Revision++
		*v.Issues[1] = resolve(*v.Issues[1], 82*time.Minute, "All is well.")
		return v
	}())
	find := func(p *Publisher, path string) *gofeed.Item {
		for _, item := range parsedFeed(t, p, path).Items {
			if strings.HasSuffix(item.Link, "/issues/st1") {
				return item
			}
		}
		t.Fatal("the issue is not in " + path)
		return nil
	}
	a, b := find(before, "/history.rss"), find(after, "/history.rss")
	if a.GUID != b.GUID || a.Published != b.Published {
		t.Errorf("RSS moved from %s %s to %s %s", a.GUID, a.Published, b.GUID, b.Published)
	}
	a, b = find(before, "/history.atom"), find(after, "/history.atom")
	if a.GUID != b.GUID || a.Published != b.Published || !b.UpdatedParsed.After(*a.UpdatedParsed) {
		t.Errorf("Atom: updated %s, then %s", a.Updated, b.Updated)
	}
	if f := parsedFeed(t, after, "/history.atom"); !f.UpdatedParsed.Equal(*f.Items[0].UpdatedParsed) {
		t.Errorf("the feed is of %v, its newest entry of %v", f.UpdatedParsed, f.Items[0].UpdatedParsed)
	}
}

func TestNoTwoEntriesHaveTheSameDate(t *testing.T) {
	v := calm()
	v.Issues = nil
	for _, id := range []string{"a", "b", "c", "d"} {
		v.Issues = append(v.Issues, listed(issue(id, "Issue "+id, noon.Add(-time.Hour), status.ImpactMinor))...)
	}
	p := published(t, v)
	dates := map[time.Time]bool{}
	for _, item := range parsedFeed(t, p, "/history.rss").Items {
		if dates[*item.PublishedParsed] {
			t.Errorf("two entries of %v", item.PublishedParsed)
		}
		dates[*item.PublishedParsed] = true
	}
	dates = map[time.Time]bool{}
	for _, item := range parsedFeed(t, p, "/history.atom").Items {
		if dates[*item.UpdatedParsed] {
			t.Errorf("two entries updated at %v", item.UpdatedParsed)
		}
		dates[*item.UpdatedParsed] = true
	}
}

func TestFeedsHoldTheNewestFifty(t *testing.T) {
	v := calm()
	for n := range 70 {
		i := issue("n"+string(rune('0'+n/10))+string(rune('0'+n%10)), "Many", noon.Add(-time.Duration(n)*time.Hour), status.ImpactMinor)
		v.Issues = append(v.Issues, listed(resolve(i, 10*time.Minute, "Over."))...)
	}
	f := parsedFeed(t, published(t, v), "/history.rss")
	if len(f.Items) != maxEntries || !strings.HasSuffix(f.Items[0].Link, "/issues/n00") {
		t.Errorf("%d entries, the first is %s", len(f.Items), f.Items[0].Link)
	}
}

func TestAnEmptyFeedIsAFeed(t *testing.T) {
	p := published(t, fresh())
	for _, path := range []string{"/history.rss", "/history.atom"} {
		if f := parsedFeed(t, p, path); len(f.Items) != 0 || f.Title == "" {
			t.Errorf("%s: %d entries, title %q", path, len(f.Items), f.Title)
		}
	}
}

func TestMediaTypesAreExact(t *testing.T) {
	p := published(t, calm())
	for path, want := range map[string]string{
		"/": "text/html; charset=utf-8", "/history.rss": "application/rss+xml; charset=utf-8", "/history.atom": "application/atom+xml; charset=utf-8",
		"/banner.js": "text/javascript; charset=utf-8", "/banner.json": "application/json; charset=utf-8", "/favicon.svg": "image/svg+xml",
		"/robots.txt": "text/plain; charset=utf-8", "/version.json": "application/json; charset=utf-8", p.Stylesheet(): "text/css; charset=utf-8",
	} {
		if got := p.Find(path).ContentType; got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
