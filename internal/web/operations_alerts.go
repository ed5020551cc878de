package web

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	processedDesc = prometheus.NewDesc("statusbridge_webhooks_processed_total", "Webhooks that were read since the start, by verdict: understood, or dead because they could not be.", []string{"verdict"}, nil)
	renderDesc    = prometheus.NewDesc("statusbridge_render_seconds", "Seconds that the last rendering of the public pages took.", nil, nil)
	alertsDesc    = prometheus.NewDesc("statusbridge_alerts_firing", "Alerts that fire, by whether a rule wants them.", []string{"matched"}, nil)
)

// measureAlerts reads what came in and what became of it. What cannot be read
// is left out.
func (m scrape) measureAlerts(ctx context.Context, out chan<- prometheus.Metric) {
	stats := m.s.intake.Stats()
	send := func(d *prometheus.Desc, kind prometheus.ValueType, n int, label string) {
		out <- prometheus.MustNewConstMetric(d, kind, float64(n), label)
	}
	send(processedDesc, prometheus.CounterValue, stats.Processed-stats.Dead, "understood")
	send(processedDesc, prometheus.CounterValue, stats.Dead, "dead")
	if firing, unmatched, err := m.s.store.FiringCounts(ctx); err == nil {
		send(alertsDesc, prometheus.GaugeValue, firing-unmatched, "true")
		send(alertsDesc, prometheus.GaugeValue, unmatched, "false")
	}
}
