// Package pgtest gives tests a PostgreSQL of their own.
//
// The server is started from the programs of the distribution, in a temporary
// directory, on a free port of 127.0.0.1. It does not survive the test binary,
// however that ends: a shell waits for the binary's end of a pipe to close, and
// then stops the server and removes the directory.
package pgtest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/lib/pq" // the driver
)

// Server is a running PostgreSQL.
type Server struct {
	bin  string // of the programs
	dir  string
	port int
	as   *syscall.Credential // who runs it; nil: whoever runs the test
	life io.Closer           // our end of the guard's pipe, open as long as we live

	once     sync.Once
	template string // what new databases are copies of, "" for empty ones
}

var shared = sync.OnceValues(start)

var databases atomic.Int64

// Start returns the server that all tests of this binary share. A test that
// stops it must not run in parallel with others; see Own.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return s
}

// Own starts a server for one test only, which may stop it as it likes.
func Own(t testing.TB) *Server {
	t.Helper()
	s, err := start()
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() { _ = s.life.Close() })
	return s
}

// Prepare makes every database that follows start out as fill leaves one. Only
// the first call counts. fill must not leave connections open.
func (s *Server) Prepare(t testing.TB, fill func(dsn string)) {
	t.Helper()
	s.once.Do(func() {
		if err := s.do("CREATE DATABASE prepared"); err != nil {
			t.Fatalf("pgtest: %v", err)
		}
		fill(s.dsn("prepared"))
		s.template = " TEMPLATE prepared STRATEGY file_copy"
	})
}

// NewDatabase makes a database, empty or as prepared, and returns its DSN. It
// is dropped when the test ends.
func (s *Server) NewDatabase(t testing.TB) string {
	t.Helper()
	name := "test_" + strconv.FormatInt(databases.Add(1), 10)
	if err := s.do("CREATE DATABASE " + name + s.template); err != nil {
		t.Fatalf("pgtest: create %s: %v", name, err)
	}
	t.Cleanup(func() { _ = s.do("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)") })
	return s.dsn(name)
}

// Kill stops the server without a shutdown, as a crash would. What was
// committed stays.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if err := s.control("stop", "-m", "immediate"); err != nil {
		t.Fatalf("pgtest: kill: %v", err)
	}
}

// Resume starts a killed server again, on the same port.
func (s *Server) Resume(t testing.TB) {
	t.Helper()
	if err := s.launch(); err != nil {
		t.Fatalf("pgtest: resume: %v", err)
	}
}

// Restart is a crash and a start.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Kill(t)
	s.Resume(t)
}

// Address is where the server listens, host and port.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

func (s *Server) dsn(database string) string {
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable", s.Address(), database)
}

func (s *Server) do(statement string) error {
	db, err := sql.Open("postgres", s.dsn("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(statement)
	return err
}

// start makes a cluster and launches it.
func start() (*Server, error) {
	s := &Server{}
	var err error
	if s.bin, err = programs(); err != nil {
		return nil, err
	}
	if s.as, err = identity(); err != nil {
		return nil, err
	}
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "pgtest-"); err != nil {
		return nil, err
	}
	if s.as != nil {
		if err := os.Chown(s.dir, int(s.as.Uid), int(s.as.Gid)); err != nil {
			return nil, err
		}
	}
	if err := s.guard(); err != nil {
		return nil, err
	}
	if err := s.run("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return nil, err
	}
	// A power cut is not what these tests are about, so nothing waits for the
	// disk; a crash of the server alone loses nothing that way.
	settings := fmt.Sprintf(`
listen_addresses = '127.0.0.1'
port = %d
unix_socket_directories = '%s'
fsync = off
full_page_writes = off
max_connections = 200
shared_buffers = 32MB
`, s.port, s.dir)
	f, err := os.OpenFile(filepath.Join(s.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	if _, err := f.WriteString(settings); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return s, s.launch()
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// launch starts the server and returns when it takes connections.
func (s *Server) launch() error {
	return s.control("start", "-w", "-t", "60", "-l", filepath.Join(s.dir, "log"))
}

func (s *Server) control(args ...string) error {
	return s.run("pg_ctl", append([]string{"-D", s.data(), "-s"}, args...)...)
}

// guard starts the shell that cleans up after this process.
func (s *Server) guard() error {
	cmd := exec.Command("/bin/sh", "-c", `
		read nothing
		"$0/pg_ctl" -D "$1/data" -s -m immediate stop >/dev/null 2>&1
		rm -rf "$1"`, s.bin, s.dir)
	cmd.Dir = s.dir
	// In a group of its own, because an interrupt on the terminal goes to the
	// whole group of the test.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Setpgid: true}
	var err error
	if s.life, err = cmd.StdinPipe(); err != nil {
		return err
	}
	return cmd.Start()
}

// run executes one of the programs. Its output goes to a file, because a
// server that it starts would keep a pipe open.
func (s *Server) run(program string, args ...string) error {
	out, err := os.CreateTemp("", "pgtest-output-")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, program), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Setpgid: true}
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return fmt.Errorf("%s: %w\n%s%s", program, err, said, tail(log))
	}
	return nil
}

func tail(log []byte) []byte {
	lines := bytes.Split(log, []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-10):], []byte("\n"))
}

// programs finds the newest installed PostgreSQL.
func programs() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		if path, err := exec.LookPath("initdb"); err == nil {
			return filepath.Dir(path), nil
		}
		return "", errors.New("these tests need PostgreSQL: apt-get install -y postgresql")
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest), nil
}

// identity is the user "postgres" when root runs the test: PostgreSQL refuses
// to run as root.
func identity() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("root cannot run PostgreSQL, and there is no user postgres: apt-get install -y postgresql (%w)", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
