package broadcast

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/wneessen/go-mail"
	smtpline "github.com/wneessen/go-mail/smtp"
)

// maxLines is how many connections to the mail server are used at once.
const maxLines = 8

// smtpTimeout bounds connecting, and each message, on one connection. It fits
// into the lease of a delivery.
const smtpTimeout = 12 * time.Second

// relay is the mail server that takes our messages.
type relay struct {
	host     string
	port     int
	implicit bool // TLS from the first byte
	policy   mail.TLSPolicy
	user     string
	password string
	helo     string
	tls      *tls.Config
}

// parseRelay reads smtp://user:pass@host:587?tls=starttls|none|opportunistic
// and smtps://user:pass@host:465. Its errors never repeat the URL: it holds a
// password.
func parseRelay(raw string) (relay, error) {
	u, err := url.Parse(raw)
	if err != nil {
		var bad *url.Error
		if errors.As(err, &bad) {
			err = bad.Err
		}
		return relay{}, fmt.Errorf("smtp.url cannot be read: %w", err)
	}
	r := relay{host: u.Hostname(), user: u.User.Username(), policy: mail.TLSMandatory, port: 587}
	r.password, _ = u.User.Password()
	switch u.Scheme {
	case "smtp":
	case "smtps":
		r.implicit, r.port = true, 465
	default:
		return relay{}, fmt.Errorf("smtp.url begins with %q: write smtp:// or smtps://", u.Scheme+"://")
	}
	if r.host == "" {
		return relay{}, errors.New("smtp.url names no host: write smtp://user:password@host:587")
	}
	if p := u.Port(); p != "" {
		if r.port, err = strconv.Atoi(p); err != nil || r.port < 1 || r.port > 65535 {
			return relay{}, fmt.Errorf("smtp.url has port %q: write a number up to 65535", p)
		}
	}
	return r, r.readOptions(u)
}

func (r *relay) readOptions(u *url.URL) error {
	for key, values := range u.Query() {
		if key != "tls" || r.implicit {
			return fmt.Errorf("smtp.url has the unknown option %q: only smtp:// has one, tls=starttls|none|opportunistic", key)
		}
		switch values[0] {
		case "starttls":
			r.policy = mail.TLSMandatory
		case "none":
			r.policy = mail.NoTLS
		case "opportunistic":
			r.policy = mail.TLSOpportunistic
		default:
			return fmt.Errorf("smtp.url has tls=%q: write starttls, none or opportunistic", values[0])
		}
	}
	return nil
}

// line is one connection to the relay, past EHLO, TLS and sign-in.
type line struct {
	client *mail.Client
	smtp   *smtpline.Client
	conn   net.Conn
	used   bool // tried for a message before
}

// dial connects. The library does not close the connection of a failed EHLO,
// STARTTLS or AUTH, so it is kept hold of here.
func (r relay) dial(ctx context.Context) (*line, error) {
	l, stop := &line{}, func() bool { return true }
	defer func() { stop() }()
	opts := []mail.Option{
		mail.WithPort(r.port), mail.WithTimeout(smtpTimeout), mail.WithTLSPolicy(r.policy), mail.WithTLSConfig(r.tlsConfig()),
		mail.WithoutNoop(), mail.WithoutRset(), // two round trips less a message
		mail.WithDialContextFunc(func(connecting context.Context, network, address string) (net.Conn, error) {
			conn, err := r.connect(connecting, network, address)
			if err == nil {
				l.conn = conn
				stop = context.AfterFunc(ctx, func() { conn.Close() }) // the greeting may never come
			}
			return conn, err
		}),
	}
	if r.implicit {
		opts = append(opts, mail.WithSSL())
	}
	if r.helo != "" {
		opts = append(opts, mail.WithHELO(r.helo))
	}
	if r.user != "" {
		opts = append(opts, mail.WithUsername(r.user), mail.WithPassword(r.password), mail.WithOpportunisticSMTPAuth(r.mechanisms()...))
	}
	// A client of its own for each line: choosing the mechanism changes it.
	client, err := mail.NewClient(r.host, opts...)
	if err != nil {
		return nil, fmt.Errorf("prepare the connection to %s: %w", r.host, err)
	}
	if l.smtp, err = client.DialToSMTPClientWithContext(ctx); err != nil {
		if l.conn != nil {
			l.conn.Close()
		}
		return nil, fmt.Errorf("connect to mail server %s: %w", net.JoinHostPort(r.host, strconv.Itoa(r.port)), err)
	}
	l.client = client
	return l, nil
}

