package status

import (
	"maps"
	"reflect"
	"time"
)

// sameEpisode is how far apart two peers' startsAt of one episode may lie:
// Alertmanager peers differ by milliseconds when the sender gives no startsAt.
const sameEpisode = time.Second

// reassertion is how much later a statement must be repeated to be more than a
// retry of the same delivery.
const reassertion = 10 * time.Second

// seenEvery is how stale SeenAt of an unchanged signal may become before it is
// worth a write.
const seenEvery = 5 * time.Minute

// shift is what a fact did to a signal.
type shift int

const (
	unchanged    shift = iota
	noted              // only details changed
	started            // it fires now and did not before
	contradicted       // it had ended, and a peer says that it still fires
	restarted          // a newer episode began while it fired
	stopped            // it fired and does not any more
	expired            // it ended without a recovery
)

// take says what a signal is after a fact. It only orders facts by the
// source's clock, and never reads ours.
func take(s Signal, known bool, f Fact) (Signal, shift) {
	at := f.stamp()
	if !known {
		s = Signal{Key: f.Key(), OrderedAt: at, EndsAt: f.EndsAt, SeenAt: f.ReceivedAt, ReceivedAt: f.ReceivedAt}
		s.describe(f)
		if !f.Firing {
			return s, noted
		}
		return s.begin(f), started
	}
	if s.OrderedAt.After(s.SeenAt) && !at.After(f.ReceivedAt) {
		// The source's clock ran ahead and was set right since: what it said then
		// is as old as we heard it, or nothing would count until that hour comes.
		s.OrderedAt = s.SeenAt
	}
	if f.Firing {
		return takeFiring(s, f, at)
	}
	return takeResolved(s, f, at)
}

func takeFiring(s Signal, f Fact, at time.Time) (Signal, shift) {
	ownOrder := !f.OrderedAt.IsZero()
	switch {
	case !s.Firing && at.After(s.OrderedAt):
		s.OrderedAt = at
		return s.begin(f), started
	case !s.Firing && ownOrder:
		return s, unchanged // older than what ended it
	case !s.Firing && !near(f.StartsAt, s.StartsAt) && !f.StartsAt.Equal(s.Doubt):
		// The end overtook its beginning. If somebody says so again, it fires.
		s.Doubt, s.SeenAt = f.StartsAt, f.ReceivedAt
		return s, noted
	case !s.Firing && !near(f.StartsAt, s.StartsAt) && f.ReceivedAt.Sub(s.SeenAt) < reassertion:
		return s, unchanged // the same statement, retried
	case !s.Firing:
		// Peers disagree: a contradiction stays open.
		return s.begin(f), contradicted
	case !ownOrder && at.After(s.OrderedAt.Add(sameEpisode)):
		s.OrderedAt = at
		return s.begin(f), restarted
	case ownOrder && at.Before(s.OrderedAt):
		return s, unchanged
	}
	was := s
	s.OrderedAt = later(s.OrderedAt, at)
	if f.StartsAt.Before(s.StartsAt) && !f.StartsAt.Before(s.EndsAt) {
		s.StartsAt = f.StartsAt
	}
	s.describe(f)
	s.Misses, s.MissedAt = 0, time.Time{} // its source has it after all
	if was.Misses == 0 && was.StartsAt.Equal(s.StartsAt) && was.OrderedAt.Equal(s.OrderedAt) && was.says(s) && f.ReceivedAt.Sub(s.SeenAt) < seenEvery {
		return was, unchanged
	}
	s.SeenAt = later(s.SeenAt, f.ReceivedAt)
	return s, noted
}

func takeResolved(s Signal, f Fact, at time.Time) (Signal, shift) {
	if at.Before(s.OrderedAt) {
		return s.after(f) // it ended an earlier episode
	}
	if !s.Firing {
		if !at.After(s.OrderedAt) {
			return s, unchanged
		}
		s.OrderedAt, s.EndsAt, s.SeenAt = at, later(s.EndsAt, f.EndsAt), f.ReceivedAt
		return s, noted
	}
	if f.Unrecovered && at.Equal(s.OrderedAt) && !f.EndsAt.After(s.EndsAt) {
		return s, unchanged
	}
	s.OrderedAt, s.SeenAt, s.EndsAt = at, f.ReceivedAt, later(s.EndsAt, f.EndsAt)
	if f.Unrecovered {
		return s, expired
	}
	s.Firing = false
	return s, stopped
}

// after takes note of the end of an earlier episode that came late: the present
// one began after it, whatever older start we had heard of.
func (s Signal) after(f Fact) (Signal, shift) {
	if !f.OrderedAt.IsZero() || !f.EndsAt.After(s.EndsAt) {
		return s, unchanged
	}
	s.EndsAt = f.EndsAt
	if s.Firing && s.StartsAt.Before(s.EndsAt) {
		s.StartsAt = s.OrderedAt
	}
	return s, noted
}

// near reports whether two beginnings are of one episode.
func near(a, b time.Time) bool { return a.Sub(b).Abs() <= sameEpisode }

// begin starts an episode.
func (s Signal) begin(f Fact) Signal {
	s.Firing, s.Doubt = true, time.Time{}
	s.Misses, s.MissedAt, s.Suppressed = 0, time.Time{}, false
	s.Episodes++
	s.StartsAt, s.ReceivedAt, s.SeenAt = f.StartsAt, f.ReceivedAt, f.ReceivedAt
	s.describe(f)
	return s
}

func (s *Signal) describe(f Fact) {
	s.Labels, s.Lists, s.Annotations = f.Labels, f.Lists, f.Annotations
	if f.URL != "" {
		s.URL = f.URL
	}
}

// says reports whether two versions of a signal tell people the same.
func (s Signal) says(o Signal) bool {
	return sameTexts(s.Labels, o.Labels) && sameTexts(s.Annotations, o.Annotations) &&
		maps.EqualFunc(s.Lists, o.Lists, equal[string]) && s.URL == o.URL
}

// sameTexts compares two maps; most are one and the same, since a text that
// repeats itself is read once.
func sameTexts(a, b map[string]string) bool {
	return reflect.ValueOf(a).UnsafePointer() == reflect.ValueOf(b).UnsafePointer() || maps.Equal(a, b)
}

// stamp orders facts about one alert by its source's clock.
func (f Fact) stamp() time.Time {
	switch {
	case !f.OrderedAt.IsZero():
		return f.OrderedAt
	case f.Firing:
		return f.StartsAt
	}
	return f.EndsAt
}

func equal[T comparable](a, b []T) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
