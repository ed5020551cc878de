package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

type deliveriesPage struct {
	Channels   []channelView
	Dispatches []dispatchView
	Asked      []deliveryView // confirmation mails and the like, which are no dispatch
	Mail       bool
	Twitter    bool
	Me         string
}

// channelView is how a channel does.
type channelView struct {
	Name, ID              string
	Look                  look
	Paused                bool
	PausedBy              string
	Problem               string
	ProblemAt, SentAt     time.Time
	Sent, Queued, Dropped int
	Try                   bool // it can be checked, and sent a test
}

// dispatchView is one message on one channel, to all its recipients.
type dispatchView struct {
	ID, Channel, Event          string
	Link, Target                string
	At                          time.Time
	Total, Sent, Failed         int
	Bounced, Waiting            int
	Updates                     int // told as one
	Took                        string
	Urgent, Finished, Preparing bool
	Alone                       bool      // on a page of its own
	Due                         time.Time // zero: it has begun
}

type deliveryView struct {
	ID                                string
	At                                time.Time
	Channel, Event, Recipient, State  string
	Look                              look
	Attempt                           int
	Problem, ProviderID, Link, Target string
	Next                              time.Time
	Retry                             bool
}

// waitRefresh reloads a page on which a number moves; it says so without a
// script.
const waitRefresh = "5"

const dispatchesOnPage = 50

func (s *Server) showDeliveries(c *fiber.Ctx, v visit) error {
	ctx := c.UserContext()
	view := deliveriesPage{Mail: s.cfg.MailConfigured, Twitter: s.cfg.TwitterConfigured, Me: v.account.Email}
	var err error
	if view.Channels, err = s.channelViews(ctx); err != nil {
		return err
	}
	targets, err := s.targets(c)
	if err != nil {
		return err
	}
	found, err := s.store.Dispatches(ctx, "", dispatchesOnPage)
	if err != nil {
		return err
	}
	moving := false
	for _, d := range found {
		view.Dispatches = append(view.Dispatches, s.dispatchView(d, targets))
		moving = moving || d.FinishedAt.IsZero()
	}
	last, err := s.store.Deliveries(ctx, 200)
	if err != nil {
		return err
	}
	for _, d := range last {
		if d.DispatchID == "" && len(view.Asked) < 10 {
			view.Asked = append(view.Asked, deliveryViewOf(d, targets))
		}
	}
	if moving {
		c.Set("Refresh", waitRefresh)
	}
	return s.render(c, http.StatusOK, "deliveries.html", page{Title: "Deliveries", Nav: "deliveries", Data: view})
}

