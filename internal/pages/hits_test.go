package pages

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Forty chips would push what is known now off the screen of a phone.
func TestOfManyAffectedComponentsTheWorstAreShownAndTheOthersFolded(t *testing.T) {
	for n, folded := range map[int]int{0: 0, 1: 0, 10: 0, 11: 3, 40: 32} {
		v := calm()
		var hit []status.Affected
		for k := range n {
			c := component(fmt.Sprintf("c%d", k), fmt.Sprintf("Region %d", k), "")
			v.Components = append(v.Components, c)
			hit = append(hit, status.Affected{ComponentID: c.ID, Status: status.DegradedPerformance})
		}
		if n > 0 {
			hit[n-1].Status = status.MajorOutage
		}
		i := issue("many", "Many are down", noon.Add(-time.Hour), status.ImpactMajor, hit...)
		v.Issues = append(v.Issues, &i)
		m := maintenance("work", "Work on many", noon.Add(time.Hour), noon.Add(2*time.Hour))
		for _, a := range hit {
			m.Components = append(m.Components, a.ComponentID)
		}
		v.Maintenances = append(v.Maintenances, m)
		p, err := newPress(settings())
		if err != nil {
			t.Fatal(err)
		}
		e := p.edition(v, noon, time.Time{}, nil)
		for what, h := range map[string]*hits{"issue": e.issueCard(*v.Issues[len(v.Issues)-1]).Affected, "maintenance": e.workCard(m).Affected} {
			switch {
			case n == 0 && h != nil:
				t.Errorf("an %s that affects nothing shows %+v", what, h)
			case n > 0 && (len(h.Folded) != folded || len(h.Shown)+len(h.Folded) != n):
				t.Errorf("%s: of %d, %d are shown and %d folded", what, n, len(h.Shown), len(h.Folded))
			case n > 0 && what == "issue" && h.Shown[0].Name != fmt.Sprintf("Region %d", n-1):
				t.Errorf("the worst of %d is not in front but %s", n, h.Shown[0].Name)
			}
		}
		if c := e.course(i); n > 0 && (len(c.Folded) != folded || len(c.Lanes)+len(c.Folded) != n+1) {
			t.Errorf("of %d the course shows %d lanes and folds %d", n, len(c.Lanes), len(c.Folded))
		}
		if u := e.statement(i.Updates[0], "", ""); len(u.Folded) != folded || len(u.Changes)+len(u.Folded) != n {
			t.Errorf("of %d an update tells %d changes and folds %d", n, len(u.Changes), len(u.Folded))
		}
		page, err := e.render("front", p.front(e), 0)
		if err != nil {
			t.Fatal(err)
		}
		if said := fmt.Sprintf("<summary>and %d more</summary>", folded); strings.Contains(string(page), said) != (folded > 0) || strings.Count(string(page), `id="rest-many"`) != min(folded, 1) {
			t.Errorf("of %d the page does not fold %d", n, folded)
		}
	}
}

func TestALongListOfNamesIsCut(t *testing.T) {
	l := tongue(t, "en")
	if got := string(l.names(strings.Split("abcdefghijk", ""))); got != "<bdi>a</bdi>, <bdi>b</bdi>, <bdi>c</bdi>, <bdi>d</bdi>, <bdi>e</bdi>, <bdi>f</bdi>, <bdi>g</bdi>, <bdi>h</bdi> and 3 more" {
		t.Errorf("eleven names are %s", got)
	}
	if got := string(l.names(strings.Split("abcdefghij", ""))); strings.Contains(got, "more") {
		t.Errorf("ten names are %s", got)
	}
}
