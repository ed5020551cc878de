package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// daemon is one installation of statusbridge: a folder, a database, a port.
// It can be started and ended any number of times.
type daemon struct {
	t        *testing.T
	dir      string
	url      string
	database string
	config   string // path of its configuration file
	rules    string // path of its rules.yaml

	password string // of admin@localhost, printed by the first start
	secret   string // of the webhooks, likewise

	env  []string
	out  *output
	cmd  *exec.Cmd
	done chan struct{}
}

// setup is what an installation may differ in.
type setup struct {
	database string // a DSN; "" is SQLite in the folder
	rules    string // the text of rules.yaml
	extra    string // more lines for the configuration file
	env      []string
}

// install prepares a folder and does not start the daemon.
func install(t *testing.T, s setup) *daemon {
	t.Helper()
	dir := t.TempDir()
	port := freePort(t)
	d := &daemon{
		t: t, dir: dir, url: fmt.Sprintf("http://127.0.0.1:%d", port), database: s.database,
		config: filepath.Join(dir, "statusbridge.yaml"), rules: filepath.Join(dir, "rules.yaml"),
		env: s.env, out: &output{},
	}
	if d.database == "" {
		d.database = "sqlite:" + filepath.Join(dir, "statusbridge.db")
	}
	if s.rules == "" {
		s.rules = rulesConfirm
	}
	d.write(d.rules, s.rules)
	d.write(d.config, fmt.Sprintf(`
listen: 127.0.0.1:%d
database: %s
data_dir: %s
rules: %s
page:
  name: Example Cloud
%s`, port, d.database, dir, d.rules, s.extra))
	t.Cleanup(func() {
		d.kill()
		if t.Failed() {
			t.Logf("the daemon's output:\n%s", d.out.tail(60))
		}
	})
	return d
}

// launch installs and starts a daemon.
func launch(t *testing.T, s setup) *daemon {
	t.Helper()
	d := install(t, s)
	d.start()
	return d
}

func (d *daemon) write(file, text string) {
	d.t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// start runs the daemon and waits until it answers. The first start also says
// the password and the secret.
func (d *daemon) start() {
	d.t.Helper()
	d.spawn("serve", "--config", d.config)
	d.ready()
}

// spawn runs the binary in the daemon's folder.
func (d *daemon) spawn(args ...string) {
	d.t.Helper()
	d.cmd = exec.Command(binary, args...)
	d.cmd.Dir, d.cmd.Env = d.dir, append(environment(), d.env...)
	d.run()
}

// run starts the prepared command and watches for its end.
func (d *daemon) run() {
	d.t.Helper()
	d.cmd.Stdout, d.cmd.Stderr = d.out, d.out
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	cmd, done := d.cmd, make(chan struct{})
	d.done = done
	go func() {
		_ = cmd.Wait()
		close(done)
	}()
}

// ready waits until the daemon answers.
func (d *daemon) ready() {
	d.t.Helper()
	eventually(d.t, "the daemon answers", func() error {
		select {
		case <-d.done:
			d.t.Fatalf("the daemon ended with %v:\n%s", d.cmd.ProcessState, d.out.tail(40))
		default:
		}
		return isOK(d.url + "/healthz")
	})
	if d.password != "" {
		return
	}
	eventually(d.t, "the first start prints the admin and the secret", func() error {
		admin, secret := d.out.line("admin"), d.out.line("secret")
		if len(admin) < 2 || len(secret) < 1 {
			return fmt.Errorf("no such lines in:\n%s", d.out)
		}
		d.password, d.secret = admin[len(admin)-1], secret[0]
		return nil
	})
}

// environment is ours without what would configure the daemon.
func environment() []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "STATUSBRIDGE_") {
			env = append(env, e)
		}
	}
	// A race that is found ends the daemon, so that no test can miss it.
	return append(env, "GORACE=halt_on_error=1 exitcode=66")
}

// signal sends a signal to the running daemon.
func (d *daemon) signal(s syscall.Signal) {
	d.t.Helper()
	if err := d.cmd.Process.Signal(s); err != nil {
		d.t.Fatalf("%v: %v", s, err)
	}
}

// kill ends the daemon at once, as a power cut or the kernel would.
func (d *daemon) kill() {
	if d.cmd == nil {
		return
	}
	_ = d.cmd.Process.Kill()
	<-d.done
}

// stop asks the daemon to end and checks that it does so in order.
func (d *daemon) stop() {
	d.t.Helper()
	d.signal(syscall.SIGTERM)
	if code := d.exit(15 * time.Second); code != 0 {
		d.t.Fatalf("after SIGTERM the daemon ended with %d, want 0", code)
	}
}

// exit waits for the daemon's end and returns its exit code.
func (d *daemon) exit(limit time.Duration) int {
	d.t.Helper()
	select {
	case <-d.done:
	case <-time.After(limit):
		d.t.Fatalf("the daemon did not end within %v", limit)
	}
	return d.cmd.ProcessState.ExitCode()
}

// command runs another command of the binary over the same installation, and
// returns what it printed and its exit code.
func (d *daemon) command(stdin string, args ...string) (stdout, stderr string, code int) {
	d.t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir, cmd.Env = d.dir, append(environment(), d.env...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		var failed *exec.ExitError
		if !errors.As(err, &failed) {
			d.t.Fatal(err)
		}
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// isOK is nil when the URL answers 200.
func isOK(url string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return nil
}

// client is for machines: no cookies, and no answer takes for ever.
var client = &http.Client{Timeout: 10 * time.Second}

// output collects what a process prints while it runs.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// line returns the words that follow the label on its indented line, nil when
// there is none.
func (o *output) line(label string) []string {
	if words := strings.Fields(o.whole(label)); len(words) > 1 {
		return words[1:]
	}
	return nil
}

// whole returns the indented line that begins with the label.
func (o *output) whole(label string) string {
	for line := range strings.Lines(o.String()) {
		if rest, indented := strings.CutPrefix(line, "  "); indented && strings.HasPrefix(rest, label+" ") {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

func (o *output) tail(n int) string {
	lines := strings.Split(strings.TrimRight(o.String(), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
