package broadcast

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Subscribers knows who subscribed; *store.Store satisfies it.
type Subscribers interface {
	Subscriber(ctx context.Context, id string) (status.Subscriber, error)
}

// WebhooksConfig is what telling programs needs.
type WebhooksConfig struct {
	PageName, PublicURL string
	AllowPrivate        bool // addresses may be those of a private network
}

// Webhooks tells subscribers that are programs, each at the address that it
// subscribed and signed with its own secret.
type Webhooks struct {
	cfg         WebhooksConfig
	subscribers Subscribers
	client      *http.Client
}

// webhooksAtOnce keeps some that never answer from holding up the others.
const webhooksAtOnce = 16

// NewWebhooks makes the sender.
func NewWebhooks(cfg WebhooksConfig, subscribers Subscribers) *Webhooks {
	cfg.PublicURL = strings.TrimRight(cfg.PublicURL, "/")
	return &Webhooks{cfg: cfg, subscribers: subscribers, client: postClient(cfg.AllowPrivate)}
}

// Channel names the channel.
func (w *Webhooks) Channel() string { return status.ChannelWebhooks }

// Kind is what rules may call it besides its name.
func (w *Webhooks) Kind() string { return Webhook }

// Parallel is how many requests may be under way at once.
func (w *Webhooks) Parallel() int { return webhooksAtOnce }

// Rest closes what is only worth keeping while busy.
func (w *Webhooks) Rest() { w.client.CloseIdleConnections() }

// Send makes one request. A program that says 410 Gone, or takes a message in
// none of all attempts, is told nothing more: that is Bounced. Any other refusal
// may be a program that is being mended, so it is tried again.
func (w *Webhooks) Send(ctx context.Context, m Message) (string, error) {
	_, id, _ := strings.Cut(m.Recipient, "#")
	sub, err := w.subscribers.Subscriber(ctx, id)
	if errors.Is(err, status.ErrNotFound) {
		return "", Skipped{Reason: "it unsubscribed"}
	}
	if err != nil {
		return "", fmt.Errorf("look up the subscriber: %w", err)
	}
	p, err := w.form(sub, m)
	if err != nil {
		return "", err
	}
	resp, said, err := p.send(ctx, w.client, m.Now, []string{sub.Secret})
	if err == nil {
		err = judgePost(resp, said)
	}
	if err == nil {
		return "", nil
	}
	if refused, permanent := errors.AsType[Permanent](err); permanent {
		err = fmt.Errorf("the endpoint refuses: %w", refused.Err)
	}
	switch {
	case resp != nil && resp.StatusCode == http.StatusGone:
		return "", Bounced{Reason: "the endpoint says that it is gone for good", Err: err}
	case m.Attempt > len(backOff):
		return "", Bounced{Reason: fmt.Sprintf("the endpoint took a message in none of %d attempts", m.Attempt), Err: err}
	}
	return "", err
}

// form is what goes out: the question whether the address subscribed, or news.
func (w *Webhooks) form(sub status.Subscriber, m Message) (post, error) {
	cfg := ChannelConfig{URL: sub.Address(), PageName: w.cfg.PageName, PublicURL: w.cfg.PublicURL}
	if m.Event == status.EventConfirm {
		return post{
			url: cfg.URL, sign: true, header: map[string]string{"Idempotency-Key": m.DeliveryID},
			body: map[string]any{
				"id": "confirm." + sub.ID, "event": m.Event, "created_at": utc(m.Queued),
				"page":        map[string]string{"name": cfg.PageName, "url": cfg.PublicURL},
				"confirm_url": w.cfg.PublicURL + "/subscriptions/confirm/" + sub.ConfirmToken,
			},
		}, nil
	}
	p, err := webhookPost(cfg, m)
	if body, ok := p.body.(map[string]any); ok {
		body["unsubscribe_url"] = w.cfg.PublicURL + "/unsubscribe/" + sub.Token
	}
	return p, err
}
