package broadcast

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base32"
	"errors"
	"fmt"
	"mime"
	"net/mail"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/rivo/uniseg"
	gomail "github.com/wneessen/go-mail"

	"github.com/statusbridge/statusbridge/internal/status"
)

// EmailConfig is what sending mail needs.
type EmailConfig struct {
	URL       string // smtp://user:pass@host:587?tls=starttls|none|opportunistic or smtps://…
	From      string // an address, with a name or without
	ReplyTo   string // "" is From
	PublicURL string
	PageName  string
	Language  string         // of the page, for subscribers who chose none
	Zone      *time.Location // of the page, likewise; nil is UTC
	// Connections is how many to the mail server are used at once; 0 is the default.
	Connections int
	// Join is for how long after a mail about an issue what follows is kept back, to
	// be told as one; 0 tells each by itself.
	Join time.Duration
	DKIM DKIM
	// TLS adds to the way certificates are checked, such as the roots of an own
	// authority; nil trusts the system's.
	TLS *tls.Config
}

// Email sends each recipient a mail of its own.
type Email struct {
	from     *mail.Address
	replyTo  *mail.Address // nil: none
	base     string        // public URL without the last slash
	host     string        // of the public URL, for ids
	pageName string
	language string
	zone     *time.Location
	join     time.Duration
	hands    int
	dkim     []signer
	lines    *lines
}

// NewEmail checks the configuration; it does not connect.
func NewEmail(cfg EmailConfig) (*Email, error) {
	relay, err := parseRelay(cfg.URL)
	if err != nil {
		return nil, err
	}
	relay.tls = cfg.TLS
	e := &Email{
		pageName: oneLine(cfg.PageName), base: strings.TrimRight(cfg.PublicURL, "/"),
		language: cfg.Language, zone: cmp.Or(cfg.Zone, time.UTC), join: cfg.Join,
	}
	if e.dkim, err = cfg.DKIM.signers(); err != nil {
		return nil, err
	}
	if e.from, err = mail.ParseAddress(cfg.From); err != nil {
		return nil, fmt.Errorf("smtp.from %q is not an address: write status@example.com or Example Status <status@example.com>", cfg.From)
	}
	if cfg.ReplyTo != "" {
		if e.replyTo, err = mail.ParseAddress(cfg.ReplyTo); err != nil {
			return nil, fmt.Errorf("smtp.reply_to %q is not an address: write support@example.com", cfg.ReplyTo)
		}
	}
	public, err := url.Parse(cfg.PublicURL)
	if err != nil || public.Hostname() == "" {
		return nil, fmt.Errorf("public_url %q has no host: links in mails need one, such as https://status.example.com", cfg.PublicURL)
	}
	e.host = public.Hostname()
	if _, err := netip.ParseAddr(e.host); err != nil && strings.Contains(e.host, ".") {
		relay.helo = e.host
	}
	connections := cmp.Or(cfg.Connections, defaultConnections)
	if connections < 1 || connections > 100 {
		return nil, fmt.Errorf("smtp.connections is %d: use a number from 1 to 100", connections)
	}
	e.lines, e.hands = newLines(relay, connections), 3*connections
	return e, nil
}

// Channel names the channel.
func (e *Email) Channel() string { return status.ChannelEmail }

// Parallel is how many mails may be at hand: on each connection one whose text
// is under way, one whose envelope goes ahead, and one that is being written.
func (e *Email) Parallel() int { return e.hands }

// Join is for how long updates of one subject are gathered after a mail.
func (e *Email) Join() time.Duration { return e.join }

// Rest hangs up; called when there is nothing more to send.
func (e *Email) Rest() { e.lines.hangUp() }

// Send sends one mail and answers with the server's words.
func (e *Email) Send(ctx context.Context, m Message) (answer string, err error) {
	e.SendAndSettle(ctx, m, func(said string, failed error) { answer, err = said, failed })
	return answer, err
}

// SendAndSettle sends one mail, and tells settle the server's words or what went
// wrong before the same connection brings the text of another one.
func (e *Email) SendAndSettle(ctx context.Context, m Message, settle func(answer string, err error)) {
	text, to, err := e.build(m)
	if err != nil {
		settle("", err)
		return
	}
	e.lines.send(&parcel{ctx: ctx, from: e.from.Address, to: to, text: text, settle: func(answer string, err error) {
		settle(cutTo(oneLine(answer), 200), classify(err))
	}})
}

