package bench

import (
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/lib/pq" // the drivers
	_ "modernc.org/sqlite"

	"github.com/statusbridge/statusbridge/internal/store"
)

const secret = "bench-secret"

// daemon is an installation: a folder, a database, a port.
type daemon struct {
	t        testing.TB
	dir      string
	database string
	url      string
	process  *os.Process
}

// install prepares a folder. rules is the text of rules.yaml; database is a DSN
// or "", which is SQLite in the folder.
func install(t testing.TB, database, rules string) *daemon {
	t.Helper()
	d := &daemon{t: t, dir: t.TempDir(), database: database, url: "http://" + freeAddress(t)}
	if d.database == "" {
		d.database = "sqlite:" + filepath.Join(d.dir, "bench.db")
	}
	if err := os.WriteFile(filepath.Join(d.dir, "rules.yaml"), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

// open opens the daemon's database in this process, migrated.
func (d *daemon) open() *store.Store {
	d.t.Helper()
	s, err := store.Open(d.t.Context(), d.database)
	if err == nil {
		_, err = s.Migrate(d.t.Context())
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

func (d *daemon) command() *exec.Cmd {
	cmd := pinned(binary, "serve")
	cmd.Dir = d.dir
	cmd.Env = append(os.Environ(), "STATUSBRIDGE_LISTEN="+strings.TrimPrefix(d.url, "http://"), "STATUSBRIDGE_DATABASE="+d.database,
		"STATUSBRIDGE_DATA_DIR="+d.dir, "STATUSBRIDGE_WEBHOOK_SECRET="+secret, "STATUSBRIDGE_LOG_LEVEL=warn")
	cmd.Stderr = os.Stderr
	return cmd
}

// start runs the daemon and returns how long it took to the first page.
func (d *daemon) start() time.Duration {
	d.t.Helper()
	begin := time.Now()
	d.process = start(d.t, d.command())
	awaitPage(d.t, d.url+"/")
	return time.Since(begin)
}

// stop ends the daemon as a service manager does.
func (d *daemon) stop() { stop(d.process) }

// query reads rows of the database from outside.
func (d *daemon) query(text string, row func(*sql.Rows) error) {
	d.t.Helper()
	driver, dsn := "postgres", d.database
	if path, ok := strings.CutPrefix(d.database, "sqlite:"); ok {
		driver, dsn = "sqlite", path
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		d.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(text)
	if err != nil {
		d.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			d.t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		d.t.Fatal(err)
	}
}

var quick = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableCompression: true}}

// awaitPage asks every millisecond until the answer is 200.
func awaitPage(t testing.TB, url string) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		res, err := quick.Get(url)
		if err != nil {
			continue
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return
		}
	}
	t.Fatalf("%s does not answer with 200", url)
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr())
}
