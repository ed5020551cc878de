package broadcast

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// programs are the subscribers that a test knows.
type programs map[string]status.Subscriber

func (p programs) Subscriber(_ context.Context, id string) (status.Subscriber, error) {
	if sub, known := p[id]; known {
		return sub, nil
	}
	return status.Subscriber{}, status.ErrNotFound
}

// listening is a subscriber at an address, and a message to it.
func listening(t *testing.T, url string, private bool) (*Webhooks, Message) {
	sub := status.Subscriber{ID: "s1", Email: url + "#s1", Secret: hookSecret, Token: "leave", ConfirmToken: "yes", ConfirmedAt: noon}
	w := NewWebhooks(WebhooksConfig{PageName: "Acme", PublicURL: pageURL, AllowPrivate: private}, programs{"s1": sub})
	t.Cleanup(w.Rest)
	m := hostile(t)
	m.Recipient, m.DeliveryID, m.Attempt = sub.Email, "u1.webhooks.s1", 1
	return w, m
}

func TestAProgramGetsTheNewsSignedWithItsOwnSecret(t *testing.T) {
	url, got := standIn(t, content)
	w, m := listening(t, url+"/in?x=1", true)
	if _, err := w.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	g := (*got)[0]
	if g.path != "/in?x=1" || g.body["event"] != "open" || g.body["incident"].(map[string]any)["id"] != "i1" || g.body["unsubscribe_url"] != pageURL+"/unsubscribe/leave" {
		t.Errorf("%s got %s", g.path, g.raw)
	}
	if g.header.Get(SignatureHeader) != Sign(g.raw, noon, hookSecret) || g.header.Get("Idempotency-Key") != "u1.webhooks.s1" {
		t.Errorf("headers %v", g.header)
	}
	for _, secret := range []string{hookSecret, "yes"} {
		if strings.Contains(string(g.raw), secret) {
			t.Errorf("the news holds %q", secret)
		}
	}
	m.Recipient = url + "#left"
	if _, err := w.Send(t.Context(), m); !errors.As(err, new(Skipped)) || len(*got) != 1 {
		t.Errorf("one who left: %v", err)
	}
}

func TestAProgramIsAskedWhetherItSubscribed(t *testing.T) {
	url, got := standIn(t, content)
	w, m := listening(t, url, true)
	ask := ComposeConfirm(status.EventConfirm, "confirm:yes")
	ask.Recipient, ask.DeliveryID, ask.Now, ask.Queued, ask.Attempt = m.Recipient, "confirm:yes", noon, noon, 1
	if _, err := w.Send(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	if g := (*got)[0]; g.body["event"] != "confirm" || g.body["confirm_url"] != pageURL+"/subscriptions/confirm/yes" || g.header.Get(SignatureHeader) == "" {
		t.Errorf("asked %s", g.raw)
	}
}

func TestAProgramThatFailsIsTriedForLongAndThenGivenUp(t *testing.T) {
	code := 0
	url, got := standIn(t, func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(code)
	})
	w, m := listening(t, url, true)
	for _, tt := range []struct {
		code, attempt int
		gone          bool
		wait          time.Duration
	}{
		{404, 1, false, backOff[0]},
		{403, 3, false, backOff[2]},
		{500, 2, false, backOff[1]},
		{429, 1, false, time.Minute},
		{307, 1, false, backOff[0]},
		{410, 1, true, 0},
		{404, 12, true, 0},
		{500, 12, true, 0},
	} {
		code, m.Attempt = tt.code, tt.attempt
		_, err := w.Send(t.Context(), m)
		if bounced := errors.As(err, new(Bounced)); err == nil || bounced != tt.gone {
			t.Errorf("%d at attempt %d: %v", tt.code, tt.attempt, err)
		}
		if due, again := NextAttempt(tt.attempt, noon, err); !tt.gone && (!again || due.Sub(noon) != tt.wait) {
			t.Errorf("%d at attempt %d is tried again at %v", tt.code, tt.attempt, due)
		}
	}
	if len(*got) != 8 {
		t.Errorf("%d requests: a redirect was followed", len(*got))
	}
}

func TestASubscriberCannotMakeUsCallPrivateNetworks(t *testing.T) {
	url, got := standIn(t, content)
	w, m := listening(t, strings.Replace(url, "127.0.0.1", "localhost", 1), false)
	if _, err := w.Send(t.Context(), m); err == nil || len(*got) != 0 {
		t.Errorf("%v after %d requests", err, len(*got))
	}
}