// Check connects to the mail server and signs in, and sends nothing. It tells
// what the server can do that matters.
func (e *Email) Check(ctx context.Context) (string, error) {
	l, err := e.lines.relay.dial(ctx)
	if err != nil {
		return "", err
	}
	defer l.hangUp()
	if l.pipelining {
		return "signed in; one mail in each round trip (PIPELINING)", nil
	}
	return "signed in; without PIPELINING a mail takes four round trips", nil
}

// Test sends a mail to one address, by itself and at once, and answers with the
// server's words: the way to find out before the outage.
func (e *Email) Test(ctx context.Context, recipient string, now time.Time) (string, error) {
	return e.Send(ctx, Message{Event: status.EventTest, UpdateID: "test " + now.String(), Recipient: recipient, Queued: now})
}

// build writes the mail, and the address it goes to.
func (e *Email) build(m Message) (text []byte, recipient string, err error) {
	to, err := mail.ParseAddress(m.Recipient)
	if err != nil {
		return nil, "", Permanent{Reason: fmt.Sprintf("%q is not an address", oneLine(m.Recipient))}
	}
	if m.Token == "" && m.Event != status.EventTest && m.Event.Readers() != status.Operators {
		return nil, "", Permanent{Reason: "nobody can answer this mail", Err: errNoToken}
	}
	l, err := e.formLetter(m)
	if err != nil {
		return nil, "", err
	}
	text, err = sign(l.fill(&mail.Address{Address: to.Address}, e.id(m.UpdateID, to.Address), m), e.dkim)
	return text, to.Address, err
}

// deliveryHeader names the delivery in the mail, so that one that comes back
// can be told from the others.
const deliveryHeader = "X-Statusbridge-Delivery"

// setListHeaders makes the mails about one issue a thread, and lets every mail
// program offer to unsubscribe (RFC 2369, RFC 2919, RFC 8058).
func (e *Email) setListHeaders(msg *gomail.Msg, subjectID, token string) {
	root := "<" + e.id("root", subjectID) + ">"
	msg.SetGenHeader("In-Reply-To", root)
	msg.SetGenHeader("References", root)
	msg.SetGenHeader("List-Id", e.listID())
	ways := "<" + e.link("unsubscribe", token) + ">"
	ways += ", <mailto:" + e.writeBack().Address + "?subject=" + url.PathEscape("unsubscribe "+token) + ">"
	msg.SetGenHeader("List-Unsubscribe", ways)
	// Mail programs act on it only if the URL above is https. It is there in any
	// case, so that a trial run shows the very mail.
	msg.SetGenHeader("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
}

func (e *Email) writeBack() *mail.Address {
	if e.replyTo != nil {
		return e.replyTo
	}
	return e.from
}

// listID names the list: "Page name" <updates.HOST>.
func (e *Email) listID() string {
	id := "<updates." + strings.Trim(e.host, "[]") + ">"
	name := unencoded(e.pageName)
	if name == "" {
		return id
	}
	if encoded := mime.QEncoding.Encode("utf-8", name); encoded != name {
		return encoded + " " + id
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `" ` + id
}

// subject is the same for all mails about an issue.
func (e *Email) subject(m Message) string {
	s := cutTo(oneLine(m.Title), 150)
	if e.pageName != "" {
		s = "[" + e.pageName + "] " + s
	}
	return unencoded(s)
}

// unencoded takes the meaning from text that poses as an encoded word.
func unencoded(s string) string { return strings.ReplaceAll(oneLine(s), "=?", "= ?") }

// link makes one of the recipient's own URLs.
func (e *Email) link(parts ...string) string {
	for i, p := range parts {
		if i == len(parts)-1 {
			parts[i] = url.PathEscape(p)
		}
	}
	return e.base + "/" + strings.Join(parts, "/")
}

var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// id makes a message id that is the same whenever it is made of the same
// parts: a mail that was perhaps taken and is sent again is then the same mail.
func (e *Email) id(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	host := e.host
	if strings.Contains(host, ":") {
		host = "[IPv6:" + host + "]"
	}
	return idEncoding.EncodeToString(sum[:])[:26] + "@" + host
}

// cutTo keeps at most n characters as people count them.
func cutTo(s string, n int) string {
	rest, state, end := s, -1, 0
	for range n {
		if rest == "" {
			return s
		}
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		end += len(cluster)
	}
	if rest == "" {
		return s
	}
	return strings.TrimSpace(s[:end]) + "…"
}

var errNoToken = errors.New("the delivery has no token")
