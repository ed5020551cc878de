package pages

import "testing"

// They are parsed when a page is first asked for, where a broken one panics.
func TestTheTemplateOfEveryPageIsWhole(t *testing.T) {
	l := tongue(t, "de")
	for name := range pageStructs {
		if l.page(name).Lookup("page") == nil {
			t.Errorf("%s has no page", name)
		}
	}
}

// A start words only what it shows: all pages in all languages take longer than
// the rest of it.
func TestAPageIsWordedWhenItIsFirstShown(t *testing.T) {
	shared.Clear() // what other tests have worded
	languages := published(t, calm()).press.languages
	for _, l := range languages[1:] {
		if len(l.pages) > 0 {
			t.Errorf("%d pages are worded in %s, which nobody asked for", len(l.pages), l.code)
		}
	}
	if own := languages[0].pages; own["front"] == nil || own["uptime"] != nil {
		t.Errorf("%d pages are worded in the language of the page, want those that are shown", len(own))
	}
}
