package broadcast

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// SignatureHeader holds the time of signing and the signature:
// t=SECONDS,v1=HEX, with one v1 for each secret.
const SignatureHeader = "Statusbridge-Signature"

// Sign is the value of the header: HMAC-SHA256 of "SECONDS.BODY". The time is
// part of it, so that an old request cannot be played again.
func Sign(body []byte, now time.Time, secrets ...string) string {
	t := strconv.FormatInt(now.Unix(), 10)
	parts := []string{"t=" + t}
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(t + "."))
		mac.Write(body)
		parts = append(parts, "v1="+hex.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(parts, ",")
}

// webhookPost is the stable shape for programs; fields are only ever added.
func webhookPost(cfg ChannelConfig, m Message) (post, error) {
	if m.Drafts != nil {
		return callsPost(cfg, m), nil
	}
	type component struct {
		Name   string `json:"name"`
		Status string `json:"status,omitempty"`
	}
	components := []component{}
	for _, a := range m.Affected {
		components = append(components, component{a.Name, string(a.Status)})
	}
	kind := "incident"
	if strings.HasPrefix(string(m.Event), "maintenance") {
		kind = "maintenance"
	}
	subject := map[string]any{"id": m.SubjectID, "name": m.Title, "status": m.Code, "shortlink": m.Link, "started_at": utc(m.Began)}
	if m.Impact != "" {
		subject["impact"] = m.Impact
	}
	body := map[string]any{
		"id": m.DeliveryID, "event": m.Event, "created_at": utc(m.Queued),
		"page": map[string]string{"name": cfg.PageName, "url": cfg.PublicURL},
		kind:   subject, "components": components,
		"update": map[string]any{"id": m.UpdateID, "status": m.Code, "body": clean(m.Body), "display_at": utc(m.At)},
	}
	if m.Event == status.EventTest {
		delete(body, kind) // there is none
	}
	return post{url: cfg.URL, sign: true, header: map[string]string{"Idempotency-Key": m.DeliveryID}, body: body}, nil
}

func utc(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}
