package broadcast

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"
)

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

// dial connects. The library does not close the connection of a failed EHLO,
// STARTTLS or AUTH, so it is kept hold of here.
func (r relay) dial(ctx context.Context) (*line, error) {
	l, stop := &line{}, func() bool { return true }
	defer func() { stop() }()
	opts := []mail.Option{
		mail.WithPort(r.port), mail.WithTimeout(smtpTimeout), mail.WithTLSPolicy(r.policy), mail.WithTLSConfig(r.tlsConfig()),
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
	l.pipelining, _ = l.smtp.Extension("PIPELINING")
	l.utf8, _ = l.smtp.Extension("SMTPUTF8")
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
