package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/statusbridge/statusbridge/internal/app"
	"github.com/statusbridge/statusbridge/internal/status"
)

// fire sends the alert through the same door as Alertmanager.
func (t *tour) fire(ctx context.Context) error {
	before, err := t.issue(ctx)
	if err != nil {
		return err
	}
	t.mu.Lock()
	if t.fired.IsZero() {
		t.fired = app.Clock{}.Now()
	}
	began := t.fired
	t.mu.Unlock()
	if err := t.send(ctx, began, time.Time{}); err != nil {
		return err
	}
	if !before.Open() {
		t.settled(ctx, func(i status.Issue) bool { return i.ID != before.ID })
	}
	return nil
}

// end says that the alert is over.
func (t *tour) end(ctx context.Context) error {
	t.mu.Lock()
	began := t.fired
	t.fired = time.Time{}
	t.mu.Unlock()
	if began.IsZero() {
		began = app.Clock{}.Now() // fired by curl: an older beginning is not needed
	}
	if err := t.send(ctx, began, app.Clock{}.Now()); err != nil {
		return err
	}
	t.settled(ctx, func(i status.Issue) bool { return !i.Open() })
	return nil
}

// send posts what Alertmanager would; see "webhook_config" in its
// documentation.
func (t *tour) send(ctx context.Context, began, ended time.Time) error {
	state := "firing"
	if !ended.IsZero() {
		state = "resolved"
	}
	body, err := json.Marshal(map[string]any{
		"version": "4", "status": state, "receiver": "statusbridge",
		"alerts": []map[string]any{{
			"status": state, "startsAt": began, "endsAt": ended,
			"labels":      map[string]string{"alertname": "CheckoutDown", "region": "Europe", "severity": "critical"},
			"annotations": map[string]string{"summary": "31 % of payments fail"},
		}},
	})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.base+"/hooks/alertmanager/prod", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("the webhook was answered %s", resp.Status)
	}
	return nil
}

// curl fires the same alert from a terminal.
func curl(base string) string {
	return `curl -fsS -H 'Authorization: Bearer ` + secret + `' ` + base + `/hooks/alertmanager/prod -d '{"version":"4","status":"firing",` +
		`"alerts":[{"status":"firing","labels":{"alertname":"CheckoutDown","region":"Europe","severity":"critical"},` +
		`"startsAt":"'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'"}]}'`
}
