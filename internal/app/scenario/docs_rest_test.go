package scenario

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The page about REST is followed word by word, by one shell.
func TestTheCommandsOfThePageOnRESTRun(t *testing.T) {
	t.Parallel()
	d := launch(t, setup{})
	out, errs, code := d.command("", "--config", d.config, "token", "create", "deploy-bot",
		"--scope", "issues:write", "--scope", "maintenance:write", "--scope", "components:write")
	if code != 0 {
		t.Fatalf("token create: %s%s", out, errs)
	}
	token := ""
	for _, word := range strings.Fields(out + errs) {
		if strings.HasPrefix(word, "sbt_") {
			token = word
		}
	}
	if token == "" {
		t.Fatalf("token create shows no token: %s%s", out, errs)
	}
	cmd := exec.Command("sh", "-euc", strings.Join(blocks(t, "rest.md", "sh"), "\n"))
	cmd.Dir = d.dir
	cmd.Env = append(environment(), "PATH="+os.Getenv("PATH"), "TOKEN="+token, "API="+d.url+"/api/v1")
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	for _, want := range []string{`"state":"resolved"`, `"description":"Cart and payment"`, `"title":"New disks"`, `"severity"`, `"held":[]`} {
		if !strings.Contains(string(said), want) {
			t.Errorf("nothing says %s: %s", want, said)
		}
	}
}
