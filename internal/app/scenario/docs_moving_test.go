package scenario

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/store/pgtest"
)

// The pages on moving, upgrades, CDNs and backups are followed line by line: its own page
// stands in for the one that moves here, SQLite is copied beside the daemon that
// runs and restored after it has stopped, PostgreSQL has its own programs.
func TestTheCommandsOfThePagesOnMovingAndBackupsRun(t *testing.T) {
	t.Parallel()
	d := launch(t, setup{})
	if err := os.Symlink(binary, filepath.Join(d.dir, "statusbridge")); err != nil {
		t.Fatal(err)
	}
	for _, recorded := range []string{"statuspage", "cachet"} {
		if err := os.CopyFS(filepath.Join(d.dir, recorded), os.DirFS(filepath.Join(repository, "internal/moving/testdata", recorded))); err != nil {
			t.Fatal(err)
		}
	}
	postgres := pgtest.Start(t).NewDatabase(t)
	folder := d.dir
	run := func(script, database string) string {
		t.Helper()
		cmd := exec.Command("sh", "-euc", script)
		cmd.Dir = folder
		cmd.Env = append(environment(), "PATH="+d.dir+":"+os.Getenv("PATH"), "STATUSBRIDGE_DATABASE="+database)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", script, err, out)
		}
		return string(out)
	}
	for _, script := range blocks(t, "moving.md", "sh") {
		folder = filepath.Join(d.dir, "statuspage")
		if strings.Contains(script, "cachet") {
			folder = filepath.Join(d.dir, "cachet")
		}
		if strings.Contains(script, "incidents.json scheduled") { // an incident without a word in it fails, the rest moves in
			script = strings.TrimSpace(script) + " | grep '2 failed'"
		}
		run(strings.ReplaceAll(script, "https://status.example.com", d.url), d.database)
	}
	folder = d.dir
	for _, page := range []string{"upgrade.md", "cdn.md"} {
		for _, script := range blocks(t, page, "sh") {
			run(script, d.database)
		}
	}
	for _, path := range []string{"/issues/c5v8n1m7t3rx", "/issues/cachet-1", "/maintenance/q2w4e6r8t0yu"} {
		within(t, 20*time.Second, "what moved in is public", func() error { return isOK(d.url + path) })
	}
	run("statusbridge migrate up", postgres)
	for _, script := range blocks(t, "backup.md", "sh") {
		switch {
		case strings.Contains(script, ".dump"):
			run(script, postgres)
		case strings.Contains(script, "--force"):
			d.stop()
			run(script, d.database)
			d.start()
			if err := isOK(d.url + "/"); err != nil {
				t.Errorf("after the restore: %v", err)
			}
		default:
			run(script, d.database)
		}
	}
	if out := run("statusbridge migrate status", postgres); strings.Contains(out, "pending") {
		t.Errorf("what pg_restore left is not whole: %s", out)
	}
}
