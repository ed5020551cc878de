package pages

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// worse is a storm that got worse: the state around every page is another one.
func worse(v *status.View) {
	began := issue("worst", "Nothing works any more", noon, status.ImpactCritical)
	for _, c := range v.Components {
		began.Components = append(began.Components, hit(c.ID, status.MajorOutage))
	}
	v.Issues = append(listed(began), v.Issues...)
}

func TestWhatPeopleLookAtFirstIsNewAtOnceAndTellsTheSame(t *testing.T) {
	p, w, _ := stage(t, served(settings()), storm())
	before := p.site.Load().docs
	w.change(worse)
	if err := p.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, path := range append(apiPaths(), "/", "/issues/worst", "/banner.json", "/banner.js", "/banner.html", "/banner.en.js", "/version.json", "/favicon.svg", "/badge.svg") {
		switch doc := p.Find(path); {
		case doc == nil:
			t.Errorf("%s is missing", path)
		case doc == before[path] && !strings.HasSuffix(path, ".ics") && !strings.Contains(path, "scheduled"):
			t.Errorf("%s is the one of before", path)
		case doc.Gzip == nil && len(doc.Raw) > 1000:
			t.Errorf("%s is not compressed", path)
		}
	}
	// The page of an issue that nothing happened to is whole, while its icon is still
	// the old one.
	for _, path := range []string{"/issues/st2", "/issues/aa2", "/history.atom", "/banner.de.js"} {
		if doc := p.Find(path); doc == nil || doc != before[path] {
			t.Errorf("%s was in the way of the news", path)
		}
	}
	p.finish(always)
	if !strings.Contains(body(t, p, "/banner.de.js"), "Nothing works any more") {
		t.Error("the German banner does not tell the news")
	}
	for _, path := range feedPaths() {
		if !strings.HasSuffix(path, ".ics") && !strings.Contains(body(t, p, path), "Nothing works any more") {
			t.Errorf("%s does not tell the news", path)
		}
	}
	for path, doc := range p.site.Load().docs {
		if strings.HasPrefix(doc.ContentType, "text/html") && !strings.Contains(string(doc.Raw), p.press.assets.icons[classDown].path) {
			t.Errorf("%s does not show the state of the whole", path)
		}
		if !doc.packed {
			t.Errorf("%s is not compressed as well as it can be", path)
		}
	}
}

func TestNewsDoesNotWaitForPagesOfThePastButTheyDoNotWaitForEver(t *testing.T) {
	p, w, clock := stage(t, served(settings()), storm())
	old := p.Find("/issues/aa2")
	inStorm := func() bool { return false }
	begins := noon.Add(10 * restAtMost)
	for n, want := range []bool{false, false, true} {
		w.change(worse)
		clock.now = begins.Add(time.Duration(n) * restAtMost / 2)
		if err := p.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.finish(inStorm)
		if got := p.Find("/issues/aa2") != old; got != want {
			t.Errorf("%v after the first news: page of the past renewed: %v, want %v", clock.now.Sub(begins), got, want)
		}
		if p.Find("/").packed {
			t.Error("in a storm there was time to compress twice")
		}
	}
}

func TestAPageWhoseOwnIssueChangedDoesNotWait(t *testing.T) {
	p, w, _ := stage(t, settings(), storm())
	w.change(func(v *status.View) {
		for n := range v.Issues {
			switch v.Issues[n].ID {
			case "aa2":
				v.Issues[n].Title = "Corrected title"
			case "st2": // ends
				*v.Issues[n] = resolve(*v.Issues[n], time.Hour, "It works again.")
			}
		}
	})
	if err := p.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/issues/aa2": "Corrected title", "/issues/st2": "It works again."} {
		if page := body(t, p, path); !strings.Contains(page, want) {
			t.Errorf("%s does not tell %q with the first news", path, want)
		}
	}
	w.change(func(v *status.View) { v.Issues = v.Issues[:1] })
	if err := p.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p.Find("/issues/aa2") != nil {
		t.Error("the page of an issue that was taken back is still there")
	}
}