// channelViews lists the channels that are configured or were used.
func (s *Server) channelViews(ctx context.Context) ([]channelView, error) {
	counts, err := s.store.DeliveryCounts(ctx)
	if err != nil {
		return nil, err
	}
	states, err := s.store.Channels(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]status.ChannelState{}
	for channel := range counts {
		known[channel] = status.ChannelState{Channel: channel}
	}
	if s.cfg.MailConfigured {
		known[status.ChannelEmail] = status.ChannelState{Channel: status.ChannelEmail}
	}
	if s.cfg.TwitterConfigured {
		known[status.ChannelTwitter] = status.ChannelState{Channel: status.ChannelTwitter}
	}
	if s.cfg.OperatorMail {
		known[status.ChannelOperators] = status.ChannelState{Channel: status.ChannelOperators}
	}
	for _, name := range s.tryable() {
		known[name] = status.ChannelState{Channel: name}
	}
	for _, st := range states {
		known[st.Channel] = st
	}
	var list []channelView
	for channel, st := range known {
		n := counts[channel]
		cv := channelView{
			Name: channelWord(channel), ID: channel, Paused: st.Paused, PausedBy: st.PausedBy, SentAt: st.SentAt,
			Sent: n[status.Sent], Queued: n[status.Queued], Dropped: n[status.Failed] + n[status.Bounced],
			Look: look{"ok", "Works"}, Try: slices.Contains(s.tryable(), channel),
		}
		switch {
		case st.Paused:
			cv.Look = look{"work", "Paused"}
		case st.Troubled():
			cv.Look, cv.Problem, cv.ProblemAt = look{"down", "In trouble"}, st.LastError, st.FailedAt
		case st.SentAt.IsZero():
			cv.Look = look{"none", "Not used yet"}
		}
		list = append(list, cv)
	}
	slices.SortFunc(list, func(a, b channelView) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

func (s *Server) dispatchView(d status.Dispatch, targets map[string]pair) dispatchView {
	v := dispatchView{
		ID: d.ID, Channel: channelWord(d.Channel), Event: eventWords[d.Event], At: d.CreatedAt, Total: d.Total, Sent: d.Sent,
		Failed: d.Failed, Bounced: d.Bounced, Waiting: d.Waiting(), Updates: 1 + len(d.Joined),
		Urgent: d.Priority == status.PriorityUrgent, Finished: !d.FinishedAt.IsZero(), Preparing: d.FannedOutAt.IsZero(),
	}
	if t, ok := targets[d.SubjectID]; ok {
		v.Link, v.Target = t.Name, t.Value
	}
	if v.Finished && d.Sent > 0 {
		v.Took = roughly(d.FinishedAt.Sub(d.CreatedAt))
	}
	if d.BegunAt.IsZero() && d.DueAt.After(s.clock.Now()) {
		v.Due = d.DueAt
	}
	return v
}

func deliveryViewOf(d status.Delivery, targets map[string]pair) deliveryView {
	v := deliveryView{
		ID: d.ID, At: d.CreatedAt, Channel: channelWord(d.Channel), Event: eventWords[d.Event], Recipient: d.Address(),
		State: string(d.State), Look: deliveryLooks[d.State], Attempt: d.Attempt, Problem: d.LastError, ProviderID: d.ProviderID,
		Retry: d.State == status.Failed || d.State == status.Bounced,
	}
	if t, ok := targets[d.SubjectID]; ok {
		v.Link, v.Target = t.Name, t.Value
	}
	if d.State == status.Queued {
		v.Next = d.DueAt
	} else if !d.SentAt.IsZero() {
		v.At = d.SentAt
	}
	return v
}

type dispatchPage struct {
	Dispatch   dispatchView
	Deliveries []deliveryView
	More       int
}

const deliveriesOnPage = 200

func (s *Server) showDispatch(c *fiber.Ctx, _ visit) error {
	ctx := c.UserContext()
	d, err := s.store.Dispatch(ctx, dispatchParam(c))
	if err != nil {
		return err
	}
	targets, err := s.targets(c)
	if err != nil {
		return err
	}
	list, err := s.store.DeliveriesOf(ctx, d.ID, []status.DeliveryState{status.Queued, status.Sent, status.Failed, status.Bounced}, deliveriesOnPage)
	if err != nil {
		return err
	}
	view := dispatchPage{Dispatch: s.dispatchView(d, targets), More: max(d.Total-len(list), 0)}
	for _, del := range list {
		view.Deliveries = append(view.Deliveries, deliveryViewOf(del, nil))
	}
	if d.FinishedAt.IsZero() {
		c.Set("Refresh", waitRefresh)
	}
	view.Dispatch.Alone = true
	title := cmp.Or(view.Dispatch.Target, view.Dispatch.Event)
	return s.render(c, http.StatusOK, "dispatch.html", page{Title: title, Nav: "deliveries", Data: view})
}

func dispatchParam(c *fiber.Ctx) string {
	id := c.Params("id")
	if update, channel, ok := strings.Cut(id, "."); ok && validID(update) && validSource(channel) {
		return id
	}
	return "-"
}

// retryDispatch queues again what was given up: one delivery or all.
func (s *Server) retryDispatch(c *fiber.Ctx, _ visit) error {
	id := dispatchParam(c)
	if _, err := s.store.Dispatch(c.UserContext(), id); err != nil {
		return err
	}
	one := form(c).Get("delivery")
	if one != "" && !strings.HasPrefix(one, id) {
		return status.ErrNotFound
	}
	if _, err := s.store.Retry(c.UserContext(), s.clock.Now(), id, one); err != nil {
		return err
	}
	return redirect(c, "/admin/deliveries/"+id, "retried")
}

func (s *Server) pauseChannel(c *fiber.Ctx, v visit) error {
	f := form(c)
	channel, paused := f.Get("channel"), f.Get("do") == "pause"
	if !validSource(channel) {
		return status.ErrNotFound
	}
	if err := s.store.PauseChannel(c.UserContext(), channel, paused, v.account.Email); err != nil {
		return err
	}
	if paused {
		return redirect(c, "/admin/deliveries", "paused")
	}
	return redirect(c, "/admin/deliveries", "resumed")
}

// sendTestMail sends a mail to whoever asks: the check before the outage.
func (s *Server) sendTestMail(c *fiber.Ctx, v visit) error {
	if s.mailMe == nil {
		return refusal{code: http.StatusConflict, text: "Mail is not configured: set smtp.url and smtp.from."}
	}
	answer, err := s.mailMe(c.UserContext(), v.account.Email)
	view := testMailPage{To: v.account.Email, Answer: answer}
	if err != nil {
		view.Problem = err.Error()
		if errors.Is(err, context.DeadlineExceeded) {
			view.Problem = "the mail server did not answer in time: " + view.Problem
		}
		return s.render(c, http.StatusBadGateway, "test_mail.html", page{Title: "The mail did not leave", Nav: "deliveries", Data: view})
	}
	return s.render(c, http.StatusOK, "test_mail.html", page{Title: "The mail left", Nav: "deliveries", Data: view})
}

type testMailPage struct{ To, Answer, Problem string }

func channelWord(channel string) string {
	switch channel {
	case status.ChannelEmail:
		return "Email"
	case status.ChannelTwitter:
		return "Twitter"
	case status.ChannelWebhooks:
		return "Webhooks of subscribers"
	case status.ChannelOperators:
		return "Mail to operators"
	}
	return channel
}

var eventWords = map[status.Event]string{
	status.EventOpen:                 "Issue opened",
	status.EventUpdate:               "Update",
	status.EventResolve:              "Resolved",
	status.EventMaintenanceScheduled: "Maintenance scheduled",
	status.EventMaintenanceMoved:     "Maintenance moved",
	status.EventMaintenanceReminder:  "Maintenance begins soon",
	status.EventMaintenanceStarted:   "Maintenance started",
	status.EventMaintenanceEnded:     "Maintenance ended",
	status.EventMaintenanceCancelled: "Maintenance cancelled",
	status.EventConfirm:              "Confirmation",
	status.EventSubscribed:           "Subscribed already",
	status.EventStopped:              "Webhook stopped",
	status.EventDraft:                "Draft waits",
	status.EventDraftWaits:           "Draft still waits",
	status.EventDraftDone:            "Draft dealt with",
}

var deliveryLooks = map[status.DeliveryState]look{
	status.Queued:  {"work", "Queued"},
	status.Sent:    {"ok", "Sent"},
	status.Failed:  {"down", "Failed"},
	status.Bounced: {"part", "Bounced"},
}
