// Package alertmanagerfake stands in for the part of Alertmanager's API that is
// asked what fires. It exists for tests that own the clock: a real Alertmanager
// cannot be made to have been up for an hour. Those with real ones are scenarios.
package alertmanagerfake

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"
)

// Peer is one Alertmanager. Its fields may be changed while nobody asks it.
type Peer struct {
	*httptest.Server
	Alerts    []map[string]any
	Up        time.Time // since when it runs
	Receivers []string
	Down      bool
	Asked     atomic.Int32 // for alerts
}

// Start runs a peer at URL + "/prefix" that is up since then.
func Start(up time.Time, receivers ...string) *Peer {
	p := &Peer{Up: up, Receivers: receivers}
	mux := http.NewServeMux()
	answer := func(path string, body func() any) {
		mux.HandleFunc("GET /prefix/api/v2/"+path, func(w http.ResponseWriter, _ *http.Request) {
			if p.Down {
				http.Error(w, "down", http.StatusServiceUnavailable)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(body()) // who hung up needs no answer
		})
	}
	answer("status", func() any {
		return map[string]any{
			"cluster": map[string]any{"status": "disabled"}, "config": map[string]any{"original": ""},
			"uptime": p.Up, "versionInfo": map[string]string{},
		}
	})
	answer("receivers", func() any {
		var list []map[string]string
		for _, n := range p.Receivers {
			list = append(list, map[string]string{"name": n})
		}
		return list
	})
	answer("alerts", func() any { p.Asked.Add(1); return p.Alerts })
	p.Server = httptest.NewServer(mux)
	return p
}

// Has puts an alert into the peer's answer, as active or suppressed.
func (p *Peer) Has(labels map[string]string, fingerprint string, startsAt time.Time, state, receiver string) {
	p.Alerts = append(p.Alerts, map[string]any{
		"labels": labels, "annotations": map[string]string{"summary": "s"}, "fingerprint": fingerprint,
		"startsAt": startsAt, "endsAt": startsAt.Add(time.Hour), "updatedAt": startsAt, "generatorURL": "http://prometheus.test/",
		"receivers": []map[string]string{{"name": receiver}},
		"status":    map[string]any{"state": state, "silencedBy": []string{}, "inhibitedBy": []string{}, "mutedBy": []string{}},
	})
}
