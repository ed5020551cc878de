package app

import (
	"os"
	"strings"
	"testing"
)

func TestTheConfigurationReferenceIsUpToDate(t *testing.T) {
	have, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != Reference() {
		t.Error("docs/configuration.md is stale; run: make docs")
	}
}

func TestEverySettingSaysWhatItMeans(t *testing.T) {
	known := map[string]bool{}
	for _, s := range Settings() {
		known[s.Key] = true
		if s.Meaning == "" {
			t.Errorf("%s: its field in Config has no help tag", s.Key)
		}
		if strings.ContainsAny(s.Meaning+s.Value, "|\n") {
			t.Errorf("%s: a table cannot hold %q, %q", s.Key, s.Value, s.Meaning)
		}
	}
	for key := range Flags {
		if !known[key] {
			t.Errorf("the flag --%s sets %s, which is no setting", Flags[key], key)
		}
	}
}

func TestTheReferenceNamesKeyVariableFlagDefaultAndUnit(t *testing.T) {
	for _, want := range []string{
		"| `public_url`<br>`STATUSBRIDGE_PUBLIC_URL`<br>`--public-url` | URL |",
		"| `page.weights.partial`<br>`STATUSBRIDGE_PAGE_WEIGHTS_PARTIAL` | number: 0 to 1 | `0.3` |",
		"| `webhook.secret`<br>`STATUSBRIDGE_WEBHOOK_SECRET` | list; secret |",
		"| `channels[].allow_private` | `true` or `false` |  |",
		"## Mail\n",
	} {
		if !strings.Contains(Reference(), want) {
			t.Errorf("the reference lacks %s", want)
		}
	}
}
