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
		lost, waiting := missing(t, d, acknowledged, patience)
		switch {
		case len(lost) > 0:
			t.Errorf("%d of %d acknowledged webhooks are lost, such as %s", len(lost), len(acknowledged), lost[0])
		case waiting > 0:
			t.Errorf("at least %d of %d acknowledged webhooks still wait to be processed: too slow, but stored", waiting, len(acknowledged))
		default:
			t.Logf("%d acknowledged, none lost", len(acknowledged))
		}
	})
}

// The control: the same check must find what a door loses that acknowledges
// before it has stored anything.
func TestAnEarlyAcknowledgementIsCaught(t *testing.T) {
	t.Parallel()
	d := launch(t, setup{})
	acknowledged := hammer(t, d, hastyDoor(t, d), 5)
	if lost, _ := missing(t, d, acknowledged, time.Second); len(lost) == 0 {
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

// missing waits until each alert is known. It returns those that are not,
// although for so long nothing was left to process; or else how many webhooks
// are stored and still wait after minutes: then nothing is known of the rest.
func missing(t *testing.T, d *daemon, names []string, wait time.Duration) (lost []string, waiting int) {
	t.Helper()
	s, err := store.Open(t.Context(), d.database)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	idle, limit := time.NewTimer(wait), time.NewTimer(wait+3*time.Minute)
	defer idle.Stop()
	defer limit.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		lost, waiting, err = unknown(t.Context(), s, names)
		switch {
		case err == nil && len(lost)+waiting == 0:
			return nil, 0
		case err != nil || waiting > 0:
			idle.Reset(wait)
		}
		select {
		case <-idle.C:
			return lost, 0
		case <-limit.C:
			if err != nil {
				t.Fatal(err)
			}
			return nil, waiting
		case <-again.C:
		}
	}
}

// unknown lists the alerts that are not known, and counts the webhooks that
// wait to be processed, up to a thousand.
func unknown(ctx context.Context, s *store.Store, names []string) (lost []string, waiting int, err error) {
	pending, err := s.Webhooks(ctx, status.WebhookPending, 1000)
	if err != nil {
		return nil, 0, err
	}
	signals, err := s.Unmatched(ctx, 1_000_000)
	if err != nil {
		return nil, 0, err
	}
	known := map[string]bool{}
	for _, signal := range signals {
		known[signal.Labels["instance"]] = true
	}
	for _, name := range names {
		if !known[name] {
			lost = append(lost, name)
		}
	}
	return lost, len(pending), nil
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
