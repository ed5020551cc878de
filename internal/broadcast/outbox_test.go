package broadcast

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// memoryOutbox keeps deliveries as the store does: a claim pushes the due time
// by the lease and counts the attempt, and a mark of an older attempt is void.
type memoryOutbox struct {
	mu          sync.Mutex
	announced   []status.Announcement
	fannedOut   map[string]bool
	subscribers []status.Subscriber
	deliveries  []status.Delivery
	broken      error // answered to everything
	lostMarks   int   // so many marks are answered with an error
	claims      int
	claimTakes  time.Duration
	looks       int // what is next
}

func (o *memoryOutbox) FanOut(_ context.Context, now time.Time, outlets []status.Outlet) (int, bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.broken != nil {
		return 0, false, o.broken
	}
	made := 0
	for _, a := range o.announced {
		if o.fannedOut[a.ID] || a.DueAt.After(now) {
			continue
		}
		for _, outlet := range outlets {
			channel := outlet.Channel
			if !outlet.Takes(a) {
				continue
			}
			for _, d := range o.recipients(a, channel) {
				d.ID, d.State, d.CreatedAt, d.DueAt = fmt.Sprintf("d%d", len(o.deliveries)+1), status.Queued, now, now
				o.deliveries = append(o.deliveries, d)
				made++
			}
		}
		if o.fannedOut == nil {
			o.fannedOut = map[string]bool{}
		}
		o.fannedOut[a.ID] = true
	}
	return made, false, nil
}

func (o *memoryOutbox) recipients(a status.Announcement, channel string) []status.Delivery {
	d := status.Delivery{DispatchID: a.UpdateID + "." + channel, Event: a.Event, SubjectID: a.SubjectID, UpdateID: a.UpdateID, Channel: channel, Recipient: channel}
	if channel != status.ChannelEmail {
		return []status.Delivery{d}
	}
	var out []status.Delivery
	for _, s := range o.subscribers {
		d.Recipient, d.SubscriberID, d.Token = s.Email, s.ID, s.Token
		out = append(out, d)
	}
	return out
}

func (o *memoryOutbox) ClaimDeliveries(_ context.Context, channel string, now time.Time, lease time.Duration, limit int) ([]status.Delivery, error) {
	time.Sleep(o.claimTakes)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.broken != nil {
		return nil, o.broken
	}
	o.claims++
	var out []status.Delivery
	for i := range o.deliveries {
		d := &o.deliveries[i]
		if d.Channel == channel && d.State == status.Queued && !d.DueAt.After(now) && len(out) < limit {
			d.DueAt = now.Add(lease)
			d.Attempt++
			out = append(out, *d)
		}
	}
	return out, nil
}

func (o *memoryOutbox) mark(id string, attempt int, change func(*status.Delivery)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lostMarks > 0 {
		o.lostMarks--
		return errors.New("connection reset")
	}
	for i := range o.deliveries {
		if d := &o.deliveries[i]; d.ID == id && d.Attempt == attempt {
			change(d)
		}
	}
	return nil
}

func (o *memoryOutbox) MarkSent(_ context.Context, id string, attempt int, providerID string, now time.Time) error {
	return o.mark(id, attempt, func(d *status.Delivery) { d.State, d.ProviderID, d.SentAt = status.Sent, providerID, now })
}

func (o *memoryOutbox) MarkSkipped(_ context.Context, id string, attempt int, reason string, now time.Time) error {
	return o.mark(id, attempt, func(d *status.Delivery) { d.State, d.LastError, d.SentAt = status.Sent, reason, now })
}

func (o *memoryOutbox) MarkRetry(_ context.Context, id string, attempt int, due time.Time, reason string, _ time.Time) error {
	return o.mark(id, attempt, func(d *status.Delivery) { d.DueAt, d.LastError = due, reason })
}

func (o *memoryOutbox) MarkFailed(_ context.Context, id string, attempt int, reason string, _ time.Time) error {
	return o.mark(id, attempt, func(d *status.Delivery) { d.State, d.LastError = status.Failed, reason })
}

func (o *memoryOutbox) MarkBounced(_ context.Context, id string, attempt int, reason string, _ time.Time) error {
	return o.mark(id, attempt, func(d *status.Delivery) { d.State, d.LastError = status.Bounced, reason })
}

func (o *memoryOutbox) RenewLeases(_ context.Context, claimed []status.Delivery, now time.Time, lease time.Duration) ([]string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.broken != nil {
		return nil, o.broken
	}
	var ours []string
	for _, c := range claimed {
		for i := range o.deliveries {
			if d := &o.deliveries[i]; d.ID == c.ID && d.Attempt == c.Attempt && d.State == status.Queued {
				d.DueAt = now.Add(lease)
				ours = append(ours, d.ID)
			}
		}
	}
	return ours, nil
}

func (o *memoryOutbox) FinishDispatches(context.Context) error { return nil }

func (o *memoryOutbox) RootDelivery(_ context.Context, channel, subjectID string) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, d := range o.deliveries {
		if d.Channel == channel && d.SubjectID == subjectID && d.State == status.Sent && d.ProviderID != "" {
			return d.ProviderID, nil
		}
	}
	return "", nil
}

func (o *memoryOutbox) NextDelivery(context.Context, time.Time, []string) (time.Time, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.looks++
	var next time.Time
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	for _, a := range o.announced {
		if !o.fannedOut[a.ID] {
			sooner(a.DueAt)
		}
	}
	for _, d := range o.deliveries {
		if d.State == status.Queued {
			sooner(d.DueAt)
		}
	}
	return next, nil
}

