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
	// DropUnmatched: an alert that no rule wants is not shown to admins.
	DropUnmatched bool
}

// Source is a named sender of webhooks.
type Source struct {
	Name string
	Type string // alertmanager or newrelic
}

// Severity maps labels to a level and a default impact; the first match wins.
type Severity struct {
	Matchers labels.Matchers
	Level    string // critical, warning, info
	Impact   Impact
}

// Rule says which alerts become which issue.
type Rule struct {
	Name     string
	Source   string // only alerts of this source; "" is any
	Matchers labels.Matchers
	GroupBy  []string
	Continue bool
	For      time.Duration
	Open     Open
	Resolve  Resolve
	// Broadcast lists the channels per event; a nil map is all channels.
	Broadcast map[Event][]string
}

// Open says what the issue looks like and who publishes it.
type Open struct {
	Title        Text
	Body         Text
	Impact       Impact // "" takes the severity's
	Components   []RuleComponent
	Publish      Publish
	PublishAfter time.Duration // veto window of Publish == PublishAuto
}

// Publish says how a draft becomes public.
type Publish string

// The ways to publish.
const (
	PublishAuto    Publish = "auto"
	PublishConfirm Publish = "confirm"
	PublishNever   Publish = "never"
)

// RuleComponent is a component that the rule marks.
type RuleComponent struct {
	Component string // slug
	Status    ComponentStatus
}

// Resolve says how the issue ends.
type Resolve struct {
	Mode            ResolveMode
	After           time.Duration // settle
	MonitoringFirst bool
	Body            Text
}

// ResolveMode says who ends the issue.
type ResolveMode string

// The resolve modes.
const (
	ResolveAuto   ResolveMode = "auto"
	ResolveManual ResolveMode = "manual"
)

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
