package scenario

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"
)

// newcomer is somebody with Go, an empty folder and a page of the docs. `make
// first-hour` gives them an empty home and an empty build cache, so that all is
// compiled for the first time; otherwise they share ours.
type newcomer struct {
	t    *testing.T
	dir  string
	env  []string
	cold bool

	began time.Time
	steps []string // what was done and how long it took
}

func newNewcomer(t *testing.T) *newcomer {
	t.Helper()
	n := &newcomer{t: t, dir: t.TempDir(), cold: os.Getenv("STATUSBRIDGE_FIRST_HOUR") != "", began: time.Now()}
	if !n.cold {
		t.Parallel() // what is timed has the machine for itself
	}
	home := t.TempDir()
	goTool := tool(t, "go")
	n.env = []string{
		"HOME=" + home, "GOBIN=" + filepath.Join(home, "bin"), "PATH=" + filepath.Join(home, "bin") + ":" + filepath.Dir(goTool) + ":/usr/bin:/bin",
		"GOMODCACHE=" + goEnv(t, "GOMODCACHE"), "GOPROXY=" + goEnv(t, "GOPROXY"), "GOTOOLCHAIN=local", "CGO_ENABLED=0",
	}
	if !n.cold {
		n.env = append(n.env, "GOCACHE="+goEnv(t, "GOCACHE"), "GOFLAGS=-trimpath") // as `make check` has compiled everything
	}
	t.Cleanup(n.report)
	return n
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// clone puts the project into a folder, as git would: what is tracked.
func (n *newcomer) clone(dir string) {
	n.t.Helper()
	cmd := exec.Command("sh", "-c", `git ls-files -z --deduplicate | xargs -0 cp --parents -t "$0"`, dir)
	cmd.Dir = repository
	if out, err := cmd.CombinedOutput(); err != nil {
		n.t.Fatalf("the copy of the tree: %v\n%s", err, out)
	}
}

// did notes how long a step took.
func (n *newcomer) did(what string, began time.Time) {
	what = strings.Join(strings.Fields(what), " ")
	n.steps = append(n.steps, fmt.Sprintf("%7.1f s\t%.90s", time.Since(began).Seconds(), what))
}

func (n *newcomer) report() {
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(n.steps, "\n"))
	fmt.Fprintf(w, "%7.1f s\tin all\n", time.Since(n.began).Seconds())
	_ = w.Flush()
	n.t.Logf("what a newcomer does, and how long it takes:\n%s", table.String())
}

// run types a block into the shell and waits for its end.
func (n *newcomer) run(script string) string {
	n.t.Helper()
	began := time.Now()
	cmd := exec.Command("sh", "-euc", script)
	cmd.Dir, cmd.Env = n.dir, n.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		n.t.Fatalf("%s: %v\n%s", script, err, out)
	}
	n.did(script, began)
	return string(out)
}

// leave starts a command that goes on running, and waits until it answers.
func (n *newcomer) leave(line, url string) *daemon {
	n.t.Helper()
	began := time.Now()
	d := &daemon{t: n.t, dir: n.dir, url: strings.TrimSuffix(url, "/-/ready"), out: &output{}}
	d.cmd = exec.Command("sh", "-c", "exec "+line)
	// go run keeps signals to itself: both it and the daemon get them as a group.
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	d.cmd.Dir, d.cmd.Env = n.dir, n.env
	d.run()
	n.t.Cleanup(func() {
		_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-d.done:
		case <-time.After(patience):
			_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
			<-d.done
		}
		if n.t.Failed() {
			n.t.Logf("%s said:\n%s", line, d.out.tail(40))
		}
	})
	within(n.t, 15*time.Minute, line+" answers", func() error {
		select {
		case <-d.done:
			n.t.Fatalf("%s ended with %v:\n%s", line, d.cmd.ProcessState, d.out.tail(40))
		default:
		}
		return isOK(url)
	})
	n.did(line, began)
	return d
}

// publish signs in, publishes the draft of that title and finds it on the page.
func (n *newcomer) publish(d *daemon, title string) {
	n.t.Helper()
	began := time.Now()
	w := &world{daemon: d, admin: admin(d)}
	path := w.draft(title)
	n.did("the draft stands in the queue", began)
	if said := visitor(d).get("/"); said.says(title) == nil {
		n.t.Error("the draft is public before anybody said so")
	}
	began = time.Now()
	w.admin.get(path + "/review").form("title").press("Publish")
	within(n.t, patience, "the issue is on the page", func() error { return visitor(d).get("/").says(title) })
	n.did("published, and on the public page", began)
}

