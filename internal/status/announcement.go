package status

import "time"

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
	EventConfirm              Event = "confirm" // asks an address whether it subscribed
)

// Announcement is the order to tell the world about one update. It is saved in
// the transaction that makes the update public, so neither exists alone.
type Announcement struct {
	ID        string
	Event     Event
	SubjectID string // issue or maintenance
	UpdateID  string // unique: an update is announced once
	// Components whose subscribers are addressed.
	Components []string
	// Channels limits where it goes ("email", "twitter"); nil is everywhere.
	Channels  []string
	CreatedAt time.Time
	DueAt     time.Time
}

// The channels of this release.
const (
	ChannelEmail   = "email"
	ChannelTwitter = "twitter"
)

// DeliveryState is where one message to one recipient stands.
type DeliveryState string

// The delivery states.
const (
	Queued DeliveryState = "queued"
	Sent   DeliveryState = "sent"
	Failed DeliveryState = "failed" // given up, see LastError
)

// Delivery is one message to one recipient on one channel, unique per
// (UpdateID, Channel, Recipient). A worker claims it by pushing DueAt into the
// future by the lease and counting Attempt; Attempt fences late marks.
type Delivery struct {
	ID             string
	AnnouncementID string
	Event          Event
	SubjectID      string
	UpdateID       string
	Channel        string
	Recipient      string // address, or account name for a single feed
	SubscriberID   string // "" when the channel has no subscribers
	Token          string // the subscriber's opaque token, for its links
	State          DeliveryState
	Attempt        int
	DueAt          time.Time
	CreatedAt      time.Time
	SentAt         time.Time
	ProviderID     string // what the provider called the message
	LastError      string
}

// Subscriber is an address that asked to be told.
type Subscriber struct {
	ID          string
	Email       string
	Components  []string // nil: all
	Token       string   // opaque, for preferences and unsubscribing
	ConfirmedAt time.Time
	CreatedAt   time.Time
	// ConfirmSentAt is when the last confirmation mail was asked for.
	ConfirmSentAt time.Time
	ConfirmToken  string
}
