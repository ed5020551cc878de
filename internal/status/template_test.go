package status_test

import (
	"strings"
	"testing"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestATemplateFillsWhatItKnowsAndLeavesOtherBraces(t *testing.T) {
	words := status.Template{Title: "{components}  down", Body: " {components} since {started}; see {region} and {Title}. "}
	title, body := words.Fill(map[string]string{"components": "Checkout {started}", "started": "09:00 UTC"})
	if title != "Checkout {started} down" { // a value is not read again
		t.Errorf("title %q", title)
	}
	if body != "Checkout {started} since 09:00 UTC; see {region} and {Title}." {
		t.Errorf("body %q", body)
	}
}

func TestATemplateIsRefusedWithWhatIsWrong(t *testing.T) {
	good := status.Template{Name: "Fixed", Body: "Done after {duration}."}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*status.Template){
		"name: its button needs a name":             func(t *status.Template) { t.Name = "" },
		"body: say what it writes":                  func(t *status.Template) { t.Body = " \n" },
		"body: there is no placeholder {componets}": func(t *status.Template) { t.Body = "{componets} fail" },
		"title: there is no placeholder {who}":      func(t *status.Template) { t.Title = "{who}?" },
		"state: is not investigating":               func(t *status.Template) { t.State = "scheduled" },
	} {
		bad := good
		change(&bad)
		if err := bad.Check(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
