package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
)

// page is an answer of ours, as other servers are to give it.
type page struct {
	Path   string
	ETag   string
	Header map[string]string
	File   string // below www, not compressed
}

var paths = []string{"/", "/api/v2/summary.json", "/history.atom", "/banner.js"}

// capture stores what the daemon answers in a folder: www holds the bodies as
// they are and as .gz, pages.json the headers.
func capture(t testing.TB, url string) string {
	t.Helper()
	dir := t.TempDir()
	var list []page
	for _, path := range paths {
		p := page{Path: path, Header: map[string]string{}, File: "www" + path}
		if path == "/" {
			p.File = "www/index.html"
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, p.File)), 0o755); err != nil {
			t.Fatal(err)
		}
		for encoding, suffix := range map[string]string{"identity": "", "gzip": ".gz"} {
			res, body := get(t, url+path, "Accept-Encoding", encoding)
			if suffix != "" && res.Header.Get("Content-Encoding") != "gzip" {
				t.Fatalf("%s is not compressed", path)
			}
			if err := os.WriteFile(filepath.Join(dir, p.File+suffix), body, 0o644); err != nil {
				t.Fatal(err)
			}
			p.ETag = res.Header.Get("ETag")
			for name := range res.Header {
				if name != "Date" && name != "Content-Length" && name != "Content-Encoding" {
					p.Header[name] = res.Header.Get(name)
				}
			}
		}
		list = append(list, p)
	}
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pages.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	// nginx drops root; its worker must be able to read.
	for d := dir; d != "/" && strings.HasPrefix(d, os.TempDir()); d = filepath.Dir(d) {
		if info, err := os.Stat(d); err == nil && info.Mode().Perm()&0o055 != 0o055 && d != os.TempDir() {
			_ = os.Chmod(d, 0o755)
		}
	}
	return dir
}

// serveBare is the least that Fiber can do: the very same bytes and headers, one
// handler a path, nothing before or after it.
func serveBare(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "pages.json"))
	if err != nil {
		return err
	}
	var list []page
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true, IdleTimeout: 20 * time.Second, ReadTimeout: 5 * time.Second})
	for _, p := range list {
		zipped, err := os.ReadFile(filepath.Join(dir, p.File+".gz"))
		if err != nil {
			return err
		}
		kind := p.Header["Content-Type"]
		var names []string
		for name := range p.Header {
			if name != "Content-Type" {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		app.Get(p.Path, func(c *fiber.Ctx) error {
			h := &c.Response().Header
			for _, name := range names {
				h.Set(name, p.Header[name])
			}
			if string(c.Request().Header.Peek("If-None-Match")) == p.ETag {
				c.Status(http.StatusNotModified)
				return nil
			}
			h.SetContentType(kind)
			h.Set("Content-Encoding", "gzip")
			c.Response().SetBodyRaw(zipped)
			return nil
		})
	}
	app.Post(webhookPath, func(c *fiber.Ctx) error { // read to its end, and forgotten
		return c.Status(http.StatusAccepted).JSON(fiber.Map{"id": "none"})
	})
	return app.Listen(os.Getenv(serveMark + "_ADDRESS"))
}

// startBare starts the bare Fiber server and returns its URL.
func startBare(t testing.TB, dir string) (string, *os.Process) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	cmd := pinned(self)
	cmd.Env = append(os.Environ(), serveMark+"="+dir, serveMark+"_ADDRESS="+address)
	cmd.Stderr = os.Stderr
	p := start(t, cmd)
	awaitPage(t, "http://"+address+"/")
	return "http://" + address, p
}

// startNginx starts nginx with gzip_static, one worker, and the same headers.
func startNginx(t testing.TB, dir string) (string, *os.Process) {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		t.Fatal("nginx is missing: run `scripts/tools bench`")
	}
	var list []page
	text, err := os.ReadFile(filepath.Join(dir, "pages.json"))
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil {
		t.Fatal(err)
	}
	var locations strings.Builder
	for _, p := range list {
		fmt.Fprintf(&locations, "location = /%s {\n default_type %q;\n types {}\n", strings.TrimPrefix(p.File, "www/"), p.Header["Content-Type"])
		for name, value := range p.Header {
			if name != "Content-Type" && name != "Etag" && name != "Last-Modified" && name != "Vary" && name != "Server" {
				fmt.Fprintf(&locations, " add_header %s %q;\n", name, value)
			}
		}
		locations.WriteString("}\n")
	}
	template, err := os.ReadFile("nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	conf := strings.NewReplacer("@DIR@", dir, "@ADDRESS@", address, "@LOCATIONS@", locations.String()).Replace(string(template))
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := pinned(program, "-p", dir, "-c", file)
	cmd.Stderr = os.Stderr
	p := start(t, cmd)
	awaitPage(t, "http://"+address+"/")
	return "http://" + address, p
}
