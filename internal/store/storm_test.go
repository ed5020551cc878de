package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// still is a clock that stands. Whoever waits is done.
type still struct{ idle context.CancelFunc }

func (*still) Now() time.Time { return noon }

func (c *still) Wait(ctx context.Context, _ time.Duration, wake <-chan struct{}) error {
	select {
	case <-wake:
	default:
		c.idle()
	}
	return ctx.Err()
}

// door is the real intake over a store.
type door struct {
	*alerts.Intake
	t     testing.TB
	clock *still
	ids   int
}

func openDoor(t testing.TB, s *store.Store) *door {
	t.Helper()
	rules, err := alerts.LoadRules("rules.yaml", []byte(`
version: 1
rules:
  - name: disk-full
    matchers: ['alertname="DiskFull"']
    group_by: [region]
    for: 0s
    open: { title: 'Disks in {{ .GroupLabels.region }} are full', impact: major, publish: auto }
    resolve: { after: 0s }
`))
	if err != nil {
		t.Fatal(err)
	}
	d := &door{t: t, clock: &still{}}
	d.Intake, err = alerts.NewIntake(alerts.IntakeConfig{
		Inbox: s, Applier: s, Rules: func() *status.Rules { return rules }, Clock: d.clock, JournalDir: t.TempDir(), Patience: time.Minute,
		NewID: func() string { d.ids++; return fmt.Sprintf("delivery-%06d", d.ids) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() }) // nothing is in its journal
	return d
}

// post is one webhook, from the door to the end of its work.
func (d *door) post(body []byte) {
	d.t.Helper()
	if _, err := d.Accept(context.Background(), alerts.KindAlertmanager, "am", body); err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	d.clock.idle = cancel
	_ = d.Run(ctx) // it ends with the context
	if stats := d.Stats(); stats.LastError != "" || stats.Dead > 0 {
		d.t.Fatalf("the intake: %+v", stats)
	}
}

// storm is a message of n alerts of one group.
func storm(region string, n int, start, end time.Time) []byte {
	var list []map[string]any
	state := "firing"
	if !end.IsZero() {
		state = "resolved"
	}
	for i := range n {
		list = append(list, map[string]any{
			"status": state, "labels": map[string]string{"alertname": "DiskFull", "region": region, "instance": fmt.Sprint("host-", i)},
			"annotations": map[string]string{"summary": "The disk is full"}, "startsAt": start, "endsAt": end,
		})
	}
	body, err := json.Marshal(map[string]any{"version": "4", "receiver": "page", "alerts": list})
	if err != nil {
		panic(err) // maps of strings always marshal
	}
	return body
}

// aftermath sums up what a storm led to.
func aftermath(t *testing.T, s *store.Store, region string) (signals, firing int, issues []status.Issue) {
	t.Helper()
	b := boardOf(t, s, noon)
	for _, g := range b.Signals {
		if g.Labels["region"] != region {
			continue
		}
		if signals++; g.Firing {
			firing++
		}
	}
	for _, i := range b.Issues {
		if i.GroupLabels["region"] == region {
			issues = append(issues, i)
		}
	}
	return signals, firing, issues
}

func TestS33AStormInOnePostIsOneIssueInAsManyStatementsAsOneAlert(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		d, statements := openDoor(t, s), s.CountStatements()
		began := noon.Add(-time.Minute)
		want, table, told := map[string]int64{}, "", 0
		for round, n := range []int{1, 100, 1_000, 10_000} {
			region := fmt.Sprint("region-", n)
			for _, said := range []struct {
				what string
				body []byte
			}{
				{"begins", storm(region, n, began, time.Time{})},
				{"repeats", storm(region, n, began, time.Time{})},
				{"ends", storm(region, n, began, noon.Add(-time.Second))},
			} {
				before := statements.Load()
				d.post(said.body)
				took := statements.Load() - before
				table += fmt.Sprintf("\n%6d alerts %-7s %2d statements", n, said.what, took)
				if round == 1 { // the very first post also loads the board
					want[said.what] = took
				}
				if round > 1 && took != want[said.what] {
					t.Errorf("a storm of %d that %s takes %d statements, one of 100 takes %d", n, said.what, took, want[said.what])
				}
			}
			signals, firing, issues := aftermath(t, s, region)
			if signals != n || firing != 0 || len(issues) != 1 || issues[0].State != status.Resolved || len(issues[0].Updates) != 2 {
				t.Errorf("%d alerts made %d signals, %d of them firing, and the issues %v", n, signals, firing, issues)
			}
			if told += 2; s.Announced(t.Context()) != told {
				t.Errorf("after %d alerts there are %d announcements, want %d: its beginning and its end", n, s.Announced(t.Context()), told)
			}
		}
		t.Log(table)
	})
}
