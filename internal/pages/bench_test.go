package pages

import (
	"testing"
	"time"
)

// BenchmarkRender is a rendering after which everything is new.
func BenchmarkRender(b *testing.B) {
	p := published(b, storm())
	for b.Loop() {
		if _, err := p.press.site(newEdition(storm(), noon, time.Time{}), nil, noon); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRenderUnchanged is a rendering that finds everything as it was: what
// most webhooks cost.
func BenchmarkRenderUnchanged(b *testing.B) {
	p := published(b, storm())
	old := p.site.Load()
	for b.Loop() {
		if _, err := p.press.site(newEdition(storm(), noon, time.Time{}), old, noon); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFind is what a visitor costs here.
func BenchmarkFind(b *testing.B) {
	p := published(b, storm())
	b.ReportAllocs()
	for b.Loop() {
		if p.Find("/") == nil {
			b.Fatal("no page")
		}
	}
}
