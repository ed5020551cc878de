package scenario

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
	"github.com/statusbridge/statusbridge/internal/store/pgtest"
)

// stormGroups are the groups of alerts in a storm, each of which is one issue.
const stormGroups = 20

// rulesStorm publishes every issue by itself, however many there are.
var rulesStorm = strings.NewReplacer("[alertname]", "[region]", ".GroupLabels.alertname", ".GroupLabels.region").Replace(rulesAuto) +
	"breaker: { max_published: 0 }\n"

// storm posts so many alerts to each of the doors, all at once.
func storm(t *testing.T, posts int, secret string, doors ...string) {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: posts}
	sender := &http.Client{Transport: transport, Timeout: 2 * time.Minute}
	defer transport.CloseIdleConnections()
	began := time.Now()
	took := make([]time.Duration, posts*len(doors))
	var all sync.WaitGroup
	for n := range posts {
		body := message(true, labels{"alertname": "StormDown", "region": fmt.Sprint("r", n%stormGroups), "instance": fmt.Sprint("i", n)}, began)
		for d, door := range doors {
			all.Go(func() {
				req, err := http.NewRequest(http.MethodPost, door+"/hooks/alertmanager/storm", bytes.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer "+secret)
				sent := time.Now()
				resp, err := sender.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				_ = resp.Body.Close()
				if took[n*len(doors)+d] = time.Since(sent); resp.StatusCode != http.StatusAccepted {
					t.Errorf("post %d is answered %s", n, resp.Status)
				}
			})
		}
	}
	all.Wait()
	slices.Sort(took)
	t.Logf("%d posts at once: all answered after %s, half within %s, 99 %% within %s (with the race detector, the sender on the same machine)",
		len(took), time.Since(began).Round(time.Millisecond), took[len(took)/2].Round(time.Millisecond), took[len(took)*99/100].Round(time.Millisecond))
}

// calm waits until all deliveries are understood, and checks what they came to:
// each alert fires, and each group is one public issue with one update.
func calm(t *testing.T, dsn string, alerts, deliveries int) {
	t.Helper()
	ctx := context.Background()
	s, err := store.Open(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	within(t, 2*time.Minute, "all deliveries are understood", func() error {
		waiting, err := s.PendingWebhooks(ctx, 1, nil)
		if err == nil && len(waiting) > 0 {
			err = errors.New("some wait")
		}
		return err
	})
	done, err := s.Webhooks(ctx, status.WebhookProcessed, 2*deliveries)
	if err != nil || len(done) != deliveries {
		t.Errorf("%d deliveries are kept, want %d: %v", len(done), deliveries, err)
	}
	var issues []status.Issue
	firing := 0
	_, err = s.Apply(ctx, time.Now(), func(b status.Board) (status.Changes, error) {
		for _, i := range b.Issues {
			issues = append(issues, i)
		}
		for _, signal := range b.Signals {
			if signal.Firing {
				firing++
			}
		}
		return status.Changes{}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if firing != alerts {
		t.Errorf("%d alerts fire, want %d", firing, alerts)
	}
	groups := map[string]int{}
	for _, i := range issues {
		if groups[i.Group]++; groups[i.Group] > 1 || i.Stage != status.Published || len(i.Updates) != 1 {
			t.Errorf("issue %d of %s is %s with %d updates", groups[i.Group], i.Group, i.Stage, len(i.Updates))
		}
	}
	if len(groups) != stormGroups {
		t.Errorf("%d groups have an issue, want %d", len(groups), stormGroups)
	}
}

func TestS33TwoThousandPostsAtOnceAreAllKept(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, dsn string) {
		d := launch(t, setup{database: dsn, rules: rulesStorm})
		storm(t, 2_000, d.secret, d.url)
		calm(t, d.database, 2_000, 2_000)
	})
}

func TestS33TwoReplicasInOneStormMakeOneIssueAndOneTweetAGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{database: pgtest.Start(t).NewDatabase(t), rules: rulesStorm})
	replica := w.replica()
	storm(t, 500, w.secret, w.url, replica.url)
	calm(t, w.database, 500, 1_000)
	told := func() error { return w.tweeted(stormGroups) }
	within(t, 2*time.Minute, "each group is tweeted", told)
	stays(t, 2*time.Second, "each group is tweeted once", told)
	if len(w.x.Refused()) > 0 {
		t.Errorf("refused: %q", w.x.Refused())
	}
	for _, d := range []*daemon{w.daemon, replica} {
		summary, err := d.summary()
		if err != nil {
			t.Fatal(err)
		}
		if n := len(summary.Incidents); n != stormGroups {
			t.Errorf("%s shows %d incidents, want %d", d.url, n, stormGroups)
		}
	}
}

// replica starts another daemon over the same database.
func (w *world) replica() *daemon {
	w.t.Helper()
	other := install(w.t, setup{database: w.database, rules: rulesStorm})
	own := func(d *daemon) []string {
		return []string{strings.TrimPrefix(d.url, "http://"), "data_dir: " + d.dir, "rules: " + d.rules}
	}
	raw, err := os.ReadFile(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	text := string(raw)
	for n, mine := range own(w.daemon) {
		text = strings.ReplaceAll(text, mine, own(other)[n])
	}
	other.write(other.config, text)
	other.password, other.secret = w.password, w.secret
	other.start()
	return other
}
