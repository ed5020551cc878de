package broadcast

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/statusbridge/statusbridge/internal/status"
)

// ErrNoBounce is the error of a report in a form that is not known.
var ErrNoBounce = errors.New("this is no bounce report of Amazon SES, Postmark, SendGrid or Mailgun")

// Confirm is the error of a notification service that wants somebody to open a
// link before it sends anything. No machine should: the link could lead
// anywhere.
type Confirm struct{ URL string }

func (e Confirm) Error() string {
	return "Amazon SNS asks to confirm the subscription; open this link once: " + e.URL
}

// ReadBounces reads what a mail service posts about mails that came back or
// were not wanted. Other events, such as a delivery, are passed over.
func ReadBounces(body []byte) ([]status.Bounce, error) {
	switch first := strings.TrimSpace(string(body[:min(len(body), 100)])); {
	case strings.HasPrefix(first, "["):
		return readSendGrid(body)
	case !strings.HasPrefix(first, "{"):
		return nil, ErrNoBounce
	}
	var shape struct {
		Type             string         `json:"Type"`
		Message          string         `json:"Message"`
		SubscribeURL     string         `json:"SubscribeURL"`
		NotificationType string         `json:"notificationType"`
		EventType        string         `json:"eventType"`
		RecordType       string         `json:"RecordType"`
		EventData        jsontext.Value `json:"event-data"`
	}
	if err := json.Unmarshal(body, &shape, lenient); err != nil {
		return nil, fmt.Errorf("bounce report: %w", err)
	}
	switch {
	case shape.RecordType != "":
		return readPostmark(body)
	case shape.EventData != nil:
		return readMailgun(shape.EventData)
	case shape.Type == "SubscriptionConfirmation":
		return nil, Confirm{shape.SubscribeURL}
	case shape.Type == "Notification":
		return readSES([]byte(shape.Message))
	case shape.NotificationType != "" || shape.EventType != "":
		return readSES(body)
	}
	return nil, ErrNoBounce
}

// Services send headers as they came, which may be anything.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

type mailHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// deliveryOf finds our name for the mail among its headers.
func deliveryOf(headers []mailHeader) string {
	for _, h := range headers {
		if strings.EqualFold(h.Name, deliveryHeader) {
			return strings.TrimSpace(h.Value)
		}
	}
	return ""
}

// readSES reads a notification of Amazon SES, the older kind and the event
// kind: https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
func readSES(body []byte) ([]status.Bounce, error) {
	var n struct {
		NotificationType string `json:"notificationType"`
		EventType        string `json:"eventType"`
		Bounce           struct {
			Type       string `json:"bounceType"`
			SubType    string `json:"bounceSubType"`
			Recipients []struct {
				Email      string `json:"emailAddress"`
				Status     string `json:"status"`
				Diagnostic string `json:"diagnosticCode"`
			} `json:"bouncedRecipients"`
		} `json:"bounce"`
		Complaint struct {
			Feedback   string `json:"complaintFeedbackType"`
			Recipients []struct {
				Email string `json:"emailAddress"`
			} `json:"complainedRecipients"`
		} `json:"complaint"`
		Mail struct {
			Headers []mailHeader `json:"headers"`
		} `json:"mail"`
	}
	if err := json.Unmarshal(body, &n, lenient); err != nil {
		return nil, fmt.Errorf("notification of Amazon SES: %w", err)
	}
	var out []status.Bounce
	switch n.NotificationType + n.EventType {
	case "Bounce":
		for _, r := range n.Bounce.Recipients {
			out = append(out, status.Bounce{
				Address: r.Email, DeliveryID: deliveryOf(n.Mail.Headers), Hard: n.Bounce.Type == "Permanent",
				Reason: reason("SES", n.Bounce.Type+" "+n.Bounce.SubType, r.Status, r.Diagnostic),
			})
		}
	case "Complaint":
		for _, r := range n.Complaint.Recipients {
			out = append(out, status.Bounce{
				Address: r.Email, DeliveryID: deliveryOf(n.Mail.Headers), Complaint: true, Reason: reason("SES", "complaint", n.Complaint.Feedback),
			})
		}
	}
	return out, nil
}

