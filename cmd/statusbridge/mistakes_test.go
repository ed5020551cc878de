package main

import (
	"bytes"
	"database/sql"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What people mistype, and what they are told: one line on standard error, what
// is wrong and what to do, without colour where no person reads it.
func TestAMistakeIsToldWithWhatToDo(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if err := os.WriteFile(filepath.Join(dir, "typo.yaml"), []byte("listn: 127.0.0.1:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, m := range []struct {
		typed string
		code  int
		told  []string
	}{
		{"serv", exitUsage, []string{`no command "serv"`, `did you mean "serve"`, "statusbridge help"}},
		{"rulez", exitUsage, []string{`did you mean "rules"`}},
		{"xyzzy", exitUsage, []string{`no command "xyzzy"; see statusbridge help`}},
		{"rules", exitUsage, []string{`"check"`, "see statusbridge rules --help"}},
		{"rules chek", exitUsage, []string{`did you mean "check"`}},
		{"import statuspge x", exitUsage, []string{`did you mean "statuspage"`, "see statusbridge import --help"}},
		{"import statuspage nothing.json", exitFailure, []string{"nothing.json", "nothing was changed"}},
		{"serve --listen " + taken.Addr().String(), exitFailure, []string{"is another statusbridge running?", "`listen`"}},
		{"serve --listen 8080", exitFailure, []string{"host:port"}},
		{"--config typo.yaml serve", exitFailure, []string{"typo.yaml:1:1", `did you mean "listen"`}},
		{"--config nothing.yaml serve", exitFailure, []string{"nothing.yaml"}},
		{"--database mysql://x serve", exitFailure, []string{"sqlite:", "postgres://"}},
		{"--database sqlite:no/such/x.db admin list", exitFailure, []string{"no folder no/such"}},
		{"--database postgres://jo:hunter2@127.0.0.1:1/x admin list", exitFailure, []string{"does not answer", "`database`"}},
		{"admin create jo", exitFailure, []string{`"jo" is no email address`}},
		{"token create deploys --scope wrong", exitFailure, []string{"wrong is not known", "issues:write"}},
		{"explain nothing", exitFailure, []string{"there is no database at " + dir, "--database"}},
	} {
		t.Run(m.typed, func(t *testing.T) {
			var out, errs bytes.Buffer
			if code := run(strings.Fields(m.typed), &out, &errs); code != m.code {
				t.Errorf("exit code %d, want %d", code, m.code)
			}
			for _, text := range m.told {
				if !strings.Contains(errs.String(), text) {
					t.Errorf("it does not say %q", text)
				}
			}
			if said := errs.String(); strings.Contains(said, "\033") || strings.Contains(said, "hunter2") || !strings.HasPrefix(said, "statusbridge: ") {
				t.Error("it is coloured, tells a secret, or does not say who speaks")
			}
			if t.Failed() {
				t.Logf("said: %s%s", out.String(), errs.String())
			}
		})
	}
}

func TestADryRunOfAnImportLeavesTheDatabaseOfAnEarlierReleaseAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "earlier.db")
	say := func(want int, words ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(append([]string{"--database", "sqlite:" + path}, words...), &out, &errs); code != want {
			t.Fatalf("%v: exit code %d, want %d: %s", words, code, want, errs.String())
		}
		return out.String() + errs.String()
	}
	say(exitDone, "migrate", "up")
	file, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Exec("DELETE FROM goose_db_version WHERE version_id = (SELECT MAX(version_id) FROM goose_db_version)"); err != nil {
		t.Fatal(err)
	}
	said := say(exitFailure, "import", "atom", "feed.atom")
	if !strings.Contains(said, "a dry run changes nothing") || !strings.Contains(said, "statusbridge migrate up") {
		t.Errorf("said: %s", said)
	}
	if steps := say(exitDone, "migrate", "status"); strings.Count(steps, "pending") != 1 {
		t.Errorf("the last step was taken:\n%s", steps)
	}
}
