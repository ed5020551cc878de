package scenario

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The page about mail is followed word by word: its keys sign, its settings are
// taken, and a mail that came back is read.
func TestTheCommandsOfThePageOnMailRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	returned, err := os.ReadFile(filepath.Join(repository, "internal", "broadcast", "testdata", "postfix.eml"))
	if err != nil {
		t.Fatal(err)
	}
	w.write(filepath.Join(w.dir, "message.eml"), string(returned))
	if err := os.Symlink(binary, filepath.Join(w.dir, "statusbridge")); err != nil {
		t.Fatal(err)
	}
	for _, block := range blocks(t, "mail.md", "sh") {
		block = strings.ReplaceAll(block, "statusbridge ", "./statusbridge --config "+w.config+" ")
		cmd := exec.Command("bash", "-eo", "pipefail", "-c", block)
		cmd.Dir, cmd.Env = w.dir, environment()
		if out, err := cmd.CombinedOutput(); err != nil || len(out) == 0 {
			t.Errorf("%s\n%v: %s", block, err, out)
		}
	}
	for n, block := range blocks(t, "mail.md", "yaml") {
		file := filepath.Join(w.dir, "settings.yaml")
		w.write(file, block)
		command := []string{"--config", file, "config", "print"}
		if strings.HasPrefix(block, "version:") {
			command = []string{"rules", "check", file}
		}
		out, errs, code := w.command("", command...)
		if code != 0 || strings.Contains(out, "PRIVATE KEY") {
			t.Errorf("block %d: %s%s", n+1, out, errs)
		}
	}
	// The keys that openssl made are keys that sign.
	keyed := filepath.Join(w.dir, "settings.yaml")
	w.write(keyed, strings.Replace(blocks(t, "mail.md", "yaml")[1], "smtp://mail.example.com:587", w.mailbox.URL(), 1))
	if out, errs, code := w.command("", "--config", keyed, "doctor", "smtp"); code != 0 {
		t.Errorf("doctor with keys: %s%s", out, errs)
	}
}
