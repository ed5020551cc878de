package web

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// recent is how many of the newest are looked at for the one that was last.
const recent = 50

// measureBroadcast reads how telling people goes. What cannot be read is left
// out.
func (s *Server) measureBroadcast(ctx context.Context, gauge func(d *prometheus.Desc, v float64, labels ...string)) {
	if channels, err := s.store.Channels(ctx); err == nil {
		for _, c := range channels {
			gauge(troubledDesc, oneIf(c.Troubled()), c.Channel)
			gauge(pausedDesc, oneIf(c.Paused), c.Channel)
		}
	}
	if a, err := s.store.Audience(ctx); err == nil {
		gauge(audienceDesc, float64(a.Active), "active")
		gauge(audienceDesc, float64(a.Suppressed), "suppressed")
		gauge(audienceDesc, float64(a.Total-a.Active-a.Suppressed), "unconfirmed")
	}
	if took, ok := s.timeToPublic(ctx); ok {
		gauge(toPublicDesc, took.Seconds())
	}
	if took, ok := s.timeToLastMail(ctx); ok {
		gauge(toLastDesc, took.Seconds())
	}
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (s *Server) timeToPublic(ctx context.Context) (time.Duration, bool) {
	issues, err := s.store.Issues(ctx, store.IssueQuery{Stages: []status.Stage{status.Published}, Limit: recent})
	if err != nil {
		return 0, false
	}
	var last status.Issue
	for _, i := range issues {
		if !i.StartedAt.IsZero() && i.PublishedAt.After(last.PublishedAt) {
			last = i
		}
	}
	return last.PublishedAt.Sub(last.StartedAt), last.ID != ""
}

func (s *Server) timeToLastMail(ctx context.Context) (time.Duration, bool) {
	dispatches, err := s.store.Dispatches(ctx, "", recent)
	if err != nil {
		return 0, false
	}
	var last status.Dispatch
	for _, d := range dispatches {
		if d.Channel == status.ChannelEmail && d.Sent > 0 && d.FinishedAt.After(last.FinishedAt) {
			last = d
		}
	}
	return last.FinishedAt.Sub(last.CreatedAt), last.ID != ""
}
