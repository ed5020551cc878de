package scenario

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheShellCompletesCommandsFlagsAndWords(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Symlink(binary, filepath.Join(dir, "statusbridge")); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"statusbridge ru":                      "rules",
		"statusbridge rules back":              "backtest",
		"statusbridge rules backtest --si":     "--since",
		"statusbridge --config x setup newr":   "newrelic",
		"statusbridge completion z":            "zsh",
		"statusbridge rules check --data-":     "--data-dir",
		"statusbridge explain --config x --ou": "--output",
	} {
		cmd := exec.Command("bash", "-c", `source <(statusbridge completion bash) && COMP_WORDS=($1) && COMP_CWORD=$((${#COMP_WORDS[@]}-1)) && _statusbridge && echo "${COMPREPLY[@]}"`, "bash", line)
		cmd.Dir = dir
		cmd.Env = append(environment(), "PATH="+dir+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%s: %q, want %q: %v", line, got, want, err)
		}
	}
}
