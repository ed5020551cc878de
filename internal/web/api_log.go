package web

import (
	"slices"
	"strconv"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// sourceShown is a sender of alerts.
type sourceShown struct {
	Name          string     `json:"name"`
	Type          string     `json:"type"`
	Polled        bool       `json:"polled"` // it is asked what fires
	Blind         string     `json:"blind"`  // why nothing of it resolves by itself, "" if it may
	LastWebhookAt *time.Time `json:"last_webhook_at"`
	HeartbeatAt   *time.Time `json:"heartbeat_at"`
	AnsweredAt    *time.Time `json:"answered_at"`
	LastError     string     `json:"last_error"`
}

func showSourceAPI(v sourceView) sourceShown {
	return sourceShown{
		Name: v.Name, Type: v.Type, Polled: v.Polled, Blind: v.Blind, LastWebhookAt: moment(v.LastWebhook),
		HeartbeatAt: moment(v.HeartbeatAt), AnsweredAt: moment(v.AnsweredAt), LastError: v.Err,
	}
}

func (s *Server) apiSources(c *call) (reply, error) {
	last, err := s.store.Webhooks(c.UserContext(), "", webhooksOnPage)
	if err != nil {
		return reply{}, err
	}
	found, err := s.sourceViews(c.UserContext(), last)
	return everything(found, showSourceAPI), err
}

// entryShown is a line of the audit log.
type entryShown struct {
	ID      string        `json:"id"`
	At      *time.Time    `json:"at"`
	Actor   string        `json:"actor"` // an account, a token, the command line, or automation
	Action  string        `json:"action"`
	Subject string        `json:"subject_id"`
	Reason  status.Reason `json:"reason"`
	Detail  string        `json:"detail"`
	Before  string        `json:"before"`
	After   string        `json:"after"`
}

func (s *Server) apiAudit(c *call) (reply, error) {
	limit, err := c.limit()
	if err != nil {
		return reply{}, err
	}
	parts, err := c.cursor(2)
	if err != nil {
		return reply{}, err
	}
	var after store.Spot
	if parts[0] != "" {
		revision, bad := strconv.ParseInt(parts[0], 10, 64)
		line, worse := strconv.Atoi(parts[1])
		if bad != nil || worse != nil {
			return reply{}, badParameter("cursor", "is not one of ours; take the address in next as it is")
		}
		after = store.Spot{Revision: revision, Line: line}
	}
	found, spots, err := s.store.EntriesAfter(c.UserContext(), c.Query("subject"), after, limit+1)
	if err != nil {
		return reply{}, err
	}
	shown := make([]entryShown, len(found))
	for n, e := range found {
		shown[n] = entryShown{
			ID: spotParts(spots[n])[0] + "." + spotParts(spots[n])[1], At: moment(e.At), Actor: e.Actor, Action: e.Action, Subject: e.Subject,
			Reason: e.Reason, Detail: e.Detail, Before: e.Before, After: e.After,
		}
	}
	return paged(c, shown, limit, func(e entryShown) entryShown { return e }, func(e entryShown) []string {
		return spotParts(spots[slices.Index(shown, e)])
	}), nil
}

func spotParts(s store.Spot) []string {
	return []string{strconv.FormatInt(s.Revision, 10), strconv.Itoa(s.Line)}
}
