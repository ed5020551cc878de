package broadcast

import (
	"bytes"
	"fmt"
	"html"
	"mime/quotedprintable"
	"net/mail"
	"net/url"
	"strings"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/statusbridge/statusbridge/internal/status"
)

// formLetter is a mail as it goes over the wire, written by the library once for all
// who read the same words, with gaps for what is the recipient's own. Filling
// them in costs a hundredth of writing the mail.
type formLetter struct {
	pieces []string // one more than gaps
	gaps   []gap
}

// gap is a place in a letter for one of the recipient's own values.
type gap int

const (
	gapTo gap = iota
	gapMessageID
	gapDelivery
	gapHeaderToken
	gapTextRecipient
	gapTextToken
	gapHTMLRecipient
	gapHTMLToken
	gapCount
)

// gapMarks stand in the gaps while the library writes, as unguessable as those
// of a draft. Only letters and digits: nothing encodes them.
var gapMarks = [gapCount]string{
	"<m1" + markRecipient + "@mark.invalid>", "m2" + markRecipient, "m3" + markRecipient, "m4" + markToken,
	"m5" + markRecipient, "m6" + markToken, "m7" + markRecipient, "m8" + markToken,
}

// formLetters are the form letters of one message, one for each way to write it.
type formLetters struct {
	mu   sync.Mutex
	made map[letterKey]*formLetter
}

type letterKey struct {
	language, zone string
	late, returns  bool
	queued         time.Time
}

// formLetter writes the mail, once for all who read the same language in the same
// time zone.
func (e *Email) formLetter(m Message) (*formLetter, error) {
	if m.letters == nil {
		return e.compose(m)
	}
	m.letters.mu.Lock()
	defer m.letters.mu.Unlock()
	key := letterKey{m.Language, m.TimeZone, m.Late, m.DeliveryID != "", m.Queued}
	if l, done := m.letters.made[key]; done {
		return l, nil
	}
	l, err := e.compose(m)
	if err != nil {
		return nil, err
	}
	if m.letters.made == nil {
		m.letters.made = map[letterKey]*formLetter{}
	}
	m.letters.made[key] = l
	return l, nil
}

// compose lets the library write the mail, with marks in the gaps. Every value
// is cleaned before it becomes a header, and none goes through the library's
// preformatted headers, which encode nothing.
func (e *Email) compose(m Message) (*formLetter, error) {
	d, err := e.write(m)
	if err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(e.from)
	msg.ToMailAddress(&mail.Address{Address: strings.Trim(gapMarks[gapTo], "<>")})
	if e.replyTo != nil {
		msg.ReplyToMailAddress(e.replyTo)
	}
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	msg.SetMessageIDWithValue(gapMarks[gapMessageID])
	if m.DeliveryID != "" {
		msg.SetGenHeader(deliveryHeader, gapMarks[gapDelivery])
	}
	if !m.Queued.IsZero() {
		msg.SetDateWithValue(m.Queued.UTC()) // a second attempt is the same mail
	}
	switch m.Event {
	case status.EventConfirm, status.EventSubscribed, status.EventStopped, status.EventTest:
	case status.EventDraft, status.EventDraftWaits, status.EventDraftDone: // the configuration subscribed them
	default:
		e.setListHeaders(msg, m.SubjectID, gapMarks[gapHeaderToken])
	}
	msg.Subject(d.subject)
	msg.SetBodyString(gomail.TypeTextPlain, fillIn(d.text, gapMarks[gapTextRecipient], gapMarks[gapTextToken]))
	msg.AddAlternativeString(gomail.TypeTextHTML, fillIn(d.html, gapMarks[gapHTMLRecipient], gapMarks[gapHTMLToken]))
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("write the mail: %w", err)
	}
	return cutOut(b.String()), nil
}

// cutOut finds the gaps.
func cutOut(written string) *formLetter {
	l, rest := &formLetter{}, 0
	joint := "" // begins the next piece
	for at := 0; at < len(written); at++ {
		g, length := markAt(written[at:])
		if length == 0 {
			continue
		}
		before, after := joint+written[rest:at], written[at+length:]
		rest, joint = at+length, ""
		at = rest - 1
		if g >= gapTextRecipient {
			// A value in the body stands on a line of its own, or lines grow too long.
			if !strings.HasSuffix(before, "\n") {
				before += softBreak
			}
			if !strings.HasPrefix(after, "\r\n") && !strings.HasPrefix(after, softBreak) {
				joint = softBreak
			}
		}
		l.pieces, l.gaps = append(l.pieces, before), append(l.gaps, g)
	}
	l.pieces = append(l.pieces, joint+written[rest:])
	return l
}

// markAt is the mark that a text begins with, and its length there, 0 if there
// is none. Quoted-printable may break the line in the middle of it.
func markAt(text string) (g gap, length int) {
	for g, mark := range gapMarks {
		if n := unbroken(text, mark); n > 0 {
			return gap(g), n
		}
	}
	return 0, 0
}

func unbroken(text, mark string) (length int) {
	for n := range len(mark) {
		for n > 0 && strings.HasPrefix(text[length:], softBreak) {
			length += len(softBreak)
		}
		if length == len(text) || text[length] != mark[n] {
			return 0
		}
		length++
	}
	return length
}

// softBreak ends a line in quoted-printable where the text has no end (RFC 2045,
// 6.7).
const softBreak = "=\r\n"

// fill makes the mail of one recipient.
func (l *formLetter) fill(to *mail.Address, id string, m Message) []byte {
	recipient, token := oneLine(m.Recipient), url.PathEscape(m.Token)
	var values [gapCount]string
	values[gapTo], values[gapMessageID], values[gapDelivery], values[gapHeaderToken] = to.String(), id, oneLine(m.DeliveryID), token
	values[gapTextRecipient], values[gapTextToken] = quoted(recipient), quoted(token)
	values[gapHTMLRecipient], values[gapHTMLToken] = quoted(html.EscapeString(recipient)), quoted(html.EscapeString(token))
	size := 0
	for _, p := range l.pieces {
		size += len(p)
	}
	for _, g := range l.gaps {
		size += len(values[g])
	}
	out := make([]byte, 0, size)
	for n, g := range l.gaps {
		out = append(append(out, l.pieces[n]...), values[g]...)
	}
	return append(out, l.pieces[len(l.pieces)-1]...)
}

// quoted writes a short value in quoted-printable.
func quoted(value string) string {
	if len(value) < 75 && !strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '=' }) {
		return value
	}
	var b strings.Builder
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(value)) // into memory
	_ = w.Close()
	return b.String()
}
