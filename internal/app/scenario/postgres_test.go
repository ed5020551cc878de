package scenario

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	_ "github.com/lib/pq"
)

// cluster is a PostgreSQL server of one test's own, to be killed and started.
// Tests that only need a database take one of package pgtest.
type cluster struct {
	t    testing.TB
	bin  string
	dir  string
	port int
	as   *syscall.SysProcAttr // PostgreSQL refuses to run as root
	cmd  *exec.Cmd
	out  *output
}

// newCluster makes and starts a server.
func newCluster(t testing.TB) *cluster {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		t.Fatal("PostgreSQL is not installed; run: make tools")
	}
	// Not t.TempDir: its parents are closed to the server's user.
	dir, err := os.MkdirTemp("", "cluster")
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{t: t, bin: filepath.Dir(slices.Max(found)), dir: dir, port: freePort(t), out: &output{}}
	if os.Geteuid() == 0 {
		account, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(account.Uid)
		gid, _ := strconv.Atoi(account.Gid)
		c.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	initdb := c.command("initdb", "-D", filepath.Join(dir, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		c.kill()
		_ = os.RemoveAll(dir)
		if t.Failed() {
			t.Logf("PostgreSQL's output:\n%s", c.out.tail(20))
		}
	})
	c.start()
	return c
}

func (c *cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = c.dir, c.as
	return cmd
}

// dsn names the server's only database.
func (c *cluster) dsn() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", c.port)
}

// start runs the server and waits until it takes queries.
func (c *cluster) start() {
	c.t.Helper()
	c.cmd = c.command("postgres", "-D", "data", "-p", strconv.Itoa(c.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off")
	c.cmd.Stdout, c.cmd.Stderr = c.out, c.out
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	db, err := sql.Open("postgres", c.dsn())
	if err != nil {
		c.t.Fatal(err)
	}
	defer db.Close()
	eventually(c.t, "PostgreSQL takes queries", func() error { return db.PingContext(context.Background()) })
}

// kill ends the server at once: SIGQUIT is its immediate shutdown, which takes
// its children along and needs crash recovery at the next start.
func (c *cluster) kill() {
	if c.cmd == nil {
		return
	}
	_ = c.cmd.Process.Signal(syscall.SIGQUIT)
	_ = c.cmd.Wait()
	c.cmd = nil
}
