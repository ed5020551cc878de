package scenario

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/alerts/nerdgraphfake"
)

// blocks are the fenced blocks of a page in a language.
func blocks(t *testing.T, page, language string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		out = append(out, m[1])
	}
	if len(out) == 0 {
		t.Fatalf("%s has no block in %s", page, language)
	}
	return out
}

// The pages about rules and senders are followed word by word, in a folder where
// a daemon with the shipped rules has lived.
func TestTheCommandsOfThePagesOnRulesAndSendersRun(t *testing.T) {
	t.Parallel()
	nr := nerdgraphfake.Start(map[int]string{nrAccount: "NRAK-TEST"})
	t.Cleanup(func() {
		nr.Close()
		for _, reason := range nr.Refused() {
			t.Errorf("New Relic would have turned away a request: %s", reason)
		}
	})
	shipped, err := os.ReadFile(filepath.Join(repository, "rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	d := launch(t, setup{rules: string(shipped)})
	test := message(true, labels{"alertname": "StatusbridgeTest", "severity": "warning"}, time.Now())
	d.deliver("alertmanager", test)
	closed, err := os.ReadFile("testdata/newrelic-default-closed.json")
	if err != nil {
		t.Fatal(err)
	}
	d.deliver("newrelic/nr-prod", closed)
	issue := (&world{daemon: d, admin: admin(d)}).draft("StatusbridgeTest")
	asked := fmt.Sprintf("  nr-prod:\n    type: newrelic\n    account_id: %d\n    api_key_env: NEW_RELIC_API_KEY\n    api_url: %s\n", nrAccount, nr.URL())
	d.write(filepath.Join(d.dir, "asked.yaml"), strings.Replace(string(shipped), "  nr-prod:\n    type: newrelic\n", asked, 1))
	d.write(filepath.Join(d.dir, "new-rules.yaml"), string(shipped))
	d.write(filepath.Join(d.dir, "payload.json"), string(test))
	tests, err := os.ReadFile(filepath.Join(repository, "rules_test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	d.write(filepath.Join(d.dir, "rules_test.yaml"), string(tests))
	if err := os.Symlink(binary, filepath.Join(d.dir, "statusbridge")); err != nil {
		t.Fatal(err)
	}

	for _, page := range []string{"rules.md", "alertmanager.md", "new-relic.md", "issues.md"} {
		scripts := blocks(t, page, "sh")
		if page == "alertmanager.md" {
			scripts = scripts[len(tried(t)):] // TestARealAlertmanagerTriedAsItsPageSays
		}
		for _, script := range scripts {
			cmd := exec.Command("sh", "-euc", strings.ReplaceAll(script, "ISSUE", filepath.Base(issue)))
			cmd.Dir = d.dir
			cmd.Env = append(environment(), "PATH="+d.dir+":"+os.Getenv("PATH"), "NEW_RELIC_API_KEY=NRAK-TEST")
			if page == "new-relic.md" {
				cmd.Env = append(cmd.Env, "STATUSBRIDGE_RULES=asked.yaml")
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %s: %v\n%s", page, script, err, out)
			}
		}
		for _, rules := range blocks(t, page, "yaml") {
			file, do := filepath.Join(t.TempDir(), "rules.yaml"), "check"
			if strings.HasPrefix(rules, "rule_files:") {
				file, do = filepath.Join(d.dir, "issues_test.yaml"), "test"
			}
			d.write(file, rules)
			if out, errs, code := d.command("", "rules", do, file); code != 0 {
				t.Errorf("%s: %s%s", page, out, errs)
			}
		}
	}
	if schema, err := os.ReadFile(filepath.Join(d.dir, "rules.schema.json")); err != nil || len(schema) < 1000 {
		t.Errorf("the schema: %v", err)
	}
}
