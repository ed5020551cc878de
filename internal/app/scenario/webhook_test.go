package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// receipt is what the daemon answers to a webhook.
type receipt struct {
	status int
	ID     string `json:"id"`
	Events int    `json:"events"`
	took   time.Duration
}

// post sends a webhook as a monitoring system does.
func (d *daemon) post(url, secret string, body []byte) (receipt, error) {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return receipt{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+secret)
	began := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return receipt{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return receipt{}, err
	}
	r := receipt{status: resp.StatusCode, took: time.Since(began)}
	if resp.StatusCode == http.StatusAccepted {
		if err := json.Unmarshal(raw, &r); err != nil {
			return r, fmt.Errorf("%w in %q", err, raw)
		}
	}
	return r, nil
}

// deliver posts a webhook that must be accepted.
func (d *daemon) deliver(kind string, body []byte) receipt {
	d.t.Helper()
	r, err := d.post(d.url+"/hooks/"+kind, d.secret, body)
	if err != nil {
		d.t.Fatal(err)
	}
	if r.status != http.StatusAccepted || r.ID == "" {
		d.t.Fatalf("a webhook of %s is answered %d %+v, want 202 with an id", kind, r.status, r)
	}
	return r
}

// message is what Alertmanager posts for one alert.
func message(firing bool, l labels, startsAt time.Time) []byte {
	alert := map[string]any{
		"status": "firing", "labels": l, "annotations": labels{"summary": l["alertname"]},
		"startsAt": startsAt, "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://prometheus.example.test/graph",
	}
	if !firing {
		alert["status"], alert["endsAt"] = "resolved", time.Now()
	}
	body, err := json.Marshal(map[string]any{
		"version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": alert["status"], "receiver": "statusbridge",
		"groupLabels": labels{}, "commonLabels": l, "commonAnnotations": labels{}, "externalURL": "http://alertmanager.example.test",
		"alerts": []any{alert},
	})
	if err != nil {
		panic(err) // maps of strings always marshal
	}
	return body
}

// testdata reads a file of testdata.
func (d *daemon) testdata(name string) []byte {
	d.t.Helper()
	body, err := os.ReadFile(filepath.Join(repository, "internal/app/scenario/testdata", name))
	if err != nil {
		d.t.Fatal(err)
	}
	return body
}
