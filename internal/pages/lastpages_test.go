package pages

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// restarted is a publisher after a restart in the folder of another.
func restarted(t *testing.T, cfg Config, v status.View, later time.Duration) (*Publisher, *world) {
	t.Helper()
	w := &world{view: v}
	p, err := New(cfg, w, &stillClock{noon.Add(later)}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	return p, w
}

func TestARestartShowsThePagesThatWereShownLast(t *testing.T) {
	cfg := settings()
	cfg.DataDir = t.TempDir()
	before, _, _ := stage(t, cfg, storm())
	p, _ := restarted(t, cfg, calm(), time.Minute)
	if !p.Resume() {
		t.Fatal("nothing is shown")
	}
	for path, want := range before.site.Load().docs {
		got := p.Find(path)
		if got == nil || got.Status != want.Status || got.ETag != want.ETag || string(got.Raw) != string(want.Raw) ||
			string(got.Gzip) != string(want.Gzip) || !reflect.DeepEqual(got.Header, want.Header) || !got.LastModified.Equal(want.LastModified) {
			t.Errorf("%s is not as it was", path)
		}
	}
	if late, since := p.Late(); !late || !since.IsZero() {
		t.Error("it is taken for rendered")
	}
	if err := p.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(body(t, p, "/"), "Card payments and payouts are failing") {
		t.Error("what is over is still shown after the first look")
	}
}

func TestAPageThatIsNotKeptIsWaitedForAfterARestart(t *testing.T) {
	cfg := settings()
	cfg.DataDir = t.TempDir()
	stage(t, cfg, storm())
	p, _ := restarted(t, cfg, storm(), time.Minute)
	if !p.Resume() {
		t.Fatal("nothing is shown")
	}
	made := make(chan error, 1)
	go func() {
		_, err := p.Demand(t.Context(), "/uptime")
		made <- err
	}()
	if err := p.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-made; err != nil {
		t.Error(err)
	}
}

func TestResumedPagesSayThatTheyAreLateWhenTheDatabaseIsGone(t *testing.T) {
	cfg := settings()
	cfg.DataDir = t.TempDir()
	stage(t, cfg, storm())
	p, w := restarted(t, cfg, storm(), time.Minute)
	w.fail(errDead)
	if !p.Resume() {
		t.Fatal("nothing is shown")
	}
	if err := p.Begin(t.Context()); err == nil {
		t.Fatal("no error")
	}
	if got := texts(t, body(t, p, "/"), "p.late"); len(got) != 1 {
		t.Errorf("notice %q", got)
	}
}

func TestPagesThatAreOldOrDamagedAreNotShownAgain(t *testing.T) {
	cfg := settings()
	cfg.DataDir = t.TempDir()
	stage(t, cfg, storm())
	file := filepath.Join(cfg.DataDir, "last-pages")
	if p, _ := restarted(t, cfg, storm(), resumeWithin+time.Minute); p.Resume() {
		t.Error("pages of long ago are shown")
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for what, data := range map[string][]byte{"cut off": raw[:len(raw)/2], "empty": nil, "other form": []byte(`{"form":99}`)} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, noon, noon); err != nil {
			t.Fatal(err)
		}
		p, _ := restarted(t, cfg, storm(), time.Minute)
		blank := maps.Clone(p.site.Load().docs)
		if p.Resume() || !maps.Equal(blank, p.site.Load().docs) {
			t.Errorf("%s: shown", what)
		}
	}
}

func TestPagesOfOtherSettingsOrAnotherReleaseAreNotShownAgain(t *testing.T) {
	cfg := settings()
	cfg.DataDir = t.TempDir()
	stage(t, cfg, storm())
	for what, change := range map[string]func(*Config){
		"address":   func(c *Config) { c.PublicURL = "https://moved.example.com" },
		"name":      func(c *Config) { c.Name = "Another" },
		"time zone": func(c *Config) { c.TimeZone = time.FixedZone("x", 3600) },
		"language":  func(c *Config) { c.Language = "de" },
	} {
		other := cfg
		change(&other)
		if p, _ := restarted(t, other, storm(), time.Minute); p.Resume() {
			t.Errorf("another %s: shown", what)
		}
	}
	p, _ := restarted(t, cfg, storm(), time.Minute)
	p.keep.settings += "another release"
	if p.Resume() {
		t.Error("pages of another release are shown")
	}
}