// readPostmark reads a webhook of Postmark:
// https://postmarkapp.com/developer/webhooks/bounce-webhook
func readPostmark(body []byte) ([]status.Bounce, error) {
	var n struct {
		RecordType  string            `json:"RecordType"`
		Type        string            `json:"Type"`
		Email       string            `json:"Email"`
		Description string            `json:"Description"`
		Details     string            `json:"Details"`
		Inactive    bool              `json:"Inactive"`
		Metadata    map[string]string `json:"Metadata"`
	}
	if err := json.Unmarshal(body, &n, lenient); err != nil {
		return nil, fmt.Errorf("webhook of Postmark: %w", err)
	}
	b := status.Bounce{Address: n.Email, Reason: reason("Postmark", n.Type, n.Details, n.Description)}
	switch n.RecordType {
	case "Bounce":
		// Inactive: Postmark itself sends there no more.
		b.Hard = n.Type == "HardBounce" || n.Type == "BadEmailAddress" || n.Inactive && n.Type != "SpamNotification"
	case "SpamComplaint":
		b.Complaint = true
	default:
		return nil, nil
	}
	return []status.Bounce{b}, nil
}

// readSendGrid reads a batch of the Event Webhook of SendGrid:
// https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
func readSendGrid(body []byte) ([]status.Bounce, error) {
	var events []struct {
		Event  string `json:"event"`
		Type   string `json:"type"`
		Email  string `json:"email"`
		Status string `json:"status"`
		Reason string `json:"reason"`
	}
	if err := json.Unmarshal(body, &events, lenient); err != nil {
		return nil, fmt.Errorf("events of SendGrid: %w", err)
	}
	var out []status.Bounce
	for _, e := range events {
		b := status.Bounce{Address: e.Email, Reason: reason("SendGrid", e.Event, e.Status, e.Reason)}
		switch e.Event {
		case "bounce":
			b.Hard = e.Type != "blocked" // refused for now, or for what we are
		case "dropped": // SendGrid knows it as dead from before
			b.Hard = e.Reason == "Bounced Address" || e.Reason == "Invalid"
			b.Complaint = e.Reason == "Spam Reporting Address"
		case "spamreport":
			b.Complaint = true
		default:
			continue
		}
		out = append(out, b)
	}
	return out, nil
}

// readMailgun reads the event of a webhook of Mailgun:
// https://documentation.mailgun.com/docs/mailgun/user-manual/events/webhooks
func readMailgun(event []byte) ([]status.Bounce, error) {
	var e struct {
		Event     string `json:"event"`
		Severity  string `json:"severity"`
		Reason    string `json:"reason"`
		Recipient string `json:"recipient"`
		Status    struct {
			Code        int    `json:"code"`
			Message     string `json:"message"`
			Description string `json:"description"`
		} `json:"delivery-status"`
	}
	if err := json.Unmarshal(event, &e, lenient); err != nil {
		return nil, fmt.Errorf("webhook of Mailgun: %w", err)
	}
	b := status.Bounce{Address: e.Recipient, Reason: reason("Mailgun", e.Severity, e.Status.Message, e.Status.Description)}
	switch e.Event {
	case "failed":
		b.Hard = e.Severity == "permanent" && (e.Reason == "bounce" || e.Reason == "suppress-bounce")
		if e.Severity == "temporary" {
			return nil, nil // it goes on trying
		}
	case "complained":
		b.Complaint = true
		b.Reason = reason("Mailgun", "complaint")
	default:
		return nil, nil
	}
	return []status.Bounce{b}, nil
}

// reason joins what a service says to one line.
func reason(service string, parts ...string) string {
	text := service + ":"
	for _, p := range parts {
		if p = oneLine(p); p != "" {
			text += " " + p
		}
	}
	return cutTo(text, 300)
}
