package broadcast

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"regexp"
	"strings"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Returned is what a mail that came to our own address says.
type Returned struct {
	Bounces     []status.Bounce
	Unsubscribe string // the token of a subscriber who wants to leave
}

// largestReturned bounds what is read of a mail.
const largestReturned = 10 << 20

// ReadReturned reads a mail: a delivery status notification (RFC 3464), an
// abuse report (RFC 5965), or the wish to unsubscribe that our mailto link
// leads to. Any other says nothing.
func ReadReturned(r io.Reader) (Returned, error) {
	msg, err := mail.ReadMessage(bufio.NewReader(io.LimitReader(r, largestReturned)))
	if err != nil {
		return Returned{}, fmt.Errorf("this is no mail: %w", err)
	}
	if m := wish.FindStringSubmatch(strings.TrimSpace(msg.Header.Get("Subject"))); m != nil {
		return Returned{Unsubscribe: m[1]}, nil
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || params["boundary"] == "" {
		return Returned{}, nil
	}
	var found report
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) || err != nil && found.any() {
			break // a report cut short still says what it says
		}
		if err != nil {
			return Returned{}, fmt.Errorf("read the report: %w", err)
		}
		found.read(part)
	}
	return Returned{Bounces: found.bounces()}, nil
}

var wish = regexp.MustCompile(`^unsubscribe ([A-Za-z0-9_-]{10,100})$`)

// report gathers what the parts of a report say.
type report struct {
	recipients []textproto.MIMEHeader // of a delivery status
	feedback   textproto.MIMEHeader   // of an abuse report
	original   mail.Header            // of the mail that it is about
}

func (r *report) any() bool { return len(r.recipients) > 0 || r.feedback != nil }

func (r *report) read(part *multipart.Part) {
	kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
	switch kind {
	case "message/delivery-status", "message/global-delivery-status":
		blocks := textproto.NewReader(bufio.NewReader(part))
		for n := 0; ; n++ {
			fields, err := blocks.ReadMIMEHeader()
			if n > 0 && len(fields) > 0 { // the first block is about the message
				r.recipients = append(r.recipients, fields)
			}
			if err != nil {
				return
			}
		}
	case "message/feedback-report":
		r.feedback, _ = textproto.NewReader(bufio.NewReader(part)).ReadMIMEHeader()
	case "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers":
		if msg, err := mail.ReadMessage(io.MultiReader(part, strings.NewReader("\r\n\r\n"))); err == nil {
			r.original = msg.Header
		}
	}
}

func (r *report) bounces() []status.Bounce {
	delivery := strings.TrimSpace(r.original.Get(deliveryHeader))
	var out []status.Bounce
	for _, f := range r.recipients {
		if !strings.EqualFold(strings.TrimSpace(f.Get("Action")), "failed") {
			continue // delayed, relayed, delivered: not the end
		}
		code, said := f.Get("Status"), afterType(f.Get("Diagnostic-Code"))
		address := afterType(f.Get("Original-Recipient"))
		if address == "" {
			address = afterType(f.Get("Final-Recipient"))
		}
		out = append(out, status.Bounce{
			Address: address, DeliveryID: delivery, Reason: reason("returned", code, said),
			Hard: noSuchRecipient(550, code) || strings.HasPrefix(code, "5") && noSuchRecipient(550, said),
		})
	}
	if r.feedback != nil {
		to := r.feedback.Get("Original-Rcpt-To")
		if to == "" {
			to = r.original.Get("To")
		}
		out = append(out, status.Bounce{
			Address: strings.Trim(afterType(to), "<> "), DeliveryID: delivery, Complaint: true, Reason: reason("reported", r.feedback.Get("Feedback-Type")),
		})
	}
	return out
}

// afterType reads "rfc822; ann@example.com" and "smtp; 550 no such user".
func afterType(value string) string {
	if _, rest, typed := strings.Cut(value, ";"); typed {
		value = rest
	}
	return strings.TrimSpace(value)
}
