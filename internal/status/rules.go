package status

import (
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
)

// Rules is a compiled rules.yaml. It is made by the loader in package alerts;
// here it is only obeyed.
type Rules struct {
	File     string // where it came from
	Hash     string // of its bytes
	Source   []byte // its text, for the admin's viewer
	Sources  []Source
	Severity []Severity
	Rules    []Rule
	Inhibit  []Inhibit
	Breaker  Breaker
	// RemindBefore lists how long before its beginning a maintenance is called to
	// mind.
	RemindBefore []time.Duration
	// Drafts is what the configuration says of drafts; no rules.yaml does.
	Drafts Drafts
	// DropUnmatched: an alert that no rule wants is forgotten; otherwise admins
	// see it.
	DropUnmatched bool
	// Past are earlier versions by hash: an issue finishes with the rules that
	// opened it.
	Past map[string]*Rules
}

// Source is a named sender of webhooks.
type Source struct {
	Name      string
	Type      string   // alertmanager or newrelic
	Peers     []string // Alertmanager addresses to poll
	Heartbeat Heartbeat
	Receiver  string // Alertmanager: what it calls us; "" finds out
	AccountID int    // New Relic: whose issues they are; 0 if the rules do not say
	Region    string // New Relic: us or eu; "" is us
	// APIKeyEnv is the environment variable with New Relic's key. Naming one is
	// what has the source asked: an account alone is but a remark, and a key that
	// lies in the environment for other programs must not make a source blind.
	APIKeyEnv string
	APIURL    string // New Relic: asked instead of the region's address
	// PollEvery is how often it is asked, and MinUptime how long an Alertmanager
	// must be up before the absence of an alert means anything; 0 is the usual.
	PollEvery time.Duration
	MinUptime time.Duration
}

// Polled reports whether the source is asked as well as listened to.
func (s Source) Polled() bool {
	return len(s.Peers) > 0 || s.AccountID != 0 && s.APIKeyEnv != ""
}

// IsHeartbeat reports whether an alert with the labels is the source's heartbeat.
func (s Source) IsHeartbeat(ls map[string]string, lists map[string][]string) bool {
	return len(s.Heartbeat.Matchers) > 0 && matches(s.Heartbeat.Matchers, s.Name, ls, lists)
}

// tellsHeartbeat reports whether its answers say how old the heartbeat is. Then
// webhooks about it count for nothing: Alertmanager repeats them for minutes
// after the Prometheus behind it died.
func (s Source) tellsHeartbeat() bool { return len(s.Peers) > 0 }

// Heartbeat is an alert that always fires: its silence means that the source
// is blind. Without matchers there is none.
type Heartbeat struct {
	Matchers labels.Matchers
	MaxAge   time.Duration
}

// Severity maps labels to a level and a default impact; the first match wins.
type Severity struct {
	Matchers labels.Matchers
	Level    string // critical, warning, info
	Impact   Impact
}

// Levels are the severities, mildest first.
var Levels = []string{"info", "warning", "critical"}

// Inhibit keeps alerts from opening an issue while another issue explains
// them. Its matchers see the group labels of both and the name of the rule as
// label "rule".
type Inhibit struct {
	Name     string
	Source   labels.Matchers
	Target   labels.Matchers
	Equal    []string
	Suppress bool // not even kept as evidence of the source's issue
}

// Breaker bounds what publishes by itself: beyond MaxPublished within Window,
// issues stay drafts. Zero means no bound.
type Breaker struct {
	MaxPublished int
	Window       time.Duration
}

// Rule says which alerts become which issue.
type Rule struct {
	Name      string
	Source    string // only alerts of this source; "" is any
	Matchers  labels.Matchers
	GroupBy   []string
	Continue  bool
	For       time.Duration
	MinAlerts int // 0 is 1
	// Active reports whether the rule may open issues at that moment
	// (active_time_intervals, mute_time_intervals); nil is always.
	Active       func(time.Time) bool
	Open         Open
	Escalate     []Escalation
	Update       UpdatePolicy
	Resolve      Resolve
	ReopenWithin time.Duration
	Flap         Flap
	// DuringMaintenance says what happens to alerts for components under
	// maintenance; "" is attach.
	DuringMaintenance MaintenancePolicy
	// SilencedResolves: silenced at the source counts as resolved.
	SilencedResolves bool
	// Broadcast lists the channels per event; a nil map is all channels.
	Broadcast map[Event][]string
}

// MaintenancePolicy is a value of during_maintenance.
type MaintenancePolicy string

// The policies.
const (
	MaintenanceAttach   MaintenancePolicy = "attach"   // evidence of the maintenance
	MaintenanceSuppress MaintenancePolicy = "suppress" // nothing
	MaintenanceIgnore   MaintenancePolicy = "ignore"   // opens as at any time
)