// lines are the commands of a block, their comments removed; a line that ends
// within quotation marks goes on in the next.
func lines(block string) []string {
	var out []string
	open := ""
	for line := range strings.Lines(block) {
		if open == "" {
			line = regexp.MustCompile(`\s+# .*`).ReplaceAllString(line, "")
		}
		if open += line; strings.Count(open, "'")%2 == 0 {
			out, open = append(out, strings.TrimSpace(open)), ""
		}
	}
	return out
}

// README.md from its first line to its last, in a folder that holds just the
// project.
func TestTheReadmeFollowedLineByLine(t *testing.T) {
	n := newNewcomer(t)
	n.clone(n.dir)
	port := freePort(t)
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	demo := fmt.Sprintf("http://127.0.0.1:%d", freePort(t))
	n.env = append(n.env, fmt.Sprintf("STATUSBRIDGE_LISTEN=127.0.0.1:%d", port)) // another test may have the default one
	var d *daemon
	var played int
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(readme(t), -1) {
		script := ""
		for _, line := range lines(m[1]) {
			switch {
			case line == "go run ./cmd/statusbridge":
				d = n.leave(line, url+"/healthz")
				d.url = url
				d.ready()
				if err := isOK(url + "/"); err != nil {
					t.Error(err)
				}
			case line == "go run ./cmd/statusbridge demo":
				n.leave(line+" --listen "+strings.TrimPrefix(demo, "http://"), demo+"/demo")
			case strings.HasPrefix(line, "make "): // the whole suite, or an hour of it: it is there
				n.run(strings.Replace(line, "make ", "make -n ", 1) + " > /dev/null")
			case strings.HasPrefix(line, "docker "): // TestTheDockerfile… carries its steps out
			default:
				script += strings.ReplaceAll(line, "http://localhost:8080", strings.Replace(url, "127.0.0.1", "localhost", 1)) + "\n"
			}
		}
		if script == "" {
			continue
		}
		if strings.Contains(script, "SECRET=") {
			n.env = append(n.env, "SECRET="+d.secret) // the shell that was used last knows it in later blocks
		}
		said := n.run(script)
		if strings.Contains(script, "/hooks/") {
			if played++; !strings.Contains(said, `"events":1`) {
				t.Errorf("%s answers %s", script, said)
			}
			if played == 1 {
				n.publish(d, "A first test alert")
			}
		}
	}
	if d == nil || played != 2 {
		t.Fatalf("the README starts no daemon, or plays %d senders instead of both", played)
	}
	n.run("statusbridge rules check") // the one that go install has put there
}

// docs/alertmanager.md from its first line until a real Alertmanager has fired
// into the page, in a folder that is empty.
func TestARealAlertmanagerTriedAsItsPageSays(t *testing.T) {
	n := newNewcomer(t)
	port, amPort := freePort(t), freePort(t)
	n.env = append(n.env, fmt.Sprintf("STATUSBRIDGE_LISTEN=127.0.0.1:%d", port))
	bin := strings.Split(strings.TrimPrefix(n.env[2], "PATH="), ":")[0]
	if n.cold {
		project := t.TempDir()
		n.clone(project)
		began := time.Now()
		cmd := exec.Command("go", "install", "./cmd/statusbridge")
		cmd.Dir, cmd.Env = project, n.env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go install: %v\n%s", err, out)
		}
		n.did("go install ./cmd/statusbridge", began)
	} else {
		if err := os.MkdirAll(bin, 0o700); err != nil {
			t.Fatal(err)
		}
		for name, file := range map[string]string{"statusbridge": binary, "alertmanager": filepath.Join(repository, newAlertmanager)} {
			if err := os.Symlink(file, filepath.Join(bin, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	d := n.leave("statusbridge", url+"/healthz")
	d.url = url
	d.ready()
	here := strings.NewReplacer("127.0.0.1:8080", fmt.Sprintf("127.0.0.1:%d", port), "127.0.0.1:9093", fmt.Sprintf("127.0.0.1:%d", amPort),
		"--cluster.listen-address=", fmt.Sprintf("--cluster.listen-address= --web.listen-address=127.0.0.1:%d", amPort))
	for _, script := range tried(t) {
		if !strings.HasPrefix(script, "go install") {
			n.run(here.Replace(script))
			continue
		}
		install, run, _ := strings.Cut(strings.TrimSpace(script), "\n")
		if n.cold {
			n.run(install)
		}
		n.leave(here.Replace(run), fmt.Sprintf("http://127.0.0.1:%d/-/ready", amPort))
	}
	n.publish(d, "Fired into a real Alertmanager")
}

// tried are the blocks of the first chapter of docs/alertmanager.md.
func tried(t *testing.T) []string {
	t.Helper()
	all := blocks(t, "alertmanager.md", "sh")
	if len(all) < 4 || !strings.Contains(all[2], "9093/api/v2/alerts") {
		t.Fatal("docs/alertmanager.md does not begin with a real Alertmanager")
	}
	return all[:3]
}
