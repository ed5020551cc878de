package web

import "testing"

// They are parsed when a page is first asked for, where a broken one panics.
func TestTheTemplateOfEveryAdminPageIsWhole(t *testing.T) {
	for name, template := range parseViews().admin {
		if template().Lookup("layout") == nil {
			t.Errorf("%s has no layout", name)
		}
	}
}