// A site that follows others, and took over what it could, is the one that a fresh
// start makes.
func TestASiteThatFollowsOthersIsAFreshOne(t *testing.T) {
	v := storm()
	v.Issues = append(v.Issues, listed(resolve(issue("old", "Long ago", noon.AddDate(0, 0, -60), status.ImpactMinor), time.Hour, "Over."))...)
	p, w, clock := stage(t, settings(), v)
	for _, step := range []struct {
		name   string
		change func(*status.View)
	}{
		{"one more", func(v *status.View) {
			v.Issues = append(listed(issue("more", "One more", noon, status.ImpactMinor)), v.Issues...)
		}},
		{"told otherwise", func(v *status.View) { v.Issues[0].Title = "Retitled" }},
		{"merged", func(v *status.View) {
			*v.Issues[0] = resolve(*v.Issues[0], time.Minute, "")
			v.Issues[0].MergedInto = v.Issues[1].ID
		}},
		{"the other is told otherwise", func(v *status.View) { v.Issues[1].Title = "It goes on" }},
		{"a component has another name", func(v *status.View) {
			v.Components = slices.Clone(v.Components)
			v.Components[slices.IndexFunc(v.Components, func(c status.Component) bool { return c.ID == "cards" })].Name = "Another name"
		}},
		{"corrected", func(v *status.View) {
			v.Corrections = append(slices.Clone(v.Corrections), status.Correction{
				ID: "k", ComponentID: "cards", From: noon.Add(-80 * time.Minute), To: noon.Add(-70 * time.Minute), Status: status.Operational, Reason: "Nothing was wrong", CreatedAt: noon,
			})
		}},
		{"worse", worse},
		{"nothing but time", func(*status.View) { clock.now = clock.now.Add(2 * time.Minute) }},
	} {
		w.change(step.change)
		if err := p.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		fresh, _, other := stage(t, settings(), w.view)
		other.now = clock.now
		fresh.site.Store(&site{})
		if err := fresh.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		for path, doc := range fresh.site.Load().docs {
			if got := p.Find(path); path != "/version.json" && (got == nil || got.ETag != doc.ETag) {
				t.Errorf("%s: %s is not what a fresh start makes", step.name, path)
			}
		}
	}
}

// TestNewsRendersOnlyWhatItIsAbout counts documents: of a long past hardly
// anything is made again.
func TestNewsRendersOnlyWhatItIsAbout(t *testing.T) {
	v := busy()
	p := published(t, v)
	before := p.site.Load()
	next := v
	next.Issues = append(listed(issue("new", "One more", noon.Add(-time.Hour), status.ImpactMinor, hit("component-7", status.MajorOutage))), v.Issues...)
	s, err := p.next(p.press.edition(next, noon, time.Time{}, p.site.Load().now), noon)
	if err != nil {
		t.Fatal(err)
	}
	if s, err = p.press.dress(s, noon, always); err != nil {
		t.Fatal(err)
	}
	past := 0
	for path, doc := range s.docs {
		if id, ok := strings.CutPrefix(path, "/issues/"); ok && id != "new" {
			if past++; doc != before.docs[path] {
				t.Errorf("%s was made again", path)
			}
		}
	}
	if past < keptAhead {
		t.Errorf("only %d pages of issues are kept ahead", past)
	}
	if n := s.now.rows.fresh(); n != 1 {
		t.Errorf("%d components were looked at again for one issue on one", n)
	}
	if n := s.now.bars.fresh(); n != 1 {
		t.Errorf("the days of %d components were worked out again for one issue on one", n)
	}
	if n := s.now.lines.fresh(); n != 1 {
		t.Errorf("%d components were drawn again for one issue on one", n)
	}
	if n := s.now.cards.fresh(); n != 1 {
		t.Errorf("%d open issues were drawn again for one new one", n)
	}
	if n := s.now.items.fresh(); n != 1 {
		t.Errorf("%d issues of the past were drawn again for one new one", n)
	}
	minute := noon.Add(time.Minute)
	if s, err = p.next(p.press.edition(v, minute, time.Time{}, before.now), minute); err != nil {
		t.Fatal(err)
	}
	if looked, n := s.now.rows.fresh(), s.now.bars.fresh(); looked != len(v.Components) || n > 4 { // three hurt still, one did
		t.Errorf("a minute later %d components were looked at again, and the days of %d worked out", looked, n)
	}
}

// News takes rows over as they are; the turn of the minute makes all of them anew, of
// days that were worked out before the news.
func TestTheMinuteAfterNewsFindsTheDaysOfComponentsWorkedOut(t *testing.T) {
	v := busy()
	p := published(t, v)
	v.Issues = append(listed(issue("new", "One more", noon.Add(-time.Hour), status.ImpactMinor, hit("component-7", status.MajorOutage))), v.Issues...)
	for n, now := range []time.Time{noon, noon.Add(time.Minute)} {
		s, err := p.next(p.press.edition(v, now, time.Time{}, p.site.Load().now), now)
		if err != nil {
			t.Fatal(err)
		}
		p.site.Store(s)
		if days, drawn, most := s.now.bars.fresh(), s.now.lines.fresh(), 1+4*n; days > most || drawn > most { // what hurts still has a longer day
			t.Errorf("at %v, of %d components, the days of %d were worked out again and %d drawn", now.Sub(noon), len(v.Components), days, drawn)
		}
	}
}

// What an open issue's page costs may not grow with the past.
func TestAPageOfAnIssueCostsTheSameAfterAnyPast(t *testing.T) {
	allocations := func(v status.View) float64 {
		p := published(t, v)
		e := p.site.Load().now
		i := e.sum.Active[0]
		return testing.AllocsPerRun(5, func() { p.press.issue(e, i) })
	}
	long := busy()
	short := long
	short.Issues = long.Issues[:10]
	if few, many := allocations(short), allocations(long); many > few+50 {
		t.Errorf("%.0f allocations with 10 issues, %.0f with %d", few, many, len(long.Issues))
	}
}

// fresh counts what the memo's edition made that the one before had not.
func (m *memo[K, V]) fresh() (n int) {
	for key := range m.now {
		if _, known := m.before[key]; !known {
			n++
		}
	}
	return n
}
