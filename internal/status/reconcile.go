package status

import (
	"time"
)

// SourceState is what we know of a source's health.
type SourceState struct {
	Name string
	// Receiver is what the source calls us, learned from its webhooks.
	Receiver string
	// HeartbeatAt is when its heartbeat last came: by webhook, or, at a source
	// that is asked, when the alert was last renewed there. Zero is never, or that
	// it ended.
	HeartbeatAt time.Time
	// AskedSince is when we began to ask it, at our own start; until it has
	// answered after that, nothing of it resolves.
	AskedSince time.Time
	// AnsweredAt is when it last answered so that absence may count.
	AnsweredAt time.Time
	// Err is what the last poll failed with, at one peer or at all, "" when all
	// answered.
	Err string
}

// Seen is what a source said when it was asked.
type Seen struct {
	Source string
	// AskedAt is when the question was put: what changed here since then is
	// newer than the answer.
	AskedAt time.Time
	// Trusted: at least one peer answered that is up long enough and still
	// sends to us, so that the absence of an alert counts as a miss.
	Trusted bool
	// Active are the alerts the source has, suppressed ones too, by fingerprint.
	Active map[string]SeenAlert
	// HeartbeatAt is when the heartbeat alert was last renewed there; zero if
	// the source has none.
	HeartbeatAt time.Time
	Err         string // why nobody answered, or not all
}

// SeenAlert is an alert as its source lists it.
type SeenAlert struct {
	Suppressed bool // silenced, inhibited or muted
}

// A firing alert counts as over when it was absent in missesNeeded polls, each
// at least missApart after the one before, or poll_every if that is less.
const (
	missesNeeded = 2
	missApart    = time.Minute
)

func (s Source) missApart() time.Duration {
	if s.PollEvery > 0 {
		return min(s.PollEvery, missApart)
	}
	return missApart
}

// Started records that the process begins anew: until each polled source has
// answered once, nothing resolves by itself.
func Started(b Board, r *Rules, now time.Time) Changes {
	d := newDesk(b, r, now)
	for _, s := range r.Sources {
		if !s.Polled() && len(s.Heartbeat.Matchers) == 0 {
			continue
		}
		state, _ := d.source(s.Name)
		state.Name, state.AskedSince = s.Name, now
		d.c.Sources[s.Name] = state
	}
	return d.done()
}

// Reconcile compares what we believe of a source with what it says itself.
// Absence resolves only after missesNeeded trusted answers; alerts it has and
// we do not know are not handled here: the poller delivers them as webhooks.
func Reconcile(b Board, r *Rules, seen Seen, now time.Time) Changes {
	d := newDesk(b, r, now)
	state, _ := d.source(seen.Source)
	state.Name, state.Err = seen.Source, seen.Err
	if seen.Trusted {
		state.AnsweredAt = now
	}
	if seen.HeartbeatAt.After(state.HeartbeatAt) {
		state.HeartbeatAt = earlier(seen.HeartbeatAt, now)
	}
	d.c.Sources[seen.Source] = state
	if !seen.Trusted {
		return d.done()
	}
	var touched []TrackKey
	for _, s := range sortedBy(all(nil, b.Signals), func(s Signal) string { return s.Key.Source + "\x00" + s.Key.Fingerprint }) {
		if s.Key.Source == seen.Source && s.Firing {
			touched = append(touched, d.compare(s, seen)...)
		}
	}
	d.assessAll(touched)
	return d.done()
}

