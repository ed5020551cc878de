package status

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// SignalKey identifies one alert over its whole life.
type SignalKey struct {
	Source      string
	Fingerprint string
}

// Fact is what one delivery says about one alert.
type Fact struct {
	Source      string
	Fingerprint string
	Firing      bool
	Labels      map[string]string
	Lists       map[string][]string // labels with several values (New Relic)
	Annotations map[string]string
	StartsAt    time.Time
	EndsAt      time.Time // zero while firing
	// OrderedAt is the source's own stamp of this statement; zero when it
	// gives none. A statement older than the last one is stale.
	OrderedAt  time.Time
	ReceivedAt time.Time // by our clock
	URL        string    // where to look in the source
	// Unrecovered marks an end that is no recovery (New Relic CLOSE_TTL,
	// CLOSE_INACTIVE): it never resolves anything by itself.
	Unrecovered bool
	ClosedBy    string // what closed it, in the source's words; "" if unknown
	// MergedInto is the fingerprint of the alert that took over the evidence of
	// this one (New Relic MERGE_REQUEST), "" otherwise.
	MergedInto string
	// Receiver is what the source calls us; "" when it does not say.
	Receiver string
	Delivery string // id of the webhook that carried it
}

// Key is the identity of the alert the fact speaks of.
func (f Fact) Key() SignalKey { return SignalKey{f.Source, f.Fingerprint} }

// Signal is what we believe about one alert, from all facts so far.
type Signal struct {
	Key         SignalKey
	Firing      bool
	Labels      map[string]string
	Lists       map[string][]string
	Annotations map[string]string
	StartsAt    time.Time // of the current episode, the earliest any peer said
	EndsAt      time.Time // of the last episode that ended
	OrderedAt   time.Time
	ReceivedAt  time.Time // first of this episode
	SeenAt      time.Time // last statement
	URL         string
	Episodes    int
	// Doubt is the startsAt of a firing statement for an episode whose end we
	// had seen before its beginning. Said again, it fires.
	Doubt  time.Time
	Tracks []TrackKey
	// Level and Impact are what the severities made of it when it began.
	Level  string
	Impact Impact
	// Misses counts the polls of its source, a minute or more apart, in which it
	// fired here and was absent there. MissedAt is the last of them.
	Misses   int
	MissedAt time.Time
	// Suppressed: the source still has it, silenced, inhibited or muted.
	Suppressed bool
}

// TrackKey identifies a group of alerts under one rule.
type TrackKey struct {
	Rule  string
	Group string
}

// Track is the life of one (rule, group): what fires in it and the issue it
// led to.
type Track struct {
	Key        TrackKey
	Labels     map[string]string // the group labels
	Firing     int               // signals that fire now
	Cleared    int               // signals that stopped since the issue opened
	Levels     map[string]int    // firing signals by level and impact, see levelKey
	Since      time.Time         // start of the hold: min(startsAt, receivedAt)
	QuietSince time.Time         // when resolve.require was met; zero while it is not
	IssueID    string            // the open issue, "" if none
	// Settled is set when a person ended the issue while alerts fired: the same
	// episode may not open another. Cleared when the track falls quiet.
	Settled bool
	// AttachedTo is the issue or maintenance that takes the alerts as evidence
	// instead of an issue of their own.
	AttachedTo string
	// Flips are the last changes between firing and quiet.
	Flips []time.Time
	// The last issue that ended, when, and by whom: for reopen_within.
	LastIssue   string
	LastEndedAt time.Time
	LastEndedBy string
}

// GroupKey writes group labels in one canonical form.
func GroupKey(labels map[string]string) string {
	names := make([]string, 0, len(labels))
	for n := range labels {
		names = append(names, n)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteByte('{')
	for i, n := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(n + "=" + strconv.Quote(labels[n]))
	}
	b.WriteByte('}')
	return b.String()
}

// TimerKind says what happens when a timer is due.
type TimerKind string

// The timers.
const (
	TimerHold    TimerKind = "hold"    // track: `for` is over, open the issue
	TimerPublish TimerKind = "publish" // issue: the veto window is over
	TimerSettle  TimerKind = "settle"  // track: quiet for `resolve.after`
	TimerJudge   TimerKind = "judge"   // track: an open_for condition may hold now
	TimerConfirm TimerKind = "confirm" // issue: nobody confirmed in time
	TimerRemind  TimerKind = "remind"  // maintenance: it begins soon
	TimerNudge   TimerKind = "nudge"   // issue: the draft still waits
)

// TimerKey identifies a timer; there is at most one of a kind for a subject.
type TimerKey struct {
	Kind    TimerKind
	Subject string // issue id, TrackKey.String(), or maintenance id@time before its beginning
}

// String is the track's name as a timer's subject.
func (k TrackKey) String() string { return k.Rule + "\x1f" + k.Group }

// ParseTrackKey reads what String wrote.
func ParseTrackKey(s string) TrackKey {
	rule, group, _ := strings.Cut(s, "\x1f")
	return TrackKey{rule, group}
}

// WebhookState is what became of a raw delivery.
type WebhookState string

// The states of a stored webhook.
const (
	WebhookPending   WebhookState = "pending"
	WebhookProcessed WebhookState = "processed"
	WebhookDead      WebhookState = "dead" // could not be read: a dead letter
)

// Webhook is a delivery as it came, kept before it is understood.
type Webhook struct {
	ID         string
	Kind       string // "alertmanager" or "newrelic"
	Source     string
	Body       []byte
	ReceivedAt time.Time
	State      WebhookState
	Verdict    string // what was decided and why, in a sentence
	Events     int
	Outcomes   []Outcome // what each of its alerts did, in their order
}

// Verdict closes a webhook in the transaction that applies its facts, so a
// crash in between replays it whole or not at all.
type Verdict struct {
	WebhookID string
	State     WebhookState
	Text      string
	Events    int
	Outcomes  []Outcome
}
