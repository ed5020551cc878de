package scenario

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// No container engine is needed to know that the image works: the test carries
// out the Dockerfile's steps in two folders that stand for the stages, and runs
// the entry point locked into the last one, as its user.
func TestTheImageBuildsAndRunsLockedIn(t *testing.T) {
	image := buildImage(t)

	binary, err := elf.Open(filepath.Join(image.root, image.entry[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	if slices.ContainsFunc(binary.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Error("the binary is not static: an empty image has no loader for it")
	}
	if image.user != "65532:65532" {
		t.Errorf("the image runs as %q, want a user that is not root", image.user)
	}
	roots, err := os.ReadFile(filepath.Join(image.root, "/etc/ssl/certs/ca-certificates.crt"))
	if err != nil || bytes.Count(roots, []byte("BEGIN CERTIFICATE")) < 50 {
		t.Errorf("the image has no root certificates: %v", err)
	}

	port := freePort(t)
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	out := &output{}
	cmd := exec.Command(image.entry[0], image.command...)
	cmd.Dir = image.workdir
	cmd.Env = append(image.env, fmt.Sprintf("STATUSBRIDGE_LISTEN=127.0.0.1:%d", port), "STATUSBRIDGE_PUBLIC_URL="+url,
		"STATUSBRIDGE_PAGE_TIME_ZONE=Europe/Berlin")
	cmd.Stdout, cmd.Stderr = out, out
	lockIn(cmd, image.root, 65532)
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v; run the tests as root", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("output:\n%s", out.tail(40))
		}
	})
	eventually(t, "the daemon in the image answers", func() error { return isOK(url + "/healthz") })
	if err := isOK(url + "/"); err != nil {
		t.Error(err)
	}
	eventually(t, "the first start in the image prints the secret", func() error {
		if len(out.line("secret")) == 0 {
			return errors.New("it does not yet")
		}
		return nil
	})
	written := map[string]bool{}
	_ = filepath.WalkDir(image.root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !image.built[path] {
			rel, _ := filepath.Rel(image.root, path)
			written[strings.SplitN(rel, "/", 2)[0]] = true
		}
		return nil
	})
	if len(written) != 1 || !written["data"] {
		t.Errorf("the daemon writes into %v, want data only", written)
	}
}

// lockIn makes the command see nothing but root, which it cannot write.
func lockIn(cmd *exec.Cmd, root string, user uint32) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: user, Gid: user}}
}

// image is a Dockerfile's result.
type image struct {
	root    string          // the last stage's folder
	built   map[string]bool // files that the build put there
	user    string
	workdir string
	env     []string
	entry   []string
	command []string
}

// stage is a FROM and what follows it.
type stage struct {
	name, root, workdir string
	args                []string // build arguments, as environment
}

// buildImage carries out the Dockerfile. It knows the instructions that the
// file uses and fails on any other.
func buildImage(t *testing.T) *image {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	// Not t.TempDir: its parents are closed to the image's user.
	base, err := os.MkdirTemp("", "image")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	im := &image{workdir: "/", built: map[string]bool{}}
	stages := map[string]*stage{}
	var at *stage
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "FROM":
			from, name, _ := strings.Cut(rest, " AS ")
			at = &stage{name: name, root: filepath.Join(base, fmt.Sprintf("stage%d", len(stages))), workdir: "/"}
			if err := os.MkdirAll(at.root, 0o755); err != nil {
				t.Fatal(err)
			}
			stages[name] = at
			if name == "" && from != "scratch" {
				t.Fatalf("the last stage is FROM %s, want scratch", from)
			}
		case "WORKDIR":
			at.workdir = rest
			if err := os.MkdirAll(filepath.Join(at.root, rest), 0o755); err != nil {
				t.Fatal(err)
			}
		case "ARG":
			at.args = append(at.args, rest)
		case "COPY":
			copyStep(t, stages, at, strings.Fields(rest))
		case "RUN":
			runStep(t, at, rest)
		case "USER":
			im.user = rest
		case "ENV":
			im.env = append(im.env, rest)
		case "ENTRYPOINT":
			im.entry = execForm(t, rest)
		case "CMD":
			im.command = execForm(t, rest)
		case "VOLUME", "EXPOSE":
		default:
			t.Fatalf("Dockerfile: the test does not know %s", word)
		}
	}
	im.root, im.workdir = at.root, at.workdir
	_ = os.Chmod(base, 0o755)
	_ = filepath.WalkDir(im.root, func(path string, _ fs.DirEntry, _ error) error {
		im.built[path] = true
		return nil
	})
	return im
}

func execForm(t *testing.T, text string) []string {
	t.Helper()
	list, ok := strings.CutPrefix(text, "[")
	if !ok {
		t.Fatalf("Dockerfile: %s needs a shell, and scratch has none", text)
	}
	var words []string
	for word := range strings.SplitSeq(strings.TrimSuffix(list, "]"), ",") {
		words = append(words, strings.Trim(strings.TrimSpace(word), `"`))
	}
	return words
}

func runStep(t *testing.T, at *stage, command string) {
	t.Helper()
	command = strings.ReplaceAll(command, " /out/", " "+at.root+"/out/")
	cmd := exec.Command("sh", "-ec", command)
	cmd.Dir = filepath.Join(at.root, at.workdir)
	cmd.Env = append(os.Environ(), at.args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("RUN %s: %v\n%s", command, err, out)
	}
}

func copyStep(t *testing.T, stages map[string]*stage, at *stage, words []string) {
	t.Helper()
	source, owner := repository, ""
	for strings.HasPrefix(words[0], "--") {
		name, value, _ := strings.Cut(words[0], "=")
		switch name {
		case "--from":
			source = stages[value].root
		case "--chown":
			owner = value
		}
		words = words[1:]
	}
	files, to := words[:len(words)-1], words[len(words)-1]
	if !filepath.IsAbs(to) {
		to = filepath.Join(at.workdir, to)
	}
	to = filepath.Join(at.root, to)
	for _, file := range files {
		from, into := filepath.Join(source, file), to
		if strings.HasSuffix(words[len(words)-1], "/") {
			into = filepath.Join(to, filepath.Base(file))
		}
		// The build stage's own system is this one.
		if _, err := os.Stat(from); err != nil && source != repository {
			from = file
		}
		if file == "." {
			copyContext(t, to)
			continue
		}
		run(t, "mkdir", "-p", filepath.Dir(into))
		run(t, "cp", "-rL", "--no-target-directory", from, into)
		if owner != "" {
			run(t, "chown", "-R", owner, into)
		}
	}
}

// copyContext copies what is in version control or about to be, less what
// .dockerignore names.
func copyContext(t *testing.T, to string) {
	t.Helper()
	ignore, err := os.ReadFile(filepath.Join(repository, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-C", repository, "-cf", "-", "--no-wildcards-match-slash"}
	for pattern := range strings.FieldsSeq(string(ignore)) {
		anchor := "--anchored"
		if deep, ok := strings.CutPrefix(pattern, "**/"); ok {
			pattern, anchor = deep, "--no-anchored"
		} else {
			pattern = "./" + pattern
		}
		args = append(args, anchor, "--exclude="+pattern)
	}
	tar := exec.Command("tar", append(args, ".")...)
	untar := exec.Command("tar", "-C", to, "-xf", "-")
	if untar.Stdin, err = tar.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := untar.Start(); err != nil {
		t.Fatal(err)
	}
	if err := tar.Run(); err != nil {
		t.Fatalf("tar: %v", err)
	}
	if err := untar.Wait(); err != nil {
		t.Fatalf("tar: %v", err)
	}
}

// run runs a system command that must work.
func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