// compare brings one firing signal in line with its source; it returns the
// tracks that must be looked at again.
func (d *desk) compare(s Signal, seen Seen) []TrackKey {
	alert, present := seen.Active[s.Key.Fingerprint]
	old := s
	switch {
	case s.SeenAt.After(seen.AskedAt) && !seen.AskedAt.IsZero():
		return nil
	case present:
		s.Misses, s.MissedAt, s.Suppressed = 0, time.Time{}, alert.Suppressed
		if s.Suppressed == old.Suppressed && old.Misses == 0 {
			return nil
		}
		d.c.Signals[s.Key] = s
		if !s.Suppressed || old.Suppressed {
			return nil
		}
		return d.silenced(s)
	case !s.MissedAt.IsZero() && d.now.Sub(s.MissedAt) < d.rules.source(s.Key.Source).missApart():
		return nil
	}
	s.Misses, s.MissedAt = s.Misses+1, d.now
	if s.Misses >= missesNeeded {
		s.Firing, s.EndsAt, s.OrderedAt = false, d.now, later(s.OrderedAt, s.MissedAt)
	}
	d.c.Signals[s.Key] = s
	if s.Firing {
		return nil
	}
	for _, key := range s.Tracks {
		t, _ := d.track(key)
		t.leave(old)
		d.c.Tracks[key] = t
		if t.IssueID != "" {
			d.log(Entry{Action: actionCleared, Subject: t.IssueID, Reason: ReasonReconciled, Detail: s.Key.clearedAlert()})
		}
	}
	return s.Tracks
}

// silenced ends a signal in the tracks whose rule takes a silence for a
// recovery, if all its rules do; others only take note.
func (d *desk) silenced(s Signal) []TrackKey {
	for _, key := range s.Tracks {
		t, _ := d.track(key)
		i, _ := d.issue(t.IssueID)
		if rule, ok := d.ruleOf(t, i); !ok || !rule.SilencedResolves {
			d.note(t.IssueID, ReasonSilenced)
			return nil
		}
	}
	was := s
	s.Firing, s.EndsAt, s.OrderedAt = false, d.now, later(s.OrderedAt, d.now)
	d.c.Signals[s.Key] = s
	for _, key := range s.Tracks {
		t, _ := d.track(key)
		t.leave(was)
		d.c.Tracks[key] = t
		d.note(t.IssueID, ReasonSilenced)
		if t.IssueID != "" {
			d.log(Entry{Action: actionCleared, Subject: t.IssueID, Reason: ReasonSilenced, Detail: s.Key.clearedAlert()})
		}
	}
	return s.Tracks
}

// Blind reports whether a source's silence must not be believed. A blind source
// never turns the page green.
func (b Board) Blind(r *Rules, source string, now time.Time) bool {
	return blindness(r.source(source), b.Sources[source], now) != ""
}

// blindness says why a source's silence must not be believed, "" if it may be:
// its heartbeat is stale, or it has not answered since we started.
func blindness(cfg Source, state SourceState, now time.Time) string {
	if why := heartless(cfg.Heartbeat, state, now); why != "" {
		return why
	}
	if cfg.Polled() && state.AnsweredAt.Before(state.AskedSince) {
		return "it has not answered since this program started"
	}
	return ""
}

// heartless says what is wrong with the heartbeat, "" if nothing is.
func heartless(h Heartbeat, state SourceState, now time.Time) string {
	switch {
	case len(h.Matchers) == 0:
	case state.HeartbeatAt.IsZero():
		return "its heartbeat has ended or never came"
	case now.Sub(state.HeartbeatAt) > h.MaxAge:
		return "its heartbeat is older than " + h.MaxAge.String()
	}
	return ""
}

// SourceHealth is how a source that is watched does.
type SourceHealth struct {
	SourceState
	Type   string
	Polled bool
	Blind  string // why nothing of it resolves by itself, "" if it may
}

// Health lists the sources that are polled or have a heartbeat.
func (r *Rules) Health(states []SourceState, now time.Time) []SourceHealth {
	var out []SourceHealth
	for _, cfg := range r.Sources {
		if !cfg.Polled() && len(cfg.Heartbeat.Matchers) == 0 {
			continue
		}
		h := SourceHealth{SourceState: SourceState{Name: cfg.Name}, Type: cfg.Type, Polled: cfg.Polled()}
		for _, s := range states {
			if s.Name == cfg.Name {
				h.SourceState = s
			}
		}
		h.Blind = blindness(cfg, h.SourceState, now)
		out = append(out, h)
	}
	return out
}
