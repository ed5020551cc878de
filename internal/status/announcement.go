package status

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// Event says what an announcement tells.
type Event string

// The events that are announced.
const (
	EventOpen                 Event = "open"
	EventUpdate               Event = "update"
	EventResolve              Event = "resolve"
	EventMaintenanceScheduled Event = "maintenance_scheduled"
	EventMaintenanceStarted   Event = "maintenance_started"
	EventMaintenanceEnded     Event = "maintenance_ended"
	EventMaintenanceCancelled Event = "maintenance_cancelled"
	EventMaintenanceMoved     Event = "maintenance_moved"
	EventMaintenanceReminder  Event = "maintenance_reminder" // it begins soon; no update of its own
	EventConfirm              Event = "confirm"              // asks an address whether it subscribed
	EventSubscribed           Event = "subscribed"           // answers one that subscribes again
	EventStopped              Event = "stopped"              // tells who named a contact that their webhook is told no more
	EventTest                 Event = "test"                 // tries a channel out, about nothing

	// Told to operators only, see Event.Readers.
	EventDraft      Event = "draft"         // automation opened a draft, which waits for a person
	EventDraftWaits Event = "draft_waiting" // it still does
	EventDraftDone  Event = "draft_done"    // it no longer does
)

// Milestone reports whether the event is told to those who want only what
// begins and what ends.
func (e Event) Milestone() bool { return e != EventUpdate && e != EventMaintenanceReminder }

// Priority says what is sent first when much waits; more is sooner.
type Priority int64

// The priorities.
const (
	PriorityNormal Priority = 0
	PriorityAsked  Priority = 1 // somebody waits for this very message
	PriorityUrgent Priority = 2 // a critical issue
)

// Announcement is the order to tell the world about one update. It is saved in
// the transaction that makes the update public, so neither exists alone.
type Announcement struct {
	ID        string
	Event     Event
	SubjectID string // issue or maintenance
	UpdateID  string // unique: an update is announced once; for operators the id of a Call
	// Components whose subscribers are addressed.
	Components []string
	// Channels limits where it goes ("email", "twitter"); nil is everywhere.
	Channels []string
	// Except names those of them that a person left out.
	Except    []string
	Priority  Priority
	CreatedAt time.Time
	DueAt     time.Time
}

// Outlet is a channel as the fan-out needs to know it.
type Outlet struct {
	Channel string
	// Kind is what rules may call it besides its name: "slack" for all that are
	// of this type.
	Kind string
	// Join is for how long after a message about a subject what follows is kept
	// back, to be told as one; 0 tells each update by itself. Operators are told of
	// all subjects as one.
	Join    time.Duration
	Readers Readers
	// Recipients are the addresses of a channel that has its own; nil is a single
	// feed, or the subscribers.
	Recipients []string
}

// Takes reports whether an announcement goes to the outlet.
func (o Outlet) Takes(a Announcement) bool {
	return o.Readers == a.Event.Readers() && o.Allowed(a.Channels) && !slices.Contains(a.Except, o.Channel)
}

// Allowed reports whether a list of channels, such as that of an announcement,
// has the outlet in it, by name or by kind; nil is all.
func (o Outlet) Allowed(channels []string) bool {
	return channels == nil || slices.Contains(channels, o.Channel) || o.Kind != "" && slices.Contains(channels, o.Kind)
}

// Dispatch is one message about a subject on one channel, to all its
// recipients: an announcement, or several that came within the outlet's Join.
type Dispatch struct {
	ID          string // UpdateID.CHANNEL
	Channel     string
	Event       Event // of a milestone, if one is among those joined
	SubjectID   string
	UpdateID    string   // the first one, which names the message
	Joined      []string // the updates told with it, oldest first
	Components  []string
	Named       bool // a rule names the channel for this event
	Priority    Priority
	CreatedAt   time.Time // when the first update was made public
	DueAt       time.Time
	BegunAt     time.Time // when its first deliveries were queued: nothing joins any more
	Reached     string    // the last subscriber that got a delivery, while the fan-out lasts
	FannedOutAt time.Time // all deliveries are queued
	FinishedAt  time.Time // none waits any more

	// How the deliveries stand. Kept for good when it is finished, counted until then.
	Total, Sent, Failed, Bounced int
}

// Waiting is how many recipients have not got the message and may yet get it.
func (d Dispatch) Waiting() int { return d.Total - d.Sent - d.Failed - d.Bounced }

// ChannelState is how a channel does.
type ChannelState struct {
	Channel   string
	Paused    bool // a person stopped it: what is queued stays queued
	PausedBy  string
	SentAt    time.Time // of the last message that arrived
	FailedAt  time.Time // of the last attempt that failed
	LastError string    // of that attempt
}

