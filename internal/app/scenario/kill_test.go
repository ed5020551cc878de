package scenario

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// killCycles is how often the daemon is killed, for each database.
func killCycles(t *testing.T) int {
	text := os.Getenv("STATUSBRIDGE_KILL_CYCLES")
	if text == "" {
		return 50
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("STATUSBRIDGE_KILL_CYCLES: %q is not a number of cycles", text)
	}
	return n
}

func TestKillMinusNineLosesNoAcknowledgedWebhook(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, dsn string) {
		d := launch(t, setup{database: dsn})
		acknowledged := hammer(t, d, d.url, killCycles(t))
		if lost := missing(t, d, acknowledged, patience); len(lost) > 0 {
			t.Errorf("%d of %d acknowledged webhooks are lost, such as %s", len(lost), len(acknowledged), lost[0])
		}
		t.Logf("%d acknowledged, none lost", len(acknowledged))
	})
}

// The control: the same check must find what a door loses that acknowledges
// before it has stored anything.
func TestAnEarlyAcknowledgementIsCaught(t *testing.T) {
	t.Parallel()
	d := launch(t, setup{})
	acknowledged := hammer(t, d, hastyDoor(t, d), 5)
	if lost := missing(t, d, acknowledged, time.Second); len(lost) == 0 {
		t.Errorf("%d webhooks were acknowledged before they were stored, and the check found none lost", len(acknowledged))
	}
}

// hammer sends webhooks from all sides and kills the daemon in the middle, as
// often as asked. It returns the alerts whose webhook was acknowledged.
func hammer(t *testing.T, d *daemon, door string, cycles int) []string {
	t.Helper()
	var acknowledged []string
	for cycle := range cycles {
		deadly := 5 + rand.IntN(60) // acknowledgements until the kill
		var mu sync.Mutex
		count, killed := 0, make(chan struct{})
		var senders sync.WaitGroup
		for sender := range 8 {
			senders.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-killed:
						return
					default:
					}
					name := fmt.Sprintf("burst-%d-%d-%d", cycle, sender, n)
					r, err := d.post(door+"/hooks/alertmanager", d.secret, message(true, labels{"alertname": "Burst", "instance": name}, time.Now()))
					if err != nil || r.status != http.StatusAccepted {
						continue
					}
					mu.Lock()
					acknowledged = append(acknowledged, name)
					if count++; count == deadly {
						_ = d.cmd.Process.Kill()
						close(killed)
					}
					mu.Unlock()
				}
			})
		}
		senders.Wait()
		<-d.done
		client.CloseIdleConnections()
		d.start()
	}
	return acknowledged
}

// missing waits until each alert is known, and returns those that are not.
func missing(t *testing.T, d *daemon, names []string, wait time.Duration) []string {
	t.Helper()
	ctx := context.Background()
	s, err := store.Open(ctx, d.database)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var lost []string
	look := func() error {
		signals, err := s.Unmatched(ctx, 1_000_000)
		if err != nil {
			return err
		}
		pending, err := s.Webhooks(ctx, status.WebhookPending, 1)
		if err != nil {
			return err
		}
		known := map[string]bool{}
		for _, signal := range signals {
			known[signal.Labels["instance"]] = true
		}
		lost = lost[:0]
		for _, name := range names {
			if !known[name] {
				lost = append(lost, name)
			}
		}
		if len(lost)+len(pending) > 0 {
			return fmt.Errorf("%d of %d are not known yet", len(lost), len(names))
		}
		return nil
	}
	end := time.NewTimer(wait)
	defer end.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for look() != nil {
		select {
		case <-end.C:
			return lost
		case <-again.C:
		}
	}
	return nil
}

// hastyDoor stands before the daemon and says 202 before it passes on.
func hastyDoor(t *testing.T, d *daemon) string {
	t.Helper()
	type letter struct {
		path string
		body []byte
	}
	letters := make(chan letter, 1000)
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		letters <- letter{r.URL.Path, body}
		w.WriteHeader(http.StatusAccepted)
		_ = json.NewEncoder(w).Encode(map[string]any{"id": "early", "events": 1})
	}))
	passed := make(chan struct{})
	go func() {
		defer close(passed)
		for l := range letters {
			_, _ = d.post(d.url+l.path, d.secret, l.body)
		}
	}()
	t.Cleanup(func() { door.Close(); close(letters); <-passed })
	return door.URL
}
