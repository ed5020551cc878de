package scenario

import (
	"fmt"
	"net/http"
	"net/http/httptest"
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
	folder = filepath.Join(d.dir, "statuspage")
	run(theWholePast(t), d.database)
	run("statusbridge import statuspage --apply incidents-1.json incidents-2.json", d.database)
	folder = d.dir
	for _, page := range []string{"upgrade.md", "cdn.md"} {
		for _, script := range blocks(t, page, "sh") {
			run(script, d.database)
		}
	}
	for _, path := range []string{"/issues/c5v8n1m7t3rx", "/issues/cachet-1", "/issues/private2", "/maintenance/q2w4e6r8t0yu"} {
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

// theWholePast is the loop that fetches all incidents from the private API of
// Statuspage, made to ask one of ours: it has two pages and then an empty one.
func theWholePast(t *testing.T) string {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list := "[]"
		if n := r.FormValue("page"); n < "3" {
			list = fmt.Sprintf(`[{"id": "private%[1]s", "name": "From page %[1]s", "status": "resolved", "impact": "minor", "created_at": "2026-01-01T00:00:00Z", "resolved_at": "2026-01-01T01:00:00Z",
				"incident_updates": [{"id": "pu%[1]s", "status": "resolved", "body": "Over.", "created_at": "2026-01-01T01:00:00Z"}]}]`, n)
		}
		if r.URL.Path != "/v1/pages/p123/incidents.json" || r.Header.Get("Authorization") != "OAuth k456" || r.FormValue("limit") != "100" {
			http.Error(w, r.URL.String(), http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, list)
	}))
	t.Cleanup(api.Close)
	loop := blocks(t, "moving.md", "bash")[0]
	if !strings.Contains(loop, "https://api.statuspage.io/") {
		t.Fatalf("docs/moving.md begins with another loop:\n%s", loop)
	}
	return "KEY=k456 PAGE=p123\n" + strings.ReplaceAll(loop, "https://api.statuspage.io", api.URL)
}