// Troubled reports whether the last attempt on the channel failed.
func (c ChannelState) Troubled() bool { return c.FailedAt.After(c.SentAt) }

// The channels of this release.
const (
	ChannelEmail   = "email"
	ChannelTwitter = "twitter"
	// ChannelWebhooks is that of subscribers who are programs.
	ChannelWebhooks = "webhooks"
	// ChannelOperators is the mail to operators.
	ChannelOperators = "operators"
)

// DeliveryState is where one message to one recipient stands.
type DeliveryState string

// The delivery states.
const (
	Queued  DeliveryState = "queued"
	Sent    DeliveryState = "sent"
	Failed  DeliveryState = "failed"  // given up, see LastError
	Bounced DeliveryState = "bounced" // the address does not exist any more, see LastError
)

// Delivery is one message to one recipient on one channel, unique per
// (UpdateID, Channel, Recipient). A worker claims it by pushing DueAt into the
// future by the lease and counting Attempt; Attempt fences late marks.
type Delivery struct {
	ID           string
	DispatchID   string // "" for a message to one person
	Event        Event
	SubjectID    string
	UpdateID     string
	Channel      string
	Recipient    string   // address, or account name for a single feed
	SubscriberID string   // "" when the channel has no subscribers
	Token        string   // the subscriber's opaque token, for its links
	Language     string   // the subscriber's, "" is the page's
	TimeZone     string   // the subscriber's, "" is the page's
	Joined       []string // later updates told in the same message
	Named        bool     // a rule names the channel for this event
	Priority     Priority
	State        DeliveryState
	Attempt      int
	DueAt        time.Time
	CreatedAt    time.Time
	SentAt       time.Time
	ProviderID   string // what the provider called the message
	LastError    string
}

// Address is where the message goes, as its recipient would write it.
func (d Delivery) Address() string { return strings.TrimSuffix(d.Recipient, "#"+d.SubscriberID) }

// Scope is how much a subscriber wants to hear.
type Scope string

// The scopes.
const (
	ScopeAll        Scope = "all"
	ScopeMilestones Scope = "milestones" // what begins and what ends, see Event.Milestone
)

// Subscriber is an address that asked to be told.
type Subscriber struct {
	ID          string
	Email       string   // of a program: its https URL, with the ID as fragment
	Components  []string // nil: all
	Scope       Scope    // "" is ScopeAll
	Language    string   // "" is the page's
	TimeZone    string   // "" is the page's
	Token       string   // opaque, for preferences and unsubscribing
	ConfirmedAt time.Time
	CreatedAt   time.Time
	// ConfirmSentAt is when the last confirmation mail was asked for.
	ConfirmSentAt time.Time
	ConfirmToken  string
	// SuppressedAt is when mail to the address bounced for good, or was reported
	// as spam: nothing is sent there until its owner confirms anew.
	SuppressedAt  time.Time
	SuppressedWhy string
	// Contact is the mail address to tell when a program is told no more. It is
	// written to only while it is itself an active subscriber by mail.
	Contact string
	Secret  string // signs what a program gets; "" is a person, who gets mail
}

// Program reports whether the subscriber is one, told by webhook.
func (s Subscriber) Program() bool { return s.Secret != "" }

// Channel is the one by which the subscriber is told.
func (s Subscriber) Channel() string {
	if s.Program() {
		return ChannelWebhooks
	}
	return ChannelEmail
}

// Address is the email address, or the URL of a program.
func (s Subscriber) Address() string {
	if s.Program() {
		return strings.TrimSuffix(s.Email, "#"+s.ID)
	}
	return s.Email
}

// ErrAskedOften is the answer to whoever makes the page ask one host again and
// again whether it subscribed.
var ErrAskedOften = errors.New("the host was asked too often today")

// Active reports whether the subscriber is sent mail.
func (s Subscriber) Active() bool { return !s.ConfirmedAt.IsZero() && s.SuppressedAt.IsZero() }

// Audience counts subscribers.
type Audience struct {
	Total      int // all that ever asked and did not leave
	Active     int // confirmed, and mail to them arrives
	Suppressed int // their mail came back
	// Programs are no part of those.
	Webhooks        int // confirmed, and taking messages
	WebhooksStopped int // they no longer took them
}

// Bounce is the word of a mail system that a message did not arrive, or was
// not wanted.
type Bounce struct {
	Address    string
	DeliveryID string // of the message, "" if the report does not tell
	Hard       bool   // the address does not exist; false: it may work again
	Complaint  bool   // the recipient calls it spam
	Reason     string // the words of the mail system
}

// Suppresses reports whether nothing more should be sent to the address.
func (b Bounce) Suppresses() bool { return b.Hard || b.Complaint }