func (r relay) connect(ctx context.Context, network, address string) (net.Conn, error) {
	if r.implicit {
		return (&tls.Dialer{Config: r.tlsConfig()}).DialContext(ctx, network, address)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func (r relay) tlsConfig() *tls.Config {
	c := &tls.Config{}
	if r.tls != nil {
		c = r.tls.Clone()
	}
	c.ServerName = r.host
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	return c
}

// mechanisms lists the ways to sign in, best first. Only tls=none, which a
// person wrote, lets the password go over the wire in clear.
func (r relay) mechanisms() []mail.SMTPAuthType {
	plain, login := mail.SMTPAuthPlain, mail.SMTPAuthLogin
	if r.policy == mail.NoTLS && !r.implicit {
		plain, login = mail.SMTPAuthPlainNoEnc, mail.SMTPAuthLoginNoEnc
	}
	return []mail.SMTPAuthType{mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1, plain, login, mail.SMTPAuthCramMD5}
}

// send gives one message to the relay and answers with its words.
func (l *line) send(ctx context.Context, msg *mail.Msg) (string, error) {
	// The library takes no context while it sends; a closed connection it minds.
	stop := context.AfterFunc(ctx, func() { l.conn.Close() })
	defer stop()
	l.used = true
	if err := l.client.SendWithSMTPClient(l.smtp, msg); err != nil {
		return "", err
	}
	return msg.ServerResponse(), nil
}

// hangUp says goodbye, and closes in any case.
func (l *line) hangUp() {
	_ = l.smtp.UpdateDeadline(time.Second)
	_ = l.client.CloseWithSMTPClient(l.smtp)
	l.conn.Close()
}

// lines keeps connections while there is something to send.
type lines struct {
	relay relay
	slots chan struct{}

	mu   sync.Mutex
	idle []*line
}

func newLines(r relay) *lines { return &lines{relay: r, slots: make(chan struct{}, maxLines)} }

// take gives an idle line or a new one.
func (p *lines) take(ctx context.Context) (*line, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		l := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return l, nil
	}
	p.mu.Unlock()
	return p.relay.dial(ctx)
}

func (p *lines) put(l *line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, l)
}

// hangUp closes all idle lines.
func (p *lines) hangUp() {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, l := range idle {
		l.hangUp()
	}
}

// send gives the message to the relay over one of the lines.
func (p *lines) send(ctx context.Context, msg *mail.Msg) (string, error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	for {
		l, err := p.take(ctx)
		if err != nil {
			return "", err
		}
		reused := l.used
		answer, err := l.send(ctx, msg)
		switch {
		case err == nil:
			p.put(l)
			return answer, nil
		case answered(err):
			p.put(l) // the server refused this message and waits for the next
			return "", err
		}
		l.conn.Close()
		// A server may close a line that was idle or carried enough. As long as
		// the text was not on its way, a fresh one does no harm.
		if reused && untouched(err) && ctx.Err() == nil {
			continue
		}
		return "", err
	}
}

// answered reports whether the server gave a verdict on the message and keeps
// the connection; 421 is its goodbye.
func answered(err error) bool {
	code := smtpCode(err)
	return code != 0 && code != 421
}

// untouched reports whether the failure came before the text was sent.
func untouched(err error) bool {
	var failed *mail.SendError
	if !errors.As(err, &failed) {
		return false
	}
	switch failed.Reason {
	case mail.ErrConnCheck, mail.ErrSMTPMailFrom, mail.ErrSMTPRcptTo, mail.ErrSMTPData:
		return true
	}
	return false
}

// smtpCode is the server's answer, 0 if it gave none.
func smtpCode(err error) int {
	var failed *mail.SendError
	if errors.As(err, &failed) {
		return failed.ErrorCode()
	}
	return 0
}

// classify says which errors no retry can mend: a 5xx about the recipient or
// the text. All other trouble passes, or a person mends it: connections, the
// sign-in, the sender's address.
func classify(err error) error {
	var failed *mail.SendError
	if err == nil || !errors.As(err, &failed) {
		return err
	}
	code := failed.ErrorCode()
	switch failed.Reason {
	case mail.ErrGetRcpts:
		return Permanent{Reason: "the address cannot be used in a mail", Err: err}
	case mail.ErrSMTPRcptTo, mail.ErrSMTPData, mail.ErrSMTPDataClose:
	default:
		return err
	}
	switch {
	case code < 500, code == 503, code == 530, code == 535, code == 538: // our own order or sign-in
		return err
	case failed.Reason == mail.ErrSMTPRcptTo:
		return Permanent{Reason: "the mail server refuses the recipient", Err: err}
	}
	return Permanent{Reason: "the mail server refuses the message", Err: err}
}
