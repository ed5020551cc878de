package pages

import (
	"fmt"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// BenchmarkRender is a rendering after which everything is new.
func BenchmarkRender(b *testing.B) {
	p, _, _ := stage(b, served(settings()), storm())
	for b.Loop() {
		if _, err := p.press.site(newEdition(storm(), noon, time.Time{}, nil), &site{}, noon); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRenderUnchanged is a rendering that finds everything as it was: what
// most webhooks cost.
func BenchmarkRenderUnchanged(b *testing.B) {
	p, _, _ := stage(b, served(settings()), storm())
	old := p.site.Load()
	for b.Loop() {
		if _, err := p.press.site(newEdition(storm(), noon, time.Time{}, nil), old, noon); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFind is what a visitor costs here.
func BenchmarkFind(b *testing.B) {
	p, _, _ := stage(b, served(settings()), storm())
	b.ReportAllocs()
	for b.Loop() {
		if p.Find("/") == nil {
			b.Fatal("no page")
		}
	}
}

// busy is what a large installation shows: 100 components in ten groups, 10,000
// issues of the last 90 days.
func busy() status.View {
	v := status.View{Revision: 1}
	for n := range 10 {
		v.Groups = append(v.Groups, status.Group{ID: fmt.Sprint("group-", n), Name: fmt.Sprint("Group ", n), Position: n})
	}
	for n := range 100 {
		v.Components = append(v.Components, component(fmt.Sprint("component-", n), fmt.Sprint("Component ", n), fmt.Sprint("group-", n/10)))
	}
	const issues = 10_000
	for n := range issues {
		began := noon.Add(-time.Duration(n) * (90 * 24 * time.Hour / issues))
		hit := status.Affected{ComponentID: fmt.Sprint("component-", n%100), Status: status.ComponentStatuses[2+n%3]}
		i := issue(fmt.Sprint("issue-", n), fmt.Sprint("Requests fail, case ", n), began, status.ImpactMinor, hit)
		if n >= 3 {
			i = resolve(i, time.Duration(5+n%30)*time.Minute, "The fix works. Everything is **back to normal**.")
		}
		v.Issues = append(v.Issues, &i)
	}
	return v
}

// BenchmarkRenderBusy is the rendering after one more issue began on a page that
// has 10,000.
func BenchmarkRenderBusy(b *testing.B) {
	v := busy()
	p, _, _ := stage(b, served(settings()), v)
	n := 0
	for b.Loop() {
		n++
		next := v
		next.Revision++
		began := issue(fmt.Sprint("new-", n), "Nothing works", noon, status.ImpactMajor, status.Affected{ComponentID: "component-7", Status: status.MajorOutage})
		next.Issues = append(listed(began), v.Issues...)
		s, err := p.next(p.press.edition(next, noon, time.Time{}, p.site.Load().now), noon)
		if err != nil {
			b.Fatal(err)
		}
		p.site.Store(s)
	}
}

// BenchmarkRenderNews is the rendering after one more issue began on a page that has
// 100 components and no past.
func BenchmarkRenderNews(b *testing.B) {
	v := busy()
	v.Issues = nil
	p, _, _ := stage(b, served(settings()), v)
	n := 0
	for b.Loop() {
		n++
		next := v
		next.Revision++
		began := issue(fmt.Sprint("new-", n), fmt.Sprint("Nothing works ", n), noon.Add(time.Duration(n)), status.ImpactMajor)
		next.Issues = append(listed(began), v.Issues[:min(len(v.Issues), 40)]...)
		s, err := p.next(p.press.edition(next, noon, time.Time{}, p.site.Load().now), noon)
		if err != nil {
			b.Fatal(err)
		}
		p.site.Store(s)
		v = next
	}
}