// announce adds announcements; the caller wakes the broadcaster, or not.
func (o *memoryOutbox) announce(announcements ...status.Announcement) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range announcements {
		if a.ID == "" {
			a.ID = "a-" + a.UpdateID
		}
		o.announced = append(o.announced, a)
	}
}

func (o *memoryOutbox) all() []status.Delivery {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.deliveries)
}

// states counts the deliveries in each state.
func (o *memoryOutbox) states() map[status.DeliveryState]int {
	counts := map[status.DeliveryState]int{}
	for _, d := range o.all() {
		counts[d.State]++
	}
	return counts
}

func (o *memoryOutbox) setBroken(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.broken = err
}

// openOver opens one more house over the same outbox.
func openOver(t *testing.T, outbox *memoryOutbox, senders ...*pen) *house {
	var list []Sender
	for _, p := range senders {
		p.start = time.Now()
		list = append(list, p)
	}
	return openWith(t, outbox, list...)
}

// shelf is a library of what the tests tell about.
type shelf struct {
	mu           sync.Mutex
	issues       map[string]status.Issue
	maintenances map[string]status.Maintenance
	components   []status.Component
	signals      map[string][]status.Signal
	entries      map[string][]status.Entry
}

func (s *shelf) Issue(_ context.Context, id string) (status.Issue, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, found := s.issues[id]
	if !found {
		return i, status.ErrNotFound
	}
	return i, nil
}

func (s *shelf) Maintenance(_ context.Context, id string) (status.Maintenance, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, found := s.maintenances[id]
	if !found {
		return m, status.ErrNotFound
	}
	return m, nil
}

func (s *shelf) Again(context.Context, status.Maintenance, int, time.Time) ([]time.Time, error) {
	return nil, nil
}

func (s *shelf) Subscriber(context.Context, string) (status.Subscriber, error) {
	return status.Subscriber{}, status.ErrNotFound
}

func (s *shelf) IssueSignals(_ context.Context, id string) ([]status.Signal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signals[id], nil
}

func (s *shelf) Entries(_ context.Context, id string, _ int) ([]status.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries[id], nil
}

func (s *shelf) Components(context.Context) ([]status.Component, []status.Group, error) {
	return s.components, nil, nil
}

// noon is when the stories of the tests begin.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// newShelf holds issue i1 with the updates u1 (investigating), u2 (identified)
// and u3 (resolved), and maintenance m1 with w1 (scheduled) and w2 (completed).
func newShelf() *shelf {
	return &shelf{
		issues:       map[string]status.Issue{"i1": checkoutDown()},
		maintenances: map[string]status.Maintenance{"m1": databaseWork()},
		components: []status.Component{
			{ID: "c1", Name: "Checkout"}, {ID: "c2", Name: "Payments"}, {ID: "c3", Name: "Secret backend", Hidden: true},
		},
	}
}

func checkoutDown() status.Issue {
	return status.Issue{
		ID: "i1", Title: "Checkout is unavailable in eu-west", State: status.Resolved, Stage: status.Published, Impact: status.ImpactMajor,
		Components: []status.Affected{{ComponentID: "c1", Status: status.PartialOutage}, {ComponentID: "c2", Status: status.DegradedPerformance}, {ComponentID: "c3", Status: status.MajorOutage}},
		StartedAt:  noon, ResolvedAt: noon.Add(42 * time.Minute),
		Updates: []status.Update{
			{ID: "u1", SubjectID: "i1", State: "investigating", Body: "We are seeing **failing checkouts** since 12:00 UTC. More soon.", CreatedAt: noon, DisplayAt: noon},
			{ID: "u2", SubjectID: "i1", State: "identified", Body: "A bad deployment.", CreatedAt: noon.Add(10 * time.Minute), DisplayAt: noon.Add(10 * time.Minute)},
			{ID: "u3", SubjectID: "i1", State: "resolved", Body: "Checkout has recovered.", CreatedAt: noon.Add(42 * time.Minute), DisplayAt: noon.Add(42 * time.Minute)},
		},
	}
}

// openCheckout is the same issue before it is resolved.
func openCheckout() status.Issue {
	i := checkoutDown()
	i.State, i.ResolvedAt, i.Updates = status.Identified, time.Time{}, i.Updates[:2]
	return i
}

func databaseWork() status.Maintenance {
	return status.Maintenance{
		ID: "m1", Title: "Database upgrade", Body: "We upgrade the database.", State: status.Completed, Components: []string{"c2"},
		ScheduledFor: noon.Add(24 * time.Hour), ScheduledUntil: noon.Add(26 * time.Hour),
		Updates: []status.Update{
			{ID: "w1", SubjectID: "m1", State: "scheduled", CreatedAt: noon},
			{ID: "w2", SubjectID: "m1", State: "completed", Body: "All done.", CreatedAt: noon.Add(26 * time.Hour)},
		},
	}
}

// people is n subscribers.
func people(n int) []status.Subscriber {
	out := make([]status.Subscriber, n)
	for i := range out {
		out[i] = status.Subscriber{ID: fmt.Sprintf("s%d", i+1), Email: fmt.Sprintf("person%d@example.com", i+1), Token: fmt.Sprintf("token%d", i+1)}
	}
	return out
}

// bubbleClock reads the time of a synctest bubble.
type bubbleClock struct{}

func (bubbleClock) Now() time.Time { return time.Now() }

func (bubbleClock) Wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
	case <-wake:
	}
	return nil
}

func quiet(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}