// Open says what the issue looks like and who publishes it.
type Open struct {
	Title        Text
	Body         Text
	Impact       Impact // "" takes the severity's
	Components   []RuleComponent
	Publish      Publish
	PublishAfter time.Duration // veto window of Publish == PublishAuto
	// ConfirmAfter and ConfirmThen say what becomes of a draft that nobody
	// confirms; zero waits for ever.
	ConfirmAfter time.Duration
	ConfirmThen  ConfirmThen
}

// Publish says how a draft becomes public.
type Publish string

// The ways to publish.
const (
	PublishAuto    Publish = "auto"
	PublishConfirm Publish = "confirm"
	PublishNever   Publish = "never"
)

// ConfirmThen says what becomes of a draft that nobody confirmed in time.
type ConfirmThen string

// The ends of a confirm_timeout.
const (
	ConfirmPublish ConfirmThen = "publish"
	ConfirmDiscard ConfirmThen = "discard_if_resolved"
	ConfirmKeep    ConfirmThen = "keep"
)

// RuleComponent is a component, or all of a group, that the rule marks.
type RuleComponent struct {
	Component string // slug
	Label     string // or: the label that holds the slug or the name
	Group     Text   // or: the name of a group of components
	Status    ComponentStatus
	// StatusText, when set, is a template that yields the status.
	StatusText Text
	When       Condition // zero is always
	// IgnoreUnknown: that there is no such component is worth no remark.
	IgnoreUnknown bool
}

// Escalation changes an open issue when its condition holds.
type Escalation struct {
	When       Condition
	Impact     Impact // "" leaves it
	Components []RuleComponent
	Body       Text
	// Deescalate takes it back when the condition no longer holds.
	Deescalate bool
}

// UpdatePolicy says which changes by automation are told as an update, and how
// often at most; what comes sooner is on the page but notifies nobody.
type UpdatePolicy struct {
	OnSeverity   bool
	OnComponents bool
	Throttle     time.Duration
}

// Flap holds an issue open whose alerts come and go: Changes flips within
// Window; it then settles after Settle of quiet. Zero Changes never holds.
type Flap struct {
	Changes int
	Window  time.Duration
	Settle  time.Duration
}

// Resolve says how the issue ends.
type Resolve struct {
	Mode            ResolveMode
	After           time.Duration // settle
	Require         Require
	AtMost          int // of Require == RequireAtMost
	MonitoringFirst bool
	Body            Text
	// Ignore are the triggers of a close that is no recovery.
	Ignore []string
}

// ResolveMode says who ends the issue.
type ResolveMode string

// The resolve modes.
const (
	ResolveAuto       ResolveMode = "auto"
	ResolveMonitoring ResolveMode = "monitoring" // sets monitoring, a person resolves
	ResolvePropose    ResolveMode = "propose"    // leaves a suggestion
	ResolveManual     ResolveMode = "manual"     // does nothing
)

// Require says when the alerts count as recovered.
type Require string

// The requirements.
const (
	RequireAll    Require = "all" // also ""
	RequireAny    Require = "any"
	RequireAtMost Require = "firing_at_most"
)

// met reports whether the track has recovered as far as the rule asks.
func (r Resolve) met(t Track) bool {
	switch r.Require {
	case RequireAny:
		return t.Firing == 0 || t.Cleared > 0
	case RequireAtMost:
		return t.Firing <= r.AtMost
	}
	return t.Firing == 0
}

// Text is a compiled template. It must not fail on any evidence that its
// check at load accepted; if it does, the caller falls back to the rule's name.
type Text func(Evidence) (string, error)

// Evidence is what templates may speak of.
type Evidence struct {
	Rule              string
	Source            string
	Severity          string
	GroupLabels       map[string]string
	CommonLabels      map[string]string
	CommonAnnotations map[string]string
	Alerts            []EvidenceAlert // at most MaxEvidence, oldest first
	Firing            int
	StartedAt         time.Time
	DurationSeconds   float64 // since StartedAt
}

// EvidenceAlert is one alert in Evidence.
type EvidenceAlert struct {
	Status      string // firing or resolved
	Labels      map[string]string
	Annotations map[string]string
	StartsAt    time.Time
	EndsAt      time.Time
	URL         string
}

// MaxEvidence bounds the alerts that a template sees.
const MaxEvidence = 50

// Find returns the rule of that name.
func (r *Rules) Find(name string) (Rule, bool) {
	for _, rule := range r.Rules {
		if rule.Name == name {
			return rule, true
		}
	}
	return Rule{}, false
}

// version returns the rules of that hash: these, or earlier ones.
func (r *Rules) version(hash string) *Rules {
	if past, ok := r.Past[hash]; ok && hash != r.Hash {
		return past
	}
	return r
}

// source returns the settings of a source; an unlisted one has none.
func (r *Rules) source(name string) Source {
	for _, s := range r.Sources {
		if s.Name == name {
			return s
		}
	}
	return Source{Name: name}
}
