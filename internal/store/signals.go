package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

var signals = table[status.Signal]{
	name: "signals", key: []string{"source", "fingerprint"}, revised: true,
	columns: func(s *status.Signal) []column {
		return []column{
			{"source", &s.Key.Source},
			{"fingerprint", &s.Key.Fingerprint},
			{"firing", &s.Firing},
			{"labels", doc(&s.Labels)},
			{"lists", doc(&s.Lists)},
			{"annotations", doc(&s.Annotations)},
			{"starts_at", at(&s.StartsAt)},
			{"ends_at", at(&s.EndsAt)},
			{"ordered_at", at(&s.OrderedAt)},
			{"received_at", at(&s.ReceivedAt)},
			{"seen_at", at(&s.SeenAt)},
			{"url", &s.URL},
			{"episodes", &s.Episodes},
			{"doubt", at(&s.Doubt)},
			{"tracks", doc(&s.Tracks)},
			{"level", &s.Level},
			{"impact", &s.Impact},
			{"misses", &s.Misses},
			{"missed_at", at(&s.MissedAt)},
			{"suppressed", &s.Suppressed},
		}
	},
}

var tracks = table[status.Track]{
	name: "tracks", key: []string{"rule", "group_key"}, revised: true,
	columns: func(t *status.Track) []column {
		return []column{
			{"rule", &t.Key.Rule},
			{"group_key", &t.Key.Group},
			{"labels", doc(&t.Labels)},
			{"firing", &t.Firing},
			{"since", at(&t.Since)},
			{"quiet_since", at(&t.QuietSince)},
			{"issue_id", &t.IssueID},
			{"settled", &t.Settled},
			{"cleared", &t.Cleared},
			{"levels", doc(&t.Levels)},
			{"attached_to", &t.AttachedTo},
			{"flips", doc(&t.Flips)},
			{"last_issue", &t.LastIssue},
			{"last_ended_at", at(&t.LastEndedAt)},
			{"last_ended_by", &t.LastEndedBy},
		}
	},
}

func trimTrack(t *status.Track) {
	tracks.trim(t)
	t.Flips = trimEach(t.Flips, func(at *time.Time) { *at = trim(*at) })
}

var sources = table[status.SourceState]{
	name: "sources", key: []string{"name"}, revised: true,
	columns: func(s *status.SourceState) []column {
		return []column{
			{"name", &s.Name},
			{"receiver", &s.Receiver},
			{"heartbeat_at", at(&s.HeartbeatAt)},
			{"asked_since", at(&s.AskedSince)},
			{"answered_at", at(&s.AnsweredAt)},
			{"err", &s.Err},
		}
	},
}

// Sources lists what is known of the health of every source.
func (s *Store) Sources(ctx context.Context) ([]status.SourceState, error) {
	return sources.list(ctx, s.read, "ORDER BY name")
}

// timer is an entry of Board.Timers.
type timer struct {
	key status.TimerKey
	due time.Time
}

var timers = table[timer]{
	name: "timers", key: []string{"kind", "subject"},
	columns: func(t *timer) []column {
		return []column{{"kind", &t.key.Kind}, {"subject", &t.key.Subject}, {"due_at", at(&t.due)}}
	},
}

// IssueTracks lists the tracks whose alerts are behind an issue: its own (rule,
// group), those that led to it or are evidence of it, and those of issues that
// were merged into it.
func (s *Store) IssueTracks(ctx context.Context, issueID string) ([]status.TrackKey, error) {
	var keys []status.TrackKey
	i, err := s.Issue(ctx, issueID)
	if err != nil && !errors.Is(err, status.ErrNotFound) {
		return nil, err
	}
	if i.Rule != "" {
		keys = append(keys, status.TrackKey{Rule: i.Rule, Group: i.Group})
	}
	merged, err := s.MergedInto(ctx, issueID)
	if err != nil {
		return nil, err
	}
	for _, m := range merged {
		if m.Rule != "" {
			keys = append(keys, status.TrackKey{Rule: m.Rule, Group: m.Group})
		}
	}
	ts, err := tracks.list(ctx, s.read, "WHERE issue_id = ? OR attached_to = ?", issueID, issueID)
	for _, t := range ts {
		if !slices.Contains(keys, t.Key) {
			keys = append(keys, t.Key)
		}
	}
	return keys, err
}

// IssueSignals lists the alerts behind an issue, the earliest first.
func (s *Store) IssueSignals(ctx context.Context, issueID string) ([]status.Signal, error) {
	keys, err := s.IssueTracks(ctx, issueID)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	texts := make([]string, len(keys))
	for n, k := range keys {
		texts[n] = k.String()
	}
	return signals.list(ctx, s.read, fmt.Sprintf(
		"WHERE EXISTS (SELECT 1 FROM %s AS t WHERE t.value IN %s) ORDER BY starts_at, source, fingerprint",
		s.dialect.elements("signals.tracks"), s.dialect.elements("?")), list(texts))
}

// Unmatched lists firing alerts that no rule wants, the last seen first.
func (s *Store) Unmatched(ctx context.Context, limit int) ([]status.Signal, error) {
	tail, args := limited(
		"WHERE firing AND (tracks IS NULL OR tracks = '[]') ORDER BY seen_at DESC, source, fingerprint", nil, limit)
	return signals.list(ctx, s.read, tail, args...)
}

// RuleSignals lists the alerts that a rule took last, the newest first.
func (s *Store) RuleSignals(ctx context.Context, rule string, limit int) ([]status.Signal, error) {
	prefix := status.TrackKey{Rule: rule}.String()
	tail, args := limited(fmt.Sprintf(
		"WHERE EXISTS (SELECT 1 FROM %s AS t WHERE SUBSTR(t.value, 1, LENGTH(?)) = ?) ORDER BY received_at DESC, source, fingerprint",
		s.dialect.elements("signals.tracks")), []any{prefix, prefix}, limit)
	return signals.list(ctx, s.read, tail, args...)
}

// Due is the earliest moment at which the clock has something to do, zero if
// there is none.
func (s *Store) Due(ctx context.Context) (time.Time, error) {
	return earliest(ctx, s.read, `
		SELECT MIN(due) FROM (
			SELECT MIN(due_at) AS due FROM timers
			UNION ALL SELECT MIN(scheduled_for) FROM maintenances WHERE state = 'scheduled' AND auto_start
			UNION ALL SELECT MIN(scheduled_until) FROM maintenances WHERE state IN ('in_progress', 'verifying') AND auto_end
			UNION ALL SELECT MIN(plan_at) FROM maintenance_series
		) AS dues`)
}

// earliest reads one time, zero if it is NULL.
func earliest(ctx context.Context, h handle, query string, args ...any) (time.Time, error) {
	var t stamp
	err := h.QueryRowxContext(ctx, h.Rebind(query), args...).Scan(&t)
	return time.Time(t), err
}
